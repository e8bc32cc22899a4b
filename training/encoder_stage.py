"""Stage 1: distil the compact encoder from a pretrained vision model, without labels."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import Dataset

from assistant import UserError
from assistant.compact_encoder import CompactEncoderConfig, CompactEncoderModel
from assistant.encoder import ImageEncoder
from training.config import EncoderConfig
from training.pictures import draw_picture, find_pictures
from training.saving import finished
from training.trainer import fit
from training.training_photos import record_training_photos


class Pictures(Dataset):
    """Random crops of photos and rendered parts; item i is the same whatever the worker."""

    def __init__(self, photos: Sequence[Path], size: int, procedural_share: float, seed: int) -> None:
        self.photos, self.size, self.procedural_share, self.seed = photos, size, procedural_share, seed

    def __len__(self) -> int:
        return 10_000_000  # an endless stream: the budget ends training, not an epoch

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        rng = np.random.default_rng((self.seed, index))
        picture = draw_picture(self.photos, rng, self.size, self.procedural_share)
        return {"pixels": torch.from_numpy(picture).permute(2, 0, 1)}


class Distillation(nn.Module):
    """Student and frozen teacher; the loss compares features level by level, position by position.

    Any vision model can teach: a convolutional one at the student's own image size, a transformer at its own.

    Each teacher channel is first brought to zero mean and unit variance with statistics of a few hundred
    pictures, as EfficientAD does (Batzner et al. 2024, sec. 3.1), so that no channel drowns another; to the squared
    error the cosine distance is added, since the memory bank compares directions.
    """

    def __init__(self, student: CompactEncoderModel, teacher: ImageEncoder) -> None:
        super().__init__()
        self.student = student
        teacher.backbone.to(memory_format=torch.channels_last)
        self.teacher = [teacher]  # in a list, as checkpoints hold no teacher
        for i, channels in enumerate(student.config.level_channels):
            self.register_buffer(f"mean{i}", torch.zeros(1, channels, 1, 1))
            self.register_buffer(f"std{i}", torch.ones(1, channels, 1, 1))

    @torch.no_grad()
    def targets(self, pixels: Tensor) -> list[Tensor]:
        """Teacher maps at the wanted levels, on the student's grid; pixels (B, 3, S, S) in [0, 1]."""
        teacher = self.teacher[0].to(pixels.device)
        sides = [pixels.shape[-1] // stride for stride in strides_of(self.student.config)]
        if teacher.image_size != pixels.shape[-1]:
            pixels = F.interpolate(pixels, size=teacher.image_size, mode="bilinear", antialias=True)
        maps = teacher(pixels).levels
        return [
            m if m.shape[-1] == side else F.interpolate(m, size=side, mode="bilinear")
            for m, side in zip(maps, sides, strict=True)
        ]

    @torch.no_grad()
    def measure(self, pixels: Tensor) -> None:
        """Set the normalisation from a batch of pictures (B, 3, S, S) in [0, 1]."""
        chunks = [self.targets(part) for part in pixels.split(16)]
        for i in range(len(chunks[0])):
            maps = torch.cat([chunk[i] for chunk in chunks])
            getattr(self, f"mean{i}").copy_(maps.mean(dim=(0, 2, 3), keepdim=True))
            getattr(self, f"std{i}").copy_(maps.std(dim=(0, 2, 3), keepdim=True).clamp_min(1e-3))

    def forward(self, pixels: Tensor) -> dict[str, Tensor]:
        pixels = pixels.float().div(255).contiguous(memory_format=torch.channels_last)
        wanted = self.targets(pixels)
        found = self.student(2 * pixels - 1, output_hidden_states=True).hidden_states[: len(wanted)]
        losses = []
        for i, (student, teacher) in enumerate(zip(found, wanted, strict=True)):
            teacher = (teacher - getattr(self, f"mean{i}")) / getattr(self, f"std{i}")
            cosine = 1 - F.cosine_similarity(student, teacher, dim=1).mean()
            losses.append(F.mse_loss(student, teacher) + cosine)
        return {"loss": torch.stack(losses).mean(), "levels": torch.stack(losses).detach()}


def strides_of(student: CompactEncoderConfig) -> list[int]:
    """Pixels between the cells of each of the student's levels."""
    return [4 * 2**stage for stage in student.level_stages]


def open_teacher(config: EncoderConfig, strides: Sequence[int], size: int) -> ImageEncoder:
    """The teacher with one level for each of the student's `strides`, for photos of `size`.

    Raises:
        UserError: no such vision model, or it has not the levels that are wanted.
    """
    teacher = ImageEncoder.from_pretrained(config.teacher)
    probe = torch.zeros(1, 3, teacher.image_size, teacher.image_size)
    hidden = teacher.backbone(probe, output_hidden_states=True).hidden_states
    if hidden[-1].dim() == 4:  # no position embeddings that would call for a size of their own
        teacher.image_size = size
    levels = config.teacher_levels or choose_levels([tuple(h.shape) for h in hidden], probe.shape[-1], strides)
    if len(levels) != len(strides) or not all(-len(hidden) <= level < len(hidden) for level in levels):
        raise UserError(
            f"teacher_levels={list(levels)} do not fit {config.teacher!r}, which has {len(hidden)} hidden states",
            f"give {len(strides)} indices from 0 to {len(hidden) - 1}, or teacher_levels=[] to have them chosen",
        )
    teacher.levels = tuple(levels)
    return teacher


def choose_levels(shapes: Sequence[tuple[int, ...]], size: int, strides: Sequence[int]) -> tuple[int, ...]:
    """Indices into hidden states of these shapes, one for each stride; photos are of `size`.

    A transformer's are spread evenly over its depth. Of a convolutional network's, a stride's last is taken, and
    where several levels share a stride, they are spread over its hidden states.
    """
    depth, count = len(shapes) - 1, len(strides)
    if len(shapes[-1]) == 3:
        return tuple(max(1, round(depth * (i + 1) / count)) for i in range(count))
    chosen = []
    for i, stride in enumerate(strides):
        nearest = min((shape[-1] for shape in shapes), key=lambda side: abs(math.log(side * stride / size)))
        same = [place for place, shape in enumerate(shapes) if shape[-1] == nearest]
        rank, of = strides[: i + 1].count(stride), strides.count(stride)
        chosen.append(same[max(1, round(len(same) * rank / of)) - 1])
    return tuple(chosen)


def train_encoder(config: EncoderConfig) -> None:
    """Distil and write the encoder to `config.output` (`save_pretrained`, half precision)."""
    torch.manual_seed(config.seed)
    photos = find_pictures(config.photos)
    given = None if config.init is None else CompactEncoderModel.from_pretrained(config.init, dtype=torch.float32)
    shape = CompactEncoderConfig() if given is None else given.config
    teacher = open_teacher(config, strides_of(shape), shape.image_size)
    probe = teacher(torch.zeros(1, 3, teacher.image_size, teacher.image_size))
    channels = [level.shape[1] for level in probe.levels]
    if given is not None and channels != given.config.level_channels:
        raise UserError(
            f"{config.init} was taught by another model: its levels have {given.config.level_channels} channels, "
            f"the teacher's {channels}",
            "leave out init, or name its teacher",
        )
    shape.level_channels = channels
    student = CompactEncoderModel(shape) if given is None else given
    dataset = Pictures(photos, shape.image_size, config.procedural_share, config.seed)
    model = Distillation(student, teacher)
    # Far from the indices that training will ask for.
    sample = torch.stack([dataset[len(dataset) - 1 - i]["pixels"] for i in range(192)])
    model.measure(sample.float() / 255)
    fit(config, model, dataset)
    with finished(config.output) as folder:
        student.eval().half().save_pretrained(folder)
    record_training_photos(config)
