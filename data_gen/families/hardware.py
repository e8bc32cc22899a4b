"""Metal parts: washer, nut, gear, screw."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from data_gen.families.backdrop import backdrop, place
from data_gen.families.colours import METALS, pick
from data_gen.families.geometry import box, cells, fold, norm, pose, soft
from data_gen.families.grain import along, grain
from data_gen.families.lighting import Light, bevel, lit
from data_gen.shading import shade


def washer(design: Generator, instance: Generator, size: int) -> np.ndarray:
    """A flat, turned ring with bevelled edges, plain or stepped."""
    light, base = Light.draw(design, instance), pick(design, METALS)
    outer, share, edge = design.uniform(0.5, 0.8), design.uniform(0.3, 0.65), design.uniform(0.015, 0.04)
    inner, step, turned = outer * share, design.uniform(0.3, 0.7), design.uniform(0.02, 0.07)
    scene, (u, v) = backdrop(design, instance, size, base), pose(instance, size)
    radius = norm(u, v)
    distance = np.maximum(radius - np.float32(outer), np.float32(inner) - radius)
    height = bevel(distance, edge)
    if design.random() < 0.4:  # a raised or sunk collar
        middle = inner + (outer - inner) * step
        height = height + soft(radius - np.float32(middle), 0.03) * np.float32(design.choice([-0.02, 0.02]))
    tone = np.float32(turned) * along(radius, 90, instance) + _sheen(u, v, light, 0.14)
    metal = lit(shade(base, tone + _plating(size, instance)), height, light, 0.4, 14)
    return place(scene, distance, metal, light, 0.04)


def hex_nut(design: Generator, instance: Generator, size: int) -> np.ndarray:
    """A nut of four, six or eight sides: chamfered corners, a turned face, a threaded bore."""
    light, base, sides = Light.draw(design, instance), pick(design, METALS), int(design.choice([4, 6, 6, 6, 8]))
    outer, inner = design.uniform(0.5, 0.72), design.uniform(0.4, 0.58)
    chamfer, turns = outer * design.uniform(0.97, 1.03), design.uniform(0.02, 0.035)
    inner = inner * outer
    scene, (u, v) = backdrop(design, instance, size, base), pose(instance, size, 0.05, 0.2)
    radius, angle = norm(u, v), np.arctan2(v, u)
    flat = radius * np.cos(fold(angle, sides)) - np.float32(outer)
    distance = np.maximum(flat, np.float32(inner * 0.86) - radius)
    corners = np.maximum(radius - np.float32(chamfer), 0) * np.float32(-0.6)
    countersink = np.maximum(np.float32(inner * 1.14) - radius, 0) * np.float32(-0.8)
    winding = np.sin(radius * np.float32(2 * np.pi / turns) + angle) * (radius < inner) * np.float32(0.006)
    height = bevel(flat, 0.025) + corners + countersink + winding
    tone = 0.04 * along(radius, 70, instance) * (radius > inner * 1.14) + _sheen(u, v, light, 0.12)
    tone = tone - np.float32(0.45) * soft(radius - np.float32(inner), 0.06) + _plating(size, instance)
    return place(scene, distance, lit(shade(base, tone), height, light, 0.4, 14), light, 0.12)


def gear(design: Generator, instance: Generator, size: int) -> np.ndarray:
    """A gear wheel with a hub and a bore, some with holes in the sunk web."""
    light, base, teeth = Light.draw(design, instance), pick(design, METALS), int(design.integers(12, 34))
    outer, bore, holes = design.uniform(0.55, 0.74), design.uniform(0.09, 0.17), int(design.choice([0, 0, 3, 4, 5, 6]))
    hub, keyed, tooth = bore + design.uniform(0.07, 0.13), design.random() < 0.5, 1.3 / teeth
    scene, (u, v) = backdrop(design, instance, size, base), pose(instance, size, 0.04, 0.2)
    radius, angle = norm(u, v), np.arctan2(v, u)
    profile = np.clip(np.cos(angle * teeth) * 2, -1, 1) * np.float32(tooth)
    distance = np.maximum(radius - np.float32(outer) - profile, np.float32(bore) - radius)
    if keyed:
        distance = np.maximum(distance, -box(u - np.float32(bore), v, 0.06, 0.035, 0.005))
    rim = outer - tooth - 0.08
    sunk = soft(np.maximum(radius - np.float32(rim), np.float32(hub) - radius), 0.03)
    if holes:
        folded = fold(angle, holes)
        x, y = radius * np.cos(folded) - np.float32((hub + rim) / 2), radius * np.sin(folded)
        distance = np.maximum(distance, np.float32((rim - hub) * 0.3) - norm(x, y))
    tone = 0.05 * along(radius, 80, instance) + _sheen(u, v, light, 0.12) - np.float32(0.12) * sunk
    height = bevel(distance, 0.02) - sunk * np.float32(0.025)
    metal = lit(shade(base, tone + _plating(size, instance)), height, light, 0.4, 14)
    return place(scene, distance, metal, light, 0.07)


def screw(design: Generator, instance: Generator, size: int) -> np.ndarray:
    """A lying screw: flat, pan or hexagonal head, a plain neck, a helical thread and a point or a blunt end."""
    light, base = Light.draw(design, instance), pick(design, METALS)
    shank, head, length = design.uniform(0.07, 0.13), design.uniform(0.17, 0.26), design.uniform(0.62, 0.82)
    pitch, neck, point = design.uniform(0.05, 0.085), design.uniform(0.05, 0.6), design.choice([0.05, 0.3])
    kind, deep = str(design.choice(["flat", "pan", "hex"])), design.uniform(0.2, 0.32)
    scene, (u, v) = backdrop(design, instance, size, base), pose(instance, size, 0.06, 0.3)
    threaded = np.clip((u + np.float32(length - neck)) * 20, 0, 1)
    wave = np.abs(cells((u + v * np.float32(0.3)) / np.float32(pitch))[1] - np.float32(0.5)) * 2
    groove = wave * threaded * np.float32(deep * shank)
    taper = np.clip((np.float32(length) - u) * np.float32(1 / point), 0, 1) ** np.float32(0.7)
    body = np.float32(shank) * taper - groove
    top = u + np.float32(length)  # 0 under the head's middle
    cap = np.full_like(u, head)
    if kind == "flat":
        cap = np.float32(head) - np.maximum(top + np.float32(0.04), 0) * np.float32(1.1)
    elif kind == "pan":
        cap = np.float32(head) * np.sqrt(np.clip(1 - (np.minimum(top, 0) / np.float32(0.11)) ** 2, 0, 1))
    in_head = top < (0.11 if kind == "flat" else 0.07)
    half = np.where(in_head, np.maximum(cap, body), body)
    distance = np.maximum(np.abs(v) - half, np.maximum(np.float32(-0.11) - top, u - np.float32(length)))
    round_ = np.sqrt(np.clip(half * half - v * v, 0, None))
    if kind == "hex":
        facets = np.minimum(half * np.float32(0.87), (half - np.abs(v)) * np.float32(1.73))
        round_ = np.where(in_head, facets, round_)
    tone = 0.05 * grain(size, (1 / 60, 1 / 256), instance) + _plating(size, instance)
    tone = tone - np.float32(0.35) * wave * threaded * ~in_head + np.float32(0.05)
    return place(scene, distance, lit(shade(base, tone), round_, light, 0.35, 12), light, shank)


def _sheen(u: np.ndarray, v: np.ndarray, light: Light, amount: float) -> np.ndarray:
    """The bow tie of light that circular tool marks show: bright across the light, dark along it."""
    across = u * np.float32(np.cos(light.angle)) + v * np.float32(np.sin(light.angle))
    return np.float32(amount) * (2 * across * across / (u * u + v * v + np.float32(1e-3)) - 1)


def _plating(size: int, instance: Generator) -> np.ndarray:
    """Faint grain and clouds on metal, relative brightness."""
    return 0.035 * grain(size, 1 / 200, instance) + 0.04 * grain(size, 0.2, instance)
