"""The folders of a detection benchmark in the layout of MVTec AD (Bergmann et al. 2019).

`ROOT/CATEGORY/train/good`, `test/good`, `test/DEFECT` and, where the pixels are known,
`ground_truth/DEFECT/NAME_mask.png` (or `NAME.png`).
"""

import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from assistant import UserError
from assistant.images import load_image

SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".gif", ".ppm", ".pgm", ".jp2", ".avif"}


@dataclass(frozen=True)
class Category:
    """One product of a benchmark: its folder, its test photos in order, and its references."""

    name: str
    folder: Path
    tests: tuple[Path, ...]
    references: tuple[Path, ...]


def find_categories(data: Path, *, shots: int, seed: int) -> list[Category]:
    """The categories of a benchmark, or the one that `data` is, with their references drawn.

    Raises:
        UserError: `data` is no folder or holds no test photos, or a category has fewer than `shots` photos
            to refer to.
    """
    if not data.is_dir():
        raise UserError(f"{data} is not a folder", "name a folder in MVTec-AD layout (CATEGORY/test/good/*.png)")
    single = (data / "test").is_dir()
    folders = [data] if single else sorted(path for path in data.iterdir() if (path / "test").is_dir())
    found = []
    for folder in folders:
        tests = [path for kind in sorted((folder / "test").iterdir()) for path in photos_in(kind)]
        if tests:
            name = folder.resolve().name
            found.append(Category(name, folder, tuple(tests), tuple(draw_references(folder, shots, seed))))
    if not found:
        raise UserError(f"{data} holds no test photos", "name a folder in MVTec-AD layout (CATEGORY/test/good/*.png)")
    return found


def draw_references(folder: Path, shots: int, seed: int) -> list[Path]:
    """`shots` photos of `train/good` of a category, the same for every run with this seed."""
    if shots == 0:
        return []
    pool = photos_in(folder / "train" / "good")
    if len(pool) < shots:
        raise UserError(f"{folder / 'train' / 'good'} holds {len(pool)} photos, {shots} are asked for", "lower --shots")
    random.Random(seed).shuffle(pool)
    return pool[:shots]


def photos_in(folder: Path) -> list[Path]:
    """Image files of a folder by their names' endings, sorted; none where there is no folder."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES and path.name[0] != ".")


def mask_path(photo: Path) -> Path | None:
    """The mask file of a defective test photo, or None where its pixels are not known."""
    folder = photo.parents[2] / "ground_truth" / photo.parent.name
    names = (f"{photo.stem}{mark}{suffix}" for mark in ("_mask", "") for suffix in (".png", photo.suffix, ".bmp"))
    return next((folder / name for name in names if (folder / name).is_file()), None)


def load_mask(path: Path, shape: tuple[int, int]) -> np.ndarray:
    """A mask file -> (H, W) bool of the given shape; a defect however small survives the resizing.

    Raises:
        UserError: the file cannot be read as an image.
    """
    values = load_image(path).max(axis=2)
    # Masks hold 0 and 255, blurred where someone saved a JPEG, or the small number of a class.
    mask = values > 127 if values.max() > 127 else values > 0
    if mask.shape == shape:
        return mask
    share = Image.fromarray(mask.astype(np.float32)).resize(shape[::-1], Image.Resampling.BOX)
    resized = np.asarray(share)
    return resized >= 0.5 if (resized >= 0.5).any() else resized > 0
