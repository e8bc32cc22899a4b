"""The pictures that training draws from: folders of photos and rendered parts."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from assistant import UserError
from assistant.images import load_image
from data_gen.procedural import random_product

SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp"}


def find_pictures(folders: Sequence[str]) -> list[Path]:
    """All pictures below the folders, sorted, so that an index means the same picture on every machine.

    Raises:
        UserError: a folder does not exist or nothing was found in it.
    """
    found: list[Path] = []
    for folder in folders:
        pictures = sorted(p for p in Path(folder).rglob("*") if p.suffix.lower() in SUFFIXES)
        if not pictures:
            raise UserError(f"no pictures below {folder!r}", "name a folder that holds photos (jpg, png, ...)")
        found += pictures
    return found


def random_crop(
    image: np.ndarray,
    rng: np.random.Generator,
    size: int,
    smallest: float = 0.4,
    largest: float = 1.0,
    turn: bool = True,
) -> np.ndarray:
    """A random square part, (size, size, 3) uint8; with `turn` mirrored and turned by quarters at random.

    `smallest` and `largest` in (0, 1] bound the side of the part as a share of the photo's shorter side.
    """
    height, width = image.shape[:2]
    side = max(8, round(min(height, width) * rng.uniform(smallest, largest)))
    y, x = int(rng.integers(height - side + 1)), int(rng.integers(width - side + 1))
    part = cv2.resize(image[y : y + side, x : x + side], (size, size), interpolation=cv2.INTER_AREA)
    if not turn:
        return part
    part = np.rot90(part, int(rng.integers(4)))
    return np.ascontiguousarray(part[:, ::-1] if rng.random() < 0.5 else part)


def draw_picture(photos: Sequence[Path], rng: np.random.Generator, size: int, procedural_share: float) -> np.ndarray:
    """One training picture, (size, size, 3) uint8: a part of a photo or, with that share, a rendered part."""
    if not photos or rng.random() < procedural_share:
        return random_crop(random_product(rng).photo(rng, size), rng, size, smallest=0.7)
    return random_crop(load_image(photos[int(rng.integers(len(photos)))]), rng, size)
