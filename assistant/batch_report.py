"""A batch for others: one HTML page that opens anywhere, CSV for spreadsheets, JSON for programs."""

import base64
import csv
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from markupsafe import Markup

from assistant import __version__
from assistant.batch import FAILED, FINISHED, STOPPED, Batch, Row
from assistant.evaluation.report_page import Section, percent, table, tiles, write_report
from assistant.evaluation.results import write_file

COLUMNS = (
    "photo", "verdict", "probability", "regions", "found", "width", "height", "references", "model", "notes", "error",
)  # fmt: skip
ORDER = ("defective", "unsure", "good", FAILED)
BARS = {"defective": "defective", "unsure": "band", "good": "good"}  # the report's class of each verdict's color
FORMULA = tuple("=+-@\t\r\n＝＋－＠")  # a spreadsheet reads a cell that begins so as a formula


def write_csv(batch: Batch, path: Path) -> None:
    """A line a photo, in the order in which they were given. Raises UserError if it cannot be written."""
    write_rows(path, COLUMNS, (_cells(row, record) for row, record in _both(batch)))


def write_rows(path: Path, columns: tuple[str, ...], rows: Iterator[list[Any]]) -> None:
    """A CSV that spreadsheets open as UTF-8, and in which no cell is a formula. Raises UserError as `write_file`."""
    lines = _Lines()
    writer = csv.writer(lines)

    def text() -> Iterator[str]:
        for cells in (columns, *rows):
            writer.writerow([safe(cell) for cell in cells])
            yield lines.last

    write_file(path, (("\ufeff" if number == 0 else "") + line for number, line in enumerate(text())))


def safe(cell: Any) -> Any:
    """A cell that is never taken for a formula (OWASP: CSV injection); numbers stay numbers."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell


def write_json(batch: Batch, path: Path) -> None:
    """What it was made with, and `Inspection.to_json` of each photo. Raises UserError if it cannot be written."""

    def text() -> Iterator[str]:
        head = json.dumps(asdict(batch.about) | {"version": __version__}, ensure_ascii=False)
        yield head[:-1] + ', "results": ['
        for number, record in enumerate(batch.records()):
            yield (",\n" if number else "\n") + json.dumps(record, ensure_ascii=False)
        yield "\n]}\n"

    write_file(path, text())


def write_page(batch: Batch, path: Path) -> None:
    """One self-contained page with every verdict and its thumbnail. Raises UserError if it cannot be written."""
    about, counts = batch.about, batch.counts()
    rows = sorted(batch.rows, key=lambda row: -1.0 if row.probability is None else row.probability, reverse=True)
    made: list[list[Any]] = [
        ["product", about.product or "none chosen"], ["date", date(about.started)], ["inspected by", about.who or "–"],
        ["model", about.model], ["model hash (SHA-256 of the weights)", about.weights or "not on this machine"],
        ["compared with", f"{about.references} good parts"], ["corrections in force", about.corrections],
        ["photos given", about.photos], ["program", f"anomaly-assistant {__version__}"],
    ]  # fmt: skip
    warnings = [] if about.state == FINISHED else [f"{ending(batch)} {len(rows)} of {about.photos} photos are here."]
    what = {
        "defective": "to be looked at", "unsure": "a person must decide", "good": "no defect found",
        FAILED: "could not be inspected",
    }  # fmt: skip
    columns = ["", "photo", "verdict", "probability", "found"]
    sections = [
        Section("Result", tiles([(verdict, str(counts[verdict]), what[verdict]) for verdict in ORDER])),
        Section("How it was inspected", table(["", ""], made, words=2)),
        Section("Every photo", table(columns, [_line(batch, row) for row in rows], words=5), "The most suspect first."),
    ]
    title = f"Inspection of {about.product or 'photos'}, {date(about.started)}"
    write_report(path, title=title, headline=headline(batch), sections=sections, warnings=warnings)


def headline(batch: Batch) -> str:
    """The outcome in a sentence."""
    counts, total = batch.counts(), len(batch.rows)
    parts = [f"{counts[verdict]} {verdict}" for verdict in ORDER if counts[verdict]]
    return f"{total} photo{'s' * (total != 1)}: {', '.join(parts) or 'nothing inspected'}."


def ending(batch: Batch) -> str:
    """How a batch that is not whole came to its end, in a sentence."""
    state = batch.about.state
    return {STOPPED: "It was stopped.", FINISHED: ""}.get(state, f"It ended early: {state}.")


def date(iso: str) -> str:
    """2026-11-26T13:44:57+00:00 -> 2026-11-26 13:44 UTC"""
    return f"{iso[:10]} {iso[11:16]} UTC"


WRITERS: dict[str, Callable[[Batch, Path], None]] = {"csv": write_csv, "json": write_json, "html": write_page}


def _both(batch: Batch) -> Iterator[tuple[Row, dict[str, Any]]]:
    return ((Row.of(number, record), record) for number, record in enumerate(batch.records()))


def _cells(row: Row, record: dict[str, Any]) -> list[Any]:
    if row.verdict == FAILED:
        return [row.image, FAILED, *[""] * (len(COLUMNS) - 3), row.found]
    return [
        row.image, row.verdict, row.probability, len(record["regions"]), row.found, *record["size"],
        record["references"], record["model"], "; ".join(record["notes"]), "",
    ]  # fmt: skip


def _line(batch: Batch, row: Row) -> list[Any]:
    picture = batch.picture(row.number, small=True)
    image: Markup | str = ""
    if row.verdict != FAILED and picture.is_file():
        code = base64.b64encode(picture.read_bytes()).decode()
        image = Markup('<img src="data:image/jpeg;base64,{}" alt="">').format(code)
    name, found = (Markup('<span class="text">{}</span>').format(words) for words in (row.image, row.found))
    sign = Markup('<i class="bar {}" aria-hidden="true"></i>').format(BARS.get(row.verdict, ""))
    verdict = Markup('<span class="verdict">{}{}</span>').format(sign, row.verdict)
    return [image, name, verdict, percent(row.probability), found]


class _Lines:
    """A file for `csv.writer` that keeps the last line only."""

    last = ""

    def write(self, line: str) -> None:
        self.last = line
