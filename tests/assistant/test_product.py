"""A checkpoint that knows a product: what it keeps, and that it is used when no references are given."""

import json
import shutil

import numpy as np
import pytest

from assistant import Assistant, UserError
from assistant.calibration import Calibration
from assistant.detectors.fused import STATISTICS, FusedDetector
from assistant.encoder import PatchFeatures
from assistant.images import Frame
from assistant.product import Product
from data_gen.procedural import random_product


@pytest.fixture
def normals() -> list[np.ndarray]:
    rng = np.random.default_rng(5)
    product = random_product(rng)
    return [product.photo(rng, 256) for _ in range(3)]


def always(probability: float) -> Calibration:
    return Calibration((0.0,) * len(STATISTICS), float(np.log(probability / (1 - probability))))


@pytest.fixture
def tuned(normals, tiny_checkpoint, tmp_path):
    """The embedded checkpoint with a product beside it whose every photo is defective with 90 %."""
    folder = tmp_path / "tuned"
    shutil.copytree(tiny_checkpoint, folder)
    Product("gasket", normals, always(0.9)).save(folder)
    return folder


def test_it_comes_back_as_it_was_saved(tuned, normals):
    product = Product.load(tuned)
    assert product is not None and product.name == "gasket" and product.calibration == always(0.9)
    assert all(np.array_equal(a, b) for a, b in zip(product.normals, normals, strict=True))


def test_a_checkpoint_without_one_has_none(tiny_checkpoint):
    assert Product.load(tiny_checkpoint) is None


def test_a_known_product_needs_no_references(tuned, normals):
    assistant = Assistant.from_pretrained(str(tuned), language=False)
    plain = Assistant.from_pretrained("tiny", language=False)
    own, shown = assistant.inspect(normals[0]), assistant.inspect(normals[0], normals)
    assert own.references == 3 and own.probability == pytest.approx(0.9)
    assert shown.probability == pytest.approx(plain.inspect(normals[0], normals).probability)
    memory = PatchFeatures.join([assistant.encode(normal) for normal in normals])  # as it was fitted: no mirror
    scores = FusedDetector(assistant.head, memory).detect(assistant.encode(normals[0])).scores
    assert np.allclose(own.anomaly_map, Frame(normals[0], assistant.encoder.image_size).to_original(scores), atol=1e-5)
    assert assistant.inspect(normals[0], normals[1:]).references == 2


@pytest.mark.parametrize("damage", ["photo", "settings"])
def test_a_damaged_product_is_named(tuned, damage):
    if damage == "photo":
        (tuned / "product" / "01.png").write_bytes(b"")
    else:
        (tuned / "product.json").write_text('{"name": "gasket"}')
    with pytest.raises(UserError, match="product in"):
        Assistant.from_pretrained(str(tuned), language=False)


def test_a_product_of_another_detector_is_not_judged_by_its_old_line(tuned):
    settings = json.loads((tuned / "product.json").read_text())
    (tuned / "product.json").write_text(json.dumps(settings | {"evidence": ["logit", "distance", "contrast"]}))
    with pytest.raises(UserError, match="another version of the detector.*train it again"):
        Assistant.from_pretrained(str(tuned), language=False)
