"""Where a label is on a photo: a rectangle of one tone with marks on it, text or a bar code.

Found by its look alone, for nothing here has learnt what labels are: the photo is cut at several brightnesses and
tones, and of the rectangular pieces those count that are paper with ink on it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

VIEW = 512  # photos are searched with their longer side at so many pixels
CUTS = 8  # per channel: between paper and part there is one of them, unless both are of nearly the same tone
AREA = (0.003, 0.4)  # shares of the photo
FILLED = 0.87  # a piece fills so much of the rectangle around it, or it is none
LONGEST = 9.0  # times as long as it is wide
LEAST_SIDE = 14  # pixels of VIEW: smaller, no marks can be made out
INK = 45  # levels of 255 by which marks differ from their paper, at least
INKED = (0.02, 0.5)  # share of the paper that is covered
UNEVEN = 18.0  # levels: paper is of one tone
# The likeness from which a rectangle counts; chosen on photos with labels stuck on (`benchmarks/labels.py`).
LIKELY = 0.12


@dataclass(frozen=True)
class _Candidate:
    mask: np.ndarray  # (h, w) uint8
    likeness: float  # in [0, 1]


def find_labels(photo: np.ndarray) -> list[np.ndarray]:
    """The labels on a photo (H, W, 3) uint8, likeliest first, each (H, W) bool; they do not overlap."""
    height, width = photo.shape[:2]
    scale = VIEW / max(height, width)
    small = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    found: list[_Candidate] = []
    for candidate in sorted(_candidates(small), key=lambda candidate: -candidate.likeness):
        if candidate.likeness > LIKELY and not any((candidate.mask & other.mask).any() for other in found):
            found.append(candidate)
    return [cv2.resize(each.mask, (width, height), interpolation=cv2.INTER_LINEAR) > 0 for each in found]


def _candidates(photo: np.ndarray) -> Iterator[_Candidate]:
    """Every rectangle of one tone with marks on it, in a photo of the size VIEW."""
    for rectangle, filled in _rectangles(photo):
        mask = np.zeros(photo.shape[:2], np.uint8)
        cv2.fillConvexPoly(mask, cv2.boxPoints(rectangle).astype(np.int32), 1)
        likeness = filled * _likeness(photo, mask)
        if likeness > 0:
            yield _Candidate(mask, likeness)


def _rectangles(photo: np.ndarray) -> Iterator[tuple[cv2.typing.RotatedRect, float]]:
    """Pieces of about one brightness or tone that are rectangles, and how well they fill them, in [FILLED, 1]."""
    for plane in cv2.split(cv2.GaussianBlur(cv2.cvtColor(photo, cv2.COLOR_RGB2LAB), (3, 3), 0)):
        darkest, brightest = np.percentile(plane, (1, 99))
        for cut in np.linspace(darkest, brightest, CUTS + 2)[1:-1]:
            for piece in (plane > cut, plane <= cut):
                closed = cv2.morphologyEx(piece.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3)))
                filled = np.zeros_like(closed)
                outer = cv2.findContours(closed, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)[0]
                cv2.drawContours(filled, outer, -1, 1, cv2.FILLED)
                for loose in (3, 13):
                    yield from _pieces(cv2.morphologyEx(filled, cv2.MORPH_OPEN, np.ones((loose, loose))))


def _pieces(mask: np.ndarray) -> Iterator[tuple[cv2.typing.RotatedRect, float]]:
    """The connected pieces of a mask that are rectangles of a label's size and shape."""
    for contour in cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)[0]:
        inside = cv2.contourArea(contour)
        if not AREA[0] * mask.size < inside < AREA[1] * mask.size:
            continue
        rectangle = cv2.minAreaRect(contour)
        short, long = sorted(rectangle[1])
        if inside >= FILLED * short * long and short >= LEAST_SIDE and long <= LONGEST * short:
            yield rectangle, inside / (short * long)


def _likeness(photo: np.ndarray, mask: np.ndarray) -> float:
    """How much a rectangle looks like paper with ink on it, in [0, 1]; 0 where something speaks against it."""
    inside = cv2.erode(mask, np.ones((5, 5))) > 0
    if not inside.any():
        return 0.0
    tone = np.median(photo[inside], axis=0)
    differs = np.abs(photo - tone).max(axis=2)
    deepest = float(np.percentile(differs[inside], 98))
    ink = inside & (differs > max(INK, deepest / 2))
    unevenness = float(np.median(differs[inside & ~ink]))
    if not INKED[0] < ink.sum() / inside.sum() < INKED[1] or unevenness > UNEVEN:
        return 0.0
    _, _, stats, _ = cv2.connectedComponentsWithStats(ink.astype(np.uint8))
    marks = stats[1:, cv2.CC_STAT_AREA]
    marks = marks[marks >= 5]
    if len(marks) < 3 or marks.max() > 0.75 * marks.sum():  # a hole or a screw, no writing
        return 0.0
    margin = inside & (cv2.erode(mask, np.ones((9, 9))) == 0)
    around = (cv2.dilate(mask, np.ones((9, 9))) > 0) & (cv2.dilate(mask, np.ones((5, 5))) == 0)
    outside = float(np.median(differs[around])) if around.any() else 0.0
    clean = 1 - float(ink[margin].mean())  # writing keeps off the edge
    even = 1 - unevenness / (2 * UNEVEN)
    return clean**2 * outside / (40 + outside) * min(1.0, len(marks) / 6) * even * deepest / 255
