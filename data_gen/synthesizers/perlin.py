"""Perlin-noise masks with foreign texture (DRAEM: Zavrtanik et al., ICCV 2021) or with the photo's own pieces
shuffled (the structural anomalies of MemSeg: Yang et al., 2023).

The papers threshold noise over the whole photo, which gives many large blobs. Real defects are mostly one spot
of a few thousandths of the area, so the noise here only frays the outline of one.
"""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np

from data_gen.noise import gradient_noise
from data_gen.procedural import random_product
from data_gen.shading import lay
from data_gen.synthesizers.canvas import Canvas
from data_gen.synthesizers.painter import Painter
from data_gen.synthesizers.patches import Box, as_strong_as_wished, box_around, cut_patch

TEXTURES = 64  # rendered products to take texture from, each rendered once a process
TEXTURE_SIDE = 128


@cache
def rendered_texture(index: int) -> np.ndarray:
    """A photo of a rendered product, (TEXTURE_SIDE, TEXTURE_SIDE, 3) uint8; `index` fixes it."""
    rng = np.random.default_rng([index, 20210817])
    return random_product(rng).photo(rng, TEXTURE_SIDE)


def perlin_blob(canvas: Canvas, edge: float = 1.5) -> np.ndarray:
    """One blob of the wished area with an outline frayed by Perlin noise: (h, w) float32 in [0, 1] on the part.

    `edge` is the width of its soft edge in pixels.
    """
    rng, radius = canvas.rng, canvas.radius
    down, across = (np.arange(n, dtype=np.float32) - at for n, at in zip(canvas.shape, canvas.place, strict=True))
    turn, stretch = rng.uniform(0, np.pi), float(np.exp(rng.normal(0, 0.3)))
    cos, sin = np.float32(np.cos(turn) / radius), np.float32(np.sin(turn) / radius)
    along = (across[None] * cos + down[:, None] * sin) * np.float32(stretch)
    beside = (down[:, None] * cos - across[None] * sin) / np.float32(stretch)
    field = -np.sqrt(along**2 + beside**2)
    cell = max(radius * rng.uniform(0.6, 1.4), 2.0)
    field += np.float32(rng.uniform(0.2, 0.8)) * gradient_noise(canvas.shape, cell, rng)
    field += np.float32(rng.uniform(0, 0.3)) * gradient_noise(canvas.shape, max(cell / 3, 1.5), rng)
    on_part = field[canvas.foreground]
    rank = min(int(canvas.area), len(on_part) - 1)
    threshold = -np.partition(-on_part, rank)[rank]
    return np.clip((field - threshold) * np.float32(radius / edge) + 0.5, 0, 1) * canvas.foreground


def _foreign(canvas: Canvas, box: Box) -> np.ndarray:
    """Texture for `box` from another photo, a rendered product or this photo, made strange: (h, w, 3) float32."""
    rng, draw = canvas.rng, canvas.rng.random()
    if canvas.sources and draw < 0.5:
        photo = canvas.sources[int(rng.integers(len(canvas.sources)))]
    elif draw < 0.85:
        photo = rendered_texture(int(rng.integers(TEXTURES)))
    else:
        photo = canvas.subject.photo
    texture = cut_patch(canvas, photo, box, float(np.exp(rng.uniform(-0.7, 0.7))), float(rng.uniform(0, 360)))
    if rng.random() < 0.5:
        texture = texture[..., rng.permutation(3)]
    if rng.random() < 0.25:
        texture = 255 - texture
    level = texture.mean((0, 1))
    return level * np.float32(rng.uniform(0.5, 1.3)) + (texture - level) * np.float32(rng.uniform(0.6, 1.6))


def _stain(canvas: Canvas) -> np.ndarray:
    """The texture shines through: DRAEM's blend, its opacity such that it differs by the wished contrast."""
    cover = perlin_blob(canvas, edge=1.5 + 0.3 * canvas.radius * canvas.rng.random())
    box = box_around(cover, 1)
    change = as_strong_as_wished(canvas, _foreign(canvas, box) - canvas.image[box], cover[box])
    out = canvas.image.copy()
    out[box] += cover[box][..., None] * change
    return out


def _contamination(canvas: Canvas) -> np.ndarray:
    """The texture covers the part, in colours as far from the part's as the wished contrast."""
    cover = perlin_blob(canvas)
    box = box_around(cover, 1)
    local = canvas.colour(canvas.place, max(2 * canvas.radius, 6))
    matter = local + as_strong_as_wished(canvas, _foreign(canvas, box) - local, cover[box])
    out = canvas.image.copy()
    out[box] = lay(canvas.image[box], cover[box], matter)
    return out


def shuffled_blocks(canvas: Canvas, box: Box, side: int) -> np.ndarray:
    """The photo's pieces of `side` pixels in random order, as many as fill `box`: (h, w, 3) float32."""
    photo, rng = canvas.subject.photo, canvas.rng
    height, width = (edge.stop - edge.start for edge in box)
    rows, columns = -(-height // side), -(-width // side)
    limit = np.array(canvas.subject.shape) - side
    corners = rng.integers(0, limit + 1, (4 * rows * columns, 2))
    middle = corners + side // 2
    on_part = corners[canvas.subject.foreground[middle[:, 0], middle[:, 1]]]
    corners = np.resize(on_part if len(on_part) else corners, (rows * columns, 2))
    blocks = np.empty((rows * side, columns * side, 3), np.float32)
    for index, (y, x) in enumerate(corners):
        top, left = divmod(index, columns)
        blocks[top * side :, left * side :][:side, :side] = photo[y : y + side, x : x + side]
    return blocks[:height, :width]


def _structure(canvas: Canvas) -> np.ndarray:
    """The photo's own pieces in the wrong order; on artwork pasted hard."""
    cover = perlin_blob(canvas)
    box = box_around(cover, 1)
    side = int(np.clip(canvas.radius * canvas.rng.uniform(0.5, 1.2), 3, min(canvas.subject.shape)))
    blocks = shuffled_blocks(canvas, box, side)
    out = canvas.image.copy()
    if canvas.tones is not None:
        out[box] = lay(canvas.image[box], (cover[box] > 0.5).astype(np.float32), blocks)
        return out
    change = as_strong_as_wished(canvas, blocks - canvas.image[box], cover[box])
    out[box] += cv2.GaussianBlur(cover[box], (0, 0), 0.7)[..., None] * change
    return out


texture_stain = Painter("stain", _stain, sizes=(0.0004, 0.045), contrasts=(10, 42), smooth=1.5, artwork=False)
texture_contamination = Painter(
    "contamination", _contamination, sizes=(0.0004, 0.035), contrasts=(14, 60), smooth=1.0, artwork=False
)
structure = Painter("misplaced part", _structure, sizes=(0.0005, 0.045), contrasts=(10, 45), smooth=1.5, detail=True)
