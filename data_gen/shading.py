"""Colour and light on pixels: what the products and the defects are painted with."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.random import Generator


def random_colour(design: Generator, low: float, high: float, saturation: float = 0.1) -> np.ndarray:
    """A random colour (3,) float32 with brightness in [low, high]; `saturation` in [0, 1]."""
    hue = design.random() * 6
    wheel = np.clip(np.abs((hue + np.array([0.0, 4.0, 2.0])) % 6 - 3) - 1, 0, 1)
    return (design.uniform(low, high) * (1 - saturation * (1 - wheel))).astype(np.float32)


def lay(scene: np.ndarray, coverage: np.ndarray, colour: np.ndarray) -> np.ndarray:
    """`colour`, (3,) or (H, W, 3), over `scene` where `coverage` (H, W) is 1."""
    if colour.ndim == 3:
        return scene + cv2.merge((coverage, coverage, coverage)) * (colour - scene)
    # channel by channel: broadcasting over a last axis of three costs numpy three times as much
    return cv2.merge([layer + coverage * (part - layer) for layer, part in zip(cv2.split(scene), colour, strict=True)])


def shade(base: np.ndarray, shading: np.ndarray) -> np.ndarray:
    """Colour (3,) or (H, W, 3) times 1 + shading (H, W), in [0, 1]."""
    return np.clip(tinted(1 + shading, base), 0, 1)


def tinted(light: np.ndarray, colour: np.ndarray) -> np.ndarray:
    """Light (H, W) on a colour, (3,) or (H, W, 3): their product (H, W, 3), clipped nowhere."""
    if colour.ndim == 3:
        return colour * cv2.merge((light, light, light))
    return cv2.merge([light * part for part in colour])


def relief(height: np.ndarray, light: float) -> np.ndarray:
    """Shading (H, W) float32, about 0 on flat ground, of a height field lit from angle `light` (radians)."""
    slope_x, slope_y = cv2.Sobel(height, cv2.CV_32F, 1, 0), cv2.Sobel(height, cv2.CV_32F, 0, 1)
    return (slope_x * np.float32(np.cos(light)) + slope_y * np.float32(np.sin(light))) / np.float32(8)
