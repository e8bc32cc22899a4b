"""Stage 2: train the image decoder and its fusion with the memory bank on synthetic anomalies."""

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from assistant.calibration import Calibration
from assistant.detectors.fused import FusionHead, statistics
from assistant.detectors.memory_bank import MemoryBank
from assistant.detectors.text_prompts import ABNORMAL, KIND_PHRASES, NORMAL, TEMPLATES
from assistant.encoder import ImageEncoder, PatchFeatures
from assistant.inspection import KINDS
from training.config import DecoderConfig
from training.scenes import Scene, Scenes
from training.trainer import fit

MASK_SIDE = 128  # the loss looks at the map here: fine enough for a scratch, a quarter of the pixels
IGNORE = -100


def focal_loss(logits: Tensor, target: Tensor, gamma: float = 2.0) -> Tensor:
    """Focal loss (Lin et al. 2017, eq. 4, without alpha so that 0.5 stays the neutral score)."""
    bce = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    return ((1 - torch.exp(-bce)) ** gamma * bce).mean()


def dice_loss(logits: Tensor, target: Tensor) -> Tensor:
    """1 - soft Dice over each photo (Milletari et al. 2016, eq. 1), good photos included through the +1."""
    p = logits.sigmoid().flatten(1)
    t = target.flatten(1)
    overlap = 2 * (p * t).sum(dim=1) + 1
    return (1 - overlap / (p.sum(dim=1) + t.sum(dim=1) + 1)).mean()


def small_mask(kinds: np.ndarray) -> Tensor:
    """(S, S) kinds -> (MASK_SIDE, MASK_SIDE) kinds; a cell is defective when a third of it is."""
    share = cv2.resize((kinds > 0).astype(np.float32), (MASK_SIDE, MASK_SIDE), interpolation=cv2.INTER_AREA)
    grown = cv2.dilate(kinds, np.ones((3, 3), np.uint8))
    label = cv2.resize(grown, (MASK_SIDE, MASK_SIDE), interpolation=cv2.INTER_NEAREST)
    return torch.from_numpy(np.where(share > 0.33, label, 0).astype(np.int64))


def collate(scenes: Sequence[Scene]) -> dict[str, Tensor]:
    """All photos of the batch, queries first, with the number of references of each query."""
    pictures = [scene.photo for scene in scenes] + [r for scene in scenes for r in scene.references]
    return {
        "pictures": torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2),
        "counts": torch.tensor([len(scene.references) for scene in scenes]),
        "kinds": torch.stack([small_mask(scene.kinds) for scene in scenes]),
    }


class DecoderTraining(nn.Module):
    """Frozen encoder, trained fusion head; focal + dice on the fused and on the zero-shot map."""

    def __init__(self, encoder: ImageEncoder, head: FusionHead) -> None:
        super().__init__()
        self.encoder = [encoder]  # in a list, so that checkpoints hold the head alone
        self.head = head

    @torch.no_grad()
    def encode(self, pictures: Tensor, counts: Tensor) -> tuple[PatchFeatures, list[MemoryBank | None]]:
        """Features of the queries and a memory bank for each (None without references)."""
        encoder = self.encoder[0].to(pictures.device)
        features = PatchFeatures.join([encoder(part.float() / 255) for part in pictures.split(16)])
        queries = len(counts)
        banks: list[MemoryBank | None] = []
        start = queries
        for count in counts.tolist():
            banks.append(MemoryBank(features.select(slice(start, start + count))) if count else None)
            start += count
        return features.select(slice(0, queries)), banks

    def forward(self, pictures: Tensor, counts: Tensor, kinds: Tensor) -> dict[str, Tensor]:
        features, banks = self.encode(pictures, counts)
        prompts = self._sampled_prompts()
        with torch.no_grad():
            self.head.image_decoder.prompts.copy_(prompts)
        logits, _ = self.head(features, banks)
        embedding = self.head.image_decoder.embed(features, logits.shape[-1])
        similarity = self.head.image_decoder.match(embedding, prompts)
        target = (kinds > 0).float()
        size = kinds.shape[-1]
        fused = F.interpolate(logits, size=size, mode="bilinear")[:, 0]
        zero_shot = F.interpolate(similarity[:, 1:2] - similarity[:, :1], size=size, mode="bilinear")[:, 0]
        by_kind = F.interpolate(similarity[:, 2:], size=size, mode="bilinear")
        named = torch.where(kinds > 0, kinds - 1, IGNORE)
        # mean over an empty set is NaN: a batch of good photos has no kind to learn
        kind_loss = F.cross_entropy(by_kind, named, ignore_index=IGNORE) if (kinds > 0).any() else fused.sum() * 0
        top = statistics(logits, banks)[:, 1]
        image_loss = F.binary_cross_entropy_with_logits(top, target.flatten(1).amax(dim=1))
        loss = 4 * focal_loss(fused, target) + dice_loss(fused, target) + 0.3 * image_loss
        loss = loss + focal_loss(zero_shot, target) + 0.3 * dice_loss(zero_shot, target) + 0.2 * kind_loss
        return {"loss": loss}

    def _sampled_prompts(self) -> Tensor:
        """One random wording per class each step, so that the text encoder learns words, not sentences."""
        groups = [NORMAL, ABNORMAL, *(KIND_PHRASES[kind] for kind in KINDS)]
        pick = torch.randint
        texts = [
            TEMPLATES[int(pick(len(TEMPLATES), ()))].format(group[int(pick(len(group), ()))]) for group in groups
        ]
        encoded: Tensor = self.head.image_decoder.text_encoder(texts)
        return encoded


def fit_calibration(model: DecoderTraining, scenes: Scenes, count: int) -> Calibration:
    """Logistic regression of "defective" on the image-level statistics of `count` scenes never trained on."""
    rows, labels = [], []
    for start in range(0, count, 8):
        part = [scenes[len(scenes) - 1 - i] for i in range(start, min(start + 8, count))]
        batch = collate(part)
        with torch.inference_mode():
            features, banks = model.encode(batch["pictures"], batch["counts"])
            rows.append(statistics(model.head(features, banks)[0], banks))
        labels += [float(scene.defective) for scene in part]
    return logistic_regression(torch.cat(rows).double(), torch.tensor(labels).double())


def logistic_regression(rows: Tensor, labels: Tensor, penalty: float = 1e-2) -> Calibration:
    """Ridge-penalised logistic regression by LBFGS on standardised columns; (N, F) rows, (N,) labels in {0, 1}."""
    mean, std = rows.mean(dim=0), rows.std(dim=0).clamp_min(1e-6)
    x = (rows - mean) / std
    weights = torch.zeros(x.shape[1] + 1, dtype=x.dtype, requires_grad=True)
    optimizer = torch.optim.LBFGS([weights], max_iter=200, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = F.binary_cross_entropy_with_logits(x @ weights[:-1] + weights[-1], labels)
        loss = loss + penalty * weights[:-1].square().sum()
        loss.backward()
        return loss

    optimizer.step(closure)  # type: ignore[no-untyped-call]
    scaled = weights.detach()[:-1] / std
    bias = float(weights.detach()[-1] - (scaled * mean).sum())
    return Calibration(tuple(float(w) for w in scaled), bias)


def train_decoder(config: DecoderConfig) -> None:
    """Train, calibrate and write the detector to `config.output`."""
    encoder = ImageEncoder.from_pretrained(config.encoder)
    probe = encoder(torch.zeros(1, 3, encoder.image_size, encoder.image_size))
    head = FusionHead([level.shape[1] for level in probe.levels])
    if config.init is not None:
        head = FusionHead.load(config.init).requires_grad_(True)
    scenes = Scenes(config.photos, config.products, encoder.image_size, config.max_references, config.seed)
    model = DecoderTraining(encoder, head)
    fit(config, model, scenes, collate)
    model.eval()
    head.image_decoder.remember_prompts()
    head.calibration = fit_calibration(model, scenes, config.calibration_scenes)
    head.save(config.output)
