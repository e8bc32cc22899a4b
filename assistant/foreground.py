"""Where the part is in a photo, from that photo alone."""

from functools import cache

import cv2
import numpy as np

VIEW = 128  # the photo is looked at in this size


def foreground(image: np.ndarray) -> np.ndarray:
    """The part against a plain background, (H, W) bool; all True for a texture or a busy background.

    The background is what the frame shows when the frame is uniform; the part is what differs from it. Small
    windows of background inside the part count as part, a bore (over 0.8 % of the image) does not.
    """
    height, width = image.shape[:2]
    everything = np.ones((height, width), bool)
    if two_tones(image) is not None:
        return everything
    small = cv2.resize(image, (VIEW, VIEW), interpolation=cv2.INTER_AREA)
    lab = cv2.GaussianBlur(cv2.cvtColor(small, cv2.COLOR_RGB2LAB), (0, 0), 1).astype(np.float32)
    frame, plane, fit = _frame()
    background = plane @ (fit @ lab[frame])  # light falls off across a plain background
    distance = np.maximum.reduce(cv2.split(cv2.absdiff(lab, background)))
    spread = float(np.median(distance[frame]))
    part = (distance > max(4 * spread, 11)).astype(np.uint8)
    part = cv2.morphologyEx(part, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (7, 7)))
    part = _without_specks(_without_specks(part, 0.015), 0.008, inverse=True)
    if spread > 8 or not 0.02 < part.mean() < 0.93 or part[frame].mean() > 0.35:
        return everything
    # clouds on a texture differ little; what crosses the frame (traces of a board) must differ more
    if float(np.mean(distance[part > 0])) < max(6 * spread, 18 + 100 * min(float(part[frame].mean()), 0.25)):
        return everything
    return cv2.resize(part, (width, height), interpolation=cv2.INTER_LINEAR) > 0


@cache
def _frame() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(V, V) bool, five pixels along the border; a plane's basis (V, V, 3); what fits a plane to the frame, (3, n)."""
    frame = np.ones((VIEW, VIEW), bool)
    frame[5:-5, 5:-5] = False
    rows, columns = np.indices((VIEW, VIEW), np.float32) / (VIEW / 2) - 1
    plane = np.stack([np.ones_like(rows), rows, columns], 2)
    return frame, plane, np.linalg.pinv(plane[frame])


def _without_specks(mask: np.ndarray, share: float, inverse: bool = False) -> np.ndarray:
    """A uint8 mask without regions (with `inverse`: without gaps) smaller than `share` of the image."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(1 - mask if inverse else mask)
    keep = stats[:, cv2.CC_STAT_AREA] >= share * mask.size
    keep[0] = False
    kept = keep[labels].astype(np.uint8)
    return 1 - kept if inverse else kept


def two_tones(image: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """The (dark, light) colours, (3,) uint8 each, of artwork with only two grey values; None for a photo."""
    step = max(min(image.shape[:2]) // 100, 1)  # a hundred rows are enough to tell
    sample = image[::step, ::step].reshape(-1, 3).astype(np.float32)
    grey = sample @ np.full(3, 1 / 3, np.float32)
    if ((grey > 84) & (grey < 171)).mean() >= 0.12:
        return None  # more than the artwork below may have between its tones; spares most photos the medians
    bright = grey > (float(grey.min()) + float(grey.max())) / 2
    if float(grey.max() - grey.min()) < 120 or not bright.any():
        return None
    dark, light = np.median(sample[~bright], 0), np.median(sample[bright], 0)
    if dark.mean() > 60 or light.mean() < 195 or max(float(np.ptp(dark)), float(np.ptp(light))) > 25:
        return None  # artwork is black and white; a grey washer on black cloth is not
    off = np.abs(sample - np.where(bright[:, None], light, dark)).max(1)
    flat = all(np.median(off[tone]) <= 6 and (off[tone] < 24).mean() > 0.7 for tone in (bright, ~bright))
    # thin traces have up to 30 % soft edge pixels of their own tone, dense artwork 12 % of all
    return (dark.astype(np.uint8), light.astype(np.uint8)) if flat and (off < 24).mean() > 0.88 else None
