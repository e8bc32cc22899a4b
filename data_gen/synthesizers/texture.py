"""Defects of look alone: color change, blur patch."""

from __future__ import annotations

import cv2
import numpy as np

from data_gen.noise import random_blob
from data_gen.shading import lay
from data_gen.synthesizers.canvas import Canvas
from data_gen.synthesizers.painter import Painter


def _color_change(canvas: Canvas) -> np.ndarray:
    """Hue, saturation and brightness shifted in a soft-edged region; every bit of texture stays."""
    rng, radius = canvas.rng, canvas.radius
    blob = random_blob(canvas.shape, canvas.place, radius, rng, rng.uniform(0.05, 0.35))
    soft = cv2.GaussianBlur(blob, (0, 0), max(radius * rng.uniform(0.02, 0.35), 0.6))
    if canvas.subject.monochrome:
        return canvas.image + (canvas.delta(canvas.place, darker=0.5) * soft)[..., None]
    grey = canvas.grey[..., None]
    turned = canvas.image[..., rng.permutation(3)] if rng.random() < 0.3 * canvas.ease else canvas.image
    vivid = grey + (turned - grey) * np.float32(1 + rng.uniform(-0.8, 0.8) * canvas.ease)
    tint = (rng.normal(0, 0.7, 3) + rng.normal(0, 0.7)).astype(np.float32)
    tint *= np.float32(canvas.contrast) / max(float(np.abs(tint).max()), 1e-6)
    return lay(canvas.image, soft, np.clip(vivid + tint, 0, 255))


def _blur(canvas: Canvas) -> np.ndarray:
    """A patch out of focus or wiped along one direction, as by a film on the part; its mean tone stays."""
    rng, radius = canvas.rng, canvas.radius
    sigma = float(np.clip(radius * 0.2, 0.8, 6)) * (0.4 + 1.1 * canvas.ease)
    if rng.random() < 0.5:
        smooth = cv2.GaussianBlur(canvas.image, (0, 0), sigma)
    else:
        half = max(int(2 * sigma), 2)
        angle = rng.uniform(0, np.pi)
        end = round(half * np.cos(angle)), round(half * np.sin(angle))
        kernel = np.zeros((2 * half + 1, 2 * half + 1), np.float32)
        cv2.line(kernel, (half - end[0], half - end[1]), (half + end[0], half + end[1]), 1.0)
        smooth = cv2.filter2D(canvas.image, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REFLECT)
    patch = random_blob(canvas.shape, canvas.place, radius, rng, rng.uniform(0.05, 0.3))
    return lay(canvas.image, cv2.GaussianBlur(patch, (0, 0), max(radius * 0.12, 0.6)), smooth)


color_change = Painter("color change", _color_change, sizes=(0.0005, 0.15), contrasts=(10, 55), artwork=False)
blur_patch = Painter("stain", _blur, sizes=(0.001, 0.12), artwork=False, detail=True)
