"""Facts: measured on the final pixels and masks, the same numbers that a second, plain reading of the mask gives."""

import json
from collections import Counter
from collections.abc import Iterator
from functools import cache

import numpy as np
import pytest

from assistant.foreground import foreground
from assistant.inspection import POSITIONS, find_regions
from data_gen.color_words import color_word
from data_gen.facts import inspection_of, measure, true_inspection
from data_gen.false_alarms import false_alarm
from data_gen.families import FAMILIES
from data_gen.procedural import Product
from data_gen.synthesizers import SYNTHESIZERS, NothingVisible, Sample, load_synthesizer, synthesize

SAMPLES = 2000


@cache
def normal(family: str, size: int) -> np.ndarray:
    return Product(family, 5).photo(np.random.default_rng(size), size)


@cache
def part(family: str, size: int) -> np.ndarray:
    return foreground(normal(family, size))


def samples(count: int) -> Iterator[tuple[np.ndarray, Sample]]:
    """(good photo, sample): every synthesizer in turn on every family, every third with up to three defects."""
    names, families, number = sorted(SYNTHESIZERS), sorted(FAMILIES), 0
    made = 0
    while made < count:
        rng = np.random.default_rng(number)
        family, size = families[number // len(names) % len(families)], (64, 80, 96)[number % 2 + number // 7 % 2]
        before, where = normal(family, size), part(family, size)
        number += 1
        assert number < 3 * count, "too few photos take a defect"
        try:
            if number % 3 == 0:
                yield before, synthesize(before, rng, count=int(rng.integers(2, 4)), foreground=where)
            else:
                name = names[number % len(names)]
                defect = load_synthesizer(name)(before, rng, foreground=where)
                yield before, Sample(defect.image, ((defect.kind, defect.mask),), (name,))
        except NothingVisible:
            continue
        made += 1


def plain_cells(mask: np.ndarray) -> set[str]:
    """The cells that hold 15 % of the mask or its centre, counted pixel by pixel."""
    pixels = np.argwhere(mask)
    cells = [(3 * y // mask.shape[0], 3 * x // mask.shape[1]) for y, x in pixels.tolist()]
    middle = pixels.mean(0) * 3 // mask.shape
    wanted = {cell for cell, number in Counter(cells).items() if number >= 0.15 * len(cells)}
    return {POSITIONS[3 * row + column] for row, column in wanted | {(int(middle[0]), int(middle[1]))}}


def check(before: np.ndarray, sample: Sample) -> None:
    facts = measure(before, sample)
    inspection = inspection_of(facts, sample, before.shape, image="a.png", references=2)
    assert len(facts) == len(sample.defects) == len(inspection.regions) and inspection.verdict == "defective"
    assert inspection.anomaly_map is not None
    assert ((inspection.anomaly_map > 0.5) == sample.mask).all()
    for fact, (kind, mask) in zip(facts, sample.defects, strict=True):
        assert mask.any() and fact.kind == kind and fact.area_px == mask.sum()
        assert set(fact.cells) == plain_cells(mask) and fact.position == fact.cells[0]
        ys, xs = np.nonzero(mask)
        assert fact.box == (xs.min(), ys.min(), xs.max() + 1, ys.max() + 1)
        assert all(fact.box[0] <= x < fact.box[2] and fact.box[1] <= y < fact.box[3] for x, y in fact.polygon)
        differs = np.abs(sample.image[mask].astype(int) - before[mask]).max(1)
        assert differs.max() > 5 and differs.mean() > 1.5  # something shows
    weights = [region.area_fraction * region.peak**2 for region in inspection.regions]
    assert weights == sorted(weights, reverse=True)
    assert sorted(region.box for region in inspection.regions) == sorted(fact.box for fact in facts)


def test_two_thousand_samples_hold_what_their_facts_say() -> None:
    seen: Counter[str] = Counter()
    for before, sample in samples(SAMPLES):
        check(before, sample)
        seen.update(sample.makers)
    assert set(seen) == set(SYNTHESIZERS)


def drawn(mask: np.ndarray, level: int, base: int = 120) -> tuple[np.ndarray, Sample]:
    """An even grey photo, and the same with `mask` painted in a grey level."""
    before = np.full((*mask.shape, 3), base, np.uint8)
    after = before.copy()
    after[mask] = level
    return before, Sample(after, (("scratch", mask),), ("scratch",))


def bar(angle: float, shape: tuple[int, int] = (120, 150)) -> np.ndarray:
    """A bar of 60 x 6 pixels around (50, 70), turned counter-clockwise."""
    y, x = np.indices(shape) - np.array([50, 70])[:, None, None]
    turn = np.deg2rad(angle)
    along, aside = x * np.cos(turn) - y * np.sin(turn), y * np.cos(turn) + x * np.sin(turn)
    return (np.abs(along) <= 30) & (np.abs(aside) <= 3)


@pytest.mark.parametrize("angle", (0, 30, 90, 150))
def test_a_bar_has_its_direction_length_and_contrast(angle: int) -> None:
    (fact,) = measure(*drawn(bar(angle), 70))
    assert fact.orientation is not None
    assert min(abs(fact.orientation - angle), 180 - abs(fact.orientation - angle)) < 2
    assert abs(fact.length_px - 61) < 4
    assert (fact.contrast, fact.change, fact.tone, fact.shape, fact.color) == (-50, 50, "darker", "thin", "dark gray")
    assert json.loads(json.dumps(fact.to_json()))["box"] == list(fact.box)


def test_a_disc_has_no_direction_and_scattered_parts_are_one_defect() -> None:
    y, x = np.indices((120, 150))
    disc = (y - 30) ** 2 + (x - 30) ** 2 < 144
    (fact,) = measure(*drawn(disc, 200))
    assert fact.orientation is None and fact.shape == "compact" and fact.tone == "brighter"
    both = disc | ((y - 100) ** 2 + (x - 130) ** 2 < 25)
    (fact,) = measure(*drawn(both, 200))
    assert fact.box == (19, 19, 135, 105) and fact.area_px == both.sum()
    assert max(x for x, _ in fact.polygon) < 45  # the outline is that of the larger part


def test_severity_grows_with_size_and_contrast() -> None:
    y, x = np.indices((150, 150))

    def severity(radius: int, level: int) -> int:
        fact = measure(*drawn((y - 70) ** 2 + (x - 70) ** 2 < radius**2, level))[0]
        return ("minor", "moderate", "severe").index(fact.severity)

    assert severity(5, 20) == 0 < severity(12, 20) < severity(40, 20)
    assert severity(7, 112) < severity(7, 0)


def test_what_does_not_show_is_refused() -> None:
    with pytest.raises(NothingVisible, match="does not show"):
        measure(*drawn(bar(20), 122))
    with pytest.raises(NothingVisible, match="empty"):
        measure(*drawn(np.zeros((50, 50), bool), 20))
    before, sample = drawn(bar(20), 20)
    covered = Sample(before, sample.defects, sample.makers)  # a later step undid it
    with pytest.raises(NothingVisible):
        true_inspection(before, covered, image="a.png", references=0)


def test_the_map_of_the_truth_is_read_back_as_the_truth() -> None:
    before, sample = drawn(bar(30), 40)
    inspection = true_inspection(before, sample, image="a.png", references=1, product="gear")
    assert inspection.anomaly_map is not None and inspection.notes == ("product: gear",)
    (read,) = find_regions(inspection.anomaly_map, photo=sample.image)
    (truth,) = inspection.regions
    assert (read.box, read.area_px, read.cells) == (truth.box, truth.area_px, truth.cells)
    assert (read.severity, read.tone, read.shape) == (truth.severity, truth.tone, truth.shape)
    assert abs(read.peak - truth.peak) < 1e-3


def test_probability_follows_how_clear_the_defect_is() -> None:
    faint, clear = (
        true_inspection(*drawn(bar(30), level), image="a.png", references=0).probability for level in (113, 20)
    )
    good = true_inspection(np.zeros((60, 60, 3), np.uint8), None, image="a.png", references=0)
    assert good.verdict == "good" and not good.regions and good.probability < 0.1
    assert good.anomaly_map is not None and good.anomaly_map.max() < 0.1
    assert 0.6 <= faint < clear <= 0.995


def test_a_false_alarm_fires_without_a_defect() -> None:
    peaks = []
    for seed in range(20):
        photo = normal("gear", 96)
        alarm, again = (false_alarm(photo, np.random.default_rng(seed), image="a.png", references=1) for _ in range(2))
        assert alarm.verdict == "good" and not alarm.regions and alarm.probability <= 0.45
        assert alarm.anomaly_map is not None and again.anomaly_map is not None
        assert alarm.anomaly_map.shape == (96, 96) and alarm.anomaly_map.tobytes() == again.anomaly_map.tobytes()
        peaks.append(float(alarm.anomaly_map.max()))
    assert min(peaks) > 0.25 and sum(peak > 0.5 for peak in peaks) >= 5


@pytest.mark.parametrize(
    ("rgb", "word"),
    [
        ((10, 10, 12), "black"), ((130, 130, 128), "gray"), ((250, 250, 250), "white"), ((200, 30, 30), "red"),
        ((120, 75, 40), "brown"), ((30, 160, 50), "green"), ((30, 60, 200), "blue"), ((20, 30, 80), "dark blue"),
        ((230, 220, 40), "yellow"), ((240, 110, 180), "pink"),
    ],
)  # fmt: skip
def test_color_words(rgb: tuple[int, int, int], word: str) -> None:
    assert color_word(rgb) == word
