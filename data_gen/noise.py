"""Noise fields, and the irregular masks and lines drawn with random numbers."""

from __future__ import annotations

from math import tau

import cv2
import numpy as np
from numpy.random import Generator


def perlin_noise(shape: tuple[int, int], scale: float | tuple[float, float], rng: Generator) -> np.ndarray:
    """Smooth lattice noise (H, W) float32, mean about 0, std about 1, features of about `scale` pixels.

    `scale` may be (down, across) for stretched grain. A random lattice is upsampled bicubically, which looks
    like Perlin's gradient noise at a hundredth of its price.
    """
    down, across = (scale, scale) if isinstance(scale, (int, float)) else scale
    rows, columns = int(shape[0] / max(down, 1)) + 3, int(shape[1] / max(across, 1)) + 3
    lattice = rng.standard_normal((rows, columns), dtype=np.float32)
    height, width = int(rows * max(down, 1)) + 1, int(columns * max(across, 1)) + 1
    field = cv2.resize(lattice, (width, height), interpolation=cv2.INTER_CUBIC)
    top, left = int(rng.integers(height - shape[0] + 1)), int(rng.integers(width - shape[1] + 1))
    return field[top : top + shape[0], left : left + shape[1]] * np.float32(1.3)


def gradient_noise(shape: tuple[int, int], scale: float, rng: Generator) -> np.ndarray:
    """Perlin's gradient noise (H, W) float32, about in [-1, 1], mean 0: one lattice cell is `scale` pixels.

    The improved form (Perlin 2002): random unit gradients on a lattice, quintic fade. A corner's contribution
    w(y) w(x) (gx dx + gy dy) is a product of a row and a column factor, so corners are summed by taking rows,
    then columns, of the lattice: a handful of passes over the field, whatever the scale.
    """
    cell = max(float(scale), 1.0)
    rows, columns = int(shape[0] / cell) + 3, int(shape[1] / cell) + 3
    angle = rng.uniform(0, tau, (rows, columns))
    row, y_fade, y_slope = _corner_weights(shape[0], cell, float(rng.uniform()))
    column, x_fade, x_slope = _corner_weights(shape[1], cell, float(rng.uniform()))

    def blend(lattice: np.ndarray, down: np.ndarray, across: np.ndarray) -> np.ndarray:
        strip = lattice[row] * down[0][:, None] + lattice[row + 1] * down[1][:, None]
        return strip[:, column] * across[0] + strip[:, column + 1] * across[1]

    along_x = blend(np.cos(angle).astype(np.float32), y_fade, x_slope)
    along_y = blend(np.sin(angle).astype(np.float32), y_slope, x_fade)
    return (along_x + along_y) * np.float32(np.sqrt(2))


def _corner_weights(count: int, cell: float, phase: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Per pixel of an axis: its lattice cell (count,), fade weights (2, count) of both corners, and those times
    the signed distance to the corner."""
    at = np.arange(count, dtype=np.float32) / np.float32(cell) + np.float32(phase)
    first = at.astype(np.intp)
    part = at - first.astype(np.float32)
    ease = part**3 * (part * (part * 6 - 15) + 10)
    fade = np.stack([1 - ease, ease])
    return first, fade, fade * np.stack([part, part - 1])


def fbm(shape: tuple[int, int], scale: float, rng: Generator, octaves: int = 4, gain: float = 0.55) -> np.ndarray:
    """Fractal sum of `perlin_noise`, (H, W) float32, mean about 0, std about 1; `scale` is the coarsest."""
    total, power = np.zeros(shape, np.float32), 0.0
    for octave in range(octaves):
        total += perlin_noise(shape, max(scale / 2**octave, 1.0), rng) * np.float32(gain**octave)
        power += gain ** (2 * octave)
    return total / np.float32(np.sqrt(power))


def random_blob(
    shape: tuple[int, int], centre: tuple[float, float], radius: float, rng: Generator, rough: float = 0.3
) -> np.ndarray:
    """Irregular closed mask (H, W) float32 in [0, 1] with soft one-pixel edges around `centre` (y, x).

    The outline is an ellipse whose radius is a few random harmonics; `rough` is their amplitude (0 = ellipse,
    0.6 = splash). Its area is about pi * radius**2.
    """
    angles = np.linspace(0, tau, 96, endpoint=False)
    outline = np.ones_like(angles)
    for harmonic in range(2, 9):
        amplitude = rough * rng.normal() / harmonic**0.9
        outline += amplitude * np.cos(harmonic * angles + rng.uniform(0, tau))
    outline = np.maximum(outline, 0.2)
    outline /= np.sqrt(np.mean(outline**2))
    stretch, turn = np.exp(rng.normal(0, 0.25)), rng.uniform(0, tau)
    x, y = radius * outline * np.cos(angles) * stretch, radius * outline * np.sin(angles) / stretch
    points = [centre[1] + x * np.cos(turn) - y * np.sin(turn), centre[0] + x * np.sin(turn) + y * np.cos(turn)]
    return polygon_mask(shape, np.stack(points, 1))


def polygon_mask(shape: tuple[int, int], points: np.ndarray) -> np.ndarray:
    """Inside of a polygon (n, 2) of (x, y) pixels: (H, W) float32 in [0, 1], edges soft by a pixel."""
    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [np.round(points * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)  # in 16ths of a pixel
    return mask.astype(np.float32) / 255


def branching_polyline(
    start: tuple[float, float], length: float, rng: Generator, wander: float = 0.35, branches: int = 2
) -> list[np.ndarray]:
    """A wandering line through `start` (y, x) with side branches: (n, 2) arrays of (x, y) pixels.

    `wander` is the turn per step in radians; a branch leaves at 25 to 70 degrees and is shorter.
    """
    step = float(np.clip(length / 24, 1.5, 6.0))

    def walk(origin: np.ndarray, heading: float, reach: float) -> np.ndarray:
        count = max(int(reach / step), 2)
        headings = heading + np.cumsum(rng.normal(0, wander, count)) * 0.6 + rng.normal(0, wander, count)
        moves = step * np.stack([np.cos(headings), np.sin(headings)], 1)
        return np.concatenate([origin[None], origin + np.cumsum(moves, 0)])

    heading = rng.uniform(0, tau)
    trunk = walk(np.zeros(2), heading, length)
    trunk += np.array([start[1], start[0]]) - trunk[len(trunk) // 2]
    lines = [trunk]
    for _ in range(branches):
        turn = rng.choice([-1, 1]) * rng.uniform(0.45, 1.2)
        origin = trunk[int(rng.integers(len(trunk) // 5, len(trunk)))]
        lines.append(walk(origin, heading + turn, length * rng.uniform(0.15, 0.5)))
    return lines
