"""Photos and masks in one folder: a photo with `NAME_mask.png` beside it is defective, one without is good."""

from pathlib import Path

from assistant.layouts import Photo, Product, photos_in
from assistant.layouts.good_bad import find_mask


def read(root: Path) -> list[Product] | None:
    """One product; None where no photo has a mask."""
    paths = [path for path in photos_in(root) if not path.stem.endswith("_mask")]
    masks = {path: find_mask(path, root) for path in paths}
    if not any(masks.values()):
        return None
    photos = tuple(Photo(path, mask is not None, mask=mask) for path, mask in masks.items())
    return [Product(root.resolve().name, photos)]
