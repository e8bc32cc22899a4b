"""Parts on a plain background."""

from __future__ import annotations

from math import tau

import cv2
import numpy as np
from numpy.random import Generator

from data_gen.families.backdrop import backdrop, dome, place
from data_gen.families.geometry import box, fold, pose, solid
from data_gen.noise import perlin_noise
from data_gen.shading import lay, random_colour, relief, shade


def label(design: Generator, instance: Generator, size: int) -> np.ndarray:
    """A printed paper label: lines of text and a barcode."""
    paper, ink = random_colour(design, 0.8, 0.97, 0.15), random_colour(design, 0.05, 0.4, 0.7)
    layout = np.zeros((size, size), np.uint8)
    y = int(size * 0.24)
    while y < size * 0.62:
        text = "".join(design.choice(list("ABCDEHKLMNPRSTUVXZ0123456789-. "), int(design.integers(5, 14))))
        scale = design.uniform(0.35, 0.9) * size / 256
        start, font, bold = (int(size * 0.2), y), cv2.FONT_HERSHEY_SIMPLEX, 1 + int(scale > 0.6)
        cv2.putText(layout, text, start, font, scale, 255, bold, cv2.LINE_AA)
        y += int(size * (0.03 + scale * 0.13))
    x = int(size * 0.2)
    while x < size * 0.78:  # a barcode
        bar = int(design.integers(1, 5))
        layout[int(size * 0.66) : int(size * 0.8), x : x + bar] = 255
        x += bar + int(design.integers(1, 5))
    layout[:, int(size * 0.82) :] = 0
    scene, light = backdrop(design, instance, size, paper), design.uniform(0, tau)
    u, v = pose(instance, size)
    at_x, at_y = (u + 1) * np.float32(size / 2), (v + 1) * np.float32(size / 2)
    print_ = cv2.remap(layout, at_x, at_y, cv2.INTER_LINEAR).astype(np.float32) / 255
    sheet = lay(shade(paper, 0.015 * perlin_noise((size, size), 3, instance)), print_, ink)
    return place(scene, box(u, v, 0.72, 0.7, 0.06), sheet, light)


def pill(design: Generator, instance: Generator, size: int) -> np.ndarray:
    """A round or long tablet, plain or scored, or a capsule of two colours."""
    base, second = random_colour(design, 0.6, 0.97, 0.5), random_colour(design, 0.5, 0.95, 0.7)
    long, light, capsule = design.uniform(0.3, 0.7), design.uniform(0, tau), design.random() < 0.4
    speckle, scored, round_ = design.uniform(0, 0.25), design.random() < 0.6, design.random() < 0.4
    scene, (u, v) = backdrop(design, instance, size, base), pose(instance, size, 0.05, 0.2)
    short = long if round_ else design.uniform(0.22, 0.4)
    distance = box(u, v, max(long, short), short, short)
    dots = np.clip(perlin_noise((size, size), 2.5, instance) - 2, 0, 1) * np.float32(speckle * 2)
    body = np.full((size, size, 3), base, np.float32)
    if capsule:
        body = lay(body, solid(u - np.float32(0.05)), second)
    shading = 0.35 * dome(distance, short * 0.9, light) - dots
    if scored:
        shading = shading + 0.5 * relief(-4 * np.exp(-((u / np.float32(0.025)) ** 2)), light)
    return place(scene, distance, shade(body, shading), light)


def bottle_cap(design: Generator, instance: Generator, size: int) -> np.ndarray:
    """A round cap with teeth, a raised rim and a printed star in a ring."""
    base, logo = random_colour(design, 0.3, 0.9, 0.8), random_colour(design, 0.2, 0.95, 0.5)
    teeth = int(design.integers(18, 30))
    light, rim, sides = design.uniform(0, tau), design.uniform(0.5, 0.6), int(design.integers(3, 7))
    scene, (u, v) = backdrop(design, instance, size, base), pose(instance, size, 0.05, 0.3)
    radius, angle = np.hypot(u, v), np.arctan2(v, u)
    distance = radius - np.float32(0.72) - np.float32(0.025) * np.cos(angle * teeth)
    height = solid((radius - np.float32(rim)) * 0.3) * 14 + 2 * np.cos(angle * teeth) * (radius > rim)
    star = radius - np.float32(0.28) * (1 + np.float32(0.3) * np.cos(sides * angle))
    ring = np.abs(radius - np.float32(rim - 0.07)) - np.float32(0.015)
    body = lay(np.full((size, size, 3), base, np.float32), solid(np.minimum(star, ring)), logo)
    shading = 0.3 * relief(cv2.GaussianBlur(height.astype(np.float32), (0, 0), 1.5), light)
    return place(scene, distance, shade(body, shading), light)


def washer(design: Generator, instance: Generator, size: int) -> np.ndarray:
    """A flat ring with a bevel."""
    outer, light = design.uniform(0.5, 0.8), design.uniform(0, tau)
    inner, bevel = outer * design.uniform(0.3, 0.65), design.uniform(0.02, 0.06)
    (metal, scene), (u, v) = _metal(design, instance, size), pose(instance, size)
    radius = np.hypot(u, v)
    distance = np.maximum(radius - np.float32(outer), np.float32(inner) - radius)
    return place(scene, distance, shade(metal, 0.5 * dome(distance, bevel, light)), light)


def hex_nut(design: Generator, instance: Generator, size: int) -> np.ndarray:
    """A nut of four, six or eight sides with a threaded bore."""
    outer, light, sides = design.uniform(0.5, 0.75), design.uniform(0, tau), int(design.choice([4, 6, 6, 6, 8]))
    inner = outer * design.uniform(0.4, 0.6)
    (metal, scene), (u, v) = _metal(design, instance, size), pose(instance, size, 0.05, 0.2)
    radius, angle = np.hypot(u, v), np.arctan2(v, u)
    flat = radius * np.cos(fold(angle, sides)) - np.float32(outer)
    distance = np.maximum(flat, np.float32(inner) - radius)
    thread = np.sin((radius - inner) * np.float32(120)) * (radius < inner * 1.18)
    shading = 0.5 * dome(np.maximum(flat, radius - np.float32(outer * 1.06)), 0.1, light) + 0.25 * thread
    return place(scene, distance, shade(metal, shading), light)


def gear(design: Generator, instance: Generator, size: int) -> np.ndarray:
    """A gear wheel with a bore, some with holes in the web."""
    teeth, outer, light = int(design.integers(10, 28)), design.uniform(0.55, 0.72), design.uniform(0, tau)
    bore, holes, web = design.uniform(0.1, 0.2), int(design.integers(0, 7)), design.uniform(0.5, 0.7)
    (metal, scene), (u, v) = _metal(design, instance, size), pose(instance, size, 0.04, 0.2)
    radius, angle = np.hypot(u, v), np.arctan2(v, u)
    profile = np.clip(np.cos(angle * teeth) * 3, -1, 1) * np.float32(0.06)
    distance = np.maximum(radius - np.float32(outer) - profile, np.float32(bore) - radius)
    if holes:
        folded = fold(angle, holes)
        x, y = radius * np.cos(folded) - np.float32(outer * 0.6), radius * np.sin(folded)
        distance = np.maximum(distance, np.float32(0.08) - np.hypot(x, y))
    step = solid((radius - np.float32(web * outer / 0.6 * 0.75)) * 0.4) * 6
    shading = 0.4 * dome(distance, 0.04, light) + 0.3 * relief(step, light)
    return place(scene, distance, shade(metal, shading), light)


def screw(design: Generator, instance: Generator, size: int) -> np.ndarray:
    """A threaded, tapering shank with a domed head, lying."""
    shank, head, length = design.uniform(0.08, 0.15), design.uniform(0.2, 0.32), design.uniform(0.6, 0.8)
    pitch, light, taper = design.uniform(0.06, 0.1), design.uniform(0, tau), design.uniform(0.1, 0.3)
    (metal, scene), (u, v) = _metal(design, instance, size), pose(instance, size, 0.06, 0.3)
    ridge = np.abs(((u + v * 0.25) / np.float32(pitch)) % 1 - 0.5) * np.float32(0.06)
    width = np.minimum(np.float32(shank), (np.float32(length) - u) * np.float32(shank / taper)) - ridge
    body = np.maximum(np.abs(v) - width, np.maximum(-np.float32(length) - u, u - np.float32(length)))
    cap = box(u + np.float32(length), v, 0.09, head, 0.06)
    across = np.sqrt(np.clip(1 - (v / np.float32(head)) ** 2, 0, 1)) * np.float32(head * size / 2)
    threads = relief(-ridge * np.float32(size / 2), light) * (u > 0.1 - length)
    shading = 0.35 * relief(across.astype(np.float32), light) + 0.6 * threads
    return place(scene, np.minimum(body, cap), shade(metal, shading), light)


def moulded_part(design: Generator, instance: Generator, size: int) -> np.ndarray:
    """A rounded plastic tray with four bolt holes and ribs."""
    base, light = random_colour(design, 0.15, 0.9, 0.7), design.uniform(0, tau)
    half, corner, ribs = design.uniform(0.45, 0.78, 2), design.uniform(0.04, 0.3), int(design.integers(0, 5))
    bolt, inset = design.uniform(0.04, 0.09), design.uniform(0.14, 0.2)
    scene, (u, v) = backdrop(design, instance, size, base), pose(instance, size)
    outline = box(u, v, half[0], half[1], corner)
    across, down = np.abs(u) - np.float32(half[0] - inset), np.abs(v) - np.float32(half[1] - inset)
    bolts = np.hypot(across, down) - np.float32(bolt)
    tray = box(u, v, half[0] - 2 * inset, half[1] - 2 * inset + 0.1, 0.05)
    height = -solid(tray * 0.3) * 8
    for rib in range(ribs):
        centre = (rib + 1) / (ribs + 1) * 2 - 1
        line = np.abs(u - np.float32(centre * (half[0] - 2 * inset))) - 0.02
        height = height + 6 * solid(np.maximum(line, tray))
    grain = 0.02 * perlin_noise((size, size), 1.5, instance)
    shading = 0.35 * dome(outline, 0.06, light) + 0.25 * relief(height, light) + grain
    return place(scene, np.maximum(outline, -bolts), shade(base, shading), light)


def glass_rim(design: Generator, instance: Generator, size: int) -> np.ndarray:
    """A bottle seen from above: glass rings on a pale pane, slightly out of focus."""
    base, rim = random_colour(design, 0.45, 0.8, 0.05), random_colour(design, 0.1, 0.3, 0.05)
    outer, width, inner = design.uniform(0.7, 0.92), design.uniform(0.03, 0.1), design.uniform(0.2, 0.5)
    scene, (u, v) = backdrop(design, instance, size, base), pose(instance, size)
    radius, cloud = np.hypot(u, v), perlin_noise((size, size), size / 3, instance) * np.float32(0.03)
    pane = shade(base, cloud - 0.12 * (radius / np.float32(outer)) ** 3)
    pane = lay(pane, 0.5 * solid((np.abs(radius - np.float32(inner)) - np.float32(0.01)) * 0.4), rim)
    pane = lay(pane, solid((np.abs(radius - np.float32(outer - width)) - np.float32(width / 2)) * 0.4), rim)
    scene = lay(scene, solid((radius - np.float32(outer)) * 0.5), pane)
    return cv2.GaussianBlur(scene, (0, 0), size / 200)


def _metal(design: Generator, instance: Generator, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Bare or plated metal with a faint grain, and a backdrop for it, both (size, size, 3)."""
    base = random_colour(design, 0.45, 0.75, 0.2 if design.random() < 0.3 else 0.04)
    grain = 0.05 * perlin_noise((size, size), 2, instance) + 0.05 * perlin_noise((size, size), 40, instance)
    return shade(base, grain), backdrop(design, instance, size, base)
