"""Harmless variation between photos of the same good piece; a detector must not call it a defect."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.random import Generator

BIGGEST_MEAN_CHANGE = 30.0  # grey levels of 255 at strength 1, mean over the photo seen through a blur of a 16th


def vary(image: np.ndarray, rng: Generator, strength: float = 1.0) -> np.ndarray:
    """The photo (H, W, 3) uint8 taken again: other light, camera noise and placement; same shape and type.

    `strength` scales every change; 0 returns a copy, 1 is a careful camera stand, 2 a hand-held phone.
    """
    if strength == 0:
        return image.copy()
    picture = _light(_move(image, rng, strength), rng, strength)
    if rng.random() < 0.4:
        picture = cv2.GaussianBlur(picture, (0, 0), 0.3 + 0.5 * strength * rng.random())
    noise = rng.standard_normal(image.shape[:2], dtype=np.float32) * np.float32(rng.uniform(0.3, 3.0) * strength)
    out = (np.clip(picture + noise[..., None], 0, 255) + 0.5).astype(np.uint8)
    if rng.random() < 0.5:
        quality = int(np.clip(rng.uniform(70, 97) - 10 * (strength - 1), 30, 97))
        _, data = cv2.imencode(".jpg", out, [cv2.IMWRITE_JPEG_QUALITY, quality])
        out = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
    return out


def _move(image: np.ndarray, rng: Generator, strength: float) -> np.ndarray:
    """Shift by up to about 3 %, turn by 2 degrees, scale by 2 %; the border reflects."""
    height, width = image.shape[:2]
    turn, scale = rng.normal(0, 0.8) * strength, float(np.exp(rng.normal(0, 0.008) * strength))
    move = cv2.getRotationMatrix2D((width / 2, height / 2), turn, scale)
    move[:, 2] += rng.normal(0, 0.012, 2) * strength * (width, height)
    return cv2.warpAffine(image, move, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)


def _light(image: np.ndarray, rng: Generator, strength: float) -> np.ndarray:
    """Gamma, gain and white balance by table, then a lighting slope and a vignette; float32 in [0, 255]."""
    levels = np.linspace(0, 1, 256)[:, None] ** np.exp(rng.normal(0, 0.08) * strength)
    gain = np.exp(rng.normal(0, 0.06) * strength + rng.normal(0, 0.015, 3) * strength)
    table = (255 * levels * gain).astype(np.float32)
    picture = np.stack([table[:, channel][image[..., channel]] for channel in range(3)], 2)
    y, x = (np.linspace(-1, 1, count, dtype=np.float32) for count in image.shape[:2])
    angle, slope = rng.uniform(0, 2 * np.pi), rng.uniform(0, 0.08) * strength
    vignette = np.float32(rng.uniform(0, 0.06) * strength)
    across = 1 + np.float32(slope * np.cos(angle)) * x - vignette * x * x
    down = np.float32(slope * np.sin(angle)) * y - vignette * y * y
    return picture * (across[None, :] + down[:, None])[..., None]
