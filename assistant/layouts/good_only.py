"""Good photos and nothing else, in the folder itself or in `good/`."""

from pathlib import Path

from assistant.layouts import GOOD_NAMES, Photo, Product, named, photos_below


def read(root: Path) -> list[Product] | None:
    """One product; None where there are no photos."""
    paths = photos_below(named(root, GOOD_NAMES) or root)
    return [Product(root.resolve().name, tuple(Photo(path, False) for path in paths))] if paths else None
