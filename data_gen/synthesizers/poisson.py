"""Poisson-blended patches (NSA: Schlüter et al., Natural Synthetic Anomalies, ECCV 2022).

A patch of the same photo or of another normal one, resized, is blended in without a seam: the gradients come
from the patch and the border from the photo (Pérez et al., Poisson Image Editing, 2003).
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from scipy import fft

from data_gen.shading import lay
from data_gen.synthesizers.canvas import Canvas, grey_of
from data_gen.synthesizers.painter import Painter
from data_gen.synthesizers.patches import Box, box_around, cut_patch, random_shape, strength

CANDIDATES = 3  # patches to try until one differs enough
NEIGHBOURS = ((np.s_[..., :-1, :], np.s_[..., 1:, :]), (np.s_[..., :-1], np.s_[..., 1:]))  # each pixel and its next
SHRINK = 0.72  # of the shape, for the blend reaches all over its box, about twice its area
MOST_GAIN = 2.0  # a patch's own structure may be made so much stronger


def solve_poisson(divergence: np.ndarray) -> np.ndarray:
    """u (..., h, w) with the five-point Laplacian of u equal to `divergence` and u = 0 just outside the box.

    Exact: the sine transform (DST-I) diagonalises that Laplacian.
    """
    waves = fft.dstn(divergence, type=1, axes=(-2, -1))
    waves /= _eigenvalues(*divergence.shape[-2:])
    return fft.idstn(waves, type=1, axes=(-2, -1), overwrite_x=True)


@lru_cache(maxsize=256)
def _eigenvalues(height: int, width: int) -> np.ndarray:
    rows, columns = (2 * np.cos(np.pi * np.arange(1, n + 1) / (n + 1)) - 2 for n in (height, width))
    return (rows[:, None] + columns).astype(np.float32)


def blend_change(image: np.ndarray, patch: np.ndarray, cover: np.ndarray, mixed: bool) -> np.ndarray:
    """What to add to `image` to blend `patch` in, both (h, w, 3) float32: 0 just outside the box.

    `cover` (h, w) in [0, 1] is where the patch's gradients count; `mixed` keeps the photo's where those are
    stronger, so that the photo's own edges go on through the patch.
    """
    difference = np.stack(cv2.split(patch - image))  # by plane: three times as fast as by pixel
    divergence = np.zeros_like(difference)
    for here, there in NEIGHBOURS:
        counts = np.minimum(cover[here], cover[there])
        if mixed:
            own, foreign = (np.abs(grey[there] - grey[here]) for grey in (grey_of(image), grey_of(patch)))
            counts = counts * (foreign > own)
        flow = (difference[there] - difference[here]) * counts
        divergence[here] += flow
        divergence[there] -= flow
    return cv2.merge(tuple(solve_poisson(divergence)))


def _patch(canvas: Canvas, box: Box) -> np.ndarray:
    """Pixels for `box` from another normal photo or from elsewhere in this one, resized."""
    rng, photos = canvas.rng, canvas.sources
    photo = photos[int(rng.integers(len(photos)))] if photos and rng.random() < 0.5 else canvas.subject.photo
    if canvas.tones is not None:
        return cut_patch(canvas, photo, box, turn=float(rng.choice([0, 90, 180, 270])))
    spread = 180 if canvas.subject.foreground.all() else 20  # a texture has no right way up
    return cut_patch(canvas, photo, box, float(np.exp(rng.uniform(-0.4, 0.4))), float(rng.uniform(-spread, spread)))


def _choose(canvas: Canvas, box: Box, cover: np.ndarray) -> np.ndarray:
    """The first of a few patches that differs from the photo as much as wished, or the one that differs most."""
    inside, best, most = (cover > 0.5).astype(np.uint8), canvas.image[box], -1.0
    for _ in range(CANDIDATES):
        patch = _patch(canvas, box)
        differs = float(cv2.meanStdDev(grey_of(patch - canvas.image[box]), mask=inside)[1][0, 0])
        if differs > most:
            best, most = patch, differs
        if most >= canvas.contrast:
            break
    return best


def _poisson(canvas: Canvas) -> np.ndarray:
    """A patch blended in and made as strong as wished; on artwork it is pasted hard."""
    cover = random_shape(canvas.shape, canvas.place, SHRINK * canvas.radius, canvas.rng) * canvas.foreground
    box = box_around(cover, 1)
    image, cover, out = canvas.image[box], cover[box], canvas.image.copy()
    patch = _choose(canvas, box, cover)
    if canvas.tones is not None:
        out[box] = lay(image, (cover > 0.5).astype(np.float32), patch)
        return out
    change = blend_change(image, patch, cover, mixed=bool(canvas.rng.random() < 0.5))
    shows = strength(change, cover)
    gain = min(canvas.contrast / max(shows, 1e-6), MOST_GAIN)
    out[box] += np.float32(gain) * change
    if gain * shows < 0.8 * canvas.contrast:  # a plain place has no structure to give: it bulges instead
        hump = -solve_poisson(cover)
        level = canvas.delta(canvas.place, darker=0.6) * hump / max(float(hump.max()), 1e-6)
        out[box] += level[..., None]
    return out


poisson_patch = Painter("deformation", _poisson, sizes=(0.0004, 0.045), contrasts=(9, 45), smooth=1.0)
