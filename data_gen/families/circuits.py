"""Electronics: artwork, a populated board, a transistor. Layouts are drawn once per product, then posed."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator

from data_gen.families.backdrop import backdrop, place
from data_gen.families.colours import Palette, pick
from data_gen.families.geometry import box, norm, pose, posed, soft
from data_gen.families.grain import grain
from data_gen.families.lighting import Light, bevel, lit
from data_gen.shading import lay, shade

MASKS: Palette = ((0.06, 0.28, 0.14), (0.05, 0.30, 0.17), (0.06, 0.14, 0.33), (0.36, 0.07, 0.07), (0.07, 0.08, 0.08))
FINISHES: Palette = ((0.80, 0.67, 0.36), (0.74, 0.75, 0.77))
BODIES: Palette = ((0.10, 0.10, 0.11), (0.62, 0.50, 0.36), (0.16, 0.16, 0.17), (0.45, 0.36, 0.28))
TIN, SILK = (0.72, 0.73, 0.75), (0.88, 0.88, 0.85)


def circuit_artwork(design: Generator, instance: Generator, size: int) -> np.ndarray:
    """Black-and-white artwork of traces and pads, positive or negative."""
    copper, holes = _traces(design, size, int(design.integers(5, 14)), int(design.integers(2, 9)))
    layout = np.minimum(copper, 255 - holes)
    drawn = layout if design.random() < 0.5 else 255 - layout
    u, v = pose(instance, size, 0.04, 0.03)
    edge = posed(drawn, u, v).astype(np.float32) * np.float32(6 / 255) + grain(size, 1 / 60, instance) * np.float32(
        0.25
    )
    return np.repeat(np.clip(edge - np.float32(2.5), 0, 1)[..., None], 3, 2)


@dataclass(frozen=True)
class Board:
    """A board being populated: colours (S, S, 3) and heights (S, S) in half images, float32; grey print."""

    colour: np.ndarray
    height: np.ndarray
    text: np.ndarray  # (S, S) uint8

    def block(self, x: float, y: float, wide: float, high: float, colour: tuple[float, ...], rise: float) -> None:
        """A box with its middle at (x, y), all in images, `rise` half images above the board."""
        size = self.height.shape[0]
        corners = [[x - wide / 2, y - high / 2], [x + wide / 2, y + high / 2]]
        first, last = (tuple(int(c * size * 16) - 8 for c in corner) for corner in corners)
        cv2.rectangle(self.colour, first, last, colour, -1, cv2.LINE_AA, 4)
        cv2.rectangle(self.height, first, last, rise, -1, cv2.LINE_AA, 4)

    def disc(self, x: float, y: float, radius: float, colour: tuple[float, ...], rise: float) -> None:
        """A round body or a bore."""
        size = self.height.shape[0]
        centre = (int(x * size * 16) - 8, int(y * size * 16) - 8)
        for layer, value in ((self.colour, colour), (self.height, rise)):
            cv2.circle(layer, centre, int(radius * size * 16), value, -1, cv2.LINE_AA, 4)


def circuit_board(design: Generator, instance: Generator, size: int) -> np.ndarray:
    """A board in solder-mask colour: traces, plated bores, chips, resistors, cans, white print."""
    light, base, metal = Light.draw(design, instance), pick(design, MASKS, 0.1), pick(design, FINISHES)
    copper, holes = _traces(design, size, int(design.integers(10, 24)), int(design.integers(6, 20)))
    track = copper.astype(np.float32)[..., None] / 255
    colour = base + track * (base * np.float32(0.5) + np.float32(0.03))
    board = Board(np.ascontiguousarray(colour), track[..., 0] * np.float32(0.004), np.zeros_like(copper))
    ring = cv2.dilate(holes, np.ones((3, 3), np.uint8), iterations=max(size // 90, 1))
    board.colour[ring > 100], board.height[ring > 100] = metal, 0.006
    board.colour[holes > 100], board.height[holes > 100] = (0.03, 0.03, 0.03), -0.03
    free = [(x, y) for x in range(4) for y in range(4)]
    design.shuffle(free)
    chips, cans = int(design.integers(1, 4)), int(design.integers(0, 3))
    for index, (column, row) in enumerate(free[: int(design.integers(8, 15))]):
        x, y = (np.array([column, row]) + 0.5 + design.uniform(-0.1, 0.1, 2)) / 4
        part = _chip if index < chips else _can if index < chips + cans else _passives
        part(board, design, float(x), float(y))
    u, v = pose(instance, size, 0.03, 0.02)
    named = lay(board.colour, board.text * np.float32(0.5 / 255), np.array(SILK, np.float32))
    colour, height = posed(named, u, v), posed(board.height, u, v)
    tone = grain(size, 1 / 220, instance) * np.float32(0.04) + grain(size, 0.3, instance) * np.float32(0.03)
    blurred = cv2.GaussianBlur(height, (0, 0), size / 300)
    shadow = cv2.GaussianBlur(height, (0, 0), size / 50) - blurred
    return lit(shade(colour, tone - np.clip(shadow * 6, 0, 0.6)), blurred, light, 0.3, 24)


def transistor(design: Generator, instance: Generator, size: int) -> np.ndarray:
    """A power transistor: black body with print, metal tab with a bore, two or three straight legs."""
    light, metal, legs = Light.draw(design, instance), np.array(TIN, np.float32), int(design.choice([2, 3, 3]))
    wide, body, tab, leg = (design.uniform(*r) for r in ((0.3, 0.42), (0.24, 0.34), (0.16, 0.24), (0.5, 0.62)))
    lines = [
        f"{design.choice(list('BTLIM'))}{design.integers(100, 9999)}{design.choice(list('ACNPX'))}",
        str(design.integers(1000, 9999)),
    ]
    text = np.zeros((size, size), np.uint8)
    top = -0.78 + 2 * tab
    for row, line in enumerate(lines):
        place_ = (int((0.5 - wide * 0.4) * size), int((0.5 + top / 2 + body * (0.35 + 0.35 * row)) * size))
        scale = wide * 0.8 * size / cv2.getTextSize(line, cv2.FONT_HERSHEY_SIMPLEX, 1.0, 1)[0][0] / (1 + 0.3 * row)
        cv2.putText(text, line, place_, cv2.FONT_HERSHEY_SIMPLEX, scale, 255, max(round(size / 200), 1), cv2.LINE_AA)
    scene, (u, v) = backdrop(design, instance, size, np.full(3, 0.45)), pose(instance, size, 0.05, 0.12)
    bend = instance.normal(0, 0.006, 3).astype(np.float32)
    pins = np.full((size, size), 9, np.float32)
    for pin in range(legs):
        x = u - np.float32((pin - (legs - 1) / 2) * wide * 0.66) - bend[pin] * (v - np.float32(top + 2 * body)) * 3
        thick = np.where(v < top + 2 * body + 0.16, np.float32(0.055), np.float32(0.032))
        pin_v = np.abs(v - np.float32(top + 2 * body + leg / 2)) - np.float32(leg / 2)
        pins = np.minimum(pins, np.maximum(np.abs(x) - thick, pin_v))
    plate = box(u, v - np.float32(top - tab), wide * 0.96, tab + 0.05, 0.03)
    plate = np.maximum(plate, np.float32(0.085) - norm(u, v - np.float32(top - tab * 1.05)))
    sheet = np.minimum(pins, plate)
    streak = grain(size, (1 / 12, 1 / 256), instance) * np.float32(0.05) + grain(size, 0.2, instance) * np.float32(0.08)
    scene = place(scene, sheet, lit(shade(metal, streak), bevel(sheet, 0.02), light, 0.4, 12), light, 0.05)
    case = box(u, v - np.float32(top + body), wide, body, 0.02)
    rough = grain(size, 1 / 160, instance)
    dimple = soft(norm(u + np.float32(wide * 0.7), v - np.float32(top + body * 1.75)) - 0.035, 0.02)
    height = bevel(case, 0.06, 0.07) - dimple * np.float32(0.02) + rough * np.float32(0.0015)
    printed = posed(text, u, v) * np.float32(0.85 / 255)
    epoxy = lay(shade(np.full(3, 0.13, np.float32), rough * 0.06), printed, np.array(SILK, np.float32) * 0.8)
    return place(scene, case, lit(epoxy, height, light, 0.12, 8), light, 0.12)


def _chip(board: Board, design: Generator, x: float, y: float) -> None:
    """A black package with legs on two sides, a dot at pin 1 and a type number."""
    wide, high, pins = design.uniform(0.1, 0.19), design.uniform(0.08, 0.15), int(design.integers(4, 9))
    board.block(x, y, wide + 0.02, high + 0.065, SILK, 0.002)
    board.block(x, y, wide + 0.01, high + 0.055, tuple(board.colour[0, 0].tolist()), 0)
    for pin in range(pins):
        at = x + (pin + 0.5 - pins / 2) * wide / pins
        for side in (-1, 1):
            board.block(at, y + side * (high / 2 + 0.01), wide / pins * 0.5, 0.03, TIN, 0.015)
    board.block(x, y, wide, high, (0.11, 0.11, 0.12), 0.06)
    board.disc(x - wide * 0.38, y + high * 0.32, 0.008, (0.2, 0.2, 0.2), 0.055)
    size, text = board.height.shape[0], f"{design.choice(list('ACLMST'))}{design.integers(10, 999)}"
    scale = wide * 0.6 * size / cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 1.0, 1)[0][0]
    place_ = (int((x - wide * 0.3) * size), int((y + high * 0.1) * size))
    cv2.putText(board.text, text, place_, cv2.FONT_HERSHEY_SIMPLEX, scale, 255, 1, cv2.LINE_AA)


def _passives(board: Board, design: Generator, x: float, y: float) -> None:
    """Two to four resistors or capacitors side by side, lying or standing."""
    body = BODIES[int(design.integers(len(BODIES)))]
    wide, high, upright = design.uniform(0.022, 0.036), design.uniform(0.05, 0.08), design.random() < 0.5
    for part in range(int(design.integers(2, 5))):
        off = (part - 1.5) * wide * 1.6
        for length, colour, rise in ((1.0, TIN, 0.022), (0.55, body, 0.026)):
            if upright:
                board.block(x + off, y, wide, high * length, colour, rise)
            else:
                board.block(x, y + off, high * length, wide, colour, rise)


def _can(board: Board, design: Generator, x: float, y: float) -> None:
    """An aluminium capacitor from above, with its dark mark."""
    radius = design.uniform(0.045, 0.075)
    board.block(x, y, radius * 2.2, radius * 2.2, (0.1, 0.1, 0.1), 0.02)
    board.disc(x, y, radius, (0.66, 0.67, 0.69), 0.1)
    board.disc(x, y, radius * 0.86, (0.74, 0.75, 0.76), 0.092)
    board.block(x - radius * 0.5, y, radius * 0.4, radius * 1.2, (0.14, 0.14, 0.16), 0.092)


def _traces(design: Generator, size: int, count: int, pads: int) -> tuple[np.ndarray, np.ndarray]:
    """(copper, holes), (size, size) uint8 in {0..255}: traces with 45 degree bends, round drilled pads.

    Places are in 16ths of a pixel, counted from the middle of the first one.
    """
    copper, holes, cell = np.zeros((size, size), np.uint8), np.zeros((size, size), np.uint8), size / 16
    for _ in range(count):
        point, width = design.integers(0, 17, 2), max(round(cell * design.choice([0.18, 0.3, 0.5])), 1)
        for _ in range(int(design.integers(2, 5))):
            step = np.array([(1, 0), (0, 1), (1, 1), (1, -1)][int(design.integers(4))]) * int(design.integers(-7, 8))
            start, end = (np.round(p * cell * 16 - 8).astype(int).tolist() for p in (point, point + step))
            cv2.line(copper, start, end, 255, width, cv2.LINE_AA, 4)
            point = point + step
    for _ in range(pads):
        centre = np.round(design.integers(0, 17, 2) * cell * 16 - 8).astype(int).tolist()
        radius = cell * design.uniform(0.4, 0.8)
        cv2.circle(copper, centre, int(radius * 16), 255, -1, cv2.LINE_AA, 4)
        cv2.circle(holes, centre, max(int(radius * 8), 16), 255, -1, cv2.LINE_AA, 4)
    return copper, holes
