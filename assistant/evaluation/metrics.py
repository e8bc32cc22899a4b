"""Metrics of labels beside scores, decisions or probabilities, one of each per item, and intervals over seeds.

Labels are 1 for defective and 0 for good; scores may have any range, higher is more anomalous. A metric
that does not exist, for want of a class or of a mask, is None and never a number that looks like one.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from assistant.evaluation.score_counts import ScoreCounts

CALIBRATION_BINS = 10  # test sets have about 100 photos: more bins would measure their emptiness


def auroc(labels: ArrayLike, scores: ArrayLike) -> float | None:
    """Area under the ROC curve in [0, 1] of labels (N,) and scores (N,); None where a class is missing."""
    return ScoreCounts.of(labels, scores).auroc()


def average_precision(labels: ArrayLike, scores: ArrayLike) -> float | None:
    """Average precision in [0, 1] of labels (N,) and scores (N,); None where a class is missing."""
    return ScoreCounts.of(labels, scores).average_precision()


def f1_max(labels: ArrayLike, scores: ArrayLike) -> float | None:
    """Best F1 over all thresholds in [0, 1] of labels (N,) and scores (N,); None where a class is missing."""
    return ScoreCounts.of(labels, scores).f1_max()


def accuracy(labels: ArrayLike, decisions: ArrayLike) -> float | None:
    """Share of right decisions (N,): 1 defective, 0 good, anything else (unsure) is wrong; None without items."""
    right = np.asarray(labels) == np.asarray(decisions)
    return float(right.mean()) if right.size else None


def balanced_accuracy(labels: ArrayLike, decisions: ArrayLike) -> float | None:
    """Mean of the accuracies on good and on defective items, (N,) each as in `accuracy`; None for one class."""
    truth, decided = np.asarray(labels), np.asarray(decisions)
    each = [accuracy(truth[truth == value], decided[truth == value]) for value in (0, 1)]
    return mean(each) if None not in each else None


def ece(labels: ArrayLike, probabilities: ArrayLike, bins: int = CALIBRATION_BINS) -> float | None:
    """Expected calibration error of the probability of "defective" (Naeini et al. 2015), in [0, 1].

    Over equally wide bins of probability (N,), the mean distance between the mean probability and the share
    of defective items, weighted by the items in the bin; None without items.
    """
    truth, chance = np.asarray(labels, dtype=np.float64), np.asarray(probabilities, dtype=np.float64)
    if not chance.size:
        return None
    assert ((chance >= 0) & (chance <= 1)).all(), "a probability is outside [0, 1]"
    index = np.minimum((chance * bins).astype(int), bins - 1)
    return float(np.abs(np.bincount(index, weights=chance - truth)).sum() / chance.size)


def mean(values: Sequence[float | None]) -> float | None:
    """Plain mean over what is not None; None where nothing is left."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def interval(values: Sequence[float | None], confidence: float = 0.95) -> tuple[float, float, float] | None:
    """(mean, low, high): Student's t interval of the mean of independent repeats, such as seeds.

    It takes the repeats for normally distributed, so near 0 and 1 it may reach beyond them. One repeat has no
    interval: None, as where a repeat is None.
    """
    known = [value for value in values if value is not None]
    if len(known) < 2 or len(known) < len(values):
        return None
    middle, spread = float(np.mean(known)), float(np.std(known, ddof=1))
    reach = float(special.stdtrit(len(known) - 1, (1 + confidence) / 2)) * spread / math.sqrt(len(known))
    return middle, middle - reach, middle + reach
