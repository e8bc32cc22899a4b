"""Defects of structure: break, missing part, misplaced and duplicated part."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from data_gen.noise import fbm, polygon_mask, random_blob
from data_gen.shading import lay
from data_gen.synthesizers.canvas import Canvas, Place, strongest
from data_gen.synthesizers.painter import Painter, fill_from_outside, fine_grain, shifted


def jagged(canvas: Canvas, centre: Place, radius: float) -> np.ndarray:
    """A fractured, angular outline: coverage (H, W) float32 in [0, 1] around `centre` (y, x)."""
    rng = canvas.rng
    knots = np.exp(rng.normal(0, 0.22, int(rng.integers(6, 11))))
    count = int(np.clip(radius * 1.5, 14, 60))
    angles = np.sort(rng.uniform(0, 2 * np.pi, count))
    along = angles / (2 * np.pi) * len(knots)  # coarse facets with fine teeth on them
    reach = radius * np.interp(along, np.arange(len(knots) + 1), np.append(knots, knots[0]))
    reach *= np.exp(rng.normal(0, 0.07, count))
    stretch = np.exp(rng.normal(0, 0.25))
    points = [centre[1] + reach * np.cos(angles) * stretch, centre[0] + reach * np.sin(angles) / stretch]
    return polygon_mask(canvas.shape, np.stack(points, 1))


def background(canvas: Canvas) -> np.ndarray:
    """The window as if the part were not there, (h, w, 3) float32: what is beside the part, continued under it."""
    margin = 2 * max(round(0.008 * min(canvas.subject.shape)), 2) + 1  # the mask is a little off at the outline
    part = cv2.dilate(canvas.foreground.astype(np.uint8), np.ones((margin, margin), np.uint8))
    grain = fine_grain(canvas.image, canvas.rng, part > 0) * part[..., None]
    return fill_from_outside(canvas.image, part > 0) + grain


def _break(canvas: Canvas) -> np.ndarray:
    """The edge of the part eaten away: background shows; on a texture a chip with fresh material inside."""
    rng, place, radius = canvas.rng, canvas.place, canvas.radius * 1.2
    chip = jagged(canvas, place, radius)
    if canvas.tones is not None:
        return lay(canvas.image, (chip > 0.5).astype(np.float32), canvas.ink(place))
    if canvas.foreground.mean() > 0.97:
        return _chip_in_texture(canvas, chip)
    # the fracture face: a thin lighter or darker band along the new edge
    eroded = cv2.erode(chip, np.ones((3, 3), np.uint8))
    face = cv2.GaussianBlur(chip - eroded, (0, 0), 0.6) * rng.uniform(0, 0.8)
    out = lay(canvas.image, chip, background(canvas))
    fresh = canvas.colour(place, 2 * radius) + rng.normal(0, 0.5 * canvas.contrast)
    return lay(out, face * canvas.foreground, np.clip(fresh, 0, 255))


def _chip_in_texture(canvas: Canvas, chip: np.ndarray) -> np.ndarray:
    """Fresh, rougher material inside `chip`, darker or lighter, with a shadow along its upper edge."""
    rng, place, radius = canvas.rng, canvas.place, canvas.radius
    delta = canvas.delta(place, darker=0.6)
    rough = fbm(canvas.shape, max(radius / 2, 3), rng, 4, 0.7) * min(0.35 * abs(delta), 25.0)
    fresh = 0.7 * canvas.colour(place, 3 * radius) + 0.3 * canvas.image + delta + rough[..., None]
    out = lay(canvas.image, chip, np.clip(fresh, 0, 255))
    step = int(max(radius * 0.12, 1))
    wall = cv2.GaussianBlur(chip * (1 - shifted(chip, step, step)), (0, 0), 0.7)
    return out * (1 - min(canvas.contrast / 200, 0.45) * wall)[..., None]


def find_piece(canvas: Canvas) -> tuple[np.ndarray, bool]:
    """A piece of the part near the wished area, (h, w) bool, and whether it stands out from its surroundings.

    Pieces that stand out are connected regions that differ in tone from a wide blur (a chip on a board, a
    letter, a logo); where there is none of a fitting size, a rounded patch in the middle.
    """
    rng, wide = canvas.rng, max(canvas.radius * 1.5, 6)
    small = cv2.resize(canvas.image, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    surround = cv2.resize(cv2.GaussianBlur(small, (0, 0), wide / 4), canvas.shape[::-1])
    contrast = strongest(np.abs(canvas.image - surround)) * canvas.foreground
    distinct = (contrast > max(2 * float(np.median(contrast[::3, ::3])), 25)).astype(np.uint8)
    distinct = cv2.morphologyEx(distinct, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(distinct)
    stats = stats[1:count]
    largest = min(3 * canvas.area, 0.35 * canvas.foreground.sum())  # a piece of the part, never most of it
    fits = (stats[:, cv2.CC_STAT_AREA] > canvas.area / 4) & (stats[:, cv2.CC_STAT_AREA] < largest)
    # what the window's border cuts off is no whole piece
    fits &= (stats[:, :2] > 0).all(1) & (stats[:, 0] + stats[:, 2] < labels.shape[1])
    fits &= stats[:, 1] + stats[:, 3] < labels.shape[0]
    if fits.any():
        return labels == 1 + int(rng.choice(np.flatnonzero(fits))), True
    return (random_blob(canvas.shape, canvas.place, canvas.radius, rng, 0.1) > 0.5) & canvas.foreground, False


def erase(canvas: Canvas, piece: np.ndarray) -> np.ndarray:
    """The window without `piece` (h, w) bool: filled from around it, with the photo's own grain."""
    if canvas.tones is not None:
        y, x = np.argwhere(piece)[int(piece.sum()) // 2]
        whole = cv2.dilate(piece.astype(np.uint8), np.ones((5, 5), np.uint8))  # with its soft edge
        return lay(canvas.image, whole.astype(np.float32), canvas.ink((float(y), float(x))))
    grown = cv2.dilate(piece.astype(np.uint8), cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (7, 7)))
    filled = fill_from_outside(canvas.image, grown > 0) + fine_grain(canvas.image, canvas.rng)
    return lay(canvas.image, cv2.GaussianBlur(grown.astype(np.float32), (0, 0), 0.8), filled)


def _missing(canvas: Canvas) -> np.ndarray:
    """A piece that is not there: what surrounds it covers its place."""
    piece, distinct = find_piece(canvas)
    if not piece.any():
        return canvas.image
    if canvas.tones is not None:
        return erase(canvas, piece)
    beside = cv2.dilate(piece.astype(np.uint8), np.ones((7, 7), np.uint8))
    if (~canvas.foreground[beside > 0]).any():  # a limb or a tooth of the part: nothing is there any more
        return lay(canvas.image, cv2.GaussianBlur(beside.astype(np.float32), (0, 0), 0.8), background(canvas))
    if distinct:
        return erase(canvas, piece)
    # a piece like its surroundings leaves an empty seat, a little darker or lighter, or nothing would show
    seat = cv2.GaussianBlur(piece.astype(np.float32), (0, 0), 0.8)
    return erase(canvas, piece) + (canvas.delta(canvas.place) * seat)[..., None]


def _moved(
    canvas: Canvas, piece: np.ndarray, turn: float, travel: tuple[float, float]
) -> tuple[np.ndarray, np.ndarray]:
    """`piece` (h, w) bool turned by `turn` degrees and moved by `travel` (y, x): its cover (h, w), its pixels."""
    ys, xs = np.nonzero(piece)
    move = cv2.getRotationMatrix2D((float(xs.mean()), float(ys.mean())), turn, 1.0)
    move[:, 2] += travel[::-1]
    grown = cv2.dilate(piece.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(np.float32)
    size = canvas.shape[::-1]
    cover = cv2.warpAffine(grown, move, size)
    if canvas.tones is not None:
        sharp = cv2.warpAffine(canvas.image, move, size, flags=cv2.INTER_NEAREST, borderMode=cv2.BORDER_REFLECT)
        return (cover > 0.5).astype(np.float32), sharp
    return cover, cv2.warpAffine(canvas.image, move, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)


def _misplaced(canvas: Canvas) -> np.ndarray:
    """A piece taken off and put back turned and a little aside: less of both when it shall hardly show."""
    rng, (piece, distinct) = canvas.rng, find_piece(canvas)
    if not piece.any():
        return canvas.image
    most = 15 + 165 * canvas.ease
    turn = float(rng.uniform(0.3, 1) * rng.choice([-most, most]))
    away, angle = canvas.radius * rng.uniform(0.2, 0.4 + 0.9 * canvas.ease), rng.uniform(0, 2 * np.pi)
    cover, moved = _moved(canvas, piece, turn, (away * np.sin(angle), away * np.cos(angle)))
    if not distinct and canvas.tones is None:
        moved = moved + 0.3 * canvas.delta(canvas.place)  # turned out of its bed it catches the light differently
    return lay(erase(canvas, piece), cover, moved)


def _duplicated(canvas: Canvas) -> np.ndarray:
    """A second copy of a piece beside the first; where nothing stands out, a patch of material lies on top."""
    rng, (piece, distinct) = canvas.rng, find_piece(canvas)
    if not piece.any():
        return canvas.image
    rows, columns = np.flatnonzero(piece.any(1)), np.flatnonzero(piece.any(0))
    away = (np.hypot(np.ptp(rows), np.ptp(columns)) / 2 + 3) * rng.uniform(0.8, 1.3)
    angle = rng.uniform(0, 2 * np.pi)
    turn = float(rng.choice([0.0, 90.0, 180.0, rng.uniform(-60, 60)]))
    cover, moved = _moved(canvas, piece, turn, (away * np.sin(angle), away * np.cos(angle)))
    if distinct or canvas.tones is not None:
        return lay(canvas.image, cover, moved)
    shadow = np.clip(cv2.GaussianBlur(shifted(cover, 2, 2), (0, 0), 1.0) - cover, 0, 1)
    shaded = canvas.image * (1 - min(canvas.contrast / 200, 0.4) * shadow)[..., None]
    return lay(shaded, cover, moved + 0.3 * canvas.delta(canvas.place))


break_off = Painter("break", _break, sizes=(0.0004, 0.09), contrasts=(14, 60), outline=1.0, beyond=True)
missing_part = Painter(
    "missing part", _missing, sizes=(0.0005, 0.1), contrasts=(8, 45), smooth=1.5, detail=True, reach=3.5, beyond=True
)
misplaced_part = Painter(
    "misplaced part",
    _misplaced,
    sizes=(0.0008, 0.08),
    contrasts=(10, 70),
    smooth=1.5,
    detail=True,
    reach=3.5,
    beyond=True,
)
duplicated_part = replace(misplaced_part, paint=_duplicated)
