"""Stage 2: train the image decoder and its fusion with the memory bank on synthetic and, where given, real defects."""

import copy
from collections.abc import Sequence

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm import tqdm

from assistant.assistant import ENCODER
from assistant.calibration import Calibration
from assistant.detectors.fused import EVIDENCE, ONE, SEVERAL, FusedDetector, FusionHead, top_logit
from assistant.detectors.memory_bank import MemoryBank, Neighbours
from assistant.detectors.text_prompts import ABNORMAL, KIND_PHRASES, NORMAL, TEMPLATES
from assistant.encoder import ImageEncoder, PatchFeatures
from assistant.inspection import KINDS
from training.config import DecoderConfig
from training.losses import LOSSES
from training.real_photos import UNKNOWN, UNNAMED
from training.saving import finished
from training.scenes import Scene, Scenes
from training.trainer import fit
from training.training_photos import record_training_photos

MASK_SIDE = 128  # the loss looks at the map here: fine enough for a scratch, a quarter of the pixels
IGNORE = -100
References = tuple[PatchFeatures, PatchFeatures]  # the good photos of one product, and the same mirrored


def small_mask(kinds: np.ndarray) -> Tensor:
    """(S, S) kinds -> (MASK_SIDE, MASK_SIDE) kinds; a cell is defective when a third of it is, or, where the whole
    defect is too fine for that, when any of it is."""
    share = cv2.resize((kinds > 0).astype(np.float32), (MASK_SIDE, MASK_SIDE), interpolation=cv2.INTER_AREA)
    grown = cv2.dilate(kinds, np.ones((3, 3), np.uint8))
    label = cv2.resize(grown, (MASK_SIDE, MASK_SIDE), interpolation=cv2.INTER_NEAREST)
    cells = share > 0.33 if (share > 0.33).any() else share > 0
    return torch.from_numpy(np.where(cells, label, 0).astype(np.int64))


def collate(scenes: Sequence[Scene]) -> dict[str, Tensor]:
    """All photos of the batch, queries first, with the number of references of each query; the references come once as
    they are and once mirrored."""
    references = [reference for scene in scenes for reference in scene.references]
    pictures = [*(scene.photo for scene in scenes), *references, *(reference[:, ::-1] for reference in references)]
    return {
        "pictures": torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2),
        "counts": torch.tensor([len(scene.references) for scene in scenes]),
        "kinds": torch.stack([small_mask(scene.kinds) for scene in scenes]),
    }


class DecoderTraining(nn.Module):
    """Encoder and trained fusion head; one of `LOSSES` on the fused and on the zero-shot map.

    Args:
        encoder: frozen unless tuned; None where only weights are to be filled from a checkpoint.
        head: what is trained.
        loss: a name in `LOSSES`.
        tune_encoder: the encoder learns on, too, held near to what it was: else it would forget all that synthetic
            defects do not ask for.
    """

    def __init__(
        self, encoder: ImageEncoder | None, head: FusionHead, loss: str = "focal-dice", tune_encoder: bool = False
    ) -> None:
        super().__init__()
        # In a list, so that checkpoints hold what is trained alone; only to be filled from one, no encoder is needed.
        self.encoder = [] if encoder is None else [encoder]
        self.head, self.pixel_loss = head, LOSSES[loss]
        self.tuned: nn.Module | None = None
        if tune_encoder:
            self.before = [copy.deepcopy(self.encoder[0])]
            tuned = self.encoder[0].backbone.requires_grad_(True)
            self.tuned = tuned.to(memory_format=torch.contiguous_format)  # as checkpoints want it

    def train(self, mode: bool = True) -> "DecoderTraining":
        """As always, but the encoder keeps its batch statistics: those of synthetic scenes are not those of photos."""
        super().train(mode)
        if self.tuned is not None:
            self.tuned.eval()
        return self

    def encode(self, pictures: Tensor) -> PatchFeatures:
        """Features of (N, 3, S, S) uint8 pictures."""
        encoder = self.encoder[0].to(pictures.device)
        with torch.set_grad_enabled(self.tuned is not None and torch.is_grad_enabled()):
            return _look(encoder, pictures)

    def forward(self, pictures: Tensor, counts: Tensor, kinds: Tensor) -> dict[str, Tensor]:
        """What `collate` gives -> "loss", and the fused "logits" (B, 1, s, s) that it judges."""
        features = self.encode(pictures)
        queries, references = split(features, counts)
        found = [self._nearest(queries.select(slice(i, i + 1)), normals) for i, normals in enumerate(references)]
        prompts, decoder = self._sampled_prompts(), self.head.image_decoder
        with torch.no_grad():
            decoder.prompts.copy_(prompts)
        compared, kind = self.head(queries, found, prompts)
        alone, kind_alone = self.head(queries, [None] * len(found), prompts)  # detection judges every photo both ways
        similarity = decoder.match(decoder.embed(queries, queries.levels[1].shape[-1]), prompts)
        loss = self._map_loss(compared, kinds) + 0.5 * self._map_loss(alone, kinds)
        loss = loss + self._pixels(similarity[:, 1:2] - similarity[:, :1], kinds)
        loss = loss + 0.3 * _kind_loss(kind, kinds) + 0.1 * _kind_loss(kind_alone, kinds)
        if self.tuned is not None:
            loss = loss + self._forgotten(features, pictures)
        return {"loss": loss, "logits": compared}

    def _nearest(self, query: PatchFeatures, references: References | None) -> Neighbours | None:
        with torch.set_grad_enabled(self.tuned is not None and torch.is_grad_enabled()):
            return None if references is None else MemoryBank(*references).nearest(query)

    def _forgotten(self, features: PatchFeatures, pictures: Tensor) -> Tensor:
        """How far the tuned encoder's features have turned from those it began with, cosine distance in [0, 2]."""
        with torch.no_grad():
            before = _look(self.before[0].to(pictures.device), pictures)
        pairs = zip(features.levels, before.levels, strict=True)
        return torch.stack([1 - F.cosine_similarity(now, then, dim=1).mean() for now, then in pairs]).mean()

    def _map_loss(self, logits: Tensor, kinds: Tensor) -> Tensor:
        """Pixels and shapes right, and the whole photo right; (B, 1, s, s) logits, (B, S, S) kinds."""
        defective = (kinds > 0).flatten(1).any(dim=1).float()
        return 4 * self._pixels(logits, kinds) + 0.3 * F.binary_cross_entropy_with_logits(top_logit(logits), defective)

    def _pixels(self, logits: Tensor, kinds: Tensor) -> Tensor:
        """The loss of the photos whose mask is known; (B, 1, s, s) logits, (B, S, S) kinds."""
        shown = F.interpolate(logits, size=kinds.shape[-1], mode="bilinear")[:, 0]
        known = (kinds != UNKNOWN).flatten(1).all(dim=1)
        # the mean over no photo is NaN; and all parts take part, or processes that train together wait for them
        return self.pixel_loss(shown[known], (kinds[known] > 0).float()) if known.any() else 0.0 * shown.sum()

    def _sampled_prompts(self) -> Tensor:
        """One random wording per class each step, so that the text encoder learns words, not sentences."""
        groups = [NORMAL, ABNORMAL, *(KIND_PHRASES[kind] for kind in KINDS)]
        pick = torch.randint
        texts = [TEMPLATES[int(pick(len(TEMPLATES), ()))].format(group[int(pick(len(group), ()))]) for group in groups]
        encoded: Tensor = self.head.image_decoder.text_encoder(texts)
        return encoded


def split(features: PatchFeatures, counts: Tensor) -> tuple[PatchFeatures, list[References | None]]:
    """The collated batch -> features of the queries, and those of each query's references, as they are and mirrored."""
    queries = features.select(slice(0, len(counts)))
    references: list[References | None] = []
    start, mirrored = len(counts), int(counts.sum())
    for count in counts.tolist():
        views = (slice(start + shift, start + shift + count) for shift in (0, mirrored))
        references.append((features.select(next(views)), features.select(next(views))) if count else None)
        start += count
    return queries, references


def _kind_loss(similarity: Tensor, kinds: Tensor) -> Tensor:
    """Cross entropy of the similarities (B, K, c, c) where a kind is named, every photo and kind counting alike: a
    scratch is no less a defect than a stain of ten times its pixels. 0 where none is named."""
    shown = F.interpolate(similarity, size=kinds.shape[-1], mode="bilinear")
    named = (kinds > 0) & (kinds < UNNAMED)
    if not named.any():
        return 0.0 * shown.sum()
    wanted = torch.where(named, kinds - 1, IGNORE)
    cost = F.cross_entropy(shown, wanted, ignore_index=IGNORE, reduction="none")[named]
    photo = torch.arange(len(kinds), device=kinds.device)[:, None, None].expand_as(kinds)[named]
    _, group, pixels = torch.unique(photo * UNNAMED + kinds[named], return_inverse=True, return_counts=True)
    return (cost / pixels[group]).sum() / len(pixels)


def _look(encoder: ImageEncoder, pictures: Tensor) -> PatchFeatures:
    """Features of (N, 3, S, S) uint8 pictures; distances of near neighbours need all digits, so no half precision."""
    with torch.autocast(pictures.device.type, enabled=False):
        return PatchFeatures.join([encoder(part.float() / 255) for part in pictures.split(16)])


def fit_calibration(model: DecoderTraining, scenes: Scenes, count: int) -> Calibration:
    """Fit the probability on the statistics of `count` scenes that training never saw."""
    rows, labels = [], []
    for start in tqdm(range(0, count, 8), "calibrating", mininterval=10):
        part = [scenes[len(scenes) - 1 - i] for i in range(start, min(start + 8, count))]
        batch = collate(part)
        queries, references = split(model.encode(batch["pictures"]), batch["counts"])
        for i, normals in enumerate(references):
            detector = FusedDetector(model.head, *(normals or ()))
            rows.append(detector.detect(queries.select(slice(i, i + 1))).statistics)
        labels += [scene.defective for scene in part]
    return calibrate(np.stack(rows), np.array(labels))


# What decides are defects that a careful eye sees. With the faintest among them, which no detector tells from
# noise, the best line between good and defective would lie far among the good ones.
HARDEST = 0.5

# Synthetic references resemble their photo more than real ones do, so a fit would lean on the learnt logit alone. The
# mix is set instead: half of it distance, and more logit than contrast, each in units of its own spread.
MIX = np.array([0.3, 0.5, 0.2])


def calibrate(rows: np.ndarray, labels: np.ndarray) -> Calibration:
    """Platt scaling (1999) of the evidence for each way of judging: (N, len(STATISTICS)) statistics, (N,) bool labels.

    Good and defective scenes get equal weight: what a user's share of defects is, nobody knows.
    """
    weights: list[float] = []
    step = len(EVIDENCE) + 1
    for start in (ONE, SEVERAL):
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


def calibrate_head(model: DecoderTraining, clear: Scenes, count: int) -> None:
    """Make the trained head ready for use, with its calibration on `count` of the scenes."""
    model.cpu().eval()
    model.head.image_decoder.remember_prompts()
    model.head.calibration = fit_calibration(model, clear, count)


def train_decoder(config: DecoderConfig) -> None:
    """Train, calibrate and write the detector to `config.output`."""
    torch.manual_seed(config.seed)
    encoder = ImageEncoder.from_pretrained(config.encoder)
    with torch.no_grad():
        probe = encoder(torch.zeros(1, 3, encoder.image_size, encoder.image_size))
    head = FusionHead([level.shape[1] for level in probe.levels])
    if config.init is not None:
        head = FusionHead.load(config.init).requires_grad_(True)
    size, references = encoder.image_size, config.max_references
    scenes = Scenes(config.photos, config.products, size, references, config.seed, data=config.data)
    model = DecoderTraining(encoder, head, config.loss, config.tune_encoder)
    fit(config, model, scenes, collate)
    # Every real defect was trained on: what the head thinks of them says nothing of others.
    clear = Scenes(config.photos, config.products, size, references, config.seed, HARDEST, config.data, real_share=0)
    calibrate_head(model, clear, config.calibration_scenes)
    with finished(config.output) as folder:
        head.save(folder)
        if config.tune_encoder:
            encoder.backbone.half()
            encoder.save(folder / ENCODER)
    record_training_photos(config)
