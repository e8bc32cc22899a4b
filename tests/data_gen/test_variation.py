"""Harmless variation: repeatable, same shape, and small."""

import cv2
import numpy as np
import pytest

from data_gen.procedural import FAMILIES, Product
from data_gen.variation import BIGGEST_MEAN_CHANGE, vary


@pytest.mark.parametrize("family", FAMILIES)
def test_vary_is_repeatable_and_bounded(family: str) -> None:
    image = Product(family, 2).photo(np.random.default_rng(2), 128)
    for seed in range(3):
        varied, again = (vary(image, np.random.default_rng(seed)) for _ in range(2))
        assert varied.shape == image.shape and varied.dtype == np.uint8
        assert varied.tobytes() == again.tobytes() and varied.tobytes() != image.tobytes()
        # through a blur: a fine mesh moved by half a pitch is the same mesh
        difference = cv2.GaussianBlur(varied.astype(np.float32) - image, (0, 0), 128 / 16)
        assert np.abs(difference).mean() < BIGGEST_MEAN_CHANGE


def test_strength_scales_the_change() -> None:
    image = Product("moulded part", 2).photo(np.random.default_rng(2), 128)

    def change(strength: float) -> float:
        photos = [vary(image, np.random.default_rng(seed), strength) for seed in range(10)]
        return float(np.mean([np.abs(photo.astype(float) - image).mean() for photo in photos]))

    assert change(0) == 0 < change(0.5) < change(2)


def test_shape_need_not_be_square() -> None:
    image = np.random.default_rng(0).integers(0, 255, (90, 141, 3), dtype=np.uint8)
    assert vary(image, np.random.default_rng(0)).shape == (90, 141, 3)
