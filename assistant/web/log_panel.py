"""Log: who decided what, and when; verdicts, corrections, changes of products, trainings."""

import html
import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.context import Context

from assistant import UserError
from assistant.batch_report import write_rows
from assistant.store import Store
from assistant.store.audit import Entry
from assistant.store.corrections import StoredCorrection
from assistant.web.batch_table import button
from assistant.web.facts import card
from assistant.web.log_lines import event, photo_name, row, words
from assistant.web.offer import offer
from assistant.web.strip import clickable, clicked
from assistant.web.style import QUIET
from assistant.web.workshop import Workshop

ALL = 0  # in the place of a product's number
PAGE = 50  # lines at a time
CHUNK = 1000  # lines in memory at once while the file is written
HEADS = ("When (UTC)", "Who", "What", "Photo", "Product")
COLUMNS = (
    "when (UTC)", "who", "what", "words", "product", "photo", "verdict", "probability", "event", "details", "line",
)  # fmt: skip


@dataclass
class Page:
    """What one visitor looks at: `product` is a number, None for all; `before` holds for each page that was turned the
    number of the line above it, so that new lines shift nothing."""

    product: int | None = None
    before: tuple[int, ...] = ()


@dataclass(frozen=True)
class LogPanel:
    """What happens on this panel, one method per event."""

    store: Store

    def show(self, page: Page, product: int) -> str:
        """The newest lines of a product, or of all."""
        page.product, page.before = product or None, ()
        return self.table(page)

    def enter(self, page: Page) -> tuple[Any, str]:
        """The products there are now, and the lines."""
        products = [("All products", ALL), *((one.name, one.id) for one in self.store.products.list())]
        chosen = page.product if page.product in dict(products).values() else ALL
        return gr.update(choices=products, value=chosen), self.show(page, chosen or ALL)

    def press(self, page: Page, event: gr.EventData) -> str:
        """Older or newer lines."""
        action, _, value = clicked(event).partition(":")
        if action == "older" and value.isascii() and value.isdecimal():
            page.before = (*page.before, int(value))
        elif action == "newer":
            page.before = page.before[:-1]
        return self.table(page)

    def table(self, page: Page) -> str:
        """The lines as HTML."""
        entries = self.store.log.entries(page.product, PAGE + 1, page.before[-1] if page.before else None)
        if not entries:
            return card("", "Nothing was decided yet.")
        shown = entries[:PAGE]
        heads = "".join(f'<th scope="col">{name}</th>' for name in HEADS)
        body = "".join(row(self.store, entry, held) for entry, held in self._with_corrections(shown))
        newer = button("newer", "", "← Newer", disabled=not page.before)
        older = button("older", str(shown[-1].id), "Older →", disabled=len(entries) <= PAGE)
        pages = f'<nav class="pages" aria-label="Pages">{newer}{older}</nav>'
        table = f'<table class="rows"><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>'
        return f'<div class="wide" tabindex="0" role="region" aria-label="Log">{table}</div>{pages}'

    def _with_corrections(self, entries: Sequence[Entry]) -> Iterator[tuple[Entry, dict[int, StoredCorrection]]]:
        """Each line with the corrections of its product, by number: none where the product is gone."""
        held = {
            product: {one.id: one for one in self.store.corrections.list(product, undone=True)}
            for product in {entry.product for entry in entries if "correction" in entry.details}
            if product is not None
        }
        for entry in entries:
            yield entry, held.get(entry.product or ALL, {})

    def save(self, page: Page) -> Any:
        """All lines as CSV, ready to be downloaded."""
        lines = (_record(entry) for entry in self._all(page.product))
        try:
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder, "log.csv")
                write_rows(path, COLUMNS, lines)
                return gr.update(value=offer(path, f"audit-log-{datetime.now(UTC):%Y-%m-%d}.csv"), visible=True)
        except UserError as error:
            gr.Warning(html.escape(str(error)))
            return gr.skip()

    def _all(self, product: int | None) -> Iterator[Entry]:
        before = None
        while entries := self.store.log.entries(product, CHUNK, before):
            yield from entries
            before = entries[-1].id


def _record(entry: Entry) -> list[Any]:
    """In the order of COLUMNS: in words for people; for programs the time in full, all details as JSON."""
    details = entry.details
    decided = details.get("verdict", ""), details.get("probability", "")
    told = [entry.at, entry.who, event(entry), words(entry), entry.name, photo_name(entry), *decided]
    return [*told, entry.event, json.dumps(details, ensure_ascii=False), entry.id]


def build_log_panel(workshop: Workshop, session: gr.State) -> None:
    """The panel inside the tab that is being built."""
    panel, page, tab = LogPanel(workshop.store), gr.State(Page()), Context.block
    with gr.Row(equal_height=True, elem_id="log-bar"):
        product = gr.Dropdown(
            [("All products", ALL)], value=ALL, label="Product", show_label=False, container=False, scale=3,
            min_width=200, elem_id="log-product",
        )  # fmt: skip
        make = gr.Button("Prepare CSV", size="sm", scale=1, min_width=120, elem_id="log-csv")
        download = gr.DownloadButton("Download CSV", size="sm", visible=False, scale=1, elem_id="log-download")
    rows = clickable(elem_id="log-rows", apply_default_css=False)
    product.input(panel.show, [page, product], rows, **QUIET)
    rows.input(panel.press, page, rows, **QUIET)
    make.click(panel.save, page, download, **QUIET)
    if isinstance(tab, gr.Tab):
        tab.select(panel.enter, page, [product, rows], **QUIET)
