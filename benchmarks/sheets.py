"""Contact sheets for docs/: every rendered family, and every synthesizer from easy to barely visible.

    python benchmarks/sheets.py [--out docs] [--photos FOLDER]

With --photos the synthesizers break good photos of that folder instead of rendered ones; look at those, but keep
photos that are not yours out of docs/.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from assistant.images import load_image
from assistant.layouts import photos_below
from data_gen.families import FAMILIES
from data_gen.procedural import Product
from data_gen.synthesizers import SYNTHESIZERS, NothingVisible, load_synthesizer

CELL, CAPTION, SIDE = 84, 15, 256
DIFFICULTIES = (0.1, 0.5, 0.9)
PHOTOS = (("brushed metal", 3), ("circuit board", 1), ("label", 2), ("gear", 2), ("biscuit", 1), ("woven cloth", 4))


def caption(text: str, row: np.ndarray) -> np.ndarray:
    head = np.full((CAPTION, row.shape[1], 3), 255, np.uint8)
    cv2.putText(head, text, (2, 11), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (0, 0, 0), 1, cv2.LINE_AA)
    return np.pad(np.vstack([head, row]), ((2, 2), (3, 3), (0, 0)), constant_values=255)


def shrink(photo: np.ndarray) -> np.ndarray:
    return cv2.resize(photo, (CELL, CELL), interpolation=cv2.INTER_AREA)


def families() -> Iterator[np.ndarray]:
    """Two pieces of one design and a piece of a second one, for each family."""
    for family in FAMILIES:
        shots = [
            Product(family, seed).photo(np.random.default_rng(piece), SIDE) for seed, piece in ((1, 1), (1, 2), (2, 1))
        ]
        yield caption(family, np.hstack([shrink(photo) for photo in shots]))


def good_photos(folder: Path | None) -> list[np.ndarray]:
    if folder is None:
        return [Product(family, seed).photo(np.random.default_rng(1), SIDE) for family, seed in PHOTOS]
    paths = photos_below(folder)
    return [cv2.resize(load_image(path), (SIDE, SIDE)) for path in paths[:: max(1, len(paths) // len(PHOTOS))]]


def synthesizers(photos: list[np.ndarray]) -> Iterator[np.ndarray]:
    """A close-up of the defect at each difficulty, on two photos in turn, for each synthesizer."""
    for number, name in enumerate(SYNTHESIZERS):
        row = []
        for turn in range(2):
            for difficulty in DIFFICULTIES:
                row.append(close_up(name, photos, number + turn, difficulty))
        yield caption(name, np.hstack(row))


def close_up(name: str, photos: list[np.ndarray], first: int, difficulty: float) -> np.ndarray:
    """The part of the first photo that takes this defect where the defect is, half a photo wide at most."""
    for offset in range(len(photos)):
        try:
            photo = photos[(first + 2 * offset) % len(photos)]
            defect = load_synthesizer(name)(photo, np.random.default_rng(first), difficulty=difficulty)
        except NothingVisible:
            continue
        rows, columns = np.nonzero(defect.mask)
        half = int(np.clip(max(np.ptp(rows), np.ptp(columns)) * 0.8, SIDE // 8, SIDE // 2))
        y = int(np.clip((rows.min() + rows.max()) // 2, half, SIDE - half))
        x = int(np.clip((columns.min() + columns.max()) // 2, half, SIDE - half))
        return shrink(defect.image[y - half : y + half, x - half : x + half])
    return np.full((CELL, CELL, 3), 230, np.uint8)


def save(tiles: list[np.ndarray], columns: int, path: Path) -> None:
    tiles += [np.full_like(tiles[0], 255)] * (-len(tiles) % columns)
    sheet = np.vstack([np.hstack(tiles[i : i + columns]) for i in range(0, len(tiles), columns)])
    Image.fromarray(sheet).save(path, quality=86, optimize=True)
    print(f"{path}: {sheet.shape[1]} x {sheet.shape[0]}, {path.stat().st_size // 1000} kB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("docs"))
    parser.add_argument("--photos", type=Path)
    options = parser.parse_args()
    save(list(families()), 5, options.out / "families.jpg")
    save(list(synthesizers(good_photos(options.photos))), 3, options.out / "synthesizers.jpg")


if __name__ == "__main__":
    main()
