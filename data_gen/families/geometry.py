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


def solid(distance: np.ndarray) -> np.ndarray:
    """Coverage in [0, 1] of the inside of a signed distance (H, W), in half images; soft by a pixel."""
    return np.clip(0.5 - distance * np.float32(distance.shape[0] / 2), 0, 1)


def box(u: np.ndarray, v: np.ndarray, half_width: float, half_height: float, corner: float) -> np.ndarray:
    """Signed distance to a rounded rectangle around the origin."""
    x, y = np.abs(u) - np.float32(half_width - corner), np.abs(v) - np.float32(half_height - corner)
    outside = np.hypot(np.maximum(x, 0), np.maximum(y, 0))
    return outside + np.minimum(np.maximum(x, y), 0) - np.float32(corner)


def fold(angle: np.ndarray, count: int) -> np.ndarray:
    """Angles in radians folded onto one of `count` equal sectors, the one around 0."""
    return (angle + np.pi / count) % (2 * np.pi / count) - np.pi / count


def voronoi(design: Generator, size: int, pitch: float) -> tuple[np.ndarray, np.ndarray]:
    """Voronoi cells: distance (size, size) to the nearest seed in units of `pitch`, and int labels from 1."""
    count = int(size / pitch) + 3
    grid = np.stack(np.meshgrid(np.arange(count), np.arange(count)), -1).reshape(-1, 2)
    seeds = ((grid - 1 + design.random(grid.shape)) * pitch).astype(int)
    seeds = seeds[((seeds >= 0) & (seeds < size)).all(1)]
    canvas = np.full((size, size), 255, np.uint8)
    canvas[seeds[:, 1], seeds[:, 0]] = 0
    distance, labels = cv2.distanceTransformWithLabels(canvas, cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL)
    return distance / np.float32(pitch), labels
