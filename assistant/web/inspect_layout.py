"""Where the parts of the first tab are, and which event does what."""

import functools
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import gradio as gr
from gradio.context import Context
from PIL import Image

from assistant.report import COLORS
from assistant.web.facts import WELCOME, card
from assistant.web.inspect_panel import InspectPanel
from assistant.web.picture import VIEWS
from assistant.web.products_panel import ProductsPanel
from assistant.web.results import NO_PRODUCT, Results
from assistant.web.session import Look, Session
from assistant.web.strip import clickable
from assistant.web.style import MODEL, QUIET
from assistant.web.workshop import Workshop

Tool = Callable[[Workshop, gr.State, Results], object]  # builds a panel that changes what these results show
PHOTOS = Path(__file__).with_name("photos.js").read_text(encoding="utf-8")
# On a phone the result is far below the place where the photo was dropped.
LOOK_THERE = "() => { if (innerWidth < 760) document.querySelector('#verdict').scrollIntoView({ behavior: 'smooth' }) }"

PICTURE_IN_VIEW = """() => ["#result", "#beside"].map((id) => document.querySelector(id))
    .find((shown) => shown?.offsetHeight)?.scrollIntoView({ behavior: "smooth", block: "nearest" })"""


def build_inspect_panel(workshop: Workshop, session: gr.State, tools: Sequence[Tool] = ()) -> Results:
    """The panel inside the page that is being built; `tools` are built beneath the picture."""
    panel, products, tab = InspectPanel(workshop), ProductsPanel(workshop), Context.block
    with gr.Row(equal_height=False, elem_id="inspect"):
        with gr.Column(elem_id="photos", min_width=250):
            drop, photos, examples = _photos()
        with gr.Column(elem_id="results", min_width=300):
            badge, picture, beside, controls = _picture()
            legend = gr.HTML()
            slot = gr.Column(elem_id="tools")  # above the facts, whose table may be long
            facts = clickable(elem_id="details")
        with gr.Column(elem_id="talk", min_width=300):
            chatbot, suggestions, question, stop, restart, took = _conversation()
        with gr.Column(elem_id="product", min_width=250):
            product, good_drop, good, manage = _product()
    results = Results(photos, product, good, badge, picture, beside, legend, facts, chatbot, suggestions, stop)
    with slot:
        for build in tools:
            build(workshop, session, results)
    every = results.components
    assert Context.root_block is not None
    opened = [Context.root_block.load, *([tab.select] if isinstance(tab, gr.Tab) else [])]
    # In one line with answers: a view made before an answer, but shown after it, would wipe it out.
    gr.on(opened, panel.enter, session, every, show_progress="hidden", **MODEL)
    _photo_events(panel, session, results, drop, examples)
    _product_events(products, session, results, good_drop, manage)
    for control, name in zip(controls, ("view", "opacity", "colors"), strict=True):
        control.input(
            functools.partial(_set, panel, name), [session, control], every,
            trigger_mode="always_last", **QUIET,
        )  # fmt: skip
    picture.select(panel.point, session, every, **QUIET)
    facts.select(panel.zoom, session, every, **QUIET).then(None, js=PICTURE_IN_VIEW)
    answered = [question, took, *every]
    question.submit(panel.answer, [session, question], answered, show_progress="hidden", **MODEL)
    suggestions.select(panel.suggested, session, answered, show_progress="hidden", **MODEL)
    chatbot.retry(panel.again, session, answered, show_progress="hidden", **MODEL)
    chatbot.edit(panel.edit, session, answered, show_progress="hidden", **MODEL)
    stop.click(panel.stop, session, None, queue=False, **QUIET)
    gr.on([restart.click, chatbot.clear], panel.restart, session, every, **QUIET)
    return results


def _set(panel: InspectPanel, control: str, session: Session, value: object) -> tuple[object, ...]:
    return panel.redraw(session, control, value)


def _photo_events(
    panel: InspectPanel, session: gr.State, results: Results, drop: gr.Gallery, examples: Sequence[gr.Button]
) -> None:
    """Photos in, chosen, out. What waits for the model first ends the answer being written."""
    every = results.components
    busy = {"show_progress_on": [results.picture], **MODEL}
    drop.change(panel.stop, session, None, queue=False, **QUIET)
    drop.change(panel.add, [session, drop], [drop, *every], preprocess=False, **busy).then(None, js=LOOK_THERE)
    for index, button in enumerate(examples):
        button.click(panel.stop, session, None, queue=False, **QUIET)
        shown = button.click(functools.partial(panel.example, index=index), session, every, **busy)
        shown.then(None, js=LOOK_THERE)
    chosen = results.photos.select(panel.select, session, every, **QUIET)
    chosen.then(panel.refresh, session, every, show_progress="hidden", **MODEL)
    gone = results.photos.delete(panel.remove, session, every, **QUIET)
    gone.then(panel.refresh, session, every, show_progress="hidden", **MODEL)


@dataclass(frozen=True)
class Manage:
    """The components that make, name and remove products."""

    name: gr.Textbox
    create: gr.Button
    rename: gr.Button
    remove: gr.Button
    question: gr.Markdown
    confirm: gr.Row
    yes: gr.Button
    no: gr.Button


def _product_events(
    products: ProductsPanel, session: gr.State, results: Results, drop: gr.Gallery, manage: Manage
) -> None:
    every = results.components
    busy = {"show_progress_on": [results.picture], **MODEL}
    results.product.input(products.choose, [session, results.product], every, **busy)
    drop.change(products.add, [session, drop], [drop, *every], preprocess=False, **busy)
    results.good.delete(products.remove_good, session, every, **busy)
    manage.create.click(products.create, [session, manage.name], [manage.name, *every], **busy)
    manage.rename.click(products.rename, [session, manage.name], [manage.name, *every], **busy)
    ask = [manage.question, manage.confirm]
    manage.remove.click(products.ask_to_remove, session, ask, **QUIET)
    manage.yes.click(products.remove, session, every, **busy)
    gr.on([manage.yes.click, manage.no.click, results.product.change], _closed, None, ask, **QUIET)


def _closed() -> tuple[str, object]:
    """Nothing is asked any more."""
    return "", gr.update(visible=False)


def _drop_zone(label: str, elem_id: str, sources: list[str], height: int) -> gr.Gallery:
    """A place for photos that is emptied as soon as they are in; what it says is in the style sheet."""
    return gr.Gallery(
        label=label, show_label=False, format="png", columns=4, height=height, interactive=True, buttons=[],
        sources=sources, file_types=["image"], allow_preview=False, elem_id=elem_id, elem_classes="drop",
    )  # fmt: skip


def _photos() -> tuple[gr.Gallery, gr.HTML, list[gr.Button]]:
    """Where photos come in, those of the conversation, and examples."""
    from data_gen.examples import EXAMPLES, render

    gr.HTML("<h2>Photos of the part</h2>", js_on_load=PHOTOS)
    drop = _drop_zone("Photos of the part", "photo", ["upload", "webcam", "clipboard"], 190)
    photos = clickable(elem_id="strip")
    gr.HTML("<h2>Or try an example</h2>")
    examples = []
    with gr.Row(elem_id="examples"), tempfile.TemporaryDirectory() as folder:
        for index, (caption, *_) in enumerate(EXAMPLES):
            icon = Path(folder, f"{index}.png")
            Image.fromarray(render(index)[0]).save(icon)
            button = gr.Button(caption, icon=icon, min_width=70)
            button.keep_in_cache.add(button.icon["path"])  # else it goes with the uploads after some hours
            examples.append(button)
    return drop, photos, examples


def _product() -> tuple[gr.Dropdown, gr.Gallery, gr.HTML, Manage]:
    """Which product it is, and its good parts."""
    gr.HTML("<h2>Product and its good parts <small>optional</small></h2>")
    product = gr.Dropdown(
        [("No product", NO_PRODUCT)], value=NO_PRODUCT, label="Product", show_label=False, container=False,
        elem_id="product-name",
    )  # fmt: skip
    good = clickable(elem_id="good")
    drop = _drop_zone("Good parts", "references", ["upload"], 84)
    with gr.Accordion("New product, rename, remove", open=False, elem_id="manage"):
        name = gr.Textbox(label="Name of the product", max_length=80)
        with gr.Row():
            create = gr.Button("Create", size="sm", variant="primary", min_width=60)
            rename = gr.Button("Rename", size="sm", min_width=60)
            remove = gr.Button("Remove", size="sm", variant="stop", min_width=60)
        question = gr.Markdown()
        with gr.Row(visible=False) as confirm:
            yes = gr.Button("Yes, remove it", size="sm", variant="stop", min_width=60)
            no = gr.Button("Keep it", size="sm", min_width=60)
    return product, drop, good, Manage(name, create, rename, remove, question, confirm, yes, no)


def _picture() -> tuple[gr.HTML, gr.Image, gr.ImageSlider, tuple[gr.Radio, gr.Slider, gr.Dropdown]]:
    """Verdict, picture and what to show of it."""
    look = Look()
    badge = gr.HTML(card("", WELCOME), elem_id="verdict")
    picture = gr.Image(
        label="Result", show_label=False, interactive=False, format="webp", buttons=["download", "fullscreen"],
        elem_id="result", alt_text="The photo with the anomaly map over it; each region is boxed and numbered",
    )  # fmt: skip
    beside = gr.ImageSlider(
        label="Photo and map side by side", show_label=False, interactive=False, format="webp", visible=False,
        buttons=["fullscreen"], elem_id="beside",
    )  # fmt: skip
    with gr.Row(elem_id="look"):
        view = gr.Radio(VIEWS, value=look.view, label="Show", show_label=False, min_width=250, scale=4, elem_id="view")
        opacity = gr.Slider(
            0, 100, value=look.opacity, step=5, label="Opacity (%)", min_width=120, scale=2, elem_id="opacity"
        )
        colors = gr.Dropdown(
            list(COLORS),
            value=look.colors,
            label="Colors",
            show_label=False,
            filterable=False,
            min_width=95,
            scale=1,
            elem_id="colors",
        )
    return badge, picture, beside, (view, opacity, colors)


def _conversation() -> tuple[gr.Chatbot, gr.HTML, gr.Textbox, gr.Button, gr.Button, gr.HTML]:
    """The conversation, and what to ask next."""
    chatbot = gr.Chatbot(
        label="Conversation", show_label=False, placeholder="Show me a part, then ask about it.", buttons=["copy"],
        editable="user", group_consecutive_messages=False, elem_id="chat",
    )  # fmt: skip
    suggestions = clickable(elem_id="questions")
    question = gr.Textbox(
        label="Your question", show_label=False, placeholder="Ask about the part", submit_btn="Send", elem_id="ask"
    )
    with gr.Row(elem_id="talk-buttons"):
        stop = gr.Button("Stop", size="sm", variant="stop", interactive=False, min_width=60, elem_id="stop")
        restart = gr.Button("New conversation", size="sm", min_width=60, elem_id="restart")
    took = gr.HTML(elem_id="took")
    return chatbot, suggestions, question, stop, restart, took
