"""What goes wrong in a long training: numbers that are none, a full disk, pictures that cannot be read."""

import contextlib
import json
import logging
import math
import re
import resource
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from assistant import UserError, cli
from assistant.detectors.fused import FusionHead
from training import run
from training.load_config import load_config
from training.pictures import find_pictures
from training.scenes import Scenes

SIDE = 64


def left(output: Path) -> list[str]:
    return sorted(path.name for path in (output / "checkpoints").iterdir())


def train(*words: str) -> int:
    return cli.run(["train", "tiny/decoder", *words])


# ---- numbers


def test_a_loss_that_is_no_number_stops_it_and_the_last_good_checkpoint_stays(words, tmp_path, capsys):
    assert train(*words) == 0
    capsys.readouterr()
    assert train(*words, "max_steps=9", "learning_rate=1e30") == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert re.search(r"diverged at step [3-9]: .*(nan|inf|not finite).*learning rate .*lower learning_rate", error)
    for name in left(tmp_path / "out"):
        weights = load_file(tmp_path / "out" / "checkpoints" / name / "model.safetensors")
        assert all(torch.isfinite(value).all() for value in weights.values()), name
    assert f"goes on from {left(tmp_path / 'out')[-1]}" in error


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_bad_weight_never_reaches_a_checkpoint(words, tmp_path, bad, monkeypatch):
    """Between two halves of a step a weight goes bad: NaN shows in the loss, infinity here in the weights alone."""
    from training.trainer import Budget

    def poison(self: Budget, args: object, state: object, control: object, *, model: torch.nn.Module, **_: object):
        next(model.parameters()).data.fill_(bad)

    monkeypatch.setattr(Budget, "on_substep_end", poison, raising=False)
    with pytest.raises(UserError, match="diverged at step 1: .*there is no checkpoint yet"):
        run(load_config("tiny/decoder", [*words, "accumulation=2"]))
    assert not (tmp_path / "out" / "checkpoints").exists() or left(tmp_path / "out") == []


def test_a_learning_rate_changed_between_two_runs_counts(words, tmp_path):
    run(load_config("tiny/decoder", words))
    run(load_config("tiny/decoder", [*words, "max_steps=3", "learning_rate=1e-5"]))
    state = json.loads((tmp_path / "out" / "checkpoints" / "checkpoint-3" / "trainer_state.json").read_text())
    assert 0 < state["log_history"][-1]["learning_rate"] <= 1e-5


def test_a_finished_training_takes_no_step_more(words, tmp_path):
    for _ in range(2):
        run(load_config("tiny/decoder", words))
        assert left(tmp_path / "out") == ["checkpoint-1", "checkpoint-2"]


# ---- a full disk


@contextlib.contextmanager
def file_limit(folder: Path) -> Iterator[None]:
    """No file may grow beyond 20 kB: the least of a checkpoint's large files is larger."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextlib.contextmanager
def full_disk(folder: Path) -> Iterator[None]:
    """All of the file system but 60 kB is taken."""
    (folder / "filler").write_bytes(bytes(shutil.disk_usage(folder).free - 60_000))
    yield
    (folder / "filler").unlink()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, of 20 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", str(folder)]
    try:
        mounted = subprocess.run(command, capture_output=True).returncode == 0
    except OSError:
        mounted = False
    if not mounted:
        pytest.skip("only root may mount")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture(params=["a limit", "a full disk"])
def scarce(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, Callable[[Path], object]]:
    """A folder, and what takes the space there away."""
    if request.param == "a limit":
        return tmp_path, file_limit
    return request.getfixturevalue("small_disk"), full_disk


def test_a_full_disk_is_told_in_one_line_and_the_last_good_checkpoint_stays(words, scarce, capsys):
    folder, taken = scarce
    words = [*words, f"output={folder / 'out'}"]
    assert train(*words) == 0
    before = {p.relative_to(folder) for p in folder.rglob("*") if "tfevents" not in p.name}
    capsys.readouterr()
    with taken(folder):
        assert train(*words, "max_steps=4") == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert "disk is full" in error and "goes on from the last checkpoint" in error and "Traceback" not in error
    after = {p.relative_to(folder) for p in folder.rglob("*") if "tfevents" not in p.name}
    assert after == before, "nothing half-made is left, and nothing good is lost"
    assert train(*words, "max_steps=4") == 0
    assert left(folder / "out") == ["checkpoint-3", "checkpoint-4"]
    FusionHead.load(str(folder / "out"))


def test_the_result_is_finished_or_absent(words, tmp_path, capsys):
    """The disk fills up after training, when the detector is written: the old detector stays what it was."""
    assert train(*words) == 0
    detector = tmp_path / "out" / "detector.safetensors"
    before = detector.read_bytes()
    with file_limit(tmp_path):
        assert train(*words, "calibration_scenes=6") == 2
    assert detector.read_bytes() == before and not (tmp_path / "out" / "unfinished").exists()


# ---- pictures


def test_pictures_that_cannot_be_read_are_named_counted_and_left_out(tmp_path, photos, caplog):
    folder = tmp_path / "photos"
    shutil.copytree(photos, folder)
    (folder / "cut.png").write_bytes((photos / "0.png").read_bytes()[:900])
    (folder / "text.jpg").write_text("no picture")
    (folder / "empty.bmp").touch()
    (folder / "nowhere.png").symlink_to(tmp_path / "missing.png")
    Image.new("RGB", (7, 90)).save(folder / "narrow.png")
    with caplog.at_level(logging.WARNING):
        found = find_pictures([str(folder)])
    assert [path.name for path in found] == [f"{i}.png" for i in range(6)]
    (message,) = [record.getMessage() for record in caplog.records]
    assert "5 of 11 pictures left out" in message
    assert all(name in message for name in ("cut.png", "text.jpg", "empty.bmp", "nowhere.png", "narrow.png"))


def test_a_mended_picture_is_seen_again(tmp_path, photos):
    shutil.copy(photos / "0.png", tmp_path / "a.png")
    (tmp_path / "b.png").write_text("no picture")
    assert len(find_pictures([str(tmp_path)])) == 1
    shutil.copy(photos / "1.png", tmp_path / "b.png")
    assert len(find_pictures([str(tmp_path)])) == 2


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("photos={empty}", "no pictures below"), ("products=[{good}, {empty}]", "no pictures below .*empty"),
        ("photos={missing}", "no pictures below .*missing"), ("products={broken}", "none of the 1 pictures below"),
    ],
)  # fmt: skip
def test_a_folder_without_a_usable_picture_is_refused_at_the_door(words, tmp_path, photos, setting, message, capsys):
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "a.png").write_text("no picture")
    folders = {name: tmp_path / name for name in ("empty", "missing", "broken")}
    assert train(*words, setting.format(good=photos, **folders)) == 2
    assert re.search(message, capsys.readouterr().err)


def test_one_picture_and_any_mode_and_size_will_do(tmp_path, photos):
    """RGBA, 16-bit grey, a palette, 8 x 8, very wide: each alone is a product and a folder of photos."""
    rng = np.random.default_rng(0)
    pictures = [
        Image.fromarray(rng.integers(0, 256, (40, 50, 4), dtype=np.uint8)),
        Image.fromarray(rng.integers(0, 65536, (90, 70), dtype=np.uint16)),
        Image.fromarray(rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)).convert("P"),
        Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)),
        Image.fromarray(rng.integers(0, 256, (9, 900, 3), dtype=np.uint8)),
    ]
    mixed = tmp_path / "mixed"
    mixed.mkdir()
    for number, picture in enumerate(pictures):
        alone = tmp_path / str(number)
        alone.mkdir()
        picture.save(alone / "a.png")
        picture.save(mixed / f"{number}.png")
    folders = [str(tmp_path / str(number)) for number in range(len(pictures))]
    for scenes in (Scenes([str(mixed)], folders, SIDE, 4, seed=0), Scenes([], [*folders, str(mixed)], SIDE, 4, seed=0)):
        for i in range(30):
            scene = scenes[i]
            assert {view.shape for view in (scene.photo, *scene.references)} == {(SIDE, SIDE, 3)}
            assert scene.kinds.shape == (SIDE, SIDE)


def test_a_picture_that_goes_away_meanwhile_is_named(words, photos, tmp_path, capsys):
    """The fault comes from a worker process, whose errors arrive as text."""
    folder = tmp_path / "going"
    shutil.copytree(photos, folder)
    config = load_config("tiny/decoder", [*words, f"photos={folder}", "workers=1", "max_steps=300"])
    from training import decoder_stage

    with pytest.MonkeyPatch.context() as patch:
        original = decoder_stage.fit

        def gone(*arguments: object) -> object:
            shutil.rmtree(folder)
            return original(*arguments)

        patch.setattr(decoder_stage, "fit", gone)
        with pytest.raises(UserError, match=r"going/\d.png does not exist: check the path"):
            run(config)
