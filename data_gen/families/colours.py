"""Colours materials really have: a product takes one of a palette and departs from it a little."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.random import Generator

Palette = Sequence[tuple[float, float, float]]

STEELS: Palette = ((0.60, 0.61, 0.63), (0.68, 0.68, 0.67), (0.50, 0.51, 0.52), (0.42, 0.43, 0.46))
METALS: Palette = (*STEELS, (0.72, 0.60, 0.34), (0.70, 0.46, 0.33), (0.66, 0.64, 0.52), (0.24, 0.24, 0.25))
PLASTICS: Palette = (
    (0.85, 0.85, 0.83), (0.16, 0.17, 0.18), (0.13, 0.26, 0.50), (0.68, 0.13, 0.11), (0.86, 0.66, 0.14),
    (0.16, 0.44, 0.27), (0.50, 0.52, 0.54), (0.86, 0.42, 0.12), (0.76, 0.74, 0.66), (0.30, 0.52, 0.66),
)  # fmt: skip
CLOTHS: Palette = (
    (0.80, 0.76, 0.67), (0.36, 0.39, 0.44), (0.20, 0.25, 0.38), (0.52, 0.42, 0.32), (0.60, 0.24, 0.22),
    (0.36, 0.42, 0.30), (0.72, 0.70, 0.68), (0.17, 0.17, 0.19), (0.72, 0.55, 0.30), (0.46, 0.55, 0.62),
)  # fmt: skip


def pick(design: Generator, palette: Palette, spread: float = 0.06) -> np.ndarray:
    """One colour (3,) float32 of the palette, its brightness off by about `spread` (relative), its hue a little."""
    colour = np.array(palette[int(design.integers(len(palette)))])
    moved = colour * np.exp(design.normal(0, spread)) * np.exp(design.normal(0, 0.015, 3))
    return np.clip(moved, 0.02, 0.97).astype(np.float32)
