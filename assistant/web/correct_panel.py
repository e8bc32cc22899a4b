"""Correct: "this is acceptable", "this is a defect"; at once effective, re-checked, listed, undone, exported."""

import html
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.processing_utils import save_file_to_cache
from gradio.utils import get_upload_folder

from assistant import UserError
from assistant.corrections import Corrections
from assistant.inspection import Inspection
from assistant.recheck import recheck
from assistant.store.export import export_feedback
from assistant.web.corrections_list import correction_list, describe, thumbnail
from assistant.web.facts import VERDICTS, card
from assistant.web.inspecting import corrections_of, reinspect
from assistant.web.place_panel import Picker, marked
from assistant.web.results import Results, show, talk, updates
from assistant.web.session import Session
from assistant.web.strip import clickable, clicked
from assistant.web.style import MODEL, QUIET
from assistant.web.transcript import literal
from assistant.web.workshop import Workshop

NO_PRODUCT = "Corrections belong to a product: choose or create one on the left, then correct again."
MOST_PICTURES = 12  # of hidden defects in one message
LEAST_GOOD = 5  # photos that `train custom` asks for
NOTHING = gr.update(visible=False)
KEYBOARD = """() => setTimeout(() => { if (document.activeElement === document.body)
    ["#undo-last", "#place input:checked"].map((name) => document.querySelector(name)).find((one) => one?.offsetParent)
        ?.focus({ preventScroll: true }) }, 300)"""


@dataclass(frozen=True)
class Change:
    """A change of a product's corrections that is still to be re-checked.

    `correction` is the number of the one that was made, None where one was undone; `before` is what held until then;
    `words` say what was done and what it changed.
    """

    product: int
    correction: int | None
    before: Corrections
    words: str


@dataclass(frozen=True)
class CorrectPanel:
    """What happens on this panel.

    Events that change corrections give a `Change`, the message, the button that undoes it, and what
    `Results.components` show; `listed` and `check` follow them.
    """

    workshop: Workshop

    def accept(self, session: Session, choice: object) -> tuple[Any, ...]:
        """The chosen place is acceptable on photos of this product."""
        return self._correct(session, choice, None)

    def mark_defect(self, session: Session, choice: object, kind: object) -> tuple[Any, ...]:
        """The chosen place is a defect of that kind."""
        return self._correct(session, choice, str(kind or ""))

    def _correct(self, session: Session, choice: object, kind: str | None) -> tuple[Any, ...]:
        stored = self.workshop.store.corrections
        try:
            mask = marked(session, choice)
            assert session.photo is not None
            if session.product is None:
                return _failed(NO_PRODUCT)
            before, photo = corrections_of(self.workshop, session), session.photo.chat.photo
            said = {"who": session.who, "name": session.photo.name}
            if kind is None:
                number = stored.accept(session.product, photo, mask, **said)
            else:
                number = stored.mark_defect(session.product, photo, mask, kind, **said)
            made = next(one for one in stored.list(session.product) if one.id == number)
            return self._changed(session, Change(session.product, number, before, f"Noted: {describe(made)}."))
        except UserError as error:
            return _failed(str(error))

    def undo(self, session: Session, correction: int | None) -> tuple[Any, ...]:
        """A correction of this product no longer holds."""
        stored = self.workshop.store.corrections
        try:
            known = {one.id: one for one in stored.list(session.product)} if session.product is not None else {}
            if correction not in known:
                raise UserError("there is no such correction, or it is undone already", "reload the list")
            before = corrections_of(self.workshop, session)
            stored.undo(known[correction].id, who=session.who)
            assert session.product is not None
            words = f"Undone: {describe(known[correction])}."
            return self._changed(session, Change(session.product, None, before, words))
        except UserError as error:
            return _failed(str(error))

    def undo_last(self, session: Session, change: Change | None) -> tuple[Any, ...]:
        """Take back the correction that the message is about."""
        return self.undo(session, change.correction if change and change.product == session.product else None)

    def _changed(self, session: Session, change: Change) -> tuple[Any, ...]:
        before = session.inspection
        reinspect(self.workshop, session, literal(change.words))
        after = session.inspection
        if before is not None and after is not None:
            change = replace(change, words=f"{change.words} {_verdict(before)} before, {_verdict(after)} now.")
        undo = gr.update(visible=change.correction is not None)
        shown = show(self.workshop, session)
        return change, card("", html.escape(change.words)), undo, *shown

    def check(self, session: Session, change: Change | None) -> Iterator[tuple[Any, ...]]:
        """Inspect the product's known defects again after a change: the message, and what the results show.

        A defect that is hidden is told in the conversation too, where no later message takes its place.
        """
        if change is None or session.product != change.product:
            yield gr.skip(), *updates()
            return
        after = corrections_of(self.workshop, session)
        said = html.escape(change.words)
        if after.defects:
            yield card("", f"{said} Checking {_counted(len(after.defects), 'known defect')} …"), *updates()
        assistant, references = self.workshop.assistant(session.model), list(session.references.values())
        try:
            found = recheck(assistant, references, change.before, after)
        except UserError as error:
            yield card("problem", f"{said} The check failed: {html.escape(str(error))}", role="alert"), *updates()
            return
        if not found.hidden:
            rest = f" Checked: {_counted(found.checked, 'known defect')}, none is lost." if found.checked else ""
            yield card("good", said + rest), *updates()
            return
        kinds = ", ".join(dict.fromkeys(f'"{mark.kind}"' for mark in found.hidden))
        lost = f"{len(found.hidden)} of {_counted(found.checked, 'known defect')} would no longer be found: {kinds}."
        how = "Undo the correction, unless you mean it." if change.correction else "Correct again, unless you mean it."
        if session.photo is not None:
            session.photo.note(literal(f"Careful: {lost} {how}"))
        seen = found.hidden[:MOST_PICTURES]
        pictures = "".join(f'<img src="{thumbnail(mark)}" alt="{html.escape(mark.kind)}">' for mark in seen)
        warning = f"{said} <b>Careful:</b> {html.escape(lost)} {how}<p>{pictures}</p>"
        yield card("problem", warning, role="alert"), *talk(session)

    def forget(self, session: Session) -> tuple[Any, ...]:
        """Another product: what was said of a correction is about the one before."""
        return None, "", NOTHING, self.listed(session)

    def listed(self, session: Session) -> str:
        """All corrections of the product as HTML, newest first."""
        if session.product is None:
            return "<p>No product is chosen.</p>"
        return correction_list(self.workshop.store, session.product)

    def export(self, session: Session) -> tuple[Any, str]:
        """A zip of the labelled photos to download, and how to train on them."""
        if session.product is None:
            return NOTHING, card("problem", NO_PRODUCT, role="alert")
        name = self.workshop.store.products.get(session.product).name
        stem = "".join(c if c.isalnum() else "_" for c in name).strip("_") or "product"
        try:
            with tempfile.TemporaryDirectory() as folder:
                written = export_feedback(self.workshop.store, session.product, Path(folder, stem))
                packed = shutil.make_archive(str(Path(folder, f"{stem}_feedback")), "zip", folder, stem)
                kept = save_file_to_cache(packed, get_upload_folder())  # deleted with the uploads, after some hours
        except UserError as error:
            return NOTHING, card("problem", html.escape(str(error)), role="alert")
        told = f"{_counted(written.good, 'good photo')}, {_counted(written.bad, 'defective photo')}."
        if written.good < LEAST_GOOD:
            told += f" Training needs {LEAST_GOOD} good ones at least: add some to the product first."
        command = f"anomaly-assistant train custom data.root={stem}"
        return gr.update(visible=True, value=kept), card("", f"{told} Unpack them, then: <code>{command}</code>")


def _failed(why: str) -> tuple[Any, ...]:
    """Nothing changed; the message says why."""
    message = html.escape(why[0].upper() + why[1:])
    return None, card("problem", message, role="alert"), NOTHING, *updates()


def _verdict(inspection: Inspection) -> str:
    return f"{VERDICTS[inspection.verdict][1]} ({inspection.probability:.0%})"


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'s' * (count != 1)}"


def build_correct_panel(workshop: Workshop, session: gr.State, results: Results, picker: Picker) -> None:
    """The buttons that correct the chosen place, and the list of corrections with export."""
    panel, change = CorrectPanel(workshop), gr.State(None)
    with picker.actions, gr.Row(elem_classes="actions"):
        accept = gr.Button("This is acceptable", size="sm", elem_id="accept")
        defect = gr.Button("This is a defect", size="sm", elem_id="defect")
        picker.kind.render()
    message = gr.HTML(elem_id="correction")
    undo = gr.Button("Undo this correction", size="sm", visible=False, elem_id="undo-last")
    with gr.Accordion("Corrections of this product", open=False, elem_id="corrected") as fold:
        listed = clickable(elem_id="corrections")
        export = gr.Button("Export as training data", size="sm", elem_id="export")
        exported = gr.HTML()
        download = gr.DownloadButton("Download", size="sm", visible=False, elem_id="download")

    def undo_row(session: Session, event: gr.EventData) -> tuple[Any, ...]:
        number = clicked(event)
        return panel.undo(session, int(number) if number.isascii() and number.isdigit() else None)

    outputs = [change, message, undo, *results.components]
    events: list[tuple[Any, Any, list[Any]]] = [
        (accept.click, panel.accept, [session, picker.choice]),
        (defect.click, panel.mark_defect, [session, picker.choice, picker.kind]),
        (undo.click, panel.undo_last, [session, change]),
        (listed.delete, undo_row, [session]),
    ]
    for trigger, event, inputs in events:
        # Not checked by Gradio: the choice may be of the inspection before, and `marked` says so.
        done = trigger(event, inputs, outputs, preprocess=False, show_progress="hidden", **MODEL)
        done.then(None, js=KEYBOARD)  # the button that was pressed is hidden by now
        done.then(panel.listed, session, listed, **QUIET)
        # In a line of its own: hundreds of known defects take a minute, in which answers go on.
        done.then(panel.check, [session, change], [message, *results.components], concurrency_id="check", **QUIET)
    gr.on([fold.expand, results.details.change], panel.listed, session, listed, **QUIET)
    results.product.change(panel.forget, session, [change, message, undo, listed], **QUIET)
    export.click(panel.export, session, [download, exported], **QUIET)
