"""Glass against the light: what is thick or steep is dark."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from data_gen.families.backdrop import backdrop
from data_gen.families.colours import Palette, pick
from data_gen.families.geometry import norm, pose, soft, wobble
from data_gen.families.grain import along, grain
from data_gen.shading import lay, shade

TINTS: Palette = ((0.86, 0.90, 0.88), (0.80, 0.86, 0.90), (0.45, 0.66, 0.46), (0.72, 0.48, 0.22), (0.88, 0.89, 0.90))


def bottle_mouth(design: Generator, instance: Generator, size: int) -> np.ndarray:
    """A bottle seen from above, lit from below: rings of thick and thin glass around a bright or dark bottom."""
    tint, dark = pick(design, TINTS), design.random() < 0.4
    outer, lip, neck = design.uniform(0.68, 0.88), design.uniform(0.05, 0.1), design.uniform(0.16, 0.3)
    rings, knurls = int(design.integers(4, 9)), int(design.choice([0, 60, 90]))
    strength, foot = design.uniform(0.15, 0.4), design.uniform(0.18, 0.32)
    scene, (u, v) = backdrop(design, instance, size, tint * np.float32(0.6)), pose(instance, size)
    angle, radius = np.arctan2(v, u), norm(u, v)
    flow = wobble(angle, instance, 0.004) * (1 - radius)  # no two mouths set alike
    at = radius / np.float32(outer) + flow
    bright = np.exp(-((at / np.float32(0.5)) ** 2)) * np.float32(-0.55 if dark else 0.15)
    pattern = np.random.default_rng(int(design.integers(2**31)))
    bright = bright + np.float32(strength) * along(at, rings * 3, pattern) * (at > foot + 0.08)
    wall = soft(np.abs(at - np.float32(1 - lip - neck / 2)) - np.float32(neck / 2), 0.05)
    bright = bright - np.float32(0.35) * wall
    base = np.abs(at - np.float32(foot)) - np.float32(0.02)
    if knurls:
        base = np.maximum(base, np.cos(angle * knurls) * np.float32(0.02))
    bright = bright - np.float32(0.3) * soft(base, 0.03)
    for edge, width in ((1 - lip, 0.012), (1 - lip / 2, 0.02), (0.985, 0.012)):
        bright = bright - np.float32(0.55) * np.exp(-(((at - np.float32(edge)) / np.float32(width)) ** 2))
    lamps = np.cos(angle - np.float32(design.uniform(-3, 3))) ** 16
    bright = bright + np.float32(0.5) * lamps * np.exp(-(((at - np.float32(1 - lip * 0.75)) / np.float32(0.016)) ** 2))
    bright = bright + grain(size, 0.12, instance) * np.float32(0.02)
    depth = np.clip(1 + bright, 0.03, 1.5)[..., None]
    pane = np.clip(np.float32(0.86) * tint * depth ** (1 + (1 - tint)), 0, 1)
    shadow = soft(radius - np.float32(outer + 0.02), 0.08)
    return lay(shade(scene, np.float32(-0.25) * shadow), soft(radius - np.float32(outer), 0.016), pane)
