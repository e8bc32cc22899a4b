"""Leak check: hashes that survive saving anew and tell photos apart, their file, and what training writes."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from assistant import UserError
from assistant.evaluation.leaks import FILE, THRESHOLD, TrainingHashes, hash_photo, leak_check, merged
from assistant.images import load_image
from data_gen.procedural import random_product
from training.config import DecoderConfig
from training.load_config import load_config
from training.training_photos import record_training_photos


def product_photos(seed: int, count: int = 3, side: int = 160) -> list[np.ndarray]:
    """Photos of several pieces of one rendered product."""
    rng = np.random.default_rng(seed)
    product = random_product(rng)
    return [product.photo(rng, side) for _ in range(count)]


def save_all(folder: Path, photos: list[np.ndarray]) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{i}.png" for i in range(len(photos))]
    for path, photo in zip(paths, photos, strict=True):
        Image.fromarray(photo).save(path)
    return paths


def bits(a: np.ndarray, b: np.ndarray) -> int:
    return int(np.bitwise_count(hash_photo(a) ^ hash_photo(b)))


@pytest.mark.parametrize("seed", range(6))
def test_a_copy_is_near_and_another_photo_far(seed: int) -> None:
    photo, *_ = product_photos(seed)
    buffer = io.BytesIO()
    Image.fromarray(photo).save(buffer, "JPEG", quality=70)
    brighter = np.clip(photo.astype(np.float32) * 1.08 + 5, 0, 255).astype(np.uint8)
    small = np.asarray(Image.fromarray(photo).resize((110, 110), Image.Resampling.BICUBIC))
    assert bits(photo, load_image(buffer.getvalue())) <= THRESHOLD and bits(photo, small) <= THRESHOLD
    assert bits(photo, brighter) <= THRESHOLD < bits(photo, product_photos(seed + 100)[0])


def test_only_what_was_trained_on_is_found(tmp_path: Path) -> None:
    trained = save_all(tmp_path / "train", [photo for seed in range(5) for photo in product_photos(seed, 2)])
    hashes = TrainingHashes.of(trained)
    copies = [tmp_path / f"copy_{i}.jpg" for i in range(4)]
    for path, source in zip(copies, trained, strict=False):
        Image.open(source).save(path, quality=85)
    others = save_all(tmp_path / "other", [photo for seed in range(20, 25) for photo in product_photos(seed, 1)])
    (tmp_path / "torn.png").write_bytes(b"torn")
    assert hashes.find([*others, *copies, tmp_path / "torn.png"]) == copies


def test_a_photo_on_which_nothing_is_to_be_seen_resembles_none(tmp_path: Path) -> None:
    y, x = np.mgrid[:200, :300]
    empty = [np.full((200, 300, 3), 90, np.uint8), np.stack([80 + x // 5 + y // 9] * 3, axis=2).astype(np.uint8)]
    hashes = TrainingHashes.of(save_all(tmp_path, [*empty, *product_photos(0)]))
    assert [hash_photo(photo) for photo in empty] == [0, 0] and len(hashes.hashes) == 3
    assert not any(map(hashes.has, empty))


def test_sorted_unique_saved_loaded_and_merged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = save_all(tmp_path / "photos", product_photos(1, 3))
    (tmp_path / "photos" / "torn.png").write_bytes(b"torn")
    hashes = TrainingHashes.of([*paths, *paths, tmp_path / "photos" / "torn.png"])
    assert hashes.hashes.dtype == np.uint64 and len(hashes.hashes) == 3 and (np.diff(hashes.hashes) > 0).all()
    assert "torn.png" in capsys.readouterr().err
    path = hashes.save(tmp_path)
    loaded = TrainingHashes.load(tmp_path)
    assert loaded is not None and np.array_equal(loaded.hashes, hashes.hashes) and path.stat().st_size < 200
    both = hashes.merge(TrainingHashes.of(save_all(tmp_path / "more", product_photos(2, 1))))
    assert len(both.hashes) == 4 and both.find(paths) == paths
    assert merged([tmp_path / "nowhere", None]) is None and TrainingHashes.load(tmp_path / "photos") is None
    assert TrainingHashes(np.array([], dtype=np.uint64)).find(paths) == []
    (tmp_path / FILE).write_bytes(b"torn")
    with pytest.raises(UserError, match="is damaged"):
        TrainingHashes.load(tmp_path)


def test_tiny_knows_what_it_saw(tmp_path: Path) -> None:
    known = TrainingHashes.of_model("tiny")
    assert known is not None and len(known.hashes) > 1000
    assert TrainingHashes.load(tmp_path) is None
    (photo,) = save_all(tmp_path, product_photos(3, 1))
    assert leak_check("tiny", [("a", photo)]) == {"training_photos": len(known.hashes), "found": []}
    (tmp_path / "detector.json").write_text("{}")
    assert leak_check(str(tmp_path), [("a", photo)]) == {"training_photos": None, "found": []}
    TrainingHashes.of([photo]).save(tmp_path)
    assert leak_check(str(tmp_path), [("a", photo)]) == {"training_photos": 1, "found": ["a"]}
    (tmp_path / "detector.json").unlink()  # then the detector is that of `tiny`, and what it saw counts, too
    assert leak_check(str(tmp_path), [("a", photo)])["training_photos"] == len(known.hashes) + 1


def test_training_records_its_photos_with_those_of_before(tmp_path: Path) -> None:
    first, second, third = (save_all(tmp_path / str(i), product_photos(10 + i)) for i in range(3))
    TrainingHashes.of(third).save(tmp_path)
    config = load_config("tiny/decoder", [
        f"photos={json.dumps([str(tmp_path / '0')])}", f"products={json.dumps([str(tmp_path / '1')])}",
        f"encoder={tmp_path}", f"output={tmp_path / 'out'}",
    ])  # fmt: skip
    assert isinstance(config, DecoderConfig)
    (tmp_path / "out").mkdir()
    record_training_photos(config)
    recorded = TrainingHashes.load(tmp_path / "out")
    assert recorded is not None and recorded.find([*first, *second, *third]) == [*first, *second, *third]
