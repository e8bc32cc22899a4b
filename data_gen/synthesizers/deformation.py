"""Defects of form: the part itself bent, bulged or twisted, so that its outline and lines run askew."""

from __future__ import annotations

import cv2
import numpy as np

from data_gen.shading import relief
from data_gen.synthesizers.canvas import Canvas
from data_gen.synthesizers.painter import Painter


def _displacement(canvas: Canvas) -> tuple[np.ndarray, np.ndarray]:
    """How far (down, right) each pixel is taken from, (h, w) float32 each: a push, a bulge, a pinch or a twist.

    The field is smooth, fades to nothing at 2 radii and never folds over itself (its slope stays below 1).
    """
    rng, spread = canvas.rng, max(canvas.radius * 0.6, 2.0)
    grid_y, grid_x = np.indices(canvas.shape, np.float32)
    down, right = (grid_y - canvas.place[0]) / spread, (grid_x - canvas.place[1]) / spread
    turn, stretch = rng.uniform(0, 2 * np.pi), np.float32(np.exp(rng.uniform(-0.5, 0.5)))
    along = np.cos(turn) * right + np.sin(turn) * down
    across = np.cos(turn) * down - np.sin(turn) * right
    bump = np.exp(-0.5 * ((along * stretch) ** 2 + (across / stretch) ** 2)).astype(np.float32)
    far = max(spread * (0.25 + 0.95 * canvas.ease) * rng.uniform(0.8, 1.1), 1.5) * rng.choice([-1, 1])
    form = rng.random()
    if form < 0.5:  # pushed aside: what was straight is bent
        return far * bump * np.float32(np.sin(turn)), far * bump * np.float32(np.cos(turn))
    if form < 0.75:
        return far * 0.9 * bump * down, far * 0.9 * bump * right
    return far * 0.9 * bump * right, -far * 0.9 * bump * down


def _deformation(canvas: Canvas) -> np.ndarray:
    """The window resampled along a local displacement, faintly shaded where the surface leans."""
    down, right = _displacement(canvas)
    grid_y, grid_x = np.indices(canvas.shape, np.float32)
    sharp = cv2.INTER_CUBIC if canvas.tones is None else cv2.INTER_NEAREST
    bent = cv2.remap(
        canvas.image, (grid_x + right).astype(np.float32), (grid_y + down).astype(np.float32), sharp,
        borderMode=cv2.BORDER_REFLECT_101,
    )  # fmt: skip
    if canvas.tones is not None:
        return bent
    shading = relief(np.hypot(down, right).astype(np.float32), canvas.rng.uniform(0, 2 * np.pi))
    shading *= np.float32(canvas.contrast / max(float(np.abs(shading).max()), 1e-6))
    return bent + (shading * canvas.foreground)[..., None]


deformation = Painter(
    "deformation",
    _deformation,
    sizes=(0.001, 0.12),
    contrasts=(3, 14),
    smooth=1.0,
    outline=0.6,
    detail=True,
    reach=2.5,
    beyond=True,
)
