"""The model in use: choose another one, delete one that was taught here."""

import html
from dataclasses import dataclass
from typing import Any

import gradio as gr

from assistant import UserError
from assistant.web.facts import card
from assistant.web.inspecting import model_of
from assistant.web.session import Session
from assistant.web.training_run import Trainings
from assistant.web.workshop import Workshop

CLOSED = gr.update(visible=False)


@dataclass(frozen=True)
class ModelPanel:
    """What happens on this panel; each event gives what `Models.components` show."""

    workshop: Workshop
    trainings: Trainings

    def shown(self, session: Session) -> tuple[Any, ...]:
        """The models there are, what the one in use knows, and whether it can be deleted; nothing is asked."""
        offered = gr.update(choices=self.workshop.models, value=model_of(self.workshop, session))
        remove = gr.update(visible=session.model in self.workshop.own)
        return offered, self.in_use(session), remove, "", CLOSED

    def use(self, session: Session, model: str) -> tuple[Any, ...]:
        """Choose the model that this visitor's photos are inspected by from now on."""
        try:
            self.workshop.assistant(model)
        except UserError as error:
            return self._failed(session, error)
        session.model = model
        return self.shown(session)

    def in_use(self, session: Session) -> str:
        """What the model in use knows."""
        name = f"<strong>{html.escape(session.model)}</strong>"
        product = self.workshop.taught(session.model)
        if product is None:
            return card("", f"Photos are inspected by {name}, which knows no product in particular.")
        taught = self.trainings.taught(session.model)
        what = html.escape(taught.product_name) if taught else "a product"
        return card("", f"Photos are inspected by {name}, which was taught {what} and needs no good parts for it.")

    def ask(self, session: Session) -> tuple[Any, ...]:
        """What would be lost, and the buttons that confirm."""
        try:
            self.trainings.must_be_free(session.model)
        except UserError as error:
            return self._failed(session, error)
        name = f"<strong>{html.escape(session.model)}</strong>"
        lost = f"Delete {name} with its report and log? Photos and corrections stay. This cannot be undone."
        back = f" Whoever uses it goes back to {html.escape(self.workshop.default)}."
        return *self.shown(session)[:3], card("problem", lost + back), gr.update(visible=True)

    def delete(self, session: Session) -> tuple[Any, ...]:
        """Delete the model in use; this visitor, and all who used it, go back to the server's own."""
        try:
            self.trainings.delete(session.model, session.who)
        except UserError as error:
            return self._failed(session, error)
        return self.shown(session)

    def _failed(self, session: Session, error: UserError) -> tuple[Any, ...]:
        said = card("problem", html.escape(str(error)), role="alert")
        return *self.shown(session)[:3], said, CLOSED


@dataclass(frozen=True)
class Models:
    """The components of this panel."""

    model: gr.Dropdown
    in_use: gr.HTML
    remove: gr.Button
    question: gr.HTML
    confirm: gr.Row
    yes: gr.Button
    no: gr.Button

    @property
    def components(self) -> list[Any]:
        """As outputs of an event."""
        return [self.model, self.in_use, self.remove, self.question, self.confirm]


def build_models(panel: ModelPanel) -> Models:
    """The components, where the page is being built."""
    workshop = panel.workshop
    gr.HTML("<h2>Model in use</h2>")
    model = gr.Dropdown(
        workshop.models, value=workshop.default, label="Model in use", show_label=False, container=False,
        elem_id="teach-model",
    )  # fmt: skip
    in_use = gr.HTML(panel.in_use(Session(model=workshop.default)), elem_id="teach-in-use")
    remove = gr.Button("Delete this model", size="sm", visible=False, elem_id="model-delete")
    question = gr.HTML(elem_id="model-question")
    with gr.Row(visible=False) as confirm:
        yes = gr.Button("Yes, delete it", size="sm", variant="stop", min_width=60, elem_id="model-gone")
        no = gr.Button("Keep it", size="sm", min_width=60, elem_id="model-keep")
    return Models(model, in_use, remove, question, confirm, yes, no)
