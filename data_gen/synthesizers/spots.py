"""Defects that are spots: stain, hole, contamination."""

from __future__ import annotations

import cv2
import numpy as np

from data_gen.noise import branching_polyline, fbm, random_blob
from data_gen.shading import lay
from data_gen.synthesizers.lines import stroke
from data_gen.synthesizers.painter import Canvas, Painter, shifted


def _stain(canvas: Canvas) -> np.ndarray:
    """A tinted, see-through blot with a dried rim and a few splashes; the texture stays visible under it."""
    rng, place, radius = canvas.rng, canvas.spot(), canvas.radius
    blot = random_blob(canvas.shape, place, radius, rng, rng.uniform(0.15, 0.6))
    for _ in range(int(rng.integers(0, 5))):
        aside = (place[0] + rng.normal(0, 1.6 * radius), place[1] + rng.normal(0, 1.6 * radius))
        blot = np.maximum(blot, random_blob(canvas.shape, aside, radius * rng.uniform(0.08, 0.25) + 1, rng))
    soft = cv2.GaussianBlur(blot, (0, 0), max(radius * rng.uniform(0.03, 0.3), 0.6))
    rim = np.clip(soft * (1 - soft) * 4, 0, 1) * rng.uniform(0, 0.7)
    patchy = np.clip(0.75 + 0.25 * fbm(canvas.shape, max(radius, 3), rng, 3), 0.2, 1.3)
    tint = np.clip(rng.normal(1, 0.25, 3), 0.4, 1.6).astype(np.float32)
    delta = canvas.delta(place, darker=0.85)
    strength = (soft * patchy + rim) * canvas.foreground
    return canvas.image + delta * strength[..., None] * tint


def _hole(canvas: Canvas) -> np.ndarray:
    """A dark pit with a shaded wall on one side and a lit rim on the other; a pinhole on artwork."""
    rng, place = canvas.rng, canvas.spot()
    radius = canvas.radius
    pit = random_blob(canvas.shape, place, radius, rng, rng.uniform(0, 0.3)) * canvas.foreground
    if canvas.tones is not None:
        return lay(canvas.image, (pit > 0.5).astype(np.float32), canvas.ink(place))
    around = canvas.around(place, 2 * radius).reshape(-1, 3).mean(0)
    depth = np.clip((canvas.contrast + 30) / max(float(around.mean()), 1), 0.3, 0.95)
    # a hole in an already dark part shows what lies behind it, which is lighter
    inside = around * (1 - depth) if around.mean() > 45 else around + canvas.contrast + 20
    reach = max(radius * 0.25, 1.0)
    angle = rng.uniform(0, 2 * np.pi)
    move = np.array([[1, 0, reach * np.cos(angle)], [0, 1, reach * np.sin(angle)]], np.float32)
    moved = cv2.warpAffine(pit, move, canvas.shape[::-1])
    wall = cv2.GaussianBlur(pit * (1 - moved), (0, 0), 0.7)
    lit = cv2.GaussianBlur(moved * (1 - pit), (0, 0), 0.7) * canvas.foreground
    grain = 1 + 0.06 * fbm(canvas.shape, max(radius, 3), rng, 3)
    out = lay(canvas.image, pit, inside * grain[..., None])
    return out + (canvas.contrast * (0.5 * lit - 0.25 * wall))[..., None]


def _fibre(canvas: Canvas) -> tuple[np.ndarray, tuple[float, float]]:
    """A curly hair: coverage (H, W) and a place (y, x) on it."""
    place = canvas.spot()
    line = branching_polyline(place, canvas.length, canvas.rng, canvas.rng.uniform(0.1, 0.3), 0)[0]
    window = np.ones(5) / 5
    curve = np.stack([np.convolve(np.pad(axis, 2, mode="edge"), window, "valid") for axis in line.T], 1)
    return stroke(canvas.shape, curve, canvas.rng.uniform(0.7, 1.8), 0.2), place


def _grains(canvas: Canvas) -> tuple[np.ndarray, tuple[float, float]]:
    """Three to thirty dust grains around a place: coverage (H, W) and the place (y, x)."""
    rng, place = canvas.rng, canvas.spot()
    count = int(rng.integers(3, 30))
    radius, spread = canvas.radius / np.sqrt(count), canvas.radius * rng.uniform(1.2, 3)
    dust = np.zeros((canvas.shape[0], canvas.shape[1]), np.uint8)
    for _ in range(count):
        centre = (np.array(place[::-1]) + rng.normal(0, spread / 2, 2)) * 16
        size = np.maximum(radius * np.exp(rng.normal(0, 0.4, 2)), 0.7) * 16
        axes, angle = tuple(size.astype(int).tolist()), float(rng.uniform(0, 180))
        cv2.ellipse(dust, tuple(centre.astype(int).tolist()), axes, angle, 0, 360, 255, -1, cv2.LINE_AA, 4)
    return dust.astype(np.float32) / 255, place


def _contamination(canvas: Canvas) -> np.ndarray:
    """Foreign matter lying on the part: a fibre, dust grains or one particle, opaque, with a small shadow."""
    rng, draw = canvas.rng, canvas.rng.random()
    if canvas.tones is not None or draw < 0.3:
        place = canvas.spot()
        cover = random_blob(canvas.shape, place, canvas.radius, rng, rng.uniform(0.1, 0.6))
    else:
        cover, place = _fibre(canvas) if draw < 0.6 else _grains(canvas)
    cover = cover * canvas.foreground
    if canvas.tones is not None:
        return lay(canvas.image, (cover > 0.5).astype(np.float32), canvas.ink(place))
    local = canvas.around(place, max(2 * canvas.radius, 6)).reshape(-1, 3).mean(0)
    hue = np.clip(rng.normal(0, 0.35, 3), -0.8, 0.8).astype(np.float32)
    matter = local + canvas.delta(place, darker=0.5) * (1.2 + hue)
    body = 1 + 0.12 * fbm(canvas.shape, max(canvas.radius / 2, 2), rng, 3)
    shadow = cv2.GaussianBlur(shifted(cover, 2, 1), (0, 0), 1.2) * 0.3 * canvas.foreground
    shaded = canvas.image * (1 - shadow)[..., None]
    return lay(shaded, cover * rng.uniform(0.75, 1), np.clip(matter * body[..., None], 0, 255))


stain = Painter("stain", _stain, artwork=False)
hole = Painter("hole", _hole, sizes=(0.0005, 0.04), contrasts=(25, 140))
contamination = Painter("contamination", _contamination, sizes=(0.0005, 0.05), contrasts=(16, 140))
