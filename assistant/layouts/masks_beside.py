"""Photos and masks in one folder: a photo with `NAME_mask.png` beside it is defective, one without is good."""

from pathlib import Path

from assistant.layouts import Photo, Product, photos_in
from assistant.layouts.masks import MaskFiles


def read(root: Path) -> list[Product] | None:
    """One product; None where no photo has a mask."""
    masks = {path.stem.removesuffix("_mask"): path for path in photos_in(root) if path.stem.endswith("_mask")}
    paths = [path for path in photos_in(root) if not path.stem.endswith("_mask")]
    if not any(path.stem in masks for path in paths):
        return None
    photos = tuple(
        Photo(path, True, mask=MaskFiles((masks[path.stem],))) if path.stem in masks else Photo(path, False)
        for path in paths
    )
    return [Product(root.resolve().name, photos)]
