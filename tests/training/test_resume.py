"""A run that is killed, at whatever moment, and started again ends as if nothing had happened."""

import json
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
import torch
from safetensors.torch import load_file

from training import run
from training.checkpoints import MINUTES, Checkpoints
from training.load_config import load_config

Die = tuple[str, str]  # an event that Python's audit hooks report, and the end of a path it is about


def _work(words: list[str], die: Die | None) -> None:
    """In a process of its own: train, and kill -9 oneself when the event happens."""

    config = load_config("tiny/decoder", words)

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if die and event == die[0] and any(str(one).endswith(die[1]) for one in arguments):
            workers = [process.pid for process in multiprocessing.active_children()]
            Path(f"{config.output}.workers").write_text(json.dumps(workers))
            os.kill(os.getpid(), signal.SIGKILL)

    torch.set_num_threads(1)
    sys.addaudithook(hook)
    run(config)


@pytest.fixture(scope="module")
def start() -> Callable[..., int | None]:
    """Carries out `_work`, gives its exit code; torch and training are imported once, by the server that it forks."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["training.decoder_stage"])

    def work(words: list[str], die: Die | None = None) -> int | None:
        process = context.Process(target=_work, args=(words, die))
        process.start()
        process.join(300)
        return process.exitcode

    return work


@pytest.fixture
def settings(eyes, photos, tmp_path) -> Callable[[str], list[str]]:
    """Settings of a run of 8 steps, a checkpoint every 2; a budget so large that minutes play no part."""
    return lambda name: [
        f"output={tmp_path / name}", f"encoder={eyes['encoder']}", f"photos={photos}", "max_steps=8", "save_steps=2",
        "batch_size=2", "warmup_steps=3", "max_minutes=1e12", "calibration_scenes=4", "learning_rate=0.01",
    ]  # fmt: skip


def result(output: Path) -> tuple[dict[str, torch.Tensor], str, list[float]]:
    """Weights, calibration, and the loss curve."""
    state = json.loads((output / "checkpoints" / "checkpoint-8" / "trainer_state.json").read_text())
    curve = [entry["loss"] for entry in state["log_history"] if "loss" in entry]
    return load_file(output / "detector.safetensors"), (output / "detector.json").read_text(), curve


def finished(folder: Path) -> list[int]:
    return sorted(int(path.parent.name[11:]) for path in folder.glob(f"checkpoints/checkpoint-*/{MINUTES}"))


def gone(workers: list[int]) -> None:
    """The processes that made the rows end with the one that was killed; they look for it every five seconds."""
    assert len(workers) == 1
    deadline = time.monotonic() + 60
    while psutil.pid_exists(workers[0]) and psutil.Process(workers[0]).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline, "a worker was left behind"
        time.sleep(0.1)


MOMENTS: list[tuple[Die, list[int]]] = [  # with the checkpoints that are left then
    (("open", "checkpoint-2/trainer_state.json"), []),  # a checkpoint is half written
    (("os.rename", "unfinished/checkpoint-4"), [2]),  # it is written and has no name yet: two steps are to be redone
    (("shutil.rmtree", "checkpoints/checkpoint-2"), [4, 6]),  # an older one is being removed
    (("os.rename", "unfinished/detector.safetensors"), [6, 8]),  # trained and calibrated, and not yet in its place
]


def test_killed_at_any_moment_it_ends_as_if_nothing_had_happened(start, settings, tmp_path):
    whole, torn = tmp_path / "whole", tmp_path / "torn"
    assert start(settings("whole")) == 0
    for die, left in MOMENTS:
        assert start(settings("torn"), die) == -signal.SIGKILL, die
        assert finished(torn) == left, die
        if die == MOMENTS[0][0]:
            gone(json.loads((tmp_path / "torn.workers").read_text()))
        assert not (torn / "detector.safetensors").exists()
    assert start(settings("torn")) == 0
    assert finished(torn) == [6, 8]
    assert sorted(path.name for path in torn.iterdir()) == sorted(path.name for path in whole.iterdir())
    (weights, *rest), (weights_torn, *rest_torn) = result(whole), result(torn)
    assert rest_torn == rest and len(set(rest[-1])) == 4, "four different losses, and the same calibration"
    assert weights.keys() == weights_torn.keys() and all(torch.equal(weights_torn[k], weights[k]) for k in weights)
    assert json.loads((torn / "run.json").read_text())["resumed"] == 3


def written(checkpoints: Checkpoints, step: int) -> None:
    (checkpoints.unfinished / f"checkpoint-{step}").mkdir(parents=True)
    (checkpoints.unfinished / f"checkpoint-{step}" / "model.safetensors").write_text("weights")
    checkpoints.finish(step, minutes=1.5)


def test_the_two_newest_checkpoints_stay_and_half_ones_count_for_nothing(tmp_path):
    checkpoints = Checkpoints(tmp_path)
    assert checkpoints.newest() is None
    written(checkpoints, 9)
    (tmp_path / "checkpoint-12").mkdir()  # cut off, as an older version left it
    assert checkpoints.newest() == tmp_path / "checkpoint-9"
    checkpoints.clean()
    for step in (10, 100):
        written(checkpoints, step)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint-10", "checkpoint-100"]
    assert checkpoints.newest() == tmp_path / "checkpoint-100"


def test_a_run_that_starts_anew_replaces_the_old_one(tmp_path):
    checkpoints = Checkpoints(tmp_path)
    for step in (10, 20, 10):  # resume=false
        written(checkpoints, step)
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint-10"]
    assert checkpoints.newest() == tmp_path / "checkpoint-10"
