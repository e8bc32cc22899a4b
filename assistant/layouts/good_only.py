"""Good photos and nothing else, in the folder itself or in `good/`."""

import re
from pathlib import Path

from assistant import UserError
from assistant.inspection import KINDS
from assistant.layouts import (
    GOOD_NAMES,
    NOT_GOOD_NAMES,
    Photo,
    Product,
    named,
    photos_below,
    photos_in,
)

# Words in names of folders and files that speak of defects or masks. A product may be called so too ("mask holder"), so
# a word that all files bear tells nothing.
SPOILT = re.compile(
    r"(?:^|[^a-z])(?:ng|nok|nio|bad|defect\w*|anomal\w*|abnormal|damaged?|scrap\w*|not[ _-]?good|reject\w*|fault\w*|"
    rf"broken|(?:{'|'.join(KINDS)})(?:e?s)?|masks?|msk|seg|gt|ground_truth)(?:[^a-z]|$)",
    re.I,
)
BESIDE = (".txt", ".xml", ".json")  # labels of one photo, by its name
TABLES = (".csv", ".json")
LONGEST = 1_000_000  # bytes of a table that are looked through for names of photos
REMEDY = "put photos of good parts into good/ and of defective ones into bad/, or name one folder of good photos"


def read(root: Path) -> list[Product] | None:
    """One product; None where there are no photos.

    Raises:
        UserError: there are photos of which nobody can tell that they show good parts.
    """
    good = named(root, GOOD_NAMES)
    _check_folders(root, good)
    check_good(good or root)
    paths = photos_below(good or root)
    return [Product(root.resolve().name, tuple(Photo(path, False) for path in paths))] if paths else None


def _check_folders(root: Path, good: Path | None) -> None:
    """Beside `good/` there may be no other folder of photos, nor may there be several without it."""
    folders = sorted(child for child in root.iterdir() if child.is_dir() and photos_below(child))
    unclear = [folder for folder in folders if folder.name.lower() in NOT_GOOD_NAMES]
    if good and len(folders) > 1:
        unclear = [folder for folder in folders if folder != good]
    elif not good and len(folders) > 1:
        unclear = folders
    elif not good and len(folders) == 1 and not photos_in(root):
        _check_folders(folders[0], named(folders[0], GOOD_NAMES))
    if unclear:
        named_so = ", ".join(f"{folder.name}/" for folder in unclear)
        raise UserError(f"{root} holds photos in {named_so}, and nothing tells that they show good parts", REMEDY)


def check_good(root: Path) -> None:
    """Nothing in or below a folder of good photos speaks of defects: no name, no masks, no labels.

    Raises:
        UserError: something does.
    """
    if root.name.lower() in NOT_GOOD_NAMES:
        raise UserError(f"{root} is named as if it held no good parts", REMEDY)
    paths = photos_below(root)
    for folder in sorted({path.parent for path in paths}):
        inner = folder.relative_to(root).as_posix()
        if SPOILT.search(inner):
            raise UserError(f"{root} holds photos in {inner}/, and nothing tells that they show good parts", REMEDY)
        _check_labels(folder)
    spoilt = [path for path in paths if SPOILT.search(path.stem)]
    if spoilt and len(spoilt) < len(paths):
        raise UserError(f"the name of {spoilt[0]} speaks of a defect or a mask, among photos of good parts", REMEDY)


def _check_labels(folder: Path) -> None:
    names = {path.name for path in photos_in(folder)}
    stems = {Path(name).stem for name in names}
    for path in sorted(folder.iterdir()):
        suffix = path.suffix.lower()
        if suffix in BESIDE and path.stem in stems:
            raise UserError(f"{path} labels a photo in a way that is not read here", f"use a known layout, or {REMEDY}")
        if suffix in TABLES and path.stat().st_size <= LONGEST:
            text = path.read_text(encoding="utf-8", errors="replace")
            if any(name in text for name in names):
                raise UserError(
                    f"{path} names photos, and is no table that is read here", f"use a known layout, or {REMEDY}"
                )
