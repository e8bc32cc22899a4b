"""Photos and masks of the same names: a photo with a mask is defective, one without is good.

The mask lies beside the photo as `NAME_mask.png` (or `_gt`, `_seg`, `_label`, `_defect`), or as `NAME.png` beside
`NAME.jpg`; or photos and masks have a folder each, `images/` and `masks/`.
"""

import re
from pathlib import Path

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
    photos = tuple(
        Photo(path, True, mask=MaskFiles((masks[path.stem],))) if path.stem in masks else Photo(path, False)
        for path in paths
    )
    return [Product(root.resolve().name, photos)]


def _side_by_side(files: list[Path]) -> tuple[list[Path], dict[str, Path]]:
    """The photos and the masks, by the name of their photo, of one folder."""
    masks = {MARK.sub("", path.stem): path for path in files if MARK.search(path.stem)}
    photos = [path for path in files if not MARK.search(path.stem)]
    taken = {path.stem for path in photos if path.suffix.lower() != ".png"}
    masks |= {path.stem: path for path in photos if path.suffix.lower() == ".png" and path.stem in taken}
    return [path for path in photos if path not in masks.values()], masks
