"""Defects that are spots: stain, liquid, hole."""

from __future__ import annotations

import cv2
import numpy as np

from data_gen.noise import fbm, random_blob
from data_gen.shading import lay, relief
from data_gen.synthesizers.canvas import Canvas
from data_gen.synthesizers.painter import Painter


def _splashes(canvas: Canvas, blot: np.ndarray, most: int) -> np.ndarray:
    """`blot` (h, w) with up to `most` small drops beside it."""
    rng, place, radius = canvas.rng, canvas.place, canvas.radius
    for _ in range(int(rng.integers(0, most + 1))):
        aside = (place[0] + rng.normal(0, 1.3 * radius), place[1] + rng.normal(0, 1.3 * radius))
        blot = np.maximum(blot, random_blob(canvas.shape, aside, radius * rng.uniform(0.08, 0.25) + 1, rng))
    return blot


def _stain(canvas: Canvas) -> np.ndarray:
    """A tinted, see-through blot with a dried rim and a few splashes; the texture stays visible under it."""
    rng, place, radius = canvas.rng, canvas.place, canvas.radius
    blot = _splashes(canvas, random_blob(canvas.shape, place, radius, rng, rng.uniform(0.15, 0.6)), 4)
    soft = cv2.GaussianBlur(blot, (0, 0), max(radius * rng.uniform(0.03, 0.3), 0.6))
    rim = np.clip(soft * (1 - soft) * 4, 0, 1) * rng.uniform(0, 0.7)
    patchy = np.clip(0.75 + 0.25 * fbm(canvas.shape, max(radius, 3), rng, 3), 0.2, 1.3)
    tint = np.clip(rng.normal(1, 0.25, 3), 0.4, 1.6).astype(np.float32)
    return canvas.image + canvas.delta(place, darker=0.85) * (soft * patchy + rim)[..., None] * tint


def _liquid(canvas: Canvas) -> np.ndarray:
    """A wet film: darker and more saturated inside, a sharp edge with one bright side, a few highlights."""
    rng, place, radius = canvas.rng, canvas.place, canvas.radius
    film = cv2.GaussianBlur(
        _splashes(canvas, random_blob(canvas.shape, place, radius, rng, rng.uniform(0.1, 0.35)), 3), (0, 0), 0.7
    )
    thickness = cv2.GaussianBlur(film, (0, 0), max(radius * 0.12, 0.8)) * film
    edge = relief(thickness, rng.uniform(0, 2 * np.pi))
    edge /= max(float(np.abs(edge).max()), 1e-6)
    level = float(canvas.around(place, 2 * radius).mean())
    wet = np.float32(np.clip(canvas.contrast / max(level, 30.0), 0.04, 0.55))
    grey = canvas.grey[..., None]
    soaked = (grey + (canvas.image - grey) * (1 + wet)) * (1 - wet)
    glint = np.clip(edge - 0.55, 0, 1) * 2 * min(canvas.contrast * 1.5, 140.0)
    shadow = np.clip(-edge, 0, 1) * 0.5 * canvas.contrast
    return lay(canvas.image, film, soaked) + (glint - shadow)[..., None]


def _hole(canvas: Canvas) -> np.ndarray:
    """A dark pit with a shaded wall on one side and a lit rim on the other; a pinhole on artwork."""
    rng, place, radius = canvas.rng, canvas.place, canvas.radius
    pit = random_blob(canvas.shape, place, radius, rng, rng.uniform(0, 0.3))
    if canvas.tones is not None:
        return lay(canvas.image, (pit > 0.5).astype(np.float32), canvas.ink(place))
    around = canvas.colour(place, 2 * radius)
    level = float(around.mean())
    # a hole in an already dark part shows what lies behind it, which is lighter
    inside = around * (1 - min(canvas.contrast / level, 0.93)) if level > 45 else around + canvas.contrast
    reach, angle = max(radius * 0.25, 1.0), rng.uniform(0, 2 * np.pi)
    move = np.array([[1, 0, reach * np.cos(angle)], [0, 1, reach * np.sin(angle)]], np.float32)
    moved = cv2.warpAffine(pit, move, canvas.shape[::-1])
    wall = cv2.GaussianBlur(pit * (1 - moved), (0, 0), 0.7)
    lit = cv2.GaussianBlur(moved * (1 - pit), (0, 0), 0.7)
    grain = 1 + 0.06 * fbm(canvas.shape, max(radius, 3), rng, 3)
    deep = cv2.GaussianBlur(pit, (0, 0), max(radius * 0.3, 0.8))[..., None]  # light still reaches the rim
    bottom = (around + (inside - around) * (0.55 + 0.45 * deep)) * grain[..., None]
    out = lay(canvas.image, cv2.GaussianBlur(pit, (0, 0), 0.6), bottom)
    return out + (canvas.contrast * (0.4 * lit - 0.25 * wall))[..., None]


stain = Painter("stain", _stain, contrasts=(9, 75), artwork=False, reach=3.0)
liquid = Painter("stain", _liquid, sizes=(0.0008, 0.12), contrasts=(11, 48), artwork=False, reach=3.0)
hole = Painter("hole", _hole, sizes=(0.0003, 0.035), contrasts=(25, 150))
