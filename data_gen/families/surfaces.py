"""Surfaces that fill the photo: metal, wood, tile, concrete, mesh, solar cell."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.random import Generator

from data_gen.families.colours import METALS, PLASTICS, STEELS, Palette, pick
from data_gen.families.geometry import box, cells, norm, pose, soft, solid, voronoi
from data_gen.families.grain import clouds, grain
from data_gen.families.lighting import Light, lit
from data_gen.shading import lay, random_colour, shade

WOODS: Palette = ((0.78, 0.62, 0.42), (0.83, 0.70, 0.52), (0.45, 0.31, 0.21), (0.66, 0.45, 0.29), (0.58, 0.37, 0.24))
STONES: Palette = (
    (0.74, 0.72, 0.68), (0.58, 0.56, 0.54), (0.36, 0.37, 0.39),
    (0.70, 0.60, 0.50), (0.80, 0.78, 0.76), (0.46, 0.50, 0.48),
)  # fmt: skip
GLAZES: Palette = ((0.88, 0.87, 0.84), (0.72, 0.78, 0.78), (0.26, 0.38, 0.44), (0.76, 0.66, 0.52), (0.55, 0.30, 0.22))


def brushed_metal(design: Generator, instance: Generator, size: int) -> np.ndarray:
    """Fine streaks one way, with a band of sheen across them."""
    base, across, depth = pick(design, METALS), design.uniform(0.12, 0.6), design.uniform(0.03, 0.1)
    vertical, sheen, where = design.random() < 0.5, design.uniform(0.1, 0.4), design.uniform(-0.6, 0.6)
    streaks = grain(size, (1 / 300, across), instance) + 0.7 * grain(size, (1 / 90, 3 * across), instance)
    streaks = streaks + 0.5 * grain(size, (1 / 300, across / 8), instance)
    v = np.linspace(-1, 1, size, dtype=np.float32)[:, None] + np.float32(where + instance.normal(0, 0.1))
    shading = np.float32(depth) * streaks + np.float32(sheen) * (np.exp(-2 * v * v) - 0.5)
    return shade(base, shading.T if vertical else shading)


def cast_metal(design: Generator, instance: Generator, size: int) -> np.ndarray:
    """A rough, lit skin, coarse or fine, with a dull shine on its peaks."""
    light, base, cell = Light.draw(design, instance), pick(design, STEELS, 0.2), design.uniform(0.02, 0.09)
    depth, shot = design.uniform(0.03, 0.08), design.random() < 0.4
    height = clouds(size, cell, instance, 4, 0.7)
    if shot:  # blasted: round dimples
        seam, _ = voronoi(instance, size, cell / 2)
        height = 0.5 * height - np.sqrt(seam)
    tone = clouds(size, 0.25, instance, 3) * np.float32(0.05) + grain(size, 1 / 256, instance) * np.float32(0.04)
    return lit(shade(base, tone), height * np.float32(depth * cell), light, 0.25, 12)


def wood(design: Generator, instance: Generator, size: int) -> np.ndarray:
    """Wavy growth rings, fibres and pores, along or across, oiled or raw."""
    early, rings = pick(design, WOODS, 0.1), design.uniform(5, 16)
    late = early * np.array([0.62, 0.54, 0.48], np.float32)
    wave, vertical, pores = design.uniform(0.1, 0.5), design.random() < 0.5, design.uniform(1.2, 2.2)
    v = np.linspace(0, 1, size, dtype=np.float32)[:, None] + np.float32(instance.random())
    phase = (v + grain(size, (0.33, 1.2), instance) * np.float32(wave / 3)) * np.float32(rings)
    phase = phase + grain(size, (1 / 60, 0.3), instance) * np.float32(0.05)
    year = phase % 1  # darkens through the season, then starts afresh within a twelfth
    ring = np.where(year < 0.92, (year / np.float32(0.92)) ** 2, (1 - year) * np.float32(12.5))
    ring = ring * np.float32(0.7) + np.float32(0.15) * np.sin(phase * np.float32(2.7)) + np.float32(0.15)
    vessel = np.clip(grain(size, (1 / 256, 1 / 18), instance) - np.float32(pores), 0, 1)
    fibre = grain(size, (1 / 256, 0.15), instance) * np.float32(0.05) - np.float32(0.5) * vessel
    plank = shade(early + ring[..., None] * (late - early), fibre + grain(size, 0.4, instance) * np.float32(0.03))
    return np.ascontiguousarray(plank.transpose(1, 0, 2)) if vertical else plank


def tile(design: Generator, instance: Generator, size: int) -> np.ndarray:
    """Granite, terrazzo or glazed ceramic, with or without grout lines."""
    kind, pitch = str(design.choice(["granite", "terrazzo", "glazed"])), design.uniform(0.55, 1.1)
    light, grouted = Light.draw(design, instance), kind == "glazed" or design.random() < 0.4
    grout = pick(design, STONES)
    u, v = pose(instance, size, 0.03, 0.02)
    (column, x), (row, y) = (cells((way + np.float32(2.3)) * np.float32(1 / pitch)) for way in (u, v))
    stone = {"granite": _granite, "terrazzo": _terrazzo, "glazed": _glazed}[kind](design, instance, size)
    if not grouted:
        return stone
    tones = instance.normal(1, 0.025, (8, 8)).astype(np.float32)[row % 8, column % 8]
    edge = np.minimum(np.minimum(x, 1 - x), np.minimum(y, 1 - y)) * np.float32(pitch)
    gap = edge - np.float32(0.014)
    face = lit(stone * tones[..., None], -soft(gap - 0.01, 0.05) * np.float32(0.02), light, 0.3)
    sand = shade(grout, grain(size, 1 / 200, instance) * np.float32(0.08) - np.float32(0.25))
    return lay(face, solid(gap), sand)


def concrete(design: Generator, instance: Generator, size: int) -> np.ndarray:
    """Cloudy grey with sand, pores and faint trowel marks."""
    base, cell = random_colour(design, 0.4, 0.72, 0.06), design.uniform(0.12, 0.35)
    contrast = np.float32(design.uniform(0.03, 0.07))
    light, pores, trowel = Light.draw(design, instance), design.uniform(2.2, 2.9), design.uniform(0, 0.03)
    tone: np.ndarray = clouds(size, cell, instance, 5, 0.6) * contrast
    tone = tone + grain(size, (1 / 90, 0.4), instance) * np.float32(trowel)
    tone = tone + grain(size, 1 / 300, instance) * np.float32(0.035)
    pit = np.clip((grain(size, design.uniform(0.012, 0.022), instance) - pores) * 2, 0, 1)
    height = clouds(size, 0.03, instance, 3, 0.8) * np.float32(0.0012) - pit * np.float32(0.02)
    return lit(shade(base, tone - np.float32(0.35) * pit), height, light, 0)


def wire_mesh(design: Generator, instance: Generator, size: int) -> np.ndarray:
    """Round wires woven over and under each other above a blurred ground, upright or at 45 degrees."""
    light, wire = Light.draw(design, instance), pick(design, METALS)
    ground = random_colour(design, 0.04, 0.2) if wire.mean() > 0.4 else random_colour(design, 0.65, 0.85)
    pitch, thick, tilt = design.uniform(0.09, 0.24), design.uniform(0.14, 0.3), design.choice([0.0, np.pi / 4])
    u, v = pose(instance, size)
    bend = grain(size, 0.3, instance) * np.float32(0.05)
    cos, sin = np.float32(np.cos(tilt) / pitch), np.float32(np.sin(tilt) / pitch)
    x, y = u * cos + v * sin + bend, v * cos - u * sin + bend
    (column, x), (row, y) = cells(x), cells(y)
    x, y = x - np.float32(0.5), y - np.float32(0.5)
    weave = np.where((column + row) % 2 == 0, np.float32(1), np.float32(-1)) * np.float32(0.6 * thick)
    heights = [
        np.sqrt(np.maximum(np.float32(thick**2) - off * off, 0)) + sign * weave * np.cos(np.float32(np.pi) * along)
        for off, along, sign in ((x, y, 1), (y, x, -1))
    ]
    there = [np.abs(off) < np.float32(thick) for off in (x, y)]
    height = np.maximum(*(np.where(on, h, np.float32(-1)) for on, h in zip(there, heights, strict=True)))
    body = shade(wire, grain(size, 1 / 256, instance) * np.float32(0.05) + np.float32(0.5) * (height - thick))
    metal = lit(body, np.maximum(height, np.float32(-0.5)) * np.float32(pitch), light, 0.35, 14)
    distance = (np.minimum(np.abs(x), np.abs(y)) - np.float32(thick)) * np.float32(pitch)
    depth = shade(ground, grain(size, 0.2, instance) * np.float32(0.05) - soft(distance - 0.02, 0.1) * np.float32(0.5))
    return lay(depth, solid(distance), metal)


def painted_sheet(design: Generator, instance: Generator, size: int) -> np.ndarray:
    """An almost even, mostly dark coat of paint: orange peel, a soft sheen, in some metal flakes."""
    light, base = Light.draw(design, instance), pick(design, PLASTICS) * np.float32(design.uniform(0.25, 0.8))
    cell, peel, flakes = design.uniform(0.015, 0.04), design.uniform(0.008, 0.035), design.uniform(0, 0.14)
    glow, where = design.uniform(0.05, 0.35), design.uniform(-1, 1)
    u, v = pose(instance, size, 0.1)
    sheen = np.float32(glow) * np.exp(-4 * (u * np.float32(where) + v) ** 2)
    flake = np.maximum(grain(size, 1 / 256, instance), 0) * np.float32(flakes)
    return lit(shade(base, sheen + flake), clouds(size, cell, instance, 2) * np.float32(cell * peel), light, 0.3, 30)


def _granite(design: Generator, instance: Generator, size: int) -> np.ndarray:
    """Crystals of three minerals, two of them spread in clouds."""
    base, cell = pick(design, STONES), design.uniform(0.008, 0.025)
    dark, pale = base * np.float32(design.uniform(0.25, 0.5)), np.clip(base * np.float32(1.3), 0, 0.95)
    _, labels = voronoi(instance, size, cell)
    share = instance.random(4001).astype(np.float32)[labels % 4001] + clouds(size, 0.1, instance, 2) * np.float32(0.06)
    tones = instance.normal(0, 0.05, 4001).astype(np.float32)[labels % 4001]
    stone = np.where((share < design.uniform(0.1, 0.3))[..., None], dark, base)
    stone = np.where((share > design.uniform(0.7, 0.9))[..., None], pale, stone)
    blended = cv2.GaussianBlur(stone.astype(np.float32), (0, 0), size / 400)
    return shade(blended, tones + grain(size, 1 / 300, instance) * np.float32(0.05))


def _terrazzo(design: Generator, instance: Generator, size: int) -> np.ndarray:
    """Stone chips of three colours in cement, ground flat."""
    base, chips = pick(design, STONES), np.stack([pick(design, STONES, 0.15) for _ in range(3)])
    cell, filled = design.uniform(0.03, 0.07), design.uniform(0.35, 0.7)
    seam, labels = voronoi(instance, size, cell)
    share, colour = instance.random(1999).astype(np.float32), instance.integers(0, 3, 1999)
    tones = instance.normal(0, 0.06, 1999).astype(np.float32)[labels % 1999]
    shrink = np.float32(0.05) + np.float32(0.25) * instance.random(1999).astype(np.float32)[labels % 1999]
    chip = soft((shrink - seam) * np.float32(cell), 0.008) * (share[labels % 1999] < filled)
    fines = clouds(size, 1 / 70, instance, 2) * np.float32(0.06)
    stone = shade(chips[colour[labels % 1999]], tones + clouds(size, 0.03, instance, 2) * np.float32(0.04))
    return lay(shade(base, fines), chip, stone)


def _glazed(design: Generator, instance: Generator, size: int) -> np.ndarray:
    """Glazed ceramic: one colour that pools a little, fine dots, a window's soft reflection."""
    base, dots = pick(design, GLAZES), design.uniform(2.6, 3.4)
    pool = clouds(size, 0.2, instance, 3) * np.float32(0.03)
    speck = np.clip((grain(size, 1 / 120, instance) - np.float32(dots)) * 2, 0, 1)
    return shade(base, pool + grain(size, 1 / 256, instance) * np.float32(0.01) - np.float32(0.4) * speck)


def solar_cell(design: Generator, instance: Generator, size: int) -> np.ndarray:
    """A dark bluish wafer, mono- or polycrystalline, under thin fingers and wide busbars."""
    base, bars, fingers = random_colour(design, 0.14, 0.34, 0.1), int(design.integers(2, 6)), design.uniform(28, 56)
    base, crystals = base * np.array([0.55, 0.72, 1.25], np.float32), design.random() < 0.5
    reach, silver = (1.6 if crystals else design.uniform(1.1, 1.25)), np.array([0.74, 0.75, 0.76], np.float32)
    u, v = pose(instance, size, 0.015, 0.01)
    tone = grain(size, 0.3, instance) * np.float32(0.05) + grain(size, 1 / 256, instance) * np.float32(0.04)
    if crystals:
        _, labels = voronoi(instance, size, 1 / 16)
        tone = tone + instance.normal(0, 0.2, 499).astype(np.float32)[labels % 499]
        tone = tone + grain(size, (1 / 200, 1 / 10), instance) * np.float32(0.05)
    scene = shade(base, tone)
    finger = np.abs(cells(v * np.float32(fingers / 2))[1] - np.float32(0.5)) * np.float32(2 / fingers)
    scene = lay(scene, np.float32(0.8) * solid(finger - np.float32(0.0022)), silver)
    bar = np.abs(cells((u + 1) * np.float32(bars / 2))[1] - np.float32(0.5)) * np.float32(2 / bars)
    strip = shade(silver, grain(size, (0.2, 1 / 256), instance) * np.float32(0.06))
    scene = lay(scene, solid(bar - np.float32(0.02)), strip)
    sheet = shade(np.full(3, 0.88, np.float32), grain(size, 1 / 200, instance) * np.float32(0.015))
    outline = np.maximum(box(u, v, 0.95, 0.95, 0.01), norm(u, v) - np.float32(reach))
    return lay(sheet, solid(outline), scene)
