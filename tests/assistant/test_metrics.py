"""Metrics against scikit-learn, against brute force, and on the cases where they do not exist."""

import numpy as np
import pytest
from scipy import ndimage
from sklearn import metrics as sklearn

from assistant.evaluation import metrics
from assistant.evaluation.metrics import PixelHistogram, ScoreCounts

RNG = np.random.default_rng(5)
SCORES = {
    "random": RNG.random(300),
    "ties": RNG.integers(0, 4, 300) / 4,
    "all equal": np.full(300, 0.3),
    "outside [0, 1]": RNG.normal(-50, 1000, 300),
    "tiny steps": 1000 + 1e-4 * RNG.random(300),
}


@pytest.fixture(params=SCORES)
def items(request: pytest.FixtureRequest) -> tuple[np.ndarray, np.ndarray]:
    """Labels (300,) and scores (300,) that have something to do with one another."""
    scores = SCORES[request.param]
    noise = np.random.default_rng(6).normal(0, scores.std() + 1e-9, 300)
    return (scores + noise > np.quantile(scores + noise, 0.7)).astype(int), scores


def best_f1(labels: np.ndarray, scores: np.ndarray) -> float:
    return max(sklearn.f1_score(labels, scores >= threshold) for threshold in np.unique(scores))


def test_image_metrics_equal_scikit_learn(items: tuple[np.ndarray, np.ndarray]) -> None:
    labels, scores = items
    assert metrics.auroc(labels, scores) == pytest.approx(sklearn.roc_auc_score(labels, scores), abs=1e-12)
    expected = sklearn.average_precision_score(labels, scores)
    assert metrics.average_precision(labels, scores) == pytest.approx(expected, abs=1e-12)
    assert metrics.f1_max(labels, scores) == pytest.approx(best_f1(labels, scores), abs=1e-12)


@pytest.mark.parametrize("label", [0, 1])
def test_one_class_has_no_ranking(label: int) -> None:
    labels, scores = [label] * 4, [0.1, 0.2, 0.3, 0.4]
    for metric in (metrics.auroc, metrics.average_precision, metrics.f1_max):
        assert metric(labels, scores) is None
    assert metrics.balanced_accuracy(labels, labels) is None and metrics.accuracy(labels, labels) == 1.0


def test_nothing_has_no_metric() -> None:
    for metric in (metrics.auroc, metrics.average_precision, metrics.f1_max, metrics.accuracy, metrics.ece):
        assert metric([], []) is None
    assert metrics.mean([]) is None and metrics.mean([None, 0.5, None, 1.0]) == 0.75


def test_a_score_that_is_no_number_is_not_swallowed() -> None:
    with pytest.raises(AssertionError, match="not a number"):
        metrics.auroc([0, 1], [0.1, float("nan")])
    with pytest.raises(AssertionError, match="not a number"):
        PixelHistogram().add(np.full((2, 2), np.nan), np.zeros((2, 2), dtype=bool))


def test_unsure_is_a_wrong_decision() -> None:
    labels, decisions = [0, 0, 0, 1], [0, 0, -1, 1]
    assert metrics.accuracy(labels, decisions) == 0.75
    assert metrics.balanced_accuracy(labels, decisions) == pytest.approx((2 / 3 + 1) / 2)


def test_balanced_accuracy_equals_scikit_learn() -> None:
    labels, decisions = RNG.random(100) < 0.2, RNG.random(100) < 0.4
    expected = sklearn.balanced_accuracy_score(labels, decisions)
    assert metrics.balanced_accuracy(labels.astype(int), decisions.astype(int)) == pytest.approx(expected)


def test_ece_of_known_cases() -> None:
    assert metrics.ece([0, 1, 1, 1], [0.75, 0.75, 0.75, 0.75]) == pytest.approx(0.0)
    assert metrics.ece([0, 0], [1.0, 1.0]) == 1.0
    # bins [0.2, 0.3): off by 0.25, two items; [0.9, 1]: off by 0.05, two items
    assert metrics.ece([0, 0, 1, 1], [0.25, 0.25, 0.9, 1.0]) == pytest.approx(0.15)
    chance = RNG.random(200_000)
    assert metrics.ece(RNG.random(200_000) < chance, chance) == pytest.approx(0.0, abs=0.01)


def photos(count: int = 6, *, scale: float = 1.0, offset: float = 0.0) -> list[tuple[np.ndarray, np.ndarray]]:
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


def filled(pairs: list[tuple[np.ndarray, np.ndarray]], capacity: int = 2**20) -> PixelHistogram:
    histogram = PixelHistogram(capacity)
    for anomaly_map, mask in pairs:
        histogram.add(anomaly_map, mask)
    return histogram


def flat(pairs: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    return np.concatenate([m.ravel() for _, m in pairs]), np.concatenate([a.ravel() for a, _ in pairs])


def brute_force_pro(pairs: list[tuple[np.ndarray, np.ndarray]], limit: float) -> float:
    """PRO by its definition: at every threshold, the mean share found of each 8-connected region."""
    regions = []
    for anomaly_map, mask in pairs:
        labelled, number = ndimage.label(mask, structure=np.ones((3, 3)))
        regions += [anomaly_map[labelled == i + 1] for i in range(number)]
    labels, scores = flat(pairs)
    normal = scores[~labels]
    thresholds = np.unique(scores)[::-1]
    rate = [0.0, *(float((normal >= t).mean()) for t in thresholds)]
    overlap = [0.0, *(float(np.mean([(region >= t).mean() for region in regions])) for t in thresholds)]
    fine = np.linspace(0, limit, 200_001)
    return float(np.trapezoid(np.interp(fine, rate, overlap), fine) / limit)


@pytest.mark.parametrize(("scale", "offset"), [(1, 0), (-300, 5), (1e-6, 0), (0.01, 1000)])
def test_pixel_metrics_equal_scikit_learn(scale: float, offset: float) -> None:
    pairs = photos(scale=scale, offset=offset)
    histogram, (labels, scores) = filled(pairs), flat(pairs)
    counts = histogram.counts()
    assert histogram.auroc_error() == 0
    assert counts.auroc() == pytest.approx(sklearn.roc_auc_score(labels, scores), abs=1e-9)
    assert counts.average_precision() == pytest.approx(sklearn.average_precision_score(labels, scores), abs=1e-9)


@pytest.mark.parametrize(("scale", "offset"), [(1, 0), (-300, 5), (1, 1000)])
def test_a_small_memory_keeps_its_error_bound(scale: float, offset: float) -> None:
    pairs = photos(scale=scale, offset=offset)
    histogram, (labels, scores) = filled(pairs, capacity=400), flat(pairs)
    counts, bound = histogram.counts(), histogram.auroc_error()
    assert len(counts.good) <= 400 < len(np.unique(scores)) and 0 < bound < 5e-3
    exact = sklearn.roc_auc_score(labels, scores)
    assert abs(counts.auroc() - exact) <= bound + 1e-12 and counts.auroc() == pytest.approx(exact, abs=1e-3)
    assert counts.average_precision() == pytest.approx(sklearn.average_precision_score(labels, scores), abs=1e-2)


def test_saturated_maps_keep_their_order() -> None:
    """Most scores exactly 0, the rest within a hair of 1, as a sigmoid gives them."""
    rng = np.random.default_rng(3)
    mask = rng.random((200, 200)) < 0.1
    scores = np.where(rng.random((200, 200)) < 0.5, 0.0, 1 - 1e-5 * rng.random((200, 200)) + 3e-6 * mask)
    pairs = [(scores.astype(np.float32), mask)]
    labels, values = flat(pairs)
    assert filled(pairs).counts().auroc() == pytest.approx(sklearn.roc_auc_score(labels, values), abs=1e-9)


@pytest.mark.parametrize("capacity", [300, 2**20])
def test_order_and_batches_do_not_change_the_result(capacity: int) -> None:
    pairs = photos()
    whole, other = filled(pairs, capacity), filled(pairs[::-1], capacity)
    steps = PixelHistogram(capacity)
    for pair in pairs:
        steps.add(*pair)
        steps.counts()  # looking does not disturb
    for histogram in (other, steps):
        for metric in ("auroc", "average_precision", "pro"):
            same = getattr(histogram.counts(), metric)()
            assert same == pytest.approx(getattr(whole.counts(), metric)(), abs=1e-12)


@pytest.mark.parametrize("limit", [0.3, 0.05])
def test_pro_equals_its_definition(limit: float) -> None:
    pairs = [(anomaly_map.round(3), mask) for anomaly_map, mask in photos()]  # few thresholds to try one by one
    assert filled(pairs).counts().pro(limit) == pytest.approx(brute_force_pro(pairs, limit), abs=1e-5)
    assert filled(pairs, capacity=200).counts().pro(limit) == pytest.approx(brute_force_pro(pairs, limit), abs=3e-3)


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
    assert counts.auroc() is None and counts.average_precision() is None and counts.pro() is None


def test_no_photos_have_no_pixel_metric() -> None:
    histogram = PixelHistogram()
    assert histogram.counts().auroc() is None and histogram.counts().pro() is None and histogram.auroc_error() == 0


def test_image_counts_have_no_regions() -> None:
    assert ScoreCounts.of([0, 1], [0.0, 1.0]).pro() is None
