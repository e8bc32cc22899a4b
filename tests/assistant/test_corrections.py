"""Corrections: what is accepted stops firing, what is a known defect fires, undo brings all back, nothing is hidden."""

import numpy as np
import pytest
import torch

from assistant import Assistant
from assistant.corrections import Corrections, Mark, mask_of
from assistant.detectors.marks import Marks, kind_index, marked_patches
from assistant.encoder import PatchFeatures
from assistant.inspection import KINDS, Region
from assistant.recheck import recheck
from data_gen.procedural import random_product

SIDE = 256


@pytest.fixture(scope="module")
def assistant() -> Assistant:
    return Assistant.from_pretrained("tiny", language=False)


@pytest.fixture(scope="module")
def photos() -> list[np.ndarray]:
    rng = np.random.default_rng(3)
    product = random_product(rng)
    return [product.photo(rng, SIDE) for _ in range(4)]


def spotted(photo: np.ndarray, row: int, column: int, color: tuple[int, int, int]) -> np.ndarray:
    """The photo with a round mark of 15 pixels' radius."""
    y, x = np.mgrid[:SIDE, :SIDE]
    photo = photo.copy()
    photo[(y - row) ** 2 + (x - column) ** 2 < 225] = color
    return photo


def around(row: int, column: int, radius: int = 30) -> np.ndarray:
    mask = np.zeros((SIDE, SIDE), bool)
    mask[row - radius : row + radius, column - radius : column + radius] = True
    return mask


RED, BLUE = (230, 10, 10), (10, 30, 220)


@pytest.fixture(scope="module")
def marked(photos) -> np.ndarray:
    """One red spot in the upper left, one blue spot in the lower right."""
    return spotted(spotted(photos[2], 70, 80, RED), 180, 170, BLUE)


def peak(inspection, row: int, column: int) -> float:
    return float(inspection.anomaly_map[around(row, column, 20)].max())


@pytest.mark.parametrize("shots", [0, 1, 2])
def test_what_is_accepted_no_longer_fires_and_the_rest_does(assistant, photos, marked, shots):
    before = assistant.inspect(marked, photos[:shots])
    accepted = Corrections(accepted=(Mark(marked, around(70, 80)),))
    after = assistant.inspect(marked, photos[:shots], corrections=accepted)
    assert peak(before, 70, 80) > 0.5 and peak(before, 180, 170) > 0.5
    assert peak(after, 70, 80) < 0.5 < peak(after, 180, 170)
    assert after.probability <= before.probability and any("accepted" in note for note in after.notes)
    undone = assistant.inspect(marked, photos[:shots], corrections=Corrections())
    assert np.array_equal(undone.anomaly_map, before.anomaly_map) and undone.probability == before.probability


def test_the_same_mark_is_accepted_elsewhere_on_another_photo(assistant, photos, marked):
    accepted = Corrections(accepted=(Mark(marked, around(70, 80)),))
    other = spotted(spotted(photos[3], 160, 70, RED), 60, 190, BLUE)
    before, after = (
        assistant.inspect(other, photos[:2], corrections=corrections) for corrections in (Corrections(), accepted)
    )
    assert peak(before, 160, 70) > 0.5
    assert peak(after, 160, 70) < 0.5 * peak(before, 160, 70)
    assert peak(after, 60, 190) > max(0.5, 0.95 * peak(before, 60, 190))  # another mark is not


def test_all_that_was_wrong_accepted_makes_the_part_better(assistant, photos, marked):
    before = assistant.inspect(marked, photos[:2])
    assert before.verdict == "defective"
    regions = tuple(Mark(marked, mask_of(before, region)) for region in before.regions)
    after = assistant.inspect(marked, photos[:2], corrections=Corrections(accepted=regions))
    assert after.verdict != "defective" and after.probability < before.probability


def test_a_known_defect_fires_and_bears_its_name(assistant, photos, marked):
    faint = spotted(photos[3], 128, 128, tuple(int(v) for v in photos[3][128, 128] // 2 + 60))
    before = assistant.inspect(faint, photos[:2])
    known = Corrections(defects=(Mark(faint, around(128, 128, 15), "small scratches"),))
    after = assistant.inspect(faint, photos[:2], corrections=known)
    assert after.verdict == "defective" and after.probability > before.probability
    assert any(region.type == "scratch" for region in after.regions)
    assert 'resembles a defect that was marked before: "small scratches"' in after.notes
    clean = assistant.inspect(photos[3], photos[:2], corrections=known)
    assert clean.probability < after.probability and clean.verdict != "defective"


@pytest.mark.parametrize("kind, name", [("Scratched", "scratch"), ("pinhole", "hole"), ("Lunker №3", None)])
def test_a_kind_in_other_words(kind, name):
    index = kind_index(kind)
    assert (None if index is None else KINDS[index]) == name


def test_a_correction_that_hides_a_defect_is_told(assistant, photos, marked):
    twin = spotted(photos[3], 75, 85, RED)
    before = Corrections(defects=(Mark(twin, around(75, 85, 16), "paint"),))
    harmless = Corrections((Mark(marked, around(180, 170)),), before.defects)
    harmful = Corrections((Mark(twin, around(75, 85)),), before.defects)
    assert recheck(assistant, photos[:2], before, harmless) == recheck(assistant, photos[:2], before, before)
    told = recheck(assistant, photos[:2], before, harmful)
    assert told.checked == 1 and [mark.kind for mark in told.hidden] == ["paint"]


def test_nothing_is_changed_without_corrections(assistant, photos):
    features = assistant.encode(photos[0])
    plain = assistant.detector(photos[:2])
    logits, kinds = torch.randn(2, 1, 64, 64), torch.rand(12, 32, 32)
    assert Marks().judge(features, logits, kinds, None) == (logits, kinds, None, ())
    assert plain is assistant.detector(photos[:2], Corrections())


def test_a_speck_has_a_patch_and_its_border_has_none():
    features = PatchFeatures((torch.randn(1, 8, 32, 32), torch.randn(1, 16, 16, 16)))
    speck = np.zeros((320, 320), bool)
    speck[5, 5] = True
    assert marked_patches(features, speck).inside.shape == (24, 1)
    block = np.zeros((320, 320), bool)
    block[40:80, 40:80] = True
    cut = marked_patches(features, block)
    assert (cut.inside.shape, cut.outside.shape) == ((24, 16), (24, 32 * 32 - 16))


def test_a_mark_is_known_by_its_contents(tmp_path, marked):
    assert Mark(marked, around(70, 80)).key == Mark(marked.copy(), around(70, 80)).key
    assert Mark(marked, around(70, 80)).key != Mark(marked, around(71, 80)).key
    assert Mark(marked, around(70, 80)).key != Mark(marked, around(70, 80), "scratch").key


def test_a_region_has_the_pixels_that_fired(assistant, photos, marked):
    inspection = assistant.inspect(marked, photos[:2])
    region = inspection.regions[0]
    assert isinstance(region, Region)
    mask = mask_of(inspection, region)
    assert 0.8 < mask.sum() / region.area_px < 1.25
