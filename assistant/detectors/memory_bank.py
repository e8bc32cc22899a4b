"""Few-shot detection: distance of each patch to the nearest patch of the normal reference photos."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from assistant.detectors.extremes import top_mean
from assistant.encoder import PatchFeatures

MOST_ASKED = 8  # photos of a large bank that tell how far good patches lie from one another
RIM = 16  # parts of a photo's side: one is the width of a patch of the deep levels
GRID = 32  # side of the comparison grid: 1,024 patches a photo, so four references fit a small matrix product


@dataclass(frozen=True)
class Neighbours:
    """Nearest reference patch of every query patch, per level.

    `distances[l]` is (B, s, s) in [0, 2]; `residuals[l]` is (B, C_l, s, s), query minus nearest reference;
    `scale` (L,) is how far the patches of good photos lie from one another. `deep` holds, as `distances`, those of
    the deepest levels where patches are not averaged with the ones around.
    """

    distances: tuple[Tensor, ...]
    residuals: tuple[Tensor, ...]
    scale: Tensor
    deep: tuple[Tensor, ...]

    def excess(self, share: float, area: np.ndarray | None = None) -> Tensor:
        """Mean over the deep levels of log(distance of the `share` farthest patches / scale), for one photo: a number.

        Only patches in `area`, (H, W) bool of the photo, count; all of them if it is None.
        """
        inner = None if area is None else _inner(area)
        far = torch.cat([top_mean(distances, share, inner) for distances in self.deep])
        return (far / self.scale[-len(self.deep) :]).log().mean()


class MemoryBank:
    """All patches of 1 to a few normal photos, kept per level (PatchCore, Roth et al. 2022; AnomalyGPT
    sec. 3.2, where the distance 1 - cosine is used in the same way).

    Args:
        references: features of the normal photos, batch = number of photos.
        mirrored: features of the same photos seen in a mirror, as further normal patches. A few photos show little
            of a product, and most of that may as well lie the other way round (support augmentation, as in VisionAD).
        turned: of the same photos in other poses, a whole number of times; they count at the deep levels alone.
    """

    def __init__(
        self, references: PatchFeatures, mirrored: PatchFeatures | None = None, turned: PatchFeatures | None = None
    ) -> None:
        self.photos = references.batch
        views = references if mirrored is None else PatchFeatures.join([references, mirrored])
        poses = views if turned is None else PatchFeatures.join([views, turned])
        self.levels, self.deep = _columns(views.unit(GRID)), _columns(poses.deep())
        self.scale = self._own_distances(references).clamp_min(0.05)

    def nearest(self, features: PatchFeatures, without: int | None = None) -> Neighbours:
        """Compare every patch with the bank, one matrix product per level; without the patches of one of its photos,
        mirrored ones too, if so wished, so that a photo of the bank can be judged by the others."""
        distances, residuals = [], []
        for query, bank in zip(features.unit(GRID), self.levels, strict=True):
            distance, matched = _nearest(query, self._but(without, bank, query.shape[-1]))
            distances.append(distance)
            residuals.append(query - matched)
        pairs = zip(features.deep(), self.deep, strict=True)
        deep = [_nearest(query, self._but(without, bank, query.shape[-1]))[0] for query, bank in pairs]
        return Neighbours(tuple(distances), tuple(residuals), self.scale, tuple(deep))

    def _but(self, without: int | None, bank: Tensor, side: int) -> Tensor:
        """The columns of one level, those of one photo left out in every view."""
        if without is None:
            return bank
        by_photo = bank.unflatten(1, (-1, self.photos, side**2))
        return torch.cat([by_photo[:, :, :without], by_photo[:, :, without + 1 :]], dim=2).flatten(1)

    def score(self, features: PatchFeatures) -> Tensor:
        """Mean distance over the levels, (B, GRID, GRID) in [0, 1]; `Detector` protocol."""
        found = self.nearest(features).distances
        maps = [F.interpolate(d[:, None], size=GRID, mode="bilinear")[:, 0] for d in found]
        return (torch.stack(maps).mean(dim=0) / 2).clamp(0, 1)

    def _own_distances(self, references: PatchFeatures) -> Tensor:
        """How far a normal patch lies from its nearest neighbour elsewhere, per level: (L,).

        The scale that makes distances of a smooth and of a rough product comparable. A patch's own
        place and its neighbours in the same photo are left out, since they share pixels; every second
        patch a side of the first photos is asked, which is enough for a mean.
        """
        scales = []
        for level, bank in zip(references.unit(GRID), self.levels, strict=True):
            side = level.shape[-1]
            close, found = _close_by(side).to(level.device), []
            for photo in range(min(self.photos, MOST_ASKED)):
                probes = level[photo, :, ::2, ::2].flatten(1).T  # (probes, C_l)
                similarity = _cosine(probes, bank)  # (probes, views * photos * s*s)
                similarity[:, photo * side**2 : (photo + 1) * side**2].masked_fill_(close, -1.0)
                found.append(_distance(similarity.amax(dim=1)).mean())
            scales.append(torch.stack(found).mean())
        return torch.stack(scales)


def _inner(area: np.ndarray) -> np.ndarray:
    """An area (H, W) without the rim from which deep patches see what lies outside; all of it where it is no wider."""
    height, width = (max(1, side // RIM) for side in area.shape)
    kernel = np.ones((2 * height + 1, 2 * width + 1), np.uint8)
    inner = cv2.erode(area.astype(np.uint8), kernel).astype(bool)  # the edge of the photo is no rim
    return inner if inner.any() else area


def _columns(levels: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """Levels (B, C_l, s, s) as (C_l, B * s * s), ready for one matrix product."""
    return tuple(level.transpose(0, 1).flatten(1).contiguous() for level in levels)


def _nearest(query: Tensor, bank: Tensor) -> tuple[Tensor, Tensor]:
    """Distances (B, s, s) of the unit patches (B, C, s, s) of one level to the nearest columns of a bank (C, M), and
    these columns in the shape of the query."""
    side = query.shape[-1]
    similarity, index = _cosine(query.flatten(2).transpose(1, 2), bank).max(dim=2)  # (B, s*s)
    matched = bank.T[index].transpose(1, 2)
    return _distance(similarity).unflatten(1, (side, side)), matched.unflatten(2, (side, side))


def _cosine(query: Tensor, bank: Tensor) -> Tensor:
    """(..., N, C) and (C, M) of unit length -> (..., N, M), in full precision also where training runs in half.

    With the 8 bits of bfloat16 the distance of two equal patches could come out as 0.1.
    """
    with torch.autocast(query.device.type, enabled=False):
        return query @ bank


def _distance(similarity: Tensor) -> Tensor:
    """Euclidean distance of unit vectors from their cosine, in [0, 2]."""
    return (2 - 2 * similarity).clamp_min(1e-8).sqrt()


@functools.cache
def _close_by(side: int) -> Tensor:
    """(probes, side**2) bool: pairs of a probe (every second patch a side) and a patch close by."""
    place = torch.arange(side)
    near = (place[::2, None] - place[None]).abs() <= max(1, side // 16)
    return torch.einsum("ac,bd->abcd", near, near).reshape(-1, side * side)
