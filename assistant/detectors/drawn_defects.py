"""Plain defects drawn on photos of good parts: what the detector says of them tells where its line should lie.

They are no training data (that is `data_gen`'s, with measured facts); a dozen, blunt but everywhere, suffice to see
how far a defect stands out from what the good photos of a product score among themselves.
"""

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFilter

CONTRAST = (0.12, 0.4)  # of full scale: from faint to plain
MARGIN = 0.15  # of the side: a part seldom fills its photo to the edge


TURN, ZOOM, SHIFT, LIGHT = 4.0, 0.12, 0.04, 0.12  # degrees and shares by which another view may differ


def another_view(photo: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The photo, (S, S, 3) float32 in [0, 1], as if taken again by hand: moved, turned, nearer, in other light."""
    side = len(photo)
    move = cv2.getRotationMatrix2D((side / 2, side / 2), rng.uniform(-TURN, TURN), rng.uniform(1, 1 + ZOOM))
    move[:, 2] += rng.uniform(-SHIFT, SHIFT, 2) * side
    moved = cv2.warpAffine(photo, move, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    return np.clip(moved * rng.uniform(1 - LIGHT, 1 + LIGHT) + rng.uniform(-LIGHT, LIGHT) / 2, 0, 1).astype(np.float32)


def draw_defect(photo: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The photo, (S, S, 3) float32 in [0, 1], with a blot or a scratch of another tone, color or texture."""
    side = len(photo)
    mask = (_blot if rng.random() < 0.5 else _scratch)(side, rng)
    soft = mask.filter(ImageFilter.GaussianBlur(rng.uniform(0.5, 1.5)))
    share = np.asarray(soft, dtype=np.float32)[..., None] / 255
    return np.clip(photo * (1 - share) + _other(photo, rng) * share, 0, 1).astype(np.float32)


def _other(photo: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What is seen in the defect, in the shape of the photo."""
    sort = rng.integers(3)
    if sort == 0:  # brighter or darker
        return photo + rng.choice([-1, 1]) * rng.uniform(*CONTRAST)
    if sort == 1:  # another color
        return photo + rng.uniform(-CONTRAST[1], CONTRAST[1], 3)
    shift = rng.integers(len(photo) // 4, 3 * len(photo) // 4, 2)  # another place of the photo
    return np.roll(photo, tuple(shift), axis=(0, 1)) + rng.uniform(-CONTRAST[0], CONTRAST[0])


def _blot(side: int, rng: np.random.Generator) -> Image.Image:
    """A rough polygon, 4 to 12 % of the side across."""
    mask, center = Image.new("L", (side, side)), rng.uniform(MARGIN, 1 - MARGIN, 2) * side
    angles = np.linspace(0, 2 * np.pi, 8, endpoint=False)
    reach = rng.uniform(0.02, 0.06) * side * rng.uniform(0.6, 1.4, len(angles))
    corners = center + reach[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    ImageDraw.Draw(mask).polygon([(float(x), float(y)) for x, y in corners], fill=255)
    return mask


def _scratch(side: int, rng: np.random.Generator) -> Image.Image:
    """A bent line, 10 to 35 % of the side long."""
    mask, center = Image.new("L", (side, side)), rng.uniform(MARGIN, 1 - MARGIN, 2) * side
    angle, length = rng.uniform(0, np.pi), rng.uniform(0.1, 0.35) * side
    along = np.array([np.cos(angle), np.sin(angle)]) * length
    points = [center + along * share + rng.normal(0, 0.02 * side, 2) for share in (-0.5, 0, 0.5)]
    width = max(1, round(rng.uniform(0.008, 0.02) * side))
    ImageDraw.Draw(mask).line([(float(x), float(y)) for x, y in points], fill=255, width=width)
    return mask
