"""Was a test photo trained on? Hashes of all training photos travel with a checkpoint, eight bytes a photo."""

import contextlib
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from safetensors.numpy import load_file, save_file
from scipy import fft

from assistant import UserError
from assistant.evaluation.results import CHECKPOINTS, remark
from assistant.images import load_image

FILE = "training_photos.safetensors"
DETECTOR = "detector.json"  # a model without it is given the detector of `tiny`, and with it what that has seen
GRID = 64  # pixels a side that are looked at
# Of the cosine components in order of frequency, the 40 lowest are passed over: they hold the shape, the pose and the
# light that all photos of a product share, and would take any good part for a copy of any other.
LOWEST = 40
# Of the components' sizes, the median; rounding to whole grey levels alone gives 0.3 at most. Below, chance decides
# over half of the bits, and two photos of next to nothing, or of one straight edge, would be taken for copies.
FAINTEST = 1.0
# Differing bits of 64. Measured with the training photos of `tiny` (1,870) on 1,663 others of eight products: of the 69
# found 68 show the very part that was trained on, and on seven products, of which none was, nothing is found. Missed
# are 4 % of the copies saved anew as JPEG of quality 60, 4 % of those shrunk to 60 %, 16 % of those cut by 1 % a side.
THRESHOLD = 8


def _components() -> tuple[np.ndarray, np.ndarray]:
    """Row and column (64,) of the cosine components that a hash is made of."""
    rows, columns = np.mgrid[: GRID // 2, : GRID // 2]
    order = np.argsort(np.hypot(rows, columns).ravel(), kind="stable")[LOWEST : LOWEST + 64]
    return np.unravel_index(order, rows.shape)  # type: ignore[return-value]


_ROWS, _COLUMNS = _components()


def hash_photo(photo: np.ndarray) -> np.uint64:
    """Perceptual hash of a (H, W, 3) uint8 photo, stable under saving anew, resizing and changes of brightness.

    As pHash (Zauner 2010, sec. 3.2.1): 64 components of the cosine transform of the small grey photo, a bit each for
    whether it is above their median; of higher frequency than there (see `LOWEST`). A photo on which nothing is to be
    seen at these frequencies has hash 0, and resembles none.
    """
    grey = Image.fromarray(photo).convert("L").resize((GRID, GRID), Image.Resampling.BOX)
    values = fft.dctn(np.asarray(grey, dtype=np.float32), norm="ortho")[_ROWS, _COLUMNS]
    if np.median(np.abs(values)) < FAINTEST:
        return np.uint64(0)
    return np.packbits(values > np.median(values)).view("<u8")[0]


def _hash_file(path: str | Path) -> np.uint64 | None:
    try:
        return hash_photo(load_image(path))
    except UserError as error:
        remark(f"left out of the training photos' hashes: {error}")
        return None


@dataclass(frozen=True, eq=False)
class TrainingHashes:
    """Hashes (N,) uint64 of the photos that something was trained on, sorted and each once."""

    hashes: np.ndarray

    @classmethod
    def of(cls, paths: Iterable[str | Path]) -> "TrainingHashes":
        """Hash the photos at `paths`; one that cannot be read is told on stderr and left out."""
        with ThreadPoolExecutor() as pool:  # most of the time goes into decoding, outside Python's lock
            found = [value for value in pool.map(_hash_file, paths) if value]
        return cls(np.unique(np.array(found, dtype=np.uint64)))

    @classmethod
    def load(cls, folder: str | Path) -> "TrainingHashes | None":
        """The hashes in a checkpoint folder; None where it has none, so that nothing is known.

        Raises:
            UserError: the file is damaged.
        """
        path = Path(folder) / FILE
        if not path.is_file():
            return None
        try:
            return cls(load_file(path)["hashes"])
        except Exception as error:  # safetensors has its own error type, a missing key is another
            raise UserError(f"{path} is damaged", "copy the checkpoint again") from error

    @classmethod
    def of_model(cls, model: str) -> "TrainingHashes | None":
        """What is known of the training of a model: `tiny`, a checkpoint folder, or a hub id in the local cache."""
        folder = next((path for path in (CHECKPOINTS / model, Path(model)) if path.is_dir()), None) or _cached(model)
        if folder is None:
            return None
        return merged([folder] if (folder / DETECTOR).is_file() else [folder, CHECKPOINTS / "tiny"])

    def save(self, folder: str | Path) -> Path:
        """Write the hashes into a checkpoint folder, beside and then renamed; gives the file's path."""
        path = Path(folder) / FILE
        beside = path.with_name(f".{FILE}.part")
        save_file({"hashes": self.hashes}, beside)
        return beside.replace(path)

    def merge(self, other: "TrainingHashes") -> "TrainingHashes":
        """Both together."""
        return TrainingHashes(np.union1d(self.hashes, other.hashes))

    def has(self, photo: np.ndarray) -> bool:
        """Is a photo (H, W, 3), or a near copy of it, among them?

        Photos of one product from one camera differ by a few bits, too. So a copy must not only be within
        `THRESHOLD` of a training photo, but also nearer to it than any other training photo is.
        """
        sought = hash_photo(photo)
        if not (sought and self.hashes.size):
            return False
        away = np.bitwise_count(self.hashes ^ sought)
        nearest = int(away.argmin())
        if away[nearest] > THRESHOLD:
            return False
        others = np.delete(np.bitwise_count(self.hashes ^ self.hashes[nearest]), nearest)
        return not others.size or bool(away[nearest] < others.min())

    def find(self, paths: Iterable[Path]) -> list[Path]:
        """Those of the photos at `paths` that are among them; one that cannot be read is not."""
        found = []
        for path in paths:
            with contextlib.suppress(UserError):  # whoever wants to inspect it tells of it
                found += [path] if self.has(load_image(path)) else []
        return found


def merged(folders: Sequence[str | Path | None]) -> TrainingHashes | None:
    """The hashes of several checkpoint folders together; None where none has any."""
    known = [hashes for folder in folders if folder is not None and (hashes := TrainingHashes.load(folder))]
    return reduce(TrainingHashes.merge, known) if known else None


def _cached(model: str) -> Path | None:
    """Where the hub's cache keeps a model."""
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        path = try_to_load_from_cache(model, "config.json")
    except HFValidationError:  # no hub id, and whoever opens the model tells of it
        return None
    return Path(path).parent if isinstance(path, str) else None


def leak_check(model: str, photos: Iterable[tuple[str, Path]]) -> dict[str, Any]:
    """{"training_photos": how many are known, None for a model of unknown training, "found": names of test photos}."""
    hashes = TrainingHashes.of_model(model)
    found = [name for name, path in photos if hashes.find([path])] if hashes else []
    return {"training_photos": None if hashes is None else len(hashes.hashes), "found": found}


def warn_of_leaks(found: Sequence[str]) -> None:
    """One line on stderr for test photos that the model was trained on; nothing for none."""
    if found:
        listed = ", ".join(found[:10]) + (" ..." if len(found) > 10 else "")
        remark(f"warning: the model was trained on {len(found)} of the test photos, or on near copies: {listed}")
