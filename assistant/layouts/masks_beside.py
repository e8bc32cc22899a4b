"""Photos and masks of the same names: a photo with a mask is defective, one without, or with a black one, is good.

The mask lies beside the photo as `NAME_mask.png` (or `_gt`, `_seg`, `_label`, `_defect`), or as `NAME.png` beside
`NAME.jpg`; or photos and masks have a folder each, `images/` and `masks/`.
"""

import re
from pathlib import Path

from assistant import UserError
from assistant.images import load_image
from assistant.layouts import MASK_NAMES, Photo, Product, named, photos_below, photos_in
from assistant.layouts.masks import MaskFiles

IMAGES = ("images", "image", "photos", "imgs", "img", "pictures")
MARK = re.compile(r"[_-](?:mask|gt|seg|label|defect|ground_?truth)$", re.I)


def read(root: Path) -> list[Product] | None:
    """One product; None where no photo has a mask."""
    images, folder = named(root, IMAGES), named(root, MASK_NAMES)
    if images and folder:
        paths, masks = photos_below(images), {MARK.sub("", path.stem): path for path in photos_below(folder)}
    else:
        paths, masks = _side_by_side(photos_in(root))
    if not any(path.stem in masks for path in paths):
        return None
    return [Product(root.resolve().name, tuple(_photo(path, masks.get(path.stem)) for path in paths))]


def _photo(path: Path, mask: Path | None) -> Photo:
    """Good where its mask is black, as some tools write one for every photo."""
    if mask is None or not _marks_something(mask):
        return Photo(path, False)
    return Photo(path, True, mask=MaskFiles((mask,)))


def _marks_something(mask: Path) -> bool:
    try:
        return bool(load_image(mask).any())
    except UserError:
        return True  # told where it is wanted


def _side_by_side(files: list[Path]) -> tuple[list[Path], dict[str, Path]]:
    """The photos and the masks, by the name of their photo, of one folder."""
    masks = {MARK.sub("", path.stem): path for path in files if MARK.search(path.stem)}
    photos = [path for path in files if not MARK.search(path.stem)]
    taken = {path.stem for path in photos if path.suffix.lower() != ".png"}
    masks |= {path.stem: path for path in photos if path.suffix.lower() == ".png" and path.stem in taken}
    return [path for path in photos if path not in masks.values()], masks
