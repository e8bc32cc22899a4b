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
    Role,
    broken_photos,
    cross_validated,
    fit,
    fit_product,
    spread_out,
)

MIX = np.array([0.2, 3.0, 0.1])
NOTHING = np.zeros((8, 8, 3), np.uint8)


def probability(line: np.ndarray, rows: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-(rows @ line[:-1] + line[-1])))


def photo_of(role: Role, level: float, source: int = 0) -> Judged:
    return Judged(NOTHING, role, source, np.full(3, level))


def test_the_line_lies_half_way_between_good_photos_and_what_is_drawn_on_them():
    judged = [photo_of("good", 0.0), photo_of("good", 1.0), photo_of("drawn", 4.0), photo_of("drawn", 5.0)]
    line = fit(judged, MIX)
    at, beyond = (np.full((1, 3), 0.5 + share * 4.0) for share in (0.5, 1.0))
    assert probability(line, at)[0] == pytest.approx(0.5) and probability(line, beyond)[0] > 0.95
    assert np.allclose(line[:-1] / line[0], MIX / MIX[0]), "what counts as evidence stays as it was learnt"
    others = [photo_of("varied", 9.0), photo_of("broken", 9.0)]
    assert np.array_equal(fit(judged + others, MIX), line), "these test it"


def test_a_few_real_defects_weigh_as_much_as_all_drawn_ones():
    judged = [photo_of("good", 0.0)] * 9 + [photo_of("drawn", 2.0)] * 90 + [photo_of("bad", 6.0)] * 3
    assert probability(fit(judged, MIX), np.full((1, 3), 2.0))[0] == pytest.approx(0.5)  # half way to the mean of 2, 6


def test_the_photos_kept_are_unlike_one_another():
    looks = torch.nn.functional.normalize(torch.tensor([[1.0, 0.0], [1.0, 0.01], [0.0, 1.0], [0.7, 0.7]]), dim=1)
    assert set(spread_out(looks, 3)) >= {2} and len(set(spread_out(looks, 3))) == 3
    assert sorted(spread_out(looks, 9)) == [0, 1, 2, 3]


def test_cross_validation_leaves_out_all_that_was_made_of_a_photo():
    usual = [photo_of(role, level, i) for i in range(6) for role, level in (("good", 0.0), ("drawn", 3.0))]
    # A good photo that looks like the defects of the others.
    odd = [photo_of("good", 3.0, 6), photo_of("drawn", 6.0, 6)]
    chances = cross_validated([*usual, *odd], MIX)
    assert (chances[:12] > 0.5).tolist() == [each.defective for each in usual]
    assert chances[12] > 0.9 and chances[12] == pytest.approx(probability(fit(usual, MIX), odd[0].evidence[None])[0])


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
    assert {each.role for each in judged} == {"good", "varied", "drawn", "broken"}
    assistant.product = product
    fine = [assistant.inspect(shot.image).probability for shot in photos.held_good]
    made = broken_photos(photos.held_good, 8, np.random.default_rng(1))
    bad = [assistant.inspect(each.sample.image).probability for each in made]
    assert np.mean(bad) > np.mean(fine) + 0.1
