"""Medicine: a tablet or capsule, several loose ones, a blister pack."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.random import Generator

from data_gen.families.backdrop import backdrop, place
from data_gen.families.colours import Palette, pick
from data_gen.families.geometry import box, norm, pose, posed, repeat, soft, solid
from data_gen.families.grain import grain
from data_gen.families.lighting import Light, bevel, lit
from data_gen.shading import lay, shade

COATS: Palette = (
    (0.93, 0.92, 0.90), (0.90, 0.84, 0.68), (0.85, 0.58, 0.52), (0.70, 0.80, 0.86), (0.88, 0.70, 0.40),
    (0.76, 0.82, 0.66), (0.66, 0.30, 0.26), (0.93, 0.92, 0.90),
)  # fmt: skip
SHELLS: Palette = ((0.75, 0.18, 0.16), (0.18, 0.32, 0.58), (0.90, 0.88, 0.84), (0.85, 0.62, 0.16), (0.22, 0.46, 0.36))
INK = np.array([0.16, 0.17, 0.2], np.float32)


def pill(design: Generator, instance: Generator, size: int) -> np.ndarray:
    """A round or long tablet with a score or an imprint, or a glossy capsule of two colours."""
    if design.random() < 0.35:
        return _capsule(design, instance, size)
    light, base = Light.draw(design, instance), pick(design, COATS)
    long, slim, speckle = design.uniform(0.38, 0.68), design.uniform(0.45, 0.65), design.uniform(0, 0.2)
    short = long if design.random() < 0.5 else long * slim
    scored, coated, text = design.random() < 0.5, design.uniform(0.05, 0.3), _imprint(design, long * 0.9, size)
    scene, (u, v) = backdrop(design, instance, size, base), pose(instance, size, 0.06, 0.25)
    distance = box(u, v, long, short, short)
    pressed = posed(text, u, v).astype(np.float32) * np.float32(1 / 255)
    if scored:
        pressed = np.exp(-((u / np.float32(0.03)) ** 2))
    height = bevel(distance, short * 0.75, short * 0.4) + bevel(distance, 0.05, 0.03) - pressed * np.float32(0.028)
    height = height + grain(size, 1 / 90, instance) * np.float32(0.0003)
    dots = np.clip(grain(size, 1 / 100, instance) - np.float32(1.4), 0, 1) * np.float32(speckle)
    body = lit(shade(base, -dots - np.float32(0.1) * pressed), height, light, coated, 16)
    return place(scene, distance, body, light, short * 0.4)


def tablets(design: Generator, instance: Generator, size: int) -> np.ndarray:
    """Three to nine equal tablets or softgels, scattered on a grid, each turned its own way."""
    light, base, rows = Light.draw(design, instance), pick(design, COATS), int(design.choice([2, 3]))
    columns, soft_gel = int(design.choice([2, 3])), design.random() < 0.3
    pitch = 1.7 / max(rows, columns)
    long, slim = pitch * design.uniform(0.33, 0.4), design.uniform(0.5, 1.0)
    slim = 1.0 if slim > 0.7 else slim
    scene, (u, v) = backdrop(design, instance, size, base), pose(instance, size, 0.06, 0.15)
    x, column = repeat(u, pitch, columns)
    y, row = repeat(v, pitch, rows)
    moved = instance.normal(0, pitch * 0.02, (2, 3, 3)).astype(np.float32)[:, row, column]
    turn = (instance.normal(0, 0.5, (3, 3)).astype(np.float32) + np.float32(0.6))[row, column]
    tones = instance.normal(0, 0.02, (3, 3)).astype(np.float32)[row, column]
    x, y = x + moved[0], y + moved[1]
    x, y = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
    distance = box(x, y, long, long * slim, long * slim)
    height = bevel(distance, long * slim * 0.9, long * slim * 0.55)
    if not soft_gel:
        height = bevel(distance, 0.05, 0.05) - np.exp(-((x / np.float32(0.022)) ** 2)) * np.float32(0.02)
    tone = tones + grain(size, 1 / 120, instance) * np.float32(0.02)
    body = lit(shade(base, tone), height, light, 0.5 if soft_gel else 0.12, 40 if soft_gel else 14)
    return place(scene, distance, body, light, long * slim * 0.5)


def blister_pack(design: Generator, instance: Generator, size: int) -> np.ndarray:
    """A foil card with rows of clear bubbles, a tablet in each."""
    light, base, foil = Light.draw(design, instance), pick(design, COATS), np.array([0.7, 0.71, 0.73], np.float32)
    rows, columns, round_ = int(design.integers(2, 5)), int(design.integers(2, 4)), design.random() < 0.6
    wide, high = design.uniform(0.66, 0.84), design.uniform(0.7, 0.86)
    pitch = np.array([2 * wide / columns, 2 * high / rows]) * 0.94
    long = float(pitch.min()) * 0.34 if round_ else float(pitch[0]) * 0.36
    short = long if round_ else min(long * 0.5, float(pitch[1]) * 0.3)
    scene, (u, v) = backdrop(design, instance, size, foil), pose(instance, size, 0.04, 0.08)
    card = box(u, v, wide, high, 0.07)
    (x, column), (y, row) = repeat(u, float(pitch[0]), columns), repeat(v, float(pitch[1]), rows)
    bubble = box(x, y, long * 1.18, short * 1.18, short * 1.18)
    knurl = np.sin(u * np.float32(90)) * np.sin(v * np.float32(90)) * np.float32(0.0025)
    ridge = bevel(bubble, 0.09, 0.09) + soft(bubble - 0.02, 0.04) * np.float32(0.012)
    crease = grain(size, 0.12, instance) * np.float32(0.008)
    height = ridge + knurl * (bubble > 0) + crease + bevel(card, 0.02)
    scene = place(scene, card, lit(foil, height, light, 0.3, 20), light, 0.03)
    slack = instance.normal(0, 0.006, (2, 5, 4)).astype(np.float32)[:, row, column]
    tablet = box(x + slack[0], y + slack[1], long, short, short)
    chalk = shade(base, grain(size, 1 / 120, instance) * np.float32(0.02))
    body = lit(chalk, bevel(tablet, short * 0.6, short * 0.35), light, 0.08)
    scene = lay(scene, solid(tablet), body)
    return _glazing(scene, bubble, x, y, light, long, short)


def _glazing(
    scene: np.ndarray, bubble: np.ndarray, x: np.ndarray, y: np.ndarray, light: Light, long: float, short: float
) -> np.ndarray:
    """Clear plastic over each tablet: a milky rim and the lamp's reflection towards the light."""
    rim = np.exp(-((bubble / np.float32(0.014)) ** 2)) * np.float32(0.3)
    away_x = x - np.float32(long * 0.55 * np.cos(light.angle))
    away_y = y - np.float32(short * 0.55 * np.sin(light.angle))
    lamp = np.exp(-((away_x / np.float32(long * 0.28)) ** 2) - (away_y / np.float32(short * 0.22)) ** 2)
    return np.clip(lay(scene, rim + np.float32(0.75) * lamp, np.full(3, 0.97, np.float32)), 0, 1)


def _capsule(design: Generator, instance: Generator, size: int) -> np.ndarray:
    """Two gelatine halves, the cap a little wider than the body, with printed letters."""
    light, first, second = Light.draw(design, instance), pick(design, SHELLS), pick(design, SHELLS)
    long, short, seam = design.uniform(0.55, 0.8), design.uniform(0.2, 0.27), design.uniform(-0.05, 0.15)
    text = _imprint(design, long * 0.7, size)
    scene, (u, v) = backdrop(design, instance, size, (first + second) / 2), pose(instance, size, 0.06, 0.25)
    wide = short * np.float32(1) - np.where(u > seam, np.float32(0.012), np.float32(0))
    distance = norm(np.maximum(np.abs(u) - np.float32(long - short), 0), v) - wide
    height = np.sqrt(np.clip(-distance * (wide * 2 + distance), 0, None))
    shell = np.where((u > seam)[..., None], second, first).astype(np.float32)
    shell = shade(
        shell,
        grain(size, 0.1, instance) * np.float32(0.02)
        - np.float32(0.25) * soft(np.abs(u - np.float32(seam)) - 0.006, 0.02),
    )
    print_ = posed(text, u, v * np.float32(0.95)).astype(np.float32) * np.float32(0.8 / 255)
    body = lit(lay(shell, print_, INK if first.mean() > 0.35 else np.full(3, 0.9, np.float32)), height, light, 0.6, 50)
    glow = np.exp(-(((v + np.float32(0.45 * short)) / np.float32(0.06 * short)) ** 2)) * soft(distance + 0.06, 0.06)
    return place(scene, distance, lay(body, np.float32(0.25) * glow, np.ones(3, np.float32)), light, short)


def _imprint(design: Generator, width: float, size: int) -> np.ndarray:
    """Two or three letters (size, size) uint8, `width` half images wide, in the middle."""
    text = "".join(design.choice(list("ABEFHKLMPRSTVXZ0123456789"), int(design.integers(2, 4))))
    (wide, high), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 1.0, 2)
    scale = min(width * size / 2 / wide, 0.2 * size / high)
    sheet = np.zeros((size, size), np.uint8)
    start = (int(size / 2 - wide * scale / 2), int(size / 2 + high * scale / 2))
    cv2.putText(sheet, text, start, cv2.FONT_HERSHEY_SIMPLEX, scale, 255, max(round(size / 90), 1), cv2.LINE_AA)
    return cv2.GaussianBlur(sheet, (0, 0), max(size / 300, 0.4))
