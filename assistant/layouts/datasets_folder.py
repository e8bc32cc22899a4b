"""Folders that `datasets` opens: what `generate` writes, what `save_to_disk` writes, labelled photos in parquet.

The photos are taken out once, into the cache of `datasets`, so that each is a file; nothing is written into the folder.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from assistant import UserError, __version__
from assistant.evaluation.results import remark
from assistant.layouts import SUFFIXES, Photo, Product
from assistant.layouts.columns import Columns, find_columns
from assistant.layouts.masks import MaskFiles

SAVED = ("state.json", "dataset_dict.json")  # of `save_to_disk`: one table, several
INDEX = "photos.json"  # written last: the photos are all there
BATCH = 16  # rows in memory at a time
DISTINCT, LONGEST = 50, 40  # of a label: different values at most, and characters; a column beyond is none

Entry = tuple[str, str, bool, str | None, str | None, str | None]  # product, file, defective, kind, mask, split


def read(root: Path) -> list[Product] | None:
    """A product for each value of a column `group` (or `category`, `object`), else one; None for another folder.

    How many rows are left out, without a label or a picture, is said in one remark.

    Raises:
        UserError: the cache cannot be written, or the data are damaged.
    """
    files = _files(root)
    if not files:
        return None
    from datasets import config

    folder = Path(config.HF_DATASETS_CACHE) / "anomaly-assistant" / _digest(root, files)
    try:
        if not (folder / INDEX).is_file() and not _extract_once(root, folder):
            return None
        table = json.loads((folder / INDEX).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:  # a full disk, or a damaged table (pyarrow's ArrowInvalid is a ValueError)
        raise UserError(
            f"the photos in {root} cannot be taken out into {folder} ({' '.join(str(error).split())})",
            "free some space, set HF_DATASETS_CACHE to another folder, or get the data anew",
        ) from error
    if table["left_out"]:
        remark(f"left out: {table['left_out']} rows of {root}, without a label or a picture")
    return _products(root, folder, table["photos"])


def _files(root: Path) -> list[Path]:
    """The files by which the folder is one of these; none where it is not."""
    if any((root / name).is_file() for name in SAVED):
        return sorted({*root.glob("*.json"), *root.rglob("*.arrow")})
    tables = [*root.glob("*.parquet"), *root.glob("*/*.parquet")]
    return sorted({*tables, *root.glob("README.md")}) if tables else []


def _digest(root: Path, files: list[Path]) -> str:
    digest = hashlib.sha256(f"{__version__} {root.resolve()}\n".encode())
    for path in files:
        about = path.stat()
        digest.update(f"{path.relative_to(root)} {about.st_size} {about.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:24]


def _extract_once(root: Path, folder: Path) -> bool:
    """Fill the cache folder unless another process has meanwhile; False where these are no labelled photos."""
    from filelock import FileLock  # as `datasets` itself locks its cache

    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_suffix(".lock")):
        if (folder / INDEX).is_file():
            return True
        columns = _columns(root)
        if columns is None:
            return False
        remark(f"taking the photos out of {root}, once")
        beside = folder.with_suffix(".part")
        shutil.rmtree(beside, ignore_errors=True)  # of a process that was killed
        beside.mkdir()
        try:
            _extract(root, columns, beside)
            beside.replace(folder)
        finally:
            shutil.rmtree(beside, ignore_errors=True)
    return True


def _columns(root: Path) -> Columns | None:
    try:
        first = next(iter(_open(root).values()))
        return find_columns(first.features or {}, lambda names: _few_values(root, names))
    except Exception as error:  # `datasets` raises a dozen types over folders that merely look like its own
        remark(f"`datasets` does not open {root}: {' '.join(str(error).split())}")
        return None


def _open(root: Path, columns: list[str] | None = None) -> dict[str, Any]:
    """Split -> table, of all columns or some; parquet is streamed, since `datasets` would copy it into its cache."""
    import datasets

    if not any((root / name).is_file() for name in SAVED):
        return dict(datasets.load_dataset(str(root.resolve()), streaming=True, columns=columns))
    saved = datasets.load_from_disk(str(root))
    tables = dict(saved) if isinstance(saved, datasets.DatasetDict) else {"train": saved}
    return {split: table if columns is None else table.select_columns(columns) for split, table in tables.items()}


def _rows(table: Any) -> Iterator[dict[str, Any]]:
    """Rows as they are stored: pictures are not decoded."""
    for batch in table.with_format("arrow").iter(batch_size=BATCH):
        yield from batch.to_pylist()


def _few_values(root: Path, names: list[str]) -> dict[str, set[Any]]:
    """Which values some columns hold, over all splits; a column of too many or too long ones is left out."""
    found: dict[str, set[Any]] = {name: set() for name in names}
    for table in _open(root, names).values() if names else ():
        for row in _rows(table):
            for name in list(found):
                if row[name] is not None:
                    found[name].add(row[name])
                    if len(found[name]) > DISTINCT or len(str(row[name])) > LONGEST:
                        del found[name]
            if not found:
                return {}
    return found


def _extract(root: Path, columns: Columns, folder: Path) -> None:
    entries: list[Entry] = []
    left_out = 0
    tables = _open(root, columns.names)
    for split, table in tables.items():
        (folder / split).mkdir()
        told = None if len(tables) == 1 else "test" if "test" in split else "train"  # a lone split is all there is
        for number, row in enumerate(_rows(table)):
            meaning = columns.meaning(row)
            name = None if meaning is None else _put(row[columns.photo], folder, f"{split}/{number:08d}")
            if meaning is None or name is None:
                left_out += 1
                continue
            mask = row[columns.mask] if columns.mask and meaning[0] else None
            shown = _put(mask, folder, f"{split}/{number:08d}_mask")
            product = str(row[columns.product] or "") if columns.product else ""
            entries.append((product, name, *meaning, shown, told))
    (folder / INDEX).write_text(json.dumps({"left_out": left_out, "photos": entries}), encoding="utf-8")


def _put(picture: Any, folder: Path, stem: str) -> str | None:
    """Write a picture, or the first of several, as it is stored; its name, or None where there is none."""
    if isinstance(picture, list):
        picture = picture[0] if picture else None
    data = _bytes(picture or {})
    if not data:
        return None
    suffix = Path((picture or {}).get("path") or "").suffix.lower()
    name = f"{stem}{suffix if suffix in SUFFIXES else '.png'}"
    (folder / name).write_bytes(data)
    return name


def _bytes(picture: Mapping[str, Any]) -> bytes | None:
    """The encoded picture; a table on disk may hold its path only."""
    if picture.get("bytes"):
        return bytes(picture["bytes"])
    path = Path(picture.get("path") or "")
    return path.read_bytes() if path.is_file() else None


def _products(root: Path, folder: Path, entries: list[Entry]) -> list[Product]:
    photos: dict[str, list[Photo]] = {}
    for product, name, defective, kind, mask, split in entries:
        shown = None if mask is None else MaskFiles((folder / mask,))
        photos.setdefault(product or root.resolve().name, []).append(
            Photo(folder / name, defective, kind, shown, split)
        )
    return [Product(name, tuple(sorted(own, key=lambda p: p.path))) for name, own in sorted(photos.items())]
