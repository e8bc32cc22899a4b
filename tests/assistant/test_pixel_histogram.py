"""Pixel metrics against scikit-learn and brute force, on easy and hard maps, in ample and in scarce memory."""

import numpy as np
import pytest
from scipy import ndimage
from sklearn import metrics as sklearn

from assistant.evaluation import pixel_histogram
from assistant.evaluation.pixel_histogram import PixelHistogram
from assistant.evaluation.score_counts import ScoreCounts

Pairs = list[tuple[np.ndarray, np.ndarray]]
METRICS = (("auroc",), ("average_precision",), ("f1_max",), ("pro",), ("pro", 0.05), ("aupimo",))


def photos(count: int = 6, *, scale: float = 1.0, offset: float = 0.0) -> Pairs:
    """Maps and masks of odd sizes; blobs that the map sees in part, some masks empty."""
    rng = np.random.default_rng(11)
    made = []
    for i in range(count):
        height, width = 40 + 7 * i, 61 - 5 * i
        field = ndimage.gaussian_filter(rng.random((height, width)), 3)
        mask = field > np.quantile(field, 0.93) if i % 3 else np.zeros((height, width), dtype=bool)
        score = field + 0.05 * rng.random((height, width))
        made.append(((offset + scale * score).astype(np.float32), mask))
    return made


def speckles(share: float = 0.06) -> Pairs:
    """Thousands of regions of a few pixels, in maps of a thousand levels."""
    rng = np.random.default_rng(4)
    masks = [rng.random((150, 170)) < share for _ in range(3)]
    return [((rng.random(mask.shape) + 0.4 * mask).round(3).astype(np.float32), mask) for mask in masks]


def saturated() -> Pairs:
    """Most scores exactly 0, the rest within a hair of 1, as a sigmoid gives them."""
    rng = np.random.default_rng(3)
    mask = rng.random((200, 200)) < 0.1
    scores = np.where(rng.random((200, 200)) < 0.5, 0.0, 1 - 1e-5 * rng.random((200, 200)) + 3e-6 * mask)
    return [(scores.astype(np.float32), mask)]


def all_defective() -> Pairs:
    """No photo without a defect, and one that is nothing but defect."""
    return [pair for pair in photos() if pair[1].any()] + [(photos()[1][0], np.ones(photos()[1][1].shape, dtype=bool))]


HARD = {
    "random": photos(), "falling": photos(scale=-300, offset=5), "tiny": photos(scale=1e-6),
    "offset": photos(scale=0.01, offset=1000), "1e6": photos(scale=1e6, offset=-7e5),
    "denormal": photos(scale=1e-40), "near the largest": photos(scale=-3e38), "speckles": speckles(),
    "ties": [((8 * a).round() / 8, m) for a, m in photos()], "two values": [((a > 0.53) - 0.5, m) for a, m in photos()],
    "constant": [(np.full_like(a, 7), m) for a, m in photos()], "saturated": saturated(),
    "all defective": all_defective(), "half precision": [(a.astype(np.float16), m) for a, m in photos()],
}  # fmt: skip


def filled(pairs: Pairs, capacity: int = 2**20) -> PixelHistogram:
    histogram = PixelHistogram(capacity)
    for anomaly_map, mask in pairs:
        histogram.add(anomaly_map, mask)
    return histogram


def values(counts: ScoreCounts) -> list[float | None]:
    return [getattr(counts, metric)(*limit) for metric, *limit in METRICS]


def flat(pairs: Pairs) -> tuple[np.ndarray, np.ndarray]:
    return np.concatenate([m.ravel() for _, m in pairs]), np.concatenate([a.ravel() for a, _ in pairs])


def brute_force_pro(pairs: Pairs, limit: float) -> float:
    """PRO by its definition: at every threshold, the mean share found of each 8-connected region."""
    thresholds = np.unique(flat(pairs)[1])[::-1]
    good, found = np.zeros(len(thresholds)), np.zeros(len(thresholds))
    regions = 0
    for anomaly_map, mask in pairs:
        labelled, number = ndimage.label(mask, structure=np.ones((3, 3)))
        regions += number
        for i, threshold in enumerate(thresholds):
            over = anomaly_map >= threshold
            good[i] += (over & ~mask).sum()
            found[i] += np.sum(ndimage.mean(over, labelled, np.arange(1, number + 1))) if number else 0
    rate = np.append(0, good / sum((~mask).sum() for _, mask in pairs))
    fine = np.linspace(0, limit, 200_001)
    return float(np.trapezoid(np.interp(fine, rate, np.append(0, found / regions)), fine) / limit)


def brute_force_aupimo(pairs: Pairs) -> float:
    """AUPIMO by its definition, photo by photo: recall at the lowest threshold whose mean false positive rate fits."""
    normal = [np.sort(a.ravel()) for a, m in pairs if not m.any()]
    thresholds = np.append(np.unique(flat(pairs)[1]), np.inf)
    shared = np.mean([1 - np.searchsorted(scores, thresholds) / len(scores) for scores in normal], axis=0)
    exponents = np.linspace(-5, -4, 1001)
    lowest = [thresholds[np.argmax(shared <= 10**exponent)] for exponent in exponents]
    areas = []
    for anomaly_map, mask in pairs:
        if mask.any():
            recall = [float((anomaly_map[mask] >= threshold).mean()) for threshold in lowest]
            areas.append(np.trapezoid(recall, exponents))
    return float(np.mean(areas))


@pytest.mark.parametrize("pairs", HARD.values(), ids=HARD)
def test_pixel_metrics_equal_scikit_learn(pairs: Pairs) -> None:
    histogram, (labels, scores) = filled(pairs), flat(pairs)
    counts, distinct = histogram.counts(), np.unique(scores, return_inverse=True)[1]  # ranks, for scikit-learn's sake
    assert histogram.exact and [histogram.error(*metric) for metric in METRICS] == [0] * len(METRICS)
    assert counts.auroc() == pytest.approx(sklearn.roc_auc_score(labels, distinct), abs=1e-9)
    assert counts.average_precision() == pytest.approx(sklearn.average_precision_score(labels, distinct), abs=1e-9)
    precision, recall, _ = sklearn.precision_recall_curve(labels, distinct)
    best = (2 * precision * recall / np.maximum(precision + recall, 1e-12)).max()
    assert counts.f1_max() == pytest.approx(best, abs=1e-9)


@pytest.mark.parametrize("name", HARD)
@pytest.mark.parametrize("capacity", [150, 2000])
def test_a_small_memory_keeps_its_error_bounds(name: str, capacity: int) -> None:
    exact, histogram = values(filled(HARD[name]).counts()), filled(HARD[name], capacity)
    for metric, value, near in zip(METRICS, exact, values(histogram.counts()), strict=True):
        bound = histogram.error(*metric)
        if value is None:
            assert near is None and bound == 0
        else:
            assert abs(near - value) <= bound + 1e-12, metric
            if not histogram.exact and metric == ("auroc",) and name == "random":
                assert 0 < bound < (1e-3 if capacity == 2000 else 2e-2)


def test_order_preserving_changes_of_the_scores_change_nothing() -> None:
    """anomalib's AUROC takes a sigmoid of scores outside [0, 1], which ties them: 0.811 becomes 0.500."""
    pairs = [((a * 4096).round() / 4096, m) for a, m in photos()]
    expected = values(filled(pairs).counts())
    for change in (lambda a: a * 2.0**60, lambda a: a - 9, lambda a: a * 2048 + 500, lambda a: np.arctan(a * 1.0)):
        assert values(filled([(change(a), m) for a, m in pairs]).counts()) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("name", ["random", "1e6", "speckles"])
@pytest.mark.parametrize("capacity", [300, 2**20])
def test_order_and_batches_do_not_change_the_result(name: str, capacity: int, monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = HARD[name]
    expected = values(filled(pairs, capacity).counts())
    assert values(filled(pairs[::-1], capacity).counts()) == pytest.approx(expected, abs=1e-12)
    steps = PixelHistogram(capacity)
    for pair in pairs:
        steps.add(*pair)
        steps.counts()  # looking does not disturb
    assert values(steps.counts()) == pytest.approx(expected, abs=1e-12)
    monkeypatch.setattr(pixel_histogram, "WAITING_PIXELS", 700)  # less than a photo: taken in by pieces
    assert values(filled(pairs, capacity).counts()) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("limit", [0.3, 0.05])
@pytest.mark.parametrize("pairs", [photos(), photos(scale=-2000, offset=9), speckles()], ids=["1", "-2000", "speckles"])
def test_pro_equals_its_definition(pairs: Pairs, limit: float) -> None:
    span = np.ptp(flat(pairs)[1])
    pairs = [((a / span * 300).round(), mask) for a, mask in pairs]  # few thresholds to try one by one
    assert filled(pairs).counts().pro(limit) == pytest.approx(brute_force_pro(pairs, limit), abs=1e-5)


@pytest.mark.parametrize("strength", [0.0, 0.2, 0.6])
def test_aupimo_equals_its_definition(strength: float) -> None:
    rng = np.random.default_rng(8)
    pairs = []
    for i in range(24):  # 1e-5 is about one pixel of all good photos, which are of two sizes
        shape = (90 + 40 * (i % 4 == 0), 80)
        mask = np.zeros(shape, dtype=bool) if i % 2 == 0 else rng.random(shape) < 0.01 * i
        pairs.append((rng.normal(0, 0.1, shape) + strength * mask * rng.random(shape), mask))
    pairs = [(a.astype(np.float32), mask) for a, mask in pairs]
    assert filled(pairs).counts().aupimo() == pytest.approx(brute_force_aupimo(pairs), abs=1e-3)


def test_aupimo_of_known_cases() -> None:
    good, bad = np.zeros((100, 100), dtype=bool), np.zeros((100, 100), dtype=bool)
    bad[:10, :10] = True
    empty = (np.zeros((100, 100)), good)
    half = np.where(bad & (np.arange(100) < 5), 1.0, -1.0)
    assert filled([empty, (bad.astype(float), bad)]).counts().aupimo() == 1.0
    assert filled([empty, (half, bad)]).counts().aupimo() == pytest.approx(0.5), "the rest lies below all good pixels"
    assert filled([empty, (half, bad), (bad * 1.0, bad)]).counts().aupimo() == pytest.approx(0.75), "a mean of photos"
    noisy = np.zeros((100, 100))
    noisy[0, :2] = 2.0  # a rate of 2e-4 before any defective pixel is found
    assert filled([(noisy, good), (bad.astype(float), bad)]).counts().aupimo() == 0.0
    assert filled([(half, bad)]).counts().aupimo() is None, "no photo without a defect"


def test_pro_of_known_cases() -> None:
    mask = np.zeros((10, 10), dtype=bool)
    mask[0, 0] = mask[4:9, 4:9] = True  # regions of 1 and of 25 pixels weigh the same
    perfect, small_missed = mask.astype(np.float32), mask.astype(np.float32)
    small_missed[0, 0] = -1  # below every good pixel
    assert filled([(perfect, mask)]).counts().pro() == pytest.approx(1.0)
    # The large region is found at no cost; the small one only once all good pixels are called defective.
    assert filled([(small_missed, mask)]).counts().pro() == pytest.approx(0.5)
    assert filled([(np.zeros((10, 10)), mask)]).counts().pro() == pytest.approx(0.15)  # chance: half of the limit


@pytest.mark.parametrize("value", [False, True])
def test_pixels_of_one_class_have_no_metric(value: bool) -> None:
    counts = filled([(np.random.default_rng(0).random((8, 9)), np.full((8, 9), value))]).counts()
    assert values(counts) == [None] * len(METRICS)


def test_no_photos_have_no_pixel_metric() -> None:
    histogram = PixelHistogram()
    assert values(histogram.counts()) == [None] * len(METRICS) and histogram.error("auroc") == 0


def test_image_counts_have_no_regions() -> None:
    counts = ScoreCounts.of([0, 1], [0.0, 1.0])
    assert counts.pro() is None and counts.aupimo() is None


def test_memory_does_not_grow_with_the_photos() -> None:
    rng, histogram = np.random.default_rng(1), PixelHistogram(1000)
    for i in range(40):
        mask = rng.random((64, 64)) < 0.1 * (i % 2)
        histogram.add(rng.normal(0, 10.0**i / 1e20, (64, 64)), mask)
    assert (
        len(histogram.counts().good) <= 2000
        and histogram.counts().good.sum() + histogram.counts().defective.sum() == 40 * 64**2
    )
