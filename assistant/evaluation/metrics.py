"""Metrics of detection and calibration, with numpy alone and in bounded memory.

Labels are 1 for defective and 0 for good; scores may have any range, higher is more anomalous. A metric
that does not exist, for want of a class or of a mask, is None and never a number that looks like one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import ndimage

PRO_LIMIT = 0.3  # false positive rate up to which PRO is integrated (Bergmann et al. 2020)
CALIBRATION_BINS = 10  # test sets have about 100 photos: more bins would measure their emptiness
DISTINCT_SCORES = 2**20  # what a `PixelHistogram` tells apart: 32 MiB, AUROC exact to about 1e-5


@dataclass(frozen=True)
class ScoreCounts:
    """How many good and defective items have each distinct score, highest score first.

    `good` and `defective` are (N,), N distinct scores; `regional` is (N,) too, each defective pixel
    weighing 1 / (pixels of its region), and counts nothing at image level.
    """

    good: np.ndarray
    defective: np.ndarray
    regional: np.ndarray | None = None

    @classmethod
    def of(cls, labels: ArrayLike, scores: ArrayLike) -> "ScoreCounts":
        """Labels (N,) of 0 and 1 and scores (N,) -> counts; equal scores share an entry."""
        truth, values = np.asarray(labels).astype(bool), np.asarray(scores, dtype=np.float64)
        assert truth.shape == values.shape and truth.ndim == 1, (truth.shape, values.shape)
        assert np.isfinite(values).all(), "a score is not a number"
        distinct, index = np.unique(-values, return_inverse=True)
        good, defective = (np.bincount(index[chosen], minlength=len(distinct)) for chosen in (~truth, truth))
        return cls(good, defective)

    def auroc(self) -> float | None:
        """Chance that a defective item scores above a good one; a tie counts one half."""
        if not (self.good.any() and self.defective.any()):
            return None
        below = self.good.sum() - np.cumsum(self.good) + self.good / 2
        return float((self.defective * below).sum() / (float(self.good.sum()) * float(self.defective.sum())))

    def average_precision(self) -> float | None:
        """Precision averaged over the steps of recall, without interpolation."""
        if not (self.good.any() and self.defective.any()):
            return None
        hits = np.cumsum(self.defective)
        precision = hits / np.maximum(hits + np.cumsum(self.good), 1)
        return float((self.defective * precision).sum() / hits[-1])

    def f1_max(self) -> float | None:
        """The best F1 of "defective" over all thresholds."""
        if not (self.good.any() and self.defective.any()):
            return None
        hits = np.cumsum(self.defective)
        return float((2 * hits / (hits + np.cumsum(self.good) + hits[-1])).max())

    def pro(self, limit: float = PRO_LIMIT) -> float | None:
        """Per-region overlap (Bergmann et al. 2020), normalised area under it up to `limit`.

        The overlap averages over regions, so small ones weigh as much as large ones, against the false
        positive rate over all good pixels of all photos.
        """
        if self.regional is None or not (self.good.any() and self.defective.any()):
            return None
        rate = np.concatenate([[0.0], np.cumsum(self.good) / self.good.sum()])
        overlap = np.concatenate([[0.0], np.cumsum(self.regional) / self.regional.sum()])
        inside = rate <= limit
        rate_inside = np.append(rate[inside], limit)
        overlap_inside = np.append(overlap[inside], np.interp(limit, rate, overlap))
        return float(np.trapezoid(overlap_inside, rate_inside) / limit)


class PixelHistogram:
    """Pixel scores of any number of photos in bounded memory, for the pixel metrics.

    Scores are kept as float32 and counted exactly until there are more than `capacity` distinct ones;
    then the last bit of all is dropped, again where need be, so that neighbours share an entry whatever
    the range of the scores. AUROC is then off by at most `auroc_error`. The result does not depend on
    the order of the photos nor on how they are cut into batches.

    Args:
        capacity: distinct scores told apart.
    """

    def __init__(self, capacity: int = DISTINCT_SCORES) -> None:
        self.capacity = capacity
        self._dropped_bits = 0
        self._keys = np.empty(0, dtype=np.int32)  # sorted, distinct
        self._counts = np.empty((3, 0))  # good, defective, regional
        self._waiting: list[tuple[np.ndarray, np.ndarray]] = []

    def add(self, anomaly_map: np.ndarray, mask: np.ndarray) -> None:
        """Count one photo: anomaly_map (H, W) of finite scores, mask (H, W) bool, True where defective."""
        assert anomaly_map.shape == mask.shape and mask.dtype == bool, (anomaly_map.shape, mask.shape, mask.dtype)
        keys = _ordered(anomaly_map) >> self._dropped_bits
        good, count = np.unique(keys[~mask], return_counts=True)
        regions, _ = ndimage.label(mask, structure=np.ones((3, 3)))
        own = regions[mask]
        weight = 1.0 / np.bincount(own, minlength=1)[own]
        self._waiting.append((good, np.stack([count, np.zeros(len(good)), np.zeros(len(good))])))
        self._waiting.append((keys[mask], np.stack([np.zeros(len(own)), np.ones(len(own)), weight])))
        if sum(len(keys) for keys, _ in self._waiting) > 2 * self.capacity:
            self._merge()

    def counts(self) -> ScoreCounts:
        """The counts so far; more photos may follow."""
        self._merge()
        good, defective, regional = self._counts[:, ::-1]
        return ScoreCounts(good, defective, regional)

    def auroc_error(self) -> float:
        """How far `counts().auroc()` may be from the exact value: pairs that share an entry, one half each."""
        counts = self.counts()
        pairs = float(counts.good.sum()) * float(counts.defective.sum())
        if self._dropped_bits == 0 or pairs == 0:
            return 0.0
        return float((counts.good * counts.defective).sum() / (2 * pairs))

    def _merge(self) -> None:
        """Bring what waits into the sorted counts, and drop bits until they fit."""
        keys = np.concatenate([self._keys, *(keys for keys, _ in self._waiting)])
        counts = np.concatenate([self._counts, *(counts for _, counts in self._waiting)], axis=1)
        self._waiting = []
        self._keys, self._counts = _gather(keys, counts)
        while len(self._keys) > self.capacity:
            self._dropped_bits += 1
            self._keys, self._counts = _gather(self._keys >> 1, self._counts)


def _ordered(scores: np.ndarray) -> np.ndarray:
    """Floats -> int32 in the same order, (H, W): IEEE bits sort as integers once the negatives are mirrored."""
    values = scores.astype(np.float32) + np.float32(0)  # -0.0 becomes 0.0, of which there is one
    assert np.isfinite(values).all(), "a score is not a number"
    bits = values.view(np.int32)
    return bits ^ ((bits >> 31) & np.int32(0x7FFFFFFF))


def _gather(keys: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Add up the columns of counts (3, N) that share a key: sorted distinct keys and their counts."""
    distinct, index = np.unique(keys, return_inverse=True)
    return distinct, np.stack([np.bincount(index, weights=row, minlength=len(distinct)) for row in counts])


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
