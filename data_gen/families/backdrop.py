"""What a part lies on: paper, cloth, a metal table, felt or rubber; and the shadow it throws there."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.random import Generator

from data_gen.families.colours import CLOTHS, STEELS, Palette, pick
from data_gen.families.geometry import pose, solid
from data_gen.families.grain import grain
from data_gen.families.lighting import Light
from data_gen.shading import lay, shade, tinted

DARK: Palette = ((0.06, 0.06, 0.07), (0.09, 0.09, 0.09), (0.05, 0.07, 0.11), (0.13, 0.13, 0.14))
PAPERS: Palette = ((0.93, 0.93, 0.92), (0.86, 0.85, 0.82), (0.66, 0.67, 0.68), (0.75, 0.80, 0.84), (0.78, 0.68, 0.54))
SHOWS = 0.27  # brightness by which a backdrop keeps off the part's: one picks a background that shows it


def backdrop(design: Generator, instance: Generator, size: int, avoid: np.ndarray) -> np.ndarray:
    """A nearly even background (size, size, 3) whose brightness keeps off that of `avoid`, the part's colour (3,)."""
    kind = str(design.choice(["dark", "paper", "paper", "cloth", "metal", "mat"]))
    palette: dict[str, Palette] = {"dark": DARK, "paper": PAPERS, "cloth": CLOTHS, "metal": STEELS, "mat": CLOTHS}
    colour, level = pick(design, palette[kind]), float(np.mean(avoid))
    colour = colour + np.float32(0.4) * (colour.mean() - colour)  # the part is what should catch the eye
    if abs(float(colour.mean()) - level) < SHOWS:
        away, now = level - SHOWS if level > 0.45 else level + SHOWS, float(colour.mean())
        colour = colour * (away / now) if away < now else colour + (1 - colour) * ((away - now) / (1 - now))
    texture = _texture(kind, design, instance, size) + grain(size, 0.35, instance) * np.float32(0.012)
    return shade(colour.astype(np.float32), texture)


def place(scene: np.ndarray, distance: np.ndarray, part: np.ndarray, light: Light, rise: float = 0.05) -> np.ndarray:
    """The part (H, W, 3) on its backdrop; `rise`, its height in half images, lengthens the shadow."""
    coverage, size = solid(distance), distance.shape[0]
    reach = rise / np.tan(light.elevation) * size / 2
    dx, dy = -np.cos(light.angle) * reach, -np.sin(light.angle) * reach
    small = cv2.resize(coverage, (size // 2, size // 2), interpolation=cv2.INTER_AREA)  # a shadow is soft anyway
    move = np.array([[1, 0, dx / 2], [0, 1, dy / 2]], np.float32)
    cast = cv2.GaussianBlur(cv2.warpAffine(small, move, small.shape[::-1]), (0, 0), 0.006 * size + 0.12 * reach)
    contact = cv2.GaussianBlur(small, (0, 0), 0.012 * size)
    shadow = cv2.resize(0.5 * (1 - light.room) * cast + 0.35 * contact, (size, size))
    return lay(tinted(1 - shadow.astype(np.float32), scene), coverage, part)


def _texture(kind: str, design: Generator, instance: Generator, size: int) -> np.ndarray:
    """Relative brightness (size, size) of the material, small: the part is what one looks at."""
    if kind == "cloth":
        threads, (x, y) = design.uniform(55, 85), pose(instance, size, 0.1, 0.1)
        weave = np.cos(x * np.float32(threads * np.pi)) * np.cos(y * np.float32(threads * np.pi))
        return np.float32(0.05) * weave + 0.03 * grain(size, (1 / 200, 1 / 30), instance)
    if kind == "metal":
        return 0.035 * grain(size, (1 / 256, design.uniform(0.2, 0.7)), instance)
    if kind == "mat":
        return 0.03 * grain(size, design.uniform(1 / 250, 1 / 140), instance)
    return np.float32(0.03 if kind == "dark" else 0.012) * grain(size, 1 / 256, instance)
