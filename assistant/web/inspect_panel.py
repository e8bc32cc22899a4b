"""Inspect and talk: a photo and its good references in; verdict, overlay and a conversation out.

Thin: it shows what an `Inspection` and a `Chat` say. What belongs to one visitor lives in that visitor's `Session`.
"""

import functools
import html
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
from PIL import Image

from assistant import UserError
from assistant.conversation import Chat
from assistant.images import load_image
from assistant.web.facts import WELCOME, card, details, verdict
from assistant.web.picture import VIEWS, draw
from assistant.web.session import Session
from assistant.web.style import QUIET
from assistant.web.workshop import Workshop
from assistant.wording import tell

QUESTIONS = ("Is it defective?", "Where?", "How large is it?", "How sure are you?", "What should I do?")
MAX_REFERENCES = 4
File = dict[str, Any]  # an upload as the page sends it: "path" on the server, "orig_name"
Gallery = list[dict[str, File]]
HINT = "I need a photo first: drop one on the left, or click an example."


@dataclass(frozen=True)
class InspectPanel:
    """What happens on this panel, one method per event."""

    workshop: Workshop

    def inspect(self, session: Session, photo: File | None, gallery: Gallery | None, view: str, opacity: float) -> Any:
        """New photo or references: card, picture, details, messages and stop button (a new conversation)."""
        references = [item.get("image") or item["video"] for item in gallery or []]
        files = tuple(str(file["path"]) for file in (photo, *references)) if photo else ()
        if files == session.files:  # one click on an example changes two components, hence calls twice
            return gr.skip()
        why = _reason(session, files)
        session.leave()
        session.files, idle = files, gr.update(interactive=False)
        if photo is None:
            return card("", WELCOME), None, "", [], idle
        try:
            pictures = [_open(file) for file in (photo, *references[:MAX_REFERENCES])]
            session.chat = self.workshop.assistant(session.model).start_chat(pictures[0], references=pictures[1:])
        except UserError as error:
            return card("problem", html.escape(str(error)), role="alert"), None, "", [], idle
        inspection = session.chat.inspection
        session.opening = f"{why}{tell('presence', inspection)} What would you like to know?"
        extra = [f"Only the first {MAX_REFERENCES} references are used."] if len(references) > MAX_REFERENCES else []
        picture = draw(session.chat.photo, inspection, view, opacity)
        return verdict(inspection), picture, details(inspection, extra), messages(session), idle

    def answer(self, session: Session, question: str) -> Iterator[Any]:
        """Stream an answer: messages, the question box (emptied once) and the stop button."""
        question, chat = question.strip(), session.chat
        if not question or chat is None:
            yield (messages(session, question, HINT) if question else gr.skip()), "", gr.skip()
            return
        yield messages(session, question, "…"), "", gr.update(interactive=True)
        said = ""
        try:
            for piece in chat.stream(question):
                if session.chat is not chat:  # the photo changed meanwhile: this answer has no place any more
                    return
                said += piece
                yield messages(session, question, said), gr.skip(), gr.skip()
        except UserError as error:
            gr.Warning(html.escape(str(error)))
        yield messages(session), gr.skip(), gr.update(interactive=False)

    def stop(self, session: Session) -> None:
        """End the answer being written."""
        if session.chat is not None:
            session.chat.stop()

    def restart(self, session: Session) -> Any:
        """A new conversation about the same photo: messages and stop button."""
        if (chat := session.chat) is not None:
            session.leave()
            session.chat = Chat(chat.assistant, chat.photo, chat.whole, chat.references)
            session.opening = "A new conversation about the same photo. What would you like to know?"
        return messages(session), gr.update(interactive=False)

    def redraw(self, session: Session, view: str, opacity: float) -> Any:
        chat = session.chat
        return draw(chat.photo, chat.inspection, view, opacity) if chat else None


def _reason(session: Session, files: tuple[str, ...]) -> str:
    """Why the conversation starts anew, where there was one."""
    if session.chat is None or not session.chat.turns:
        return ""
    what = "photo" if files[:1] != session.files[:1] else "references"
    return f"New {what}, so this is a new conversation. "


def _open(file: File) -> np.ndarray:
    """Pixels of an uploaded file; a complaint names it as the visitor knows it."""
    path = Path(file["path"])
    try:
        return load_image(path)
    except UserError as error:
        raise UserError(error.what.replace(str(path), file.get("orig_name") or path.name), error.how) from error


def messages(session: Session, question: str = "", said: str = "") -> list[dict[str, str]]:
    """The conversation so far, and the turn that is being answered."""
    spoken = [("assistant", session.opening)]
    for turn in session.chat.turns if session.chat else []:
        spoken += [("user", turn.question), ("assistant", turn.answer or "(stopped)")]
    spoken += [("user", question), ("assistant", said)]
    return [{"role": role, "content": text} for role, text in spoken if text]


def build_inspect_panel(workshop: Workshop, session: gr.State) -> None:
    """The panel inside the page that is being built."""
    panel = InspectPanel(workshop)
    with gr.Row(equal_height=False):
        with gr.Column(scale=5, min_width=270):
            photo, references = _inputs()
        with gr.Column(scale=8, min_width=420):
            badge, picture, view, opacity, facts = _results()
        with gr.Column(scale=7, min_width=360):
            chatbot, stop = _conversation(panel, session)
    # Answers and inspections wait in one line, so a question always meets the photo that was shown before it.
    gr.on([photo.change, references.change], panel.stop, session, None, queue=False, **QUIET)
    gr.on(
        [photo.change, references.change], panel.inspect, [session, photo, references, view, opacity],
        [badge, picture, facts, chatbot, stop], preprocess=False, trigger_mode="always_last",
        concurrency_id="model", show_progress_on=[picture], api_visibility="private",
    )  # fmt: skip
    gr.on(
        [view.input, opacity.input], panel.redraw, [session, view, opacity], picture,
        trigger_mode="always_last", **QUIET,
    )  # fmt: skip


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


def _results() -> tuple[gr.HTML, gr.Image, gr.Radio, gr.Slider, gr.HTML]:
    """Middle: verdict, picture and what to show of it, regions and remarks."""
    badge = gr.HTML(card("", WELCOME), elem_id="verdict")
    picture = gr.Image(
        label="Result", show_label=False, interactive=False, format="webp", buttons=["download", "fullscreen"],
        elem_id="result", alt_text="The photo with the anomaly map over it; each region is boxed and numbered",
    )  # fmt: skip
    with gr.Row():
        view = gr.Radio(VIEWS, value=VIEWS[0], label="Show", show_label=False, min_width=280, scale=3, elem_id="view")
        opacity = gr.Slider(0, 100, value=50, step=5, label="Opacity (%)", min_width=140, scale=2, elem_id="opacity")
    return badge, picture, view, opacity, gr.HTML(elem_id="details")


def _conversation(panel: InspectPanel, session: gr.State) -> tuple[gr.Chatbot, gr.Button]:
    """Right: the conversation, with its own events."""
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
    for trigger, text in [(question.submit, question), *((button.click, button) for button in suggestions)]:
        trigger(panel.answer, [session, text], [chatbot, question, stop], concurrency_id="model", **QUIET)
    stop.click(panel.stop, session, None, queue=False, **QUIET)
    gr.on([restart.click, chatbot.clear], panel.restart, session, [chatbot, stop], **QUIET)
    return chatbot, stop
