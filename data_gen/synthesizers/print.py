"""Defects of print and line work: smeared, doubled, missing or shifted."""

from __future__ import annotations

import cv2
import numpy as np

from data_gen.noise import fbm, polygon_mask, random_blob
from data_gen.shading import lay
from data_gen.synthesizers.canvas import Canvas, grey_of, square, strongest
from data_gen.synthesizers.painter import Painter

FLAT = 0.2  # print has sharp edges on even ground: its median slope is below this share of its steep ones
STEEP = 12.0  # grey levels per pixel that the edges of print have at least


def shows_print(canvas: Canvas) -> bool:
    """Whether there is print or line work on the part here: few, steep edges with even ground between them."""
    reach = float(np.clip(1.5 * canvas.radius, 10, 40))
    grey = cv2.GaussianBlur(square(canvas.grey, canvas.place, reach), (0, 0), 0.8)
    slope = np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)) / 8
    part = square(canvas.foreground, canvas.place, reach).astype(np.uint8)
    margin = 2 * max(int(0.03 * min(canvas.subject.shape)), 3) + 1
    slope = slope[cv2.erode(part, np.ones((margin, margin), np.uint8)) > 0]  # the part's own outline is no print
    if slope.size < 50:
        return False
    middle, steep = np.percentile(slope, (50, 95))
    return bool(steep > STEEP and middle < FLAT * steep)


def _smeared(canvas: Canvas) -> np.ndarray:
    """Ink dragged along one direction while wet."""
    half = max(int(canvas.radius * (0.1 + 0.5 * canvas.ease)), 2)
    angle = canvas.rng.uniform(0, np.pi)
    kernel = np.zeros((2 * half + 1, 2 * half + 1), np.float32)
    end = (round(half * np.cos(angle)), round(half * np.sin(angle)))
    cv2.line(kernel, (half, half), (half + end[0], half + end[1]), 1.0)
    dragged = cv2.filter2D(canvas.image, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REFLECT)
    return _onto(canvas, dragged, 0.6 + 0.4 * canvas.ease)


def _doubled(canvas: Canvas) -> np.ndarray:
    """A paler second print beside the first."""
    away, angle = max(canvas.radius * (0.08 + 0.25 * canvas.ease), 1.6), canvas.rng.uniform(0, 2 * np.pi)
    move = np.array([[1, 0, away * np.cos(angle)], [0, 1, away * np.sin(angle)]], np.float32)
    ghost = cv2.warpAffine(canvas.image, move, canvas.shape[::-1], borderMode=cv2.BORDER_REFLECT)
    return _onto(canvas, ghost, 0.35 + 0.5 * canvas.ease)


def _onto(canvas: Canvas, print_: np.ndarray, strength: float) -> np.ndarray:
    """`print_` (h, w, 3) added to the window as ink adds: dark ink only darkens, light ink only lightens."""
    grey = canvas.grey
    dark_ink = float(np.median(grey)) > float(grey.mean())  # there is more ground than ink
    both = np.minimum(canvas.image, print_) if dark_ink else np.maximum(canvas.image, print_)
    return canvas.image + np.float32(strength) * (both - canvas.image)


def _faded(canvas: Canvas) -> np.ndarray:
    """Ink that did not take: the ground, found by closing over the strokes, shows through in patches."""
    grey = canvas.grey
    close = cv2.MORPH_CLOSE if float(np.median(grey)) > float(grey.mean()) else cv2.MORPH_OPEN
    reach = int(np.clip(canvas.radius * 0.8, 3, 25)) | 1
    ground = cv2.morphologyEx(canvas.image, close, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach)))
    patchy = np.clip(0.4 + 0.6 * canvas.ease + 0.3 * fbm(canvas.shape, max(canvas.radius / 3, 3), canvas.rng, 3), 0, 1)
    return lay(canvas.image, patchy, ground)


def _misprint(canvas: Canvas) -> np.ndarray:
    """One of smeared, doubled and missing print in a soft patch, or a band of print shifted sideways."""
    rng, radius = canvas.rng, canvas.radius
    if canvas.tones is None and not shows_print(canvas):
        return canvas.image
    if rng.random() < 0.25:
        return _shifted_band(canvas)
    change = (_smeared, _doubled, _faded)[int(rng.integers(3))]
    patch = random_blob(canvas.shape, canvas.place, radius * 1.2, rng, 0.15)
    soft = cv2.GaussianBlur(patch, (0, 0), max(radius * 0.1, 0.7))
    return _in_tones(canvas, lay(canvas.image, soft, change(canvas)))


def _shifted_band(canvas: Canvas) -> np.ndarray:
    """A strip printed out of register: moved along its own direction."""
    rng, radius = canvas.rng, canvas.radius * 1.2
    turn = float(rng.choice([0.0, 90.0])) + rng.normal(0, 2)
    long = float(rng.uniform(1.0, 2.2))
    corners = cv2.boxPoints((canvas.place[::-1], (2 * radius * long, 1.6 * radius / long), turn))
    away = max(radius * (0.1 + 0.4 * canvas.ease), 1.6) * float(rng.choice([-1, 1]))
    step = (away * np.cos(np.deg2rad(turn)), away * np.sin(np.deg2rad(turn)))
    move = np.array([[1, 0, step[0]], [0, 1, step[1]]], np.float32)
    moved = cv2.warpAffine(canvas.image, move, canvas.shape[::-1], borderMode=cv2.BORDER_REFLECT)
    return _in_tones(canvas, lay(canvas.image, polygon_mask(canvas.shape, corners), moved))


def _in_tones(canvas: Canvas, painted: np.ndarray) -> np.ndarray:
    """Artwork keeps its two tones: each changed pixel takes the nearer one."""
    if canvas.tones is None:
        return painted
    dark, light = (tone.astype(np.float32) for tone in canvas.tones)
    nearer = np.where(grey_of(painted)[..., None] > (dark.mean() + light.mean()) / 2, light, dark)
    changed = strongest(np.abs(painted - canvas.image))[..., None] > 1
    return np.where(changed, nearer, canvas.image)


misprint = Painter("misprint", _misprint, sizes=(0.001, 0.1), detail=True, reach=2.6)
