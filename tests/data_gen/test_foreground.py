"""Where the part is, from one photo and from many, and what the good photos of a product have in common."""

import cv2
import numpy as np
import pytest

from assistant import UserError
from assistant.foreground import foreground
from data_gen.patches import GRID, patch_features
from data_gen.procedural import Product
from data_gen.product_statistics import POOL, ProductStatistics, noise_of


def photos(family: str, count: int, seed: int = 3, size: int = 128) -> list[np.ndarray]:
    return [Product(family, seed).photo(np.random.default_rng(n), size) for n in range(count)]


def scene(rng: np.random.Generator, at: tuple[int, int], size: int = 160) -> tuple[np.ndarray, np.ndarray]:
    """A dark disc with a light stripe on a light ground, and its mask."""
    y, x = np.indices((size, size))
    disc = (y - at[0]) ** 2 + (x - at[1]) ** 2 < (0.28 * size) ** 2
    picture = np.where(disc, np.where(np.abs(y - at[0]) < 6, 170.0, 70.0), 210.0) + rng.normal(0, 2, disc.shape)
    return np.repeat(np.clip(picture, 0, 255).astype(np.uint8)[..., None], 3, 2), disc


def overlap(first: np.ndarray, second: np.ndarray) -> float:
    return float((first & second).sum() / (first | second).sum())


def test_an_aligned_product_is_recognised_and_its_part_agreed_on() -> None:
    rng = np.random.default_rng(0)
    shots = [scene(rng, (80 + int(rng.integers(-2, 3)), 80)) for _ in range(12)]
    statistics = ProductStatistics.from_normals(image for image, _ in shots)
    assert statistics.aligned and statistics.count == 12
    assert 0.2 < statistics.foreground.mean() < 0.3
    assert all(overlap(statistics.where(image), disc) > 0.9 for image, disc in shots)
    empty = np.full((100, 140, 3), 210, np.uint8)  # where the photo itself shows no part, the others' is used
    usual = statistics.where(empty)
    assert usual.shape == (100, 140) and 0.2 < usual.mean() < 0.3


def test_a_product_that_lies_anywhere_is_found_photo_by_photo() -> None:
    rng = np.random.default_rng(0)
    shots = [scene(rng, (int(rng.integers(50, 110)), int(rng.integers(50, 110)))) for _ in range(12)]
    statistics = ProductStatistics.from_normals([image for image, _ in shots])
    assert not statistics.aligned and statistics.foreground.all()
    assert all(overlap(statistics.where(image), disc) > 0.85 for image, disc in shots)


def test_a_texture_is_part_all_over() -> None:
    images = photos("woven cloth", 6)
    statistics = ProductStatistics.from_normals(images)
    assert statistics.where(images[0]).all() and foreground(images[0]).all()
    assert statistics.texture > 3


def test_noise_is_measured() -> None:
    rng = np.random.default_rng(0)
    ramp = np.linspace(60, 180, 200)[None] * np.ones((200, 1))
    for sigma in (2.0, 6.0):
        noisy = (ramp + rng.normal(0, sigma, ramp.shape)).clip(0, 255).astype(np.uint8)
        assert abs(noise_of(noisy) / sigma - 1) < 0.2


def test_memory_does_not_grow_with_the_photos() -> None:
    few = photos("leather", 4, size=64)
    statistics = ProductStatistics.from_normals(few[i % 4] for i in range(60))
    assert statistics.count == 60 and len(statistics.patches) <= POOL


def test_same_photos_same_statistics() -> None:
    first, again = (ProductStatistics.from_normals(photos("gear", 5)) for _ in range(2))
    assert first.patches.tobytes() == again.patches.tobytes() and first.usual == again.usual


@pytest.mark.parametrize("family", ("woven cloth", "gear", "concrete"))
@pytest.mark.parametrize("count", (1, 8))
def test_a_strange_spot_is_far_from_good_patches(family: str, count: int) -> None:
    *images, fresh = photos(family, count + 1)
    statistics = ProductStatistics.from_normals(images)
    spoilt = fresh.copy()
    cv2.circle(spoilt, (64, 60), 7, (200, 40, 160), -1)
    good, bad = (statistics.distances(patch_features(image)) for image in (fresh, spoilt))
    assert good.shape == (GRID, GRID)
    assert bad[13:17, 14:18].max() > 2 * good.max()


def test_no_photos_is_the_users_error() -> None:
    with pytest.raises(UserError, match="no good photos"):
        ProductStatistics.from_normals([])
