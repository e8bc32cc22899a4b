"""One contract for every synthesizer of the registry: repeatable, visible, steered, and the mask is what changed."""

import numpy as np
import pytest
from scipy import ndimage

from assistant.foreground import foreground
from assistant.inspection import KINDS
from data_gen.procedural import Product
from data_gen.synthesizers import MAKERS, SYNTHESIZERS, Defect, NothingVisible, load_synthesizer, synthesize

FAMILIES = ("cast metal", "woven cloth", "moulded part", "gear", "circuit board", "painted sheet")
NORMALS = [Product(family, 4).photo(np.random.default_rng(8), 160) for family in FAMILIES]
CLOTH, MOULDED, BOARD = NORMALS[1], NORMALS[2], NORMALS[4]
ARTWORK = Product("circuit artwork", 4).photo(np.random.default_rng(8), 160)

NEEDS_DETAIL = ("misprint", "blur patch")  # print must be there to be misprinted, texture to be blurred
NOT_ON_ARTWORK = (
    "dent", "stain", "liquid", "blur patch", "color change", "perlin texture stain", "perlin texture contamination",
)  # fmt: skip
REMOVES_THE_OUTLINE = ("break", "missing part")  # with its soft edge, which lies just outside the part
MAY_SHOW_BESIDE = ("misplaced part", "duplicated part", "deformation")  # the part ends up beside its place
OUTSIDE = REMOVES_THE_OUTLINE + MAY_SHOW_BESIDE


def defects(name: str, image: np.ndarray, seeds: int, **wishes: float) -> list[Defect]:
    """What `name` makes of `image` over some seeds, without the tries at which nothing showed."""
    make, part, made = load_synthesizer(name), foreground(image), []
    for seed in range(seeds):
        try:
            made.append(make(image, np.random.default_rng(seed), foreground=part, **wishes))  # type: ignore[arg-type]
        except NothingVisible:
            continue
    return made


@pytest.mark.parametrize("name", SYNTHESIZERS)
def test_same_seed_same_bytes(name: str) -> None:
    make = load_synthesizer(name)
    first, again = (make(BOARD, np.random.default_rng(1)) for _ in range(2))
    assert first.image.tobytes() == again.image.tobytes() and first.mask.tobytes() == again.mask.tobytes()
    assert first.image.tobytes() != make(BOARD, np.random.default_rng(2)).image.tobytes()


@pytest.mark.parametrize("name", SYNTHESIZERS)
@pytest.mark.parametrize("normal", range(len(NORMALS)), ids=FAMILIES)
def test_the_mask_is_what_changed(name: str, normal: int) -> None:
    image, before = NORMALS[normal], NORMALS[normal].copy()
    made = defects(name, image, seeds=3)
    assert len(made) == 3 or name in NEEDS_DETAIL
    for defect in made:
        assert defect.kind in KINDS
        assert defect.image.dtype == np.uint8 and defect.image.shape == image.shape
        assert defect.mask.dtype == bool and 0.00015 <= defect.mask.mean() <= 0.2
        changed = np.abs(defect.image.astype(int) - image).max(2)
        assert not changed[~defect.mask].any()  # outside the mask not a bit differs
        core = ndimage.binary_dilation(changed > 5, iterations=3)
        assert core[defect.mask].mean() > 0.9  # and the mask holds little that does not differ
    assert (image == before).all()


@pytest.mark.parametrize("name", sorted(set(SYNTHESIZERS) - set(MAY_SHOW_BESIDE)))
def test_defects_lie_on_the_part(name: str) -> None:
    part = foreground(MOULDED)
    assert not part.all()
    if name in REMOVES_THE_OUTLINE:
        part = ndimage.binary_dilation(part, iterations=4)
    for defect in defects(name, MOULDED, seeds=6):
        assert part[defect.mask].all()


@pytest.mark.parametrize("name", MAY_SHOW_BESIDE)
def test_what_moves_stays_at_the_part(name: str) -> None:
    part = foreground(MOULDED)
    made = defects(name, MOULDED, seeds=6)
    assert len(made) == 6
    for defect in made:
        assert (ndimage.binary_dilation(part, iterations=3) & defect.mask).any()


@pytest.mark.parametrize("name", SYNTHESIZERS)
def test_harder_is_smaller_and_fainter(name: str) -> None:
    def area_and_change(difficulty: float) -> tuple[float, float]:
        areas, changes = [], []
        for image in (BOARD, CLOTH):
            for defect in defects(name, image, seeds=8, difficulty=difficulty):
                change = np.abs(defect.image.astype(float) - image).max(2)
                areas.append(defect.mask.mean())
                changes.append(change[defect.mask].mean())
        assert len(areas) >= 6  # it shows, however hard
        return float(np.median(areas)), float(np.mean(changes))

    (easy_area, easy_change), (middle_area, _), (hard_area, hard_change) = map(area_and_change, (0.05, 0.5, 0.95))
    assert easy_area > 1.5 * middle_area > 1.5 * hard_area
    assert easy_change > hard_change


def test_most_defects_are_small() -> None:
    areas = np.concatenate([[d.mask.mean() for d in defects(name, BOARD, seeds=8)] for name in SYNTHESIZERS])
    assert np.median(areas) < 0.007
    assert areas.max() > 0.03 and areas.min() < 0.001


def test_a_rough_surface_gets_stronger_defects() -> None:
    rng = np.random.default_rng(0)
    changes = []
    for noise in (1.0, 14.0):
        surface = np.clip(rng.normal(128, noise, (128, 128, 1)), 0, 255).astype(np.uint8).repeat(3, 2)
        made = defects("particle", surface, seeds=10, difficulty=0.7)
        changes.append(np.median([np.abs(d.image[d.mask].mean() - surface[d.mask].mean()) for d in made]))
    assert changes[1] > 1.3 * changes[0]


@pytest.mark.parametrize("kind", ["stain", "hole", "crack", "dent", "deformation"])
def test_a_wished_size_is_followed(kind: str) -> None:
    def area(size: float) -> float:
        return float(np.median([defect.mask.mean() for defect in defects(kind, CLOTH, seeds=9, size=size)]))

    small, large = area(0.004), area(0.04)
    assert 0.001 < small < 0.02 < large < 0.12


@pytest.mark.parametrize("name", SYNTHESIZERS)
def test_artwork_keeps_its_two_tones(name: str) -> None:
    made = defects(name, ARTWORK, seeds=3)
    assert bool(made) == (name not in NOT_ON_ARTWORK)
    for defect in made:
        grey = defect.image[defect.mask].mean(1)
        assert ((grey < 60) | (grey > 195)).mean() > 0.85


@pytest.mark.parametrize("name", SYNTHESIZERS)
def test_grey_photos_get_grey_defects(name: str) -> None:
    grey = np.repeat(BOARD.mean(2, keepdims=True).astype(np.uint8), 3, 2)
    made = defects(name, grey, seeds=2)
    assert made and all((defect.image == defect.image[..., :1]).all() for defect in made)


@pytest.mark.parametrize("name", SYNTHESIZERS)
@pytest.mark.parametrize("shape", [(64, 64), (1024, 1024), (90, 250)], ids=str)
def test_any_size_of_photo(name: str, shape: tuple[int, int]) -> None:
    image = np.tile(BOARD, (-(-shape[0] // 160), -(-shape[1] // 160), 1))[: shape[0], : shape[1]]
    made = defects(name, image, seeds=3)
    assert made and all(defect.image.shape == image.shape and defect.mask.any() for defect in made)


@pytest.mark.parametrize("name", SYNTHESIZERS)
def test_a_given_foreground_and_sources_are_used(name: str) -> None:
    where = np.zeros(BOARD.shape[:2], bool)
    where[:, :80] = True
    make = load_synthesizer(name)
    for seed in range(3):
        rng = np.random.default_rng(seed)
        try:
            defect = make(BOARD, rng, foreground=where, difficulty=0.6, sources=(CLOTH, np.flip(BOARD)))
        except NothingVisible:
            assert name in NEEDS_DETAIL
            continue
        assert where[defect.mask].any() and (where[defect.mask].all() or name in OUTSIDE)
    with pytest.raises(NothingVisible):
        make(BOARD, np.random.default_rng(0), foreground=np.zeros_like(where))


def test_synthesize_counts_kinds_masks_and_makers() -> None:
    sample = synthesize(NORMALS[0], np.random.default_rng(0), kinds=("hole", "scratch"), count=3)
    assert len(sample.defects) == len(sample.makers) == 3 and set(sample.kinds) <= {"hole", "scratch"}
    assert all(maker in MAKERS[kind] for maker, kind in zip(sample.makers, sample.kinds, strict=True))
    assert sample.mask.sum() == sum(mask.sum() for _, mask in sample.defects)  # no overlap
    assert ((sample.image != NORMALS[0]).any(2) <= sample.mask).all()
    again = synthesize(NORMALS[0], np.random.default_rng(0), kinds=("hole", "scratch"), count=3)
    assert sample.image.tobytes() == again.image.tobytes() and sample.kinds == again.kinds


def test_synthesize_passes_the_difficulty_on() -> None:
    def change(difficulty: float) -> float:
        samples = [
            synthesize(CLOTH, np.random.default_rng(seed), ("stain", "dent"), difficulty=difficulty)
            for seed in range(9)
        ]
        return float(np.median([np.abs(sample.image.astype(float) - CLOTH).sum() for sample in samples]))

    assert change(0.0) > 5 * change(1.0)


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
            assert load_synthesizer(name)(BOARD, np.random.default_rng(0)).kind == kind
    assert {name for names in MAKERS.values() for name in names} == set(SYNTHESIZERS)


def test_odd_photos_do_not_crash() -> None:
    rng = np.random.default_rng(0)
    for shape in ((16, 16, 3), (40, 300, 3), (257, 131, 3)):
        noise = rng.integers(90, 120, shape, dtype=np.uint8)
        assert synthesize(noise, rng).image.shape == shape
    for level in (0, 255):
        assert synthesize(np.full((64, 64, 3), level, np.uint8), rng).mask.any()
