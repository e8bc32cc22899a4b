"""One contract for every synthesizer of the registry: repeatable, visible, and the mask is what changed."""

import numpy as np
import pytest
from scipy import ndimage

from assistant.inspection import KINDS
from data_gen.procedural import Product, foreground
from data_gen.synthesizers import MAKERS, SYNTHESIZERS, NothingVisible, load_synthesizer, synthesize

NORMALS = [
    Product(family, 4).photo(np.random.default_rng(8), 160)
    for family in ("cast metal", "woven cloth", "moulded part", "gear", "circuit board", "dark uniform")
]
ARTWORK = Product("circuit artwork", 4).photo(np.random.default_rng(8), 160)


@pytest.mark.parametrize("name", SYNTHESIZERS)
def test_same_seed_same_bytes(name: str) -> None:
    make = load_synthesizer(name)
    first, again = (make(NORMALS[0], np.random.default_rng(1)) for _ in range(2))
    assert first.image.tobytes() == again.image.tobytes() and first.mask.tobytes() == again.mask.tobytes()
    assert first.image.tobytes() != make(NORMALS[0], np.random.default_rng(2)).image.tobytes()


@pytest.mark.parametrize("name", SYNTHESIZERS)
@pytest.mark.parametrize("normal", range(len(NORMALS)))
def test_the_mask_is_what_changed(name: str, normal: int) -> None:
    image, before = NORMALS[normal], NORMALS[normal].copy()
    for seed in range(3):
        defect = load_synthesizer(name)(image, np.random.default_rng(seed))
        assert defect.kind in KINDS
        assert defect.image.dtype == np.uint8 and defect.image.shape == image.shape
        assert defect.mask.dtype == bool and 0.0002 <= defect.mask.mean() <= 0.2
        changed = np.abs(defect.image.astype(int) - image).max(2)
        assert not changed[~defect.mask].any()  # outside the mask not a bit differs
        core = ndimage.binary_dilation(changed > 5, iterations=3)
        assert core[defect.mask].mean() > 0.9  # and the mask holds little that does not differ
    assert (image == before).all()


MAY_SHOW_BESIDE = ("missing part", "misplaced part", "cut paste")  # they take from the part or its edge


@pytest.mark.parametrize("name", sorted(set(SYNTHESIZERS) - set(MAY_SHOW_BESIDE)))
def test_defects_lie_on_the_part(name: str) -> None:
    image = NORMALS[2]
    part = ndimage.binary_dilation(foreground(image), iterations=3)
    assert not part.all()
    for seed in range(4):
        assert part[load_synthesizer(name)(image, np.random.default_rng(seed)).mask].mean() > 0.95


def test_a_wished_size_is_followed() -> None:
    make = load_synthesizer("stain")

    def area(size: float) -> float:
        defects = [make(NORMALS[0], np.random.default_rng(seed), size=size) for seed in range(7)]
        return float(np.median([defect.mask.mean() for defect in defects]))

    small, large = area(0.003), area(0.08)
    assert small < 0.015 < 0.04 < large


@pytest.mark.parametrize("name", SYNTHESIZERS)
def test_artwork_keeps_its_two_tones(name: str) -> None:
    try:
        defect = load_synthesizer(name)(ARTWORK, np.random.default_rng(0))
    except NothingVisible:
        assert name in ("dent", "stain", "color change", "texture stain", "texture contamination")
        return
    grey = defect.image[defect.mask].mean(1)
    assert ((grey < 60) | (grey > 195)).mean() > 0.85


def test_grey_photos_get_grey_defects() -> None:
    grey = np.repeat(NORMALS[0].mean(2, keepdims=True).astype(np.uint8), 3, 2)
    for name in SYNTHESIZERS:
        defect = load_synthesizer(name)(grey, np.random.default_rng(0))
        assert (defect.image == defect.image[..., :1]).all()


def test_synthesize_counts_kinds_and_masks() -> None:
    sample = synthesize(NORMALS[0], np.random.default_rng(0), kinds=("hole", "scratch"), count=3)
    assert len(sample.defects) == 3 and set(sample.kinds) <= {"hole", "scratch"}
    assert sample.mask.sum() == sum(mask.sum() for _, mask in sample.defects)  # no overlap
    assert ((sample.image != NORMALS[0]).any(2) <= sample.mask).all()
    again = synthesize(NORMALS[0], np.random.default_rng(0), kinds=("hole", "scratch"), count=3)
    assert sample.image.tobytes() == again.image.tobytes() and sample.kinds == again.kinds


def test_synthesize_takes_another_kind_when_one_cannot_show() -> None:
    assert synthesize(ARTWORK, np.random.default_rng(0), kinds=("dent", "hole")).kinds == ("hole",)
    with pytest.raises(NothingVisible):
        synthesize(ARTWORK, np.random.default_rng(0), kinds=("dent",))


def test_unknown_names_are_refused() -> None:
    with pytest.raises(KeyError, match="scratch"):
        load_synthesizer("scrach")
    with pytest.raises(ValueError, match="scrach"):
        synthesize(ARTWORK, np.random.default_rng(0), kinds=("scrach",))


def test_every_kind_has_a_maker_and_every_maker_its_kind() -> None:
    assert set(MAKERS) == set(KINDS)
    for kind, names in MAKERS.items():
        for name in names:
            assert load_synthesizer(name)(NORMALS[0], np.random.default_rng(0)).kind == kind
    assert {name for names in MAKERS.values() for name in names} == set(SYNTHESIZERS)


def test_odd_photos_do_not_crash() -> None:
    rng = np.random.default_rng(0)
    for shape in ((16, 16, 3), (40, 300, 3), (257, 131, 3)):
        noise = rng.integers(90, 120, shape, dtype=np.uint8)
        assert synthesize(noise, rng).image.shape == shape
    for level in (0, 255):
        assert synthesize(np.full((64, 64, 3), level, np.uint8), rng).mask.any()
