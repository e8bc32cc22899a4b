"""Print on paper and board: a label, a folding box."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.random import Generator

from data_gen.families.backdrop import backdrop, place
from data_gen.families.colours import PLASTICS, Palette, pick
from data_gen.families.geometry import box, pose, posed, soft
from data_gen.families.grain import clouds, grain
from data_gen.families.lighting import Light, bevel, lit
from data_gen.shading import lay, shade

PAPERS: Palette = ((0.93, 0.93, 0.92), (0.93, 0.93, 0.92), (0.91, 0.88, 0.80), (0.90, 0.84, 0.55), (0.80, 0.87, 0.90))
INKS: Palette = ((0.10, 0.10, 0.11), (0.10, 0.10, 0.11), (0.12, 0.18, 0.38), (0.45, 0.12, 0.12), (0.12, 0.30, 0.20))
NAMES = ("NORDA", "Velio", "KRAFT 7", "Solane", "MIRA", "Tonic", "ALPENA", "Oriv", "FERRO", "Lumo", "PANTA", "Delico")
WORDS = (
    "LOT", "EXP", "NET WT 250 g", "BEST BEFORE", "SERIAL", "MODEL", "230 V 50 Hz", "MADE IN EU", "ITEM", "QTY 100",
    "STORE DRY", "12 x 50 mg", "TYPE B", "REV 2.1", "CLASS II", "500 ml", "KEEP UPRIGHT", "PART No.", "IP54",
)  # fmt: skip


def label(design: Generator, instance: Generator, size: int) -> np.ndarray:
    """A printed paper label: a head line, lines of text, a barcode or a matrix code, some with a band or a frame."""
    light, paper, ink = Light.draw(design, instance), pick(design, PAPERS, 0.03), pick(design, INKS)
    high, corner, banded = design.uniform(0.5, 0.74), design.uniform(0.02, 0.1), design.random() < 0.5
    band = pick(design, PLASTICS)
    band = band * np.float32(0.5) if band.mean() > 0.5 else band  # the name in it stays legible
    layout = np.zeros((size, size, 2), np.uint8)  # ink, band
    top, bottom = 0.5 - high / 2 + 0.03, 0.5 + high / 2 - 0.03
    text, coloured = layout[..., 0].copy(), layout[..., 1].copy()
    if banded:
        cv2.rectangle(coloured, _at(0.16, top, size), _at(0.84, top + 0.09, size), 255, -1)
    name, printed_on = str(design.choice(NAMES)), coloured if banded else text
    _write(printed_on, name, 0.19, top + 0.075, 0.06, size, 2, 0 if banded else 255)  # left out of a band
    y, code = top + 0.15, bottom - design.uniform(0.1, 0.16)
    while y < code - 0.02:
        height = design.uniform(0.028, 0.042)
        words = f"{design.choice(WORDS)} {design.integers(10, 99999)}"
        _write(text, words, 0.19, y, height, size, 1)
        y += height * 1.7
    matrix = design.random() < 0.4
    (_matrix if matrix else _bars)(text, design, code, bottom, size)
    scene, (u, v) = backdrop(design, instance, size, paper), pose(instance, size)
    printed, tinted = (
        posed(cv2.GaussianBlur(t, (0, 0), size / 500), u, v) * np.float32(1 / 255) for t in (text, coloured)
    )
    distance = box(u, v, 0.72, high, corner)
    sheet = shade(paper, 0.012 * grain(size, 1 / 200, instance))
    sheet = lay(sheet, tinted, band)
    dense = printed * (np.float32(0.93) + np.float32(0.04) * grain(size, 1 / 150, instance))
    sheet = lay(sheet, np.clip(dense, 0, 1), ink)
    curl = clouds(size, 0.6, instance, 2) * np.float32(0.012)
    return place(scene, distance, lit(sheet, curl, light, 0.1, 8), light, 0.015)


def printed_box(design: Generator, instance: Generator, size: int) -> np.ndarray:
    """The front of a folding box: coloured fields, a mark, a name, small print, worn board edges."""
    light, ground, accent = Light.draw(design, instance), pick(design, PLASTICS), pick(design, PLASTICS)
    if abs(float(ground.mean() - accent.mean())) < 0.15:
        accent = accent * np.float32(0.45)
    wide, high = design.uniform(0.5, 0.78), design.uniform(0.6, 0.82)
    pale = np.full(3, 0.94, np.float32)
    word = pale if ground.mean() < 0.55 else np.full(3, 0.1, np.float32)
    art = np.empty((size, size, 3), np.uint8)
    art[:] = ground * 255
    left, right, top, bottom = 0.5 - wide / 2, 0.5 + wide / 2, 0.5 - high / 2, 0.5 + high / 2
    kind, split = int(design.integers(3)), design.uniform(0.4, 0.7)
    middle = top + (bottom - top) * split
    if kind == 0:
        cv2.rectangle(art, _at(0, middle, size), _at(1, 1, size), _byte(accent), -1)
    elif kind == 1:
        slant = np.array([_at(0, middle, size), _at(1, middle - 0.2, size), _at(1, 1, size), _at(0, 1, size)])
        cv2.fillPoly(art, [slant], _byte(accent), cv2.LINE_AA)
    else:
        cv2.circle(art, _at(0.5, middle, size), int(0.21 * size), _byte(accent), -1, cv2.LINE_AA)
    mark = _at(design.uniform(left + 0.12, right - 0.12), middle + 0.02, size)
    cv2.circle(art, mark, int(0.075 * size), _byte(pale), -1, cv2.LINE_AA)
    cv2.circle(art, mark, int(0.045 * size), _byte(ground), max(size // 60, 1), cv2.LINE_AA)
    _write(art, str(design.choice(NAMES)), left + 0.05, top + 0.14, min(0.1, wide * 0.16), size, 3, _byte(word))
    for line in range(int(design.integers(2, 5))):
        _write(art, str(design.choice(WORDS)), left + 0.05, bottom - 0.04 - 0.045 * line, 0.026, size, 1, _byte(word))
    scene, (u, v) = backdrop(design, instance, size, ground), pose(instance, size)
    face = posed(cv2.GaussianBlur(art, (0, 0), size / 600), u, v) * np.float32(1 / 255)
    distance = box(u, v, wide, high, 0.015)
    board = shade(face, 0.015 * grain(size, 1 / 200, instance) + 0.015 * grain(size, 0.3, instance))
    fold = soft(np.abs(distance + 0.012) - 0.004, 0.01) * np.clip(0.3 + 0.3 * grain(size, 0.05, instance), 0, 1)
    bulge = clouds(size, 0.7, instance, 2) * np.float32(0.01) + bevel(distance, 0.02, 0.015)
    return place(scene, distance, lit(lay(board, fold, pale), bulge, light, 0.25, 10), light, 0.12)


def _byte(colour: np.ndarray) -> list[int]:
    """A colour in [0, 1] as OpenCV draws it on uint8."""
    return [round(255 * float(part)) for part in colour]


def _at(x: float, y: float, size: int) -> tuple[int, int]:
    """Pixel of a place in images."""
    return int(x * size), int(y * size)


def _write(
    canvas: np.ndarray, text: str, x: float, y: float, height: float, size: int, weight: int,
    colour: int | list[int] = 255,
) -> None:  # fmt: skip
    """`text` from (x, y), the lower left in images, capitals `height` images tall, no wider than the paper."""
    (wide, high), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 1.0, 1)
    scale = min(height * size / high, (0.8 - x) * size / wide)
    thick = max(round(weight * scale), 1)
    cv2.putText(canvas, text, _at(x, y, size), cv2.FONT_HERSHEY_SIMPLEX, scale, colour, thick, cv2.LINE_AA)


def _bars(ink: np.ndarray, design: Generator, top: float, bottom: float, size: int) -> None:
    """A barcode between two heights."""
    x = 0.19
    while x < 0.8:
        bar = design.integers(1, 4) / 220
        cv2.rectangle(ink, _at(x, top, size), (int((x + bar) * size) - 1, int(bottom * size)), 255, -1)
        x += bar + design.integers(1, 4) / 220


def _matrix(ink: np.ndarray, design: Generator, top: float, bottom: float, size: int) -> None:
    """A square code of 14 modules with a solid and a dotted edge, at the right."""
    cells = (design.random((14, 14)) < 0.5).astype(np.uint8) * 255
    cells[:, 0], cells[-1], cells[0, ::2], cells[::2, -1] = 255, 255, 255, 255
    side = int(max(bottom - top, 0.14) * size)
    x, y = int(0.8 * size) - side, int(bottom * size) - side
    ink[y : y + side, x : x + side] = cv2.resize(cells, (side, side), interpolation=cv2.INTER_NEAREST)
