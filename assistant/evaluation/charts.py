"""Charts as inline SVG for a page that opens offline; colors are classes of its style sheet, for light and dark."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from assistant.evaluation.metrics import CALIBRATION_BINS
from assistant.evaluation.score_counts import ScoreCounts

WIDTH, HEIGHT = 420, 340
LEFT, TOP, RIGHT, BOTTOM = 52, 12, 12, 46  # margins around the plotted square
POINTS = 200  # of a curve: more cannot be seen, and a page shall stay small
COLORS = 8  # classes c0 to c7; beyond, the same with dashes


@dataclass(frozen=True)
class Series:
    """A line: name for the legend, x and y (N,) in [0, 1]; the `strong` one is drawn on top, and thick."""

    name: str
    x: np.ndarray
    y: np.ndarray
    strong: bool = False


def roc(name: str, counts: ScoreCounts, strong: bool = False) -> Series:
    """False positive rate against recall, over all thresholds; both classes must be there."""
    good, defective = _rates(counts)
    return Series(name, good, defective, strong)


def precision_recall(name: str, counts: ScoreCounts, strong: bool = False) -> Series:
    """Recall against precision at each threshold; both classes must be there."""
    hits, alarms = np.cumsum(counts.defective), np.cumsum(counts.good + counts.defective)
    return Series(name, np.concatenate([[0.0], hits / hits[-1]]), np.concatenate([[1.0], hits / alarms]), strong)


def _rates(counts: ScoreCounts) -> tuple[np.ndarray, np.ndarray]:
    both = (np.concatenate([[0.0], np.cumsum(column)]) for column in (counts.good, counts.defective))
    good, defective = (column / column[-1] for column in both)
    return good, defective


def lines(series: Sequence[Series], x_label: str, y_label: str, *, diagonal: bool = False) -> Markup:
    """Lines in the unit square, with a legend below; `diagonal` marks what a guess, or perfection, would give."""
    parts = [_grid(x_label, y_label, 1.0)]
    if diagonal:
        parts.append(Markup('<path class="guide" d="M{},{} L{},{}"/>').format(_x(0), _y(0), _x(1), _y(1)))
    for index, line in sorted(enumerate(series), key=lambda item: item[1].strong):
        chosen = np.unique(np.linspace(0, len(line.x) - 1, POINTS).astype(int))
        path = " ".join(f"{_x(x):.1f},{_y(y):.1f}" for x, y in zip(line.x[chosen], line.y[chosen], strict=True))
        parts.append(Markup('<polyline class="line {}" points="{}"><title>{}</title></polyline>').format(
            _class(index, line.strong), path, line.name))  # fmt: skip
    entries = [
        Markup('<li><svg viewBox="0 0 24 8"><path class="line {}" d="M0,4 L24,4"/></svg>{}</li>').format(
            _class(index, line.strong), line.name)
        for index, line in enumerate(series)
    ]  # fmt: skip
    return _svg(parts, f"{y_label} over {x_label}") + Markup('<ul class="legend">{}</ul>').format(_join(entries))


def histogram(good: np.ndarray, defective: np.ndarray, band: tuple[float, float], bins: int = 20) -> Markup:
    """How many good and defective photos have which probability (N,) in [0, 1], and the band where it is unsure."""
    edges = np.linspace(0, 1, bins + 1)
    counts = [np.histogram(values, edges)[0] for values in (good, defective)]
    top = 5 * max(1, *(-(-int(column.max()) // 5) for column in counts))  # five marks, all of whole photos
    low, high = band
    parts = [
        _grid("probability of a defect", "photos", float(top)),
        Markup('<rect class="band" x="{:.1f}" y="{}" width="{:.1f}" height="{}"><title>unsure</title></rect>').format(
            _x(low), TOP, max(2.0, _x(high) - _x(low)), HEIGHT - TOP - BOTTOM),
    ]  # fmt: skip
    wide = (_x(1) - _x(0)) / bins
    for side, (column, name) in enumerate(zip(counts, ("good", "defective"), strict=True)):
        for index, count in enumerate(column):
            if count:
                parts.append(Markup('<rect class="bar {}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}">'
                    "<title>{} {} photos</title></rect>").format(
                        name, _x(edges[index]) + 1 + side * (wide / 2 - 0.5), _y(count / top), wide / 2 - 1.5,
                        _y(0) - _y(count / top), count, name))  # fmt: skip
    legend = Markup('<ul class="legend"><li><i class="bar good"></i>good</li><li><i class="bar defective"></i>defective'
        '</li><li><i class="bar band"></i>unsure; right of it a photo is called defective</li></ul>')  # fmt: skip
    return _svg(parts, "photos by probability of a defect") + legend


def reliability(labels: np.ndarray, chances: np.ndarray, bins: int = CALIBRATION_BINS) -> Markup:
    """Share of defective photos against the probability told, (N,) each: on the diagonal the probability is true."""
    index = np.minimum((chances * bins).astype(int), bins - 1)
    parts = [_grid("probability told", "share that is defective", 1.0)]
    parts.append(Markup('<path class="guide" d="M{},{} L{},{}"/>').format(_x(0), _y(0), _x(1), _y(1)))
    most = max(1, int(np.bincount(index, minlength=bins).max()))
    for i in range(bins):
        chosen = index == i
        if count := int(chosen.sum()):
            parts.append(Markup('<circle class="dot" cx="{:.1f}" cy="{:.1f}" r="{:.1f}"><title>{} photos: told {:.2f}, '
                "true {:.2f}</title></circle>").format(
                    _x(float(chances[chosen].mean())), _y(float(labels[chosen].mean())), 4 + 9 * (count / most) ** 0.5,
                    count, chances[chosen].mean(), labels[chosen].mean()))  # fmt: skip
    legend = Markup('<ul class="legend"><li>larger dots stand for more photos; above the line it tells too low a '
        "probability, below it too high a one</li></ul>")  # fmt: skip
    return _svg(parts, "share of defective photos over the probability told") + legend


def bar(share: float | None, note: str = "") -> Markup:
    """A share in [0, 1] as a bar with its number, for a cell of a table."""
    if share is None:
        return Markup("–")
    return Markup('<span class="meter"><i style="width:{:.1f}%"></i></span> {:.1f} % <small>{}</small>').format(
        100 * share, 100 * share, note)  # fmt: skip


def _class(index: int, strong: bool) -> str:
    return "strong" if strong else f"c{index % COLORS} d{index // COLORS % 3}"


def _x(share: float) -> float:
    return LEFT + float(share) * (WIDTH - LEFT - RIGHT)


def _y(share: float) -> float:
    return HEIGHT - BOTTOM - float(share) * (HEIGHT - TOP - BOTTOM)


def _grid(x_label: str, y_label: str, top: float) -> Markup:
    """Axes with five marks each; y runs from 0 to `top`."""
    parts = []
    for mark in np.linspace(0, 1, 6):
        tall = f"{mark:.1f}" if top == 1 else f"{mark * top:.3g}"
        parts.append(Markup('<path class="grid" d="M{0:.1f},{1} V{2} M{3},{4:.1f} H{5}"/>'
            '<text x="{0:.1f}" y="{6}">{7:.1f}</text><text class="end" x="{8}" y="{9:.1f}">{10}</text>').format(
                _x(mark), TOP, HEIGHT - BOTTOM, LEFT, _y(mark), WIDTH - RIGHT, HEIGHT - BOTTOM + 16, mark, LEFT - 6,
                _y(mark) + 4, tall))  # fmt: skip
    names = '<text x="{}" y="{}">{}</text><text transform="translate(13,{}) rotate(-90)">{}</text>'
    return _join(parts) + Markup(names).format(
        _x(0.5), HEIGHT - 8, x_label, _y(0.5), y_label)  # fmt: skip


def _svg(parts: Sequence[Markup], label: str) -> Markup:
    return Markup('<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        WIDTH, HEIGHT, label, _join(parts))  # fmt: skip


def _join(parts: Sequence[Markup]) -> Markup:
    return Markup("").join(parts)
