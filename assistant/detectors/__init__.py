"""Detectors: given the patch features of a photo, how anomalous is each place? One question, many answers.

Plug-in point: a new detector is a file here with a class that has `score`, and a line in `DETECTORS`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torch import Tensor

    from assistant.encoder import PatchFeatures

DETECTORS = {
    "memory_bank": "assistant.detectors.memory_bank:MemoryBank",
    "image_decoder": "assistant.detectors.image_decoder:ImageDecoder",
    "fused": "assistant.detectors.fused:FusedDetector",
}


class Detector(Protocol):
    """What every detector can do."""

    def score(self, features: "PatchFeatures") -> "Tensor":
        """Anomaly scores (B, h, w) in [0, 1] on the detector's own grid, higher is more anomalous."""
        ...


def load_detector(name: str) -> type[Detector]:
    """The class of a registered detector; KeyError for an unknown name."""
    module, attribute = DETECTORS[name].split(":")
    return getattr(import_module(module), attribute)
