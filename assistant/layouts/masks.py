"""The ways in which a layout says where a defect is: mask files, boxes, polygons, run lengths."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from assistant import UserError
from assistant.images import Box, load_image

SAME_ASPECT = 0.1  # by so much width to height of a mask may differ from its photo's, relative: one of them is rounded


def resized(mask: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """A mask (H, W) bool at another size; a defect however small survives."""
    if mask.shape == shape:
        return mask
    share = cv2.resize(mask.astype(np.float32), shape[::-1], interpolation=cv2.INTER_AREA)
    return share >= 0.5 if (share >= 0.5).any() else share > 0


@dataclass(frozen=True)
class MaskFiles:
    """One or several mask pictures of the same photo; their union counts."""

    paths: tuple[Path, ...]

    def __call__(self, shape: tuple[int, int]) -> np.ndarray:
        """(H, W) bool; UserError where a file cannot be read as an image, or is of another aspect ratio."""
        union = np.zeros(shape, bool)
        for path in self.paths:
            values = load_image(path).max(axis=2)
            if abs(values.shape[1] * shape[0] / (values.shape[0] * shape[1]) - 1) > SAME_ASPECT:
                raise UserError(
                    f"the mask {path} is {values.shape[1]} x {values.shape[0]} pixels, of another shape than its photo",
                    "save it at the photo's size",
                )
            # Masks hold 0 and 255, blurred where someone saved a JPEG, or the small number of a class.
            union |= resized(values > 127 if values.max() > 127 else values > 0, shape)
        return union


@dataclass(frozen=True)
class Polygons:
    """Polygons, each (n, 2) of x, y as fractions of width and height; a box is a polygon of four corners."""

    rings: tuple[tuple[tuple[float, float], ...], ...]

    def __call__(self, shape: tuple[int, int]) -> np.ndarray:
        """(H, W) bool."""
        canvas = np.zeros(shape, np.uint8)
        for ring in self.rings:
            points = np.array(ring) * (shape[1], shape[0])
            # pixel centres lie at .5, and a box that ends at x covers the pixel before it
            cv2.fillPoly(canvas, [np.clip(points, 0, (shape[1] - 1, shape[0] - 1)).round().astype(np.int32)], 1)
        return canvas > 0


def box(x: float, y: float, width: float, height: float) -> tuple[tuple[float, float], ...]:
    """The ring of a box with its upper left corner at (x, y)."""
    return ((x, y), (x + width, y), (x + width, y + height), (x, y + height))


@dataclass(frozen=True)
class Boxes:
    """Boxes [x0, y0, x1, y1] in pixels of a photo of `size` (height, width)."""

    boxes: tuple[Box, ...]
    size: tuple[int, int]

    def __call__(self, shape: tuple[int, int]) -> np.ndarray:
        """(H, W) bool."""
        whole = np.zeros(self.size, bool)
        for x0, y0, x1, y1 in self.boxes:
            whole[max(y0, 0) : y1, max(x0, 0) : x1] = True
        return resized(whole, shape)


@dataclass(frozen=True)
class RunLengths:
    """COCO's run lengths: zeros and ones in turn, column by column, over a photo of `size` (height, width)."""

    counts: tuple[int, ...]
    size: tuple[int, int]

    def __call__(self, shape: tuple[int, int]) -> np.ndarray:
        """(H, W) bool."""
        flat = np.repeat(np.arange(len(self.counts)) % 2 == 1, self.counts)
        whole = np.zeros(self.size[0] * self.size[1], bool)
        whole[: len(flat)] = flat[: len(whole)]
        return resized(whole.reshape(self.size[::-1]).T, shape)


@dataclass(frozen=True)
class Union:
    """Several masks of one photo together."""

    parts: Sequence[Polygons | RunLengths]

    def __call__(self, shape: tuple[int, int]) -> np.ndarray:
        """(H, W) bool."""
        return np.logical_or.reduce([part(shape) for part in self.parts])
