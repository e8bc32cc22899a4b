"""Anomaly scores -> a calibrated probability of "defective" and a threshold-free verdict."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Calibration:
    """Logistic calibration (Platt 1999) of image-level statistics, fitted once in training.

    It holds for every product: nothing in it is set per category. `weights` and `bias` act on a vector
    of statistics (see `detectors.fused`); probabilities inside the `unsure` band (low, high) give the
    verdict "unsure".
    """

    weights: tuple[float, ...] = (1.0,)
    bias: float = 0.0
    unsure: tuple[float, float] = (0.49, 0.51)

    def probability(self, statistics: np.ndarray) -> float:
        """Probability of "defective" in [0, 1] from a (F,) vector of statistics, F = len(weights)."""
        assert statistics.shape == (len(self.weights),), f"{statistics.shape} statistics, {len(self.weights)} weights"
        logit = float(np.dot(self.weights, statistics)) + self.bias
        return float(1.0 / (1.0 + np.exp(-np.clip(logit, -30.0, 30.0))))

    def verdict(self, probability: float) -> str:
        """Below the unsure band "good", above it "defective", inside "unsure"."""
        low, high = self.unsure
        if low < probability < high:
            return "unsure"
        return "defective" if probability >= 0.5 else "good"

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "Calibration":
        return cls(tuple(values["weights"]), float(values["bias"]), tuple(values["unsure"]))
