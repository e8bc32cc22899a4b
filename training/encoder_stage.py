"""Stage 1: distil the compact encoder from a pretrained vision model, without labels."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import Dataset
from transformers import AutoModel, PreTrainedModel

from assistant import UserError
from assistant.compact_encoder import CompactEncoderConfig, CompactEncoderModel
from training.config import EncoderConfig
from training.pictures import draw_picture, find_pictures
from training.saving import finished
from training.trainer import fit


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

    Each teacher channel is first brought to zero mean and unit variance with statistics of a few hundred
    pictures, as EfficientAD does (Batzner et al. 2024, sec. 3.1), so that no channel drowns another; to the squared
    error the cosine distance is added, since the memory bank compares directions.
    """

    def __init__(self, student: CompactEncoderModel, teacher: PreTrainedModel, levels: Sequence[int]) -> None:
        super().__init__()
        self.student = student
        self.teacher = [teacher.eval().requires_grad_(False).to(memory_format=torch.channels_last)]
        self.levels = levels
        for i, channels in enumerate(student.config.level_channels):
            self.register_buffer(f"mean{i}", torch.zeros(1, channels, 1, 1))
            self.register_buffer(f"std{i}", torch.ones(1, channels, 1, 1))

    @torch.no_grad()
    def targets(self, pixels: Tensor) -> list[Tensor]:
        """Teacher maps at the wanted levels, on the student's grid; pixels (B, 3, S, S) in [-1, 1]."""
        self.teacher[0].to(pixels.device)
        hidden = self.teacher[0](pixels, output_hidden_states=True).hidden_states
        maps = [hidden[level] for level in self.levels]
        if maps[0].dim() == 3:  # a vision transformer: (B, 1 + h*w, C)
            side = int((maps[0].shape[1]) ** 0.5)
            maps = [m[:, -side * side :].transpose(1, 2).unflatten(2, (side, side)) for m in maps]
        strides = [4 * 2**stage for stage in self.student.config.level_stages]
        return [
            F.interpolate(m, size=pixels.shape[-1] // s, mode="bilinear") if m.shape[-1] != pixels.shape[-1] // s else m
            for m, s in zip(maps, strides, strict=True)
        ]

    @torch.no_grad()
    def measure(self, pixels: Tensor) -> None:
        """Set the normalisation from a batch of pictures (B, 3, S, S) in [-1, 1]."""
        chunks = [self.targets(part) for part in pixels.split(16)]
        for i in range(len(self.levels)):
            maps = torch.cat([chunk[i] for chunk in chunks])
            getattr(self, f"mean{i}").copy_(maps.mean(dim=(0, 2, 3), keepdim=True))
            getattr(self, f"std{i}").copy_(maps.std(dim=(0, 2, 3), keepdim=True).clamp_min(1e-3))

    def forward(self, pixels: Tensor) -> dict[str, Tensor]:
        pixels = pixels.float().div(127.5).sub(1).contiguous(memory_format=torch.channels_last)
        wanted = self.targets(pixels)
        found = self.student(pixels, output_hidden_states=True).hidden_states[: len(wanted)]
        losses = []
        for i, (student, teacher) in enumerate(zip(found, wanted, strict=True)):
            teacher = (teacher - getattr(self, f"mean{i}")) / getattr(self, f"std{i}")
            cosine = 1 - F.cosine_similarity(student, teacher, dim=1).mean()
            losses.append(F.mse_loss(student, teacher) + cosine)
        return {"loss": torch.stack(losses).mean(), "levels": torch.stack(losses).detach()}


def train_encoder(config: EncoderConfig) -> None:
    """Distil and write the encoder to `config.output` (`save_pretrained`, half precision)."""
    torch.manual_seed(config.seed)
    photos = find_pictures(config.photos)
    try:
        teacher = AutoModel.from_pretrained(config.teacher)
    except (OSError, ValueError) as error:
        raise UserError(f"no teacher {config.teacher!r}", "give a folder or hub id of a vision model") from error
    student = CompactEncoderModel(CompactEncoderConfig())
    if config.init is not None:
        student = CompactEncoderModel.from_pretrained(config.init)
    dataset = Pictures(photos, student.config.image_size, config.procedural_share, config.seed)
    model = Distillation(student, teacher, config.teacher_levels)
    # Far from the indices that training will ask for.
    sample = torch.stack([dataset[len(dataset) - 1 - i]["pixels"] for i in range(192)])
    model.measure(sample.float().div(127.5).sub(1))
    fit(config, model, dataset)
    with finished(config.output) as folder:
        student.eval().half().save_pretrained(folder)
