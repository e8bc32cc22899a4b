"""Products: repeatable, recognisable from photo to photo, and found against their background."""

import subprocess
import sys

import numpy as np
import pytest
from scipy.ndimage import maximum_filter, minimum_filter

from assistant.foreground import foreground, two_tones
from data_gen.noise import branching_polyline, fbm, perlin_noise, polygon_mask, random_blob
from data_gen.procedural import FAMILIES, Product, random_product

TEXTURES = (
    "brushed metal", "cast metal", "painted sheet", "wood", "concrete", "wire mesh", "solar cell", "woven cloth",
    "knitted cloth", "carpet", "leather", "ribbon cable", "circuit board",
)  # fmt: skip
PARTS = (
    "cable", "transistor", "label", "printed box", "pill", "tablets", "blister pack", "washer", "hex nut", "gear",
    "screw", "bottle cap", "moulded part", "toothbrush", "bottle mouth", "biscuit", "chocolate", "bread", "hazelnut",
    "almond",
)  # fmt: skip


@pytest.mark.parametrize("family", FAMILIES)
def test_same_seed_same_bytes(family: str) -> None:
    product = Product(family, 3)
    first, again = (product.photo(np.random.default_rng(5), 96) for _ in range(2))
    other = product.photo(np.random.default_rng(6), 96)
    assert first.shape == (96, 96, 3) and first.dtype == np.uint8
    assert first.tobytes() == again.tobytes()
    assert first.tobytes() != other.tobytes()


def blurred(photo: np.ndarray) -> np.ndarray:
    """What is left of a photo (S, S, 3) without its grain: 16 x 16 means, float."""
    step = photo.shape[0] // 16
    return photo.reshape(16, step, 16, step, 3).astype(float).mean((1, 3))


def fingerprint(photo: np.ndarray) -> np.ndarray:
    """Colour statistics and a coarse picture: what two photos of a product share whatever their grain."""
    coarse = photo.reshape(4, 24, 4, 24, 3).mean((1, 3)).ravel()
    return np.concatenate([coarse, photo.std((0, 1)) * 4])


def test_photos_of_a_product_resemble_each_other() -> None:
    products = [Product(family, seed) for family in FAMILIES for seed in (1, 2)]
    shots = [[fingerprint(p.photo(np.random.default_rng(s), 96)) for p in products] for s in (10, 11)]
    distance = np.abs(np.array(shots[0])[:, None] - np.array(shots[1])[None]).mean(2)
    assert (distance.argmin(1) == np.arange(len(products))).mean() > 0.8


def test_products_of_a_family_differ_more_than_pieces_of_a_product() -> None:
    ahead = 0
    for family in FAMILIES:
        designs = [
            [fingerprint(Product(family, d).photo(np.random.default_rng(s), 96)) for s in (1, 2)] for d in range(4)
        ]
        within = np.mean([np.abs(first - second).mean() for first, second in designs])
        between = np.mean([np.abs(designs[i][0] - designs[i - 1][1]).mean() for i in range(4)])
        ahead += between > 1.3 * within
    assert ahead >= len(FAMILIES) - 1


@pytest.mark.parametrize("family", FAMILIES)
def test_a_product_looks_the_same_at_every_size(family: str) -> None:
    product = Product(family, 4)
    small, middle, large = (product.photo(np.random.default_rng(8), size) for size in (64, 256, 512))
    assert [photo.shape for photo in (small, middle, large)] == [(s, s, 3) for s in (64, 256, 512)]
    assert np.abs(blurred(middle) - blurred(large)).mean() < 6  # grey levels of 255
    assert np.abs(blurred(small) - blurred(large)).mean() < 16  # threads and traces under a pixel
    assert middle.std() > 3


def oddness(photo: np.ndarray, others: list[np.ndarray]) -> float:
    """Grey levels by which a photo, seen coarsely, leaves the range of the `others` around the same place."""
    coarse, around = blurred(photo), np.stack([blurred(other) for other in others])
    lowest, highest = minimum_filter(around, (1, 3, 3, 1)), maximum_filter(around, (1, 3, 3, 1))
    return float(np.maximum(lowest.min(0) - coarse, coarse - highest.max(0)).max())


@pytest.mark.parametrize("family", FAMILIES)
def test_a_good_piece_has_no_odd_spot(family: str) -> None:
    photos = [Product(family, 5).photo(np.random.default_rng(s)) for s in range(7)]
    assert oddness(photos[0], photos[1:]) < 40
    spoilt = photos[0].copy()
    spoilt[112:144, 112:144] = (255, 0, 255)  # a colour no product has
    assert oddness(spoilt, photos[1:]) > 40


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
