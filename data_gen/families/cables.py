"""Cables and cords: a cut cable, a ribbon of wires, a twisted rope."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from data_gen.families.backdrop import backdrop, place
from data_gen.families.colours import CLOTHS, PLASTICS, Palette, pick
from data_gen.families.geometry import cells, fold, norm, pose, soft, voronoi, wobble
from data_gen.families.grain import clouds, grain
from data_gen.families.lighting import Light, bevel, lit
from data_gen.shading import lay, shade

CORES: Palette = (
    (0.40, 0.25, 0.16), (0.16, 0.33, 0.60), (0.36, 0.54, 0.20), (0.20, 0.20, 0.21),
    (0.72, 0.20, 0.16), (0.80, 0.80, 0.78), (0.86, 0.66, 0.16),
)  # fmt: skip
WIRES: Palette = ((0.80, 0.52, 0.34), (0.74, 0.74, 0.75), (0.72, 0.47, 0.32))


def cable(design: Generator, instance: Generator, size: int) -> np.ndarray:
    """A cable cut square: sheath, filler, two to five insulated cores of many strands."""
    light, sheath, copper = Light.draw(design, instance), pick(design, PLASTICS), pick(design, WIRES)
    count, outer, wall = int(design.integers(2, 6)), design.uniform(0.7, 0.84), design.uniform(0.06, 0.11)
    first = int(design.integers(len(CORES)))
    colours = np.array([CORES[(first + k) % len(CORES)] for k in range(count)], np.float32)
    strand, share = design.uniform(0.032, 0.05), design.uniform(0.56, 0.68)
    scene, (u, v) = backdrop(design, instance, size, sheath), pose(instance, size, 0.05, 0.5)
    angle, radius = np.arctan2(v, u), norm(u, v)
    distance = radius - np.float32(outer) - wobble(angle, instance, 0.006, 4)
    room = outer - wall
    core = room / (1 + 1 / np.sin(np.pi / count)) * 0.96  # the largest circles that fit side by side
    sector = np.floor(angle / np.float32(2 * np.pi / count) + np.float32(0.5)).astype(np.int32) % count
    moved = instance.normal(0, 0.012, (2, count)).astype(np.float32)[:, sector]
    folded, ring = fold(angle, count), room - core
    x, y = radius * np.cos(folded) - np.float32(ring * 0.97) + moved[0], radius * np.sin(folded) + moved[1]
    core_angle, core_radius = np.arctan2(y, x), norm(x, y)
    jacket = core_radius - np.float32(core) - wobble(core_angle, instance, 0.004, 4)
    bundle = core_radius - np.float32(core * share) - wobble(core_angle, instance, 0.006)
    cut = grain(size, (1 / 200, 1 / 20), instance) * np.float32(0.035) + clouds(size, 0.1, instance, 2) * np.float32(
        0.03
    )
    body = shade(sheath, cut)
    filler = soft(radius - np.float32(room), 0.012)
    talc = shade(
        np.array([0.2, 0.2, 0.2], np.float32) if sheath.mean() > 0.4 else sheath * 1.6,
        clouds(size, 0.05, instance, 3) * 0.12,
    )
    body = lay(lay(body, filler, talc), soft(jacket, 0.012), shade(colours[sector], cut))
    seam, labels = voronoi(instance, size, strand)
    tones = instance.normal(0, 0.12, 997).astype(np.float32)[labels % 997]
    wires = shade(copper, tones - np.float32(0.75) * np.exp(np.float32(-9) * seam))
    inside = soft(bundle, 0.012)
    height = bevel(distance, 0.03, 0.02) + bevel(jacket, 0.02, 0.02) + inside * np.sqrt(seam) * np.float32(strand * 0.8)
    body = lit(lay(body, inside, wires), height - inside * np.float32(0.03), light, 0.25, 12)
    return place(scene, distance, body, light, 0.12)


def ribbon_cable(design: Generator, instance: Generator, size: int) -> np.ndarray:
    """Parallel insulated wires that fill the photo: one colour with a marked edge, or a rainbow."""
    light, base, mark = Light.draw(design, instance), pick(design, PLASTICS), pick(design, PLASTICS)
    pitch, rainbow = design.uniform(0.09, 0.2), design.random() < 0.4
    colours = np.stack([pick(design, CORES) for _ in range(7)])
    marked, upright = int(design.integers(0, 8)), design.random() < 0.5
    u, v = pose(instance, size, 0.05, 0.05)
    if upright:
        u, v = v, u
    across = v + grain(size, (0.5, 0.5), instance) * np.float32(0.012)
    wire, y = cells(across * np.float32(1 / pitch) + 32)
    y = y - np.float32(0.5)
    colour = np.where((wire % 8 == marked)[..., None], mark, base)
    if rainbow:
        colour = colours[wire % 7]
    arch = np.sqrt(np.maximum(1 - np.float32(3.9) * y * y, 0))
    tone = grain(size, 1 / 200, instance) * np.float32(0.03) - np.float32(0.55) * (1 - arch) ** 3
    tone = tone + instance.normal(0, 0.02, 97).astype(np.float32)[wire % 97]
    swell = grain(size, 0.15, instance) * np.float32(0.05)
    return lit(shade(colour.astype(np.float32), tone), arch * (1 + swell) * np.float32(pitch * 0.45), light, 0.35, 24)


def rope(design: Generator, instance: Generator, size: int) -> np.ndarray:
    """A laid rope across the photo: slanting strands of twisted yarn, some with a coloured strand."""
    light, base, tracer = Light.draw(design, instance), pick(design, CLOTHS), pick(design, CLOTHS)
    half, lay_, strands = design.uniform(0.22, 0.42), design.uniform(0.3, 0.5), int(design.choice([3, 3, 4]))
    yarns, marked = design.uniform(4, 7), design.random() < 0.4
    scene, (u, v) = backdrop(design, instance, size, base), pose(instance, size, 0.08, 0.2)
    v = v + grain(size, 0.7, instance) * np.float32(0.02)
    y = np.clip(v / np.float32(half), -1, 1)
    turn = np.arcsin(y * np.float32(0.98)) / np.float32(np.pi)  # around the rope, in half turns
    phase = u / np.float32(half * lay_ * 3.2) + turn + grain(size, 0.3, instance) * np.float32(0.04) + 9
    strand, across = cells(phase)
    across = across * 2 - 1
    arch = np.sqrt(np.maximum(1 - across * across, 0))
    distance = np.abs(v) - np.float32(half * 0.9) - np.float32(half * 0.1) * arch
    yarn = np.cos((across * np.float32(yarns) - u / np.float32(half) * np.float32(5)) * np.float32(np.pi))
    fibre = grain(size, 1 / 300, instance) * np.float32(0.1) + clouds(size, 0.05, instance, 3) * np.float32(0.04)
    colour = np.where(((strand % strands == 0) & marked)[..., None], tracer, base).astype(np.float32)
    tone = fibre + np.float32(0.1) * yarn - np.float32(0.5) * (1 - arch) + np.float32(0.08)
    height = np.sqrt(np.maximum(1 - y * y, 0)) * np.float32(half) + arch * np.float32(half * 0.28)
    body = lit(shade(colour, tone), height + yarn * arch * np.float32(0.004), light, 0.02)
    return place(scene, distance, body, light, half)
