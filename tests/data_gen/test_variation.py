"""Harmless variation: repeatable, same shape, small, and nothing that looks like a defect."""

import cv2
import numpy as np
import pytest

from data_gen.procedural import FAMILIES, Product
from data_gen.variation import BIGGEST_MEAN_CHANGE, CHANCES, MOVES, VARIATIONS, vary


def photo(family: str, size: int = 128) -> np.ndarray:
    return Product(family, 2).photo(np.random.default_rng(2), size)


def seen(difference: np.ndarray) -> np.ndarray:
    """A change (H, W, 3) through a blur: a fine mesh moved by half a pitch is the same mesh."""
    return cv2.GaussianBlur(difference.astype(np.float32), (0, 0), difference.shape[0] / 16)


@pytest.mark.parametrize("family", FAMILIES)
def test_vary_is_repeatable_and_bounded(family: str) -> None:
    image = photo(family)
    for seed in range(3):
        varied, again = (vary(image, np.random.default_rng(seed)) for _ in range(2))
        assert varied.shape == image.shape and varied.dtype == np.uint8
        assert varied.tobytes() == again.tobytes() and varied.tobytes() != image.tobytes()
        assert np.abs(seen(varied.astype(np.float32) - image)).mean() < BIGGEST_MEAN_CHANGE


@pytest.mark.parametrize("name", VARIATIONS)
def test_each_variation_can_be_drawn_alone(name: str) -> None:
    image = photo("moulded part")
    before = image.copy()
    for seed in range(5):
        varied, again = (vary(image, np.random.default_rng(seed), only=(name,)) for _ in range(2))
        assert varied.shape == image.shape and varied.dtype == np.uint8
        assert varied.tobytes() == again.tobytes() and varied.tobytes() != image.tobytes()
    assert (image == before).all()


@pytest.mark.parametrize("name", sorted(set(VARIATIONS) - set(MOVES)))
def test_light_and_camera_leave_no_spot(name: str) -> None:
    """What they change on an even photo is either smooth over a quarter of it or grain all over: no defect's size."""
    even = np.full((128, 128, 3), 120, np.uint8)
    for seed in range(8):
        change = vary(even, np.random.default_rng(seed), only=(name,)).astype(np.float32) - even
        wide = cv2.GaussianBlur(change, (0, 0), 10, borderType=cv2.BORDER_REPLICATE)
        spot = cv2.GaussianBlur(change, (0, 0), 2, borderType=cv2.BORDER_REPLICATE) - wide
        assert np.abs(spot).max() < 4  # grey levels; an eye needs 5 on an even surface


def test_strength_scales_the_change() -> None:
    image = photo("moulded part")

    def change(strength: float) -> float:
        photos = [vary(image, np.random.default_rng(seed), strength) for seed in range(10)]
        return float(np.mean([np.abs(photo.astype(float) - image).mean() for photo in photos]))

    assert change(0) == 0 < change(0.5) < change(2)


def test_shape_need_not_be_square() -> None:
    image = np.random.default_rng(0).integers(0, 255, (90, 141, 3), dtype=np.uint8)
    for name in VARIATIONS:
        assert vary(image, np.random.default_rng(0), only=(name,)).shape == (90, 141, 3)


def test_a_shift_moves_and_keeps_the_pixels() -> None:
    image = photo("gear")
    moved = vary(image, np.random.default_rng(1), 3.0, only=("shift",)).astype(np.float32)
    (down, right) = max(
        ((y, x) for y in range(-16, 17) for x in range(-16, 17)),
        key=lambda step: -float(np.abs(np.roll(image, step, (0, 1))[20:-20, 20:-20] - moved[20:-20, 20:-20]).mean()),
    )
    assert (down, right) != (0, 0)


def test_rarer_variations_act_now_and_then() -> None:
    assert set(CHANCES) <= set(VARIATIONS) and all(0 < chance < 1 for chance in CHANCES.values())


def test_an_unknown_variation_is_refused() -> None:
    with pytest.raises(ValueError, match="vignetting"):
        vary(photo("gear"), np.random.default_rng(0), only=("vignet",))
