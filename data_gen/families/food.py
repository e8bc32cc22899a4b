"""Food: biscuit, chocolate, bread, hazelnut, almond."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.random import Generator

from data_gen.families.backdrop import backdrop, place
from data_gen.families.colours import Palette, pick
from data_gen.families.geometry import box, norm, pose, repeat, soft, wobble
from data_gen.families.grain import clouds, grain
from data_gen.families.lighting import Light, bevel, lit
from data_gen.shading import lay, shade

DOUGHS: Palette = ((0.82, 0.64, 0.40), (0.76, 0.55, 0.32), (0.86, 0.72, 0.50), (0.36, 0.23, 0.15), (0.70, 0.47, 0.25))
COCOAS: Palette = ((0.22, 0.12, 0.08), (0.32, 0.18, 0.11), (0.46, 0.28, 0.17), (0.88, 0.80, 0.64))
CRUMBS: Palette = ((0.90, 0.84, 0.70), (0.84, 0.74, 0.56), (0.66, 0.52, 0.36), (0.92, 0.88, 0.78))
SKINS: Palette = ((0.56, 0.34, 0.19), (0.64, 0.42, 0.25), (0.48, 0.28, 0.16))


def biscuit(design: Generator, instance: Generator, size: int) -> np.ndarray:
    """A baked biscuit: round, square or oblong, its edge scalloped or cut, pricked in a pattern, browned outside."""
    light, dough, round_ = Light.draw(design, instance), pick(design, DOUGHS), design.random() < 0.4
    half = design.uniform(0.5, 0.74, 2) if design.random() < 0.5 else np.full(2, design.uniform(0.55, 0.74))
    teeth, deep = int(design.integers(14, 30)), design.choice([0.0, 0.01, 0.018])
    holes, ringed = int(design.integers(3, 6)), design.uniform(0.06, 0.14)
    crisp, chips = design.uniform(0.5, 1.0), design.random() < 0.25
    scene, (u, v) = backdrop(design, instance, size, dough), pose(instance, size, 0.05, 0.15)
    angle, radius = np.arctan2(v, u), norm(u, v)
    edge = wobble(angle, instance, 0.005)
    if round_:
        distance = radius - np.float32(half[0]) - edge - np.float32(deep) * np.cos(angle * teeth)
    else:
        upright = np.abs(u) * np.float32(half[1]) > np.abs(v) * np.float32(half[0])  # nearest to the left or right side
        scallop = np.cos(np.where(upright, v, u) * teeth)
        distance = box(u, v, half[0], half[1], 0.08) - edge - np.float32(deep) * scallop
    (x, _), (y, _) = (repeat(way, 2 * side / (holes + 0.6), holes) for way, side in zip((u, v), half, strict=True))
    pricks = soft(norm(x, y) - np.float32(0.022), 0.025) * (distance < -0.08)
    line = soft(np.abs(distance + np.float32(ringed)) - np.float32(0.006), 0.02)
    rough = clouds(size, 0.04, instance, 4, 0.6)
    height = bevel(distance, 0.14, 0.07) + rough * np.float32(0.0016 * crisp)
    height = height - pricks * np.float32(0.04) - line * np.float32(0.018)
    brown = np.exp(distance * np.float32(1 / 0.09)) + np.float32(0.15) * clouds(size, 0.2, instance, 3)
    tone = rough * np.float32(0.05) - np.float32(0.4) * pricks - np.float32(0.15) * line
    crust = shade(
        dough * np.float32(1.03) - np.clip(brown, 0, 1)[..., None] * dough * np.array([0.3, 0.42, 0.5], np.float32),
        tone,
    )
    if chips:
        lump = np.clip((grain(size, 0.045, instance) - np.float32(1.1)) * 4, 0, 1) * (distance < -0.06)
        crust, height = lay(crust, lump, pick(design, COCOAS[:2])), height + lump * np.float32(0.025)
    return place(scene, distance, lit(crust, height, light, 0.03), light, 0.06)


def chocolate(design: Generator, instance: Generator, size: int) -> np.ndarray:
    """A moulded bar: rows of bevelled pieces, a sign pressed into each, a soft gloss."""
    light, cocoa = Light.draw(design, instance), pick(design, COCOAS)
    rows, columns, sign = int(design.integers(2, 6)), int(design.integers(2, 5)), int(design.integers(0, 4))
    wide, high, slope = design.uniform(0.5, 0.82), design.uniform(0.55, 0.82), design.uniform(0.1, 0.2)
    scene, (u, v) = backdrop(design, instance, size, cocoa), pose(instance, size, 0.04, 0.1)
    distance = box(u, v, wide, high, 0.05) - wobble(np.arctan2(v, u), instance, 0.002)
    pitch = (2 * wide / columns, 2 * high / rows)
    (x, _), (y, _) = repeat(u, pitch[0], columns), repeat(v, pitch[1], rows)
    piece = box(x, y, pitch[0] / 2 - 0.012, pitch[1] / 2 - 0.012, 0.03)
    small = min(pitch) * 0.24
    signs = (norm(x, y) - small, np.abs(x) + np.abs(y) - small * 1.2, box(x, y, small, small * 0.5, 0.02), x * 0 + 1)
    pressed = soft(np.abs(signs[sign]) - np.float32(0.014), 0.025)
    height = bevel(distance, 0.03, 0.03) + np.minimum(-piece, np.float32(slope * min(pitch))) * np.float32(0.65)
    height = height - pressed * np.float32(0.014) + grain(size, 0.03, instance) * np.float32(0.0008)
    bloom = clouds(size, 0.25, instance, 3) * np.float32(0.04) + grain(size, 1 / 256, instance) * np.float32(0.02)
    return place(scene, distance, lit(shade(cocoa, bloom), height, light, 0.28, 14), light, 0.08)


def bread(design: Generator, instance: Generator, size: int) -> np.ndarray:
    """A slice of a tin loaf or a round loaf: brown crust, open crumb, seeds in some."""
    light, crumb = Light.draw(design, instance), pick(design, CRUMBS)
    crust = crumb * np.array([0.62, 0.45, 0.30], np.float32) * np.float32(design.uniform(0.8, 1.1))
    tin, open_, seeds = design.random() < 0.65, design.uniform(1.0, 1.7), design.random() < 0.3
    wide, high, rind = design.uniform(0.55, 0.72), design.uniform(0.55, 0.68), design.uniform(0.02, 0.045)
    scene, (u, v) = backdrop(design, instance, size, crumb), pose(instance, size, 0.05, 0.15)
    angle = np.arctan2(v, u)
    distance = box(u, v, wide, high, min(wide, high) * 0.95)
    if tin:  # a box with a mushroom top
        top = box(u, v + np.float32(high * 0.5), wide * 1.08, high * 0.5, high * 0.42)
        distance = np.minimum(box(u, v, wide * 0.96, high, 0.12), top)
    distance = distance - wobble(angle, instance, 0.008)
    coarse, fine = grain(size, 0.022, instance), grain(size, 0.011, instance)
    pores = np.clip(np.maximum((coarse - open_) * 2.2, (fine - open_ - 0.2) * 2), 0, 1)
    pores = pores * soft(distance + np.float32(0.06), 0.06)
    springy = clouds(size, 0.02, instance, 2) * np.float32(0.03) + clouds(size, 0.3, instance, 2) * np.float32(0.03)
    shell = soft(-distance - np.float32(rind), 0.03)[..., None]
    toast = np.exp(distance * np.float32(1 / 0.1))[..., None] * np.float32(0.35)
    slice_ = shade(crumb, springy - np.float32(0.22) * pores)
    slice_ = slice_ + np.clip(shell + toast, 0, 1) * (crust - slice_)
    if seeds:
        grains = np.clip((grain(size, 0.014, instance) - np.float32(2.3)) * 3, 0, 1)
        slice_ = lay(slice_, grains, np.array([0.35, 0.24, 0.14], np.float32))
    height = bevel(distance, 0.03, 0.03) - pores * np.float32(0.014)
    height = height + clouds(size, 0.015, instance, 2) * np.float32(0.002)
    return place(scene, distance, lit(slice_, height, light, 0), light, 0.06)


def hazelnut(design: Generator, instance: Generator, size: int) -> np.ndarray:
    """A hazelnut in its shell: fine streaks from the tip, a pale rough base."""
    light, skin = Light.draw(design, instance), pick(design, SKINS)
    half, slim, base = design.uniform(0.5, 0.68), design.uniform(0.82, 1.0), design.uniform(0.35, 0.55)
    streaks, tip = design.uniform(0.06, 0.14), design.uniform(0.02, 0.1)
    scene, (u, v) = backdrop(design, instance, size, skin), pose(instance, size, 0.05, 0.6)
    angle = np.arctan2(v, u)
    outline = np.float32(half) * (1 - np.float32(1 - slim) * np.sin(angle) ** 2) + wobble(angle, instance, 0.006, 4)
    outline = outline + np.float32(tip) * np.exp(-((angle / np.float32(0.3)) ** 2))
    radius = norm(u, v)
    distance = radius - outline
    rise = np.sqrt(np.clip(1 - (radius / outline) ** 2, 0, 1))
    longitude = np.arctan2(v, rise * np.float32(half) + np.float32(1e-4)) / np.float32(np.pi) + np.float32(0.5)
    stripe = _meridians(longitude, u, instance)
    cap = soft(u + np.float32(half * (1 - base * 0.55)) + np.float32(0.05) * grain(size, 0.06, instance), 0.05)
    rough = clouds(size, 0.03, instance, 3, 0.8)
    tone = np.float32(streaks) * stripe + rough * np.float32(0.02)
    pale = shade(np.clip(skin * np.array([1.25, 1.4, 1.5], np.float32), 0, 0.9), rough * np.float32(0.08))
    shell = lay(shade(skin, tone), cap, pale)
    height = rise * np.float32(half * 0.9) + rough * cap * np.float32(0.006) + stripe * np.float32(0.0015)
    return place(scene, distance, lit(shell, height, light, 0.14, 14), light, half * 0.6)


def almond(design: Generator, instance: Generator, size: int) -> np.ndarray:
    """An almond kernel: a drop with long wrinkles in its brown skin."""
    light, skin = Light.draw(design, instance), pick(design, SKINS)
    long, slim = design.uniform(0.58, 0.78), design.uniform(0.5, 0.66)
    furrows, pointed = design.uniform(0.1, 0.25), design.uniform(0.25, 0.4)
    scene, (u, v) = backdrop(design, instance, size, skin), pose(instance, size, 0.05, 0.4)
    at = np.clip(u / np.float32(long), -1, 1)
    half = np.sqrt(1 - at * at) * (1 - np.float32(pointed) * at) * np.float32(long * slim)
    half = half + wobble(np.arctan2(v, u), instance, 0.005, 4) * (1 - at * at)
    across = v / np.maximum(half, np.float32(1e-3))
    distance = np.maximum((np.abs(v) - half) * np.float32(0.8), np.abs(u) - np.float32(long))
    rise = np.sqrt(np.clip(1 - across * across, 0, 1)) * half
    wrinkle = _meridians(np.clip(across * np.float32(0.5) + np.float32(0.5), 0, 1), u, instance)
    dust = clouds(size, 0.04, instance, 3, 0.8)
    tone = np.float32(furrows) * wrinkle + dust * np.float32(0.04)
    height = rise * np.float32(0.6) + wrinkle * np.float32(0.006) + dust * np.float32(0.0015)
    return place(scene, distance, lit(shade(skin, tone), height, light, 0.06, 10), light, 0.2)


def _meridians(longitude: np.ndarray, u: np.ndarray, instance: Generator) -> np.ndarray:
    """Streaks (H, W), std about 1, that follow `longitude` (in [0, 1]) and slowly change along `u`."""
    sheet = instance.standard_normal((10, 48), dtype=np.float32)
    sheet = cv2.resize(sheet, (192, 64), interpolation=cv2.INTER_CUBIC)
    return cv2.remap(sheet, longitude * np.float32(190), (u + 1) * np.float32(31), cv2.INTER_LINEAR) * np.float32(1.3)
