"""Bad input of every kind: one clear line, exit code 2, no traceback; odd but good photos just work."""

import errno
import json
import shutil
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from assistant import UserError, cli
from assistant.images import load_image


def forged_png(width: int, height: int) -> bytes:
    """A PNG of a few bytes whose header claims width x height pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def truncated(path: Path, suffix: str) -> None:
    whole = path.with_name("whole" + suffix)
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)).save(whole)
    path.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    whole.unlink()


def damaged_png(path: Path) -> None:
    Image.new("RGB", (64, 64)).save(path)
    data = bytearray(path.read_bytes())
    middle = data.index(b"IDAT") + 8
    data[middle : middle + 8] = bytes(8)
    path.write_bytes(data)


BAD: dict[str, tuple[Callable[[Path], Any], str]] = {
    "text.png": (lambda path: path.write_text("no image at all\n" * 20), "is not an image"),
    "drawing.eps": (
        lambda path: path.write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 99 99\n"),
        "not an image",
    ),
    "half.jpg": (lambda path: truncated(path, ".jpg"), "truncated or damaged"),
    "half.png": (lambda path: truncated(path, ".png"), "truncated or damaged"),
    "half.tiff": (lambda path: truncated(path, ".tiff"), "truncated or damaged"),
    "half.webp": (lambda path: truncated(path, ".webp"), "truncated or damaged"),
    "damaged.png": (damaged_png, "truncated or damaged"),
    "header.png": (lambda path: path.write_bytes(forged_png(64, 64)[:20]), "truncated or damaged"),
    "zero.png": (lambda path: path.write_bytes(b""), "is empty"),
    "bomb.png": (lambda path: path.write_bytes(forged_png(30_000, 30_000)), "too large"),
    "large.png": (lambda path: path.write_bytes(forged_png(10_001, 10_000)), "too large (10001 x 10000)"),
    "dot.png": (lambda path: Image.new("RGB", (1, 1)).save(path), "too small (1 x 1)"),
    "line.png": (lambda path: Image.new("RGB", (500, 7)).save(path), "too small (500 x 7)"),
    "folder.png": (lambda path: path.mkdir(), "is a folder"),
    "missing.png": (lambda path: None, "does not exist"),
}


@pytest.fixture(params=BAD)
def bad(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, str]:
    make, said = BAD[request.param]
    make(tmp_path / request.param)
    return tmp_path / request.param, said


@pytest.mark.filterwarnings("ignore")  # Pillow's own remarks about the same damage
def test_load_image_says_what_and_how(bad: tuple[Path, str]) -> None:
    path, said = bad
    with pytest.raises(UserError) as error:
        load_image(path)
    assert said in str(error.value) and path.name in str(error.value)
    assert error.value.how and "\n" not in str(error.value)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("command", ["inspect", "reference", "ask", "chat"])
def test_each_command_says_one_line(
    bad: tuple[Path, str], command: str, stub: Any, photo_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, said = bad
    arguments = {
        "inspect": ["inspect", str(path)],
        "reference": ["inspect", str(photo_path), "--reference", str(path)],
        "ask": ["ask", str(path), "is it fine?"],
        "chat": ["chat", str(path)],
    }[command]
    assert cli.run(arguments) == 2
    out, err = capsys.readouterr()
    assert len(err.splitlines()) == 1 and said in err and out == ""


@pytest.mark.parametrize(
    "failure", [PermissionError(errno.EACCES, "Permission denied"), OSError(errno.EIO, "I/O error")]
)
def test_unreadable(
    failure: OSError, stub: Any, photo_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path, mode: str = "r") -> None:
        raise failure

    monkeypatch.setattr(Path, "open", refuse)  # permissions do not stop the superuser, who runs many tests
    assert cli.run(["inspect", str(photo_path)]) == 2
    err = capsys.readouterr().err
    assert len(err.splitlines()) == 1 and str(failure.strerror) in err


def test_paths_that_are_no_paths(stub: Any, capsys: pytest.CaptureFixture[str]) -> None:
    for path in ("", "x" * 5000, "two\nlines.png", "null\0byte.png", "/dev/null"):
        assert cli.run(["inspect", path]) == 2
        err = capsys.readouterr().err
        assert len(err.splitlines()) == 1 and "Traceback" not in err


def make_odd_photos(folder: Path, photo: np.ndarray) -> list[str]:
    """Good photos in unusual clothes; gives their paths."""
    image = Image.fromarray(photo)
    exif = Image.Exif()
    exif[0x0112] = 6
    paths = {name: str(folder / name) for name in ("grey16.png", "cmyk.jpg", "alpha.png", "turned.jpg", "film.gif")}
    Image.fromarray(photo[:, :, 0].astype(np.uint16) * 257).save(paths["grey16.png"])
    image.convert("CMYK").save(paths["cmyk.jpg"])
    see_through = image.quantize(32)
    see_through.save(paths["alpha.png"], transparency=bytes([0, 128] * 16))
    image.save(paths["turned.jpg"], exif=exif)
    image.save(paths["film.gif"], save_all=True, append_images=[image.rotate(90)])
    return list(paths.values())


def test_the_embedded_model_takes_odd_photos_and_survives_bad_ones(
    tiny_checkpoint: Path, tmp_path: Path, photo: np.ndarray, capsys: pytest.CaptureFixture[str]
) -> None:
    good = make_odd_photos(tmp_path, photo)
    for name in ("zero.png", "text.png", "bomb.png"):
        BAD[name][0](tmp_path / name)
    mixed = [*good[:2], str(tmp_path / "zero.png"), str(tmp_path / "bomb.png"), *good[2:], str(tmp_path / "text.png")]
    assert cli.run(["inspect", *mixed, "--json"]) == 2
    out, err = capsys.readouterr()
    records = [json.loads(line) for line in out.splitlines()]
    assert [record["image"] for record in records] == good
    assert [record["size"] for record in records] == [[128, 96]] * 3 + [[96, 128]] + [[128, 96]]
    assert "3 of 8 images failed" in err.splitlines()[-1] and "Traceback" not in err


def test_unknown_model(photo_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["inspect", str(photo_path), "--model", "no-such-model"]) == 2
    err = capsys.readouterr().err
    assert "no-such-model" in err and "Traceback" not in err and len(err.splitlines()) == 1


def test_damaged_checkpoint(
    tiny_checkpoint: Path, tmp_path: Path, photo_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "model"
    shutil.copytree(tiny_checkpoint, copy)
    weights = sorted(copy.rglob("*.safetensors"))
    assert weights, "a checkpoint without weights"
    for path in weights:
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert cli.run(["inspect", str(photo_path), "--model", str(copy)]) == 2
    err = capsys.readouterr().err
    assert "Traceback" not in err and len(err.splitlines()) == 1


def test_no_space_for_the_output(
    stub: Any, photo_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The third image meets a full disk: the files of the first two stay, whole; nothing half-made is left."""
    write, room = Path.write_bytes, [5]

    def write_while_room(self: Path, data: bytes) -> int:
        room[0] -= 1
        if room[0] < 0:
            write(self, bytes(data)[:10])
            raise OSError(errno.ENOSPC, "No space left on device", str(self))
        return write(self, data)

    monkeypatch.setattr(Path, "write_bytes", write_while_room)
    out = tmp_path / "out"
    assert cli.run(["inspect", *[str(photo_path)] * 4, "--out", str(out), "--json"]) == 2
    shown, err = capsys.readouterr()
    assert len(shown.splitlines()) == 2 and len(err.splitlines()) == 1 and "No space left" in err
    assert len(list(out.iterdir())) == 5
    for path in out.iterdir():
        assert load_image(path).shape == (96, 128, 3)


def test_output_that_cannot_be_a_folder(stub: Any, photo_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stub.loaded = {}
    assert cli.run(["inspect", str(photo_path), "--out", str(photo_path)]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert stub.loaded == {}, "told before the model is loaded"
