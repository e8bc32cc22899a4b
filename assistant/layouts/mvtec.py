"""MVTec AD's layout and its kin: MVTec LOCO, MVTec AD 2, BTAD, MPDD, GoodsAD, WFDD.

`CATEGORY/train/good`, `CATEGORY/test/DEFECT`, `CATEGORY/ground_truth/DEFECT/NAME_mask.png` (Bergmann et al. 2019).
LOCO keeps several masks of a photo in a folder of its name, AD 2 calls the test photos `test_public`, and BTAD
says `ok` and `ko`.
"""

from pathlib import Path

from assistant.layouts import GOOD_NAMES, Mask, Photo, Product, named, photos_in
from assistant.layouts.masks import MaskFiles

TRAINING, TESTS = ("train", "validation"), ("test", "test_public")


def read(root: Path) -> list[Product] | None:
    """The products below `root`, or the one that it is; None where nothing is laid out like this.

    They may lie one folder deeper, as they come out of an archive, and are then named with it ("MPDD_tubes").
    """
    found = next((found for depth in ("", "*", "*/*") if (found := _categories(root, depth))), [])
    products = [Product(name, tuple(_photos(folder))) for name, folder in found]
    return [product for product in products if product.photos] or None


def _categories(root: Path, depth: str) -> list[tuple[str, Path]]:
    """(name, folder) of those that lie so deep below `root`."""
    folders = sorted(folder for folder in (root.glob(depth) if depth else [root]) if _is_category(folder))
    return [("_".join(folder.relative_to(root).parts) or root.resolve().name, folder) for folder in folders]


def _is_category(folder: Path) -> bool:
    return (folder / "train").is_dir() and named(folder, TESTS) is not None


def _photos(folder: Path) -> list[Photo]:
    found = []
    for part in (*TRAINING, *TESTS):
        split = "train" if part in TRAINING else "test"
        for group in sorted(path for path in (folder / part).glob("*") if path.is_dir()):
            good = group.name.lower() in GOOD_NAMES
            for path in photos_in(group):
                kind = None if good else group.name
                found.append(Photo(path, not good, kind, None if good else find_mask(path), split))
    return found


def find_mask(photo: Path) -> Mask | None:
    """The mask of a defective photo, or None where its pixels are not known."""
    root = photo.parents[2]
    # AD 2 keeps the truth inside the split
    for folder in (root / "ground_truth" / photo.parent.name, photo.parents[1] / "ground_truth" / photo.parent.name):
        if (folder / photo.stem).is_dir():
            return MaskFiles(tuple(photos_in(folder / photo.stem)))
        names = (f"{photo.stem}{mark}{suffix}" for mark in ("_mask", "") for suffix in (".png", photo.suffix, ".bmp"))
        path = next((folder / name for name in names if (folder / name).is_file()), None)
        if path is not None:
            return MaskFiles((path,))
    return None
