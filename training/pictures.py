"""The pictures that training draws from: folders of photos and rendered parts."""

import logging
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from assistant import UserError
from assistant.images import load_image
from data_gen.procedural import random_product

SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp"}


NAMED = 20  # of the pictures that cannot be read, so many are named
THREADS = min(8, os.cpu_count() or 1)  # a picture of 100 megapixels takes 1 GB while it is decoded

log = logging.getLogger(__name__)


def find_pictures(folders: Sequence[str]) -> list[Path]:
    """All pictures below the folders, sorted, so that an index means the same picture on every machine.

    Each is decoded once here, so that nothing fails hours later; what cannot be read is named, counted and left out.

    Raises:
        UserError: a folder does not exist, or holds nothing that can be read.
    """
    found: list[Path] = []
    for folder in folders:
        pictures = sorted(p for p in Path(folder).rglob("*") if p.suffix.lower() in SUFFIXES)
        if not pictures:
            raise UserError(f"no pictures below {folder!r}", "name a folder that holds photos (jpg, png, ...)")
        found += readable(pictures, folder)
    return found


def readable(pictures: Sequence[Path], where: str) -> list[Path]:
    """Those of the pictures that can be decoded; the others are told as lying in `where`.

    Raises:
        UserError: none can.
    """
    with ThreadPoolExecutor(THREADS) as pool:
        faults = list(pool.map(_fault_now, pictures))
    bad = [fault for fault in faults if fault is not None]
    if len(bad) == len(pictures):
        raise UserError(
            f"none of the {len(bad)} pictures below {where!r} can be read, the first: {bad[0]}", "mend them"
        )
    if bad:
        more = "" if len(bad) <= NAMED else f"; and {len(bad) - NAMED} more"
        log.warning("%s: %d of %d pictures left out: %s", where, len(bad), len(pictures), "; ".join(bad[:NAMED]) + more)
    return [picture for picture, fault in zip(pictures, faults, strict=True) if fault is None]


def _fault_now(picture: Path) -> str | None:
    try:
        status = picture.stat()
    except OSError as error:  # a link to nowhere, or removed in this moment
        return f"{picture} cannot be read ({error.strerror})"
    return _fault(picture, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=1_000_000)
def _fault(picture: Path, size: int, changed: int) -> str | None:
    """What is wrong with a picture; remembered for as long as its file stays what it is."""
    try:
        load_image(picture)
    except UserError as error:
        return error.what
    return None


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
