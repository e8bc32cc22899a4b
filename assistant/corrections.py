"""What people have said of places on photos of a product: this is acceptable, this is a defect."""

import hashlib
import os
from collections.abc import Hashable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from assistant.images import ImageSource, load_image
from assistant.inspection import REGION_LEVEL, Inspection, Region


@dataclass(frozen=True, eq=False)
class Mark:
    """A place on a photo.

    `mask` is a picture of the photo's size, not black where the mark is, or an array (H, W) bool; `kind` is what the
    user calls the defect, in free words, empty for what is acceptable. Both pictures are read when they are needed.
    """

    photo: ImageSource
    mask: ImageSource
    kind: str = ""

    @cached_property
    def key(self) -> Hashable:
        """The same for the same mark, without decoding its pictures; it changes when their files do."""
        return (*(_identity(source) for source in (self.photo, self.mask)), self.kind)

    def load(self) -> tuple[np.ndarray, np.ndarray]:
        """The photo, (H, W, 3) uint8, and the mask, (H, W) bool. Raises UserError where one cannot be read."""
        red, green, blue = np.moveaxis(load_image(self.mask), 2, 0)
        return load_image(self.photo), (red | green | blue) > 0  # ten times as fast as a maximum over three


@dataclass(frozen=True, eq=False)
class Corrections:
    """All that holds for a product at a time; a later set is a new object."""

    accepted: tuple[Mark, ...] = ()
    defects: tuple[Mark, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.accepted or self.defects)

    @property
    def key(self) -> Hashable:
        """The same for the same marks."""
        return tuple(mark.key for mark in self.accepted), tuple(mark.key for mark in self.defects)

    def without(self, defect: Mark) -> "Corrections":
        """The same but for one of the defects."""
        return Corrections(self.accepted, tuple(mark for mark in self.defects if mark.key != defect.key))


NO_CORRECTIONS = Corrections()


def mask_of(inspection: Inspection, region: Region) -> np.ndarray:
    """The pixels of a region that was found, (H, W) bool: those in its box that made it a region."""
    assert inspection.anomaly_map is not None, "the region's pixels are in the map"
    x0, y0, x1, y1 = region.box
    mask = np.zeros(inspection.anomaly_map.shape, bool)
    window = inspection.anomaly_map[y0:y1, x0:x1]
    mask[y0:y1, x0:x1] = window > min(REGION_LEVEL, 0.5 * region.peak)
    return mask


def _identity(source: ImageSource) -> Hashable:
    """A file is known by its name and its time of change, what lies in memory by its contents."""
    if isinstance(source, str | os.PathLike):
        path = Path(source)
        return str(path), path.stat().st_mtime_ns if path.is_file() else None
    values = np.ascontiguousarray(source if not isinstance(source, bytes | bytearray) else np.frombuffer(source, "u1"))
    return values.shape, hashlib.blake2b(values.tobytes(), digest_size=16).digest()
