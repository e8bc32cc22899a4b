"""CutPaste (Li et al., CVPR 2021): a piece of the photo, jittered and turned, pasted elsewhere; and its scar."""

from __future__ import annotations

import cv2
import numpy as np

from data_gen.shading import lay
from data_gen.synthesizers.canvas import Canvas
from data_gen.synthesizers.painter import Painter
from data_gen.synthesizers.patches import as_strong_as_wished, box_around, cut_patch, turned_box


def _paste(canvas: Canvas, aspect: float, turn: float) -> np.ndarray:
    """A turned box of the photo `aspect` times as long as wide, pasted at the canvas's place."""
    rng = canvas.rng
    cover = turned_box(canvas.shape, canvas.place, canvas.radius, aspect, turn) * canvas.foreground
    box = box_around(cover, 3)
    image, cover = canvas.image[box], cover[box]
    out = canvas.image.copy()
    if canvas.tones is not None:
        patch = cut_patch(canvas, canvas.subject.photo, box, turn=float(rng.choice([0, 90, 180, 270])))
        out[box] = lay(image, (cover > 0.5).astype(np.float32), patch)
        return out
    patch = cut_patch(canvas, canvas.subject.photo, box, turn=turn)
    jitter = 1 + rng.normal(0, 0.1) + rng.normal(0, 0.02, 3)  # brightness, and a little of the colour
    change = as_strong_as_wished(canvas, patch * jitter.astype(np.float32) - image, cover)
    soft = cv2.GaussianBlur(cover, (0, 0), rng.uniform(0.4, 0.9))
    out[box] += soft[..., None] * change
    return out


def _rectangle(canvas: Canvas) -> np.ndarray:
    aspect = float(np.exp(canvas.rng.uniform(0, np.log(3.3))))  # the paper's 0.3 to 3.3
    return _paste(canvas, aspect, float(canvas.rng.uniform(0, 180)))


def _scar(canvas: Canvas) -> np.ndarray:
    aspect = float(canvas.rng.uniform(4, 9))
    return _paste(canvas, aspect, float(canvas.rng.uniform(0, 180)))


cut_paste = Painter("misplaced part", _rectangle, sizes=(0.0004, 0.045), contrasts=(10, 42), smooth=1.5)
scar = Painter("scratch", _scar, sizes=(0.0004, 0.02), contrasts=(10, 50), smooth=1.0, reach=3.0)
