"""Inspect and talk: photos and good references in; verdict, picture and a conversation out.

Thin: it shows what an `Inspection` and a `Chat` say. What belongs to one visitor lives in that visitor's `Session`.
"""

import functools
import html
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
from PIL import Image

from assistant import UserError
from assistant.images import load_image
from assistant.web.facts import WELCOME, card, details, verdict
from assistant.web.inspecting import add_photo, reinspect
from assistant.web.picture import VIEWS, draw
from assistant.web.session import Session
from assistant.web.style import QUIET
from assistant.web.transcript import messages
from assistant.web.workshop import Workshop

QUESTIONS = ("Is it defective?", "Where?", "How large is it?", "How sure are you?", "What should I do?")
MAX_REFERENCES = 4
File = dict[str, Any]  # an upload as the page sends it: "path" on the server, "orig_name"
Gallery = list[dict[str, File]]
Tool = Callable[[Workshop, gr.State, "Results"], None]  # builds a panel that changes what these results show
HINT = "I need a photo first: drop one on the left, or click an example."


@dataclass(frozen=True)
class Results:
    """The components that show a session; `InspectPanel.shown` gives their values."""

    badge: gr.HTML
    picture: gr.Image
    details: gr.HTML
    chatbot: gr.Chatbot
    stop: gr.Button

    @property
    def components(self) -> list[Any]:
        """As outputs of an event."""
        return [getattr(self, field.name) for field in fields(self)]


def updates(**changes: Any) -> tuple[Any, ...]:
    """For `Results.components`: these change, by name, the others stay."""
    return tuple(changes.get(field.name, gr.skip()) for field in fields(Results))


@dataclass(frozen=True)
class InspectPanel:
    """What happens on this panel, one method per event."""

    workshop: Workshop

    def shown(self, session: Session) -> tuple[Any, ...]:
        """What `Results.components` show now: the end of every event, of any panel, that changes the session."""
        inspection, idle = session.inspection, gr.update(interactive=False)
        if session.message:
            badge = card("problem", html.escape(session.message), role="alert")
        else:
            badge = card("", WELCOME) if inspection is None else verdict(inspection)
        facts = "" if inspection is None else details(inspection)
        return updates(
            badge=badge, picture=self.redraw(session), details=facts, chatbot=messages(session), stop=idle
        )  # fmt: skip

    def redraw(self, session: Session, **look: str | float) -> Any:
        """The picture alone, shown otherwise."""
        session.set_look(**look)
        chat = session.chat
        return draw(chat.photo, chat.inspection, session.look.view, session.look.opacity) if chat else None

    def inspect(self, session: Session, photo: File | None, gallery: Gallery | None) -> tuple[Any, ...]:
        """A new photo or other references."""
        references = [item.get("image") or item["video"] for item in gallery or []]
        session.message = ""
        try:
            files = tuple(str(file["path"]) for file in references)
            if session.files != files:
                session.references = [_open(file) for file in references[:MAX_REFERENCES]]
                session.files = files
            if photo is not None and (session.photo is None or session.photo.name != photo["orig_name"]):
                add_photo(self.workshop, session, _open(photo), photo.get("orig_name") or "photo")
            reinspect(self.workshop, session, "The references changed.")
        except UserError as error:
            session.message = str(error)
        return self.shown(session)

    def answer(self, session: Session, question: str) -> Iterator[tuple[Any, ...]]:
        """Stream an answer: the question box (emptied once), then as `shown`."""
        question, chat = question.strip(), session.chat
        if not question or session.photo is None or chat is None:
            yield "", *(updates(chatbot=messages(session, question, HINT)) if question else updates())
            return
        yield "", *updates(chatbot=messages(session, question, "…"), stop=gr.update(interactive=True))
        said, before = "", chat.inspection
        try:
            for piece in chat.stream(question, session.photo.drawn):
                if session.chat is not chat:  # another photo is shown meanwhile
                    return
                said += piece
                yield gr.skip(), *updates(chatbot=messages(session, question, said))
        except UserError as error:
            gr.Warning(html.escape(str(error)))
        same = updates(chatbot=messages(session), stop=gr.update(interactive=False))
        yield gr.skip(), *(same if chat.inspection is before else self.shown(session))

    def stop(self, session: Session) -> None:
        """End the answer being written."""
        if session.chat is not None:
            session.chat.stop()

    def restart(self, session: Session) -> tuple[Any, ...]:
        """A new conversation about the same photo."""
        if (photo := session.photo) is not None:
            session.leave()
            photo.past, photo.settings = [], None
            photo.chat.turns.clear()
            session.add(photo)
            photo.note("A new conversation about the same photo. What would you like to know?")
        return self.shown(session)


def _open(file: File) -> np.ndarray:
    """Pixels of an uploaded file; a complaint names it as the visitor knows it."""
    path = Path(file["path"])
    try:
        return load_image(path)
    except UserError as error:
        raise UserError(error.what.replace(str(path), file.get("orig_name") or path.name), error.how) from error


def build_inspect_panel(workshop: Workshop, session: gr.State, tools: Sequence[Tool] = ()) -> Results:
    """The panel inside the page that is being built; `tools` are built beneath the picture."""
    panel = InspectPanel(workshop)
    with gr.Row(equal_height=False):
        with gr.Column(scale=5, min_width=270):
            photo, references = _inputs()
        with gr.Column(scale=8, min_width=420):
            badge, picture, view, opacity = _picture()
            slot = gr.Column()
            facts = gr.HTML(elem_id="details")
        with gr.Column(scale=7, min_width=360):
            chatbot, question, stop, restart, suggestions = _conversation()
    results = Results(badge, picture, facts, chatbot, stop)
    with slot:
        for build in tools:
            build(workshop, session, results)
    # Answers and inspections wait in one line, so a question always meets the photo that was shown before it.
    gr.on([photo.change, references.change], panel.stop, session, None, queue=False, **QUIET)
    gr.on(
        [photo.change, references.change], panel.inspect, [session, photo, references], results.components,
        preprocess=False, trigger_mode="always_last", concurrency_id="model", show_progress_on=[picture],
        api_visibility="private",
    )  # fmt: skip
    for control, name in ((view, "view"), (opacity, "opacity")):
        control.input(
            lambda session, value, name=name: panel.redraw(session, **{name: value}), [session, control], picture,
            trigger_mode="always_last", **QUIET,
        )  # fmt: skip
    for trigger, text in [(question.submit, question), *((button.click, button) for button in suggestions)]:
        trigger(panel.answer, [session, text], [question, *results.components], concurrency_id="model", **QUIET)
    stop.click(panel.stop, session, None, queue=False, **QUIET)
    gr.on([restart.click, chatbot.clear], panel.restart, session, results.components, **QUIET)
    return results


def _inputs() -> tuple[gr.Image, gr.Gallery]:
    """Left: the photo, its references, and examples that fill both with one click."""
    from data_gen.examples import EXAMPLES, render

    gr.HTML("<h2>Photo of the part</h2>")
    photo = gr.Image(
        label="Photo of the part", show_label=False, format="png", height=240, buttons=[], elem_id="photo",
        placeholder="Drop a photo here\nor click to choose one",
    )  # fmt: skip
    gr.HTML("<h2>Good parts to compare <small>1 to 4, optional</small></h2>")
    references = gr.Gallery(
        label="Good parts", show_label=False, format="png", columns=4, height=112, interactive=True, buttons=[],
        sources=["upload", "clipboard"], file_types=["image"], allow_preview=False, elem_id="references",
    )  # fmt: skip
    gr.HTML("<h2>Examples</h2>")
    with gr.Row(elem_id="examples"), tempfile.TemporaryDirectory() as folder:
        for index, (caption, *_) in enumerate(EXAMPLES):
            icon = Path(folder, f"{index}.png")
            Image.fromarray(render(index)[0]).save(icon)
            button = gr.Button(caption, icon=icon, min_width=70)
            button.keep_in_cache.add(button.icon["path"])  # else it goes with the uploads after some hours
            button.click(functools.partial(render, index), None, [photo, references], **QUIET)
    return photo, references


def _picture() -> tuple[gr.HTML, gr.Image, gr.Radio, gr.Slider]:
    """Middle: verdict, picture and what to show of it."""
    badge = gr.HTML(card("", WELCOME), elem_id="verdict")
    picture = gr.Image(
        label="Result", show_label=False, interactive=False, format="webp", buttons=["download", "fullscreen"],
        elem_id="result", alt_text="The photo with the anomaly map over it; each region is boxed and numbered",
    )  # fmt: skip
    with gr.Row():
        view = gr.Radio(VIEWS, value=VIEWS[0], label="Show", show_label=False, min_width=280, scale=3, elem_id="view")
        opacity = gr.Slider(0, 100, value=50, step=5, label="Opacity (%)", min_width=140, scale=2, elem_id="opacity")
    return badge, picture, view, opacity


def _conversation() -> tuple[gr.Chatbot, gr.Textbox, gr.Button, gr.Button, list[gr.Button]]:
    """Right: the conversation."""
    chatbot = gr.Chatbot(
        label="Conversation", show_label=False, placeholder="Show me a part, then ask about it.", buttons=[],
        elem_id="chat",
    )  # fmt: skip
    with gr.Row(elem_id="questions"):
        suggestions = [gr.Button(text, size="sm") for text in QUESTIONS]
    question = gr.Textbox(
        label="Your question", show_label=False, placeholder="Ask about the part", submit_btn="Send", elem_id="ask"
    )
    with gr.Row():
        stop = gr.Button("Stop", size="sm", variant="stop", interactive=False, elem_id="stop")
        restart = gr.Button("New conversation", size="sm", elem_id="restart")
    return chatbot, question, stop, restart, suggestions
