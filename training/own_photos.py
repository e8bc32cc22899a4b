"""One's own photos of a product: recognised, read, and split into those to learn from and those held out."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from assistant import UserError
from assistant.evaluation.results import remark
from assistant.images import load_image
from assistant.layouts import Photo, Product, read_products
from training.config import DataConfig

HELD_OUT_GOOD, HELD_OUT_BAD = 0.2, 0.5  # shares; defects teach little that synthetic ones do not, and test much
LEAST_GOOD = 5  # on fewer nothing can be learnt and tested that references alone do not give
LONGEST = 512  # pixels a side at which photos are kept and broken: twice what the encoder of `tiny` sees


@dataclass(frozen=True)
class Shot:
    """A photo in memory: `image` (H, W, 3) uint8, longest side at most `LONGEST`; `mask` (H, W) bool or None."""

    path: Path
    image: np.ndarray
    kind: str | None = None
    mask: np.ndarray | None = None


@dataclass(frozen=True)
class OwnPhotos:
    """The photos of one product: `good` and `bad` to learn from, `held_good` and `held_bad` to judge the outcome by."""

    name: str
    layout: str
    good: tuple[Shot, ...]
    bad: tuple[Shot, ...]
    held_good: tuple[Shot, ...]
    held_bad: tuple[Shot, ...]


def read_own_photos(data: DataConfig) -> OwnPhotos:
    """Recognise the layout of `data.root`, read the photos of one product and hold some out.

    The layout's own test photos are held out where it has any. Otherwise a share of the photos is, chosen by a hash of
    their content, so that more photos later leave most of them where they are. A photo that cannot be read is told
    and left out, and so is a second copy of one.

    Raises:
        UserError: nothing recognised, several products and none named, or too few good photos.
    """
    layout, products = read_products(data.root, data.layout)
    product = _choose(products, data)
    photos = _without_copies(product.photos)
    good, held_good = (_read(part) for part in split([p for p in photos if not p.defective], HELD_OUT_GOOD))
    bad, held_bad = (_read(part) for part in split([p for p in photos if p.defective], HELD_OUT_BAD))
    if len(good) < LEAST_GOOD - 1 or not held_good:
        raise UserError(
            f"{data.root} holds {len(good)} good photos to learn from and {len(held_good)} to test with",
            f"give at least {LEAST_GOOD} different good photos; with fewer, name them with --reference",
        )
    return OwnPhotos(product.name, layout, tuple(good), tuple(bad), tuple(held_good), tuple(held_bad))


def split(photos: Sequence[Photo], share: float) -> tuple[list[Photo], list[Photo]]:
    """The photos to learn from and those held out: the layout's test photos, else `share` by the hash of content."""
    if any(photo.split == "test" for photo in photos):
        return [p for p in photos if p.split != "test"], [p for p in photos if p.split == "test"]
    ordered = sorted(photos, key=lambda photo: _digest(photo.path))
    count = max(1, round(share * len(ordered))) if len(ordered) > 1 else 0
    return sorted(ordered[count:], key=lambda p: p.path), sorted(ordered[:count], key=lambda p: p.path)


def _choose(products: Sequence[Product], data: DataConfig) -> Product:
    names = [product.name for product in products]
    if data.product is not None:
        if data.product not in names:
            raise UserError(f"{data.root} holds no product {data.product!r}", f"name one of {', '.join(names)}")
        return products[names.index(data.product)]
    if len(products) > 1:
        raise UserError(
            f"{data.root} holds {len(products)} products, and a model is tuned to one",
            f"add data.product=NAME, one of {', '.join(names)}",
        )
    return products[0]


def _without_copies(photos: Sequence[Photo]) -> list[Photo]:
    """Each content once: copies on both sides of the split would flatter the outcome."""
    seen: dict[str, Photo] = {}
    for photo in photos:
        known = seen.setdefault(_digest(photo.path), photo)
        if known is not photo:
            remark(f"left out: {photo.path} is a copy of {known.path}")
            if known.defective != photo.defective:
                raise UserError(f"{known.path} and {photo.path} are the same photo", "it is good or bad, not both")
    return list(seen.values())


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return f"unreadable {path}"  # told, and left out, when its pixels are wanted


def _read(photos: Sequence[Photo]) -> list[Shot]:
    shots = []
    for photo in photos:
        try:
            image = load_image(photo.path)
            factor = min(1.0, LONGEST / max(image.shape[:2]))
            size = tuple(max(8, round(side * factor)) for side in image.shape[1::-1])
            mask = None if photo.mask is None else photo.mask((size[1], size[0]))
        except UserError as error:
            remark(f"left out {photo.path}: {error}")
            continue
        if mask is not None and not mask.any():
            remark(f"the mask of {photo.path} is empty: where its defect is, is not known")
            mask = None
        small = image if factor == 1 else cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        shots.append(Shot(photo.path, small, photo.kind, mask))
    return shots
