"""Batch: many photos at once; a table that fills while they are inspected, and reports to take away."""

import html
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.context import Context
from PIL import Image

from assistant import UserError
from assistant.batch import FAILED, RUNNING, Batch
from assistant.batch_report import WRITERS
from assistant.images import load_image
from assistant.layouts import SUFFIXES
from assistant.web.batch_line import BatchLine, Upload
from assistant.web.batch_table import View, findings, progress, table
from assistant.web.facts import card, verdict
from assistant.web.inspecting import add_photo, refresh
from assistant.web.offer import offer
from assistant.web.session import Session
from assistant.web.strip import clickable, clicked
from assistant.web.style import MODEL, QUIET
from assistant.web.uploads import File, name_of
from assistant.web.workshop import Workshop

TICK = 1.5  # seconds between two looks at a running batch
EMPTY = card("", "Choose photos or a folder, then press Inspect all. Each becomes a row here.")
PICK = card("", "Click a row to see its photo.")
SCREEN = 6 + len(WRITERS)  # outputs of `screen`
SEVERAL: dict[str, Any] = {"concurrency_limit": 4, **QUIET}  # they read files, so that a few at once do no harm
SURE = (
    """(view, name) => [view, name && confirm("Delete this batch with its pictures? Its verdicts stay in the log.")]"""
)
# On a small screen the photo is far from the row.
LOOK_THERE = """() => { if (innerWidth < 1100)
    document.querySelector("#batch-one").scrollIntoView({behavior: "smooth", block: "start"}) }"""
FIRST_TAB = """() => document.querySelector('[role="tab"]').click()"""
LABELS = {"csv": "CSV", "json": "JSON", "html": "HTML report"}


@dataclass(frozen=True)
class BatchPanel:
    """What happens on this panel, one method per event. Those that end in `screen` show all of a batch."""

    workshop: Workshop
    line: BatchLine = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "line", BatchLine(self.workshop))

    def about(self, session: Session) -> str:
        """What photos will be compared with, and by which model; before anything is started."""
        try:
            refresh(self.workshop, session)
            product = None if session.product is None else self.workshop.store.products.get(session.product)
        except UserError as error:
            return card("problem", html.escape(str(error)), role="alert")
        count = len(session.references)
        compared = f"compared with {count} good part{'s' * (count != 1)}" if count else "without any good part"
        if product is None:
            text = f"No product is chosen on the first tab: photos are judged {compared}."
        elif self.workshop.taught(session.model) == product.id:
            text = f"Product: <strong>{html.escape(product.name)}</strong>, which the model was taught."
        else:
            text = f"Product: <strong>{html.escape(product.name)}</strong>, {compared}."
        return card("", f"{text} Model: <strong>{html.escape(session.model)}</strong>.")

    def gather(self, files: Sequence[File] | None, folder: Sequence[File] | None) -> list[str]:
        """The photos of a folder join the files chosen; what is no photo by its name stays out."""
        named = sorted((file["path"] for file in folder or ()), key=lambda path: Path(path).name.casefold())
        found = [path for path in named if Path(path).suffix.lower() in SUFFIXES]
        if left := len(folder or ()) - len(found):
            gr.Info(f"{left} of the folder's files left out: not photos by their names.")
        return list(dict.fromkeys([*(file["path"] for file in files or ()), *found]))

    def start(self, session: Session, view: View, files: Sequence[File] | None) -> tuple[Any, ...]:
        """Begin a batch and show it."""
        uploads = [Upload(file["path"], name_of(file)) for file in files or ()]
        if not uploads:
            gr.Warning("Choose photos or a folder first.")
            return (gr.skip(),) * SCREEN
        try:
            batch = self.line.start(uploads, session)
        except UserError as error:
            gr.Warning(html.escape(str(error)))
            return (gr.skip(),) * SCREEN
        return self.show(view, batch.about.id)

    def show(self, view: View, name: str | None) -> tuple[Any, ...]:
        """Another batch, or none."""
        view.batch, view.page, view.picked, view.verdict = name or "", 0, None, ""
        return self.screen(view)

    def screen(self, view: View) -> tuple[Any, ...]:
        """Everything of the batch shown: list, progress, rows, timer, stop and delete, reports."""
        listed = [(f"{a.started[:16].replace('T', ' ')} · {a.photos} photos · {a.product or 'no product'}", a.id)
                  for a in self.workshop.batches.list()]  # fmt: skip
        choices = gr.update(choices=listed, value=view.batch or None)
        off = gr.update(interactive=False)
        try:
            batch = self.line.open(view.batch) if view.batch else None
        except UserError as error:  # another visitor deleted it
            view.batch = ""
            gr.Warning(html.escape(str(error)))
            batch = None
        if batch is None:
            nothing = gr.update(value=None, interactive=False)
            return gr.update(choices=listed, value=None), EMPTY, "", gr.Timer(active=False), off, off, *[nothing] * 3
        job = self.line.jobs.get(view.batch)
        running = job is not None
        bar = progress(batch, job.seconds_left() if job else None)
        reports = [gr.update(value=_report(batch, kind), interactive=not running) for kind in WRITERS]
        stop, delete = gr.update(interactive=running), gr.update(interactive=not running)
        return choices, bar, table(batch, view), gr.Timer(active=running), stop, delete, *reports

    def tick(self, view: View) -> tuple[Any, ...]:
        """The batch while it runs: bar and rows; at its end, all."""
        if (job := self.line.jobs.get(view.batch)) is None:
            return self.screen(view)
        skip = gr.skip()
        return skip, progress(job.batch, job.seconds_left()), table(job.batch, view), *[skip] * (SCREEN - 3)

    def stop(self, view: View) -> None:
        self.line.stop(view.batch)

    def delete(self, view: View, sure: bool) -> tuple[Any, ...]:
        """Forget the batch that is shown; its verdicts stay in the log."""
        if not sure or not view.batch or view.batch in self.line.jobs:
            return (gr.skip(),) * SCREEN
        try:
            self.workshop.batches.remove(view.batch)
        except UserError as error:
            gr.Warning(html.escape(str(error)))
        return self.show(view, None)

    def press(self, view: View, event: gr.EventData) -> Any:
        """Another order, filter or page of the table."""
        view.press(*_asked(event))
        return table(self.line.open(view.batch), view) if view.batch else gr.skip()

    def pick(self, view: View, event: gr.EventData) -> tuple[Any, ...]:
        """The photo of a row: the table, the picture, its facts, and whether it can be opened in the first tab."""
        view.press(*_asked(event))
        if not view.batch:
            return (gr.skip(),) * 4
        batch = self.line.open(view.batch)
        return table(batch, view), *self.picked(batch, view)

    def search(self, view: View, words: str) -> str:
        """The rows whose name or finding holds some words."""
        view.search, view.page = words, 0
        return table(self.line.open(view.batch), view) if view.batch else ""

    def open(self, session: Session, view: View) -> None:
        """Inspect the photo of a row once more, to talk about it."""
        upload = None if view.picked is None else self.line.upload(view.batch, view.picked)
        if upload is None:
            raise gr.Error(
                "The server does not have this file any more; drop it on the first tab.", print_exception=False
            )
        try:
            add_photo(self.workshop, session, load_image(upload.path), upload.name)
        except UserError as error:
            raise gr.Error(html.escape(str(error)).replace(upload.path, upload.name), print_exception=False) from error

    def picked(self, batch: Batch, view: View) -> tuple[Any, Any, Any]:
        """The photo of a row: its overlay, its facts, and whether it can be opened in the first tab."""
        if view.picked is None or view.picked >= len(batch.rows):
            return gr.update(visible=False), PICK, gr.update(interactive=False)
        row = batch.rows[view.picked]
        opened = gr.update(interactive=self.line.upload(view.batch, row.number) is not None)
        if row.verdict == FAILED:
            return gr.update(visible=False), card("problem", html.escape(row.found), role="alert"), opened
        inspection = batch.inspection(row.number)
        picture = gr.update(value=Image.open(batch.picture(row.number)), visible=True)
        return picture, f"<h3>{html.escape(row.image)}</h3>{verdict(inspection)}{findings(inspection)}", opened


def _asked(event: gr.EventData) -> tuple[str, str]:
    """Action and value of what was clicked."""
    action, _, value = clicked(event).partition(":")
    return action, value


def _report(batch: Batch, kind: str) -> str | None:
    """A report of a batch that ended, under a name that tells what it is; None without one."""
    source = batch.folder / f"report.{kind}"
    if batch.about.state == RUNNING or not source.is_file():
        return None
    return offer(source, f"{batch.about.product or 'batch'}-{batch.about.started[:10]}.{kind}")


def build_batch_panel(workshop: Workshop, session: gr.State) -> None:
    """The panel inside the tab that is being built."""
    panel, view, tab = BatchPanel(workshop), gr.State(View()), Context.block
    with gr.Row(equal_height=False):
        with gr.Column(scale=4, min_width=270):
            about, files, folder, start, stop = _inputs()
            listed, delete, downloads = _kept()
        with gr.Column(scale=9, min_width=560, elem_id="batch-all"):
            bar = gr.HTML(EMPTY, elem_id="batch-progress")
            search = gr.Textbox(
                label="Find a photo",
                show_label=False,
                container=False,
                placeholder="Find by file name or finding",
                elem_id="batch-find",
            )
            rows = clickable(elem_id="batch-rows", apply_default_css=False)
        with gr.Column(scale=6, min_width=320, elem_id="batch-one"):
            picture, facts, opened = _one()
    timer = gr.Timer(TICK, active=False)
    screen = [listed, bar, rows, timer, stop, delete, *downloads]
    folder.upload(panel.gather, [files, folder], files, preprocess=False, **QUIET)
    start.click(panel.start, [session, view, files], screen, preprocess=False, **SEVERAL)
    timer.tick(panel.tick, view, screen, **SEVERAL)
    stop.click(panel.stop, view, None, queue=False, **QUIET)
    listed.input(panel.show, [view, listed], screen, **SEVERAL)
    delete.click(panel.delete, [view, listed], screen, js=SURE, preprocess=False, **SEVERAL)  # an answer for a name
    rows.select(panel.pick, view, [rows, picture, facts, opened], **SEVERAL).then(None, js=LOOK_THERE)
    rows.input(panel.press, view, rows, **SEVERAL)
    search.change(panel.search, [view, search], rows, trigger_mode="always_last", **SEVERAL)
    opened.click(panel.open, [session, view], None, show_progress="hidden", **MODEL).success(None, js=FIRST_TAB)
    if isinstance(tab, gr.Tab):  # product, model and list may have changed elsewhere
        tab.select(panel.about, session, about, **SEVERAL).then(panel.screen, view, screen, **SEVERAL)


def _inputs() -> tuple[gr.HTML, gr.File, gr.UploadButton, gr.Button, gr.Button]:
    """What to inspect."""
    gr.HTML("<h2>Photos to inspect</h2>")
    about = gr.HTML(elem_id="batch-about")
    files = gr.File(
        label="Photos",
        show_label=False,
        file_count="multiple",
        file_types=["image"],
        height=150,
        elem_id="batch-files",
        elem_classes="drop",
    )
    folder = gr.UploadButton("Add a whole folder", file_count="directory", size="sm", elem_id="batch-folder")
    with gr.Row():
        start = gr.Button("Inspect all", variant="primary", min_width=120, elem_id="batch-start")
        stop = gr.Button("Stop", variant="stop", min_width=70, interactive=False, elem_id="batch-stop")
    return about, files, folder, start, stop


def _kept() -> tuple[gr.Dropdown, gr.Button, list[gr.DownloadButton]]:
    """Batches that were made, and what can be taken away of the one that is shown."""
    gr.HTML("<h2>Batches</h2>")
    listed = gr.Dropdown([], value=None, label="Batch", show_label=False, container=False, elem_id="batch-list")
    with gr.Row(elem_id="batch-reports"):
        downloads = [
            gr.DownloadButton(label, size="sm", min_width=60, interactive=False, elem_id=f"batch-{kind}")
            for kind, label in LABELS.items()
        ]
    delete = gr.Button("Delete this batch", size="sm", interactive=False, elem_id="batch-delete")
    return listed, delete, downloads


def _one() -> tuple[gr.Image, gr.HTML, gr.Button]:
    """The photo of a row."""
    picture = gr.Image(
        label="Photo of the row", show_label=False, interactive=False, format="webp", visible=False,
        elem_id="batch-photo", buttons=["download", "fullscreen"],
        alt_text="The photo of the row with the anomaly map over it",
    )  # fmt: skip
    facts = gr.HTML(PICK, elem_id="batch-facts")
    return picture, facts, gr.Button("Open in Inspect", size="sm", interactive=False, elem_id="batch-open")
