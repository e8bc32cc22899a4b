"""Real-IAD's layout (Wang et al. 2024): `CATEGORY.json` with `meta`, `train` and `test` lists, and the photos.

As it is downloaded: `realiad_jsons/realiad_jsons/CATEGORY.json` and `realiad_1024/CATEGORY/...` (or 512, 256; the
largest that is there is taken). Tables and photos in one folder are understood too.
"""

import json
from pathlib import Path
from typing import Any

from assistant.layouts import Photo, Product
from assistant.layouts.masks import MaskFiles


def read(root: Path) -> list[Product] | None:
    """One product for every table; None where there is none."""
    products = []
    for table in _tables(root):
        rows = _rows(table)
        if rows is not None:
            products.append(Product(table.stem, tuple(_photo(root, table.stem, *row) for row in rows)))
    return products or None


def _tables(root: Path) -> list[Path]:
    """The tables of one split: other splits of the download lie in folders of other names beside the first."""
    folders = (root, root / "realiad_jsons", root / "realiad_jsons" / "realiad_jsons")
    return next((found for folder in folders if (found := sorted(folder.glob("*.json")))), [])


def _rows(table: Path) -> list[tuple[dict[str, Any], str, str]] | None:
    """(row, prefix, split) of every photo; None for a JSON file of another kind."""
    try:
        values = json.loads(table.read_text())
    except ValueError:
        return None
    if not isinstance(values, dict) or not {"meta", "train", "test"} <= values.keys():
        return None
    prefix = str(values["meta"].get("prefix", ""))
    return [(row, prefix, split) for split in ("train", "test") for row in values[split]]


def _photo(root: Path, product: str, row: dict[str, Any], prefix: str, split: str) -> Photo:
    tops = (root, *(root / f"realiad_{size}" for size in (1024, 512, 256)))
    places = [place for top in tops for place in (top / prefix, top / product, top)]
    base = next((place for place in places if (place / row["image_path"]).is_file()), root / product)
    bad = row["anomaly_class"] != "OK"
    mask = MaskFiles((base / row["mask_path"],)) if bad and row.get("mask_path") else None
    return Photo(base / row["image_path"], bad, row["anomaly_class"] if bad else None, mask, split)
