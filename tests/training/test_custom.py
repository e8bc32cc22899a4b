"""Fine-tuning on one's own photos, whole: a folder in, a better model or a refusal out; nothing made is lost."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from assistant import Assistant, UserError
from assistant.evaluation.leaks import TrainingHashes
from assistant.product import Product
from data_gen.procedural import random_product
from training import custom, run
from training.before_after import DECISIVE, worse
from training.load_config import load_config


@pytest.fixture(autouse=True)
def little(monkeypatch):
    """Few photos of everything: what is tested is the way, not how good the model gets."""
    monkeypatch.setattr("training.product_fit.BROKEN", 8)
    monkeypatch.setattr("training.custom.EXAMPLES", 4)
    monkeypatch.setattr("training.held_out.ENOUGH", 2)
    monkeypatch.setattr("training.held_out.MADE_BAD", 3)
    monkeypatch.setattr("training.before_after.SHOWN", 2)


@pytest.fixture(scope="module")
def photos(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("gasket")
    rng = np.random.default_rng(8)
    product = random_product(rng)
    (folder / "good").mkdir()
    for number in range(6):
        Image.fromarray(product.photo(rng, 128)).save(folder / "good" / f"{number}.png")
    return folder


def config(photos: Path, output: Path, *more: str):
    settings = [f"data.root={photos}", f"output={output}", "max_steps=1", "batch_size=2", "workers=0", *more]
    return load_config("custom", settings)


def test_a_folder_of_good_photos_gives_a_model_that_knows_the_product(photos, tmp_path, monkeypatch):
    monkeypatch.setattr(custom, "write_before_after", lambda *a: custom_report(*a)[:0])  # whatever comes out
    run(config(photos, tmp_path))
    assistant = Assistant.from_pretrained(str(tmp_path / "model"))
    assert assistant.product is not None and assistant.product.name == photos.name
    chat = assistant.start_chat(photos / "good" / "0.png")
    assert chat.inspection.references == len(assistant.product.normals) == 5 and chat.ask("Is there a defect?")
    assert not (tmp_path / "model" / "checkpoints").exists()
    hashes = TrainingHashes.load(tmp_path / "model")
    assert hashes is not None and hashes.has(np.asarray(Image.open(learnt(photos))))
    figures = json.loads((tmp_path / "before_after.json").read_text())
    assert figures["before"].keys() == figures["after"].keys() >= {"balanced accuracy", "I-AUROC", "contradictions"}
    held = figures["held_out"]
    assert held["good"] == 2 and 1 <= held["defective"] <= 3 and held["made"] == held["defective"] + 1
    assert "data:image/jpeg" in (tmp_path / "report.html").read_text()
    record = json.loads((tmp_path / "run.json").read_text())
    assert record["steps"] == 1 and record["ended"] and record["inputs"]["data.root"][str(photos)]["files"] == 6


def test_what_is_finished_stays_as_it_is(photos, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(custom, "write_before_after", lambda *a: custom_report(*a)[:0])
    run(config(photos, tmp_path))
    kept = {name: (tmp_path / name).read_text() for name in ("report.html", "before_after.json", "run.json")}
    assert any((tmp_path / "logs").rglob("events*"))
    capsys.readouterr()
    run(config(photos, tmp_path))
    assert "the model is in" in capsys.readouterr().err
    assert kept == {name: (tmp_path / name).read_text() for name in kept}


def test_nothing_of_others_is_overwritten(photos, tmp_path, tiny_checkpoint):
    (tmp_path / "a" / "work").mkdir(parents=True)
    (tmp_path / "a" / "work" / "thesis.txt").write_text("precious")
    with pytest.raises(UserError, match="holds files that no training has put there"):
        run(config(photos, tmp_path / "a"))
    assert (tmp_path / "a" / "work" / "thesis.txt").read_text() == "precious"
    shutil.copytree(tiny_checkpoint, tmp_path / "b" / "model")
    normal = np.asarray(Image.open(photos / "good" / "0.png").convert("RGB"))
    Product("bottle", [normal], Assistant.from_pretrained("tiny", language=False).head.calibration).save(
        tmp_path / "b" / "model"
    )
    with pytest.raises(UserError, match="holds the model of another product, 'bottle'"):
        run(config(photos, tmp_path / "b"))
    (tmp_path / "c").write_text("a file")
    with pytest.raises(UserError, match="c is a file"):
        run(config(photos, tmp_path / "c"))


custom_report = custom.write_before_after


def learnt(photos: Path) -> Path:
    """One of the photos that are not held out."""
    from training.config import DataConfig
    from training.own_photos import read_own_photos

    return read_own_photos(DataConfig(root=str(photos))).good[0].path


def test_a_worse_model_does_not_take_the_place_of_the_one_before(photos, tmp_path, monkeypatch, tiny_checkpoint):
    shutil.copytree(tiny_checkpoint, tmp_path / "model")
    (tmp_path / "model" / "mine").write_text("the model before")
    monkeypatch.setattr(custom, "cross_validation", lambda *_: (0.9, 0.6))
    with pytest.raises(UserError, match=r"the model before stays, for detection, cross-.*, fell from 0.900 to 0.600"):
        run(config(photos, tmp_path))
    assert (tmp_path / "model" / "mine").read_text() == "the model before"
    assert (tmp_path / "work" / "candidate" / "product.json").is_file()
    assert not json.loads((tmp_path / "before_after.json").read_text())["accepted"]


def test_unfinished_work_is_taken_up_and_other_work_is_not(photos, tmp_path, monkeypatch):
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(custom, "_assemble", killed)
        with pytest.raises(KeyboardInterrupt):
            run(config(photos, tmp_path))
        checkpoint = next((tmp_path / "work" / "words" / "checkpoints").glob("checkpoint-*"))
        written = checkpoint.stat().st_mtime_ns
        with pytest.raises(KeyboardInterrupt):
            run(config(photos, tmp_path))
        assert checkpoint.stat().st_mtime_ns == written, "the step was not taken again"
        with pytest.raises(KeyboardInterrupt):
            run(config(photos, tmp_path, "seed=1"))
        assert checkpoint.stat().st_mtime_ns > written


def test_a_kill_while_the_models_change_places_loses_none(tmp_path):
    model = tmp_path / "model"
    (tmp_path / "model.old").mkdir()
    (tmp_path / "model.old" / "weights").write_text("old")
    custom._finish_swap(model)
    assert (model / "weights").read_text() == "old" and not (tmp_path / "model.old").exists()
    (tmp_path / "candidate").mkdir()
    (tmp_path / "candidate" / "weights").write_text("new")
    custom._swap(tmp_path / "candidate", model)
    assert (model / "weights").read_text() == "new" and not (tmp_path / "model.old").exists()


GOOD = {DECISIVE: 0.8, "balanced accuracy": 0.8, "right answers": 0.8, "contradictions": 0.0}


def test_where_nothing_can_be_cross_validated_the_photos_held_out_decide():
    assert not worse(GOOD | {DECISIVE: None}, GOOD | {DECISIVE: None, "balanced accuracy": 0.8})
    assert "balanced accuracy, fell" in worse(GOOD | {DECISIVE: None}, GOOD | {"balanced accuracy": 0.7})[0]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({}, None), ({"balanced accuracy": 0.7}, None), ({"right answers": 0.72}, None),
        ({DECISIVE: 0.76}, None), ({DECISIVE: 0.74}, "detection, cross-validated, fell"),
        ({DECISIVE: None}, "fell from 0.800 to 0.000"),
        ({"right answers": 0.65}, "right answers, fell"), ({"contradictions": 0.1}, "10.0% of its answers contradict"),
    ],
)  # fmt: skip
def test_what_speaks_against_a_new_model(change, why):
    reasons = worse(GOOD, GOOD | change)
    assert not reasons if why is None else why in reasons[0]
