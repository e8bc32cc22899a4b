"""What is true of a synthetic sample, measured on its final pixels and masks; everything said follows from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import cv2
import numpy as np

from assistant.inspection import (
    Inspection,
    Region,
    cells_of,
    severity_of,
)
from assistant.look import contrast_of, ring_width, shape_of, spread_of, tone_of
from data_gen.color_words import color_word
from data_gen.synthesizers import NothingVisible, Sample

VISIBLE = 4.0  # grey levels of 255 that a pixel must differ by to count as changed
VISIBLE_SHARE = 0.25  # of a defect's pixels; moved texture agrees with what was there in some places
STRONG = 8.0  # mean change in grey levels that shows whatever the share: few flipped pixels of artwork are plain
DIRECTED = 4.0  # ratio of variances from which a region has a direction: twice as long as wide
HALF_CHANGE = 18.0  # grey levels of change that put the map's peak half way from 0.5 to 1
QUIET = 0.02  # what a good map shows where nothing is


@dataclass(frozen=True)
class DefectFacts:
    """One defect, in pixels of the photo, origin top left.

    `polygon` is the simplified outline ((x, y), ...) of the largest connected part; `box` [x0, y0, x1, y1] with
    x1, y1 exclusive; `orientation` in degrees, counter-clockwise from the horizontal, in [0, 180), None without a
    direction; `length_px` the extent along the longer axis; `contrast` the signed difference in grey levels of 255
    to the surroundings (median against a ring); `change` the mean difference to the good photo in grey levels;
    `color` words for its mean colour. `cells`, `severity`, `tone` and `shape` are as in `assistant.inspection`.
    """

    kind: str
    synthesizer: str
    polygon: tuple[tuple[int, int], ...]
    box: tuple[int, int, int, int]
    area_px: int
    area_fraction: float
    position: str
    cells: tuple[str, ...]
    orientation: float | None
    length_px: float
    contrast: float
    change: float
    severity: str
    tone: str
    shape: str
    color: str

    @property
    def peak(self) -> float:
        """What a detector's map shows of it at best, in (0.5, 1): more, the more the pixels changed."""
        return peak_of(self.change)

    def to_json(self) -> dict[str, Any]:
        """A JSON object with plain numbers, rounded to what they are exact to."""
        orientation = None if self.orientation is None else round(self.orientation, 1)
        return asdict(self) | {
            "polygon": [list(point) for point in self.polygon], "box": list(self.box), "cells": list(self.cells),
            "area_fraction": round(self.area_fraction, 6), "orientation": orientation,
            "length_px": round(self.length_px, 1), "contrast": round(self.contrast, 1), "change": round(self.change, 1),
        }  # fmt: skip


def measure(before: np.ndarray, sample: Sample) -> tuple[DefectFacts, ...]:
    """The facts of each defect of `sample`, in its order, against the good photo (H, W, 3) uint8 it was made from.

    Raises:
        NothingVisible: the mask of a defect is empty, or too few of its pixels differ in the end.
    """
    makers = sample.makers or sample.kinds
    return tuple(
        _facts(before, sample.image, mask, kind, maker)
        for (kind, mask), maker in zip(sample.defects, makers, strict=True)
    )


def _facts(before: np.ndarray, after: np.ndarray, mask: np.ndarray, kind: str, maker: str) -> DefectFacts:
    """The facts of one defect; only its box and the ring around it are looked at."""
    left, top, width, height = cv2.boundingRect(mask.view(np.uint8))
    if width == 0:
        raise NothingVisible(f"the mask of this {kind} is empty")
    box = slice(top, top + height), slice(left, left + width)
    own = mask[box]
    red, green, blue = cv2.split(cv2.absdiff(after[box], before[box]))
    changed = np.maximum(np.maximum(red, green), blue)[own]
    change, fraction = float(changed.mean()), len(changed) / mask.size
    if change < STRONG and np.count_nonzero(changed > VISIBLE) < max(VISIBLE_SHARE * len(changed), 1):
        raise NothingVisible(f"this {kind} does not show")
    contrast = _contrast(after, mask, box)
    cells = cells_of(own, (top, left), mask.shape)
    outlines, _ = cv2.findContours(own.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE, offset=(left, top))
    shape, orientation, length = _build(own, np.concatenate(outlines)[:, 0])
    return DefectFacts(
        kind=kind, synthesizer=maker, polygon=_polygon(outlines), box=(left, top, left + width, top + height),
        area_px=len(changed), area_fraction=fraction, position=cells[0], cells=cells, orientation=orientation,
        length_px=length, contrast=contrast, change=change, severity=severity_of(fraction, peak_of(change)),
        tone=tone_of(contrast), shape=shape, color=color_word(cv2.mean(after[box], own.astype(np.uint8))[:3]),
    )  # fmt: skip


def peak_of(change: float) -> float:
    """Grey levels of change -> peak of the map in [0.5, 1)."""
    return 1 - 0.5 * HALF_CHANGE / (HALF_CHANGE + change)


def _contrast(after: np.ndarray, mask: np.ndarray, box: tuple[slice, slice]) -> float:
    """Signed contrast to the surroundings in grey levels, as live regions measure it."""
    ring = ring_width(mask.shape)
    window = (
        slice(max(box[0].start - ring, 0), box[0].stop + ring),
        slice(max(box[1].start - ring, 0), box[1].stop + ring),
    )
    grey = cv2.transform(after[window].astype(np.float32), np.full((1, 3), 1 / 3, np.float32))
    return contrast_of(mask[window], grey, ring)


def _build(mask: np.ndarray, outline: np.ndarray) -> tuple[str, float | None, float]:
    """(shape, orientation in degrees or None, extent in pixels along the longer axis); `outline` (n, 2) is (x, y)."""
    area = int(np.count_nonzero(mask))
    if area < 4:
        return "compact", None, float(max(mask.shape))
    spread = spread_of(mask)
    values, axes = np.linalg.eigh(spread)
    down, right = axes[:, 1]
    along = outline @ np.array([right, down])
    angle = float(np.degrees(np.arctan2(-down, right)) % 180)  # rows count downwards
    directed = values[1] / values[0] > DIRECTED
    return shape_of(area, spread), angle if directed else None, float(along.max() - along.min()) + 1


def _polygon(outlines: Sequence[np.ndarray]) -> tuple[tuple[int, int], ...]:
    """The largest of some outlines, simplified to about a pixel or a 100th of its length."""
    largest = max(outlines, key=lambda outline: cv2.contourArea(outline) + len(outline))  # a hairline has no area
    simple = cv2.approxPolyDP(largest, max(0.7, 0.01 * cv2.arcLength(largest, True)), True)
    return tuple((x, y) for x, y in simple[:, 0].tolist())


def true_inspection(
    before: np.ndarray, sample: Sample | None, *, image: str, references: int, product: str | None = None
) -> Inspection:
    """The Inspection that a flawless detector would give: one region per defect; good when `sample` is None.

    Args:
        before: the good photo, (H, W, 3) uint8.
        sample: the photo with its defects, made from `before`.
        image, references: go into the Inspection.
        product: its name, if known; kept as a note ("product: gear").

    Raises:
        NothingVisible: as `measure`.
    """
    facts = () if sample is None else measure(before, sample)
    return inspection_of(facts, sample, before.shape, image=image, references=references, product=product)


def inspection_of(
    facts: Sequence[DefectFacts],
    sample: Sample | None,
    shape: Sequence[int],
    *,
    image: str,
    references: int,
    product: str | None = None,
) -> Inspection:
    """`true_inspection` from facts that `measure` gave for `sample`; `shape` (H, W, ...) of the photo."""
    height, width = shape[0], shape[1]
    regions = sorted((_region(fact) for fact in facts), key=lambda region: -region.area_fraction * region.peak**2)
    anomaly_map = np.full((height, width), QUIET, np.float32)
    if sample is not None:
        for (_, mask), fact in zip(sample.defects, facts, strict=True):
            _paint(anomaly_map, mask, fact)
    return Inspection(
        image=image, size=(width, height), verdict="defective" if regions else "good",
        probability=_probability(facts), regions=tuple(regions), references=references, model="truth",
        notes=() if product is None else (f"product: {product}",), anomaly_map=anomaly_map,
    )  # fmt: skip


def _region(fact: DefectFacts) -> Region:
    return Region(
        box=fact.box, area_px=fact.area_px, area_fraction=fact.area_fraction, position=fact.position, peak=fact.peak,
        severity=fact.severity, cells=fact.cells, tone=fact.tone, shape=fact.shape, type=fact.kind,
        type_probability=0.5 + 0.5 * _clarity(fact),
    )  # fmt: skip


def _clarity(fact: DefectFacts) -> float:
    """How easy a defect is to see, in (0, 1): its change over all its pixels, against a 20-level spot of 0.1 %."""
    evidence = fact.change * np.sqrt(fact.area_fraction)
    return float(1 - np.exp(-evidence / (20 * np.sqrt(0.001))))


def _probability(facts: Sequence[DefectFacts]) -> float:
    """Probability of "defective" that suits the truth: 0.02 without defects, 0.6 (barely seen) to 0.995 with."""
    return 0.6 + 0.395 * max(_clarity(fact) for fact in facts) if facts else 0.02


def _paint(anomaly_map: np.ndarray, mask: np.ndarray, fact: DefectFacts) -> None:
    """Add a defect to a map (H, W) in place: above 0.5 exactly on the mask, its peak inside, a soft fringe outside."""
    sigma = 0.01 * max(mask.shape) + 0.5
    margin = int(3 * sigma) + 1
    x0, y0, x1, y1 = fact.box
    window = slice(max(y0 - margin, 0), y1 + margin), slice(max(x0 - margin, 0), x1 + margin)
    own = mask[window]
    soft = cv2.GaussianBlur(own.astype(np.float32), (0, 0), sigma)
    inside = 0.505 + (fact.peak - 0.505) * soft / soft[own].max()
    painted = np.where(own, inside, 0.495 * soft)
    anomaly_map[window] = np.maximum(anomaly_map[window], painted)
