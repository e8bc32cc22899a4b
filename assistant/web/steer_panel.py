"""Steer: what of the photo is judged, and questions about a place of it."""

import html
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

from assistant import UserError
from assistant.area import Area, scoped
from assistant.web.inspect_panel import InspectPanel
from assistant.web.place_panel import NO_PLACE, Picker
from assistant.web.results import Results, show, updates
from assistant.web.session import Session
from assistant.web.style import MODEL, in_view
from assistant.web.workshop import Workshop
from assistant.wording import tell

ASKED = "Is this a defect?"


@dataclass(frozen=True)
class SteerPanel:
    """What happens on this panel; every event gives values for `Results.components`."""

    workshop: Workshop

    def ask(self, session: Session) -> Iterator[tuple[Any, ...]]:
        """Is the chosen place a defect? Streamed as any answer."""
        if session.photo is None or session.photo.drawn is None:
            gr.Info(NO_PLACE)
            yield updates()
            return
        for _, _, *changes in InspectPanel(self.workshop).answer(session, ASKED):
            yield tuple(changes)

    def judge_only(self, session: Session) -> tuple[Any, ...]:
        """The verdict is of the chosen place from now on."""
        place = self._place(session)
        return updates() if place is None else self._restrict(session, place)

    def ignore(self, session: Session) -> tuple[Any, ...]:
        """The chosen place is left out from now on, beside what is left out already."""
        place, now = self._place(session), session.inspection
        if place is None or now is None:
            return updates()
        before = now.area
        try:
            area = Area(now.size, before.only if before else (), (*(before.without if before else ()), *place.only))
        except UserError as error:
            gr.Warning(html.escape(str(error)))
            return updates()
        return self._restrict(session, area)

    def whole(self, session: Session) -> tuple[Any, ...]:
        """All of the photo is judged again."""
        if session.inspection is None or session.inspection.area is None:
            gr.Info("All of the photo is judged already." if session.inspection else "I need a photo first.")
            return updates()
        return self._restrict(session, None)

    def _place(self, session: Session) -> Area | None:
        place = None if session.photo is None else session.photo.drawn
        if place is None:
            gr.Info(NO_PLACE)
        return place

    def _restrict(self, session: Session, area: Area | None) -> tuple[Any, ...]:
        photo = session.photo
        assert photo is not None
        photo.chat.stop()
        about = photo.chat.restrict(area)
        photo.drawn, photo.zoomed = None, 0
        said = f"I judge {area.scope} from now on." if area else "I judge the whole photo again."
        photo.note(f"{said} {scoped(tell('report', about), about.area)}")
        return show(self.workshop, session)


def build_steer_panel(workshop: Workshop, session: gr.State, results: Results, picker: Picker) -> None:
    """The buttons that act on the chosen place."""
    panel = SteerPanel(workshop)
    with picker.actions, gr.Row(elem_classes="actions"):
        ask = gr.Button(ASKED, size="sm", elem_id="ask-place")
        only = gr.Button("Judge only this", size="sm", elem_id="judge-only")
        ignore = gr.Button("Ignore this", size="sm", elem_id="ignore")
    ask.click(None, js=in_view("chat"))  # on a tablet or phone the answer is written elsewhere
    ask.click(panel.ask, session, results.components, show_progress="hidden", **MODEL)
    for button, event in ((only, panel.judge_only), (ignore, panel.ignore), (picker.whole, panel.whole)):
        judged = button.click(event, session, results.components, show_progress="hidden", **MODEL)
        judged.then(None, js=in_view("verdict"))
