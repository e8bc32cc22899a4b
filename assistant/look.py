"""How a region looks against its surroundings: brighter or darker, thin, compact or irregular."""

from collections.abc import Sequence

import numpy as np
from scipy import ndimage


def ring_width(shape: Sequence[int]) -> int:
    """Width in pixels of the surroundings that a region is compared with, for a photo of `shape` (H, W)."""
    return max(2, round(0.03 * max(shape[0], shape[1])))


def contrast_of(mask: np.ndarray, grey: np.ndarray, width: int) -> float:
    """Median grey of a region minus that of the ring of `width` pixels around it; 0 where there is no ring.

    `mask` (h, w) bool and `grey` (h, w) may be a window of the photo that leaves `width` pixels on every side.
    """
    away = ndimage.distance_transform_cdt(~mask, metric="taxicab")
    ring = (away > 0) & (away <= width)
    return float(np.median(grey[mask]) - np.median(grey[ring])) if ring.any() else 0.0


def tone_of(contrast: float) -> str:
    """Brightness against the surroundings in a word; under 6 grey levels of 255 is no difference."""
    return "similar" if abs(contrast) < 6 else ("brighter" if contrast > 0 else "darker")


def spread_of(mask: np.ndarray) -> np.ndarray:
    """Covariance (2, 2) of a region's pixels (y, x), each taken as a unit square; needs two pixels or more."""
    down, across = np.count_nonzero(mask, axis=1), np.count_nonzero(mask, axis=0)
    y, x = np.arange(len(down), dtype=np.float64), np.arange(len(across), dtype=np.float64)
    area = int(down.sum())
    y -= down @ y / area
    x -= across @ x / area
    both = y @ mask.astype(np.float64) @ x
    return np.array([[down @ y**2, both], [both, across @ x**2]]) / (area - 1) + np.eye(2) / 12


def shape_of(area: int, spread: np.ndarray) -> str:
    """Shape from a region's area in pixels and their spread (2, 2): long and thin, compact, or irregular."""
    low, high = np.linalg.eigvalsh(spread)
    if high / low > 9:  # ratio of variances: three times as long as wide
        return "thin"
    ellipse = 4 * np.pi * float(np.sqrt(low * high))  # area of the ellipse of equal moments
    return "compact" if area / ellipse > 0.8 else "irregular"
