"""A conversation asks many questions about one photo; the vision tower should look at it once."""

import copy
import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from assistant.lvlm.backbones import backbone_of
from assistant.lvlm.modeling import AnomalyLvlmForConditionalGeneration


class VisionMemo:
    """Stands in for a module's `forward`; keeps the last `size` results by the content of their inputs.

    Bypassed while gradients are recorded, as a remembered result has no graph. `misses` counts real runs.
    """

    def __init__(self, forward: Callable[..., Any], size: int) -> None:
        self.forward = forward
        self.size = size
        self.misses = 0
        self._results: OrderedDict[str, Any] = OrderedDict()
        self._lock = threading.Lock()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if torch.is_grad_enabled():
            return self.forward(*args, **kwargs)
        key = content_key(args, kwargs)
        with self._lock:
            if key in self._results:
                self._results.move_to_end(key)
                return copy.copy(self._results[key])
        result = self.forward(*args, **kwargs)
        with self._lock:
            self.misses += 1
            self._results[key] = result
            while len(self._results) > self.size:
                self._results.popitem(last=False)
        # A copy, because LLaVA writes the projected features into the output it gets.
        return copy.copy(result)


def remember_vision(model: AnomalyLvlmForConditionalGeneration, size: int = 8) -> VisionMemo:
    """Lets the vision tower remember the last `size` photos; asking again returns the memo that is there."""
    tower = model.lvlm.get_submodule(backbone_of(model.lvlm.config.model_type).vision_tower)
    if not isinstance(tower.forward, VisionMemo):
        tower.forward = VisionMemo(tower.forward, size)
    return tower.forward


def content_key(args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for name, value in [*enumerate(args), *sorted(kwargs.items())]:
        digest.update(str(name).encode())
        if isinstance(value, Tensor):
            digest.update(f"{value.dtype}{tuple(value.shape)}".encode())
            digest.update(value.detach().cpu().contiguous().view(torch.uint8).numpy().data)
        else:
            digest.update(repr(value).encode())
    return digest.hexdigest()
