"""Quality: low for what good photos show as well, low for what no photo shows, high between."""

import cv2
import numpy as np
import pytest

from data_gen.procedural import Product
from data_gen.product_statistics import ProductStatistics
from data_gen.quality import quality
from data_gen.synthesizers import NothingVisible, Sample, load_synthesizer, synthesize


def product(family: str) -> tuple[list[np.ndarray], ProductStatistics]:
    images = [Product(family, 3).photo(np.random.default_rng(n), 128) for n in range(10)]
    return images, ProductStatistics.from_normals(images)


def blended(before: np.ndarray, share: float, colour: tuple[int, int, int]) -> Sample:
    """A soft line of `colour` painted over the photo with a weight."""
    line = np.zeros(before.shape[:2], np.uint8)
    cv2.line(line, (40, 50), (90, 70), 255, 3)
    weight = cv2.GaussianBlur(line, (0, 0), 1).astype(np.float32)[..., None] / 255 * share
    after = (before + weight * (np.array(colour, np.float32) - before)).astype(np.uint8)
    return Sample(after, (("scratch", line > 0),), ("scratch",))


@pytest.mark.parametrize("family", ("leather", "brushed metal", "woven cloth"))
def test_a_clear_defect_is_worth_more_than_a_faint_one(family: str) -> None:
    images, statistics = product(family)
    faint = quality(images[0], blended(images[0], 0.015, (255, 255, 255)), statistics)
    clear = quality(images[0], blended(images[0], 0.7, (20, 20, 20)), statistics)
    assert 0 <= faint < 0.45 < 0.6 < clear <= 1


def test_another_piece_of_the_same_texture_is_worth_less_than_a_defect() -> None:
    images, statistics = product("leather")
    mask = np.zeros(images[0].shape[:2], bool)
    mask[40:70, 40:70] = True

    def mean(patch: list[np.ndarray]) -> float:
        values = []
        for before, other in zip(images, patch, strict=True):
            after = np.where(mask[..., None], other, before)
            values.append(quality(before, Sample(after, (("misplaced part", mask),), ("cut paste",)), statistics))
        return float(np.mean(values))

    darker = [(image * 0.6).astype(np.uint8) for image in images]
    assert mean([*images[1:], images[0]]) < 0.65 < 0.8 < mean(darker)


def test_what_is_unlike_any_photo_is_worth_little() -> None:
    flat = [
        np.clip(np.random.default_rng(n).normal(128, 1.5, (128, 128, 1)), 0, 255).astype(np.uint8).repeat(3, 2)
        for n in range(6)
    ]
    statistics = ProductStatistics.from_normals(flat)
    after = flat[0].copy()
    after[30:90, 30:90] = np.random.default_rng(0).integers(0, 256, (60, 60, 3), dtype=np.uint8)  # television snow
    mask = np.zeros((128, 128), bool)
    mask[30:90, 30:90] = True
    assert quality(flat[0], Sample(after, (("stain", mask),), ("stain",)), statistics) < 0.2
    assert quality(flat[0], blended(flat[0], 0.1, (40, 40, 40)), statistics) > 0.6


def test_the_least_useful_defect_decides() -> None:
    images, statistics = product("brushed metal")
    clear, faint = (blended(images[0], share, (20, 20, 20)) for share in (0.7, 0.0))
    moved = np.roll(faint.defects[0][1], 50, 0)
    both = Sample(clear.image, (clear.defects[0], ("stain", moved)), ("scratch", "stain"))
    assert quality(images[0], both, statistics) < 1e-6 < quality(images[0], clear, statistics)


def test_difficulty_lowers_quality() -> None:
    images, statistics = product("brushed metal")

    def mean(difficulty: float) -> float:
        made = (synthesize(images[n], np.random.default_rng(n), difficulty=difficulty) for n in range(10))
        return float(np.mean([quality(images[n], sample, statistics) for n, sample in enumerate(made)]))

    assert mean(1.0) < mean(0.3)


def test_any_size_of_photo_and_mask_is_scored() -> None:
    rng = np.random.default_rng(0)
    for shape in ((40, 300, 3), (600, 500, 3)):
        images = [rng.integers(90, 120, shape, dtype=np.uint8) for _ in range(2)]
        statistics = ProductStatistics.from_normals(images)
        try:
            defect = load_synthesizer("hole")(images[0], rng)
        except NothingVisible:
            continue
        value = quality(images[0], Sample(defect.image, ((defect.kind, defect.mask),), ("hole",)), statistics)
        assert 0 <= value <= 1
