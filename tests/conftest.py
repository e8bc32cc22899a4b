"""What the tests share: a photo, a map, a stand-in for the assistant, the embedded checkpoint, a browser."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

os.environ.setdefault("HF_HUB_OFFLINE", "1")  # a test that needs the network is wrong

from assistant import UserError  # noqa: E402
from assistant.calibration import Calibration  # noqa: E402
from assistant.images import load_image  # noqa: E402
from assistant.inspection import Inspection  # noqa: E402
from tests.browser import log, page, server, server_folder  # noqa: E402, F401

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def photo() -> np.ndarray:
    """(96, 128, 3) uint8: a smooth scene, different in every corner."""
    y, x = np.mgrid[:96, :128]
    return np.stack([40 + x, 60 + y, 200 - x], axis=2).astype(np.uint8)


@pytest.fixture
def photo_path(photo: np.ndarray, tmp_path: Path) -> Path:
    path = tmp_path / "part.png"
    Image.fromarray(photo).save(path)
    return path


@pytest.fixture
def tiny_checkpoint() -> Path:
    """The embedded checkpoint; it ships with the package, so its absence is a failure."""
    path = ROOT / "assistant" / "checkpoints" / "tiny"
    assert path.is_dir(), f"{path} is missing: the embedded checkpoint ships with the package"
    return path


def spot(height: int, width: int, peak: float = 0.9) -> np.ndarray:
    """(H, W) float32 map with one bump in the upper left third."""
    y, x = np.mgrid[:height, :width]
    distance = ((y - height / 5) / height) ** 2 + ((x - width / 5) / width) ** 2
    return (peak * np.exp(-distance / 0.004)).astype(np.float32)


class StubChat:
    """Two pieces of answer per question; "stop" is interrupted in the middle."""

    def __init__(self, inspection: Inspection) -> None:
        self.inspection = inspection

    def stream(self, question: str) -> Iterator[str]:
        if "unanswerable" in question:
            raise UserError("the question is too long", "ask less at a time")
        yield "I looked "
        if question == "stop":
            raise KeyboardInterrupt
        yield f"for: {question}"

    def ask(self, question: str) -> str:
        return "".join(self.stream(question))


class StubAssistant:
    """The assistant's interface without a model: every photo has one defect in its upper left."""

    loaded: dict[str, Any] = {}
    language = None
    head = SimpleNamespace(calibration=Calibration())

    @classmethod
    def from_pretrained(cls, model: str, language: bool = True) -> "StubAssistant":
        cls.loaded = {"model": model, "language": language}
        return cls()

    def inspect(self, image: Any, references: Any = ()) -> Inspection:
        photo = load_image(image)
        return Inspection.from_map(
            spot(*photo.shape[:2]), probability=0.9, calibration=Calibration(),
            photo=photo, image=str(image), references=len(references), seconds=0.01,
        )  # fmt: skip

    def start_chat(self, image: Any, references: Any = ()) -> StubChat:
        return StubChat(self.inspect(image, references))


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> type[StubAssistant]:
    """`assistant.assistant` replaced by the stand-in: the command line's own behaviour, in milliseconds."""
    module = ModuleType("assistant.assistant")
    module.Assistant = StubAssistant  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "assistant.assistant", module)
    return StubAssistant
