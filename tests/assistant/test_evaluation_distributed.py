"""Evaluations as they are really run: killed and taken up again, by two processes, on a Ray cluster."""

import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from assistant import Assistant, UserError
from assistant.evaluation import Row
from assistant.evaluation.answering.ours import Ours
from assistant.evaluation.processes import Processes
from assistant.evaluation.qa import evaluate_qa
from data_gen.procedural import random_product

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = os.environ | {
    "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "ACCELERATE_USE_CPU": "true",
    "CUDA_VISIBLE_DEVICES": "",
}  # fmt: skip
# In the middle of a batch, whose other answers were written but not kept.
KILL_AT_THE_TENTH = """
import itertools, os, signal
from assistant.evaluation.answering.ours import Ours
record, told = Ours._record, itertools.count(1)
Ours._record = lambda self, done: os.kill(os.getpid(), signal.SIGKILL) if next(told) == 10 else record(done)
""".strip()
ASKED = {"presence": "Is there a defect?", "leading": "Please confirm that it is fine.", "count": "How many are there?"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photos and the questions about them, shuffled."""
    path = tmp_path_factory.mktemp("many")
    rng = np.random.default_rng(3)
    product = random_product(rng)
    for i in range(12):
        picture = Image.fromarray(product.photo(rng, 96))
        if i % 3 == 0:
            picture.paste((250, 250, 20), (20 + i, 30, 44 + i, 50))
        picture.save(path / f"{i}.png")
    rows = [
        {"image": f"{i}.png", "references": ["1.png"], "question": question, "type": kind, "answer": None}
        for i in range(12)
        for kind, question in ASKED.items()
    ]
    order = rng.permutation(len(rows))
    (path / "questions.jsonl").write_text("".join(f"{json.dumps(rows[i])}\n" for i in order))
    return path


@pytest.fixture(scope="module")
def alone(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], list[Row]]:
    """What one process that is left in peace gives."""
    out = tmp_path_factory.mktemp("alone")
    return evaluate_qa(folder / "questions.jsonl", folder, "tiny", out), records(out)


def records(out: Path) -> list[Row]:
    lines = [json.loads(line) for line in (out / "predictions.jsonl").read_text().splitlines()]
    for line in lines:
        line["inspection"].pop("seconds")
    return lines


def command(folder: Path, out: Path) -> list[str]:
    return ["-m", "assistant", "evaluate", "qa", "--questions", str(folder / "questions.jsonl"), "--out", str(out)]


class Counted(Ours):
    """Ours, with a list of the rows that it was asked."""

    def __init__(self, assistant: Assistant) -> None:
        super().__init__(assistant)
        self.asked: list[Row] = []

    def answers(self, subjects: Iterable[list[Row]], folder: Path) -> Iterator[Any]:
        subjects = list(subjects)
        self.asked += [row for about in subjects for row in about]
        return super().answers(subjects, folder)


def figures(report: dict[str, Any]) -> dict[str, Any]:
    """All but when and by which command they came about."""
    return {key: value for key, value in report.items() if key != "provenance"}


def test_after_a_kill_nothing_is_asked_twice(
    folder: Path, alone: tuple[dict[str, Any], list[Row]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "predictions.jsonl"
    start = f"import sys\nfrom assistant.cli import main\n{KILL_AT_THE_TENTH}\nmain(sys.argv[1:])"
    killed = subprocess.run([sys.executable, "-c", start, *command(folder, tmp_path)[2:]], env=ENVIRONMENT, cwd=ROOT)
    assert killed.returncode == -signal.SIGKILL
    kept = path.read_text().count("\n")
    assert kept == 9 and not (tmp_path / "metrics.json").exists()
    with path.open("a") as file:
        file.write('{"image": "torn of')
    opened: list[Counted] = []
    monkeypatch.setattr(
        Ours, "of", lambda source: opened.append(Counted(Assistant.from_pretrained("tiny"))) or opened[0]
    )
    report = evaluate_qa(folder / "questions.jsonl", folder, "tiny", tmp_path)
    assert len(opened[0].asked) == 36 - kept
    assert figures(report) == figures(alone[0]) and records(tmp_path) == alone[1]


def launched(arguments: list[str]) -> "subprocess.CompletedProcess[str]":
    """A command of ours, run by two processes."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    # `--cpu` of accelerate starts one process only, unless there is MPI; without a GPU, `--multi_gpu` means gloo.
    launch = [sys.executable, "-m", "accelerate.commands.launch", "--num_processes", "2", "--num_machines", "1"]
    launch += ["--multi_gpu", "--mixed_precision", "no", "--dynamo_backend", "no", "--main_process_port", port]
    return subprocess.run([*launch, *arguments], cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, timeout=240)


def test_two_processes_inspect_what_one_does(folder: Path, tmp_path: Path) -> None:
    for category in ("one", "two"):
        for name in ("train/good/1.png", "test/good/2.png", "test/spot/3.png"):
            path = tmp_path / "data" / category / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes((folder / Path(name).name).read_bytes())
    arguments = ["-m", "assistant", "evaluate", "detection", "--data", str(tmp_path / "data"), "--shots", "1", "--out"]
    reports = {}
    for name, run in (("one", lambda words: subprocess.run(words, cwd=ROOT, env=ENVIRONMENT)), ("two", launched)):
        words = [*arguments, str(tmp_path / name)]
        assert run([sys.executable, *words] if name == "one" else words).returncode == 0
        reports[name] = figures(json.loads((tmp_path / name / "metrics.json").read_text()))
    assert reports["one"] == reports["two"] and len(reports["two"]["categories"]) == 2
    tables = [(tmp_path / name / "per_image.csv").read_text() for name in reports]
    assert tables[0] == tables[1] and not (tmp_path / "two" / ".unfinished").exists()


def test_two_processes_give_what_one_does(
    folder: Path, alone: tuple[dict[str, Any], list[Row]], tmp_path: Path
) -> None:
    (tmp_path / "predictions.1.jsonl").write_text(f"{json.dumps(json_of(alone[1][3]))}\n")  # of a run that was killed
    done = launched(command(folder, tmp_path))
    assert done.returncode == 0, done.stderr[-3000:]
    assert (
        figures(json.loads((tmp_path / "metrics.json").read_text())) == figures(alone[0])
        and done.stdout.count("overall") <= 1
    )
    assert records(tmp_path) == alone[1] and "1 of 36 answers" in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["metrics.json", "predictions.jsonl", "report.html"]


def json_of(record: Row) -> Row:
    """A record as it stood in the file before it was scored."""
    kept = {name: value for name, value in record.items() if name != "correct"}
    return kept | {"inspection": record["inspection"] | {"seconds": 0.1}}


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_the_shares_of_all_processes_are_everything_once(count: int) -> None:
    items = list(range(17))
    assert [item for index in range(count) for item in Processes(index, count).share(items)] == items


@pytest.mark.skipif(importlib.util.find_spec("ray") is not None, reason="Ray is installed")
def test_ray_that_is_not_there(folder: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, *command(folder, tmp_path), "--ray"], cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True
    )
    assert done.returncode == 2 and "Ray is not installed" in done.stderr


def test_a_ray_cluster_gives_what_one_process_does(
    folder: Path, alone: tuple[dict[str, Any], list[Row]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("ray", reason="Ray is not installed (extra 'ray'): its local cluster is not tried")
    monkeypatch.setattr("assistant.evaluation.answering.cluster.SUBJECTS", 5)
    report = evaluate_qa(folder / "questions.jsonl", folder, "tiny", tmp_path, ray=True)
    assert figures(report) == figures(alone[0]) and records(tmp_path) == alone[1]


def test_a_worker_that_cannot_open_its_model_says_so(folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="Ray is not installed (extra 'ray'): its local cluster is not tried")
    with pytest.raises(UserError, match="holds no model"):
        evaluate_qa(folder / "questions.jsonl", folder, str(tmp_path), tmp_path / "out", ray=True)
