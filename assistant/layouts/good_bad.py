"""The plainest labelled layout: a folder `good/` and a folder `bad/` (or ok and ng, ...), masks where there are any.

Folders inside `bad/` name the kind of defect. A mask lies beside its photo as `NAME_mask.png`, or in `masks/`.
"""

import re
from pathlib import Path

from assistant import UserError
from assistant.layouts import BAD_NAMES, GOOD_NAMES, MASK_NAMES, Mask, Photo, Product, named, photos_below
from assistant.layouts.masks import MaskFiles

MASK_LIKE = re.compile(r"(?:^|[_-])(?:masks?|msk|seg|gt|label|ground_?truth)(?:[_-]|\d|$)", re.I)


def read(root: Path) -> list[Product] | None:
    """The products below `root`, or the one that it is; None where there is no pair of such folders.

    Raises:
        UserError: what seems to be a mask lies among the photos of defective parts under another name.
    """
    folders = [root] if _is_product(root) else sorted(path for path in root.iterdir() if _is_product(path))
    return [Product(folder.resolve().name, tuple(_photos(folder))) for folder in folders] or None


def _is_product(folder: Path) -> bool:
    return named(folder, GOOD_NAMES) is not None and named(folder, BAD_NAMES) is not None


def _photos(root: Path) -> list[Photo]:
    good, bad = named(root, GOOD_NAMES), named(root, BAD_NAMES)
    assert good is not None and bad is not None
    found = [Photo(path, False) for path in photos_below(good)]
    defective = [path for path in photos_below(bad) if not path.stem.endswith("_mask")]
    masks = [path for path in defective if MASK_LIKE.search(path.stem)]
    if masks and len(masks) < len(defective):
        raise UserError(
            f"{masks[0]} is named like a mask", f"name it NAME_mask{masks[0].suffix}, or put it into masks/"
        )
    for path in defective:
        kind = None if path.parent == bad else path.relative_to(bad).parts[0]
        found.append(Photo(path, True, kind, find_mask(path, root)))
    return found


def find_mask(path: Path, root: Path) -> Mask | None:
    """`NAME_mask.*` beside the photo, or the file of that name below a folder of masks; None where neither is."""
    beside = sorted(path.parent.glob(f"{path.stem}_mask.*"))
    if beside:
        return MaskFiles((beside[0],))
    folder = named(root, MASK_NAMES)
    if folder is None:
        return None
    names = {path.stem, f"{path.stem}_mask"}
    found = [mask for mask in photos_below(folder) if mask.stem in names]
    return MaskFiles((found[0],)) if found else None
