"""Defects that are lines: crack, scratch."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.random import Generator

from data_gen.noise import branching_polyline, perlin_noise
from data_gen.shading import lay
from data_gen.synthesizers.canvas import Canvas, Place
from data_gen.synthesizers.painter import Painter, shifted


def stroke(shape: tuple[int, int], line: np.ndarray, width: float, taper: float = 0.7) -> np.ndarray:
    """Coverage (H, W) float32 in [0, 1] of a line (n, 2) of (x, y), `width` pixels at its thickest.

    Drawn at twice the size, so that lines thinner than a pixel fade instead of staying a pixel wide.
    """
    canvas = np.zeros((2 * shape[0], 2 * shape[1]), np.uint8)
    along = np.linspace(0, 1, len(line) - 1)
    widths = 2 * width * (1 - taper * along**2)
    points = np.round((line + 0.25) * 2 * 16).astype(np.int32)
    for start, end, wide in zip(points[:-1], points[1:], widths, strict=True):
        level = int(255 * min(wide, 1.0))
        thick = max(int(round(wide)), 1)
        cv2.line(canvas, start.tolist(), end.tolist(), level, thick, cv2.LINE_AA, 4)
    return cv2.resize(canvas, shape[::-1], interpolation=cv2.INTER_AREA).astype(np.float32) / 255


def _crack_route(rng: Generator, place: Place, length: float) -> list[np.ndarray]:
    """A wandering trunk and up to three side branches."""
    branches = int(rng.integers(0, 4)) if length > 25 else 0
    return branching_polyline(place, length, rng, rng.uniform(0.15, 0.6), branches)


def _crack(canvas: Canvas) -> np.ndarray:
    """A wandering, branching, tapering dark line with one lit edge; lighter on dark parts."""
    rng, lines = canvas.rng, canvas.lines
    width = canvas.width * rng.uniform(0.7, 1.2) / (1 + 0.2 * (len(lines) - 1))
    coverage = np.zeros(canvas.shape, np.float32)
    for index, line in enumerate(lines):
        halves = [line[len(line) // 2 :], line[: len(line) // 2 + 1][::-1]] if index == 0 else [line]
        for half in halves:  # a crack is widest in its middle and tapers both ways
            coverage = np.maximum(coverage, stroke(canvas.shape, half, width * (1 if index == 0 else 0.6)))
    if canvas.tones is not None:
        return lay(canvas.image, (coverage > 0.4).astype(np.float32), canvas.ink(canvas.place))
    delta = canvas.delta(canvas.place, darker=0.9) * 1.3  # thin lines lose contrast to antialiasing
    uneven = np.clip(0.85 + 0.3 * perlin_noise(canvas.shape, 8, rng), 0.3, 1.2)
    lit = shifted(coverage, 1, 1) * (1 - coverage)
    return canvas.image + (delta * (coverage * uneven - 0.3 * lit))[..., None]


def _scratch_route(rng: Generator, place: Place, length: float) -> list[np.ndarray]:
    """One to four near-parallel, slightly curved lines."""
    full = length * rng.uniform(0.9, 1.3)
    heading, bend = rng.uniform(0, 2 * np.pi), rng.normal(0, 0.5) / full
    lines = []
    for index in range(int(rng.choice([1, 1, 1, 2, 3, 4]))):
        steps = np.linspace(-0.5, 0.5, 24) * full * rng.uniform(0.6, 1.0)
        turn = heading + rng.normal(0, 0.04) + bend * steps
        moves = np.stack([np.cos(turn), np.sin(turn)], 1) * (steps[1] - steps[0])
        line = np.cumsum(moves, 0) - np.sum(moves, 0) / 2 + np.array([place[1], place[0]])
        gap = rng.normal(0, 1.5 + 0.03 * full) if index else 0.0
        lines.append(line + gap * np.array([-np.sin(heading), np.cos(heading)]))
    return lines


def _scratch(canvas: Canvas) -> np.ndarray:
    """Thin lines, bright or dark, fading in and out, with a shaded edge."""
    rng, place = canvas.rng, canvas.place
    coverage = np.zeros(canvas.shape, np.float32)
    for line in canvas.lines:
        width = canvas.width / np.sqrt(len(canvas.lines)) * rng.uniform(0.5, 1.1)
        coverage = np.maximum(coverage, stroke(canvas.shape, line, width, 0.5))
    if canvas.tones is not None:
        return lay(canvas.image, (coverage > 0.4).astype(np.float32), canvas.ink(place))
    uneven = np.clip(0.9 + 0.4 * perlin_noise(canvas.shape, max(canvas.length / 5, 4), rng), 0.1, 1.3)
    delta = canvas.delta(place, darker=0.4) * 1.3
    groove = shifted(coverage, 1, 1) * (1 - coverage)
    return canvas.image + (delta * uneven * (coverage - 0.35 * groove))[..., None]


crack = Painter("crack", _crack, sizes=(0.0003, 0.03), contrasts=(14, 90), route=_crack_route)
scratch = Painter("scratch", _scratch, sizes=(0.0003, 0.025), contrasts=(14, 80), route=_scratch_route)
