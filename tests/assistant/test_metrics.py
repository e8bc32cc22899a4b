"""Metrics against scikit-learn, against brute force, and on the cases where they do not exist."""

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as sklearn

from assistant.evaluation import metrics
from assistant.evaluation.pixel_histogram import PixelHistogram

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


def test_interval_equals_students() -> None:
    values = [0.7, 0.74, 0.69, 0.8]
    low, high = stats.t.interval(0.95, 3, np.mean(values), stats.sem(values))
    assert metrics.interval(values) == pytest.approx((np.mean(values), low, high))
    assert metrics.interval([0.5, 0.5]) == (0.5, 0.5, 0.5)
    assert metrics.interval([0.5]) is None and metrics.interval([0.5, None, 0.6]) is None


def test_interval_covers_as_often_as_it_says() -> None:
    draws = np.random.default_rng(2).normal(0.8, 0.05, (2000, 3))
    bounds = [metrics.interval(list(draw)) for draw in draws]
    assert np.mean([low <= 0.8 <= high for _, low, high in bounds]) == pytest.approx(0.95, abs=0.02)
