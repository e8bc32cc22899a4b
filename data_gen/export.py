"""The same samples for other tools: LLaVA's JSON, and the folders of MVTec AD; each export is whole or absent."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from assistant.layouts import COMBINED
from data_gen.sample import Row
from data_gen.shards import read_rows


def export_llava(shards: Sequence[Path], out: Path) -> None:
    """`out`/llava.json and `out`/images: one record a sample, `<image>` for each picture (Liu et al. 2023).

    `image` is a path, or a list of paths where there are references, as in LLaVA-NeXT-Interleave. A reference photo
    that many samples share is one file.
    """

    def write(folder: Path) -> None:
        (folder / "images").mkdir()
        with (folder / "llava.json").open("w", encoding="utf-8") as stream:
            for number, row in enumerate(read_rows(shards, ("id", "images", "messages"))):
                stream.write(",\n" if number else "[\n")
                json.dump(_llava_record(row, folder), stream, ensure_ascii=False)
            stream.write("\n]\n")

    _finished_or_absent(out, write)


def _llava_record(row: Row, folder: Path) -> Row:
    names = []
    for number, picture in enumerate(row["images"]):
        known = f"reference-{hashlib.sha256(picture['bytes']).hexdigest()[:16]}.png"
        name = f"images/{known if number else picture['path']}"
        if not (folder / name).exists():
            (folder / name).write_bytes(picture["bytes"])
        names.append(name)
    conversations = [
        {"from": "human" if message["role"] == "user" else "gpt", "value": _flat(message["content"])}
        for message in row["messages"]
    ]
    return {
        "id": f"{row['id']:08d}", "image": names if len(names) > 1 else names[0], "conversations": conversations,
    }  # fmt: skip


def _flat(content: Sequence[dict[str, str]]) -> str:
    return "\n".join("<image>" if part["type"] == "image" else part["text"] for part in content)


def export_mvtec(shards: Sequence[Path], out: Path) -> None:
    """`out`/GROUP/train/good, test/good, test/KIND and ground_truth/KIND/NAME_mask.png (Bergmann et al. 2019).

    No normal photo is on both sides: where photos serve both as references and to be broken, every second of them goes
    to train/good, and samples made from those are left out.
    """
    training = _training_photos(shards)

    def write(folder: Path) -> None:
        for row in read_rows(shards, ("id", "group", "normal", "images", "references", "kinds", "mask")):
            root = folder / row["group"]
            (root / "train" / "good").mkdir(parents=True, exist_ok=True)  # may stay empty; by it the layout is known
            for name, picture in zip(row["references"], row["images"][1:], strict=True):
                if (row["group"], name) in training:
                    _put(root / "train" / "good" / _flat_name(name), picture["bytes"])
            if (row["group"], row["normal"]) not in training:
                _write_test(row, root)

    _finished_or_absent(out, write)


def _training_photos(shards: Sequence[Path]) -> set[tuple[str, str]]:
    """(group, name) of the references that only serve as such, and of half of those that are broken too."""
    references: set[tuple[str, str]] = set()
    broken: set[tuple[str, str]] = set()
    for row in read_rows(shards, ("group", "references")):
        references.update((row["group"], name) for name in row["references"])
    for row in read_rows(shards, ("group", "normal")):
        broken.update({(row["group"], row["normal"])} & references)
    both: dict[str, list[tuple[str, str]]] = {}
    for photo in sorted(broken):
        both.setdefault(photo[0], []).append(photo)
    return (references - broken).union(*(photos[::2] for photos in both.values()))


def _write_test(row: Row, root: Path) -> None:
    kinds = set(row["kinds"])
    kind = "good" if not kinds else COMBINED if len(kinds) > 1 else row["kinds"][0].replace(" ", "_")
    _put(root / "test" / kind / f"{row['id']:08d}.png", row["images"][0]["bytes"])
    if kinds:
        with Image.open(io.BytesIO(row["mask"]["bytes"])) as image:
            mask = (np.asarray(image) > 0).astype(np.uint8) * 255
        stream = io.BytesIO()
        Image.fromarray(mask).save(stream, format="PNG")
        _put(root / "ground_truth" / kind / f"{row['id']:08d}_mask.png", stream.getvalue())


def _flat_name(name: str) -> str:
    """A photo's path as a file name of its own: two photos may differ in their ending only."""
    path = Path(name)
    return f"{path.stem}_{zlib.crc32(name.encode()):08x}.png"


def _put(path: Path, data: bytes) -> None:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def _finished_or_absent(out: Path, write: Callable[[Path], None]) -> None:
    """Fill a folder beside `out`, then put it in its place; a finished one is made anew."""
    beside = out.with_name(f".{out.name}.part")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    write(beside)
    shutil.rmtree(out, ignore_errors=True)
    beside.replace(out)


EXPORTS: dict[str, Callable[[Sequence[Path], Path], None]] = {"llava": export_llava, "mvtec": export_mvtec}
