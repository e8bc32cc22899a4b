"""Where something is, told as boxes or a point in pixels: intersection over union, and pointing."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from assistant.boxes import BOX
from assistant.evaluation import Row
from assistant.evaluation.metrics import mean

Box = tuple[float, ...]  # x0, y0, x1, y1 in pixels of the photo
TYPES = ("box", "point")
ENOUGH = 0.5  # IoU from which on a box is right, as in PASCAL VOC and RefCOCO
POINT = re.compile(r"[\[(]\s*(-?\d+(?:\.\d+)?)[,;\s]+(-?\d+(?:\.\d+)?)\s*[\])]")


def iou(one: Box, other: Box) -> float:
    """Intersection over union of two boxes, in [0, 1]."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    common = max(0.0, width) * max(0.0, height)
    whole = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)) - common
    return common / whole if whole > 0 else 0.0


def matched_ious(told: Sequence[Box], true: Sequence[Box]) -> list[float]:
    """IoU of every box under the best one-to-one matching; 0 for each that is missed or too many.

    Its length is the larger number of boxes; no box told and none there is one agreement, [1.0].
    """
    if not told or not true:
        return [0.0] * max(len(told), len(true)) or [1.0]
    table = np.array([[iou(one, other) for other in true] for one in told])
    rows, columns = linear_sum_assignment(-table)
    return [float(value) for value in table[rows, columns]] + [0.0] * abs(len(told) - len(true))


def told_boxes(text: str) -> list[Box]:
    """All [x0, y0, x1, y1] in a text, corners put in order."""
    found = [tuple(map(float, numbers)) for numbers in BOX.findall(text)]
    return [(min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)) for x0, y0, x1, y1 in found]


def told_point(text: str) -> tuple[float, float] | None:
    """The first (x, y) in a text, or the centre of its first box."""
    if boxes := told_boxes(text):
        return _centre(boxes[0])
    match = POINT.search(text)
    return (float(match[1]), float(match[2])) if match else None


def true_boxes(answer: Any) -> list[Box]:
    """The boxes of a row's answer: one [x0, y0, x1, y1] or a list of them."""
    boxes = [answer] if answer and not isinstance(answer[0], list | tuple) else answer
    return [tuple(map(float, box)) for box in boxes]


def are_boxes(value: object) -> bool:
    """One box of four numbers, or a list of them (empty: nothing is there)?"""
    boxes = [value] if isinstance(value, list) and value and not isinstance(value[0], list) else value
    return isinstance(boxes, list) and all(
        isinstance(box, list) and len(box) == 4 and all(isinstance(edge, int | float) for edge in box) for box in boxes
    )


def is_right(record: Row) -> bool:
    """ "box": every box told matches one that is there, and none is missed; "point": it lies in one of them."""
    true, text = true_boxes(record["answer"]), record["prediction"]
    if record["type"] == "point":
        return _hits(told_point(text), true)
    return bool(text.strip()) and min(matched_ious(told_boxes(text), true)) >= ENOUGH


@dataclass(frozen=True)
class _Told:
    """Where one answer says that it is, beside where it is; no boxes at all (None) is not the same as "nowhere"."""

    boxes: list[Box] | None
    point: tuple[float, float] | None
    true: list[Box]
    kind: str

    def ious(self) -> list[float]:
        """Of every box told or missed; none of a question for a point."""
        if self.kind == "point":
            return []
        return [0.0] * max(1, len(self.true)) if self.boxes is None else matched_ious(self.boxes, self.true)


def summarize_boxes(records: Iterable[Row]) -> dict[str, Any] | None:
    """Of "box" and "point" rows: boxes by the words, and beside them by the Inspection's regions; None for no rows.

    `iou_50` is the share of boxes (told, or there and missed) with an IoU of 0.5 and more, `mean_iou` their mean;
    `pointing` the share of rows whose first box, by its centre, or point lies in a true one (Zhang et al. 2018).
    """
    words, regions = [], []
    for record in records:
        if record["type"] not in TYPES or record["answer"] is None:
            continue
        true, text, kind = true_boxes(record["answer"]), record["prediction"], record["type"]
        words.append(_Told(told_boxes(text) if text.strip() else None, told_point(text), true, kind))
        if record["inspection"] is not None:
            seen = [tuple(map(float, region["box"])) for region in record["inspection"]["regions"]]
            regions.append(_Told(seen, _centre(seen[0]) if seen else None, true, kind))
    return {"words": _measure(words), "inspection": _measure(regions), "count": len(words)} if words else None


def _measure(told: list[_Told]) -> dict[str, float | None]:
    ious = [value for one in told for value in one.ious()]
    return {
        "iou_50": mean([value >= ENOUGH for value in ious]),
        "mean_iou": mean(ious),
        "pointing": mean([_hits(one.point, one.true) for one in told if one.true]),
    }


def _centre(box: Box) -> tuple[float, float]:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def _hits(point: tuple[float, float] | None, boxes: list[Box]) -> bool:
    return point is not None and any(box[0] <= point[0] <= box[2] and box[1] <= point[1] <= box[3] for box in boxes)
