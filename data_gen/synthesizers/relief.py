"""Defects of shape alone, seen only by their shading: dent."""

from __future__ import annotations

import cv2
import numpy as np

from data_gen.noise import random_blob
from data_gen.shading import relief
from data_gen.synthesizers.canvas import Canvas
from data_gen.synthesizers.painter import Painter


def _dent(canvas: Canvas) -> np.ndarray:
    """A smooth hollow or bulge: one flank darker, the other lighter, the texture slightly bent with it."""
    rng, radius = canvas.rng, max(canvas.radius, 3.0)
    blob = random_blob(canvas.shape, canvas.place, radius * 0.8, rng, rng.uniform(0, 0.25))
    height = cv2.GaussianBlur(blob, (0, 0), max(radius * rng.uniform(0.15, 0.35), 1))
    shading = relief(height, rng.uniform(0, 2 * np.pi))
    shading /= max(float(np.abs(shading).max()), 1e-6)
    bend = np.float32(0.25 * radius)
    slope_x, slope_y = cv2.Sobel(height, cv2.CV_32F, 1, 0) / 8, cv2.Sobel(height, cv2.CV_32F, 0, 1) / 8
    grid_y, grid_x = np.indices(canvas.shape, np.float32)
    bent = cv2.remap(
        canvas.image, grid_x + bend * slope_x, grid_y + bend * slope_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
    )
    # light multiplies: a flank of a dark part changes less than that of a bright one, but must still show
    gain = np.clip(0.4 + 0.6 * canvas.grey / 128, 0.4, 1.6)
    return bent + (canvas.contrast * gain * (shading - 0.25 * height))[..., None]


dent = Painter("dent", _dent, sizes=(0.0006, 0.1), contrasts=(11, 75), artwork=False)
