"""Folders of photos as people keep them -> products with labelled photos. A layout is a file here and a line below.

Every layout has `read(root) -> list[Product] | None`; None means "this folder is not mine". The order below is the
order of asking, the most particular first.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast

import numpy as np

from assistant import UserError

SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".gif", ".ppm", ".pgm", ".jp2", ".avif"}
GOOD_NAMES = ("good", "ok", "normal", "normals", "pass", "passed")
BAD_NAMES = (
    "bad",
    "nok",
    "ng",
    "not good",
    "ko",
    "defect",
    "defects",
    "defective",
    "anomaly",
    "anomalies",
    "anomalous",
    "abnormal",
    "fail",
)
MASK_NAMES = ("masks", "mask", "ground_truth", "gt", "annotations", "segmentation", "segmentations")
# Folders that hold no photos of good parts, whatever lies in them.
NOT_GOOD_NAMES = (*BAD_NAMES, *MASK_NAMES, "labels", "test")
COMBINED = "combined"  # MVTec AD's own word for photos with several kinds of defect

LAYOUTS: dict[str, str] = {
    "visa": "assistant.layouts.visa:read",
    "real-iad": "assistant.layouts.real_iad:read",
    "datasets": "assistant.layouts.datasets_folder:read",
    "coco": "assistant.layouts.coco:read",
    "yolo": "assistant.layouts.yolo:read",
    "mvtec": "assistant.layouts.mvtec:read",
    "good-bad": "assistant.layouts.good_bad:read",
    "llava": "assistant.layouts.llava:read",
    "masks-beside": "assistant.layouts.masks_beside:read",
    "good-only": "assistant.layouts.good_only:read",
}


class Mask(Protocol):
    """Where the defect is: draws it at the wished size, (H, W) bool."""

    def __call__(self, shape: tuple[int, int]) -> np.ndarray: ...


@dataclass(frozen=True)
class Photo:
    """One photo with what is known of it.

    `kind` is the folder's or annotation's own word for the defect, None where there is none or it is good; `mask`
    is None where the pixels are not known; `split` is "train" or "test" where the layout says so, else None.
    """

    path: Path
    defective: bool
    kind: str | None = None
    mask: Mask | None = None
    split: str | None = None


@dataclass(frozen=True)
class Product:
    """The photos of one product, in the order of their paths."""

    name: str
    photos: tuple[Photo, ...]

    def good(self, split: str | None = None) -> tuple[Photo, ...]:
        """The good photos, of one split or of all."""
        return tuple(p for p in self.photos if not p.defective and split in (None, p.split))

    def bad(self, split: str | None = None) -> tuple[Photo, ...]:
        """The defective photos, of one split or of all."""
        return tuple(p for p in self.photos if p.defective and split in (None, p.split))


Reader = Callable[[Path], list[Product] | None]


def load_layout(name: str) -> Reader:
    """The reader registered as `name`; KeyError where there is none."""
    module, attribute = LAYOUTS[name].split(":")
    return cast(Reader, getattr(importlib.import_module(module), attribute))


def read_products(root: str | Path, layout: str | None = None) -> tuple[str, list[Product]]:
    """Recognise the layout of a folder (or take the given one) and read it: its name and the products.

    Raises:
        UserError: no such folder, unknown layout, or nothing in it that any layout knows.
    """
    root = Path(root)
    if not root.is_dir():
        raise UserError(f"{root} is not a folder", "name the folder that holds the photos")
    if layout is not None and layout not in LAYOUTS:
        raise UserError(f"unknown layout {layout!r}", f"use one of {', '.join(LAYOUTS)}, or leave it to be recognised")
    for name in LAYOUTS if layout is None else (layout,):
        products = load_layout(name)(root)
        if products:
            return name, products
    raise UserError(
        f"{root} holds no photos in a layout that is known",
        "put good photos into a folder good/ (and defective ones into bad/), or use the layout of MVTec-AD",
    )


def name_below(path: Path, root: Path) -> str:
    """The path relative to `root`; as it is where a layout keeps its photos elsewhere. `root / name` is the file."""
    return (path.relative_to(root) if path.is_relative_to(root) else path).as_posix()


def photos_in(folder: Path) -> list[Path]:
    """Image files of a folder by their names' endings, sorted; none where there is no folder.

    Raises:
        UserError: a name is not UTF-8.
    """
    if not folder.is_dir():
        return []
    return sorted(_check_name(path) for path in folder.iterdir() if _is_photo(path))


def photos_below(folder: Path) -> list[Path]:
    """Image files of a folder and of all below it, sorted; raises as `photos_in`."""
    if not folder.is_dir():
        return []
    return sorted(_check_name(path) for path in folder.rglob("*") if _is_photo(path))


def _is_photo(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and path.name[0] != "."


def _check_name(path: Path) -> Path:
    """Names go into tables and reports, which are UTF-8."""
    try:
        str(path).encode("utf-8")
    except UnicodeEncodeError as error:
        shown = str(path).encode("utf-8", "backslashreplace").decode("utf-8")
        raise UserError(f"the name of {shown} is not UTF-8", "rename it") from error
    return path


def named(folder: Path, names: tuple[str, ...]) -> Path | None:
    """The subfolder of one of these names, whatever its capitals; None where there is none."""
    if not folder.is_dir():
        return None
    found = {child.name.lower(): child for child in sorted(folder.iterdir()) if child.is_dir()}
    return next((found[name] for name in names if name in found), None)
