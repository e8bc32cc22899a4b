"""Maps that fire although the part is good, as a detector does at edges, glare and grain, and the truth beside them."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.random import Generator

from assistant.inspection import Inspection
from data_gen.facts import QUIET

MOST = 3  # spots in one map
PROBABILITY = (0.05, 0.45)  # a calibrated detector doubts, but less than half


def false_alarm(
    photo: np.ndarray, rng: Generator, *, image: str, references: int, product: str | None = None
) -> Inspection:
    """The Inspection of a good photo (H, W, 3) uint8 whose anomaly map shows activation that means nothing.

    The truth stands in verdict and regions: "good", none. The false alarm is in `anomaly_map`, one to three soft
    spots with peaks of 0.3 to 0.8 where the photo is busiest, and in a raised `probability`, higher with the peak.
    """
    height, width = photo.shape[:2]
    grid = 32
    light = cv2.resize(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY), (2 * grid, 2 * grid), interpolation=cv2.INTER_AREA)
    busy = np.abs(cv2.Laplacian(light, cv2.CV_32F)).reshape(grid, 2, grid, 2).mean((1, 3)).ravel() + 1.0
    peaks = rng.uniform(0.3, 0.8, int(rng.integers(1, MOST + 1)))
    x, y = np.arange(width, dtype=np.float32)[None], np.arange(height, dtype=np.float32)[:, None]
    anomaly_map = np.full((height, width), QUIET, np.float32)
    for place, peak in zip(rng.choice(grid * grid, len(peaks), p=busy / busy.sum()), peaks, strict=True):
        row, column = (place // grid + 0.5) / grid * height, (place % grid + 0.5) / grid * width
        tall, wide = rng.uniform(0.015, 0.06, 2) * max(height, width)
        spot = np.exp(-0.5 * ((x - column) / wide) ** 2) * np.exp(-0.5 * ((y - row) / tall) ** 2)
        np.maximum(anomaly_map, np.float32(peak) * spot, out=anomaly_map)
    low, high = PROBABILITY
    return Inspection(
        image=image, size=(width, height), verdict="good",
        probability=low + (high - low) * (float(peaks.max()) - 0.3) / 0.5, references=references, model="truth",
        notes=() if product is None else (f"product: {product}",), anomaly_map=anomaly_map,
    )  # fmt: skip
