"""A batch as HTML: how far it is, how many of which verdict, and a page of its rows, sorted and filtered."""

import base64
import html
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.batch import FAILED, FINISHED, RUNNING, Batch, Row
from assistant.batch_report import date, ending
from assistant.inspection import Inspection
from assistant.web.facts import TONES, VERDICTS, card

PAGE = 25  # rows at a time: with their thumbnails 100 kB
SIGNS = {key: VERDICTS[key] for key in ("defective", "unsure", "good")} | {FAILED: ("!", "Failed")}
COLUMNS = {"image": "Photo", "verdict": "Verdict", "probability": "Probability", "found": "Found"}
SORTED = ("image", "probability")  # columns that rows can be sorted by


@dataclass
class View:
    """What of which batch one visitor looks at; `sort` is one of SORTED or "number", `verdict` empty for all."""

    batch: str = ""
    sort: str = "number"
    descending: bool = False
    verdict: str = ""
    search: str = ""
    page: int = 0
    picked: int | None = None

    def press(self, action: str, value: str) -> None:
        """Follow what was clicked in the table; anything else is no change."""
        if action == "sort" and value in SORTED:
            # The most suspect first, names from A; a second press turns it round.
            self.descending = not self.descending if self.sort == value else value == "probability"
            self.sort, self.page = value, 0
        elif action == "verdict" and (value in SIGNS or not value):
            self.verdict, self.page = value, 0
        elif action in ("page", "row") and value.isascii() and value.isdecimal():
            if action == "page":
                self.page = int(value)
            else:
                self.picked = int(value)

    def choose(self, rows: Sequence[Row]) -> list[Row]:
        """The rows that are wanted, in the order wanted; failures are last wherever a probability decides."""
        word = self.search.strip().casefold()
        chosen = [
            row for row in rows if self.verdict in ("", row.verdict) and word in f"{row.image} {row.found}".casefold()
        ]
        if self.sort == "image":
            chosen.sort(key=lambda row: row.image.casefold(), reverse=self.descending)
        elif self.sort == "probability":
            sign = -1 if self.descending else 1
            chosen.sort(key=lambda row: (row.probability is None, sign * (row.probability or 0)))
        return chosen


def progress(batch: Batch, seconds_left: float | None) -> str:
    """Above the table: a bar while it runs, then how it ended."""
    about, done = batch.about, len(batch.rows)
    share = done / max(1, about.photos)
    left = f", about {duration(seconds_left)} left" if seconds_left and about.state == RUNNING else ""
    product = html.escape(about.product or "no product")
    facts = f"{product} · model {html.escape(about.model)} · {about.references} good parts · {date(about.started)}"
    words = f"{done} of {about.photos} photos inspected{left}. {html.escape(ending(batch)) * (about.state != RUNNING)}"
    bar = f'<progress value="{done}" max="{max(1, about.photos)}" aria-label="Progress">{share:.0%}</progress>'
    style = "" if about.state in (RUNNING, FINISHED) else "problem"
    return card(style, f"<p>{words}</p>{bar * (about.state == RUNNING)}<small>{facts}</small>")


def duration(seconds: float) -> str:
    """Rounded as people say it."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min"


def table(batch: Batch, view: View) -> str:
    """Buttons to filter by verdict, the rows, and buttons to turn the page."""
    rows = view.choose(list(batch.rows))
    last = max(0, (len(rows) - 1) // PAGE)
    view.page = min(view.page, last)
    shown = rows[view.page * PAGE : (view.page + 1) * PAGE]
    heads = "".join(_head(key, view) for key in COLUMNS)
    body = "".join(_row(batch, row, row.number == view.picked) for row in shown)
    body = body or f'<tr><td colspan="{len(COLUMNS)}">No photo to show.</td></tr>'
    parts = f'<table class="rows"><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>'
    return _filters(batch, view) + parts + (_pages(view.page, last, len(rows)) if last else "")


def findings(inspection: Inspection) -> str:
    """The regions of one photo, numbered as on its picture, and remarks."""
    lines = ""
    for region in inspection.regions:
        kind, place = region.type or "anomaly", f"{region.position}, {region.area_fraction:.1%} of the photo"
        lines += f"<li>{region.severity} {kind}, {place}, {region.shape}, {TONES[region.tone]}</li>"
    notes = "".join(f"<p>{html.escape(note)}</p>" for note in inspection.notes)
    return f"<ol>{lines}</ol>" * bool(lines) + notes


def _filters(batch: Batch, view: View) -> str:
    counts = batch.counts()
    buttons = [button("verdict", "", f"All <b>{len(batch.rows)}</b>", pressed=not view.verdict)]
    for verdict, (sign, word) in SIGNS.items():
        text = f'<i class="mark" aria-hidden="true">{sign}</i>{word} <b>{counts[verdict]}</b>'
        buttons.append(button("verdict", verdict, text, pressed=view.verdict == verdict, style=_style(verdict)))
    return f'<div class="filters" role="group" aria-label="Show verdicts">{"".join(buttons)}</div>'


def _head(key: str, view: View) -> str:
    if key not in SORTED:
        return f'<th scope="col">{COLUMNS[key]}</th>'
    order = "none" if view.sort != key else ("descending" if view.descending else "ascending")
    arrow = {"none": "↕", "descending": "↓", "ascending": "↑"}[order]
    text = f'{COLUMNS[key]} <span aria-hidden="true">{arrow}</span>'
    return f'<th scope="col" aria-sort="{order}">{button("sort", key, text)}</th>'


def _row(batch: Batch, row: Row, picked: bool) -> str:
    sign, word = SIGNS[row.verdict]
    name = html.escape(row.image)
    share = "" if row.probability is None else f"{row.probability:.0%}"
    chance = {"": "–", "0%": "under 1%", "100%": "over 99%"}.get(share, share)
    meter = f'<span class="meter" aria-hidden="true"><i style="width:{share}"></i></span>' * bool(share)
    cells = (
        f'<button type="button" data-do="select" data-item="row:{row.number}" class="row" aria-label="Show {name}">'
        f"{_thumbnail(batch, row)}<span>{name.replace('_', '_<wbr>')}</span></button>",
        f'<span class="verdict"><i class="mark" aria-hidden="true">{sign}</i>{word}</span>',
        f"{chance}{meter}",
        f'<div class="found" title="{html.escape(row.found)}">{html.escape(row.found)}</div>',
    )
    current = ' aria-current="true"' * picked
    opened = f'data-do="select" data-item="row:{row.number}"'
    return f'<tr class="{_style(row.verdict)}" {opened}{current}>' + "".join(f"<td>{c}</td>" for c in cells) + "</tr>"


def _thumbnail(batch: Batch, row: Row) -> str:
    """The picture itself, not its address: nothing of the store can be asked for by name."""
    path = batch.picture(row.number, small=True)
    if row.verdict == FAILED or not path.is_file():
        return '<i class="none" aria-hidden="true"></i>'
    return f'<img alt="" src="data:image/jpeg;base64,{base64.b64encode(path.read_bytes()).decode()}">'


def _pages(page: int, last: int, rows: int) -> str:
    first = page * PAGE + 1
    before = button("page", str(page - 1), "← Previous", disabled=page == 0)
    after = button("page", str(page + 1), "Next →", disabled=page == last)
    span = f"<span>{first} to {min(first + PAGE - 1, rows)} of {rows}</span>"
    return f'<nav class="pages" aria-label="Pages">{before}{span}{after}</nav>'


def button(
    action: str, value: str, text: str, *, pressed: bool | None = None, disabled: bool = False, style: str = ""
) -> str:
    """One of a `clickable` that asks for `action:value`; `text` is HTML."""
    state = "" if pressed is None else f' aria-pressed="{str(pressed).lower()}"'
    kind = f' class="{style}"' * bool(style) + " disabled" * disabled
    return f'<button type="button" data-do="input" data-item="{action}:{value}"{state}{kind}>{text}</button>'


def _style(verdict: str) -> str:
    return "problem" if verdict == FAILED else verdict
