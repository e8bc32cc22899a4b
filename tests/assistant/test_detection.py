"""Detection benchmark: folders, masks, references, result files, bad photos, resuming; over stand-in models."""

import csv
import json
import random
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from assistant import UserError
from assistant.calibration import Calibration
from assistant.evaluation import detection
from assistant.evaluation.categories import find_categories
from assistant.evaluation.detection import METRICS, evaluate_detection
from assistant.evaluation.seeds import evaluate_seeds
from assistant.images import load_image
from assistant.inspection import Inspection
from assistant.layouts.masks import MaskFiles
from assistant.layouts.mvtec import find_mask

FILES = ["metrics.json", "per_image.csv", "report.html"]


class RednessAssistant:
    """Inspects perfectly: red is anomalous, and grey level 200 looks undecided."""

    language = None
    head = SimpleNamespace(calibration=Calibration())

    def __init__(self, stop_at: str = "") -> None:
        self.stop_at, self.seen, self.references = stop_at, [], []

    def inspect(self, image: Any, references: Sequence[Any] = ()) -> Inspection:
        photo = load_image(image).astype(np.float32)
        if self.stop_at and self.stop_at in str(image):
            raise KeyboardInterrupt
        self.seen.append(str(image))
        self.references.append(len(references))
        anomaly_map = (photo[..., 0] - photo[..., 1]) / 255
        probability = 0.5 if photo[0, 0, 1] == 200 else float(0.1 + 0.8 * anomaly_map.max())
        return Inspection.from_map(
            anomaly_map,
            probability=probability,
            calibration=Calibration(),
            image=str(image),
            references=len(references),
        )


def save(path: Path, *, box: tuple[int, int, int, int] | None = None, grey: int = 100, size: int = 40) -> None:
    pixels = np.full((size, size + 10, 3), grey, dtype=np.uint8)
    if box:
        x0, y0, x1, y1 = box
        pixels[y0:y1, x0:x1, 0] = 255
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def save_mask(path: Path, *, box: tuple[int, int, int, int], scale: float = 1.0, size: int = 40) -> None:
    x0, y0, x1, y1 = (round(edge * scale) for edge in box)
    pixels = np.zeros((round(size * scale), round((size + 10) * scale)), dtype=np.uint8)
    pixels[y0:y1, x0:x1] = 255
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """`bolt` with masks, `nut` without; four good photos to refer to each."""
    root = tmp_path / "data"
    for name in ("bolt", "nut"):
        for i in range(4):
            save(root / name / "train" / "good" / f"{i}.png", grey=100 + i)
            save(root / name / "test" / "good" / f"{i}.png")
        for i in range(3):
            save(root / name / "test" / "cut" / f"{i}.png", box=(5, 5 + i, 15, 20))
    for i in range(3):
        save_mask(root / "bolt" / "ground_truth" / "cut" / f"{i}_mask.png", box=(5, 5 + i, 15, 20))
    return root


def evaluate(data: Path, out: Path, assistant: Any = None, **changes: Any) -> dict[str, Any]:
    settings = {"shots": 2, "seed": 0, "model": "stub"} | changes
    return evaluate_detection(data, out=out, assistant=assistant or RednessAssistant(), **settings)


def test_a_perfect_model_scores_one_and_what_is_not_known_is_null(data: Path, tmp_path: Path) -> None:
    report = evaluate(data, tmp_path / "out")
    bolt, nut = report["categories"]["bolt"], report["categories"]["nut"]
    perfect = ("image_auroc", "image_ap", "image_f1_max", "accuracy", "balanced_accuracy")
    pixel = ("pixel_auroc", "pixel_ap", "pixel_f1_max", "pro", "pro_5", "aupimo")
    for name in (*perfect, *pixel):
        assert bolt[name] == 1.0, name
    assert [nut[name] for name in pixel] == [None] * len(pixel), "nut has no masks"
    assert nut["image_auroc"] == 1.0 and bolt["unsure_rate"] == 0.0
    assert bolt["ece"] == pytest.approx((4 * 0.1 + 3 * (0.9 - 0.8 * 155 / 255)) / 7)
    assert report["mean"]["pixel_auroc"] == 1.0, "the mean leaves out what is not known"
    assert report["skipped"] == [] and report["errors"] == {} and set(bolt) == set(METRICS)


def test_the_files(data: Path, tmp_path: Path) -> None:
    report = evaluate(data, tmp_path / "new" / "out")
    written = json.loads((tmp_path / "new" / "out" / "metrics.json").read_text())
    assert written == report and {"mean", "categories"} <= set(written)
    with (tmp_path / "new" / "out" / "per_image.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 14 and list(rows[0]) == ["path", "category", "label", "probability", "verdict"]
    assert rows[0]["path"] == "bolt/test/cut/0.png" and rows[0]["label"] == "1" and rows[0]["verdict"] == "defective"
    assert rows[-1]["path"] == "nut/test/good/3.png" and rows[-1]["label"] == "0"
    assert sorted(path.name for path in (tmp_path / "new" / "out").iterdir()) == FILES


def test_one_category_alone(data: Path, tmp_path: Path) -> None:
    report = evaluate(data / "bolt", tmp_path / "out")
    assert set(report["categories"]) == {"bolt"}
    assert "test/cut/0.png,bolt,1," in (tmp_path / "out" / "per_image.csv").read_text()


def test_unsure_is_counted_as_wrong_and_told(data: Path, tmp_path: Path) -> None:
    save(data / "bolt" / "test" / "good" / "0.png", grey=200)
    bolt = evaluate(data / "bolt", tmp_path / "out")["categories"]["bolt"]
    assert bolt["accuracy"] == pytest.approx(6 / 7) and bolt["unsure_rate"] == pytest.approx(1 / 7)
    assert bolt["balanced_accuracy"] == pytest.approx((1 + 3 / 4) / 2) and bolt["image_auroc"] == 1.0


@pytest.mark.parametrize("shots", [0, 1, 4])
def test_references_follow_the_protocol(data: Path, shots: int, tmp_path: Path) -> None:
    pool = sorted((data / "bolt" / "train" / "good").iterdir())
    random.Random(3).shuffle(pool)
    (bolt,) = find_categories(data / "bolt", shots=shots, seed=3)
    assert list(bolt.references) == pool[:shots]
    model = RednessAssistant()
    evaluate(data, tmp_path / "out", model, shots=shots)
    assert set(model.references) == {shots}


def test_a_bad_photo_is_told_and_left_out(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (data / "bolt" / "test" / "cut" / "1.png").write_bytes(b"torn")
    (data / "bolt" / "test" / "good" / "notes.txt").write_text("not a photo")
    report = evaluate(data / "bolt", tmp_path / "out")
    assert report["skipped"] == ["test/cut/1.png"] and report["categories"]["bolt"]["image_auroc"] == 1.0
    err = capsys.readouterr().err
    assert err.count("1.png") == 2 and "left out" in err.splitlines()[-1], "told when met and once more at the end"
    assert len((tmp_path / "out" / "per_image.csv").read_text().splitlines()) == 7


def test_only_bad_photos_are_an_error(data: Path, tmp_path: Path) -> None:
    for path in (data / "bolt" / "test").rglob("*.png"):
        path.write_bytes(b"torn")
    with pytest.raises(UserError, match="none of the 7 test photos"):
        evaluate(data / "bolt", tmp_path / "out")
    assert not (tmp_path / "out" / "metrics.json").exists()


def test_bad_folders_are_told(data: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is not a folder"):
        evaluate(tmp_path / "nowhere", tmp_path / "out")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="holds no photos"):
        evaluate(tmp_path / "empty", tmp_path / "out")
    with pytest.raises(UserError, match="holds 4 good photos to refer to, 9 are asked for"):
        evaluate(data, tmp_path / "out", shots=9)
    (data / "bolt" / "train" / "good" / "0.png").write_bytes(b"")
    with pytest.raises(UserError, match="0.png is empty"):
        evaluate(data, tmp_path / "out", shots=4)
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be made a folder"):
        evaluate(data, tmp_path / "file")


def test_an_interrupted_run_goes_on(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stub: Any) -> None:
    models = [RednessAssistant(stop_at="nut/test/good"), RednessAssistant(), RednessAssistant()]
    started = iter(models)
    monkeypatch.setattr(stub, "from_pretrained", classmethod(lambda cls, model, language: next(started)))

    def go_on(seed: int = 0) -> dict[str, Any]:
        return evaluate_detection(data, shots=1, seed=seed, model="stub", out=tmp_path / "out")

    with pytest.raises(KeyboardInterrupt):
        go_on()
    assert not (tmp_path / "out" / "metrics.json").exists()
    report = go_on()
    assert len(models[1].seen) == 7 and all("nut" in path for path in models[1].seen)
    assert report["categories"] == evaluate(data, tmp_path / "other", shots=1)["categories"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == FILES
    go_on(seed=1)
    assert len(models[2].seen) == 14, "a finished run, or one of another seed, is measured anew"


def test_masks_are_found_by_either_name(data: Path) -> None:
    photo = data / "bolt" / "test" / "cut" / "0.png"
    marked = data / "bolt" / "ground_truth" / "cut" / "0_mask.png"
    assert find_mask(photo) == MaskFiles((marked,))
    assert find_mask(marked.rename(marked.with_name("0.png")).parents[2] / "test" / "cut" / "0.jpg") is not None
    assert find_mask(data / "nut" / "test" / "cut" / "0.png") is None


@pytest.mark.parametrize("scale", [0.5, 1, 2, 3.3])
def test_masks_come_in_the_maps_geometry(tmp_path: Path, scale: float) -> None:
    save_mask(tmp_path / "mask.png", box=(10, 20, 30, 38), scale=scale)
    mask = MaskFiles((tmp_path / "mask.png",))((40, 50))
    ys, xs = np.nonzero(mask)
    assert mask.dtype == bool and mask.shape == (40, 50)
    assert (xs.min(), ys.min(), xs.max() + 1, ys.max() + 1) == pytest.approx((10, 20, 30, 38), abs=1)


def test_a_speck_survives_the_resizing(tmp_path: Path) -> None:
    pixels = np.zeros((400, 500), dtype=np.uint8)
    pixels[100, 100] = 1  # masks of small numbers count as well
    Image.fromarray(pixels).save(tmp_path / "mask.png")
    assert np.argwhere(MaskFiles((tmp_path / "mask.png",))((40, 50))).tolist() == [[10, 10]]


def test_pixel_metrics_take_in_the_good_photos(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    added = []
    add = detection.PixelHistogram.add

    def watch(self: Any, anomaly_map: np.ndarray, mask: np.ndarray) -> None:
        added.append(int(mask.sum()))
        add(self, anomaly_map, mask)

    monkeypatch.setattr(detection.PixelHistogram, "add", watch)
    (data / "bolt" / "ground_truth" / "cut" / "1_mask.png").unlink()  # not known, so left out
    evaluate(data / "bolt", tmp_path / "out")
    assert added == [150, 130, 0, 0, 0, 0]


def test_a_mask_that_cannot_be_read_takes_its_photo_along(data: Path, tmp_path: Path) -> None:
    (data / "bolt" / "ground_truth" / "cut" / "1_mask.png").write_bytes(b"torn")
    assert evaluate(data / "bolt", tmp_path / "out")["skipped"] == ["test/cut/1.png"]


class NoisyAssistant(RednessAssistant):
    """Sees red through noise, so that hardly two pixels score the same."""

    def inspect(self, image: Any, references: Sequence[Any] = ()) -> Inspection:
        red = super().inspect(image, references).anomaly_map
        assert red is not None
        noise = np.random.default_rng(len(self.seen)).random(red.shape, dtype=np.float32)
        return Inspection.from_map(
            0.2 * red + 0.8 * noise, probability=0.5, calibration=Calibration(), image=str(image)
        )


def test_a_large_category_tells_its_errors(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    exact = evaluate(data, tmp_path / "exact", NoisyAssistant())["categories"]["bolt"]
    monkeypatch.setattr(detection.PixelHistogram.__init__, "__defaults__", (60,))
    report = evaluate(data, tmp_path / "out", NoisyAssistant())
    assert set(report["errors"]["bolt"]) == set(detection.PIXEL_METRICS) and "pixel_auroc" in report["errors"]["bolt"]
    for name, error in report["errors"]["bolt"].items():
        assert 0 <= abs(report["categories"]["bolt"][name] - exact[name]) <= error + 1e-12, name


class SeededAssistant(RednessAssistant):
    """Sees red less well the brighter its references are."""

    def inspect(self, image: Any, references: Sequence[Any] = ()) -> Inspection:
        seen = super().inspect(image, references)
        chance = 0.3 if "cut/0" in str(image) and references[0][0, 0, 1] > 101 else seen.probability
        assert seen.anomaly_map is not None
        return Inspection.from_map(seen.anomaly_map, probability=chance, calibration=Calibration(), image=str(image))


def test_several_seeds_give_means_and_intervals(data: Path, tmp_path: Path) -> None:
    report = evaluate_seeds(data, shots=1, seeds=(0, 1, 2, 3), model="stub", out=tmp_path, assistant=SeededAssistant())
    single = [json.loads((tmp_path / f"seed_{seed}" / "metrics.json").read_text()) for seed in range(4)]
    each = [run["mean"]["accuracy"] for run in single]
    low, high = report["interval"]["mean"]["accuracy"]
    assert len(set(each)) > 1, "the seeds draw other references"
    assert report["mean"]["accuracy"] == pytest.approx(np.mean(each)) and low < np.mean(each) < high
    assert report["interval"]["categories"]["nut"]["pro"] is None and report["mean"]["pixel_auroc"] == 1.0
    assert report["interval"]["mean"]["pixel_auroc"] == [1.0, 1.0] and report["settings"]["seeds"] == [0, 1, 2, 3]
    assert json.loads((tmp_path / "metrics.json").read_text()) == report and set(report["mean"]) == set(METRICS)


def test_interrupted_seeds_go_on(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stub: Any) -> None:
    models = [RednessAssistant(), RednessAssistant(stop_at="nut"), *(RednessAssistant() for _ in range(3))]
    started = iter(models)
    monkeypatch.setattr(stub, "from_pretrained", classmethod(lambda cls, model, language: next(started)))
    for _ in range(2):
        if not models[1].seen:
            with pytest.raises(KeyboardInterrupt):
                evaluate_seeds(data, shots=1, seeds=(0, 1), model="stub", out=tmp_path / "out")
        else:
            evaluate_seeds(data, shots=1, seeds=(0, 1), model="stub", out=tmp_path / "out")
    assert [len(model.seen) for model in models] == [14, 7, 7, 0, 0]
    evaluate_seeds(data, shots=1, seeds=(0, 1), model="stub", out=tmp_path / "out")
    assert [len(model.seen) for model in models[3:]] == [14, 14], "a finished run is measured anew"
