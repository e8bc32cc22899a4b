"""VisA's layout (Zou et al. 2022): `split_csv/1cls.csv`, or `CATEGORY/image_anno.csv`, naming photos and masks."""

import csv
from collections import defaultdict
from pathlib import Path

from assistant import UserError
from assistant.layouts import Photo, Product
from assistant.layouts.masks import MaskFiles

NORMAL = "normal"


def read(root: Path) -> list[Product] | None:
    """The products of VisA; None where there is no table of it."""
    table = root / "split_csv" / "1cls.csv"
    if table.is_file():
        return _from_split(root, table)
    own = [root] if (root / "image_anno.csv").is_file() else sorted(p.parent for p in root.glob("*/image_anno.csv"))
    return [Product(folder.resolve().name, tuple(_from_annotations(folder))) for folder in own] or None


def _rows(table: Path, columns: set[str]) -> list[dict[str, str]]:
    with table.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        missing = columns - set(reader.fieldnames or ())
        if missing:
            raise UserError(f"{table} lacks the columns {', '.join(sorted(missing))}", "take VisA's own table")
        return list(reader)


def _from_split(root: Path, table: Path) -> list[Product]:
    products: dict[str, list[Photo]] = defaultdict(list)
    for row in _rows(table, {"object", "split", "label", "image", "mask"}):
        products[row["object"]].append(_photo(root, row, row["split"]))
    return [Product(name, tuple(photos)) for name, photos in sorted(products.items())]


def _from_annotations(folder: Path) -> list[Photo]:
    rows = _rows(folder / "image_anno.csv", {"image", "label", "mask"})
    base = folder if not rows or (folder / rows[0]["image"]).is_file() else folder.parent
    return [_photo(base, row, None) for row in rows]


def _photo(base: Path, row: dict[str, str], split: str | None) -> Photo:
    label = row["label"].strip()
    bad = label.lower() != NORMAL
    mask = MaskFiles((base / row["mask"],)) if bad and row["mask"] else None
    kind = label if bad and label.lower() != "anomaly" else None
    return Photo(base / row["image"], bad, kind, mask, split)
