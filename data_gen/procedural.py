"""Procedural normal photos: products one can photograph again and again, and what a photo of one shows.

A *product* is a family and a seed: colours, layout and texture scale come from the product seed alone. A
*photo* of it draws everything that differs between two good pieces (light, pose, grain, noise) from its
own generator. The families are listed in `data_gen.families`.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from math import tau

import cv2
import numpy as np
from numpy.random import Generator

from data_gen.families import FAMILIES


@dataclass(frozen=True)
class Product:
    """One design of one family; its photos differ as photos of good pieces of one product do."""

    family: str
    seed: int

    def photo(self, rng: Generator, size: int = 256) -> np.ndarray:
        """One good piece, (size, size, 3) uint8; same product and same generator state, same bytes."""
        design = np.random.default_rng([self.seed, zlib.crc32(self.family.encode())])
        return _photograph(FAMILIES[self.family](design, rng, size), rng)


def random_product(rng: Generator) -> Product:
    """A product of a family drawn evenly from `FAMILIES`."""
    return Product(str(rng.choice(sorted(FAMILIES))), int(rng.integers(2**31)))


def _photograph(scene: np.ndarray, rng: Generator) -> np.ndarray:
    """Exposure, white balance, falling light, focus and sensor noise over (H, W, 3) in [0, 1] -> uint8."""
    size = scene.shape[0]
    ramp = np.linspace(-1, 1, size, dtype=np.float32)
    angle, slope, vignette = rng.uniform(0, tau), rng.uniform(0, 0.08), rng.uniform(0, 0.05)
    warmth, exposure = rng.normal(0, 0.012), 1 + rng.normal(0, 0.03)
    across = np.float32(slope * np.cos(angle)) * ramp - np.float32(vignette) * ramp * ramp
    down = np.float32(slope * np.sin(angle)) * ramp - np.float32(vignette) * ramp * ramp
    tint = (exposure * np.array([1 + warmth, 1, 1 - warmth])).astype(np.float32)
    light = 1 + across[None] + down[:, None]
    picture = scene * cv2.merge([light * part for part in tint])
    picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.2, 0.75) * max(size / 256, 0.5))
    noise = rng.standard_normal((size, size), dtype=np.float32) * np.float32(rng.uniform(0.004, 0.013))
    noise *= np.sqrt(np.float32(0.35) + picture[..., 1])  # a sensor's noise grows with the light
    picture = picture + cv2.merge((noise, noise, noise))
    return (np.clip(picture, 0, 1) * 255 + np.float32(0.5)).astype(np.uint8)
