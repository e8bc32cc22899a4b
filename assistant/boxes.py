"""Boxes in a question, in pixels of the photo: "What is at [120, 40, 180, 90]?"

What lies in the box is `focus`'s to tell.
"""

import re

from assistant.inspection import Inspection

Box = tuple[int, int, int, int]

_NUMBER = r"(-?\d+(?:\.\d+)?)"
BOX = re.compile(rf"[\[(]\s*{_NUMBER}[,;\s]+{_NUMBER}[,;\s]+{_NUMBER}[,;\s]+{_NUMBER}\s*[\])]")


def find_box(question: str) -> Box | None:
    """The last box in a question, or None."""
    found = find_boxes(question)
    return found[-1] if found else None


def find_boxes(text: str) -> list[Box]:
    """Every [x0, y0, x1, y1] in a text, its corners put in order and at least a pixel apart."""
    return [_ordered(*(int(float(number)) for number in found)) for found in BOX.findall(text)]


def _ordered(x0: int, y0: int, x1: int, y1: int) -> Box:
    (x0, x1), (y0, y1) = sorted((x0, x1)), sorted((y0, y1))
    return x0, y0, max(x1, x0 + 1), max(y1, y0 + 1)


def outside(box: Box, inspection: Inspection) -> str | None:
    """What the box lies wholly beside of: the photo, or the area of it that is judged; None where it is in."""
    width, height = inspection.size
    if box[0] >= width or box[1] >= height or box[2] <= 0 or box[3] <= 0:
        return "the photo"
    return "the area that I judge" if inspection.area and not inspection.area.touches(box) else None


def overlap(one: Box, other: Box) -> float:
    """Area common to two boxes as a share in [0, 1] of the smaller of them."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    smaller = min((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    return max(0, width) * max(0, height) / smaller
