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
    """Light, white balance, focus and sensor noise over a rendered scene (H, W, 3) in [0, 1] -> uint8."""
    size = scene.shape[0]
    ramp = np.linspace(-1, 1, size, dtype=np.float32)
    angle, slope = rng.uniform(0, tau), rng.uniform(0, 0.06)
    light = 1 + slope * (np.cos(angle) * ramp[None] + np.sin(angle) * ramp[:, None]) + rng.normal(0, 0.03)
    tint = (1 + rng.normal(0, 0.01, 3)).astype(np.float32)
    picture = scene * light.astype(np.float32)[..., None] * tint
    if rng.random() < 0.5:
        picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.3, 0.8))
    grain = rng.standard_normal((size, size, 1), dtype=np.float32)
    picture = picture + grain * np.float32(rng.uniform(0.004, 0.015))
    return (np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8)


def foreground(image: np.ndarray) -> np.ndarray:
    """The part against a plain background, (H, W) bool; all True for a texture or a busy background.

    The background is what the frame shows when the frame is uniform; the part is what differs from it. Small
    windows of background inside the part count as part, a bore (over 0.8 % of the image) does not.
    """
    height, width = image.shape[:2]
    everything = np.ones((height, width), bool)
    if two_tones(image) is not None:
        return everything
    small = cv2.resize(image, (128, 128), interpolation=cv2.INTER_AREA)
    lab = cv2.GaussianBlur(cv2.cvtColor(small, cv2.COLOR_RGB2LAB), (0, 0), 1).astype(np.float32)
    frame = np.ones((128, 128), bool)
    frame[5:-5, 5:-5] = False
    rows, columns = np.indices((128, 128), np.float32) / 64 - 1
    plane = np.stack([np.ones_like(rows), rows, columns], 2)  # light falls off across a plain background
    distance = np.abs(lab - plane @ np.linalg.lstsq(plane[frame], lab[frame], rcond=None)[0]).max(2)
    spread = float(np.median(distance[frame]))
    part = (distance > max(4 * spread, 11)).astype(np.uint8)
    part = cv2.morphologyEx(part, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (7, 7)))
    part = _without_specks(_without_specks(part, 0.015), 0.008, inverse=True)
    if spread > 8 or not 0.02 < part.mean() < 0.93 or part[frame].mean() > 0.35:
        return everything
    # clouds on a texture differ little; what crosses the frame (traces of a board) must differ more
    if float(np.mean(distance[part > 0])) < max(6 * spread, 18 + 100 * min(float(part[frame].mean()), 0.25)):
        return everything
    return cv2.resize(part, (width, height), interpolation=cv2.INTER_LINEAR) > 0


def _without_specks(mask: np.ndarray, share: float, inverse: bool = False) -> np.ndarray:
    """A uint8 mask without regions (with `inverse`: without gaps) smaller than `share` of the image."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(1 - mask if inverse else mask)
    keep = stats[:, cv2.CC_STAT_AREA] >= share * mask.size
    keep[0] = False
    kept = keep[labels].astype(np.uint8)
    return 1 - kept if inverse else kept


def two_tones(image: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """The (dark, light) colours, (3,) uint8 each, of artwork with only two grey values; None for a photo."""
    step = max(min(image.shape[:2]) // 100, 1)  # a hundred rows are enough to tell
    sample = image[::step, ::step].reshape(-1, 3).astype(np.float32)
    grey = sample.mean(1)
    bright = grey > (float(grey.min()) + float(grey.max())) / 2
    if float(grey.max() - grey.min()) < 120 or not bright.any():
        return None
    dark, light = np.median(sample[~bright], 0), np.median(sample[bright], 0)
    if dark.mean() > 60 or light.mean() < 195 or max(float(np.ptp(dark)), float(np.ptp(light))) > 25:
        return None  # artwork is black and white; a grey washer on black cloth is not
    off = np.abs(sample - np.where(bright[:, None], light, dark)).max(1)
    flat = all(np.median(off[tone]) <= 6 and (off[tone] < 24).mean() > 0.7 for tone in (bright, ~bright))
    # thin traces have up to 30 % soft edge pixels of their own tone, dense artwork 12 % of all
    return (dark.astype(np.uint8), light.astype(np.uint8)) if flat and (off < 24).mean() > 0.88 else None
