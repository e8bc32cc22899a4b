"""COCO's layout (Lin et al. 2014): a JSON file with `images`, `annotations` and `categories`; boxes, polygons or runs.

A photo without annotations is good. Run lengths must be lists; packed strings need the library that made them.
"""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

from assistant import UserError
from assistant.layouts import Photo, Product
from assistant.layouts.masks import Polygons, RunLengths, Union, box


def read(root: Path) -> list[Product] | None:
    """One product with the photos of all annotation files below `root`; None where there is none."""
    photos: list[Photo] = []
    for table in sorted({*root.glob("*.json"), *root.glob("annotations/*.json"), *root.glob("*/*.json")}):
        values = _load(table)
        if values is None:
            continue
        try:
            photos += _photos(root, table, values)
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise UserError(
                f"{table} is no COCO table: {error!r}",
                "every image needs id, file_name, width and height; every annotation image_id and bbox [x, y, w, h]",
            ) from error
    return [Product(root.resolve().name, tuple(photos))] if photos else None


def _load(table: Path) -> dict[str, Any] | None:
    text = table.read_text(errors="replace")
    try:
        values = json.loads(text)
    except ValueError as error:
        if '"images"' in text and '"annotations"' in text:
            raise UserError(f"{table} is no JSON: {error}", "export the annotations again") from error
        return None
    return values if isinstance(values, dict) and {"images", "annotations"} <= values.keys() else None


def _photos(root: Path, table: Path, values: dict[str, Any]) -> list[Photo]:
    names = {category["id"]: str(category["name"]) for category in values.get("categories", [])}
    marks: dict[Any, list[dict[str, Any]]] = defaultdict(list)
    for mark in values["annotations"]:
        marks[mark["image_id"]].append(mark)
    split = next((s for s in ("train", "test") if s in table.stem.lower() or s in table.parent.name.lower()), None)
    found = []
    for image in values["images"]:
        own = marks[image["id"]]
        kinds = sorted({names.get(mark.get("category_id"), "defect") for mark in own})
        size = (float(image["width"]), float(image["height"]))
        mask = Union([_shape(mark, size, table) for mark in own]) if own else None
        path = _locate(root, table, image["file_name"])
        found.append(Photo(path, bool(own), kinds[0] if kinds else None, mask, split))
    return found


def _locate(root: Path, table: Path, name: str) -> Path:
    places = (table.parent, root, root / "images", table.parent / "images", root / table.stem)
    path = next((place / name for place in places if (place / name).is_file()), None)
    if path is None:
        raise UserError(f"{table} names {name}, which is not there", "put the photos beside it or into images/")
    return path


def _shape(mark: dict[str, Any], size: tuple[float, float], table: Path) -> Polygons | RunLengths:
    runs = mark.get("segmentation")
    if isinstance(runs, dict):
        if not isinstance(runs.get("counts"), list):
            raise UserError(f"{table} holds packed run lengths", "export polygons or run lengths as lists")
        return RunLengths(tuple(runs["counts"]), (int(runs["size"][0]), int(runs["size"][1])))
    width, height = size
    if runs:
        rings = (tuple(zip(ring[0::2], ring[1::2], strict=True)) for ring in runs)
        return Polygons(tuple(tuple((x / width, y / height) for x, y in ring) for ring in rings))
    x, y, across, down = mark["bbox"]
    return Polygons((box(x / width, y / height, across / width, down / height),))
