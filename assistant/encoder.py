"""Photo -> multi-level patch features, from any transformers vision model behind one small interface."""

import inspect
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import AutoConfig, AutoModel, PreTrainedModel
from transformers.utils.hub import cached_file

from assistant import UserError
from assistant.compact_encoder import CompactEncoderModel

TOWER = re.compile(r"\.(?:vision_tower|vision_model)\.")  # ends the path to the tower in the name of a weight
PREPROCESSING = "preprocessor_config.json"
DEEP = 3  # levels, from the last on
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class PatchFeatures:
    """Feature maps of a batch of photos, finest first: level l is (B, C_l, h_l, w_l)."""

    levels: tuple[Tensor, ...]

    @property
    def batch(self) -> int:
        return self.levels[0].shape[0]

    def select(self, index: slice) -> "PatchFeatures":
        """The features of some photos of the batch."""
        return PatchFeatures(tuple(level[index] for level in self.levels))

    @staticmethod
    def join(parts: Sequence["PatchFeatures"]) -> "PatchFeatures":
        """The features of several batches as one batch."""
        return PatchFeatures(tuple(torch.cat(maps) for maps in zip(*(p.levels for p in parts), strict=True)))

    def deep(self) -> tuple[Tensor, ...]:
        """The `DEEP` deepest levels as they are, of unit length: what a photo shows rather than how it is made."""
        return tuple(F.normalize(level, dim=1) for level in self.levels[-DEEP:])

    def unit(self, side: int) -> tuple[Tensor, ...]:
        """Locally averaged levels of unit length, none finer than `side`: what a memory bank compares.

        The 3x3 mean makes a patch aware of its neighbours and forgives small shifts (PatchCore, Roth et
        al. 2022, sec. 3.1). Level l comes as (B, C_l, s, s) with s = min(side, h_l).
        """
        out = []
        for level in self.levels:
            level = F.avg_pool2d(level, 3, 1, 1, count_include_pad=False)
            if level.shape[-1] > side:
                level = F.adaptive_avg_pool2d(level, side)
            out.append(F.normalize(level, dim=1))
        return tuple(out)


class ImageEncoder(nn.Module):
    """A frozen vision model that returns patch features of several depths.

    Args:
        backbone: a transformers vision model (CLIP, SigLIP, DINOv2/v3, MobileNetV2, a LLaVA model's
            own tower, or the compact encoder of `tiny`).
        levels: indices into its hidden states, finest or shallowest first.
        image_size: side of the square the photo is brought to, in pixels.
        mean, std: normalisation of the channels, for values in [0, 1].
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        backbone: PreTrainedModel,
        levels: Sequence[int],
        image_size: int,
        mean: Sequence[float],
        std: Sequence[float],
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.levels, self.image_size = tuple(levels), image_size
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(1, 3, 1, 1), persistent=False)

    def forward(self, pixels: Tensor) -> PatchFeatures:
        """Pixels (B, 3, S, S) in [0, 1] -> features of every level."""
        normal = ((pixels.to(self.mean) - self.mean) / self.std).to(self.backbone.dtype)
        hidden = self.backbone(normal, output_hidden_states=True).hidden_states
        assert hidden is not None, "the backbone returned no hidden states"
        return PatchFeatures(tuple(_as_map(hidden[level]).float() for level in self.levels))

    @classmethod
    def from_pretrained(cls, source: str | Path) -> "ImageEncoder":
        """Load the vision model in a folder or hub id; of a language-vision model only the tower is read.

        Raises:
            UserError: nothing there that can be loaded, or a family whose tower takes no plain images.
        """
        try:
            backbone = _tower_of_checkpoint(Path(source))
            if backbone is None:
                backbone = AutoModel.from_pretrained(str(source), use_safetensors=True, dtype=torch.float32)
            settings = _preprocessing(source)
        except (OSError, ValueError, RuntimeError, KeyError, SafetensorError) as error:
            raise UserError(f"no usable vision model at {str(source)!r}", "give a folder or hub id of one") from error
        tower = vision_tower(backbone)
        if "pixel_values" not in inspect.signature(tower.forward).parameters:
            raise UserError(f"{str(source)!r} is no vision model", "give a folder or hub id of one")
        return cls.from_backbone(tower, settings)

    def save(self, folder: str | Path) -> None:
        """Write what `from_pretrained` opens again: the vision model and its normalisation."""
        self.backbone.save_pretrained(folder)
        settings = {"image_mean": self.mean.flatten().tolist(), "image_std": self.std.flatten().tolist()}
        (Path(folder) / PREPROCESSING).write_text(json.dumps(settings, indent=2) + "\n")

    @classmethod
    def from_backbone(cls, backbone: PreTrainedModel, preprocessing: dict[str, Any] | None = None) -> "ImageEncoder":
        """Wrap a loaded vision model; levels and image size follow from the model itself."""
        backbone = backbone.eval().requires_grad_(False)
        settings = preprocessing or {}
        size = int(getattr(backbone.config, "image_size", 256))
        if isinstance(backbone, CompactEncoderModel):
            backbone = backbone.to(memory_format=torch.channels_last)
            mean = std = (0.5, 0.5, 0.5)
            return cls(backbone, range(len(backbone.config.level_stages)), size, mean, std)
        mean, std = settings.get("image_mean", IMAGENET_MEAN), settings.get("image_std", IMAGENET_STD)
        return cls(backbone, _default_levels(backbone, size), size, mean, std)


def vision_tower(model: PreTrainedModel) -> PreTrainedModel:
    """The part of a model that turns pixels into hidden states: itself, or its vision tower."""
    for path in ("vision_tower", "model.vision_tower", "vision_model", "model.vision_model"):
        part: Any = model
        for name in path.split("."):
            part = getattr(part, name, None)
        if isinstance(part, PreTrainedModel):
            return part
    _refuse_packed(getattr(model.config, "model_type", ""))
    return model


def _refuse_packed(model_type: str) -> None:
    if model_type.startswith("qwen"):
        raise UserError(
            "the vision tower of Qwen-VL takes packed patches, not a photo",
            "name another vision model as the encoder; the language model stays",
        )


def _tower_of_checkpoint(folder: Path) -> PreTrainedModel | None:
    """The vision tower alone, out of an assistant's checkpoint folder; None where the folder is not one.

    Inspecting needs no language model, so neither its weights nor its code is loaded.
    """
    path = folder / "config.json"
    config = json.loads(path.read_text()) if path.is_file() else {}
    if config.get("model_type") != "anomaly_lvlm":
        return None
    _refuse_packed(config["lvlm_config"]["model_type"])
    tower = AutoModel.from_config(AutoConfig.for_model(**config["lvlm_config"]["vision_config"]))
    weights: dict[str, Tensor] = {}
    for file in sorted(folder.glob("model*.safetensors")):
        with safe_open(file, framework="pt") as opened:
            names = [name for name in opened.keys() if TOWER.search(name)]  # noqa: SIM118, not a dict
            weights |= {TOWER.split(name, maxsplit=1)[1]: opened.get_tensor(name).float() for name in names}
    tower.load_state_dict(weights)
    return tower


def _as_map(hidden: Tensor) -> Tensor:
    """(B, C, h, w) as it is; tokens (B, prefix + side**2, C) without class and register tokens as a map."""
    if hidden.dim() == 4:
        return hidden
    side = int(hidden.shape[1] ** 0.5)
    return hidden[:, hidden.shape[1] - side * side :].transpose(1, 2).unflatten(2, (side, side))


def _default_levels(backbone: PreTrainedModel, size: int) -> list[int]:
    """A transformer's quarter depths (as in AnomalyGPT); a CNN's last map of every stride from 4 on."""
    with torch.no_grad():
        probe = torch.zeros(1, 3, size, size, device=backbone.device, dtype=backbone.dtype)
        hidden = backbone(probe, output_hidden_states=True).hidden_states
    if hidden[-1].dim() == 3:
        depth = len(hidden) - 1
        return [max(1, round(depth * quarter / 4)) for quarter in (1, 2, 3, 4)]
    last = {h.shape[-1]: i for i, h in enumerate(hidden)}
    return [i for side, i in last.items() if side * 4 <= size]


def _preprocessing(source: str | Path) -> dict[str, Any]:
    """The image processor's settings beside a model (folder or hub id), or nothing.

    A processor of several parts is saved as one file, which holds them under `image_processor`.
    """
    for name in (PREPROCESSING, "processor_config.json"):
        path = cached_file(str(source), name, _raise_exceptions_for_missing_entries=False)
        if path is not None:
            settings: dict[str, Any] = json.loads(Path(path).read_text())
            settings = settings.get("image_processor", settings)
            if "image_mean" in settings:
                return settings
    return {}
