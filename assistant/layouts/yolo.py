"""YOLO's layout: `images/` and `labels/` side by side, one text line a defect: class, then a box or a polygon.

They may lie below `train/`, `valid/` and `test/`, as Roboflow exports them. A photo without a label file, or with an
empty one, is good. Numbers are fractions of width and height.
"""

from pathlib import Path

import yaml

from assistant import UserError
from assistant.layouts import Photo, Product, photos_below
from assistant.layouts.masks import Polygons, box

# Outer folders -> what they are used for.
SPLITS = {"": None, "train": "train", "valid": "train", "val": "train", "test": "test"}


def read(root: Path) -> list[Product] | None:
    """One product; None where there are no `images` and `labels` with text files."""
    names, photos = _names(root), list[Photo]()
    for outer, split_of_all in SPLITS.items():
        folder = root / outer
        if not any((folder / "labels").rglob("*.txt")):
            continue
        for path in photos_below(folder / "images"):
            place = path.relative_to(folder / "images")
            split = split_of_all or next((SPLITS[part] for part in place.parts if part in SPLITS), None)
            photos.append(_photo(path, folder / "labels" / place.with_suffix(".txt"), names, split))
    return [Product(root.resolve().name, tuple(photos))] if photos else None


def _names(root: Path) -> dict[int, str]:
    """Class names of `data.yaml` (a list or a mapping), or of `classes.txt`; none where neither is there."""
    for path in sorted((*root.glob("*.yaml"), *root.glob("*.yml"))):
        values = yaml.safe_load(path.read_text())
        names = values.get("names") if isinstance(values, dict) else None
        if isinstance(names, dict):
            return {int(key): str(value) for key, value in names.items()}
        if isinstance(names, list):
            return dict(enumerate(map(str, names)))
    lines = root / "classes.txt"
    return dict(enumerate(lines.read_text().split("\n"))) if lines.is_file() else {}


def _photo(path: Path, label: Path, names: dict[int, str], split: str | None) -> Photo:
    lines = label.read_text().split("\n") if label.is_file() else []
    rings, kinds = [], []
    for number, line in enumerate(lines, 1):
        if line.strip():
            kind, ring = _read_line(line, f"{label}, line {number}")
            kinds.append(names.get(kind, f"class {kind}"))
            rings.append(ring)
    if not rings:
        return Photo(path, False, split=split)
    return Photo(path, True, kinds[0], Polygons(tuple(rings)), split)


def _read_line(line: str, where: str) -> tuple[int, tuple[tuple[float, float], ...]]:
    try:
        kind, *numbers = (float(word) for word in line.split())
        if not all(-0.01 <= number <= 1.01 for number in numbers):
            raise ValueError("not fractions")
        if len(numbers) in (4, 5):  # a fifth number is a confidence
            x, y, width, height = numbers[:4]
            return int(kind), box(x - width / 2, y - height / 2, width, height)
        return int(kind), tuple(zip(numbers[0::2], numbers[1::2], strict=True))
    except ValueError as error:
        raise UserError(f"{where} is no YOLO label", "write: class x y width height, as fractions") from error
