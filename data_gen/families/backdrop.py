"""A part on a plain background: the background, its shadow, its rounded edge."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.random import Generator

from data_gen.families.geometry import solid
from data_gen.noise import perlin_noise
from data_gen.shading import lay, random_colour, relief


def backdrop(design: Generator, instance: Generator, size: int, avoid: np.ndarray) -> np.ndarray:
    """A plain background (size, size, 3), nearly even: black, grey, white or coloured paper.

    It keeps 0.25 in brightness away from `avoid`, the part's colour: one picks a background that shows it.
    """
    kind, level = design.random(), float(np.mean(avoid))
    if kind < 0.4:
        colour = random_colour(design, 0.03, 0.12)
    else:
        colour = random_colour(design, 0.35, 0.95, 0.25 if kind > 0.8 else 0.04)
    if abs(float(colour.mean()) - level) < 0.25:
        colour = colour * np.float32((level - 0.3 if level > 0.45 else level + 0.35) / float(colour.mean()))
    grain = perlin_noise((size, size), size / 3, instance) * np.float32(0.008)
    return np.clip(colour + grain[..., None], 0, 1)


def place(scene: np.ndarray, distance: np.ndarray, part: np.ndarray, light: float) -> np.ndarray:
    """The part (H, W, 3) on its backdrop with a soft contact shadow away from `light`."""
    coverage, size = solid(distance), distance.shape[0]
    dx, dy = -np.cos(light) * 0.02 * size, -np.sin(light) * 0.02 * size
    move = np.array([[1, 0, dx], [0, 1, dy]], np.float32)
    shadow = cv2.GaussianBlur(cv2.warpAffine(coverage, move, (size, size)), (0, 0), 0.02 * size)
    return lay(scene * (1 - 0.45 * shadow[..., None]), coverage, part)


def dome(distance: np.ndarray, bevel: float, light: float) -> np.ndarray:
    """Shading (H, W) of a part whose edge is rounded over `bevel` (half images), from its signed distance."""
    depth = np.clip(-distance / np.float32(bevel), 0, 1)
    return relief(np.sqrt(depth * (2 - depth)) * np.float32(bevel * distance.shape[0] / 2), light)
