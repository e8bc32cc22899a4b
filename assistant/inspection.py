"""The structured truth about one photo: anomaly map -> regions, verdict, words for place, size and look.

Live predictions and synthetic ground truth share this one type, so the dialogue writer, the scorer,
the grounding check and the web page all read the same thing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import numpy as np
from scipy import ndimage

from assistant.area import Area, bounds
from assistant.calibration import Calibration
from assistant.look import contrast_of, ring_width, shape_of, spread_of, tone_of

VERDICTS = ("defective", "good", "unsure")
POSITIONS = (
    "upper left", "upper center", "upper right",
    "center left", "center", "center right",
    "lower left", "lower center", "lower right",
)  # fmt: skip
KINDS = (
    "crack", "scratch", "stain", "hole", "dent", "break",
    "contamination", "missing part", "misplaced part", "color change", "deformation", "misprint",
)  # fmt: skip
SEVERITIES = ("minor", "moderate", "severe")
TONES = ("darker", "brighter", "similar")
SHAPES = ("thin", "compact", "irregular")

REGION_LEVEL = 0.5  # the map is trained so that 0.5 means "as likely anomalous as not"
MAX_REGIONS = 6  # more islands than this are one scattered defect, not news
ANALYSIS_SIDE = 384  # regions are found on at most this many pixels a side; finer than any encoder's grid
MIN_TYPE_PROBABILITY = 0.4  # below this a kind is not named; of synthetic defects above it 60 % are named rightly


@dataclass(frozen=True)
class Region:
    """One anomalous region, in pixels of the photo as uploaded, origin top left.

    `box` is [x0, y0, x1, y1] with x1, y1 exclusive; `area_fraction` in (0, 1] of the photo; `position`
    and every entry of `cells` (all 3x3 cells that the region covers noticeably, its own first) come
    from `POSITIONS`; `peak` in [0, 1] is the map's maximum; `tone` and `shape` describe its look.
    """

    box: tuple[int, int, int, int]
    area_px: int
    area_fraction: float
    position: str
    peak: float
    severity: str
    cells: tuple[str, ...] = ()
    tone: str = "similar"
    shape: str = "compact"
    type: str | None = None
    type_probability: float | None = None

    def __post_init__(self) -> None:
        x0, y0, x1, y1 = self.box
        assert 0 <= x0 < x1 and 0 <= y0 < y1, f"empty or negative box {self.box}"
        assert self.position in POSITIONS and self.severity in SEVERITIES, (self.position, self.severity)
        assert self.tone in TONES and self.shape in SHAPES, (self.tone, self.shape)
        assert self.type is None or self.type in KINDS, self.type
        if not self.cells:
            object.__setattr__(self, "cells", (self.position,))

    def to_json(self) -> dict[str, Any]:
        return {
            "box": list(self.box), "area_px": self.area_px, "area_fraction": round(self.area_fraction, 6),
            "position": self.position, "cells": list(self.cells), "peak": round(self.peak, 4),
            "type": self.type,
            "type_probability": None if self.type_probability is None else round(self.type_probability, 4),
            "severity": self.severity, "tone": self.tone, "shape": self.shape,
        }  # fmt: skip


@dataclass(frozen=True)
class Inspection:
    """What was found on one photo.

    `size` is (width, height) in pixels; `probability` in [0, 1] is the calibrated probability of
    "defective"; `regions` are sorted by weight (peak x area), heaviest first, and empty exactly when the
    verdict is "good"; `references` counts the normal photos compared with; `map` is the path of the map
    image when one was written; `notes` are remarks to the user (a reference that looks like another
    product); `area` is what of the photo all this is about, None for all of it; `anomaly_map` is (H, W) float32
    in [0, 1], higher is more anomalous, 0 outside the area.
    """

    image: str
    size: tuple[int, int]
    verdict: str
    probability: float
    regions: tuple[Region, ...] = ()
    references: int = 0
    model: str = "tiny"
    seconds: float = 0.0
    map: str | None = None
    notes: tuple[str, ...] = ()
    area: Area | None = None
    anomaly_map: np.ndarray | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        assert self.verdict in VERDICTS, self.verdict
        assert 0.0 <= self.probability <= 1.0, self.probability
        assert bool(self.regions) != (self.verdict == "good"), "regions and verdict disagree"

    @classmethod
    def from_map(
        cls,
        anomaly_map: np.ndarray,
        *,
        probability: float,
        calibration: Calibration,
        photo: np.ndarray | None = None,
        kind_map: np.ndarray | None = None,
        area: Area | None = None,
        **about: Any,
    ) -> "Inspection":
        """Read regions and verdict off an anomaly map.

        Args:
            anomaly_map: (H, W) float in [0, 1].
            probability: calibrated probability that the part is defective, in [0, 1].
            calibration: turns the probability into a verdict.
            photo: (H, W, 3) uint8, for the look of a region; without it the tone is "similar".
            kind_map: (K, h, w) probabilities of `KINDS` on any grid over the same photo, or None.
            area: what of the photo is judged; None for all of it. The probability is of this area too.
            about: the remaining fields (`image`, `references`, `model`, `seconds`, `notes`).
        """
        verdict = calibration.verdict(probability)
        inside = None if area is None else area.mask
        if inside is not None:
            anomaly_map = np.where(inside, anomaly_map, np.float32(0))
        regions = () if verdict == "good" else find_regions(anomaly_map, photo=photo, kind_map=kind_map, inside=inside)
        height, width = anomaly_map.shape
        return cls(
            size=(width, height), verdict=verdict, probability=float(probability), regions=regions,
            area=area, anomaly_map=anomaly_map, **about,
        )  # fmt: skip

    def regions_in(self, cell: str) -> tuple[Region, ...]:
        """The regions that cover the given 3x3 cell noticeably."""
        return tuple(region for region in self.regions if cell in region.cells)

    def judges(self, place: str) -> bool:
        """Is any of a 3x3 cell, or of a side ("left", "upper"), in the area that was judged?"""
        if self.area is None:
            return True
        cells = [i for i, cell in enumerate(POSITIONS) if place == cell or (place not in POSITIONS and place in cell)]
        (left, top), mask = _thirds(self.size), self.area.mask
        return any(mask[top[i // 3] : top[i // 3 + 1], left[i % 3] : left[i % 3 + 1]].any() for i in cells)

    def with_map_path(self, path: str) -> "Inspection":
        """The same, with the path of the written map image."""
        return replace(self, map=path)

    def to_json(self) -> dict[str, Any]:
        """The JSON object of the command line contract (without the map's pixels)."""
        return {
            "image": self.image, "size": list(self.size), "verdict": self.verdict,
            "probability": round(self.probability, 4),
            "regions": [region.to_json() for region in self.regions],
            "references": self.references, "map": self.map, "model": self.model,
            "seconds": round(self.seconds, 4), "notes": list(self.notes),
            "area": None if self.area is None else self.area.to_json(),
        }  # fmt: skip


def find_regions(
    anomaly_map: np.ndarray,
    *,
    photo: np.ndarray | None = None,
    kind_map: np.ndarray | None = None,
    inside: np.ndarray | None = None,
) -> tuple[Region, ...]:
    """Connected parts of the map above `REGION_LEVEL`, heaviest (peak x area) first, at most `MAX_REGIONS`.

    A map that stays below the level still names its strongest place (above half its own peak), for the
    caller has already decided that something is there.

    Args:
        anomaly_map: (H, W) float in [0, 1].
        photo: (H, W, 3) uint8 or None.
        kind_map: (K, h, w) probabilities of `KINDS` or None.
        inside: (H, W) bool, outside of which the map is 0; None for all of the photo.
    """
    step = max(1, -(-max(anomaly_map.shape) // ANALYSIS_SIDE))
    if inside is not None and not inside[::step, ::step].any():
        step = 1  # an area so small that it slips through
    grid, judged = anomaly_map[::step, ::step], None if inside is None else inside[::step, ::step]
    grey = None if photo is None else photo[::step, ::step].mean(axis=2)
    level = min(REGION_LEVEL, 0.5 * float(grid.max()))
    labels, count = ndimage.label(grid > level, structure=np.ones((3, 3)))
    if count == 0:  # a perfectly flat map: its level is nowhere exceeded
        labels, count = np.ones(grid.shape, dtype=int) if judged is None else judged.astype(int), 1
    index = np.arange(1, count + 1)
    areas = ndimage.sum_labels(np.ones_like(grid), labels, index)
    peaks = ndimage.maximum(grid, labels, index)
    weights = areas * np.asarray(peaks) ** 2
    # Specks next to a far heavier region are crumbs of interpolation, not defects of their own.
    kept = [i for i in np.argsort(-weights)[:MAX_REGIONS] if weights[i] >= 0.02 * weights.max()]
    slices = ndimage.find_objects(labels)
    limits = (0, 0, *anomaly_map.shape[::-1]) if inside is None else bounds(inside)
    return tuple(
        _describe(labels == i + 1, slices[i], float(peaks[i]), step, anomaly_map.shape, limits, judged, grey, kind_map)
        for i in kept
    )


def _describe(
    mask: np.ndarray,
    window: tuple[slice, slice],
    peak: float,
    step: int,
    shape: Sequence[int],
    limits: tuple[int, int, int, int],
    judged: np.ndarray | None,
    grey: np.ndarray | None,
    kind_map: np.ndarray | None,
) -> Region:
    """One region from its mask on the analysis grid (every `step`-th pixel of the (H, W) photo), boxed in `limits`."""
    rows, columns = window
    height, width = shape[0], shape[1]
    box = (
        columns.start * step, rows.start * step,
        min(columns.stop * step, limits[2]), min(rows.stop * step, limits[3]),
    )  # fmt: skip
    fraction = float(mask.mean())
    area = int(np.count_nonzero(mask))
    cells = cells_of(mask, judged=judged)
    kind, kind_probability = _kind_of(mask, kind_map)
    return Region(
        box=box, area_px=max(1, round(fraction * height * width)), area_fraction=fraction,
        position=cells[0], cells=cells, peak=min(1.0, peak), severity=severity_of(fraction, peak),
        tone="similar" if grey is None else tone_of(contrast_of(mask, grey, ring_width(mask.shape))),
        shape="compact" if area < 4 else shape_of(area, spread_of(mask[window])),
        type=kind, type_probability=kind_probability,
    )  # fmt: skip


def cells_of(
    mask: np.ndarray,
    origin: tuple[int, int] = (0, 0),
    shape: Sequence[int] | None = None,
    judged: np.ndarray | None = None,
) -> tuple[str, ...]:
    """The 3x3 cells a (h, w) mask covers: the centroid's cell first, then all with >= 15 % of its area.

    `mask` may be a window of a photo of `shape` (H, W) whose upper left corner is at `origin` (y, x). Where nothing of
    the centroid's cell is `judged` (h, w) (a ring around what is left out), the cell with most of the mask goes first.
    """
    height, width = mask.shape if shape is None else (shape[0], shape[1])
    down, across = np.count_nonzero(mask, axis=1), np.count_nonzero(mask, axis=0)
    area = int(down.sum())
    y = int(down @ np.arange(len(down))) / area + origin[0]
    x = int(across @ np.arange(len(across))) / area + origin[1]
    own = int(y * 3 // height) * 3 + int(x * 3 // width)
    tops, lefts = (  # where the thirds begin in the window
        [max(third - start, 0) for third in thirds]
        for thirds, start in zip(_thirds((height, width)), origin, strict=True)
    )
    counts = [np.count_nonzero(mask[y0:y1, x0:x1]) for y0, y1 in pairwise(tops) for x0, x1 in pairwise(lefts)]
    share = np.array(counts) / area
    rows, columns = (slice(thirds[i], thirds[i + 1]) for thirds, i in zip((tops, lefts), divmod(own, 3), strict=True))
    if judged is not None and not judged[rows, columns].any():
        own = int(share.argmax())
    others = [int(i) for i in np.argsort(-share) if share[i] >= 0.15 and i != own]
    return tuple(POSITIONS[i] for i in [own, *others])


def _thirds(sides: Sequence[int]) -> tuple[list[int], list[int]]:
    """Where the thirds of two sides begin, and their ends."""
    one, other = ([-(-third * side // 3) for third in range(4)] for side in sides)
    return one, other


def severity_of(area_fraction: float, peak: float) -> str:
    """Severity from measured size and how far the map stands out: area fraction x peak.

    Under 0.5 % of the photo is "minor", under 4 % "moderate", above it "severe".
    """
    weight = area_fraction * peak
    return SEVERITIES[int(weight >= 0.005) + int(weight >= 0.04)]


def _kind_of(mask: np.ndarray, kind_map: np.ndarray | None) -> tuple[str | None, float | None]:
    """The kind with the highest mean probability inside the region, or None where none stands out."""
    if kind_map is None:
        return None, None
    _, height, width = kind_map.shape
    ys, xs = np.nonzero(mask)
    weight = np.zeros((height, width))
    np.add.at(weight, (ys * height // mask.shape[0], xs * width // mask.shape[1]), 1.0)
    probabilities = (kind_map * weight).sum(axis=(1, 2)) / weight.sum()
    best = int(probabilities.argmax())
    probability = float(probabilities[best])
    return (KINDS[best], probability) if probability >= MIN_TYPE_PROBABILITY else (None, None)
