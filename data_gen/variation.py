"""Harmless variation between photos of the same good piece; a detector must not call it a defect."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial

import cv2
import numpy as np
from numpy.random import Generator

BIGGEST_MEAN_CHANGE = 30.0  # grey levels of 255 at strength 1, mean over the photo seen through a blur of a 16th
Change = Callable[[np.ndarray, Generator, float], np.ndarray]  # float32 (H, W, 3) in [0, 255] -> the same


def vary(image: np.ndarray, rng: Generator, strength: float = 1.0, only: Collection[str] | None = None) -> np.ndarray:
    """The photo (H, W, 3) uint8 taken again: other light, camera noise and placement; same shape and type.

    `strength` scales every change; 0 returns a copy, 1 is a careful camera stand, 2 a hand-held phone. `only` names
    the `VARIATIONS` that may act, all of them then; without it the rarer ones act now and then (`CHANCES`).

    Raises:
        ValueError: an unknown name in `only`.
    """
    unknown = sorted(set(only or ()) - set(VARIATIONS))
    if unknown:
        raise ValueError(f"unknown variations {unknown}; known: {', '.join(VARIATIONS)}")
    if strength == 0:
        return image.copy()
    names = [name for name in VARIATIONS if (rng.random() < CHANCES.get(name, 1.0) if only is None else name in only)]
    moves = [name for name in names if name in MOVES]
    picture = image.astype(np.float32)
    if moves:  # all in one go, so that the picture is interpolated once
        picture = _move(picture, rng, strength, moves)
    for name in names:
        if name not in MOVES:
            picture = VARIATIONS[name](picture, rng, strength)
    return (np.clip(picture, 0, 255) + 0.5).astype(np.uint8)


def _move(picture: np.ndarray, rng: Generator, strength: float, moves: Collection[str]) -> np.ndarray:
    """Shift by about 1 % of the sides, turn by about 1 degree, scale by about 1 %; the border reflects."""
    right, down = rng.normal(0, 0.012, 2) * strength if "shift" in moves else (0.0, 0.0)
    turn = rng.normal(0, 0.8) * strength if "rotation" in moves else 0.0
    scale = float(np.exp(rng.normal(0, 0.008) * strength)) if "scale" in moves else 1.0
    height, width = picture.shape[:2]
    move = cv2.getRotationMatrix2D((width / 2, height / 2), turn, scale)
    move[:, 2] += right * width, down * height
    return cv2.warpAffine(picture, move, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)


def _illumination(picture: np.ndarray, rng: Generator, strength: float) -> np.ndarray:
    """Exposure and gamma of the camera, and light that falls off from one side to the other."""
    gamma, gain = np.exp(rng.normal(0, 0.08) * strength), np.exp(rng.normal(0, 0.06) * strength)
    across, down = _coordinates(picture)
    angle, slope = rng.uniform(0, 2 * np.pi), rng.uniform(0, 0.08) * strength
    light = gain * (1 + slope * (np.cos(angle) * across + np.sin(angle) * down))
    return 255 * cv2.pow(picture / 255, float(gamma)) * light[..., None].astype(np.float32)


def _white_balance(picture: np.ndarray, rng: Generator, strength: float) -> np.ndarray:
    """Another gain for each colour."""
    return picture * np.exp(rng.normal(0, 0.015, 3) * strength).astype(np.float32)


def _vignetting(picture: np.ndarray, rng: Generator, strength: float) -> np.ndarray:
    """A lens that darkens towards the corners."""
    across, down = _coordinates(picture)
    return picture * (1 - np.float32(rng.uniform(0, 0.06) * strength) * (across**2 + down**2))[..., None]


def _reflections(picture: np.ndarray, rng: Generator, strength: float) -> np.ndarray:
    """A lamp or a window mirrored in the surface: one or two wide, soft, whitish glares without an edge.

    They add light in proportion to the room left up to white, more where the surface is bright, and are a quarter of
    the photo wide or more, unlike any spot of dirt.
    """
    across, down = _coordinates(picture)
    clear = np.ones(picture.shape[:2], np.float32)
    for _ in range(int(rng.integers(1, 3))):
        x, y = rng.uniform(-1.1, 1.1, 2)
        angle, long, wide = rng.uniform(0, np.pi), rng.uniform(0.5, 1.4), rng.uniform(0.25, 0.5)
        along = (across - x) * np.cos(angle) + (down - y) * np.sin(angle)
        aside = (down - y) * np.cos(angle) - (across - x) * np.sin(angle)
        clear *= 1 - cv2.exp((-0.5 * ((along / long) ** 2 + (aside / wide) ** 2)).astype(np.float32))
    grey = cv2.blur(cv2.transform(picture, np.full((1, 3), 1 / 3, np.float32)), (3, 3))
    shine = 0.75 + 0.25 * np.clip(grey / max(float(np.median(grey)), 1.0), 0, 2)  # what is bright shines more
    share = np.clip(rng.uniform(0.05, 0.2) * strength * (1 - clear) * shine, 0, 0.6)[..., None]
    return picture + share * (255 - picture)


def _focus(picture: np.ndarray, rng: Generator, strength: float) -> np.ndarray:
    """A lens slightly out of focus, wider on larger photos."""
    sigma = (0.3 + 0.5 * strength * rng.random()) * max(min(picture.shape[:2]) / 256, 1.0) ** 0.5
    return cv2.GaussianBlur(picture, (0, 0), sigma)


def _noise(picture: np.ndarray, rng: Generator, strength: float) -> np.ndarray:
    """Sensor noise, the same in all colours."""
    grain = rng.standard_normal(picture.shape[:2], dtype=np.float32)
    return picture + (grain * np.float32(rng.uniform(0.3, 3.0) * strength))[..., None]


def _jpeg(picture: np.ndarray, rng: Generator, strength: float) -> np.ndarray:
    """Compression artefacts."""
    quality = int(np.clip(rng.uniform(70, 97) - 10 * (strength - 1), 30, 97))
    _, data = cv2.imencode(".jpg", np.clip(picture + 0.5, 0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert decoded is not None
    return decoded.astype(np.float32)


def _coordinates(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """x as (1, W) and y as (H, 1), float32 in [-1, 1]."""
    height, width = picture.shape[:2]
    return np.linspace(-1, 1, width, dtype=np.float32)[None], np.linspace(-1, 1, height, dtype=np.float32)[:, None]


MOVES = ("shift", "rotation", "scale")
VARIATIONS: dict[str, Change] = {
    **{name: partial(_move, moves=(name,)) for name in MOVES},
    "illumination": _illumination, "white balance": _white_balance, "vignetting": _vignetting,
    "reflections": _reflections, "focus": _focus, "noise": _noise, "jpeg": _jpeg,
}  # fmt: skip
CHANCES = {"reflections": 0.15, "focus": 0.4, "jpeg": 0.5}  # of those that do not act on every photo
