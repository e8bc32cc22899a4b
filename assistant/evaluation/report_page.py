"""One self-contained HTML page for any result: sections made of tiles, tables, charts and cases.

Everything that comes from outside (names, texts) is escaped where it enters; what is `Markup` is ours.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from assistant.evaluation.cases import Case
from assistant.evaluation.results import write_file

LISTED = 200  # names in a list; `metrics.json` has them all
LETTERS = 900  # of a text in a case


@dataclass(frozen=True)
class Section:
    """A heading, a line on how to read what is below it, and that."""

    title: str
    body: Markup
    about: str = ""


def write_report(
    path: Path,
    *,
    title: str,
    headline: str,
    sections: Sequence[Section],
    warnings: Sequence[str] = (),
    origin: Mapping[str, Any] | None = None,
) -> None:
    """Write a page that opens offline: headline, warnings, sections, and at last how to get the figures again.

    Args:
        path: the HTML file.
        headline: the outcome in a sentence that needs no knowledge of the field.
        warnings: what one must know before believing the figures.
        origin: settings and versions, as `metrics.json` has them.

    Raises:
        UserError: the file cannot be written.
    """
    rows = [[name, value] for name, value in _flat(origin or {})]
    page = _template("report.html").render(
        title=title, headline=headline, sections=sections, warnings=warnings, origin=rows and table(["", ""], rows)
    )
    write_file(path, page)


def tiles(values: Sequence[tuple[str, str, str]]) -> Markup:
    """Large figures in a row, each (name, value, what it means)."""
    return _block("tiles", values)


def table(
    columns: Sequence[str], rows: Sequence[Sequence[Any]], *, words: int | None = None, total: bool = False
) -> Markup:
    """A table; floats are written with three decimals, None as a dash.

    Args:
        words: so many columns hold words and start at the left; None for those whose cells are not all numbers.
        total: the last row is a summary.
    """
    filled = [[row[i] for row in rows if row[i] is not None] for i in range(len(columns))]
    left = [any(not isinstance(value, int | float) for value in column) for column in filled]
    if words is not None:
        left = [i < words for i in range(len(columns))]
    return _block("table", columns, [[_cell(value) for value in row] for row in rows], left, total)


def figures(charts: Sequence[tuple[str, Markup]]) -> Markup:
    """Charts of `charts.py` side by side, each (caption, chart)."""
    return _block("figures", charts)


def gallery(cases: Sequence[Case]) -> Markup:
    """Cases with their pictures and lines, or a word that there are none."""
    short = [(case.title, case.pictures, [(who, _short(text)) for who, text in case.lines]) for case in cases]
    return _block("gallery", short)


def names(paths: Sequence[str]) -> Markup:
    """A list of names that folds away; of very many only the first."""
    return _block("names", paths[:LISTED], len(paths) - LISTED)


def percent(value: float | None) -> str:
    """A share for people: 12.3 %, or a dash where there is none."""
    return "–" if value is None else f"{100 * value:.1f} %"


def _cell(value: Any) -> Any:
    if value is None:
        return "–"
    return f"{value:.3f}" if isinstance(value, float) else value


def _short(text: str) -> str:
    return text if len(text) <= LETTERS else f"{text[:LETTERS]} ..."


def _flat(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Nested settings as (name, value), one level a dot."""
    found: list[tuple[str, str]] = []
    for name, value in values.items():
        if isinstance(value, Mapping):
            found += _flat(value, f"{prefix}{name}.")
        else:
            found.append((f"{prefix}{name}", "–" if value is None else str(value)))
    return found


@cache
def _template(name: str) -> Template:
    loader = PackageLoader("assistant.evaluation")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True).get_template(name)


def _block(name: str, *values: Any) -> Markup:
    return Markup(getattr(_template("blocks.html").module, name)(*values))
