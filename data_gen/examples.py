"""Ready examples for the page: a photo and three good parts of the same product, made by our own generator."""

import functools

import numpy as np

from data_gen.procedural import Product
from data_gen.synthesizers import synthesize

# Caption, family, product seed, photo seed, kind of defect: seeds chosen by eye, for a clear picture.
EXAMPLES = (
    ("Scratched nut", "hex nut", 3, 10, "scratch"),
    ("Broken cap", "bottle cap", 5, 11, "break"),
    ("Good board", "circuit board", 1, 9, None),
)
SIDE = 384  # pixels: sharp enough on a screen, and rendered in a twentieth of a second
REFERENCE_SEEDS = (100, 101, 102)


@functools.cache
def render(index: int) -> tuple[np.ndarray, list[np.ndarray]]:
    """Photo and references of `EXAMPLES[index]`, (SIDE, SIDE, 3) uint8 each."""
    _, family, design, seed, kind = EXAMPLES[index]
    product, rng = Product(family, design), np.random.default_rng(seed)
    photo = product.photo(rng, SIDE)
    references = [product.photo(np.random.default_rng(other), SIDE) for other in REFERENCE_SEEDS]
    return (synthesize(photo, rng, [kind], difficulty=0.2).image if kind else photo), references
