"""The command line's own behaviour, over a stand-in for the model."""

import ast
import builtins
import errno
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from PIL import Image

from assistant import cli
from assistant.report import load_map

ROOT = Path(__file__).resolve().parents[2]


def type_lines(monkeypatch: pytest.MonkeyPatch, *lines: str | type[BaseException]) -> None:
    """What a person types at the prompts; the end of the list is Ctrl-D."""
    typed: Iterator[str | type[BaseException]] = iter([*lines, EOFError])

    def read(prompt: str = "") -> str:
        line = next(typed)
        if isinstance(line, str):
            return line
        raise line

    monkeypatch.setattr(builtins, "input", read)


def test_inspect_json_is_one_object_per_line(stub: Any, photo_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["inspect", str(photo_path), str(photo_path), "--reference", str(photo_path), "--json"]
    assert cli.run(arguments) == 0
    out, err = capsys.readouterr()
    records = [json.loads(line) for line in out.splitlines()]
    assert len(records) == 2 and err == ""
    assert set(records[0]) >= {
        "image", "verdict", "probability", "regions", "references", "map", "model", "seconds"
    }  # fmt: skip
    assert records[0]["verdict"] == "defective" and records[0]["references"] == 1
    assert stub.loaded == {"model": "tiny", "language": False}, "inspecting needs no language model"


def test_inspect_for_people(stub: Any, photo_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["inspect", str(photo_path), "--model", "other"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "DEFECTIVE" in lines[0] and "upper left" in lines[1] and len(lines) == 2
    assert stub.loaded["model"] == "other"


def test_inspect_writes_overlay_and_map(stub: Any, photo_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    twin = photo_path.with_suffix(".bmp")
    Image.open(photo_path).save(twin)
    out = photo_path.parent / "new" / "out"
    assert cli.run(["inspect", str(photo_path), str(twin), "--out", str(out), "--json"]) == 0
    maps = [json.loads(line)["map"] for line in capsys.readouterr().out.splitlines()]
    assert sorted(path.name for path in out.iterdir()) == [
        "part_2_map.png", "part_2_overlay.png", "part_map.png", "part_overlay.png"
    ]  # fmt: skip
    assert maps == [str(out / "part_map.png"), str(out / "part_2_map.png")]
    assert load_map(maps[0]).shape == (96, 128) and load_map(maps[0]).max() > 0.85


def test_a_batch_goes_on_after_a_bad_photo(stub: Any, photo_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = photo_path.with_name("bad.png")
    bad.write_bytes(b"")
    assert cli.run(["inspect", str(bad), str(photo_path), "nowhere.png", "--json"]) == 2
    out, err = capsys.readouterr()
    assert [json.loads(line)["image"] for line in out.splitlines()] == [str(photo_path)]
    lines = err.splitlines()
    assert len(lines) == 3 and "bad.png is empty" in lines[0] and "nowhere.png does not exist" in lines[1]
    assert "2 of 3 images failed" in lines[2] and "bad.png" in lines[2] and "nowhere.png" in lines[2]


def test_ask(stub: Any, photo_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["ask", str(photo_path), "where?"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("I looked for: where?\n") and "DEFECTIVE" in out
    assert cli.run(["ask", str(photo_path), "where?", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["answer"] == "I looked for: where?" and record["inspection"]["verdict"] == "defective"
    assert stub.loaded["language"] is True


def test_ask_nothing(stub: Any, photo_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["ask", str(photo_path), "  "]) == 2
    assert "the question is empty" in capsys.readouterr().err


def test_chat(stub: Any, photo_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    type_lines(monkeypatch, str(photo_path), "where?", "", "stop", "unanswerable", "again?")
    assert cli.run(["chat"]) == 0
    out, err = capsys.readouterr()
    assert "DEFECTIVE" in out and "I looked for: where?\n" in out and "I looked  (stopped)\n" in out
    assert out.index("(stopped)") < out.index("I looked for: again?"), "a stopped answer does not end the talk"
    assert len(err.splitlines()) == 1 and "too long" in err


def test_chat_left_at_once(stub: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    type_lines(monkeypatch)
    assert cli.run(["chat"]) == 0


def test_ctrl_c_at_the_prompt(stub: Any, photo_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    type_lines(monkeypatch, KeyboardInterrupt)
    assert cli.run(["chat", str(photo_path)]) == 130


@pytest.mark.parametrize(
    ("failure", "code", "said"),
    [
        (KeyboardInterrupt(), 130, "stopped"),
        (BrokenPipeError(), 141, ""),
        (OSError(errno.ENOSPC, "No space left on device"), 2, "No space left"),
        (RuntimeError("a fault of ours"), 1, "Traceback"),
        (MemoryError(), 1, "MemoryError"),
    ],
)
def test_exit_codes(
    stub: Any,
    photo_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    failure: BaseException,
    code: int,
    said: str,
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise failure

    monkeypatch.setattr(stub, "inspect", fail)
    assert cli.run(["inspect", str(photo_path)]) == code
    out, err = capsys.readouterr()
    assert said in err and out == ""
    if code != 1:
        assert "Traceback" not in err and len(err.splitlines()) <= 1


@pytest.mark.parametrize(
    "arguments",
    [
        [], ["frobnicate"], ["inspect"], ["ask", "part.png"], ["evaluate"], ["evaluate", "speed"], ["train"],
        ["serve", "--port", "many"],
        ["evaluate", "detection", "--data", "d", "--out", "o", "--shots", "-1"],
    ],
)  # fmt: skip
def test_wrong_usage_exits_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        cli.main(arguments)
    assert left.value.code == 2 and "Traceback" not in capsys.readouterr().err


def test_main_leaves_with_the_code(stub: Any, photo_path: Path) -> None:
    for path, code in ((str(photo_path), 0), ("nowhere.png", 2)):
        with pytest.raises(SystemExit) as left:
            cli.main(["inspect", path])
        assert left.value.code == code


HANDED_ON = [  # command line, module and function it calls, what that is given
    (["serve", "--host", "0.0.0.0", "--port", "81", "--model", "m", "--auth"], "app:serve",
     {"model": "m", "host": "0.0.0.0", "port": 81, "auth": True}),
    (["evaluate", "detection", "--data", "d", "--shots", "4", "--seed", "1", "--out", "OUT"],
     "assistant.evaluation.detection:evaluate_detection",
     {"data": Path("d"), "shots": 4, "seed": 1, "model": "tiny", "out": "OUT"}),
    (["evaluate", "detection", "--data", "d", "--seed", "2,0,2", "--out", "OUT"],
     "assistant.evaluation.seeds:evaluate_seeds",
     {"data": Path("d"), "shots": 0, "seeds": (2, 0), "model": "tiny", "out": "OUT"}),
    (["evaluate", "qa", "--questions", "q", "--images", "i", "--model", "m", "--out", "OUT"],
     "assistant.evaluation.qa:evaluate_qa",
     {"questions": Path("q"), "images": Path("i"), "model": "m", "out": "OUT",
      "settings": {"shots": None, "template": None, "seed": None, "knowledge": None},
      "plain": False, "endpoint": None, "ray": False}),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "target", "expected"), HANDED_ON, ids=lambda value: str(value)[:20])
def test_commands_hand_on_their_flags(
    arguments: list[str], target: str, expected: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict[str, Any] = {}
    module_name, function = target.split(":")
    module = ModuleType(module_name)
    setattr(module, function, given.update)
    monkeypatch.setitem(sys.modules, module_name, module)
    (tmp_path / "metrics.json").write_text('{"mean": {"image_auroc": 0.9}, "overall": {"accuracy": 0.8}}')
    assert cli.run([str(tmp_path) if argument == "OUT" else argument for argument in arguments]) == 0
    assert given == {key: tmp_path if value == "OUT" else value for key, value in expected.items()}


@pytest.mark.parametrize(("target", "names"), [(target, set(given)) for _, target, given in HANDED_ON])
def test_what_the_commands_call_takes_these_arguments(target: str, names: set[str]) -> None:
    module, function = target.split(":")
    tree = ast.parse((ROOT / (module.replace(".", "/") + ".py")).read_text(encoding="utf-8"))
    found = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == function]
    assert found, f"{module} has no {function}"
    arguments = [*found[0].args.args, *found[0].args.kwonlyargs]
    assert names <= {argument.arg for argument in arguments}


def test_train_hands_on_its_overrides(monkeypatch: pytest.MonkeyPatch) -> None:
    import training

    monkeypatch.setattr("training.load_config.load_config", lambda name, overrides: (name, overrides))
    calls: list[Any] = []
    monkeypatch.setattr(training, "run", calls.append)
    assert cli.run(["train", "custom", "seed=1", "workers=2", "--max-minutes", "3"]) == 0
    assert calls == [("custom", ["seed=1", "workers=2", "max_minutes=3"])]


def test_the_reader_of_our_output_leaves() -> None:
    """`anomaly-assistant ... | true`: quiet, no traceback, nothing from the interpreter's last flush."""
    code = (
        "import sys, time; from assistant import cli\n"
        "def say(options):\n    time.sleep(0.2)\n    print('x' * 100000)\n"
        "cli._COMMANDS['chat'] = (say, 'say', '')\ncli.main(['chat'])"
    )
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout and process.stderr
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141
