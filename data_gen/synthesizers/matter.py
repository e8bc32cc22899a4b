"""Foreign matter lying on the part: particle, dust, fibre."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.random import Generator

from data_gen.noise import branching_polyline, fbm, random_blob
from data_gen.shading import lay
from data_gen.synthesizers.canvas import Canvas, Place
from data_gen.synthesizers.lines import stroke
from data_gen.synthesizers.painter import Painter, shifted


def _matter(canvas: Canvas, cover: np.ndarray, grain: float) -> np.ndarray:
    """Nearly opaque matter where `cover` (h, w) is 1, with a small shadow; `grain` pixels is its own texture."""
    rng, place = canvas.rng, canvas.place
    if canvas.tones is not None:
        return lay(canvas.image, (cover > 0.5).astype(np.float32), canvas.ink(place))
    local = canvas.colour(place, max(2 * canvas.radius, 6))
    hue = np.clip(rng.normal(0, 0.25, 3), -0.6, 0.6).astype(np.float32)
    delta = canvas.delta(place, darker=0.5)
    colour = local + delta * (1.1 + hue)
    body = fbm(canvas.shape, max(grain, 2), rng, 3) * 0.2 * abs(delta)
    shade = min(canvas.contrast / 250, 0.3)  # what hardly shows throws hardly a shadow
    shadow = cv2.GaussianBlur(shifted(cover, 2, 1), (0, 0), 1.2) * shade
    shaded = canvas.image * (1 - shadow)[..., None]
    return lay(shaded, cover * rng.uniform(0.75, 1), np.clip(colour + body[..., None], 0, 255))


def _particle(canvas: Canvas) -> np.ndarray:
    """One crumb, chip or flake."""
    rng = canvas.rng
    cover = random_blob(canvas.shape, canvas.place, canvas.radius, rng, rng.uniform(0.1, 0.6))
    return _matter(canvas, cover, canvas.radius / 2)


def _dust(canvas: Canvas) -> np.ndarray:
    """Five to fifty grains around a place, most of them small."""
    rng, place = canvas.rng, canvas.place
    count = int(rng.integers(5, 50))
    radius, spread = canvas.radius / np.sqrt(count), canvas.radius * rng.uniform(1.2, 2.4)
    dust = np.zeros(canvas.shape, np.uint8)
    for _ in range(count):
        centre = (np.array(place[::-1]) + rng.normal(0, spread / 2, 2)) * 16
        size = np.maximum(0.8 * radius * np.exp(rng.normal(0, 0.5) + rng.normal(0, 0.2, 2)), 0.6) * 16
        axes, angle = tuple(size.astype(int).tolist()), float(rng.uniform(0, 180))
        cv2.ellipse(dust, tuple(centre.astype(int).tolist()), axes, angle, 0, 360, 255, -1, cv2.LINE_AA, 4)
    return _matter(canvas, dust.astype(np.float32) / 255, radius)


def _fibre_route(rng: Generator, place: Place, length: float) -> list[np.ndarray]:
    """One smooth, curly line."""
    line = branching_polyline(place, length, rng, rng.uniform(0.15, 0.5), 0)[0]
    window = np.ones(5) / 5
    return [np.stack([np.convolve(np.pad(axis, 2, mode="edge"), window, "valid") for axis in line.T], 1)]


def _fibre(canvas: Canvas) -> np.ndarray:
    """A curly hair or thread of even width."""
    width = max(canvas.width * canvas.rng.uniform(0.6, 0.9), 0.7)
    return _matter(canvas, stroke(canvas.shape, canvas.lines[0], width, 0.2), 4)


particle = Painter("contamination", _particle, sizes=(0.0003, 0.05), contrasts=(13, 110))
dust = Painter("contamination", _dust, sizes=(0.0004, 0.015), contrasts=(14, 90), reach=3.0)
fibre = Painter("contamination", _fibre, sizes=(0.0004, 0.015), contrasts=(16, 110), route=_fibre_route)
