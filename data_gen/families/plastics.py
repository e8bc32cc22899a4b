"""Moulded and sewn goods: bottle cap, tray, toothbrush, zipper."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from data_gen.families.backdrop import backdrop, place
from data_gen.families.colours import CLOTHS, METALS, PLASTICS, pick
from data_gen.families.geometry import box, cells, norm, pose, repeat, soft
from data_gen.families.grain import grain
from data_gen.families.lighting import Light, bevel, lit
from data_gen.shading import lay, shade


def bottle_cap(design: Generator, instance: Generator, size: int) -> np.ndarray:
    """A crown cap: fluted skirt, domed top, a printed star, flower or disc within rings."""
    light, base, logo = Light.draw(design, instance), pick(design, PLASTICS), pick(design, PLASTICS)
    if abs(float(base.mean() - logo.mean())) < 0.2:
        logo = np.full(3, 0.9 if base.mean() < 0.5 else 0.12, np.float32)
    teeth, sides, rim = 21, int(design.integers(3, 8)), design.uniform(0.5, 0.58)
    petal, star, rings = design.uniform(0.12, 0.35), design.uniform(0.2, 0.32), int(design.integers(1, 3))
    scene, (u, v) = backdrop(design, instance, size, base), pose(instance, size, 0.05, 0.3)
    radius, angle = norm(u, v), np.arctan2(v, u)
    flute = np.cos(angle * teeth)
    skirt = np.clip((radius - np.float32(rim)) * np.float32(5), 0, 1)
    distance = radius - np.float32(0.73) - np.float32(0.022) * flute
    printed = np.minimum(radius - np.float32(star) * (1 + np.float32(petal) * np.cos(sides * angle)), np.float32(1))
    for ring in range(rings):
        printed = np.minimum(printed, np.abs(radius - np.float32(rim - 0.06 - 0.05 * ring)) - np.float32(0.012))
    off = instance.normal(0, 0.006, 2)  # the print sits a little off
    ink = np.roll(soft(printed, 0.01), (round(off[0] * size / 2), round(off[1] * size / 2)), (0, 1))
    height = -skirt * skirt * np.float32(0.16) + skirt * flute * np.float32(0.024)
    height = height + np.sqrt(np.clip(1 - radius * radius, 0, 1)) * np.float32(0.12) + bevel(distance, 0.02, 0.02)
    tone = grain(size, 1 / 200, instance) * np.float32(0.015) + grain(size, 0.3, instance) * np.float32(0.02)
    body = lit(shade(lay(np.broadcast_to(base, (size, size, 3)), ink, logo), tone), height, light, 0.45, 20)
    return place(scene, distance, body, light, 0.1)


def moulded_part(design: Generator, instance: Generator, size: int) -> np.ndarray:
    """An injection-moulded tray: textured plastic, bolt holes in collars, ribs, a gate mark."""
    light, base = Light.draw(design, instance), pick(design, PLASTICS)
    half, corner, ribs = design.uniform(0.48, 0.78, 2), design.uniform(0.06, 0.3), int(design.integers(0, 6))
    bolt, inset, upright = design.uniform(0.04, 0.065), design.uniform(0.13, 0.18), design.random() < 0.5
    gate, grainy = design.uniform(-0.5, 0.5, 2), design.uniform(0.0001, 0.0004)
    scene, (u, v) = backdrop(design, instance, size, base), pose(instance, size)
    outline = box(u, v, half[0], half[1], corner)
    x, y = np.abs(u) - np.float32(half[0] - inset), np.abs(v) - np.float32(half[1] - inset)
    hole = norm(x, y)
    width, depth = half[0] - 1.9 * inset, half[1] - 1.9 * inset
    well = soft(box(u, v, width, depth, 0.06), 0.04)
    height: np.ndarray = bevel(outline, 0.07, 0.05) - well * np.float32(0.05)
    if ribs:
        line, _ = repeat(u if upright else v, 2 * (width if upright else depth) / (ribs + 0.5), ribs)
        height = height + soft(np.abs(line) - np.float32(0.022), 0.02) * well * np.float32(0.045)
    height = height + soft(np.abs(hole - np.float32(bolt + 0.02)) - np.float32(0.012), 0.015) * np.float32(0.014)
    nub = norm(u - np.float32(gate[0] * width), v - np.float32(gate[1] * depth))
    height = height + soft(np.abs(nub - np.float32(0.035)) - np.float32(0.006), 0.012) * np.float32(0.012)
    height = height + grain(size, 1 / 130, instance) * np.float32(grainy)
    tone = grain(size, 0.25, instance) * np.float32(0.02) - np.float32(0.1) * well
    body = lit(shade(base, tone), height, light, 0.22, 12)
    return place(scene, np.maximum(outline, np.float32(bolt) - hole), body, light, 0.08)


def toothbrush(design: Generator, instance: Generator, size: int) -> np.ndarray:
    """A brush head from above: rows of bristle tufts in two or three colours on a plastic plate."""
    light, plate, other = Light.draw(design, instance), pick(design, PLASTICS), pick(design, PLASTICS)
    tufts, white = int(design.integers(3, 5)), np.array([0.9, 0.9, 0.88], np.float32)
    rows, wide, high = int(design.integers(8, 11)), design.uniform(0.3, 0.4), design.uniform(0.72, 0.82)
    pattern = np.broadcast_to(design.integers(0, 3, 12)[:, None], (12, 5)).copy()
    pattern[:, :: tufts - 1] = design.integers(0, 3)  # rows of one colour, the outer columns of another
    scene, (u, v) = backdrop(design, instance, size, (plate + white) / 2), pose(instance, size, 0.05, 0.1)
    head = box(u, v, wide, high, wide * 0.9)
    neck = box(u, v - np.float32(high + 0.2), 0.13, 0.5, 0.05)
    distance = np.minimum(head, neck) - np.float32(0.04) * np.exp(-(((head - neck) / np.float32(0.15)) ** 2))
    handle = lit(shade(plate, grain(size, 0.2, instance) * np.float32(0.02)), bevel(distance, 0.09), light, 0.5, 30)
    scene = place(scene, distance, handle, light, 0.1)
    pitch = (2 * (wide - 0.04) / tufts, 2 * (high - 0.09) / rows)
    (x, column), (y, row) = repeat(u, pitch[0], tufts), repeat(v, pitch[1], rows)
    lean = instance.normal(0, 0.01, (3, 12, 5)).astype(np.float32)[:, row, column]
    x, y = x + lean[0], y + lean[1]
    hair = grain(size, 1 / 200, instance)
    tuft = norm(x / np.float32(pitch[0] * 0.5), y / np.float32(pitch[1] * 0.5)) - 1 + hair * np.float32(0.06)
    tuft = np.maximum(tuft * np.float32(min(pitch) * 0.47), head + np.float32(0.03))
    colours = np.stack([white, other, white * np.array([0.75, 0.88, 0.95], np.float32)])[pattern[row, column]]
    ends = np.clip(hair, -1.5, 1.5) * np.float32(0.11) + lean[2] * 4 - np.float32(0.4) * np.exp(tuft * 40)
    bristle = lit(
        shade(colours.astype(np.float32), ends), bevel(tuft, 0.05, 0.03) + hair * np.float32(0.0015), light, 0.1
    )
    return place(scene, tuft, bristle, light, 0.1)


def zipper(design: Generator, instance: Generator, size: int) -> np.ndarray:
    """A closed zip: interlocked teeth of metal or plastic between two woven tapes."""
    light, tape = Light.draw(design, instance), pick(design, CLOTHS)
    metal, teeth = design.random() < 0.6, pick(design, METALS)
    if not metal:
        teeth = pick(design, PLASTICS)
    pitch, reach, weave = design.uniform(0.08, 0.14), design.uniform(0.13, 0.2), design.uniform(30, 50)
    u, v = pose(instance, size, 0.05, 0.05)
    u = u + grain(size, 0.6, instance) * np.float32(0.01)
    cord = np.exp(-(((np.abs(u) - np.float32(reach + 0.06)) / np.float32(0.05)) ** 2))
    rib = np.abs(np.sin(np.float32(np.pi) * (v * np.float32(weave) + np.abs(u) * np.float32(weave))))
    fine = grain(size, 1 / 300, instance) * np.float32(0.08) + grain(size, 0.2, instance) * np.float32(0.03)
    seam = np.abs(np.abs(u) - np.float32(reach + 0.3)) < np.float32(0.012)
    stitches = seam * (np.sin(v * np.float32(2 * np.pi / pitch)) > -0.5)
    cloth = shade(tape, fine + (rib - np.float32(0.6)) * np.float32(0.35) + stitches * np.float32(0.3))
    height = cord * np.float32(0.05) + rib * np.float32(0.006) + stitches * np.float32(0.01)
    scene = lit(cloth, height, light, 0)
    scene = shade(scene, np.float32(-0.35) * soft(np.abs(u) - np.float32(reach), 0.05))
    for side in (-1, 1):
        y = cells(v / np.float32(pitch) + np.float32(0.25 * side))[1] - np.float32(0.5)
        tooth = box(
            u * side - np.float32(reach * 0.42), y * np.float32(pitch), reach * 0.58, pitch * 0.23, pitch * 0.12
        )
        tones = grain(size, 1 / 120, instance) * np.float32(0.05)
        body = lit(shade(teeth, tones), bevel(tooth, pitch * 0.2), light, 0.6 if metal else 0.25, 14)
        scene = place(scene, tooth, body, light, 0.03)
    return scene
