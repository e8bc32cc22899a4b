"""The trained fusion of few-shot and zero-shot detection: one set of weights for 0 to any number of references."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F

from assistant import UserError
from assistant.calibration import Calibration
from assistant.detectors.image_decoder import ImageDecoder
from assistant.detectors.memory_bank import MemoryBank, Neighbours
from assistant.encoder import PatchFeatures

WEIGHTS, SETTINGS = "detector.safetensors", "detector.json"
STATISTICS = 6  # length of the vector that `statistics` returns


class FusionHead(nn.Module):
    """A small convolutional head over query features, residual to the nearest reference, and text similarity.

    It is trained on many products at once and sees only how a photo differs from its references, so
    it needs no training on the product it is used for (residual features: ResAD, Yao et al. 2024).

    Args:
        channels: C_l of the encoder's levels.
        dim: width of the text space.
        width: channels of the head.
    """

    def __init__(self, channels: Sequence[int], dim: int = 64, width: int = 48) -> None:
        super().__init__()
        self.channels, self.dim, self.width = tuple(channels), dim, width
        self.image_decoder = ImageDecoder(channels, dim)
        self.calibration = Calibration((0.0,) * STATISTICS)
        count = len(self.channels)
        self.query = nn.Conv2d(dim, 32, 1)
        self.fine = nn.Conv2d(channels[0], 16, 1)
        self.residuals = nn.ModuleList(nn.Conv2d(c, 32, 1, bias=False) for c in channels)
        # per level: distance, distance over the product's own scale, its mean over the photo; text; flag
        inputs = 32 + 16 + 32 + 3 * count + 2
        self.body = nn.Sequential(
            nn.Conv2d(inputs, width, 3, padding=1), nn.GroupNorm(8, width), nn.GELU(),
            nn.Conv2d(width, width, 3, padding=2, dilation=2), nn.GELU(),
            nn.Conv2d(width, width, 3, padding=1), nn.GELU(),
            nn.Conv2d(width, 1, 1),
        )  # fmt: skip

    def forward(self, features: PatchFeatures, banks: Sequence[MemoryBank | None]) -> tuple[Tensor, Tensor]:
        """Anomaly logits (B, 1, s, s) and prompt similarities (B, 2 + K, s, s) for B photos, each with its bank."""
        side = features.levels[0].shape[-1]
        embedding = self.image_decoder.embed(features, side)
        similarity = self.image_decoder.match(embedding)
        compared = torch.cat([self._compare(features.select(slice(i, i + 1)), bank) for i, bank in enumerate(banks)])
        compared = F.interpolate(compared, size=side, mode="bilinear")
        text = (similarity[:, 1:2] - similarity[:, :1]) / 4
        joined = torch.cat([self.query(embedding), self.fine(features.levels[0]), compared, text], dim=1)
        return self.body(joined), similarity

    def _compare(self, features: PatchFeatures, bank: MemoryBank | None) -> Tensor:
        """What the references add for one photo, (1, 33 + 3 L, s, s); all zeros where there are none."""
        if bank is None:
            side = features.levels[1].shape[-1]
            return features.levels[0].new_zeros(1, 33 + 3 * len(self.channels), side, side)
        found: Neighbours = bank.nearest(features)
        side = found.distances[0].shape[-1]
        residual = torch.stack(
            [
                F.interpolate(project(r), size=side, mode="bilinear")
                for project, r in zip(self.residuals, found.residuals, strict=True)
            ]
        ).sum(dim=0)
        distances = torch.stack(
            [F.interpolate(d[:, None], size=side, mode="bilinear")[:, 0] for d in found.distances], dim=1
        )
        scale = bank.own_distance.view(1, -1, 1, 1).clamp_min(0.05)
        mean = distances.mean(dim=(2, 3), keepdim=True).expand_as(distances)
        return torch.cat([residual, distances, distances / scale - 1, mean, torch.ones_like(mean[:, :1])], dim=1)

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
        except Exception as error:  # truncated JSON, safetensors' own error, wrong or missing keys
            raise UserError(f"the detector in {folder} is missing or damaged", "copy the checkpoint again") from error
        return head.eval().requires_grad_(False)


@dataclass(frozen=True)
class Detection:
    """What the fused detector finds on one photo.

    `scores` (h, h) in [0, 1]; `kinds` (K, h, h), probabilities of `inspection.KINDS`; `statistics` (F,).
    """

    scores: np.ndarray
    kinds: np.ndarray
    statistics: np.ndarray


class FusedDetector:
    """A fusion head with the memory bank of one product (or none)."""

    def __init__(self, head: FusionHead, bank: MemoryBank | None = None) -> None:
        self.head, self.bank = head, bank

    @torch.inference_mode()
    def score(self, features: PatchFeatures) -> Tensor:
        """Anomaly scores (B, s, s) in [0, 1]; `Detector` protocol."""
        logits, _ = self.head(features, [self.bank] * features.batch)
        return logits[:, 0].sigmoid()

    @torch.inference_mode()
    def detect(self, features: PatchFeatures) -> Detection:
        """Scores, kinds and image-level statistics of one photo (batch 1)."""
        logits, similarity = self.head(features, [self.bank])
        return Detection(
            scores=logits[0, 0].sigmoid().numpy(),
            kinds=similarity[0, 2:].softmax(dim=0).numpy(),
            statistics=statistics(logits, [self.bank])[0].numpy(),
        )


def statistics(logits: Tensor, banks: Sequence[MemoryBank | None]) -> Tensor:
    """Image-level statistics (B, STATISTICS) of anomaly logits (B, 1, s, s), for `Calibration`.

    Means of the highest 0.2 %, 1 % and 5 % of the logits, the spread between highest and median, and
    whether there are references (alone and times the 1 % mean), so that both modes share one calibration.
    """
    flat = logits.flatten(1).sort(dim=1, descending=True).values
    count = flat.shape[1]
    top = [flat[:, : max(1, round(share * count))].mean(dim=1) for share in (0.002, 0.01, 0.05)]
    spread = top[1] - flat[:, count // 2]
    flag = torch.tensor([0.0 if bank is None else 1.0 for bank in banks]).to(flat)
    return torch.stack([*top, spread, flag, flag * top[1]], dim=1)
