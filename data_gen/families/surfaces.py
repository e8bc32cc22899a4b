"""Surfaces that fill the photo: metal, cloth, leather, wood, tile, concrete, mesh, solar cell."""

from __future__ import annotations

from math import tau

import cv2
import numpy as np
from numpy.random import Generator

from data_gen.families.geometry import box, pose, solid, voronoi
from data_gen.noise import fbm, perlin_noise
from data_gen.shading import lay, random_colour, relief, shade


def brushed_metal(design: Generator, instance: Generator, size: int) -> np.ndarray:
    """Fine streaks one way, with a band of sheen across them."""
    base, across, depth = random_colour(design, 0.3, 0.75, 0.06), design.uniform(30, 160), design.uniform(0.04, 0.14)
    vertical, sheen = design.random() < 0.5, design.uniform(0.05, 0.25)
    fine, coarse = (perlin_noise((size, size), scale, instance) for scale in ((1.2, across), (4, 3 * across)))
    streaks = fine + 0.7 * coarse
    v = np.linspace(-1, 1, size, dtype=np.float32)[:, None] + np.float32(instance.normal(0, 0.1))
    shading = np.float32(depth) * streaks + np.float32(sheen) * (np.exp(-3 * v * v) - 0.5)
    return shade(base, shading.T if vertical else shading)


def cast_metal(design: Generator, instance: Generator, size: int) -> np.ndarray:
    """A rough, lit skin, coarse or fine."""
    base, scale, depth = random_colour(design, 0.25, 0.6, 0.08), design.uniform(6, 20), design.uniform(0.25, 0.8)
    light, cloud = design.uniform(0, tau), design.uniform(0.02, 0.08)
    height = fbm((size, size), scale, instance, 4, 0.7)
    tone = perlin_noise((size, size), size / 4, instance) * np.float32(cloud)
    return shade(base, relief(height, light) * np.float32(depth) + tone)


def woven_cloth(design: Generator, instance: Generator, size: int) -> np.ndarray:
    """Plain weave or twill of threads that vary in tone; warp and weft have their own colours."""
    warp, weft = random_colour(design, 0.3, 0.9, 0.5), random_colour(design, 0.3, 0.9, 0.4)
    threads, over = size / design.uniform(5, 14), int(design.integers(1, 4))
    u, v = pose(instance, size, 0.1, 0.08)
    bend = perlin_noise((size, size), size / 6, instance) * np.float32(0.12)
    x, y = (u + 2) * np.float32(threads / 2) + bend, (v + 2) * np.float32(threads / 2) + bend
    column, row = np.floor(x).astype(int), np.floor(y).astype(int)
    top = ((column + over * row) % (over + 1)) == 0 if over > 1 else ((column + row) % 2) == 0
    tones = instance.normal(1, 0.05, (2, 4 * int(threads) + 8)).astype(np.float32)
    round_x, round_y = np.sin(np.pi * (x - column)), np.sin(np.pi * (y - row))
    shade_up = tones[0][column % tones.shape[1]] * (0.45 + 0.55 * np.sqrt(np.maximum(round_x, 0)))
    shade_across = tones[1][row % tones.shape[1]] * (0.45 + 0.55 * np.sqrt(np.maximum(round_y, 0)))
    cloth = np.where(top[..., None], warp * shade_up[..., None], weft * shade_across[..., None])
    return shade(cloth, 0.05 * perlin_noise((size, size), 1.5, instance)).astype(np.float32)


def leather(design: Generator, instance: Generator, size: int) -> np.ndarray:
    """Rounded pebbles with dark creases."""
    base, pitch, depth = random_colour(design, 0.2, 0.65, 0.6), design.uniform(7, 18), design.uniform(0.15, 0.4)
    light = design.uniform(0, tau)
    distance, _ = voronoi(instance, size, pitch)
    pebbles = cv2.GaussianBlur(-distance, (0, 0), 1.0) * np.float32(pitch / 3)
    height = pebbles + fbm((size, size), pitch / 2, instance, 2)
    tone = perlin_noise((size, size), size / 5, instance) * np.float32(0.04)
    return shade(base, relief(height, light) * np.float32(depth) - np.float32(0.25) * distance + 0.1 + tone)


def wood(design: Generator, instance: Generator, size: int) -> np.ndarray:
    """Wavy growth rings and fibres, along or across."""
    light, dark = np.array([0.78, 0.6, 0.4], np.float32), np.array([0.5, 0.32, 0.18], np.float32)
    tone, rings = np.float32(design.uniform(0.6, 1.15)), design.uniform(5, 16)
    wave, vertical = design.uniform(0.1, 0.5), design.random() < 0.5
    v = np.linspace(0, 1, size, dtype=np.float32)[:, None] + np.float32(instance.random())
    bend = perlin_noise((size, size), (size / 3, size * 1.2), instance) * np.float32(wave / 3)
    phase = (v + bend) * np.float32(rings)
    grain = (phase % 1) ** 2 * 0.7 + 0.3 * (np.sin(phase * 2.7) * 0.5 + 0.5)
    fibre = perlin_noise((size, size), (1.2, 40), instance) * np.float32(0.06)
    plank = shade(tone * (light + grain[..., None] * (dark - light)), fibre)
    return np.ascontiguousarray(plank.transpose(1, 0, 2)) if vertical else plank


def tile(design: Generator, instance: Generator, size: int) -> np.ndarray:
    """Speckled stone, with or without grout lines."""
    base, spots = random_colour(design, 0.45, 0.85, 0.25), [random_colour(design, 0.1, 0.9, 0.3) for _ in range(2)]
    scale, level, pitch = design.uniform(3, 8), design.uniform(0.9, 1.6), design.uniform(0.5, 1.1)
    grouted, grout = design.random() < 0.5, random_colour(design, 0.2, 0.8, 0.05)
    scene = np.full((size, size, 3), base, np.float32)
    for spot in spots:
        scene = lay(scene, np.clip((fbm((size, size), scale, instance, 2) - level) * 4, 0, 1), spot)
    if grouted:
        u, v = pose(instance, size, 0.03, 0.02)
        gap = np.minimum(np.abs((u + 0.3) % pitch - pitch / 2), np.abs((v + 0.3) % pitch - pitch / 2))
        scene = lay(shade(scene, 0.1 * solid(gap - 0.03)), solid(gap - np.float32(0.018)), grout)
    return scene


def concrete(design: Generator, instance: Generator, size: int) -> np.ndarray:
    """Cloudy grey with pores."""
    base, scale, contrast = random_colour(design, 0.4, 0.75, 0.08), design.uniform(30, 90), design.uniform(0.03, 0.08)
    pores = design.uniform(2.3, 3.2)
    tone = fbm((size, size), scale, instance, 5, 0.6) * np.float32(contrast)
    pits = np.clip((perlin_noise((size, size), design.uniform(3, 5), instance) - pores) * 2, 0, 1)
    return shade(base, tone - 0.5 * pits)


def wire_mesh(design: Generator, instance: Generator, size: int) -> np.ndarray:
    """Round wires crossing over a dark gap, upright or at 45 degrees."""
    wire, gap = random_colour(design, 0.45, 0.8, 0.15), random_colour(design, 0.03, 0.2)
    pitch, thick, tilt = design.uniform(0.09, 0.22), design.uniform(0.18, 0.34), design.choice([0.0, np.pi / 4])
    u, v = pose(instance, size)
    x, y = u * np.cos(tilt) + v * np.sin(tilt), v * np.cos(tilt) - u * np.sin(tilt)
    across, down = np.abs((x / pitch) % 1 - 0.5), np.abs((y / pitch) % 1 - 0.5)
    scene = np.full((size, size, 3), gap, np.float32)
    for distance in (across, down):
        profile = np.sqrt(np.clip(1 - (distance / thick) ** 2, 0, 1)).astype(np.float32)
        scene = lay(scene, solid((distance - thick) * pitch), shade(wire, profile * 0.7 - 0.5))
    return scene


def dark_uniform(design: Generator, instance: Generator, size: int) -> np.ndarray:
    """A dark, almost even surface with a soft sheen."""
    base, grain, scale = random_colour(design, 0.06, 0.25, 0.15), design.uniform(0.01, 0.08), design.uniform(1.2, 4)
    glow, where = design.uniform(0.0, 0.4), design.uniform(-1, 1)
    u, v = pose(instance, size, 0.1)
    sheen = np.float32(glow) * np.exp(-4 * (u * np.float32(where) + v) ** 2)
    return shade(base, perlin_noise((size, size), scale, instance) * np.float32(grain) + sheen)


def solar_cell(design: Generator, instance: Generator, size: int) -> np.ndarray:
    """A bluish wafer, some with crystal grains, under thin fingers and wide busbars."""
    base, bars, pitch = random_colour(design, 0.18, 0.4, 0.1), int(design.integers(2, 6)), design.uniform(0.03, 0.06)
    base, grains = base * np.array([0.6, 0.75, 1.25], np.float32), design.random() < 0.6
    u, v = pose(instance, size, 0.015, 0.01)
    scene = np.full((size, size, 3), base, np.float32)
    if grains:
        _, labels = voronoi(instance, size, size / 12)
        scene = shade(scene, instance.normal(0, 0.14, labels.max() + 1).astype(np.float32)[labels])
    fingers = np.abs((v / pitch) % 1 - 0.5) * pitch
    scene = lay(scene, 0.35 * solid(fingers - np.float32(0.002)), np.array([0.7, 0.7, 0.72], np.float32))
    busbar = np.abs(((u + 1) * bars / 2) % 1 - 0.5) * np.float32(2 / bars)
    scene = lay(scene, solid(busbar - np.float32(0.02)), np.array([0.75, 0.75, 0.76], np.float32))
    edge = box(u, v, 0.97, 0.97, 0.08)
    return lay(np.full_like(scene, 0.9), solid(edge), scene)
