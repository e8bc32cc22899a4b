"""Noise measured in images rather than pixels, so that a product looks the same at every size."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.random import Generator

FINEST = 1 / 320  # of an image: the smallest feature drawn; finer than this a photo shows its own noise


def grain(size: int, cell: float | tuple[float, float], rng: Generator) -> np.ndarray:
    """Smooth noise (size, size) float32, mean about 0, std about 1, features of `cell` images.

    `cell` may be (down, across) for stretched grain. The lattice depends on `cell` alone: another `size` shows the
    same field, and what is finer than a pixel is averaged away.
    """
    down, across = (max(c, FINEST) for c in ((cell, cell) if isinstance(cell, (int, float)) else cell))
    lattice = rng.standard_normal((int(1 / down) + 3, int(1 / across) + 3), dtype=np.float32)
    top, left = rng.random(2)
    if down == across:
        field = _resized(lattice, across * size, down * size)
    else:  # one way may shrink while the other grows
        field = _resized(_resized(lattice, across * size, 1), 1, down * size)
    y, x = int(top * (field.shape[0] - size)), int(left * (field.shape[1] - size))
    return np.ascontiguousarray(field[y : y + size, x : x + size])


def clouds(size: int, cell: float, rng: Generator, octaves: int = 4, gain: float = 0.55) -> np.ndarray:
    """Fractal sum of `grain`, (size, size) float32, mean about 0, std about 1; `cell` is the coarsest."""
    total, power = np.zeros((size, size), np.float32), 0.0
    for octave in range(octaves):
        total += grain(size, cell / 2**octave, rng) * np.float32(gain**octave)
        power += gain ** (2 * octave)
    return total / np.float32(np.sqrt(power))


def along(position: np.ndarray, steps: int, rng: Generator) -> np.ndarray:
    """Smooth noise of one coordinate: `position` (H, W) in [0, 1] over `steps` random knots; std about 1."""
    knots = rng.standard_normal(steps + 2).astype(np.float32)
    at = np.clip(position, 0, 1) * np.float32(steps)
    step = at.astype(np.int32)
    rest = at - step.astype(np.float32)
    return (knots[step] + rest * (knots[step + 1] - knots[step])) * np.float32(1.2)


def _resized(lattice: np.ndarray, across: float, down: float) -> np.ndarray:
    """The lattice with so many pixels per knot, cubic; knots under a pixel are averaged."""
    width, height = (
        int(np.ceil(knots * pixels)) for knots, pixels in zip(lattice.shape[::-1], (across, down), strict=True)
    )
    how = cv2.INTER_CUBIC if min(across, down) >= 1 else cv2.INTER_AREA
    field = cv2.resize(lattice, (width, height), interpolation=how)
    lost = 1.14 ** ((across >= 1.5) + (down >= 1.5))  # what the cubic takes off the spread, each way
    return field * np.float32(lost) if lost > 1 else field
