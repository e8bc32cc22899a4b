"""What the tests of training share: a small encoder with its detector, and a base of every family on disk."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import AutoModelForImageTextToText

from assistant.detectors.fused import FusionHead
from data_gen.procedural import random_product
from tests.assistant.lvlm_families import FAMILIES
from tests.small_models import CHANNELS, small_encoder

SIDE = 64
STEP = {"max_steps": 1, "batch_size": 2, "warmup_steps": 0, "workers": 0, "max_minutes": 10.0, "scenes": 2}


@pytest.fixture(scope="session")
def eyes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """`encoder` and `detector`, random and small."""
    folder = tmp_path_factory.mktemp("eyes")
    small_encoder(SIDE).save_pretrained(folder / "encoder")
    torch.manual_seed(0)
    FusionHead(CHANNELS, dim=16, width=16).save(folder / "detector")
    return {"encoder": str(folder / "encoder"), "detector": str(folder / "detector")}


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six pictures of one rendered product."""
    folder = tmp_path_factory.mktemp("photos")
    rng = np.random.default_rng(0)
    product = random_product(rng)
    for i in range(6):
        Image.fromarray(product.photo(rng, 96)).save(folder / f"{i}.png")
    return folder


@pytest.fixture(scope="session")
def base_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Family -> folder of a plain base with random weights, as the hub has them."""
    folder = tmp_path_factory.mktemp("bases")

    def build(family: str) -> Path:
        if not (folder / family).is_dir():
            config, processor = FAMILIES[family]()
            torch.manual_seed(0)
            AutoModelForImageTextToText.from_config(config).save_pretrained(folder / family)
            processor.save_pretrained(folder / family)
        return folder / family

    return build


@pytest.fixture
def words(eyes, photos, tmp_path) -> list[str]:
    """A run of 2 steps with a checkpoint after each."""
    return [
        f"output={tmp_path / 'out'}", f"encoder={eyes['encoder']}", f"photos={photos}", "max_steps=2", "save_steps=1",
        "batch_size=2", "warmup_steps=0", "workers=0", "calibration_scenes=4",
    ]  # fmt: skip
