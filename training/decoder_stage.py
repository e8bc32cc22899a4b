"""Stage 2: train the image decoder and its fusion with the memory bank on synthetic anomalies."""

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from assistant.calibration import Calibration
from assistant.detectors.fused import EVIDENCE, FusedDetector, FusionHead, top_logit
from assistant.detectors.memory_bank import MemoryBank, Neighbours
from assistant.detectors.text_prompts import ABNORMAL, KIND_PHRASES, NORMAL, TEMPLATES
from assistant.encoder import ImageEncoder, PatchFeatures
from assistant.inspection import KINDS
from training.config import DecoderConfig
from training.saving import finished
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
    def encode(self, pictures: Tensor) -> PatchFeatures:
        """Features of (N, 3, S, S) uint8 pictures."""
        encoder = self.encoder[0].to(pictures.device)
        with torch.autocast(pictures.device.type, enabled=False):  # distances of near neighbours need all digits
            return PatchFeatures.join([encoder(part.float() / 255) for part in pictures.split(16)])

    def forward(self, pictures: Tensor, counts: Tensor, kinds: Tensor) -> dict[str, Tensor]:
        queries, references = split(self.encode(pictures), counts)
        found = [_nearest(queries.select(slice(i, i + 1)), normals) for i, normals in enumerate(references)]
        prompts = self._sampled_prompts()
        with torch.no_grad():
            self.head.image_decoder.prompts.copy_(prompts)
        compared, _ = self.head(queries, found)
        alone, _ = self.head(queries, [None] * len(found))  # detection judges every photo both ways
        decoder = self.head.image_decoder
        similarity = decoder.match(decoder.embed(queries, queries.levels[1].shape[-1]), prompts)
        target = (kinds > 0).float()
        zero_shot = similarity[:, 1:2] - similarity[:, :1]
        named = torch.where(kinds > 0, kinds - 1, IGNORE)
        by_kind = F.interpolate(similarity[:, 2:], size=kinds.shape[-1], mode="bilinear")
        # mean over an empty set is NaN: a batch of good photos has no kind to learn
        kind_loss = F.cross_entropy(by_kind, named, ignore_index=IGNORE) if (kinds > 0).any() else 0.0
        loss = _map_loss(compared, target) + 0.5 * _map_loss(alone, target) + 0.2 * kind_loss
        zero_shot = F.interpolate(zero_shot, size=kinds.shape[-1], mode="bilinear")[:, 0]
        return {"loss": loss + focal_loss(zero_shot, target) + 0.3 * dice_loss(zero_shot, target)}

    def _sampled_prompts(self) -> Tensor:
        """One random wording per class each step, so that the text encoder learns words, not sentences."""
        groups = [NORMAL, ABNORMAL, *(KIND_PHRASES[kind] for kind in KINDS)]
        pick = torch.randint
        texts = [TEMPLATES[int(pick(len(TEMPLATES), ()))].format(group[int(pick(len(group), ()))]) for group in groups]
        encoded: Tensor = self.head.image_decoder.text_encoder(texts)
        return encoded


def split(features: PatchFeatures, counts: Tensor) -> tuple[PatchFeatures, list[PatchFeatures | None]]:
    """The collated batch -> features of the queries, and those of each query's references."""
    queries = features.select(slice(0, len(counts)))
    references: list[PatchFeatures | None] = []
    start = len(counts)
    for count in counts.tolist():
        references.append(features.select(slice(start, start + count)) if count else None)
        start += count
    return queries, references


def _map_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Pixels right, shapes right, and the whole photo right; (B, 1, s, s) logits, (B, S, S) target in {0, 1}."""
    shown = F.interpolate(logits, size=target.shape[-1], mode="bilinear")[:, 0]
    whole = F.binary_cross_entropy_with_logits(top_logit(logits), target.flatten(1).amax(dim=1))
    return 4 * focal_loss(shown, target) + dice_loss(shown, target) + 0.3 * whole


@torch.no_grad()
def _nearest(query: PatchFeatures, references: PatchFeatures | None) -> Neighbours | None:
    return None if references is None else MemoryBank(references).nearest(query)


def fit_calibration(model: DecoderTraining, scenes: Scenes, count: int) -> Calibration:
    """Fit the probability on the statistics of `count` scenes that training never saw."""
    rows, labels = [], []
    for start in range(0, count, 8):
        part = [scenes[len(scenes) - 1 - i] for i in range(start, min(start + 8, count))]
        batch = collate(part)
        queries, references = split(model.encode(batch["pictures"]), batch["counts"])
        for i, normals in enumerate(references):
            rows.append(FusedDetector(model.head, normals).detect(queries.select(slice(i, i + 1))).statistics)
        labels += [scene.defective for scene in part]
    return calibrate(np.stack(rows), np.array(labels))


# What decides are defects that a careful eye sees. With the faintest among them, which no detector tells from
# noise, the best line between good and defective would lie far among the good ones.
HARDEST = 0.5

# Synthetic references resemble their photo more than real ones do, so a fit would lean on the learnt logit alone. The
# mix is set instead: three parts learnt, one part distance, one part contrast, each in units of its own spread.
MIX = np.array([0.6, 0.2, 0.2])


def calibrate(rows: np.ndarray, labels: np.ndarray) -> Calibration:
    """Platt scaling (1999) of the evidence for each way of judging: (N, len(STATISTICS)) statistics, (N,) bool labels.

    Good and defective scenes get equal weight: what a user's share of defects is, nobody knows.
    """
    weights: list[float] = []
    step = len(EVIDENCE) + 1
    for start in (0, step):
        chosen = rows[:, start + step - 1] == 1
        evidence = rows[chosen, start : start + step - 1]
        mix = MIX / (evidence.std(axis=0) + 1e-6) if chosen.any() else MIX
        slope, offset = platt(evidence @ mix, labels[chosen])
        weights += [*(slope * mix).tolist(), offset]
    alone = rows[:, -1] == 1
    return Calibration((*weights, *platt(rows[alone, -2], labels[alone])))


def platt(evidence: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    """Slope and offset of a class-balanced logistic regression on (N,) evidence; (1, 0) where one class is missing."""
    if len(set(labels.tolist())) < 2:
        return 1.0, 0.0
    x, y = torch.tensor(evidence), torch.tensor(labels).double()
    weight = torch.where(y > 0, 0.5 / y.mean(), 0.5 / (1 - y.mean()))
    line = torch.tensor([1.0, 0.0], dtype=torch.double, requires_grad=True)
    optimizer = torch.optim.LBFGS([line], max_iter=100, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = F.binary_cross_entropy_with_logits(x * line[0] + line[1], y, weight=weight)
        loss.backward()
        return loss

    optimizer.step(closure)
    slope, offset = line.tolist()
    return slope, offset


def train_decoder(config: DecoderConfig) -> None:
    """Train, calibrate and write the detector to `config.output`."""
    torch.manual_seed(config.seed)
    encoder = ImageEncoder.from_pretrained(config.encoder)
    probe = encoder(torch.zeros(1, 3, encoder.image_size, encoder.image_size))
    head = FusionHead([level.shape[1] for level in probe.levels])
    if config.init is not None:
        head = FusionHead.load(config.init).requires_grad_(True)
    scenes = Scenes(config.photos, config.products, encoder.image_size, config.max_references, config.seed)
    model = DecoderTraining(encoder, head)
    fit(config, model, scenes, collate)
    model.cpu().eval()
    head.image_decoder.remember_prompts()
    clear = Scenes(config.photos, config.products, encoder.image_size, config.max_references, config.seed, HARDEST)
    head.calibration = fit_calibration(model, clear, config.calibration_scenes)
    with finished(config.output) as folder:
        head.save(folder)
