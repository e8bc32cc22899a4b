"""`anomaly-assistant generate`: its flags, its errors in one line, and that its help costs nothing."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from assistant import cli

ROOT = Path(__file__).resolve().parents[2]


def test_help_loads_nothing_heavy() -> None:
    script = """
import sys
from assistant import cli
try:
    cli.run(["generate", "--help"])
except SystemExit as left:
    assert left.code == 0
loaded = {"numpy", "PIL", "cv2", "pyarrow", "data_gen", "torch"} & set(sys.modules)
assert not loaded, loaded
"""
    result = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert "i from 0" in result.stdout and "default: all" in result.stdout


def test_a_small_data_set(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    arguments = [
        "generate", "--out", str(out), "--count", "5", "--size", "48", "--seed", "1", "--workers", "1", "--kinds",
        "missing-part,color_change,stain", "--difficulty", "easy", "--good-share", "0.2", "--product", "gasket",
        "--references", "1", "--export", "llava",
    ]  # fmt: skip
    assert cli.run(arguments) == 0
    told = capsys.readouterr()
    assert told.out.startswith(f"{out}: 5 samples") and len(told.out.splitlines()) == 1
    assert "images/s" in told.err
    assert (out / "manifest.json").is_file() and (out / "llava" / "llava.json").is_file()
    assert "# Synthetic defects on gasket" in (out / "README.md").read_text()


def photos(folder: Path, names: list[str]) -> str:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((64, 64, 3), 90, np.uint8)).save(folder / name)
    return str(folder)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--normals", "NOWHERE"], "is not a folder"),
        (["--normals", "EMPTY"], "holds no photos"),
        (["--normals", "BROKEN"], "none of the 2 photos"),
        (["--normals", "CATEGORY"], "name the folder of good photos inside it"),
        (["--normals", "CATEGORIES"], "name the folder of good photos inside it"),
        (["--kinds", "scratch,rust"], "no defect kind 'rust': choose from crack"),
        (["--difficulty", "insane"], "choose from easy, medium, hard, mixed"),
        (["--export", "coco"], "choose from llava, mvtec"),
        (["--good-share", "1.5"], "--good-share is 1.5"),
        (["--min-quality", "nan"], "--min-quality is nan"),
        (["--size", "8"], "--size is 8"),
        (["--references", "99"], "--references is 99"),
        (["--templates", "EMPTY"], "is missing"),
        (["--product", " "], "name is empty"),
    ],
)
def test_bad_input_is_one_line(
    arguments: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "EMPTY").mkdir()
    (tmp_path / "BROKEN").mkdir()
    for name in ("a.png", "b.jpg"):
        (tmp_path / "BROKEN" / name).write_bytes(b"\x89PNG but not really")
    photos(tmp_path / "CATEGORY", ["train/good/0.png", "test/bent/0.png"])
    photos(tmp_path / "CATEGORIES", ["nut/train/good/0.png", "nut/test/bent/0.png"])
    names = {"NOWHERE", "EMPTY", "BROKEN", "CATEGORY", "CATEGORIES"}
    arguments = [str(tmp_path / word) if word in names else word for word in arguments]
    out = ["--out", str(tmp_path / "out"), "--count", "3", "--workers", "1"]
    assert cli.run(["generate", *out, *arguments]) == 2
    told = capsys.readouterr()
    lines = told.err.strip().splitlines()
    assert said in lines[-1] and "Traceback" not in told.err and told.out == ""
    assert all(line.startswith("skipped: ") for line in lines[:-1])
    assert not list(tmp_path.glob("out/data/*"))


@pytest.mark.parametrize(
    "arguments",
    [[], ["--count", "0"], ["--count", "many"], ["--shard", "2/2"], ["--shard", "1"], ["--shard", "-1/3"],
     ["--workers", "0"], ["--seed", "-1"]],
)  # fmt: skip
def test_wrong_usage_exits_2(arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    needed = ["--out", str(tmp_path / "out"), "--count", "1"] if arguments else []
    with pytest.raises(SystemExit) as left:
        cli.main(["generate", *needed, *arguments])
    assert left.value.code == 2 and "Traceback" not in capsys.readouterr().err


@pytest.mark.skipif(importlib.util.find_spec("ray") is not None, reason="Ray is installed")
def test_ray_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["generate", "--out", str(tmp_path), "--count", "1", "--size", "48", "--ray", "--workers", "1"]
    assert cli.run(arguments) == 2
    assert "Ray is not installed" in capsys.readouterr().err.splitlines()[-1]
