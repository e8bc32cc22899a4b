"""Real defects for training: labelled folders in any layout -> photos, and what is known of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from assistant.images import load_image
from assistant.inspection import KINDS
from assistant.layouts import Photo, read_products
from assistant.layouts.masks import resized
from assistant.lexicon import TYPE, TYPES

# Beside 0 (normal) and 1 + index into `KINDS`, what a pixel of a training scene may be:
UNNAMED = 254  # defective, of a kind that has no name here
UNKNOWN = 255  # the photo is defective, and nobody says where


@dataclass(frozen=True)
class RealProduct:
    """One product with its good photos for training and all of its defective ones."""

    good: tuple[Path, ...]
    bad: tuple[Photo, ...]


def read_real(folders: Sequence[str]) -> list[RealProduct]:
    """The products in some folders, each in any of `assistant.layouts`.

    Good photos of a test split stay out; defective ones are taken from every split, for most layouts have them in
    none but the test's. What is trained on here is no measure of the outcome any more.

    Raises:
        UserError: no such folder, or no layout that is known.
    """
    products = [product for folder in folders for product in read_products(folder)[1]]
    return [
        RealProduct(tuple(p.path for p in product.good() if p.split != "test"), product.bad()) for product in products
    ]


def kind_number(word: str | None) -> int:
    """A folder's or annotation's own word for a defect -> 1 + index into `KINDS`, or `UNNAMED`.

    "scratch_large" is a scratch and "bent" a deformation; where no word is known, or several are, no kind is named.
    """
    text = " ".join((word or "").lower().replace("_", " ").replace("-", " ").split())
    if text in KINDS:
        return 1 + KINDS.index(text)
    found = {list(TYPES)[int((match.lastgroup or "t0")[1:])] for match in TYPE.finditer(text)}
    return 1 + KINDS.index(found.pop()) if len(found) == 1 else UNNAMED


def read_defect(photo: Photo, size: int) -> tuple[np.ndarray, np.ndarray]:
    """A defective photo (size, size, 3) uint8, stretched as in an inspection, and its kinds (size, size) uint8.

    A mask of another size than its photo is stretched over it, and a defect however small survives. A mask without a
    defect on a defective photo says as little as none.

    Raises:
        UserError: photo or mask cannot be read.
    """
    image = load_image(photo.path)
    mask = None if photo.mask is None else photo.mask(image.shape[:2])
    if mask is None or not mask.any():
        kinds = np.full((size, size), UNKNOWN, np.uint8)
    else:
        kinds = np.where(resized(mask, (size, size)), kind_number(photo.kind), 0).astype(np.uint8)
    return stretched(image, size), kinds


def stretched(image: np.ndarray, size: int) -> np.ndarray:
    """The whole photo (H, W, 3) as a square, (size, size, 3) uint8."""
    return cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)
