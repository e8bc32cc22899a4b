"""What users have judged on photos of a product, found again on other photos: accepted marks and known defects."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from assistant.detectors.memory_bank import GRID, Neighbours
from assistant.encoder import PatchFeatures
from assistant.inspection import KINDS
from assistant.lexicon import TYPE

# A patch counts as one of the judged in full at the first share of its distance to all others, not at all from the
# second on: Lowe's ratio test (2004, sec. 7.1), which needs no scale of its own. What is accepted ends at his 0.8 on
# other photos, for beyond lie defects that nobody accepted; it spreads further on its own photo, which the user sees.
ACCEPTED_RATIO, ACCEPTED_HERE, DEFECT_RATIO = (0.5, 0.8), (0.5, 1.0), (0.3, 1.0)
SAME = 0.01  # distance of a patch to itself, with rounding: the photo is the marked one
RAISED = 4.0  # the logit of a known defect: 0.98 on the map
FARTHEST = 2.0  # distance of opposite unit columns
STRANGE = 0.5  # the distance taken where there is no normal patch to compare with
TOUCHED = 0.1  # of a patch under the mask: less is the rounding of its border


@dataclass(frozen=True, eq=False)
class MarkedPatches:
    """The patches of one photo, (D, n) and (D, m) of unit columns: those under the mark and those beside it."""

    inside: Tensor
    outside: Tensor
    kind: str = ""


@dataclass(frozen=True, eq=False)
class Found:
    """Where a photo shows what was judged before: (GRID, GRID) in [0, 1]; `which` numbers the nearest known defect."""

    accepted: Tensor
    defect: Tensor
    which: Tensor


class Marks:
    """Accepted marks and known defects of one product; without any, it changes nothing.

    Args:
        accepted, defects: patches of the marks.
        normals: features of the product's normal photos; None where there are none, and then what lies beside the marks
            is taken to be normal.
    """

    def __init__(
        self,
        accepted: Sequence[MarkedPatches] = (),
        defects: Sequence[MarkedPatches] = (),
        normals: PatchFeatures | None = None,
    ) -> None:
        self.accepted = torch.cat([mark.inside for mark in accepted], dim=1) if accepted else None
        self.defects = torch.cat([mark.inside for mark in defects], dim=1) if defects else None
        beside = [mark.outside for mark in (*accepted, *defects)] if normals is None else [_columns(normals)]
        self.normal = torch.cat(beside, dim=1) if beside else None
        self.kinds = [mark.kind for mark in defects]
        sizes = [mark.inside.shape[1] for mark in defects]
        self.owner = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes, dtype=torch.long))

    def find(self, features: PatchFeatures) -> Found:
        """Compare every place of one photo (batch 1) with normal, accepted and defective patches; the nearest wins."""
        patches = _columns(features)
        normal, _ = _nearest(patches, self.normal, otherwise=STRANGE)
        accepted, _ = _nearest(patches, self.accepted, otherwise=FARTHEST)
        defect, nearest = _nearest(patches, self.defects, otherwise=FARTHEST)
        ratio = ACCEPTED_HERE if accepted.min() < SAME else ACCEPTED_RATIO
        fine = _likeness(accepted, torch.minimum(normal, defect), ratio).view(1, GRID, GRID)
        bad = _likeness(defect, torch.minimum(normal, accepted), DEFECT_RATIO).view(GRID, GRID)
        which = self.owner[nearest] if len(self.owner) else nearest
        # The border of a mark falls on other patches in another photo; a patch shares its pixels with those around it.
        fine = torch.minimum(F.max_pool2d(fine, 3, 1, 1)[0], 1 - bad)
        return Found(fine, bad, which.view(GRID, GRID))

    def judge(
        self, features: PatchFeatures, logits: Tensor, kinds: Tensor, near: Neighbours | None
    ) -> tuple[Tensor, Tensor, Neighbours | None, tuple[str, ...]]:
        """What the detector found on one photo, corrected.

        Args:
            features: of the photo, batch 1.
            logits: (B, 1, s, s), the photo judged in B ways.
            kinds: (K, c, c) probabilities.
            near: how far the references lie; None without any.

        Returns:
            logits, kinds, distances, and remarks to the user. What is accepted falls to the median of the photo, its
            distance too; what is a known defect rises to `RAISED` and bears its kind.
        """
        if self.accepted is None and self.defects is None:
            return logits, kinds, near, ()
        found = self.find(features)
        logits = _fallen(logits, found.accepted)
        logits = torch.lerp(logits, logits.clamp_min(RAISED), _resized(found.defect, logits.shape[-1]))
        if near is not None:
            distances = tuple(_fallen(d[None], found.accepted)[0] for d in near.distances)
            deep = tuple(_fallen(d[None], _seen_from(found.accepted, d.shape[-1]))[0] for d in near.deep)
            near = replace(near, distances=distances, deep=deep)
        return logits, self._named(kinds, found), near, self._remarks(found)

    def _named(self, kinds: Tensor, found: Found) -> Tensor:
        """Probabilities (K, c, c) of kinds, where those of known defects speak louder than the decoder."""
        for number, kind in enumerate(self.kinds):
            index = kind_index(kind)
            if index is not None:
                weight = _resized(found.defect * (found.which == number), kinds.shape[-1])[0, 0]
                sure = F.one_hot(torch.tensor(index), len(KINDS)).to(kinds).view(-1, 1, 1)
                kinds = torch.lerp(kinds, sure, weight)
        return kinds

    def _remarks(self, found: Found) -> tuple[str, ...]:
        seen = {self.kinds[int(number)] for number in found.which[found.defect > 0.5].unique()}
        remarks = [f'resembles a defect that was marked before: "{kind}"' for kind in sorted(seen)]
        if bool((found.accepted > 0.5).any()):
            remarks.append("leaves out marks like those that were accepted before")
        return tuple(remarks)


def marked_patches(features: PatchFeatures, mask: np.ndarray, kind: str = "") -> MarkedPatches:
    """The patches of one photo (batch 1) under and beside a mask (H, W) bool; however small, it has one patch."""
    share = F.interpolate(torch.from_numpy(mask.astype(np.float32))[None, None], size=GRID, mode="area").flatten()
    inside = share > min(TOUCHED, float(share.max()) / 2)
    columns = _columns(features)
    return MarkedPatches(columns[:, inside], columns[:, ~inside], kind)


def kind_index(kind: str) -> int | None:
    """The place in `KINDS` of a defect in a user's words ("scratched"); None for a kind that we have no word for."""
    match = TYPE.search(kind.lower())
    return None if match is None or match.lastgroup is None else int(match.lastgroup[1:])


def _columns(features: PatchFeatures) -> Tensor:
    """(D, B * GRID**2) unit columns: all levels of a place together, so that one neighbour has to match in all."""
    levels = [F.interpolate(level, size=GRID, mode="bilinear") for level in features.unit(GRID)]
    return F.normalize(torch.cat(levels, dim=1), dim=1).transpose(0, 1).flatten(1)


def _nearest(patches: Tensor, bank: Tensor | None, otherwise: float) -> tuple[Tensor, Tensor]:
    """Distance (N,) in [0, 2] of (D, N) patches to the nearest of a bank's columns, and which it is; `otherwise` where
    the bank is empty."""
    if bank is None or not bank.shape[1]:
        return torch.full((patches.shape[1],), otherwise), torch.zeros(patches.shape[1], dtype=torch.long)
    similarity, index = (patches.T @ bank).max(dim=1)
    return (2 - 2 * similarity).clamp_min(0).sqrt(), index


def _fallen(values: Tensor, accepted: Tensor) -> Tensor:
    """Values (B, 1, s, s) that fall to the median of their map as far as they are accepted, (GRID, GRID) in [0, 1]."""
    median = values.flatten(1).median(dim=1).values.view(-1, 1, 1, 1)
    return torch.lerp(values, torch.minimum(values, median), _resized(accepted, values.shape[-1]))


def _seen_from(grid: Tensor, side: int) -> Tensor:
    """(s, s) -> (side, side): what is accepted is seen by the deep patches that hold any of it and by those around."""
    coarse = F.adaptive_max_pool2d(grid[None], side) if side < grid.shape[-1] else grid[None]
    return F.max_pool2d(coarse, 3, 1, 1)[0]


def _likeness(distance: Tensor, rest: Tensor, ratio: tuple[float, float]) -> Tensor:
    """1 where the distance is at most the first share of that to all the rest, 0 from the second on, even between."""
    full, none = ratio
    return ((none - distance / rest.clamp_min(1e-6)) / (none - full)).clamp(0, 1)


def _resized(grid: Tensor, side: int) -> Tensor:
    """(s, s) -> (1, 1, side, side)."""
    if side < grid.shape[-1]:
        return F.adaptive_avg_pool2d(grid[None, None], side)
    return F.interpolate(grid[None, None], size=side, mode="bilinear")
