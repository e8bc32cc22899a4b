"""Procedural normal photos: noise fields, irregular masks, and products one can photograph again and again.

A *product* is a family and a seed: colours, layout and texture scale come from the product seed alone. A
*photo* of it draws everything that differs between two good pieces (light, pose, grain, noise) from its
own generator. The families themselves are one list, at the end; it is long because it is a catalogue.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

Rng = np.random.Generator
Family = Callable[
    [Rng, Rng, int], np.ndarray
]  # (design, instance, size) -> (size, size, 3) float32 in [0, 1]
TAU = 2 * np.pi


# ---- noise fields and irregular masks -----------------------------------------------------------------


def perlin_noise(shape: tuple[int, int], scale: float | tuple[float, float], rng: Rng) -> np.ndarray:
    """Smooth lattice noise (H, W) float32, mean about 0, std about 1, features of about `scale` pixels.

    `scale` may be (down, across) for stretched grain. A random lattice is upsampled bicubically, which looks
    like Perlin's gradient noise at a hundredth of its price.
    """
    down, across = (scale, scale) if isinstance(scale, (int, float)) else scale
    rows, columns = int(shape[0] / max(down, 1)) + 3, int(shape[1] / max(across, 1)) + 3
    lattice = rng.standard_normal((rows, columns), dtype=np.float32)
    height, width = int(rows * max(down, 1)) + 1, int(columns * max(across, 1)) + 1
    field = cv2.resize(lattice, (width, height), interpolation=cv2.INTER_CUBIC)
    top, left = int(rng.integers(height - shape[0] + 1)), int(rng.integers(width - shape[1] + 1))
    return field[top : top + shape[0], left : left + shape[1]] * np.float32(1.3)


def fbm(shape: tuple[int, int], scale: float, rng: Rng, octaves: int = 4, gain: float = 0.55) -> np.ndarray:
    """Fractal sum of `perlin_noise`, (H, W) float32, mean about 0, std about 1; `scale` is the coarsest."""
    total, power = np.zeros(shape, np.float32), 0.0
    for octave in range(octaves):
        total += perlin_noise(shape, max(scale / 2**octave, 1.0), rng) * np.float32(gain**octave)
        power += gain ** (2 * octave)
    return total / np.float32(np.sqrt(power))


def random_blob(
    shape: tuple[int, int], centre: tuple[float, float], radius: float, rng: Rng, rough: float = 0.3
) -> np.ndarray:
    """Irregular closed mask (H, W) float32 in [0, 1] with soft one-pixel edges around `centre` (y, x).

    The outline is an ellipse whose radius is a few random harmonics; `rough` is their amplitude (0 = ellipse,
    0.6 = splash). Its area is about pi * radius**2.
    """
    angles = np.linspace(0, TAU, 96, endpoint=False)
    outline = np.ones_like(angles)
    for harmonic in range(2, 9):
        amplitude = rough * rng.normal() / harmonic**0.9
        outline += amplitude * np.cos(harmonic * angles + rng.uniform(0, TAU))
    outline = np.maximum(outline, 0.2)
    outline /= np.sqrt(np.mean(outline**2))
    stretch, turn = np.exp(rng.normal(0, 0.25)), rng.uniform(0, TAU)
    x, y = radius * outline * np.cos(angles) * stretch, radius * outline * np.sin(angles) / stretch
    points = np.stack(
        [centre[1] + x * np.cos(turn) - y * np.sin(turn), centre[0] + x * np.sin(turn) + y * np.cos(turn)]
    )
    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [np.round(points.T * 16).astype(np.int32)], 255, cv2.LINE_AA, shift=4)
    return mask.astype(np.float32) / 255


def branching_polyline(
    start: tuple[float, float], length: float, rng: Rng, wander: float = 0.35, branches: int = 2
) -> list[np.ndarray]:
    """A wandering line through `start` (y, x) with side branches: (n, 2) arrays of (x, y) pixels.

    `wander` is the turn per step in radians; a branch leaves at 25 to 70 degrees and is shorter.
    """
    step = float(np.clip(length / 24, 1.5, 6.0))

    def walk(origin: np.ndarray, heading: float, reach: float) -> np.ndarray:
        count = max(int(reach / step), 2)
        headings = heading + np.cumsum(rng.normal(0, wander, count)) * 0.6 + rng.normal(0, wander, count)
        moves = step * np.stack([np.cos(headings), np.sin(headings)], 1)
        return np.concatenate([origin[None], origin + np.cumsum(moves, 0)])

    heading = rng.uniform(0, TAU)
    trunk = walk(np.zeros(2), heading, length)
    trunk += np.array([start[1], start[0]]) - trunk[len(trunk) // 2]
    lines = [trunk]
    for _ in range(branches):
        turn = rng.choice([-1, 1]) * rng.uniform(0.45, 1.2)
        origin = trunk[int(rng.integers(len(trunk) // 5, len(trunk)))]
        lines.append(walk(origin, heading + turn, length * rng.uniform(0.15, 0.5)))
    return lines


def relief(height: np.ndarray, light: float) -> np.ndarray:
    """Shading (H, W) float32, about 0 on flat ground, of a height field lit from angle `light` (radians)."""
    slope_x, slope_y = cv2.Sobel(height, cv2.CV_32F, 1, 0), cv2.Sobel(height, cv2.CV_32F, 0, 1)
    return (slope_x * np.float32(np.cos(light)) + slope_y * np.float32(np.sin(light))) / np.float32(8)


# ---- what a photo shows -------------------------------------------------------------------------------


def two_tones(image: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """The (dark, light) colours, (3,) uint8 each, of artwork with only two grey values; None for a photo."""
    step = max(min(image.shape[:2]) // 100, 1)  # a hundred rows are enough to tell
    sample = image[::step, ::step].reshape(-1, 3).astype(np.float32)
    grey = sample.mean(1)
    bright = grey > (float(grey.min()) + float(grey.max())) / 2
    if float(grey.max() - grey.min()) < 120 or not bright.any():
        return None
    dark, light = np.median(sample[~bright], 0), np.median(sample[bright], 0)
    if dark.mean() > 60 or light.mean() < 195 or max(float(np.ptp(dark)), float(np.ptp(light))) > 25:
        return None  # artwork is black and white; a grey washer on black cloth is not
    off = np.abs(sample - np.where(bright[:, None], light, dark)).max(1)
    flat = all(np.median(off[tone]) <= 6 and (off[tone] < 24).mean() > 0.7 for tone in (bright, ~bright))
    # thin traces have up to 30 % soft edge pixels of their own tone, dense artwork 12 % of all
    return (dark.astype(np.uint8), light.astype(np.uint8)) if flat and (off < 24).mean() > 0.88 else None


def foreground(image: np.ndarray) -> np.ndarray:
    """The part against a plain background, (H, W) bool; all True for a texture or a busy background.

    The background is what the frame shows when the frame is uniform; the part is what differs from it. Small
    windows of background inside the part count as part, a bore (over 0.8 % of the image) does not.
    """
    height, width = image.shape[:2]
    everything = np.ones((height, width), bool)
    if two_tones(image) is not None:
        return everything
    small = cv2.resize(image, (128, 128), interpolation=cv2.INTER_AREA)
    lab = cv2.GaussianBlur(cv2.cvtColor(small, cv2.COLOR_RGB2LAB), (0, 0), 1).astype(np.float32)
    frame = np.ones((128, 128), bool)
    frame[5:-5, 5:-5] = False
    rows, columns = np.indices((128, 128), np.float32) / 64 - 1
    plane = np.stack([np.ones_like(rows), rows, columns], 2)  # light falls off across a plain background
    distance = np.abs(lab - plane @ np.linalg.lstsq(plane[frame], lab[frame], rcond=None)[0]).max(2)
    spread = float(np.median(distance[frame]))
    part = (distance > max(4 * spread, 11)).astype(np.uint8)
    part = cv2.morphologyEx(part, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (7, 7)))
    part = _without_specks(_without_specks(part, 0.015), 0.008, inverse=True)
    if spread > 8 or not 0.02 < part.mean() < 0.93 or part[frame].mean() > 0.35:
        return everything
    # clouds on a texture differ little; what crosses the frame (traces of a board) must differ more
    if float(np.mean(distance[part > 0])) < max(6 * spread, 18 + 100 * min(float(part[frame].mean()), 0.25)):
        return everything
    return cv2.resize(part, (width, height), interpolation=cv2.INTER_LINEAR) > 0


def _without_specks(mask: np.ndarray, share: float, inverse: bool = False) -> np.ndarray:
    """A uint8 mask without regions (with `inverse`: without gaps) smaller than `share` of the image."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(1 - mask if inverse else mask)
    keep = stats[:, cv2.CC_STAT_AREA] >= share * mask.size
    keep[0] = False
    kept = keep[labels].astype(np.uint8)
    return 1 - kept if inverse else kept


@dataclass(frozen=True)
class Product:
    """One design of one family; its photos differ as photos of good pieces of one product do."""

    family: str
    seed: int

    def photo(self, rng: Rng, size: int = 256) -> np.ndarray:
        """One good piece, (size, size, 3) uint8; same product and same generator state, same bytes."""
        design = np.random.default_rng([self.seed, zlib.crc32(self.family.encode())])
        return _photograph(FAMILIES[self.family](design, rng, size), rng)


def random_product(rng: Rng) -> Product:
    """A product of a family drawn evenly from `FAMILIES`."""
    return Product(str(rng.choice(sorted(FAMILIES))), int(rng.integers(2**31)))


def _photograph(scene: np.ndarray, rng: Rng) -> np.ndarray:
    """Light, white balance, focus and sensor noise over a rendered scene (H, W, 3) in [0, 1] -> uint8."""
    size = scene.shape[0]
    ramp = np.linspace(-1, 1, size, dtype=np.float32)
    angle, slope = rng.uniform(0, TAU), rng.uniform(0, 0.06)
    light = 1 + slope * (np.cos(angle) * ramp[None] + np.sin(angle) * ramp[:, None]) + rng.normal(0, 0.03)
    tint = (1 + rng.normal(0, 0.01, 3)).astype(np.float32)
    picture = scene * light.astype(np.float32)[..., None] * tint
    if rng.random() < 0.5:
        picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.3, 0.8))
    grain = rng.standard_normal((size, size, 1), dtype=np.float32)
    picture = picture + grain * np.float32(rng.uniform(0.004, 0.015))
    return (np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8)


# ---- shared by the families ---------------------------------------------------------------------------


def _colour(design: Rng, low: float, high: float, saturation: float = 0.1) -> np.ndarray:
    """A random colour (3,) float32 with brightness in [low, high]; `saturation` in [0, 1]."""
    hue = design.random() * 6
    wheel = np.clip(np.abs((hue + np.array([0.0, 4.0, 2.0])) % 6 - 3) - 1, 0, 1)
    return (design.uniform(low, high) * (1 - saturation * (1 - wheel))).astype(np.float32)


def _pose(instance: Rng, size: int, shift: float = 0.04, turn: float = 0.06) -> tuple[np.ndarray, np.ndarray]:
    """Part coordinates (u right, v down) of each pixel, (size, size) float32, [-1, 1] unmoved."""
    ramp = (np.arange(size, dtype=np.float32) - (size - 1) / 2) * 2 / size
    du, dv = instance.normal(0, shift / 2, 2)
    angle, zoom = instance.normal(0, turn / 2), 1 + instance.normal(0, 0.01)
    x, y = (
        (ramp[None] - np.float32(du)) * np.float32(zoom),
        (ramp[:, None] - np.float32(dv)) * np.float32(zoom),
    )
    cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    return cos * x + sin * y, cos * y - sin * x


def _solid(distance: np.ndarray) -> np.ndarray:
    """Coverage in [0, 1] of the inside of a signed distance (H, W), in half images; soft by a pixel."""
    return np.clip(0.5 - distance * np.float32(distance.shape[0] / 2), 0, 1)


def _box(u: np.ndarray, v: np.ndarray, half_width: float, half_height: float, corner: float) -> np.ndarray:
    """Signed distance to a rounded rectangle around the origin."""
    x, y = np.abs(u) - np.float32(half_width - corner), np.abs(v) - np.float32(half_height - corner)
    outside = np.hypot(np.maximum(x, 0), np.maximum(y, 0))
    return outside + np.minimum(np.maximum(x, y), 0) - np.float32(corner)


def _paint(scene: np.ndarray, coverage: np.ndarray, colour: np.ndarray) -> np.ndarray:
    """`colour`, (3,) or (H, W, 3), over `scene` where `coverage` (H, W) is 1."""
    return scene + coverage[..., None] * (colour - scene)


def _backdrop(design: Rng, instance: Rng, size: int, avoid: np.ndarray) -> np.ndarray:
    """A plain background (size, size, 3), nearly even: black, grey, white or coloured paper.

    It keeps 0.25 in brightness away from `avoid`, the part's colour: one picks a background that shows it.
    """
    kind, level = design.random(), float(np.mean(avoid))
    colour = (
        _colour(design, 0.03, 0.12)
        if kind < 0.4
        else _colour(design, 0.35, 0.95, 0.25 if kind > 0.8 else 0.04)
    )
    if abs(float(colour.mean()) - level) < 0.25:
        colour = colour * np.float32((level - 0.3 if level > 0.45 else level + 0.35) / float(colour.mean()))
    grain = perlin_noise((size, size), size / 3, instance) * np.float32(0.008)
    return np.clip(colour + grain[..., None], 0, 1)


def _place(scene: np.ndarray, distance: np.ndarray, part: np.ndarray, light: float, size: int) -> np.ndarray:
    """The part (H, W, 3) on its backdrop with a soft contact shadow away from `light`."""
    coverage = _solid(distance)
    dx, dy = -np.cos(light) * 0.02 * size, -np.sin(light) * 0.02 * size
    move = np.array([[1, 0, dx], [0, 1, dy]], np.float32)
    shadow = cv2.GaussianBlur(cv2.warpAffine(coverage, move, (size, size)), (0, 0), 0.02 * size)
    return _paint(scene * (1 - 0.45 * shadow[..., None]), coverage, part)


def _shade(base: np.ndarray, shading: np.ndarray, depth: float = 1.0) -> np.ndarray:
    """Colour (3,) or (H, W, 3) times 1 + depth * shading (H, W)."""
    return np.clip(base * (1 + np.float32(depth) * shading)[..., None], 0, 1)


def _dome(distance: np.ndarray, bevel: float, light: float, size: int) -> np.ndarray:
    """Shading (H, W) of a part whose edge is rounded over `bevel` (half images), from its signed distance."""
    depth = np.clip(-distance / np.float32(bevel), 0, 1)
    return relief(np.sqrt(depth * (2 - depth)) * np.float32(bevel * size / 2), light)


def _cells(design: Rng, size: int, pitch: float) -> tuple[np.ndarray, np.ndarray]:
    """Voronoi cells: distance (size, size) to the nearest seed in units of `pitch`, and int labels from 1."""
    count = int(size / pitch) + 3
    grid = np.stack(np.meshgrid(np.arange(count), np.arange(count)), -1).reshape(-1, 2)
    seeds = ((grid - 1 + design.random(grid.shape)) * pitch).astype(int)
    seeds = seeds[((seeds >= 0) & (seeds < size)).all(1)]
    canvas = np.full((size, size), 255, np.uint8)
    canvas[seeds[:, 1], seeds[:, 0]] = 0
    distance, labels = cv2.distanceTransformWithLabels(canvas, cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL)
    return distance / np.float32(pitch), labels


# ---- surfaces -----------------------------------------------------------------------------------------


def brushed_metal(design: Rng, instance: Rng, size: int) -> np.ndarray:
    base, across, depth = (
        _colour(design, 0.3, 0.75, 0.06),
        design.uniform(30, 160),
        design.uniform(0.04, 0.14),
    )
    vertical, sheen = design.random() < 0.5, design.uniform(0.05, 0.25)
    streaks = perlin_noise((size, size), (1.2, across), instance) + 0.7 * perlin_noise(
        (size, size), (4, 3 * across), instance
    )
    v = np.linspace(-1, 1, size, dtype=np.float32)[:, None] + np.float32(instance.normal(0, 0.1))
    shading = np.float32(depth) * streaks + np.float32(sheen) * (np.exp(-3 * v * v) - 0.5)
    return _shade(base, shading.T if vertical else shading)


def cast_metal(design: Rng, instance: Rng, size: int) -> np.ndarray:
    base, scale, depth = _colour(design, 0.25, 0.6, 0.08), design.uniform(6, 20), design.uniform(0.25, 0.8)
    light, cloud = design.uniform(0, TAU), design.uniform(0.02, 0.08)
    height = fbm((size, size), scale, instance, 4, 0.7)
    tone = perlin_noise((size, size), size / 4, instance) * np.float32(cloud)
    return _shade(base, relief(height, light) * np.float32(depth) + tone)


def woven_cloth(design: Rng, instance: Rng, size: int) -> np.ndarray:
    warp, weft = _colour(design, 0.3, 0.9, 0.5), _colour(design, 0.3, 0.9, 0.4)
    threads, over = size / design.uniform(5, 14), int(design.integers(1, 4))
    u, v = _pose(instance, size, 0.1, 0.08)
    bend = perlin_noise((size, size), size / 6, instance) * np.float32(0.12)
    x, y = (u + 2) * np.float32(threads / 2) + bend, (v + 2) * np.float32(threads / 2) + bend
    column, row = np.floor(x).astype(int), np.floor(y).astype(int)
    top = ((column + over * row) % (over + 1)) == 0 if over > 1 else ((column + row) % 2) == 0
    tones = instance.normal(1, 0.05, (2, 4 * int(threads) + 8)).astype(np.float32)
    round_x, round_y = np.sin(np.pi * (x - column)), np.sin(np.pi * (y - row))
    shade_up = tones[0][column % tones.shape[1]] * (0.45 + 0.55 * np.sqrt(np.maximum(round_x, 0)))
    shade_across = tones[1][row % tones.shape[1]] * (0.45 + 0.55 * np.sqrt(np.maximum(round_y, 0)))
    cloth = np.where(top[..., None], warp * shade_up[..., None], weft * shade_across[..., None])
    return np.clip(cloth * (1 + 0.05 * perlin_noise((size, size), 1.5, instance))[..., None], 0, 1).astype(
        np.float32
    )


def leather(design: Rng, instance: Rng, size: int) -> np.ndarray:
    base, pitch, depth = _colour(design, 0.2, 0.65, 0.6), design.uniform(7, 18), design.uniform(0.15, 0.4)
    light = design.uniform(0, TAU)
    distance, _ = _cells(instance, size, pitch)
    height = cv2.GaussianBlur(-distance, (0, 0), 1.0) * np.float32(pitch / 3) + fbm(
        (size, size), pitch / 2, instance, 2
    )
    tone = perlin_noise((size, size), size / 5, instance) * np.float32(0.04)
    return _shade(base, relief(height, light) * np.float32(depth) - np.float32(0.25) * distance + 0.1 + tone)


def wood(design: Rng, instance: Rng, size: int) -> np.ndarray:
    light, dark = np.array([0.78, 0.6, 0.4], np.float32), np.array([0.5, 0.32, 0.18], np.float32)
    tone, rings = np.float32(design.uniform(0.6, 1.15)), design.uniform(5, 16)
    wave, vertical = design.uniform(0.1, 0.5), design.random() < 0.5
    v = np.linspace(0, 1, size, dtype=np.float32)[:, None] + np.float32(instance.random())
    bend = perlin_noise((size, size), (size / 3, size * 1.2), instance) * np.float32(wave / 3)
    phase = (v + bend) * np.float32(rings)
    grain = (phase % 1) ** 2 * 0.7 + 0.3 * (np.sin(phase * 2.7) * 0.5 + 0.5)
    fibre = perlin_noise((size, size), (1.2, 40), instance) * np.float32(0.06)
    plank = _shade(tone * (light + grain[..., None] * (dark - light)), fibre)
    return np.ascontiguousarray(plank.transpose(1, 0, 2)) if vertical else plank


def tile(design: Rng, instance: Rng, size: int) -> np.ndarray:
    base, spots = _colour(design, 0.45, 0.85, 0.25), [_colour(design, 0.1, 0.9, 0.3) for _ in range(2)]
    scale, level, pitch = design.uniform(3, 8), design.uniform(0.9, 1.6), design.uniform(0.5, 1.1)
    grouted, grout = design.random() < 0.5, _colour(design, 0.2, 0.8, 0.05)
    scene = np.broadcast_to(base, (size, size, 3)).astype(np.float32)
    for spot in spots:
        scene = _paint(scene, np.clip((fbm((size, size), scale, instance, 2) - level) * 4, 0, 1), spot)
    if grouted:
        u, v = _pose(instance, size, 0.03, 0.02)
        gap = np.minimum(np.abs((u + 0.3) % pitch - pitch / 2), np.abs((v + 0.3) % pitch - pitch / 2))
        scene = _paint(_shade(scene, 0.1 * _solid(gap - 0.03)), _solid(gap - np.float32(0.018)), grout)
    return scene


def concrete(design: Rng, instance: Rng, size: int) -> np.ndarray:
    base, scale, contrast = (
        _colour(design, 0.4, 0.75, 0.08),
        design.uniform(30, 90),
        design.uniform(0.03, 0.08),
    )
    pores = design.uniform(2.3, 3.2)
    tone = fbm((size, size), scale, instance, 5, 0.6) * np.float32(contrast)
    pits = np.clip((perlin_noise((size, size), design.uniform(3, 5), instance) - pores) * 2, 0, 1)
    return _shade(base, tone - 0.5 * pits)


def wire_mesh(design: Rng, instance: Rng, size: int) -> np.ndarray:
    wire, gap, pitch = (
        _colour(design, 0.45, 0.8, 0.15),
        _colour(design, 0.03, 0.2),
        design.uniform(0.09, 0.22),
    )
    thick, tilt = design.uniform(0.18, 0.34), design.choice([0.0, np.pi / 4])
    u, v = _pose(instance, size)
    x, y = u * np.cos(tilt) + v * np.sin(tilt), v * np.cos(tilt) - u * np.sin(tilt)
    across, down = np.abs((x / pitch) % 1 - 0.5), np.abs((y / pitch) % 1 - 0.5)
    scene = np.broadcast_to(gap, (size, size, 3)).astype(np.float32)
    for distance in (across, down):
        profile = np.sqrt(np.clip(1 - (distance / thick) ** 2, 0, 1)).astype(np.float32)
        scene = _paint(scene, _solid((distance - thick) * pitch), _shade(wire, profile * 0.7 - 0.5))
    return scene


def dark_uniform(design: Rng, instance: Rng, size: int) -> np.ndarray:
    base, grain, scale = _colour(design, 0.06, 0.25, 0.15), design.uniform(0.01, 0.08), design.uniform(1.2, 4)
    glow, where = design.uniform(0.0, 0.4), design.uniform(-1, 1)
    u, v = _pose(instance, size, 0.1)
    sheen = np.float32(glow) * np.exp(-4 * (u * np.float32(where) + v) ** 2)
    return _shade(base, perlin_noise((size, size), scale, instance) * np.float32(grain) + sheen)


def solar_cell(design: Rng, instance: Rng, size: int) -> np.ndarray:
    base, bars, pitch = (
        _colour(design, 0.18, 0.4, 0.1),
        int(design.integers(2, 6)),
        design.uniform(0.03, 0.06),
    )
    base, grains = base * np.array([0.6, 0.75, 1.25], np.float32), design.random() < 0.6
    u, v = _pose(instance, size, 0.015, 0.01)
    scene = np.broadcast_to(base, (size, size, 3)).astype(np.float32)
    if grains:
        _, labels = _cells(instance, size, size / 12)
        scene = _shade(scene, instance.normal(0, 0.14, labels.max() + 1).astype(np.float32)[labels])
    fingers = np.abs((v / pitch) % 1 - 0.5) * pitch
    scene = _paint(scene, 0.35 * _solid(fingers - np.float32(0.002)), np.array([0.7, 0.7, 0.72], np.float32))
    busbar = np.abs(((u + 1) * bars / 2) % 1 - 0.5) * np.float32(2 / bars)
    scene = _paint(scene, _solid(busbar - np.float32(0.02)), np.array([0.75, 0.75, 0.76], np.float32))
    edge = _box(u, v, 0.97, 0.97, 0.08)
    return _paint(np.full_like(scene, 0.9), _solid(edge), scene)


# ---- circuits and prints: layouts drawn once per product, then posed --------------------------------------


def _posed(layout: np.ndarray, instance: Rng, shift: float = 0.02, turn: float = 0.015) -> np.ndarray:
    """A drawn layout moved a little as a whole; the border repeats."""
    size = layout.shape[0]
    move = cv2.getRotationMatrix2D((size / 2, size / 2), float(np.degrees(instance.normal(0, turn))), 1.0)
    move[:, 2] += instance.normal(0, shift * size / 2, 2)
    return cv2.warpAffine(layout, move, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _traces(design: Rng, size: int, count: int, pads: int) -> tuple[np.ndarray, np.ndarray]:
    """(copper, holes), (size, size) uint8 in {0..255}: traces with 45 degree bends, round and square pads."""
    copper, holes, cell = np.zeros((size, size), np.uint8), np.zeros((size, size), np.uint8), size / 16
    for _ in range(count):
        point, width = design.integers(0, 17, 2), int(cell * design.choice([0.18, 0.3, 0.5])) + 1
        for _ in range(int(design.integers(2, 5))):
            step = np.array([(1, 0), (0, 1), (1, 1), (1, -1)][int(design.integers(4))]) * int(
                design.integers(-7, 8)
            )
            start, end = point * cell, (point + step) * cell
            cv2.line(copper, tuple(map(int, start)), tuple(map(int, end)), 255, width, cv2.LINE_AA)
            point = point + step
    for _ in range(pads):
        centre, radius = (
            tuple((design.integers(0, 17, 2) * cell).astype(int).tolist()),
            int(cell * design.uniform(0.4, 0.8)),
        )
        cv2.circle(copper, centre, radius, 255, -1, cv2.LINE_AA)
        cv2.circle(holes, centre, max(radius // 2, 1), 255, -1, cv2.LINE_AA)
    return copper, holes


def circuit_artwork(design: Rng, instance: Rng, size: int) -> np.ndarray:
    copper, holes = _traces(design, size, int(design.integers(5, 14)), int(design.integers(2, 9)))
    layout = np.minimum(copper, 255 - holes)
    drawn = _posed(layout if design.random() < 0.5 else 255 - layout, instance).astype(np.float32) / 255
    return np.repeat(np.clip((drawn - 0.5) * 6 + 0.5, 0, 1)[..., None], 3, 2)


def circuit_board(design: Rng, instance: Rng, size: int) -> np.ndarray:
    mask = np.array(
        [[0.05, 0.32, 0.15], [0.05, 0.15, 0.35], [0.35, 0.06, 0.06], [0.07, 0.08, 0.08]], np.float32
    )
    base = mask[int(design.integers(4))] * np.float32(design.uniform(0.8, 1.3))
    metal = np.array([[0.8, 0.68, 0.35], [0.75, 0.76, 0.78]], np.float32)[int(design.integers(2))]
    copper, holes = _traces(design, size, int(design.integers(8, 20)), int(design.integers(6, 20)))
    chips = np.zeros((size, size, 2), np.uint8)  # body, legs
    for _ in range(int(design.integers(1, 4))):
        corner, extent = (
            design.integers(size // 10, size * 7 // 10, 2),
            design.integers(size // 10, size // 4, 2),
        )
        for leg in range(int(extent[0] // 7) + 1):
            x, y = int(corner[0] + leg * 7), int(corner[1] - 5)
            chips[max(y, 0) : y + int(extent[1]) + 10, x : x + 3, 1] = 255
        chips[corner[1] : corner[1] + extent[1], corner[0] : corner[0] + extent[0], 0] = 255
    pads = cv2.dilate(holes, np.ones((5, 5), np.uint8))
    move = np.random.default_rng(int(instance.integers(2**31)))
    state = move.bit_generator.state
    layers = []
    for layer in (copper, pads, holes, chips[..., 1], chips[..., 0]):
        move.bit_generator.state = state  # all layers move together
        layers.append(_posed(layer, move).astype(np.float32) / 255)
    scene = _shade(base, 0.06 * perlin_noise((size, size), 2, instance))
    bore, body = np.full(3, 0.04, np.float32), np.full(3, 0.09, np.float32)
    for coverage, colour in zip(layers, (base * 1.5 + 0.03, metal, bore, metal, body), strict=True):
        scene = _paint(scene, coverage, colour)
    return scene


def label(design: Rng, instance: Rng, size: int) -> np.ndarray:
    paper, ink = _colour(design, 0.8, 0.97, 0.15), _colour(design, 0.05, 0.4, 0.7)
    layout = np.zeros((size, size), np.uint8)
    y = int(size * 0.24)
    while y < size * 0.62:
        text = "".join(design.choice(list("ABCDEHKLMNPRSTUVXZ0123456789-. "), int(design.integers(5, 14))))
        scale = design.uniform(0.35, 0.9) * size / 256
        cv2.putText(
            layout,
            text,
            (int(size * 0.2), y),
            cv2.FONT_HERSHEY_SIMPLEX,
            scale,
            255,
            1 + int(scale > 0.6),
            cv2.LINE_AA,
        )
        y += int(size * (0.03 + scale * 0.13))
    x = int(size * 0.2)
    while x < size * 0.78:  # a barcode
        bar = int(design.integers(1, 5))
        layout[int(size * 0.66) : int(size * 0.8), x : x + bar] = 255
        x += bar + int(design.integers(1, 5))
    layout[:, int(size * 0.82) :] = 0
    backdrop, light = _backdrop(design, instance, size, paper), design.uniform(0, TAU)
    u, v = _pose(instance, size)
    at_x, at_y = (u + 1) * np.float32(size / 2), (v + 1) * np.float32(size / 2)
    print_ = cv2.remap(layout, at_x, at_y, cv2.INTER_LINEAR).astype(np.float32) / 255
    sheet = _paint(_shade(paper, 0.015 * perlin_noise((size, size), 3, instance)), print_, ink)
    return _place(backdrop, _box(u, v, 0.72, 0.7, 0.06), sheet, light, size)


# ---- parts on a plain background --------------------------------------------------------------------------


def pill(design: Rng, instance: Rng, size: int) -> np.ndarray:
    base, second = _colour(design, 0.6, 0.97, 0.5), _colour(design, 0.5, 0.95, 0.7)
    long, light, capsule = design.uniform(0.3, 0.7), design.uniform(0, TAU), design.random() < 0.4
    speckle, scored, round_ = design.uniform(0, 0.25), design.random() < 0.6, design.random() < 0.4
    scene, (u, v) = _backdrop(design, instance, size, base), _pose(instance, size, 0.05, 0.2)
    short = long if round_ else design.uniform(0.22, 0.4)
    distance = _box(u, v, max(long, short), short, short)
    dots = np.clip(perlin_noise((size, size), 2.5, instance) - 2, 0, 1) * np.float32(speckle * 2)
    body = np.broadcast_to(base, (size, size, 3)).astype(np.float32)
    if capsule:
        body = _paint(body, _solid(u - np.float32(0.05)), second)
    shading = 0.35 * _dome(distance, short * 0.9, light, size) - dots
    if scored:
        shading = shading + 0.5 * relief(-4 * np.exp(-((u / np.float32(0.025)) ** 2)), light)
    return _place(scene, distance, _shade(body, shading), light, size)


def bottle_cap(design: Rng, instance: Rng, size: int) -> np.ndarray:
    base, logo, teeth = (
        _colour(design, 0.3, 0.9, 0.8),
        _colour(design, 0.2, 0.95, 0.5),
        int(design.integers(18, 30)),
    )
    light, rim, sides = design.uniform(0, TAU), design.uniform(0.5, 0.6), int(design.integers(3, 7))
    scene, (u, v) = _backdrop(design, instance, size, base), _pose(instance, size, 0.05, 0.3)
    radius, angle = np.hypot(u, v), np.arctan2(v, u)
    distance = radius - np.float32(0.72) - np.float32(0.025) * np.cos(angle * teeth)
    height = _solid((radius - np.float32(rim)) * 0.3) * 14 + 2 * np.cos(angle * teeth) * (radius > rim)
    star = radius - np.float32(0.28) * (1 + np.float32(0.3) * np.cos(sides * angle))
    ring = np.abs(radius - np.float32(rim - 0.07)) - np.float32(0.015)
    body = _paint(
        np.broadcast_to(base, (size, size, 3)).astype(np.float32), _solid(np.minimum(star, ring)), logo
    )
    shading = 0.3 * relief(cv2.GaussianBlur(height.astype(np.float32), (0, 0), 1.5), light)
    return _place(scene, distance, _shade(body, shading), light, size)


def _metal(design: Rng, instance: Rng, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Bare or plated metal with a faint grain, and a backdrop for it, both (size, size, 3)."""
    base = _colour(design, 0.45, 0.75, 0.2 if design.random() < 0.3 else 0.04)
    grain = 0.05 * perlin_noise((size, size), 2, instance) + 0.05 * perlin_noise((size, size), 40, instance)
    return _shade(base, grain), _backdrop(design, instance, size, base)


def washer(design: Rng, instance: Rng, size: int) -> np.ndarray:
    outer, light = design.uniform(0.5, 0.8), design.uniform(0, TAU)
    inner, bevel = outer * design.uniform(0.3, 0.65), design.uniform(0.02, 0.06)
    (metal, scene), (u, v) = _metal(design, instance, size), _pose(instance, size)
    radius = np.hypot(u, v)
    distance = np.maximum(radius - np.float32(outer), np.float32(inner) - radius)
    return _place(scene, distance, _shade(metal, 0.5 * _dome(distance, bevel, light, size)), light, size)


def hex_nut(design: Rng, instance: Rng, size: int) -> np.ndarray:
    outer, light, sides = (
        design.uniform(0.5, 0.75),
        design.uniform(0, TAU),
        int(design.choice([4, 6, 6, 6, 8])),
    )
    inner = outer * design.uniform(0.4, 0.6)
    (metal, scene), (u, v) = _metal(design, instance, size), _pose(instance, size, 0.05, 0.2)
    radius, angle = np.hypot(u, v), np.arctan2(v, u)
    folded = (angle + np.pi / sides) % (TAU / sides) - np.pi / sides
    flat = radius * np.cos(folded) - np.float32(outer)
    distance = np.maximum(flat, np.float32(inner) - radius)
    thread = np.sin((radius - inner) * np.float32(120)) * (radius < inner * 1.18)
    shading = (
        0.5 * _dome(np.maximum(flat, radius - np.float32(outer * 1.06)), 0.1, light, size) + 0.25 * thread
    )
    return _place(scene, distance, _shade(metal, shading), light, size)


def gear(design: Rng, instance: Rng, size: int) -> np.ndarray:
    teeth, outer, light = int(design.integers(10, 28)), design.uniform(0.55, 0.72), design.uniform(0, TAU)
    bore, holes, web = design.uniform(0.1, 0.2), int(design.integers(0, 7)), design.uniform(0.5, 0.7)
    (metal, scene), (u, v) = _metal(design, instance, size), _pose(instance, size, 0.04, 0.2)
    radius, angle = np.hypot(u, v), np.arctan2(v, u)
    profile = np.clip(np.cos(angle * teeth) * 3, -1, 1) * np.float32(0.06)
    distance = np.maximum(radius - np.float32(outer) - profile, np.float32(bore) - radius)
    if holes:
        folded = (angle + np.pi / holes) % (TAU / holes) - np.pi / holes
        x, y = radius * np.cos(folded) - np.float32(outer * 0.6), radius * np.sin(folded)
        distance = np.maximum(distance, np.float32(0.08) - np.hypot(x, y))
    step = _solid((radius - np.float32(web * outer / 0.6 * 0.75)) * 0.4) * 6
    return _place(
        scene,
        distance,
        _shade(metal, 0.4 * _dome(distance, 0.04, light, size) + 0.3 * relief(step, light)),
        light,
        size,
    )


def screw(design: Rng, instance: Rng, size: int) -> np.ndarray:
    shank, head, length = design.uniform(0.08, 0.15), design.uniform(0.2, 0.32), design.uniform(0.6, 0.8)
    pitch, light, taper = design.uniform(0.06, 0.1), design.uniform(0, TAU), design.uniform(0.1, 0.3)
    (metal, scene), (u, v) = _metal(design, instance, size), _pose(instance, size, 0.06, 0.3)
    ridge = np.abs(((u + v * 0.25) / np.float32(pitch)) % 1 - 0.5) * np.float32(0.06)
    width = np.minimum(np.float32(shank), (np.float32(length) - u) * np.float32(shank / taper)) - ridge
    body = np.maximum(np.abs(v) - width, np.maximum(-np.float32(length) - u, u - np.float32(length)))
    cap = _box(u + np.float32(length), v, 0.09, head, 0.06)
    across = np.sqrt(np.clip(1 - (v / np.float32(head)) ** 2, 0, 1)) * np.float32(head * size / 2)
    shading = 0.35 * relief(across.astype(np.float32), light) + 0.6 * relief(
        -ridge * np.float32(size / 2), light
    ) * (u > 0.1 - length)
    return _place(scene, np.minimum(body, cap), _shade(metal, shading), light, size)


def moulded_part(design: Rng, instance: Rng, size: int) -> np.ndarray:
    base, light = _colour(design, 0.15, 0.9, 0.7), design.uniform(0, TAU)
    half, corner, ribs = design.uniform(0.45, 0.78, 2), design.uniform(0.04, 0.3), int(design.integers(0, 5))
    bolt, inset = design.uniform(0.04, 0.09), design.uniform(0.14, 0.2)
    scene, (u, v) = _backdrop(design, instance, size, base), _pose(instance, size)
    outline = _box(u, v, half[0], half[1], corner)
    bolts = np.hypot(
        np.abs(u) - np.float32(half[0] - inset), np.abs(v) - np.float32(half[1] - inset)
    ) - np.float32(bolt)
    tray = _box(u, v, half[0] - 2 * inset, half[1] - 2 * inset + 0.1, 0.05)
    height = -_solid(tray * 0.3) * 8
    for rib in range(ribs):
        centre = (rib + 1) / (ribs + 1) * 2 - 1
        height = height + 6 * _solid(
            np.maximum(np.abs(u - np.float32(centre * (half[0] - 2 * inset))) - 0.02, tray)
        )
    grain = 0.02 * perlin_noise((size, size), 1.5, instance)
    shading = 0.35 * _dome(outline, 0.06, light, size) + 0.25 * relief(height, light) + grain
    return _place(scene, np.maximum(outline, -bolts), _shade(base, shading), light, size)


def glass_rim(design: Rng, instance: Rng, size: int) -> np.ndarray:
    base, rim = _colour(design, 0.45, 0.8, 0.05), _colour(design, 0.1, 0.3, 0.05)
    outer, width, inner = design.uniform(0.7, 0.92), design.uniform(0.03, 0.1), design.uniform(0.2, 0.5)
    scene, (u, v) = _backdrop(design, instance, size, base), _pose(instance, size)
    radius, cloud = np.hypot(u, v), perlin_noise((size, size), size / 3, instance) * np.float32(0.03)
    pane = _shade(base, cloud - 0.12 * (radius / np.float32(outer)) ** 3)
    pane = _paint(pane, 0.5 * _solid((np.abs(radius - np.float32(inner)) - np.float32(0.01)) * 0.4), rim)
    pane = _paint(
        pane, _solid((np.abs(radius - np.float32(outer - width)) - np.float32(width / 2)) * 0.4), rim
    )
    scene = _paint(scene, _solid((radius - np.float32(outer)) * 0.5), pane)
    return cv2.GaussianBlur(scene, (0, 0), size / 200)


FAMILIES: dict[str, Family] = {
    "brushed metal": brushed_metal,
    "cast metal": cast_metal,
    "woven cloth": woven_cloth,
    "leather": leather,
    "wood": wood,
    "tile": tile,
    "concrete": concrete,
    "wire mesh": wire_mesh,
    "dark uniform": dark_uniform,
    "solar cell": solar_cell,
    "circuit artwork": circuit_artwork,
    "circuit board": circuit_board,
    "label": label,
    "pill": pill,
    "bottle cap": bottle_cap,
    "washer": washer,
    "hex nut": hex_nut,
    "gear": gear,
    "screw": screw,
    "moulded part": moulded_part,
    "glass rim": glass_rim,
}
