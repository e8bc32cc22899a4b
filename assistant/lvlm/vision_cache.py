"""Photos come again and again, in training and in the questions about them; the vision tower looks at each once."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from assistant.lvlm.backbones import BACKBONES

LIMIT = 4 << 30  # bytes of features kept in main memory: about 3,000 photos of LLaVA-1.5
ASKED = 256 << 20  # the same where questions are answered: the photos that a batch is about

Features = dict[str, Any]  # the tower's outputs for one photo: tensors, or tuples of tensors and None


class VisionCache:
    """Stands in for the `forward` of a tower; keeps the features of each photo by its content.

    Works photo by photo, as every batch is composed anew. Towers that take a batch of pictures (B, 3, H, W) and
    towers that take the patches of all photos in one row with their grids (Qwen-VL) are both cut by one rule: photo i
    owns a share of the rows of every input and output. `misses` counts photos that were really looked at.
    A tower that is being trained is not stood in for, as what is kept has no graph.
    """

    def __init__(self, forward: Callable[..., Any], limit: int, frozen: bool) -> None:
        self.forward, self.limit, self.frozen = forward, limit, frozen
        self.misses = self.bytes = 0
        self._features: OrderedDict[str, Features] = OrderedDict()
        self._lock = threading.Lock()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if torch.is_grad_enabled() and not self.frozen:
            return self.forward(*args, **kwargs)
        with self._lock, torch.no_grad():
            return self._look(*args, **kwargs)

    def _look(self, *args: Any, **kwargs: Any) -> Any:
        grids = kwargs.get("grid_thw")
        first: Tensor = args[0] if args else kwargs["pixel_values"]
        counts = [1] * len(first) if grids is None else grids.prod(dim=-1).tolist()
        named = [*args, *(value for _, value in sorted(kwargs.items()))]
        named = [value for value in named if not _is_count(value)]  # the loss's number of tokens comes along
        keys = [content_key(tuple(_cut(value, counts, [i]) for value in named)) for i in range(len(counts))]
        missing = [i for i, key in enumerate(keys) if key not in self._features and key not in keys[:i]]
        fresh: dict[str, Features] = {}
        if missing:
            found = self.forward(
                *(_cut(value, counts, missing) for value in args),
                **{name: _cut(value, counts, missing) for name, value in kwargs.items()},
            )
            self.kind = type(found)
            some = [counts[i] for i in missing]
            for place, i in enumerate(missing):
                fresh[keys[i]] = {name: _share(value, some, place, _wanted(kwargs)) for name, value in found.items()}
        photos = [fresh[key] if key in fresh else self._recall(key) for key in keys]
        for key, features in fresh.items():
            self._keep(key, features)
        return self.kind(**{name: _join([photo[name] for photo in photos], first.device) for name in photos[0]})

    def _recall(self, key: str) -> Features:
        self._features.move_to_end(key)
        return self._features[key]

    def _keep(self, key: str, features: Features) -> None:
        self.misses += 1
        self._features[key] = {name: _to_memory(value) for name, value in features.items()}
        self.bytes += _size(self._features[key])
        while self.bytes > self.limit:
            self.bytes -= _size(self._features.popitem(last=False)[1])


def cache_vision(tower: nn.Module, limit: int = LIMIT) -> VisionCache:
    """Lets a frozen tower remember what it saw.

    Not for a tower that is split over processes: one that remembers would leave the others waiting.
    """
    assert not any(weight.requires_grad for weight in tower.parameters())
    tower.forward = VisionCache(tower.forward, limit, frozen=True)
    return tower.forward


def remember_vision(lvlm: PreTrainedModel) -> VisionCache | None:
    """Lets the tower of a model that answers questions remember its photos; asking again returns the same cache.

    None for a family that is not among `BACKBONES`, whose tower nobody has pointed out.
    """
    if lvlm.config.model_type not in BACKBONES:
        return None
    tower = lvlm.get_submodule(BACKBONES[lvlm.config.model_type].vision_tower)
    if not isinstance(tower.forward, VisionCache):
        tower.forward = VisionCache(tower.forward, ASKED, frozen=False)
    return tower.forward


def content_key(values: tuple[Any, ...]) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for value in values:
        if isinstance(value, Tensor):
            digest.update(f"{value.dtype}{tuple(value.shape)}".encode())
            digest.update(value.detach().cpu().contiguous().view(torch.uint8).numpy().data)
        else:
            digest.update(repr(value).encode())
    return digest.hexdigest()


def _cut(value: Any, counts: list[int], chosen: list[int]) -> Any:
    """The rows of the chosen photos; what is no tensor belongs to all."""
    if not isinstance(value, Tensor) or _is_count(value):
        return value
    parts = value.split(counts if len(value) == sum(counts) else [1] * len(counts))
    return torch.cat([parts[i] for i in chosen])


def _is_count(value: Any) -> bool:
    return isinstance(value, Tensor) and value.dim() == 0


def _wanted(kwargs: dict[str, Any]) -> list[int] | None:
    """Which hidden states the model will read; None for all."""
    asked = kwargs.get("output_hidden_states")
    return [asked] if type(asked) is int else list(asked) if isinstance(asked, list | tuple) else None


def _share(value: Any, counts: list[int], place: int, wanted: list[int] | None) -> Any:
    """One photo's share of an output: a tensor, or a tuple of hidden states of which only the wanted are kept."""
    if isinstance(value, Tensor):
        rows = len(value) / sum(counts)
        start, end = round(rows * sum(counts[:place])), round(rows * sum(counts[: place + 1]))
        return value[start:end]
    kept = {index % len(value) for index in wanted} if wanted is not None else range(len(value))
    return tuple(
        _share(one, counts, place, None) if one is not None and i in kept else None for i, one in enumerate(value)
    )


def _join(parts: list[Any], device: torch.device) -> Any:
    if parts[0] is None:
        return None
    if isinstance(parts[0], tuple):
        return tuple(_join(list(some), device) for some in zip(*parts, strict=True))
    return torch.cat([part.to(device, non_blocking=True) for part in parts])


def _to_memory(value: Any) -> Any:
    if value is None:
        return None
    return tuple(map(_to_memory, value)) if isinstance(value, tuple) else value.cpu().clone()


def _size(value: Any) -> int:
    if isinstance(value, dict | tuple):
        return sum(map(_size, value.values() if isinstance(value, dict) else value))
    return 0 if value is None else value.numel() * value.element_size()
