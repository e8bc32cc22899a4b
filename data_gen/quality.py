"""How useful a synthetic sample is for training: neither indistinguishable from good photos nor unlike any photo.

In the spirit of the expected anomaly posterior (Perini et al. 2024, "Uncertainty-aware Evaluation of Auxiliary
Anomalies with the Expected Anomaly Posterior"): the posterior of "anomalous" under a density of good patches and a
broad one of plausible defects around them, with a prior that wins where both densities are low. So a change that
good photos show as well scores low, one far outside the data falls back to the prior, which is low too, and what lies
beyond the good patches but among them in kind scores high. All on patch statistics: no network is asked.
"""

from __future__ import annotations

import numpy as np

from data_gen.patches import patch_features, patches_of
from data_gen.product_statistics import ProductStatistics
from data_gen.synthesizers import Sample

LIKELY, WIDTH = 2.5, 0.8  # distance of a plausible defect over that of the oddest good patches; spread of its log
PRIOR = 0.05  # weight of knowing nothing, against densities that are 1 at their highest
LEAST_COVER = 0.02  # share of a patch that must have changed for the patch to count
DECISIVE = 4  # patches at least: a defect shows by its clearest few, as a detector's score does ...
DECISIVE_SHARE = 0.25  # ... but of many patches some are odd anyway


def quality(before: np.ndarray, sample: Sample, statistics: ProductStatistics) -> float:
    """Usefulness of a sample in [0, 1]: that of its least useful defect.

    Args:
        before: the good photo it was made from, (H, W, 3) uint8.
        sample: the photo with defects.
        statistics: of the product's good photos.
    """
    features, good = patch_features(sample.image), patch_features(before)
    distances = statistics.distances(features)
    moved = np.sqrt((((features - good) / statistics.scale) ** 2).sum(2)) / statistics.usual
    return min(_posterior(_strength(mask, distances, moved)) for _, mask in sample.defects)


def _strength(mask: np.ndarray, distances: np.ndarray, moved: np.ndarray) -> float:
    """How far the clearest patches of a defect are from good ones, over what is usual; 0 where none changed.

    No patch is further from the good ones than from itself before the defect, which is good too.
    """
    cover = patches_of(mask)
    touched = cover >= min(LEAST_COVER, float(cover.max()))
    found = np.minimum(distances, moved)[touched]
    return float(np.sort(found)[-max(DECISIVE, round(DECISIVE_SHARE * len(found))) :].mean())


def _posterior(strength: float) -> float:
    """Expected posterior of "anomalous" at a distance over `usual`."""
    good = float(np.exp(-0.5 * (1.5 * strength) ** 2))  # a good patch in thirty reaches 1
    defect = float(np.exp(-0.5 * (np.log(max(strength, 1e-6) / LIKELY) / WIDTH) ** 2))
    return defect / (defect + good + PRIOR)
