"""Patch statistics of a photo in plain numpy and opencv: what tells one place of a product from another."""

from __future__ import annotations

import cv2
import numpy as np

SIDE = 256  # photos are looked at in this size; a patch is a 16th of the photo wide and they overlap by half
PATCH, STRIDE = 16, 8
GRID = SIDE // STRIDE
FEATURES = (
    "lightness",
    "green-red",
    "blue-yellow",
    "spread",
    "darkest",
    "brightest",
    "slope",
    "grain",
    "along",
    "across",
)
# Differences in grey levels that are no news however even the product is: what an eye makes out of each feature.
LEAST = np.array([5, 3, 3, 3, 5, 5, 2, 1, 1.5, 1.5], np.float32)


def patch_features(image: np.ndarray) -> np.ndarray:
    """(GRID, GRID, len(FEATURES)) float32 for a photo (H, W, 3) uint8, in grey levels of 255.

    Colour means, spread and extremes of the lightness (a hairline moves the extremes and no mean), and the mean
    strength of its slopes and of its grain, also along rows and columns apart, so that a turned weave differs.
    """
    interpolation = cv2.INTER_AREA if min(image.shape[:2]) >= SIDE else cv2.INTER_LINEAR
    lab = cv2.cvtColor(cv2.resize(image, (SIDE, SIDE), interpolation=interpolation), cv2.COLOR_RGB2LAB)
    light = lab[..., 0].astype(np.float32)
    soft = cv2.blur(light, (3, 3))
    square = np.ones((PATCH, PATCH), np.uint8)
    right, down = np.abs(cv2.Sobel(soft, cv2.CV_32F, 1, 0)) / 4, np.abs(cv2.Sobel(soft, cv2.CV_32F, 0, 1)) / 4
    mean = _mean(light)
    spread = np.sqrt(np.maximum(_mean(light * light) - mean * mean, 0))
    planes = (
        mean, _mean(lab[..., 1].astype(np.float32)), _mean(lab[..., 2].astype(np.float32)), spread,
        cv2.erode(soft, square), cv2.dilate(soft, square),
        _mean(right + down), _mean(np.abs(light - soft)), _mean(right), _mean(down),
    )  # fmt: skip
    return np.stack([plane[STRIDE // 2 :: STRIDE, STRIDE // 2 :: STRIDE] for plane in planes], 2).astype(np.float32)


def _mean(plane: np.ndarray) -> np.ndarray:
    return cv2.blur(plane, (PATCH, PATCH), borderType=cv2.BORDER_REFLECT_101)


def patches_of(mask: np.ndarray) -> np.ndarray:
    """(GRID, GRID) float32 in [0, 1]: the share of each patch that a mask (H, W) bool covers."""
    small = cv2.resize(mask.astype(np.float32), (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return _mean(small)[STRIDE // 2 :: STRIDE, STRIDE // 2 :: STRIDE]
