"""Cloth, carpet and hide: threads, loops and pebbles that fill the photo."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from data_gen.families.colours import CLOTHS, Palette, pick
from data_gen.families.geometry import cells, pose, posed, voronoi
from data_gen.families.grain import clouds, grain
from data_gen.families.lighting import Light, lit
from data_gen.shading import shade

HIDES: Palette = (
    (0.42, 0.26, 0.15), (0.55, 0.38, 0.22), (0.16, 0.13, 0.12), (0.38, 0.12, 0.10), (0.24, 0.17, 0.12),
    (0.66, 0.55, 0.42), (0.14, 0.17, 0.26), (0.70, 0.68, 0.64), (0.30, 0.31, 0.24),
)  # fmt: skip


def woven_cloth(design: Generator, instance: Generator, size: int) -> np.ndarray:
    """Plain weave or twill of threads that vary in tone; warp and weft have their own colours."""
    light, warp = Light.draw(design, instance), pick(design, CLOTHS)
    weft = warp * np.float32(design.uniform(0.8, 1.15)) if design.random() < 0.6 else pick(design, CLOTHS)
    threads, over = design.uniform(20, 52), int(design.integers(1, 4))
    u, v = pose(instance, size, 0.1, 0.06)
    x = (u + 2) * np.float32(threads / 2) + grain(size, 1 / 6, instance) * np.float32(0.1)
    y = (v + 2) * np.float32(threads / 2) + grain(size, 1 / 6, instance) * np.float32(0.1)
    (column, x), (row, y) = cells(x), cells(y)
    turn = (column + row) % 2 if over == 1 else (column + over * row) % (over + 1)
    upright = turn == 0  # the warp is on top here; elsewhere the weft floats over `over` columns
    way = np.where(upright, y, ((turn - 1).astype(np.float32) + x) * np.float32(1 / over))
    across = np.sin(np.float32(np.pi) * np.where(upright, x, y))
    arch = across * (np.float32(0.5) + np.float32(0.5) * np.sin(np.float32(np.pi) * way))
    tones = instance.normal(1, 0.05, (2, 256)).astype(np.float32)
    tone = np.where(upright, tones[0][column % 256], tones[1][row % 256])
    fibre = grain(size, 1 / 300, instance) * np.float32(0.09) + grain(size, 1 / 5, instance) * np.float32(0.025)
    tone = tone * (np.float32(0.42) + np.float32(0.62) * np.sqrt(across)) + fibre
    cloth = np.where(upright[..., None], warp, weft) * tone[..., None]
    return lit(cloth, arch * np.float32(0.5 / threads), light, 0.04, 8)


def knitted_cloth(design: Generator, instance: Generator, size: int) -> np.ndarray:
    """Stocking stitch: columns of V-shaped loops of woollen yarn, plain, striped or ribbed."""
    light, yarn, other = Light.draw(design, instance), pick(design, CLOTHS), pick(design, CLOTHS)
    wales, slope, rib = design.uniform(11, 26), design.uniform(0.8, 1.3), int(design.choice([0, 0, 2, 3]))
    stripe = int(design.integers(3, 9)) if design.random() < 0.35 else 0
    u, v = pose(instance, size, 0.1, 0.06)
    x = (u + 2) * np.float32(wales / 2) + grain(size, 1 / 5, instance) * np.float32(0.12)
    y = (v + 2) * np.float32(wales * 0.62) + grain(size, 1 / 5, instance) * np.float32(0.12)
    column, x = cells(x)
    side = np.abs(x - np.float32(0.5))  # 0 in the middle of a column, 0.5 at its border
    row, way = cells(y - np.float32(2 * slope) * side)
    across = side * 4 - 1
    loop = np.sqrt(np.maximum(1 - across * across, 0)) * np.sqrt(np.abs(np.sin(np.float32(np.pi) * way)))
    ply = np.cos(np.float32(2 * np.pi) * (across * np.float32(1.2) + way * np.float32(0.8)))
    tones = instance.normal(1, 0.05, (61, 67)).astype(np.float32)
    fluff = clouds(size, 1 / 60, instance, 3, 0.8) * np.float32(0.09)
    tone = tones[row % 61, column % 67] * (np.float32(0.28) + np.float32(0.75) * loop) + fluff
    wool = np.broadcast_to(yarn, (size, size, 3))
    if stripe:
        wool = np.where((row // stripe % 2 == 0)[..., None], yarn, other)
    height = loop * (1 + np.float32(0.12) * ply)
    if rib:
        sunk = (column % (2 * rib)) < rib
        height, tone = height - sunk.astype(np.float32), tone * np.where(sunk, np.float32(0.78), np.float32(1))
    return lit(wool * tone[..., None], (height + fluff) * np.float32(0.45 / wales), light, 0)


def carpet(design: Generator, instance: Generator, size: int) -> np.ndarray:
    """Loop pile: rows of yarn loops, heathered from two or three colours, some in bands."""
    light, yarns = Light.draw(design, instance), np.stack([pick(design, CLOTHS, 0.1) for _ in range(3)])
    yarns[1] = yarns[0] * design.uniform(0.75, 1.2)
    yarns[2] = (yarns[0] + yarns[2]) / 2
    loops, odd, bands = design.uniform(30, 62), design.uniform(0.02, 0.25), design.random() < 0.3
    u, v = pose(instance, size, 0.1, 0.06)
    x = (u + 2) * np.float32(loops / 2) + grain(size, 1 / 8, instance) * np.float32(0.25)
    y = (v + 2) * np.float32(loops / 1.5) + grain(size, 1 / 8, instance) * np.float32(0.25)
    row, y = cells(y)
    column, x = cells(x + (row % 2).astype(np.float32) * np.float32(0.5))
    jitter = instance.normal(0, 0.1, (3, 61, 67)).astype(np.float32)
    moved = jitter[:, row % 61, column % 67]
    x, y = x - np.float32(0.5) + moved[0], y - np.float32(0.5) + moved[1]
    fluff = grain(size, 1 / 300, instance) * np.float32(0.12)
    loop = np.maximum(1 - np.float32(2.6) * (x * x + y * y), 0)
    share = instance.random((61, 67))
    which = np.where(share < odd, 2, (share < 0.5).astype(int))[row % 61, column % 67]
    if bands:
        which = np.where(row % 16 < 5, 2, which)
    tone = (np.float32(0.5) + np.float32(0.5) * loop) * (1 + moved[2]) + fluff
    return lit(yarns[which].astype(np.float32) * tone[..., None], loop * np.float32(0.5 / loops), light, 0)


def leather(design: Generator, instance: Generator, size: int) -> np.ndarray:
    """Rounded pebbles of several sizes between dark creases, with a dull shine."""
    light, base, cell = Light.draw(design, instance), pick(design, HIDES), design.uniform(1 / 45, 1 / 18)
    depth, gloss, stretch = design.uniform(0.5, 1.0), design.uniform(0.03, 0.2), design.uniform(1, 1.5)
    seam, _ = voronoi(instance, size, cell)
    u, v = pose(instance, size, 0, 0)
    u, v = u * np.float32(1 / stretch), v + grain(size, cell, instance) * np.float32(0.5 * cell)
    seam = posed(seam, u + grain(size, cell, instance) * np.float32(0.5 * cell), v)  # no seam is straight
    pebble: np.ndarray = 1 - np.exp(np.float32(-6) * seam)
    height: np.ndarray = pebble * (1 + np.float32(0.12) * grain(size, cell / 2, instance))
    height = height + clouds(size, cell / 2, instance, 3, 0.8) * np.float32(0.1)
    tone: np.ndarray = grain(size, 1 / 4, instance) * np.float32(0.04)
    tone = tone + grain(size, 1 / 220, instance) * np.float32(0.03)
    tone = tone - np.float32(0.26) * (1 - pebble) + np.float32(0.04)
    return lit(shade(base, tone), height * np.float32(0.2 * depth * cell), light, gloss, 10)
