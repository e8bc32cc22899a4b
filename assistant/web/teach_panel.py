"""Teach: look at synthetic defects of a product, tune a model to its photos, see before and after, choose a model."""

import html
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
from gradio.context import Context
from PIL import Image
from scipy import ndimage

from assistant import UserError
from assistant.images import load_image
from assistant.inspection import KINDS
from assistant.store.products import StoredProduct
from assistant.web.batch_table import duration
from assistant.web.facts import card
from assistant.web.inspecting import model_of
from assistant.web.model_panel import ModelPanel, build_models
from assistant.web.offer import offer
from assistant.web.session import Session
from assistant.web.style import MODEL, QUIET
from assistant.web.training_run import ACCEPTED, FAILED, LEAST_GOOD, REFUSED, STOPPED, Taught, Trainings
from assistant.web.uploads import File, name_of, opened
from assistant.web.workshop import Workshop

SAMPLES = 12
NO_REPORT = card("", "At the end, the model before and the new one are compared here on photos held out.")
TICK = 2.0  # seconds between two looks at a running training
MINUTES = (2, 30, 4)  # least, most, usual
OUTLINE = (255, 64, 160)  # a color that few products have
NO_PRODUCT = card("", "Choose a product on the first tab: what is taught is one product.")
ENOUGH = 20  # good photos from which a model gets sure
ENDED = {
    ACCEPTED: ("good", "The new model is better than the one before. It can be chosen under Model in use."),
    REFUSED: ("problem", "The new model was worse, so it was not kept; more photos, or real defects, help:"),
    STOPPED: ("", "Stopped. Started again, it goes on from where it was."),
    FAILED: ("problem", "The training failed:"),
}


@dataclass(frozen=True)
class TeachPanel:
    """What happens on this panel, one method per event."""

    workshop: Workshop
    trainings: Trainings = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "trainings", Trainings(self.workshop))

    def product(self, session: Session) -> StoredProduct | None:
        """The visitor's product; None for none, or where it is gone."""
        try:
            return None if session.product is None else self.workshop.store.products.get(session.product)
        except UserError:
            return None

    def about(self, session: Session) -> str:
        """The product, and whether it has photos enough."""
        if (product := self.product(session)) is None:
            return NO_PRODUCT
        good = len(product.normals)
        marked = len(self.workshop.store.corrections.list(product.id))
        text = f"<p><strong>{html.escape(product.name)}</strong></p>"
        text += f"<p>{good} photo{'s' * (good != 1)} of good parts, {marked} correction{'s' * (marked != 1)}.</p>"
        if good < LEAST_GOOD:
            text += f"<p>Add at least {LEAST_GOOD - good} more to teach a model; {ENOUGH} make it surer.</p>"
        elif good < ENOUGH:
            text += f"<p>Enough to begin; with {ENOUGH} the model gets surer.</p>"
        return card("" if good >= LEAST_GOOD else "problem", text)

    def add(self, session: Session, files: Sequence[File] | None) -> tuple[Any, str]:
        """More photos of good parts for the product: empties the box, and says how many there are."""
        if (product := self.product(session)) is None:
            gr.Warning("Choose a product on the first tab first.")
            return None, self.about(session)
        for file in files or ():
            try:
                self.workshop.store.products.add_normal(product.id, opened(file), name_of(file), session.who)
            except UserError as error:
                gr.Warning(html.escape(str(error)))
        return None, self.about(session)

    def samples(self, session: Session, kinds: Sequence[str]) -> Iterator[Any]:
        """Synthetic defects on the product's photos as they are made: pictures with captions, and a word."""
        product = self.product(session)
        if product is None or not product.normals:
            yield gr.skip(), card("problem", "The product needs at least one photo of a good part.", role="alert")
            return
        from training.own_photos import LONGEST, Shot
        from training.product_fit import broken_photos

        shots = []
        for normal in product.normals[:SAMPLES]:
            picture = Image.fromarray(load_image(normal.path))
            picture.thumbnail((LONGEST, LONGEST), Image.Resampling.BOX)
            shots.append(Shot(normal.path, np.asarray(picture)))
        made: list[tuple[Image.Image, str]] = []
        tries = broken_photos(shots, 3 * SAMPLES, np.random.default_rng(), kinds=kinds or None)  # some do not show
        for broken in itertools.islice(tries, SAMPLES):
            made.append((outlined(broken.sample.image, broken.mask), ", ".join(broken.sample.kinds)))
            yield gr.update(value=made, visible=True), card("", f"{len(made)} made …")
        fewer = " Others did not show on this product." if len(made) < SAMPLES else ""
        text = f"{len(made)} synthetic defects, each outlined. Training makes its own like these.{fewer}"
        yield gr.update(value=made, visible=True), card("", text)

    def start(self, session: Session, init: str, minutes: float) -> tuple[Any, ...]:
        """Begin to teach."""
        if (product := self.product(session)) is None:
            gr.Warning("Choose a product on the first tab first.")
            return self.screen(session)
        try:
            self.trainings.start(product.id, init, float(minutes), session.who)
        except UserError as error:
            gr.Warning(html.escape(str(error)))
        return self.screen(session)

    def stop(self) -> None:
        self.trainings.stop()

    def screen(self, session: Session) -> tuple[Any, ...]:
        """How it stands: card, report, log, timer, start, stop, download, models to start from, models to use."""
        running, models = self.trainings.running, self.workshop.models
        name = running or self._own(session)
        report = self.trainings.folder(name) / "report.html"
        whole = bool(name) and not running and report.is_file()
        return (
            self.progress() if running else _outcome(self.trainings.taught(name) if name else None),
            _embedded(report) if whole else NO_REPORT,
            self.trainings.log(name) if name else "",
            gr.Timer(active=bool(running)),
            gr.update(interactive=not running),
            gr.update(interactive=bool(running)),
            gr.update(value=offer(report, f"{name}-before-after.html") if whole else None, interactive=whole),
            gr.update(choices=models),
            gr.update(choices=models, value=model_of(self.workshop, session)),
        )

    def tick(self, session: Session) -> tuple[Any, ...]:
        """The training while it runs: card and log; at its end, all."""
        if not (running := self.trainings.running):
            return self.screen(session)
        return self.progress(), gr.skip(), self.trainings.log(running), *[gr.skip()] * 6

    def progress(self) -> str:
        """The card of the training that runs."""
        name = self.trainings.running
        taught = self.trainings.taught(name)
        share, words, seconds = self.trainings.progress(name)
        of = f"{html.escape(taught.product_name)}, about {taught.minutes:g} minutes planned" if taught else ""
        bar = f'<progress value="{share:.3f}" max="1" aria-label="Progress">{share:.0%}</progress>'
        return card("", f"<p>{words} …</p>{bar}<small>{of}; {duration(seconds)} so far.</small>")

    def _own(self, session: Session) -> str:
        """The name of what was taught, or begun, for the visitor's product; empty for none."""
        if (product := self.product(session)) is None:
            return ""
        name = self.trainings.name_for(product.id)
        return name if self.trainings.taught(name) else ""


def outlined(photo: np.ndarray, mask: np.ndarray) -> Image.Image:
    """The photo (H, W, 3) with a line just outside the mask (H, W), so that the defect itself stays visible."""
    gap = max(2, max(mask.shape) // 100)
    line = ndimage.binary_dilation(mask, iterations=gap + 2) & ~ndimage.binary_dilation(mask, iterations=gap)
    return Image.fromarray(np.where(line[..., None], np.array(OUTLINE, np.uint8), photo))


def _outcome(taught: Taught | None) -> str:
    if taught is None:
        return card("", "Nothing was taught for this product yet.")
    style, words = ENDED[taught.state]
    reason = f" {html.escape(taught.reason)}." if taught.reason else ""
    facts = f"{html.escape(taught.product_name)}, {taught.started[:10]}, {duration(taught.seconds)}"
    return card(style, f"<p>{words}{reason}</p><small>{facts}</small>")


def _embedded(report: Path) -> str:
    """The report inside the page: it has no script, and could not run any."""
    page = report.read_text(encoding="utf-8").replace(f"{report.parent}/", "")
    frames = ""
    for scheme, media in (("light", "not all"), ("dark", "all")):  # as this page is, whatever the system prefers
        own = html.escape(page.replace("(prefers-color-scheme: dark)", media))
        frames += f'<iframe title="Before and after" class="{scheme}" sandbox srcdoc="{own}"></iframe>'
    return frames


def build_teach_panel(workshop: Workshop, session: gr.State) -> None:
    """The panel inside the tab that is being built."""
    panel, tab = TeachPanel(workshop), Context.block
    models = ModelPanel(workshop, panel.trainings)
    with gr.Row(equal_height=False):
        with gr.Column(scale=4, min_width=270):
            about, photos = _product()
            chosen = build_models(models)
        with gr.Column(scale=8, min_width=340):
            kinds, make, made, gallery = _looking()
        with gr.Column(scale=10, min_width=400):
            begin = _teaching(workshop)
            report = gr.HTML(NO_REPORT, elem_id="teach-report")
            download = gr.DownloadButton("Download the report", size="sm", interactive=False, elem_id="teach-download")
    init, minutes, start, stop, bar, log = begin
    timer = gr.Timer(TICK, active=False)
    screen = [bar, report, log, timer, start, stop, download, init, chosen.model]
    photos.upload(panel.add, [session, photos], [photos, about], preprocess=False, **QUIET)
    make.click(panel.samples, [session, kinds], [gallery, made], concurrency_id="drawing", **QUIET)
    start.click(panel.start, [session, init, minutes], screen, concurrency_limit=4, **QUIET)
    stop.click(panel.stop, None, None, queue=False, **QUIET)
    every = chosen.components
    timer.tick(panel.tick, session, screen, concurrency_limit=4, **QUIET)
    chosen.model.input(models.use, [session, chosen.model], every, show_progress="hidden", **MODEL)
    chosen.remove.click(models.ask, session, every, **QUIET)
    chosen.no.click(models.shown, session, every, **QUIET)
    chosen.yes.click(models.delete, session, every, **QUIET).then(panel.screen, session, screen, **QUIET)
    if isinstance(tab, gr.Tab):  # product, model and what runs may have changed elsewhere
        tab.select(panel.about, session, about, **QUIET).then(panel.screen, session, screen, **QUIET).then(
            models.shown, session, every, **QUIET
        )


def _product() -> tuple[gr.HTML, gr.File]:
    """The product and its photos."""
    gr.HTML("<h2>Product</h2>")
    about = gr.HTML(NO_PRODUCT, elem_id="teach-about")
    photos = gr.File(
        label="More photos of good parts",
        file_count="multiple",
        file_types=["image"],
        height=130,
        elem_id="teach-photos",
        elem_classes="drop",
    )
    return about, photos


def _looking() -> tuple[gr.Dropdown, gr.Button, gr.HTML, gr.Gallery]:
    """Synthetic defects."""
    gr.HTML("<h2>1. Look at synthetic defects</h2>")
    kinds = gr.Dropdown(
        list(KINDS), multiselect=True, label="Kinds of defects (none chosen: all)", elem_id="teach-kinds"
    )
    make = gr.Button("Make samples", elem_id="teach-make")
    made = gr.HTML(card("", "Good photos of the product are broken by program."))
    gallery = gr.Gallery(
        label="Synthetic defects", show_label=False, columns=3, height=460, format="webp", interactive=False,
        buttons=[], visible=False, elem_id="teach-gallery",
    )  # fmt: skip
    return kinds, make, made, gallery


def _teaching(workshop: Workshop) -> tuple[gr.Dropdown, gr.Slider, gr.Button, gr.Button, gr.HTML, gr.Textbox]:
    """Fine-tuning."""
    gr.HTML("<h2>2. Teach the product to a model</h2>")
    with gr.Row(equal_height=True):
        init = gr.Dropdown(workshop.models, value=workshop.default, label="Start from", min_width=140)
        least, most, usual = MINUTES
        minutes = gr.Slider(least, most, value=usual, step=1, label="Minutes", min_width=180, elem_id="teach-minutes")
    with gr.Row():
        start = gr.Button("Start teaching", variant="primary", min_width=130, elem_id="teach-start")
        stop = gr.Button("Stop", variant="stop", interactive=False, min_width=70, elem_id="teach-stop")
    bar = gr.HTML(_outcome(None), elem_id="teach-progress")
    with gr.Accordion("What it says", open=False):
        log = gr.Textbox(label="Log of the training", show_label=False, lines=8, max_lines=8, interactive=False)
    return init, minutes, start, stop, bar, log
