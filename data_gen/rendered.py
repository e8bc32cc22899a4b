"""Rendered products for who has no photos: a new one for every few samples."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.random import Generator

from data_gen.normals import Picture, Scene, encode
from data_gen.procedural import random_product
from data_gen.product_statistics import ProductStatistics

BLOCK = 25  # samples of one rendered product: enough to be a test set, few enough to see many products
POOL = 8  # reference photos of a rendered product, shared by its block
_POOL, _PRODUCT = 1, 2  # tell the streams of random numbers of a block apart, and from those of a sample


@dataclass(frozen=True)
class Rendered:
    """Rendered products, one for each `BLOCK` samples; photos are (size, size, 3)."""

    seed: int
    size: int
    product: str | None = None

    def scene(self, index: int, rng: Generator, references: int) -> Scene:
        block = index // BLOCK
        product = random_product(np.random.default_rng((self.seed, block, _PRODUCT)))
        group = f"{product.family.replace(' ', '_')}-{block:06d}"
        chosen = rng.permutation(POOL)[:references]
        pool = _pool(self.seed, block, self.size, group) if references else ()
        return Scene(
            name=f"{group}/{index:08d}.png", group=group, product=self.product or product.family,
            photo=product.photo(rng, self.size), references=tuple(pool[i] for i in chosen),
        )  # fmt: skip

    def statistics(self, index: int, scene: Scene) -> ProductStatistics:
        return _rendered_statistics(self.seed, index // BLOCK, self.size, scene.group)

    @property
    def digest(self) -> str:
        return "rendered"


@lru_cache(maxsize=4)
def _pool(seed: int, block: int, size: int, group: str) -> tuple[Picture, ...]:
    product = random_product(np.random.default_rng((seed, block, _PRODUCT)))
    rng = np.random.default_rng((seed, block, _POOL))
    return tuple(Picture(f"{group}/reference-{number}.png", encode(product.photo(rng, size))) for number in range(POOL))


@lru_cache(maxsize=4)
def _rendered_statistics(seed: int, block: int, size: int, group: str) -> ProductStatistics:
    return ProductStatistics.from_normals(picture.pixels() for picture in _pool(seed, block, size, group))
