"""Defects of colour and texture: color change, and the generic CutPaste and DRAEM-like blends."""

from __future__ import annotations

import cv2
import numpy as np

from data_gen.noise import fbm, polygon_mask, random_blob
from data_gen.procedural import random_product
from data_gen.shading import lay
from data_gen.synthesizers.painter import Canvas, Painter


def _color_change(canvas: Canvas) -> np.ndarray:
    """Hue, saturation and brightness shifted in a soft-edged region; every bit of texture stays."""
    rng, radius = canvas.rng, canvas.radius
    blob = random_blob(canvas.shape, canvas.spot(), radius, rng, rng.uniform(0.05, 0.35))
    soft = cv2.GaussianBlur(blob, (0, 0), max(radius * rng.uniform(0.02, 0.35), 0.6)) * canvas.foreground
    grey = canvas.image.mean(2, keepdims=True)
    turned = canvas.image[..., rng.permutation(3)] if rng.random() < 0.3 else canvas.image
    vivid = grey + (turned - grey) * np.float32(rng.uniform(0.2, 1.8))
    tint = rng.normal(0, 1, 3).astype(np.float32)
    tint *= np.float32(canvas.contrast) / max(float(np.abs(tint).max()), 1e-6)
    return lay(canvas.image, soft, np.clip(vivid + tint, 0, 255))


def _cut_paste(canvas: Canvas) -> np.ndarray:
    """CutPaste (Li et al. 2021): a rectangle or thin scar of the photo, jittered, turned, pasted."""
    rng, source, target = canvas.rng, canvas.spot(), canvas.spot()
    long = float(np.exp(rng.uniform(0, np.log(5))))
    half = canvas.radius * 0.9 * np.array([np.sqrt(long), 1 / np.sqrt(long)])
    turn = float(rng.uniform(-90, 90))
    move = cv2.getRotationMatrix2D(source[::-1], turn, float(rng.uniform(0.8, 1.25)))
    move[:, 2] += [target[1] - source[1], target[0] - source[0]]
    sharp = cv2.INTER_LINEAR if canvas.tones is None else cv2.INTER_NEAREST
    patch = cv2.warpAffine(canvas.image, move, canvas.shape[::-1], flags=sharp, borderMode=cv2.BORDER_REFLECT)
    corners = cv2.boxPoints((target[::-1], (2 * float(half[0]), 2 * float(half[1])), turn))
    cover = polygon_mask(canvas.shape, corners)
    if canvas.tones is not None:
        return lay(canvas.image, (cover > 0.5).astype(np.float32), patch)
    jitter = rng.normal(1, 0.12) * patch + rng.normal(0, canvas.contrast / 4)
    soft = cv2.GaussianBlur(cover, (0, 0), rng.uniform(0.4, 1.5))
    return lay(canvas.image, soft * canvas.foreground, np.clip(jitter, 0, 255))


def _blend(canvas: Canvas) -> np.ndarray:
    """DRAEM (Zavrtanik et al. 2021): a foreign texture through thresholded noise, faint to opaque."""
    rng, place, radius = canvas.rng, canvas.spot(), canvas.radius
    field = fbm(canvas.shape, max(radius * rng.uniform(0.5, 2), 3), rng, 3)
    grid_y, grid_x = np.ogrid[: canvas.shape[0], : canvas.shape[1]]
    near = 1.3 - np.hypot(grid_y - place[0], grid_x - place[1]).astype(np.float32) / np.float32(radius)
    cover = np.clip((near + 0.45 * field) * 4, 0, 1) * canvas.foreground
    foreign = random_product(rng).photo(rng, 128).astype(np.float32)
    foreign = cv2.resize(foreign, canvas.shape[::-1], interpolation=cv2.INTER_LINEAR)
    opacity = float(np.clip(canvas.contrast / 110, 0.12, 1.0))
    return lay(canvas.image, cover * opacity, foreign)


color_change = Painter("color change", _color_change, sizes=(0.002, 0.15), contrasts=(12, 90), artwork=False)
cut_paste = Painter("misplaced part", _cut_paste, sizes=(0.001, 0.1), smooth=1.5)
texture_stain = Painter("stain", _blend, sizes=(0.001, 0.15), contrasts=(12, 70), artwork=False)
texture_contamination = Painter("contamination", _blend, sizes=(0.0005, 0.05), contrasts=(70, 150), artwork=False)
