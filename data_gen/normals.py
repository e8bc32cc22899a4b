"""Good photos by sample number: what a folder of them and rendered products have in common."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.random import Generator
from PIL import Image

from data_gen.product_statistics import ProductStatistics


@dataclass(frozen=True)
class Picture:
    """A stored photo: its name, and PNG data that decode to (H, W, 3) uint8."""

    name: str
    data: bytes

    def pixels(self) -> np.ndarray:
        """(H, W, 3) uint8."""
        with Image.open(io.BytesIO(self.data)) as image:
            return np.array(image)


@dataclass(frozen=True)
class Scene:
    """A good photo, (H, W, 3) uint8, and reference photos of the same product.

    `product` is a word for it where one is known; `group` names the photos that belong together. `alone` says
    that the only reference to be had is this very photo.
    """

    name: str
    group: str
    product: str | None
    photo: np.ndarray
    references: tuple[Picture, ...]
    alone: bool = False


class Normals(Protocol):
    """Good photos by sample number; the same number and generator state give the same scene anywhere."""

    def scene(self, index: int, rng: Generator, references: int) -> Scene: ...

    def statistics(self, index: int, scene: Scene) -> ProductStatistics:
        """What is usual for the product of scene `index`."""
        ...

    @property
    def digest(self) -> str:
        """Changes whenever a photo does."""
        ...


def encode(image: np.ndarray) -> bytes:
    """(H, W, 3) uint8 -> PNG data, the same for the same pixels; level 1 is as small as most photos get."""
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, format="PNG", compress_level=1)
    return stream.getvalue()
