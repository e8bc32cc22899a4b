"""Circuits: layouts drawn once per product, then posed."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.random import Generator

from data_gen.noise import perlin_noise
from data_gen.shading import lay, shade


def circuit_artwork(design: Generator, instance: Generator, size: int) -> np.ndarray:
    """Black-and-white artwork of traces and pads, positive or negative."""
    copper, holes = _traces(design, size, int(design.integers(5, 14)), int(design.integers(2, 9)))
    layout = np.minimum(copper, 255 - holes)
    drawn = _posed(layout if design.random() < 0.5 else 255 - layout, instance).astype(np.float32) / 255
    return np.repeat(np.clip((drawn - 0.5) * 6 + 0.5, 0, 1)[..., None], 3, 2)


def circuit_board(design: Generator, instance: Generator, size: int) -> np.ndarray:
    """A board in solder-mask colour: traces, plated and drilled pads, chips with legs."""
    mask = np.array([[0.05, 0.32, 0.15], [0.05, 0.15, 0.35], [0.35, 0.06, 0.06], [0.07, 0.08, 0.08]], np.float32)
    base = mask[int(design.integers(4))] * np.float32(design.uniform(0.8, 1.3))
    metal = np.array([[0.8, 0.68, 0.35], [0.75, 0.76, 0.78]], np.float32)[int(design.integers(2))]
    copper, holes = _traces(design, size, int(design.integers(8, 20)), int(design.integers(6, 20)))
    chips = np.zeros((size, size, 2), np.uint8)  # body, legs
    for _ in range(int(design.integers(1, 4))):
        corner, extent = (design.integers(size // 10, size * 7 // 10, 2), design.integers(size // 10, size // 4, 2))
        for leg in range(int(extent[0] // 7) + 1):
            x, y = int(corner[0] + leg * 7), int(corner[1] - 5)
            chips[max(y, 0) : y + int(extent[1]) + 10, x : x + 3, 1] = 255
        chips[corner[1] : corner[1] + extent[1], corner[0] : corner[0] + extent[0], 0] = 255
    pads = cv2.dilate(holes, np.ones((5, 5), np.uint8))
    move = np.random.default_rng(int(instance.integers(2**31)))
    state = move.bit_generator.state
    layers = []
    for layer in (copper, pads, holes, chips[..., 1], chips[..., 0]):
        move.bit_generator.state = state  # all layers move together
        layers.append(_posed(layer, move).astype(np.float32) / 255)
    scene = shade(base, 0.06 * perlin_noise((size, size), 2, instance))
    bore, body = np.full(3, 0.04, np.float32), np.full(3, 0.09, np.float32)
    for coverage, colour in zip(layers, (base * 1.5 + 0.03, metal, bore, metal, body), strict=True):
        scene = lay(scene, coverage, colour)
    return scene


def _traces(design: Generator, size: int, count: int, pads: int) -> tuple[np.ndarray, np.ndarray]:
    """(copper, holes), (size, size) uint8 in {0..255}: traces with 45 degree bends, round drilled pads."""
    copper, holes, cell = np.zeros((size, size), np.uint8), np.zeros((size, size), np.uint8), size / 16
    for _ in range(count):
        point, width = design.integers(0, 17, 2), int(cell * design.choice([0.18, 0.3, 0.5])) + 1
        for _ in range(int(design.integers(2, 5))):
            step = np.array([(1, 0), (0, 1), (1, 1), (1, -1)][int(design.integers(4))]) * int(design.integers(-7, 8))
            start, end = point * cell, (point + step) * cell
            cv2.line(copper, tuple(map(int, start)), tuple(map(int, end)), 255, width, cv2.LINE_AA)
            point = point + step
    for _ in range(pads):
        centre = tuple((design.integers(0, 17, 2) * cell).astype(int).tolist())
        radius = int(cell * design.uniform(0.4, 0.8))
        cv2.circle(copper, centre, radius, 255, -1, cv2.LINE_AA)
        cv2.circle(holes, centre, max(radius // 2, 1), 255, -1, cv2.LINE_AA)
    return copper, holes


def _posed(layout: np.ndarray, instance: Generator, shift: float = 0.02, turn: float = 0.015) -> np.ndarray:
    """A drawn layout moved a little as a whole; the border repeats."""
    size = layout.shape[0]
    move = cv2.getRotationMatrix2D((size / 2, size / 2), float(np.degrees(instance.normal(0, turn))), 1.0)
    move[:, 2] += instance.normal(0, shift * size / 2, 2)
    return cv2.warpAffine(layout, move, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
