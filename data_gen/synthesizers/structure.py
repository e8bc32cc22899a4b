"""Defects of structure: break, missing part, misplaced part."""

from __future__ import annotations

import cv2
import numpy as np

from data_gen.noise import fbm, polygon_mask, random_blob
from data_gen.shading import lay
from data_gen.synthesizers.painter import Canvas, Painter, fill_from_outside, fine_grain, shifted


def jagged(canvas: Canvas, centre: tuple[float, float], radius: float) -> np.ndarray:
    """A fractured, angular outline: coverage (H, W) float32 in [0, 1] around `centre` (y, x)."""
    rng = canvas.rng
    angles = np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(7, 16))))
    reach = radius * np.exp(rng.normal(0, 0.3, len(angles)))
    stretch = np.exp(rng.normal(0, 0.25))
    points = [centre[1] + reach * np.cos(angles) * stretch, centre[0] + reach * np.sin(angles) / stretch]
    return polygon_mask(canvas.shape, np.stack(points, 1))


def edge_spot(canvas: Canvas) -> tuple[float, float]:
    """A place (y, x) on the part's outline, on artwork on a tone's edge, on a texture near the border."""
    height, width = canvas.shape
    if canvas.tones is not None:
        area = (canvas.image.mean(2) > 127).astype(np.uint8)
    elif canvas.foreground.all():
        area = np.zeros(canvas.shape, np.uint8)
        area[2:-2, 2:-2] = 1
    else:
        area = canvas.foreground.astype(np.uint8)
    edge = np.argwhere(cv2.morphologyEx(area, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0)
    if not len(edge):
        return canvas.spot()
    y, x = edge[int(canvas.rng.integers(len(edge)))]
    return float(min(y, height - 1)), float(min(x, width - 1))


def _break(canvas: Canvas) -> np.ndarray:
    """The edge of the part eaten away: background shows; on a texture a chip with fresh material inside."""
    rng, place, radius = canvas.rng, edge_spot(canvas), canvas.radius * 1.2
    chip = jagged(canvas, place, radius)
    if canvas.tones is not None:
        return lay(canvas.image, (chip > 0.5).astype(np.float32), canvas.ink(place))
    if canvas.foreground.all():
        return _chip_in_texture(canvas, place, chip)
    chip = chip * canvas.foreground
    gone = cv2.dilate(canvas.foreground.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    behind = fill_from_outside(canvas.image, gone) + fine_grain(canvas.image, rng) * 0.5
    # the fracture face: a thin lighter or darker band along the new edge
    eroded = cv2.erode(chip, np.ones((3, 3), np.uint8))
    face = cv2.GaussianBlur(chip - eroded, (0, 0), 0.6) * rng.uniform(0, 0.8)
    out = lay(canvas.image, chip, behind)
    local = canvas.around(place, 2 * radius).reshape(-1, 3).mean(0)
    return lay(out, face * canvas.foreground, np.clip(local + rng.normal(0, 40), 0, 255))


def _chip_in_texture(canvas: Canvas, place: tuple[float, float], chip: np.ndarray) -> np.ndarray:
    """Fresh, rougher material inside `chip`, darker or lighter, with a shadow along its upper edge."""
    rng = canvas.rng
    base = canvas.around(place, 3 * canvas.radius).reshape(-1, 3).mean(0) + canvas.delta(place, darker=0.6)
    rough = 1 + 0.1 * fbm(canvas.shape, max(canvas.radius / 2, 3), rng, 4, 0.7)
    out = lay(canvas.image, chip, np.clip(base * rough[..., None], 0, 255))
    step = int(max(canvas.radius * 0.12, 1))
    wall = chip * (1 - shifted(chip, step, step))
    return out * (1 - 0.45 * cv2.GaussianBlur(wall, (0, 0), 0.7))[..., None]


def find_piece(canvas: Canvas) -> tuple[np.ndarray, bool]:
    """A piece of the part near the wished area, (H, W) bool, and whether it stands out from its surroundings.

    Pieces that stand out are connected regions that differ in tone from a wide blur (a chip on a board, a
    letter, a logo); where there is none of a fitting size, a rounded patch anywhere on the part.
    """
    rng, wide = canvas.rng, max(canvas.radius * 1.5, 6)
    small = cv2.resize(canvas.image, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    surround = cv2.resize(cv2.GaussianBlur(small, (0, 0), wide / 4), canvas.shape[::-1])
    contrast = np.abs(canvas.image - surround).max(2) * canvas.foreground
    distinct = (contrast > max(2 * float(np.median(contrast[::3, ::3])), 25)).astype(np.uint8)
    distinct = cv2.morphologyEx(distinct, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(distinct)
    wished = canvas.fraction * labels.size
    largest = min(3 * wished, 0.35 * canvas.foreground.sum())  # a piece of the part, never most of it
    fitting = [index for index in range(1, count) if wished / 4 < stats[index, cv2.CC_STAT_AREA] < largest]
    if fitting:
        return labels == fitting[int(rng.integers(len(fitting)))], True
    place = edge_spot(canvas) if canvas.tones is not None or rng.random() < 0.4 else canvas.spot()
    return (random_blob(canvas.shape, place, canvas.radius, rng, 0.1) > 0.5) & canvas.foreground, False


def erase(canvas: Canvas, piece: np.ndarray) -> np.ndarray:
    """The photo without `piece` (H, W) bool: filled from around it, with the photo's own grain."""
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
    if distinct or canvas.tones is not None:
        return erase(canvas, piece)
    # a piece like its surroundings leaves an empty seat, a little darker or lighter, or nothing would show
    y, x = np.argwhere(piece)[int(piece.sum()) // 2]
    seat = cv2.GaussianBlur(piece.astype(np.float32), (0, 0), 0.8)
    return erase(canvas, piece) + (0.4 * canvas.delta((float(y), float(x))) * seat)[..., None]


def _misplaced(canvas: Canvas) -> np.ndarray:
    """A piece taken off, turned, and put down elsewhere nearby; sometimes a second copy of it."""
    rng, (piece, distinct) = canvas.rng, find_piece(canvas)
    if not piece.any():
        return canvas.image
    ys, xs = np.nonzero(piece)
    centre, extent = (float(ys.mean()), float(xs.mean())), max(np.ptp(ys), np.ptp(xs)) + 4.0
    target = canvas.spot()
    pull = min(1.0, 2.5 * extent / (np.hypot(target[0] - centre[0], target[1] - centre[1]) + 1e-6))
    turn = float(rng.choice([0, 90, 180, rng.uniform(-60, 60)]))
    move = cv2.getRotationMatrix2D(centre[::-1], turn, 1.0)
    move[:, 2] += [pull * (target[1] - centre[1]), pull * (target[0] - centre[0])]
    grown = cv2.dilate(piece.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(np.float32)
    size = canvas.shape[::-1]
    cover = cv2.warpAffine(grown, move, size) * canvas.foreground
    sharp = cv2.INTER_LINEAR if canvas.tones is None else cv2.INTER_NEAREST
    moved = cv2.warpAffine(canvas.image, move, size, flags=sharp, borderMode=cv2.BORDER_REFLECT)
    if not distinct and canvas.tones is None:
        moved = moved + 0.4 * canvas.delta(target)  # turned out of its bed it catches the light differently
    ground = erase(canvas, piece) if rng.random() < 0.6 else canvas.image
    return lay(ground, (cover > 0.5).astype(np.float32) if canvas.tones is not None else cover, moved)


break_off = Painter("break", _break, sizes=(0.001, 0.1), contrasts=(20, 110))
missing_part = Painter("missing part", _missing, sizes=(0.002, 0.12), smooth=1.5)
misplaced_part = Painter("misplaced part", _misplaced, sizes=(0.002, 0.08), smooth=1.5)
