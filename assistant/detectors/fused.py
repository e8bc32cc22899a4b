"""The trained fusion of few-shot and zero-shot detection: one set of weights for 0 to any number of references."""

import copy
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F

from assistant import UserError
from assistant.calibration import Calibration
from assistant.detectors.extremes import top_mean
from assistant.detectors.image_decoder import ImageDecoder
from assistant.detectors.marks import Marks
from assistant.detectors.memory_bank import MemoryBank, Neighbours
from assistant.encoder import DEEP, PatchFeatures

WEIGHTS, SETTINGS = "detector.safetensors", "detector.json"
# Cosine of overall looks. Of photos of eight real products 2 % came out below this with one reference, none with four;
# of photos held against four references of another product 83 % did.
ANOTHER_PRODUCT = 0.3
TOP_SHARE = 0.01  # a photo is as bad as its worst hundredth: small defects count, single cells do not
# What `Calibration` reads: evidence and a flag for each way of judging, zeros for the other two ways.
EVIDENCE = ("logit", "deep distance", "contrast")
DISTANCE = EVIDENCE.index("deep distance")
STATISTICS = (
    *(f"{name}, {way}" for way in ("one reference", "several") for name in (*EVIDENCE, "flag")),
    "logit, alone", "flag, alone",
)  # fmt: skip
ONE, SEVERAL = STATISTICS.index("logit, one reference"), STATISTICS.index("logit, several")
# Where the line between good and defective lies, as a share of the way from good photos to drawn defects.
LINE, LINE_OF_ONE = 0.4, 0.7
SURE = 6.0  # by so much the log odds of "defective" rise over that way
LEAST_RISE = 0.3  # what synthetic scenes say they rise by, at least: below, noise would be blown up
# How far a photo lies from its only reference counts up to this, beyond the line and short of it, as a difference of
# logarithms: one photo does not show how good parts differ, and where they do, all lie far from it.
MOST_OF_ONE = 0.15
MOST_JUDGED = 4  # references that are judged by the others


class FusionHead(nn.Module):
    """A small convolutional head over query features, residual to the nearest reference, and text similarity.

    It is trained on many products at once and sees only how a photo differs from its references, so
    it needs no training on the product it is used for (residual features: ResAD, Yao et al. 2024).

    Args:
        channels: C_l of the encoder's levels.
        dim: width of the text space.
        width: channels of the head.
    """

    def __init__(self, channels: Sequence[int], dim: int = 64, width: int = 64) -> None:
        super().__init__()
        self.channels, self.dim, self.width = tuple(channels), dim, width
        self.image_decoder = ImageDecoder(channels, dim)
        self.calibration = Calibration((0.0,) * len(STATISTICS))
        count = len(self.channels)
        self.query = nn.Conv2d(dim, 32, 1)
        self.fine = nn.Conv2d(channels[0], 16, 1)
        self.residuals = nn.ModuleList(nn.Conv2d(c, 32, 1, bias=False) for c in channels)
        # per level: distance, distance over the product's own scale, its mean over the photo; text; flag
        self.coarse = nn.Sequential(
            nn.Conv2d(32 + 32 + 3 * count + 2, width, 3, padding=1), nn.GroupNorm(8, width), nn.GELU(),
            nn.Conv2d(width, width, 3, padding=2, dilation=2), nn.GELU(),
            nn.Conv2d(width, width, 3, padding=1), nn.GELU(),
        )  # fmt: skip
        self.neck = nn.Conv2d(width, 24, 1)
        self.body = nn.Sequential(nn.Conv2d(24 + 16, 24, 3, padding=1), nn.GELU(), nn.Conv2d(24, 1, 3, padding=1))
        self.kind = nn.Conv2d(width, dim, 1)  # what was seen, in the text space: which kind a defect is
        # What lies far from every reference is suspect whatever else the head thinks of it.
        self.distance = nn.Conv2d(count, 1, 1, bias=False)
        nn.init.constant_(self.distance.weight, 0.3)

    def forward(
        self, features: PatchFeatures, found: Sequence[Neighbours | None], prompts: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Anomaly logits (B, 1, s, s) and similarities with the prompts of every kind (B, K, c, c).

        References are compared on the grid of the second level (c); the first level (s) sharpens the outcome.
        `found` holds for each of the B photos its nearest reference patches, or None to judge it alone;
        for a single photo it may hold several, and B logits come back for them. `prompts` (2 + K, dim) take the place
        of the remembered ones.
        """
        side, coarse = features.levels[0].shape[-1], features.levels[1].shape[-1]
        embedding = self.image_decoder.embed(features, coarse)
        similarity = self.image_decoder.match(embedding, prompts)
        compared = torch.cat([self._compare(neighbours, coarse, embedding) for neighbours in found])
        own = torch.cat([self.query(embedding), (similarity[:, 1:2] - similarity[:, :1]) / 4], dim=1)
        sharp = self.fine(features.levels[0])
        if features.batch == 1:  # one photo judged in several ways is encoded once
            own, sharp = (part.expand(len(found), -1, -1, -1) for part in (own, sharp))
        seen = self.coarse(torch.cat([own, compared], dim=1))
        kinds = self.image_decoder.match(embedding + self.kind(seen), prompts)[:, 2:]
        seen = torch.cat([self.neck(seen), self.distance(self._relative(compared))], dim=1)
        seen = F.interpolate(seen, size=side, mode="bilinear")
        return self.body(torch.cat([seen[:, :-1], sharp], dim=1)) + seen[:, -1:], kinds

    def _compare(self, found: Neighbours | None, side: int, like: Tensor) -> Tensor:
        """What the references add for one photo, (1, 33 + 3 L, side, side); all zeros where there are none."""
        if found is None:
            return like.new_zeros(1, 33 + 3 * len(self.channels), side, side)
        residuals = [project(r) for project, r in zip(self.residuals, found.residuals, strict=True)]
        residual = torch.stack([F.interpolate(r, size=side, mode="bilinear") for r in residuals]).sum(dim=0)
        resized = [F.interpolate(d[:, None], size=side, mode="bilinear")[:, 0] for d in found.distances]
        distances = torch.stack(resized, dim=1)
        relative = distances / found.scale.view(1, -1, 1, 1) - 1
        mean = distances.mean(dim=(2, 3), keepdim=True).expand_as(distances)
        return torch.cat([residual, distances, relative, mean, torch.ones_like(mean[:, :1])], dim=1)

    def _relative(self, compared: Tensor) -> Tensor:
        """The channels of `_compare` that hold the relative distances, (B, L, side, side)."""
        start = 32 + len(self.channels)
        return compared[:, start : start + len(self.channels)]

    def save(self, folder: str | Path) -> None:
        """Write weights and settings; the calibration travels with them."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        save_file({k: v.half().contiguous() for k, v in self.state_dict().items()}, folder / WEIGHTS)
        settings = {
            "channels": self.channels, "dim": self.dim, "width": self.width,
            "calibration": self.calibration.to_json(),
        }  # fmt: skip
        (folder / SETTINGS).write_text(json.dumps(settings, indent=2) + "\n")

    @classmethod
    def load(cls, folder: str | Path) -> "FusionHead":
        """Read what `save` wrote.

        Raises:
            UserError: a file is missing or damaged.
        """
        folder = Path(folder)
        try:
            settings = json.loads((folder / SETTINGS).read_text())
            head = cls(settings["channels"], settings["dim"], settings["width"])
            head.load_state_dict({k: v.float() for k, v in load_file(folder / WEIGHTS).items()})
            head.calibration = Calibration.from_json(settings["calibration"])
            assert len(head.calibration.weights) == len(STATISTICS)
        except Exception as error:  # truncated JSON, safetensors' own error, wrong or missing keys
            raise UserError(f"the detector in {folder} is missing or damaged", "copy the checkpoint again") from error
        return head.eval().requires_grad_(False)


@dataclass(frozen=True)
class Detection:
    """What the fused detector finds on one photo.

    `scores` (h, h) in [0, 1]; `kinds` (K, c, c) on the coarser grid, probabilities of `inspection.KINDS`; `statistics`,
    one number for each of `STATISTICS`; `foreign` tells that the references seem to show another product; `remarks`
    say which corrections of users took effect.
    """

    scores: np.ndarray
    kinds: np.ndarray
    statistics: np.ndarray
    foreign: bool
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class View:
    """Reference number `source` seen again: features (batch 1) with a drawn defect, `broken`, and, where it is the only
    reference, without, `good`."""

    source: int
    broken: PatchFeatures
    good: PatchFeatures | None = None


class FusedDetector:
    """A fusion head with the normal photos of one product, or none.

    Args:
        head: the trained weights.
        references: features of the normal photos, batch = number of photos.
        mirrored, turned: of the same photos seen otherwise, see `MemoryBank`.
        calibration: of this very product; None for the one that came with the weights, which holds for all.
    """

    def __init__(
        self,
        head: FusionHead,
        references: PatchFeatures | None = None,
        mirrored: PatchFeatures | None = None,
        turned: PatchFeatures | None = None,
        calibration: Calibration | None = None,
    ) -> None:
        self.head = head
        self.calibration = calibration or head.calibration
        self.references, self.marks = references, Marks()
        self.bank = None if references is None else MemoryBank(references, mirrored, turned)
        self.looks = None if references is None else overall_look(references)
        self.usual = torch.zeros(())  # what good photos of the product score when judged alone
        self.among = np.zeros(len(EVIDENCE))  # and when judged by one another
        if references is not None:
            with torch.inference_mode():
                self.usual = self._usual(references)
            if references.batch > 1:
                self.among = self._judge_each_other(references)
        # Evidence is counted from this line on, and that of the distance no further than `most`.
        self.line, self.most = self.among, np.inf

    def with_marks(self, marks: Marks) -> "FusedDetector":
        """The same detector, corrected by what users have judged."""
        other = copy.copy(self)
        other.marks = marks
        return other

    def settled(self, views: Iterable[View]) -> "FusedDetector":
        """The same detector with its line between the good photos and defects drawn on them.

        What counts as evidence stays as it was learnt; where good ends, and how steeply, is the product's own. Several
        references tell by one another what good photos score. One alone tells it by other views of itself, which are
        more alike than two parts are; so the line lies nearer to the defects there.
        """
        assert self.bank is not None, "the line is drawn between references and what is drawn on them"
        alone = self.bank.photos == 1
        seen = list(views)
        drawn = np.mean([self.evidence(view.broken, None if alone else view.source) for view in seen], axis=0)
        good = self.among
        if alone:
            good = np.mean([self.evidence(view.good) for view in seen if view.good is not None], axis=0)
        start, share = (ONE, LINE_OF_ONE) if alone else (SEVERAL, LINE)
        weights, end = np.array(self.calibration.weights), start + len(EVIDENCE)
        other = copy.copy(self)
        weights[start:end], other.line = settle(weights[start:end], good, drawn, share)
        weights[end] = 0.0
        other.calibration = replace(self.calibration, weights=tuple(weights.tolist()))
        other.most = MOST_OF_ONE if alone else np.inf
        return other

    @torch.inference_mode()
    def score(self, features: PatchFeatures) -> Tensor:
        """Anomaly scores (B, s, s) in [0, 1] before any correction; `Detector` protocol."""
        photos = [features.select(slice(i, i + 1)) for i in range(features.batch)]
        found = [None if self.bank is None else self.bank.nearest(photo) for photo in photos]
        return self.head(features, found)[0][:, 0].sigmoid()

    @torch.inference_mode()
    def detect(self, features: PatchFeatures, area: np.ndarray | None = None) -> Detection:
        """Scores, kinds and image-level statistics of one photo (batch 1).

        Args:
            area: (H, W) bool of the photo: the statistics are of this part of it alone. Scores and kinds are always of
                the whole photo.
        """
        found = None if self.bank is None else self.bank.nearest(features)
        # Judged with its references and alone, in one go.
        logits, similarity = self.head(features, [None] if found is None else [found, None])
        kinds = similarity[0].softmax(dim=0)
        logits, kinds, found, remarks = self.marks.judge(features, logits, kinds, found)
        return Detection(
            scores=logits[0, 0].sigmoid().numpy(),
            kinds=kinds.numpy(),
            statistics=self._statistics(top_logit(logits, area), found, area),
            foreign=self._is_foreign(features),
            remarks=remarks,
        )

    @torch.inference_mode()
    def evidence(self, features: PatchFeatures, without: int | None = None) -> np.ndarray:
        """Evidence against one photo, (len(EVIDENCE),); `without` is the reference that it was made from or is."""
        assert self.bank is not None, "evidence comes from comparing with references"
        found = self.bank.nearest(features, without)
        return self._evidence(top_logit(self.head(features, [found, None])[0]), found)

    def _is_foreign(self, features: PatchFeatures) -> bool:
        """Whether the photo as a whole looks like none of the references."""
        return self.looks is not None and bool((overall_look(features) @ self.looks.T).max() < ANOTHER_PRODUCT)

    def _usual(self, references: PatchFeatures) -> Tensor:
        photos = (references.select(slice(i, i + 1)) for i in range(references.batch))
        return torch.cat([top_logit(self.head(photo, [None])[0]) for photo in photos]).mean()

    def _judge_each_other(self, references: PatchFeatures) -> np.ndarray:
        """Mean evidence against good photos, each compared with the others; (len(EVIDENCE),)."""
        judged = range(min(references.batch, MOST_JUDGED))
        return np.mean([self.evidence(references.select(slice(i, i + 1)), without=i) for i in judged], axis=0)

    def _evidence(self, top: Tensor, found: Neighbours, area: np.ndarray | None = None) -> np.ndarray:
        """The fused logit, the training-free distance, and the contrast of the photo judged alone to what good photos
        of the product score alone; (len(EVIDENCE),)."""
        return np.array([float(top[0]), float(found.excess(TOP_SHARE, area)), float(top[1] - self.usual)])

    def _statistics(self, top: Tensor, found: Neighbours | None, area: np.ndarray | None = None) -> np.ndarray:
        """The vector that `Calibration` reads; (len(STATISTICS),)."""
        one, several, alone = np.zeros(len(EVIDENCE) + 1), np.zeros(len(EVIDENCE) + 1), np.zeros(2)
        if found is None or self.bank is None:
            alone[:] = float(top[0]), 1.0
        else:
            beyond = self._evidence(top, found, area) - self.line
            beyond[DISTANCE] = np.clip(beyond[DISTANCE], -self.most, self.most)
            (one if self.bank.photos == 1 else several)[:] = *beyond, 1.0
        return np.concatenate([one, several, alone])


def settle(mix: np.ndarray, good: np.ndarray, drawn: np.ndarray, share: float) -> tuple[np.ndarray, np.ndarray]:
    """Weights of the evidence, as steep as the way from good to defective photos is short, and the line between them,
    that `share` of the way along; all (len(EVIDENCE),)."""
    return mix * SURE / max(float(mix @ (drawn - good)), LEAST_RISE), (1 - share) * good + share * drawn


def overall_look(features: PatchFeatures) -> Tensor:
    """What each photo shows regardless of where: the mean of its deepest levels, unit length, (B, D)."""
    means = [F.normalize(level.mean(dim=(2, 3)), dim=1) for level in features.levels[-DEEP:]]
    return F.normalize(torch.cat(means, dim=1), dim=1)


def top_logit(logits: Tensor, area: np.ndarray | None = None) -> Tensor:
    """Mean of the highest `TOP_SHARE` of anomaly logits (B, 1, s, s), for each photo, or in an area of it: (B,)."""
    return top_mean(logits, TOP_SHARE, area)
