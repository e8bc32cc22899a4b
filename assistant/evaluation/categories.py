"""The categories of a detection benchmark: test photos with their labels, and the references drawn for them."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from assistant import UserError
from assistant.layouts import Photo, Product, read_products


@dataclass(frozen=True)
class Category:
    """One product of a benchmark with its test photos in order, and its references."""

    name: str
    tests: tuple[Photo, ...]
    references: tuple[Path, ...]


def find_categories(data: Path, *, shots: int, seed: int) -> list[Category]:
    """The categories of a benchmark in any layout of `assistant.layouts`, with their references drawn.

    Raises:
        UserError: `data` is no folder or holds no test photos, or a category has fewer than `shots` photos
            to refer to.
    """
    _, products = read_products(data)
    found = [_category(product, shots, seed) for product in products]
    if not any(category.tests for category in found):
        raise UserError(f"{data} holds no test photos", "name a folder in MVTec-AD layout (CATEGORY/test/good/*.png)")
    return [category for category in found if category.tests]


def _category(product: Product, shots: int, seed: int) -> Category:
    """Where the layout has no split, all photos are tests but the good ones that are drawn as references."""
    split = "test" if any(photo.split == "test" for photo in product.photos) else None
    pool = product.good("train" if split else None)
    references = draw_references([photo.path for photo in pool], shots, seed, product.name)
    tests = [photo for photo in product.photos if split in (None, photo.split) and photo.path not in references]
    return Category(product.name, tuple(tests), references)


def draw_references(good: Sequence[Path], shots: int, seed: int, name: str) -> tuple[Path, ...]:
    """`shots` of a category's good photos, the same for every run with this seed.

    Raises:
        UserError: there are fewer than `shots`.
    """
    pool = sorted(good)
    if len(pool) < shots:
        raise UserError(f"{name} holds {len(pool)} good photos to refer to, {shots} are asked for", "lower --shots")
    random.Random(seed).shuffle(pool)
    return tuple(pool[:shots])
