"""How many good and defective items lie at each score, and every ranking metric that follows from it.

Metrics are areas under paths of counts, so they are exact whatever the range of the scores, and photos of any
number come down to one set of counts. A metric that does not exist, for want of a class, is None.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

PRO_LIMIT = 0.3  # false positive rate up to which PRO is integrated (Bergmann et al. 2020)
AUPIMO_LIMITS = (1e-5, 1e-4)  # false positive rates between which AUPIMO is (Bertoldo et al. 2024)


@dataclass(frozen=True)
class ScoreCounts:
    """How many good and defective items have each distinct score, highest score first; all columns are (N,).

    Attributes:
        good: good items, at pixel level those of all photos.
        defective: defective items.
        regional: defective pixels, each weighing 1 / (pixels of its region); None at image level, as the rest.
        normal: pixels of photos without a defect, each weighing 1 / (pixels of its photo).
        overlap: defective pixels, each weighing 1 / (defective pixels of its photo).
    """

    good: np.ndarray
    defective: np.ndarray
    regional: np.ndarray | None = None
    normal: np.ndarray | None = None
    overlap: np.ndarray | None = None

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
        if self.regional is None or not (self.good.any() and self.regional.any()):
            return None
        return _area(_rising(self.good), _rising(self.regional), 0.0, limit)

    def aupimo(self, limits: tuple[float, float] = AUPIMO_LIMITS) -> float | None:
        """Mean over defective photos of the area under the per-image overlap (Bertoldo et al. 2024).

        A photo's overlap is the found share of its defective pixels, against the false positive rate averaged
        over photos without a defect (shared by all), on a logarithmic axis between `limits`, normalised. The
        area is linear in the overlap, so the area under the mean overlap is the mean area. Rates that too few
        good pixels cannot tell from zero get the overlap without any false alarm.
        """
        if self.normal is None or self.overlap is None or not (self.normal.any() and self.overlap.any()):
            return None
        rate, overlap = _rising(self.normal), _rising(self.overlap)
        first = int(np.argmax(rate > 0))
        low, high = np.log(limits)
        x, silent = np.log(rate[first:]), overlap[first - 1]
        path = np.concatenate([[min(low, x[0]), x[0]], x])
        return _area(path, np.concatenate([[silent, silent], overlap[first:]]), low, high)

    def ordered(self, *, best: bool) -> "ScoreCounts":
        """The counts if in each entry all defective items came before the good ones (`best`), or after them.

        Where an entry stands for several scores, the true path runs between the two.
        """

        def half(column: np.ndarray | None, *, first: bool) -> np.ndarray | None:
            if column is None:
                return None
            spread = np.zeros((len(column), 2), dtype=column.dtype)
            spread[:, 0 if first else 1] = column
            return spread.ravel()

        good, normal = (half(column, first=not best) for column in (self.good, self.normal))
        defective, regional, overlap = (
            half(column, first=best) for column in (self.defective, self.regional, self.overlap)
        )
        assert good is not None and defective is not None
        return ScoreCounts(good, defective, regional, normal, overlap)


def _rising(column: np.ndarray) -> np.ndarray:
    """Counts (N,) -> the share that lies at or above each score (N + 1,), from 0 to 1."""
    total = np.concatenate([[0.0], np.cumsum(column, dtype=np.float64)])
    return total / total[-1]


def _area(x: np.ndarray, y: np.ndarray, low: float, high: float) -> float:
    """Mean height of the path (x, y), both rising, between low and high; it may have vertical pieces."""
    start, stop = np.searchsorted(x, low, side="left"), np.searchsorted(x, high, side="right")
    ends = np.interp([low, high], x, y)
    inside = np.concatenate([[low], x[start:stop], [high]])
    return float(np.trapezoid(np.concatenate([ends[:1], y[start:stop], ends[1:]]), inside) / (high - low))
