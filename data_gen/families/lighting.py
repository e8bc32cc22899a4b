"""Light on a height field: diffuse, highlight and shadow from one lamp and a bright room."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, hypot, sin, tau

import cv2
import numpy as np
from numpy.random import Generator

from data_gen.shading import tinted


@dataclass(frozen=True)
class Light:
    """One lamp: where in the photo it stands (radians from the right, clockwise) and how high; and the room."""

    angle: float
    elevation: float  # radians above the table, (0, pi / 2)
    room: float  # share of the light that comes from everywhere, [0, 1]

    @classmethod
    def draw(cls, design: Generator, instance: Generator) -> Light:
        """The stand of a product, which moves a little from photo to photo."""
        angle, elevation, room = design.uniform(0, tau), design.uniform(0.7, 1.15), design.uniform(0.35, 0.6)
        return cls(angle + instance.normal(0, 0.12), elevation + instance.normal(0, 0.03), room)

    @property
    def direction(self) -> tuple[float, float, float]:
        """Unit vector (right, down, up) towards the lamp."""
        flat = cos(self.elevation)
        return cos(self.angle) * flat, sin(self.angle) * flat, sin(self.elevation)


def lit(albedo: np.ndarray, height: np.ndarray, light: Light, gloss: float = 0.1, shine: float = 20.0) -> np.ndarray:
    """Colour (H, W, 3) in [0, 1] of a surface of `albedo` ((3,) or (H, W, 3)) and `height` (H, W) in half images.

    Level ground keeps its albedo. `gloss` is the strength of the highlight (Blinn-Phong), `shine` its sharpness.
    """
    height = np.asarray(height, np.float32)
    scale = height.shape[0] / 16  # Sobel sums eight differences of one pixel; a half image has H / 2 pixels
    right = cv2.Sobel(height, cv2.CV_32F, 1, 0, scale=-scale)
    down = cv2.Sobel(height, cv2.CV_32F, 0, 1, scale=-scale)
    length = 1 / np.sqrt(1 + right * right + down * down)
    x, y, z = (np.float32(part) for part in light.direction)
    lamp = np.maximum((right * x + down * y + z) * length, 0) * (1 / z)
    shading = np.float32(light.room) * (0.4 + 0.6 * length) + np.float32(1 - light.room) * lamp
    if not gloss:
        return np.clip(tinted(shading, albedo), 0, 1)
    half = hypot(hypot(float(x), float(y)), 1 + float(z))
    hx, hy, hz = (np.float32(part / half) for part in (x, y, 1 + z))
    highlight = cv2.pow(np.clip((right * hx + down * hy + hz) * length, 0, 1), shine) - np.float32(hz**shine)
    highlight = np.maximum(highlight, np.float32(0.3) * highlight) * np.float32(gloss)  # dark metal keeps its colour
    return np.clip(tinted(shading, albedo) + cv2.merge((highlight, highlight, highlight)), 0, 1)


def bevel(distance: np.ndarray, width: float, depth: float | None = None) -> np.ndarray:
    """Height (H, W) in half images of a body whose edge is rounded over `width`, from its signed distance."""
    inside = np.clip(distance * np.float32(-1 / width), 0, 1)
    return inside * (2 - inside) * np.float32(width if depth is None else depth)
