"""What the normal photos of a product have in common: where the part lies, and how good parts differ."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np

from assistant import UserError
from assistant.foreground import VIEW, foreground
from data_gen.patches import FEATURES, GRID, LEAST, patch_features

ALIGNED = 0.75  # share of all variation that the mean photo explains, from which a product always lies the same way
POOL = 3072  # patches kept at most, whatever the number of photos
PLACE = 12.0  # an aligned patch a quarter of the photo away is as far as one that differs by three deviations
NEAR = 8  # pixels in VIEW by which an aligned product may be off
LEAST_USUAL = 1.0  # in deviations; even products have patches that agree by far better than one can see


@dataclass(frozen=True, eq=False)
class ProductStatistics:
    """What the good photos of one product have in common and how they differ; made by `from_normals`.

    `foreground` (VIEW, VIEW) bool is where the part lies in most photos (all True for a texture), `agreement` in
    [0, 1] how far the photos agree pixel by pixel; `noise`, `texture` (local contrast on the part) and `variation`
    (between photos at one pixel) are in grey levels of 255. `patches` (n, F) are patch features of the photos,
    over `scale` (F,), with their place in the last two columns where the product is aligned; `usual` is the distance
    that the oddest patches of a good photo have from the other photos' patches.
    """

    count: int
    foreground: np.ndarray
    agreement: float
    noise: float
    texture: float
    variation: float
    patches: np.ndarray
    scale: np.ndarray
    usual: float

    @property
    def aligned(self) -> bool:
        """Does the product lie the same way in every photo?"""
        return self.agreement >= ALIGNED

    @classmethod
    def from_normals(cls, images: Iterable[np.ndarray]) -> ProductStatistics:
        """Read photos (H, W, 3) uint8 of good pieces one after the other; memory does not grow with their number.

        Raises:
            UserError: there are no photos.
        """
        tally = _Tally()
        for image in images:
            tally.add(image)
        if not tally.count:
            raise UserError("there are no good photos to learn the product from", "give one or more")
        return tally.finish()

    def where(self, image: np.ndarray) -> np.ndarray:
        """Where a defect may lie on this photo of the product, (H, W) bool; never empty.

        The photo's own outline is the sharper one; where the product is aligned, it must lie near the outline that
        the photos agree on, and gives way to it when it was not found at all or is quite another.
        """
        own = foreground(image)
        if not self.aligned or self.foreground.all():
            return own
        height, width = image.shape[:2]
        reach = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * NEAR + 1, 2 * NEAR + 1))
        usual = self.foreground.astype(np.uint8)
        usual, near = (
            cv2.resize(mask, (width, height), interpolation=cv2.INTER_LINEAR) > 0
            for mask in (usual, cv2.dilate(usual, reach))
        )
        part = own & near
        return part if (part & usual).sum() > 0.6 * (own | usual).sum() else usual

    def distances(self, features: np.ndarray) -> np.ndarray:
        """(GRID, GRID) float32: how far each patch of `patch_features` is from the nearest good one, over `usual`."""
        asked = placed(features, self.scale, self.aligned).reshape(GRID * GRID, -1)
        return (nearest(asked, self.patches) / self.usual).reshape(GRID, GRID)


def placed(features: np.ndarray, scale: np.ndarray, aligned: bool) -> np.ndarray:
    """Features (GRID, GRID, F) over `scale`, with their place as two more where the product is aligned."""
    scaled = features / scale
    if not aligned:
        return scaled
    rows, columns = np.indices((GRID, GRID), np.float32) * np.float32(PLACE / GRID)
    return np.concatenate([scaled, rows[..., None], columns[..., None]], 2)


def nearest(asked: np.ndarray, pool: np.ndarray, apart: np.ndarray | None = None) -> np.ndarray:
    """Euclidean distance (n,) from each row of `asked` (n, F) to the nearest of `pool` (m, F).

    `apart` (n, m) bool, if given, tells which pairs count.
    """
    square = (asked**2).sum(1)[:, None] + (pool**2).sum(1)[None] - 2 * asked @ pool.T
    if apart is not None:
        square = np.where(apart, square, np.inf)
    return np.sqrt(np.maximum(square.min(1), 0))


class _Tally:
    """Sums over photos, and a thinned pool of their patches."""

    def __init__(self) -> None:
        self.count = 0
        self.noise = self.texture = 0.0
        self.total, self.squares, self.votes = (np.zeros((VIEW, VIEW)) for _ in range(3))
        self.step = 1  # of all patches so far every step-th is kept
        self.pool: list[np.ndarray] = []  # (n, F + 3): features, photo, row, column
        self.kept = 0

    def add(self, image: np.ndarray) -> None:
        """Count one photo in."""
        grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        part = foreground(image)
        small = cv2.resize(grey, (VIEW, VIEW), interpolation=cv2.INTER_AREA).astype(np.float32)
        view = cv2.GaussianBlur(small, (0, 0), 1.5)  # a fine weave moved by half a pitch is the same weave
        view -= view.mean()
        self.total += view
        self.squares += view.astype(np.float64) ** 2
        self.votes += cv2.resize(part.astype(np.float32), (VIEW, VIEW), interpolation=cv2.INTER_AREA)
        self.noise += noise_of(grey)
        spread = cv2.blur(small * small, (8, 8)) - cv2.blur(small, (8, 8)) ** 2
        inside = self.votes > 0.5 * self.count
        self.texture += float(np.sqrt(np.maximum(spread, 0))[inside].mean())
        self._keep(patch_features(image))
        self.count += 1

    def _keep(self, features: np.ndarray) -> None:
        rows, columns = np.indices((GRID, GRID), np.float32)
        about = np.stack([np.full_like(rows, self.count), rows, columns], 2)
        self.pool.append(
            np.concatenate([features, about], 2).reshape(GRID * GRID, -1)[self.count % self.step :: self.step]
        )
        self.kept += len(self.pool[-1])
        if self.kept > 2 * POOL:
            self.pool = [np.concatenate(self.pool)[::2]]
            self.kept, self.step = len(self.pool[0]), self.step * 2

    def finish(self) -> ProductStatistics:
        """The statistics of all photos so far."""
        mean = self.total / self.count
        within = np.maximum(self.squares / self.count - mean**2, 0) * self.count / max(self.count - 1, 1)
        agreement = 1 - float(within.mean() / max(self.squares.mean() / self.count, 1e-6))
        agreement = float(np.clip(agreement, 0, 1)) if self.count > 1 else 0.0
        part = self.votes > 0.5 * self.count
        everything = agreement < ALIGNED or not part.any()
        pool = np.concatenate(self.pool)
        pool = pool[:: -(-len(pool) // POOL)]
        features, about = pool[:, : len(FEATURES)], pool[:, len(FEATURES) :]
        scale = np.maximum(features.std(0), LEAST)
        patches = features / scale
        if agreement >= ALIGNED:
            patches = np.concatenate([patches, about[:, 1:] * np.float32(PLACE / GRID)], 1)
        return ProductStatistics(
            self.count, np.ones_like(part) if everything else part, agreement, self.noise / self.count,
            self.texture / self.count, float(np.sqrt(within[part].mean())) if part.any() else 0.0,
            patches, scale, _usual(patches, about),
        )  # fmt: skip


def _usual(patches: np.ndarray, about: np.ndarray) -> float:
    """The distance that one good patch in thirty exceeds, from the patches of all other photos.

    With a single photo the other patches are those that do not overlap it. `about` (n, 3): photo, row, column.
    """
    single = bool((about[:, 0] == about[0, 0]).all())
    found = []
    for start in range(0, len(patches), 512):
        part = slice(start, start + 512)
        apart = about[part, :1] != about[None, :, 0]
        if single:
            apart = np.abs(about[part, None, 1:] - about[None, :, 1:]).max(2) > 2
        found.append(nearest(patches[part], patches, apart))
    return max(float(np.quantile(np.concatenate(found), 1 - 1 / 30)), LEAST_USUAL)


def noise_of(grey: np.ndarray) -> float:
    """Camera noise of a grey photo (H, W) uint8 as a standard deviation in grey levels (Immerkaer 1996).

    Taken where the photo is smoothest, or its texture would count as noise, and neither black nor white: clipped
    pixels have none.
    """
    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
    local = cv2.blur(np.abs(cv2.filter2D(grey, cv2.CV_32F, kernel)), (16, 16))[::8, ::8]
    level = cv2.blur(grey, (16, 16))[::8, ::8]
    exposed = local[(level > 8) & (level < 247)]
    return float(np.sqrt(np.pi / 2) / 6 * np.quantile(exposed, 0.2)) if exposed.size else 0.0
