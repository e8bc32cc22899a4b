"""Where things are in a scene: part coordinates, signed distances in half images, cells."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.random import Generator


def pose(instance: Generator, size: int, shift: float = 0.04, turn: float = 0.06) -> tuple[np.ndarray, np.ndarray]:
    """Part coordinates (u right, v down) of each pixel, (size, size) float32, [-1, 1] unmoved."""
    ramp = (np.arange(size, dtype=np.float32) - (size - 1) / 2) * 2 / size
    du, dv = instance.normal(0, shift / 2, 2)
    angle, zoom = instance.normal(0, turn / 2), 1 + instance.normal(0, 0.01)
    x, y = ((ramp[None] - np.float32(du)) * np.float32(zoom), (ramp[:, None] - np.float32(dv)) * np.float32(zoom))
    cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    return cos * x + sin * y, cos * y - sin * x


def norm(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Length (H, W) of the vectors (x, y); `np.hypot` guards against overflow at ten times the price."""
    return np.sqrt(x * x + y * y)


def solid(distance: np.ndarray) -> np.ndarray:
    """Coverage in [0, 1] of the inside of a signed distance (H, W), in half images; soft by a pixel."""
    return np.clip(0.5 - distance * np.float32(distance.shape[0] / 2), 0, 1)


def soft(distance: np.ndarray, width: float) -> np.ndarray:
    """Coverage in [0, 1] of the inside of a signed distance, soft over `width` half images at any size."""
    return np.clip(0.5 - distance * np.float32(1 / width), 0, 1)


def box(u: np.ndarray, v: np.ndarray, half_width: float, half_height: float, corner: float) -> np.ndarray:
    """Signed distance to a rounded rectangle around the origin."""
    x, y = np.abs(u) - np.float32(half_width - corner), np.abs(v) - np.float32(half_height - corner)
    outside = norm(np.maximum(x, 0), np.maximum(y, 0))
    return outside + np.minimum(np.maximum(x, y), 0) - np.float32(corner)


def fold(angle: np.ndarray, count: int) -> np.ndarray:
    """Angles in radians folded onto one of `count` equal sectors, the one around 0."""
    return (angle + np.pi / count) % (2 * np.pi / count) - np.pi / count


def cells(coordinate: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A coordinate (H, W) as (int32 index of its unit cell, float32 place within it in [0, 1))."""
    index = np.floor(coordinate)
    return index.astype(np.int32), (coordinate - index).astype(np.float32)


def repeat(coordinate: np.ndarray, pitch: float, count: int) -> tuple[np.ndarray, np.ndarray]:
    """A row of `count` copies around 0, `pitch` apart: (coordinate within the nearest copy, its index from 0)."""
    index = np.clip(np.floor(coordinate / np.float32(pitch) + np.float32(count / 2)), 0, count - 1)
    return coordinate - (index - np.float32((count - 1) / 2)) * np.float32(pitch), index.astype(np.int32)


def wobble(angle: np.ndarray, rng: Generator, amount: float, harmonics: int = 6) -> np.ndarray:
    """Irregular outline: about `amount` (std, half images) to add to a radius at each `angle` (H, W)."""
    table = np.linspace(-np.pi, np.pi, 513)
    curve = np.zeros(513)
    for harmonic in range(2, harmonics + 2):
        curve += rng.normal() / harmonic * np.cos(harmonic * table + rng.uniform(0, 2 * np.pi))
    at = ((angle + np.float32(np.pi)) * np.float32(512 / (2 * np.pi))).astype(np.int32) % 512
    return curve.astype(np.float32)[at] * np.float32(amount * 1.6)


def voronoi(rng: Generator, size: int, cell: float) -> tuple[np.ndarray, np.ndarray]:
    """Cells of about `cell` images: (distance to the nearest seam in units of `cell`, int labels from 1)."""
    count = int(1 / cell) + 3
    grid = np.stack(np.meshgrid(np.arange(count), np.arange(count)), -1).reshape(-1, 2)
    seeds = ((grid - 1 + rng.random(grid.shape)) * cell * size).astype(int)
    seeds = seeds[((seeds >= 0) & (seeds < size)).all(1)]
    canvas = np.full((size, size), 255, np.uint8)
    canvas[seeds[:, 1], seeds[:, 0]] = 0
    _, labels = cv2.distanceTransformWithLabels(canvas, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    inside = np.full((size, size), 255, np.uint8)
    inside[:, 1:][labels[:, 1:] != labels[:, :-1]] = 0
    inside[1:][labels[1:] != labels[:-1]] = 0
    return cv2.distanceTransform(inside, cv2.DIST_L2, 5) / np.float32(cell * size), labels


def posed(drawing: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """A drawing (S, S) or (S, S, C), laid over part coordinates [-1, 1], as seen at `u`, `v`; its border repeats."""
    half = np.float32(drawing.shape[0] / 2)
    x, y = (u + 1) * half - np.float32(0.5), (v + 1) * half - np.float32(0.5)
    return cv2.remap(drawing, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
