"""Pixel scores of any number of photos, of any range, in bounded memory."""

from collections import defaultdict

import numpy as np
from scipy import ndimage

from assistant.evaluation.score_counts import ScoreCounts

DISTINCT_SCORES = 2**20  # what a `PixelHistogram` tells apart, of good and of defective pixels each
WAITING_PIXELS = 2**21  # sorted together; more would need more memory, fewer more merging


class KeySums:
    """Sums per integer key, of at most `capacity` keys: where there are more, all lose their last bits.

    No more bits are dropped than the set of keys ever seen demands, so their order does not matter.

    Attributes:
        keys: (N,) int32, rising and distinct, `dropped_bits` shorter than those that came in.
        sums: (columns, N) float64.
    """

    def __init__(self, columns: int, capacity: int) -> None:
        self.capacity = capacity
        self.dropped_bits = 0
        self.keys = np.empty(0, dtype=np.int32)
        self.sums = np.empty((columns, 0))

    def add(self, keys: np.ndarray, sums: np.ndarray) -> None:
        """Add (columns, M) sums at whole keys (M,) that rise, not necessarily strictly."""
        keys = np.concatenate([self.keys, keys >> self.dropped_bits])
        order = np.argsort(keys, kind="stable")  # merges two sorted runs in linear time
        self.keys, self.sums = _gather(keys[order], _ordered(np.concatenate([self.sums, sums], axis=1), order))
        if len(self.keys) > self.capacity:
            bits = _bits_to_drop(self.keys, self.capacity)
            self.dropped_bits += bits
            self.keys, self.sums = _gather(self.keys >> bits, self.sums)


class PixelHistogram:
    """Pixel scores of any number of photos in bounded memory, for the pixel metrics.

    Scores are kept as float32, as integers that rise with them, and counted exactly until there are more than
    `capacity` distinct ones; then the last bits of all are dropped, so that neighbours share an entry whatever
    the range of the scores. `error` says how far a metric may then be off. Neither the order of the photos nor
    how they are cut into batches changes the result.

    Args:
        capacity: distinct scores told apart, of good and of defective pixels each.
    """

    def __init__(self, capacity: int = DISTINCT_SCORES) -> None:
        self._good = KeySums(2, capacity)  # columns good, normal
        self._defective = KeySums(3, capacity)  # columns defective, regional, overlap
        self._waiting_good: dict[float, list[np.ndarray]] = defaultdict(list)  # weight in `normal` -> keys
        self._waiting_defective: list[tuple[np.ndarray, np.ndarray]] = []  # keys (N,), weights (3, N)
        self._waiting_pixels = 0

    def add(self, anomaly_map: np.ndarray, mask: np.ndarray) -> None:
        """Count one photo: anomaly_map (H, W) of finite scores, mask (H, W) bool, True where defective.

        A photo whose mask is empty is one without a defect.
        """
        assert anomaly_map.shape == mask.shape and mask.dtype == bool, (anomaly_map.shape, mask.shape, mask.dtype)
        keys = _keys(anomaly_map)
        if mask.any():
            self._waiting_good[0.0].append(keys[~mask])
            regions, _ = ndimage.label(mask, structure=np.ones((3, 3)))
            own = regions[mask]
            weight = 1.0 / np.maximum(np.bincount(own), 1)[own]
            weights = np.stack([np.ones(len(own)), weight, np.full(len(own), 1.0 / len(own))])
            self._waiting_defective.append((keys[mask], weights))
        elif keys.size:
            self._waiting_good[1.0 / keys.size].append(keys.ravel())
        self._waiting_pixels += keys.size
        if self._waiting_pixels > WAITING_PIXELS:
            self._merge()

    @property
    def exact(self) -> bool:
        """Is every float32 score still told apart?"""
        self._merge()
        return self._good.dropped_bits == self._defective.dropped_bits == 0

    def counts(self) -> ScoreCounts:
        """The counts so far; more photos may follow."""
        self._merge()
        parts = (self._good, self._defective)
        bits = max(part.dropped_bits for part in parts)
        keys = [part.keys >> (bits - part.dropped_bits) for part in parts]
        sums = np.zeros((5, len(keys[0]) + len(keys[1])))
        sums[:2, : len(keys[0])], sums[2:, len(keys[0]) :] = self._good.sums, self._defective.sums
        joined = np.concatenate(keys)
        order = np.argsort(joined, kind="stable")
        _, sums = _gather(joined[order], _ordered(sums, order))
        good, normal, defective, regional, overlap = sums[:, ::-1]
        return ScoreCounts(good, defective, regional, normal, overlap)

    def error(self, metric: str, *arguments: float) -> float:
        """How far `counts().METRIC(*arguments)` may be from its value over all float32 scores; 0 while exact.

        Within an entry the pixels' order is not known. All good ones before all defective ones is the worst
        case, the reverse the best one, and the true value lies between.
        """
        if self.exact:
            return 0.0
        counts = self.counts()
        best, worst = counts.ordered(best=True), counts.ordered(best=False)
        value, high, low = (getattr(each, metric)(*arguments) for each in (counts, best, worst))
        if value is None:
            return 0.0
        if metric == "average_precision":  # which also falls where defective pixels alone are ranked more finely
            low = _least_average_precision(counts)
        return float(max(high - value, value - low, 0.0))

    def _merge(self) -> None:
        """Bring what waits into the sums."""
        for weight, chunks in self._waiting_good.items():
            keys = np.sort(np.concatenate(chunks))
            starts = _starts(keys)
            count = np.diff(starts, append=len(keys))
            self._good.add(keys[starts], np.stack([count, count * weight]))
        if self._waiting_defective:
            keys = np.concatenate([keys for keys, _ in self._waiting_defective])
            weights = np.concatenate([weights for _, weights in self._waiting_defective], axis=1)
            for start in range(0, len(keys), WAITING_PIXELS):  # one photo may be larger than all that should wait
                part = slice(start, start + WAITING_PIXELS)
                order = np.argsort(keys[part])
                self._defective.add(*_gather(keys[part][order], _ordered(weights[:, part], order)))
        self._waiting_good.clear()
        self._waiting_defective.clear()
        self._waiting_pixels = 0


def _keys(scores: np.ndarray) -> np.ndarray:
    """Floats -> int32 in the same order, (H, W): IEEE bits sort as integers once the negatives are mirrored."""
    values = scores.astype(np.float32) + np.float32(0)  # -0.0 becomes 0.0, of which there is one
    assert np.isfinite(values).all(), "a score is not a number"
    bits = values.view(np.int32)
    return bits ^ ((bits >> 31) & np.int32(0x7FFFFFFF))


def _starts(keys: np.ndarray) -> np.ndarray:
    """Where each distinct one of rising keys (N,) begins."""
    return np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]])[: len(keys)])


def _ordered(sums: np.ndarray, order: np.ndarray) -> np.ndarray:
    """`sums[:, order]` of sums (C, N), row by row, which takes half the time."""
    result = np.empty((len(sums), len(order)))
    for row, out in zip(sums, result, strict=True):
        np.take(row, order, out=out, mode="clip")  # any mode but the default writes straight into `out`
    return result


def _gather(keys: np.ndarray, sums: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Add up the columns of sums (C, N) that share one of the rising keys (N,)."""
    starts = _starts(keys)
    if len(starts) == len(keys):
        return keys, sums
    result = np.empty((len(sums), len(starts)))
    for row, out in zip(sums, result, strict=True):
        np.add.reduceat(row, starts, out=out)
    return keys[starts], result


def _bits_to_drop(keys: np.ndarray, capacity: int) -> int:
    """The fewest last bits without which no more than `capacity` of the rising keys (N,) are distinct."""
    differing = (keys[1:] ^ keys[:-1]).view(np.uint32)
    length = np.frexp(differing.astype(np.float64))[1]  # neighbours are the same once `length` bits are gone
    left = 1 + len(length) - np.cumsum(np.bincount(length, minlength=33))
    return int(np.argmax(left <= capacity))


def _least_average_precision(counts: ScoreCounts) -> float:
    """A floor of the average precision: each defective pixel at the precision from which its entry could fall."""
    before = np.cumsum(counts.defective) - counts.defective
    precision = before / np.maximum(before + np.cumsum(counts.good), 1)
    return float((counts.defective * precision).sum() / counts.defective.sum())
