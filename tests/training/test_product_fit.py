"""A product learnt from good photos: where the line lies, what is remembered, and that it tells good from broken."""

import numpy as np
import pytest
import torch

from assistant import Assistant
from data_gen.procedural import random_product
from training.own_photos import OwnPhotos, Shot
from training.product_fit import (
    REMEMBERED,
    Judged,
    broken_photos,
    cross_validated,
    fit,
    fit_line,
    fit_product,
    spread_out,
)  # fmt: skip


def probability(line: np.ndarray, rows: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-(rows @ line[:-1] + line[-1])))


def test_the_line_lies_half_way_between_the_classes():
    rng = np.random.default_rng(0)
    fine, broken = rng.normal(0, 1, (200, 3)), rng.normal(3, 1, (200, 3))
    line = fit_line(fine, broken, np.empty((0, 3)))
    middle = (fine.mean(axis=0) + broken.mean(axis=0)) / 2
    assert probability(line, middle[None])[0] == pytest.approx(0.5, abs=1e-6)
    assert (probability(line, fine) < 0.5).mean() > 0.98 and (probability(line, broken) > 0.5).mean() > 0.98


def test_probabilities_are_as_sure_as_the_classes_are_apart():
    rng = np.random.default_rng(1)
    near, far = (fit_line(rng.normal(0, 1, (300, 1)), rng.normal(d, 1, (300, 1)), np.empty((0, 1))) for d in (1, 4))
    assert 0.5 < probability(near, np.array([[1.0]]))[0] < 0.75  # the true odds are e ** 0.5
    assert probability(far, np.array([[4.0]]))[0] > 0.99


def test_a_few_real_defects_weigh_as_much_as_all_synthetic_ones():
    fine = np.random.default_rng(2).normal(0, 1, (100, 1))
    made, real = np.full((90, 1), 2.0), np.full((3, 1), 6.0)
    line = fit_line(fine, made, real)
    assert -line[1] / line[0] == pytest.approx((4 + fine.mean()) / 2, abs=0.01)  # half way to the mean of 2 and 6


def test_the_photos_kept_are_unlike_one_another():
    looks = torch.nn.functional.normalize(torch.tensor([[1.0, 0.0], [1.0, 0.01], [0.0, 1.0], [0.7, 0.7]]), dim=1)
    assert set(spread_out(looks, 3)) >= {2} and len(set(spread_out(looks, 3))) == 3
    assert sorted(spread_out(looks, 9)) == [0, 1, 2, 3]


def test_cross_validation_leaves_out_all_that_was_made_of_a_photo():
    rng = np.random.default_rng(3)
    image = np.zeros((8, 8, 3), np.uint8)

    def judged(source: int, defective: bool, level: float) -> Judged:
        return Judged(image, defective, not defective, source, np.full(3, level) + rng.normal(0, 0.1, 3))

    usual = [judged(i, defective, 3.0 * defective) for i in range(6) for defective in (False, True)]
    odd = [judged(6, False, 3.0), judged(6, True, 6.0)]  # a good photo that looks like the defects of the others
    chances = cross_validated([*usual, *odd])
    assert (chances[:12] > 0.5).tolist() == [each.defective for each in usual]
    assert chances[12] > 0.9 and chances[12] == pytest.approx(probability(fit(usual), odd[0].evidence[None])[0])


@pytest.fixture(scope="module")
def photos() -> OwnPhotos:
    rng = np.random.default_rng(4)
    product = random_product(rng)
    good = tuple(Shot(None, product.photo(rng, 128)) for _ in range(6))  # type: ignore[arg-type]
    return OwnPhotos("gasket", "good-only", good[:4], (), good[4:], ())


def test_broken_photos_differ_from_their_source_where_the_mask_says(photos):
    made = list(broken_photos(photos.good, 6, np.random.default_rng(0)))
    assert len(made) >= 3
    for each in made:
        changed = (each.sample.image != photos.good[each.source].image).any(axis=2)
        assert each.mask.any() and not (changed & ~each.mask).any()


def test_a_product_is_fitted_the_same_way_twice_and_tells_broken_from_good(photos, monkeypatch):
    monkeypatch.setattr("training.product_fit.BROKEN", 12)
    assistant = Assistant.from_pretrained("tiny", language=False)
    (product, judged), (again, _) = (fit_product(assistant, photos, np.random.default_rng(0)) for _ in range(2))
    assert product.calibration == again.calibration
    assert len(product.normals) == len(photos.good) <= REMEMBERED
    assert {(each.defective, each.real) for each in judged} == {(False, True), (True, False)}
    assistant.product = product
    fine = [assistant.inspect(shot.image).probability for shot in photos.held_good]
    made = broken_photos(photos.held_good, 8, np.random.default_rng(1))
    bad = [assistant.inspect(each.sample.image).probability for each in made]
    assert np.mean(bad) > np.mean(fine) + 0.1
