"""Training scenes: a photo of a part, good or with synthetic or real defects, and normal photos of the same product."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from torch.utils.data import Dataset

from assistant.images import load_image
from assistant.inspection import KINDS
from data_gen.procedural import random_product
from data_gen.synthesizers import NothingVisible, synthesize
from data_gen.variation import vary
from training.pictures import find_pictures, random_crop
from training.real_photos import read_defect, read_real, stretched

Rng = np.random.Generator
REAL_SHARE = 0.3  # of the scenes, where there are real defects; more, and a few photos would be learnt by heart
FREE_POSE = 0.12  # of the scenes made of good photos: every view is turned by an angle of its own
LIGHT = ("illumination", "white balance", "noise")  # what may change on a photo whose mask must still fit


@dataclass(frozen=True)
class Scene:
    """One example.

    `photo` (S, S, 3) uint8; `kinds` (S, S) uint8, 0 where normal and 1 + index into `KINDS` where
    defective, or `UNNAMED` or `UNKNOWN` (see `real_photos`); `references` are 0 to a few normal photos of the size of
    `photo`.
    """

    photo: np.ndarray
    kinds: np.ndarray
    references: tuple[np.ndarray, ...]

    @property
    def defective(self) -> bool:
        return bool(self.kinds.any())


class Scenes(Dataset):
    """An endless stream of scenes; scene i depends on seed and i alone.

    Args:
        photos: folders of unrelated pictures: each picture is a product of its own, whose references
            are other views or other parts of it.
        products: folders of good photos of one product each.
        size: side of the photos, in pixels.
        max_references: at most so many references.
        seed: of all random numbers.
        hardest: the difficulty of defects is drawn from 0 to this, in [0, 1].
        data: folders of labelled photos in any layout; their good ones are further products.
        real_share: of the scenes show products of `data` as they are, half of them defective.
    """

    def __init__(
        self,
        photos: Sequence[str],
        products: Sequence[str],
        size: int,
        max_references: int,
        seed: int,
        hardest: float = 1.0,
        data: Sequence[str] = (),
        real_share: float = REAL_SHARE,
    ) -> None:
        self.photos = find_pictures(photos) if photos else []
        known = read_real(data)
        self.products = [find_pictures([folder]) for folder in products] + [list(p.good) for p in known if p.good]
        self.real, self.real_share = [product for product in known if product.bad], real_share
        self.size, self.max_references, self.seed, self.hardest = size, max_references, seed, hardest
        # Equally often, for each shows another way in which good photos of one product differ.
        self.sources: list[Callable[[Rng, int], list[np.ndarray]]] = [self._rendered]
        self.sources += [self._one_photo] if self.photos else []
        self.sources += [self._one_product] if self.products else []

    def __len__(self) -> int:
        return 10_000_000  # endless: the budget ends training

    def __getitem__(self, index: int) -> Scene:
        rng = np.random.default_rng((self.seed, index))
        # none, one and a few references are what people have; one is the commonest
        count = min(self.max_references, int(rng.choice(5, p=(0.15, 0.4, 0.2, 0.1, 0.15))))
        if self.real and rng.random() < self.real_share:
            return self._as_it_is(rng, count)
        draw = self.sources[int(rng.integers(len(self.sources)))]
        photo, *references = draw(rng, 1 + count)
        if rng.random() < FREE_POSE:  # parts that lie as they fell
            photo, *references = (_turned(view, rng) for view in (photo, *references))
        # Good photos differ by light and camera too, and none of that is a defect.
        if draw == self._one_photo or rng.random() < 0.5:
            photo, *references = (_again(view, rng) for view in (photo, *references))
        return self._finish(photo, references, rng)

    def _as_it_is(self, rng: Rng, count: int) -> Scene:
        """A real photo, defective or good, and others of its product; all turned the same way."""
        product = self.real[int(rng.integers(len(self.real)))]
        good = [product.good[i] for i in rng.permutation(len(product.good))]
        if len(good) > min(count, 1) and rng.random() < 0.5:  # a single good photo is worth more as a reference
            photo = stretched(load_image(good.pop()), self.size)
            kinds = np.zeros(photo.shape[:2], np.uint8)
        else:
            photo, kinds = read_defect(product.bad[int(rng.integers(len(product.bad)))], self.size)
        quarters, mirrored = int(rng.integers(4)), bool(rng.random() < 0.5)

        def turned(picture: np.ndarray) -> np.ndarray:
            picture = np.rot90(picture, quarters)
            return np.ascontiguousarray(picture[:, ::-1] if mirrored else picture)

        views = [turned(stretched(load_image(path), self.size)) for path in good[:count]]
        photo = vary(turned(photo), rng, strength=float(rng.uniform(0, 1)), only=LIGHT)
        return Scene(photo, turned(kinds), tuple(_again(view, rng) for view in views))

    def _finish(self, photo: np.ndarray, references: list[np.ndarray], rng: Rng) -> Scene:
        """Break the photo in a bit more than half of the cases."""
        kinds = np.zeros(photo.shape[:2], np.uint8)
        if rng.random() < 0.6:
            try:
                sources = (*references[:1], *self._foreign(rng))
                difficulty = float(rng.uniform(0, self.hardest))
                count = int(rng.choice([1, 1, 1, 2, 3]))
                sample = synthesize(photo, rng, count=count, difficulty=difficulty, sources=sources)
            except NothingVisible:
                return Scene(photo, kinds, tuple(references))
            photo = sample.image
            for kind, mask in sample.defects:
                kinds[mask] = 1 + KINDS.index(kind)
        return Scene(photo, kinds, tuple(references))

    def _foreign(self, rng: Rng) -> list[np.ndarray]:
        """Half of the time an unrelated photo, whose texture may show up in a defect."""
        if not self.photos or rng.random() < 0.5:
            return []
        return [random_crop(load_image(self.photos[int(rng.integers(len(self.photos)))]), rng, self.size)]

    def _rendered(self, rng: Rng, count: int) -> list[np.ndarray]:
        """Photos of different pieces of one rendered product."""
        product = random_product(rng)
        return [product.photo(rng, self.size) for _ in range(count)]

    def _one_photo(self, rng: Rng, count: int) -> list[np.ndarray]:
        """Views of one picture: either the same part under other light and pose, or, as for a surface
        without layout, other parts of it."""
        image = load_image(self.photos[int(rng.integers(len(self.photos)))])
        if rng.random() < 0.15:
            side = float(rng.uniform(0.35, 0.6))
            scaled = [random_crop(image, rng, self.size, smallest=side, largest=side, turn=False) for _ in range(count)]
        else:
            scaled = [random_crop(image, rng, self.size)] * count
        return scaled

    def _one_product(self, rng: Rng, count: int) -> list[np.ndarray]:
        """Different good photos of one real product; all turned the same way, half of the time cropped alike."""
        folder = self.products[int(rng.integers(len(self.products)))]
        chosen = rng.choice(len(folder), size=count, replace=len(folder) < count)
        seed = int(rng.integers(2**32))
        smallest = 1.0 if rng.random() < 0.5 else 0.5
        return [
            random_crop(load_image(folder[i]), np.random.default_rng(seed), self.size, smallest=smallest)
            for i in chosen
        ]


def _turned(photo: np.ndarray, rng: Rng) -> np.ndarray:
    """The photo turned about its middle by any angle; the border reflects."""
    height, width = photo.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), float(rng.uniform(0, 360)), 1.0)
    return cv2.warpAffine(photo, turn, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)


def _again(photo: np.ndarray, rng: Rng) -> np.ndarray:
    """The same part photographed again, with more or less care."""
    return vary(photo, rng, strength=float(rng.uniform(0.2, 1.3)))
