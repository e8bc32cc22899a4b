"""Products: repeatable, recognisable from photo to photo, and found against their background."""

import subprocess
import sys

import numpy as np
import pytest

from data_gen.noise import branching_polyline, fbm, perlin_noise, polygon_mask, random_blob
from data_gen.procedural import FAMILIES, Product, foreground, random_product, two_tones

TEXTURES = ("brushed metal", "cast metal", "woven cloth", "leather", "wood", "concrete", "wire mesh", "dark uniform")
PARTS = ("label", "pill", "bottle cap", "washer", "hex nut", "gear", "screw", "moulded part", "glass rim")


@pytest.mark.parametrize("family", FAMILIES)
def test_same_seed_same_bytes(family: str) -> None:
    product = Product(family, 3)
    first, again = (product.photo(np.random.default_rng(5), 96) for _ in range(2))
    other = product.photo(np.random.default_rng(6), 96)
    assert first.shape == (96, 96, 3) and first.dtype == np.uint8
    assert first.tobytes() == again.tobytes()
    assert first.tobytes() != other.tobytes()


def fingerprint(photo: np.ndarray) -> np.ndarray:
    """Colour statistics and a coarse picture: what two photos of a product share whatever their grain."""
    coarse = photo.reshape(4, 24, 4, 24, 3).mean((1, 3)).ravel()
    return np.concatenate([coarse, photo.std((0, 1)) * 4])


def test_photos_of_a_product_resemble_each_other() -> None:
    products = [Product(family, seed) for family in FAMILIES for seed in (1, 2)]
    shots = [[fingerprint(p.photo(np.random.default_rng(s), 96)) for p in products] for s in (10, 11)]
    distance = np.abs(np.array(shots[0])[:, None] - np.array(shots[1])[None]).mean(2)
    assert (distance.argmin(1) == np.arange(len(products))).mean() > 0.8


@pytest.mark.parametrize("family", TEXTURES)
def test_a_texture_is_all_foreground(family: str) -> None:
    assert all(foreground(Product(family, seed).photo(np.random.default_rng(seed))).all() for seed in range(3))


@pytest.mark.parametrize("family", PARTS)
def test_a_part_is_found_on_its_background(family: str) -> None:
    for seed in range(3):
        part = foreground(Product(family, seed).photo(np.random.default_rng(seed)))
        corners = [part[0, 0], part[0, -1], part[-1, 0], part[-1, -1]]
        assert 0.02 < part.mean() < 0.93 and not any(corners)


def test_foreground_sees_through_a_lighting_slope() -> None:
    slope = np.linspace(190, 250, 200)[None, :, None] * np.ones((200, 1, 3))
    slope[60:140, 60:140] = 80
    part = foreground(slope.astype(np.uint8))
    assert part[100, 100] and not part[10].any() and abs(part.mean() - 0.16) < 0.03


def test_two_tones_are_seen_in_artwork_only() -> None:
    tones = two_tones(Product("circuit artwork", 0).photo(np.random.default_rng(0)))
    assert tones is not None and tones[0].max() < 40 and tones[1].min() > 200
    assert two_tones(Product("concrete", 0).photo(np.random.default_rng(0))) is None


def test_noise_has_unit_scale_and_its_shape() -> None:
    rng = np.random.default_rng(0)
    shape = (200, 300)
    for field in (perlin_noise(shape, 6, rng), fbm(shape, 12, rng), perlin_noise(shape, (2, 9), rng)):
        assert field.shape == (200, 300) and field.dtype == np.float32
        assert abs(field.mean()) < 0.2 and 0.7 < field.std() < 1.3


def test_a_blob_has_the_area_asked_for() -> None:
    areas = [random_blob((256, 256), (128, 128), 30, np.random.default_rng(s), 0.3).sum() for s in range(20)]
    assert 0.8 < np.mean(areas) / (np.pi * 30**2) < 1.2


def test_a_polygon_mask_covers_its_inside_with_soft_edges() -> None:
    mask = polygon_mask((60, 90), np.array([(10.0, 10.0), (80.0, 20.0), (30.0, 50.0)]))
    assert mask.shape == (60, 90) and mask.dtype == np.float32
    assert mask[25, 35] == 1 and mask[5, 5] == 0 and ((mask > 0) & (mask < 1)).any()
    assert abs(mask.sum() / 1300 - 1) < 0.1  # half the cross product of two sides


def test_a_branching_line_runs_through_its_start() -> None:
    lines = branching_polyline((50, 80), 60, np.random.default_rng(0), branches=2)
    assert len(lines) == 3
    assert np.abs(lines[0] - np.array([80, 50])).sum(1).min() < 1e-6


def test_random_product_names_a_family() -> None:
    rng = np.random.default_rng(0)
    assert {random_product(rng).family for _ in range(50)} <= set(FAMILIES)


def test_data_gen_leaves_torch_unloaded() -> None:
    code = (
        "import sys, data_gen.procedural, data_gen.variation, data_gen.synthesizers as s\n"
        "[s.load_synthesizer(name) for name in s.SYNTHESIZERS]\n"
        "assert 'torch' not in sys.modules and 'transformers' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
