"""Good photos and nothing else, in the folder itself or in `good/`."""

from pathlib import Path

from assistant import UserError
from assistant.layouts import GOOD_NAMES, NOT_GOOD_NAMES, Photo, Product, named, photos_below


def read(root: Path) -> list[Product] | None:
    """One product; None where there are no photos.

    Raises:
        UserError: there are folders of photos of which nobody can tell that they are good.
    """
    good = named(root, GOOD_NAMES)
    folders = sorted(child for child in root.iterdir() if child.is_dir() and photos_below(child))
    unclear = [folder for folder in folders if folder.name.lower() in NOT_GOOD_NAMES]
    if not good and len(folders) > 1:
        unclear = folders
    elif good and len(folders) > 1:
        unclear = [folder for folder in folders if folder != good]
    if unclear:
        named_so = ", ".join(f"{folder.name}/" for folder in unclear)
        raise UserError(
            f"{root} holds photos in {named_so}, and nothing tells that they show good parts",
            "put photos of good parts into good/ and of defective ones into bad/, or name one folder of good photos",
        )
    paths = photos_below(good or root)
    return [Product(root.resolve().name, tuple(Photo(path, False) for path in paths))] if paths else None
