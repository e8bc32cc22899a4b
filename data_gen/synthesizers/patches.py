"""What the published generators share: pixels taken from elsewhere, and a change made as strong as wished."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.random import Generator

from data_gen.noise import polygon_mask, random_blob
from data_gen.synthesizers.canvas import Canvas, Place, grey_of, strongest

Box = tuple[slice, slice]


def box_around(cover: np.ndarray, margin: int) -> Box:
    """The rows and columns of `cover` (h, w) that are not empty, `margin` pixels wider, cut at the border."""
    left, top, width, height = cv2.boundingRect((cover > 0).astype(np.uint8))
    return (
        slice(max(top - margin, 0), min(top + height + margin, cover.shape[0])),
        slice(max(left - margin, 0), min(left + width + margin, cover.shape[1])),
    )


def random_shape(shape: tuple[int, int], centre: Place, radius: float, rng: Generator) -> np.ndarray:
    """A blob, a polygon or a turned box of area about pi * radius**2: (h, w) float32 in [0, 1]."""
    draw = rng.random()
    if draw < 0.5:
        return random_blob(shape, centre, radius, rng, rng.uniform(0, 0.4))
    if draw < 0.8:
        corners = int(rng.integers(4, 9))
        angles = (np.arange(corners) + rng.uniform(-0.35, 0.35, corners)) * 2 * np.pi / corners
        reach = 1.15 * radius * np.exp(rng.normal(0, 0.2, corners))
        stretch = np.exp(rng.normal(0, 0.2))
        points = np.stack([reach * np.cos(angles) * stretch, reach * np.sin(angles) / stretch], 1)
        return polygon_mask(shape, points + np.array([centre[1], centre[0]]))
    return turned_box(shape, centre, radius, float(np.exp(rng.uniform(0, 1))), float(rng.uniform(0, 180)))


def turned_box(shape: tuple[int, int], centre: Place, radius: float, aspect: float, turn: float) -> np.ndarray:
    """A box of area pi * radius**2, `aspect` times as long as wide, turned by degrees: (h, w) in [0, 1]."""
    side = float(np.sqrt(np.pi)) * radius
    size = side * float(np.sqrt(aspect)), side / float(np.sqrt(aspect))
    return polygon_mask(shape, cv2.boxPoints((centre[::-1], size, turn)))


def cut_patch(canvas: Canvas, photo: np.ndarray, box: Box, scale: float = 1.0, turn: float = 0.0) -> np.ndarray:
    """Pixels of a random place on the part in `photo`, as large as `box`: (h, w, 3) float32 in [0, 255].

    They come `scale` times as large and turned by `turn` degrees, mirrored at random. `photo` may have another
    size than the canvas's; the part is taken to lie at the same place in it.
    """
    height, width = (side.stop - side.start for side in box)
    down, across = (there / here for there, here in zip(photo.shape, canvas.subject.shape, strict=False))
    y, x = canvas.subject.inside(canvas.rng)
    mirror = 1 if canvas.rng.random() < 0.5 else -1
    cos, sin = math.cos(math.radians(turn)) / scale, math.sin(math.radians(turn)) / scale
    middle_x, middle_y = (width - 1) / 2, (height - 1) / 2
    left = x - mirror * cos * middle_x + sin * middle_y
    top = y - mirror * sin * middle_x - cos * middle_y
    move = np.array(
        [
            [across * mirror * cos, -across * sin, across * left],
            [down * mirror * sin, down * cos, down * top],
        ]
    )
    sharp = cv2.INTER_LINEAR if canvas.tones is None else cv2.INTER_NEAREST
    flags = sharp | cv2.WARP_INVERSE_MAP
    patch = cv2.warpAffine(photo, move, (width, height), flags=flags, borderMode=cv2.BORDER_REFLECT_101)
    return patch.astype(np.float32)


def strength(change: np.ndarray, cover: np.ndarray) -> float:
    """Grey levels by which `change` (h, w, 3) shows: its smoothed root mean square where `cover` (h, w) is 1."""
    blurred = cv2.GaussianBlur(change, (0, 0), 1.0)
    seen = strongest(blurred * blurred)
    return float(np.sqrt(np.vdot(seen, cover) / max(float(cover.sum()), 1e-6)))


def as_strong_as_wished(canvas: Canvas, change: np.ndarray, cover: np.ndarray) -> np.ndarray:
    """`change` (h, w, 3) faded to the canvas's contrast; one too weak gets an even tone besides."""
    has = strength(change, cover)
    if has >= canvas.contrast:
        return change * np.float32(canvas.contrast / has)
    toward = np.sign(float(np.vdot(grey_of(change), cover))) or 1.0
    room = canvas.delta(canvas.place, darker=0.8 if toward < 0 else 0.2)
    return change + np.float32(np.sign(room) * np.sqrt(canvas.contrast**2 - has**2))
