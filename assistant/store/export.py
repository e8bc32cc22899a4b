"""Feedback as a folder of labelled photos, which `train custom data.root=FOLDER` takes."""

import shutil
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from assistant import UserError
from assistant.images import load_image
from assistant.store import Store
from assistant.store.corrections import DEFECT, StoredCorrection


@dataclass(frozen=True)
class Exported:
    """How many photos were written."""

    good: int
    bad: int


def export_feedback(store: Store, product: int, folder: str | Path) -> Exported:
    """Write a product's photos in the layout `good_bad`: good/NAME.png, bad/KIND/NAME.png with NAME_mask.png beside.

    Good are the reference photos, and those on which all that was judged was accepted. A photo with several defects has
    one mask and the kind named most often.

    Raises:
        UserError: the folder is there already and not empty, cannot be written, or there is nothing to write.
    """
    folder = Path(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f"{folder} is there already", "name a new folder")
    normals = [normal.photo for normal in store.products.get(product).normals]
    judged: dict[str, list[StoredCorrection]] = {}
    for correction in store.corrections.list(product):
        judged.setdefault(correction.photo, []).append(correction)
    defects = {photo: [c for c in said if c.verdict == DEFECT] for photo, said in judged.items()}
    bad = {photo: said for photo, said in defects.items() if said}
    good = [photo for photo in dict.fromkeys([*normals, *judged]) if photo not in bad]
    if not good and not bad:
        raise UserError("this product has neither photos nor corrections yet", "add some first")
    part = folder.with_name(folder.name + ".part")
    try:
        shutil.rmtree(part, ignore_errors=True)
        (part / "good").mkdir(parents=True)
        for photo in good:
            shutil.copyfile(store.pictures.path(photo), part / "good" / f"{photo[:16]}.png")
        for photo, said in bad.items():
            _write_defect(store, part / "bad", photo, said)
        part.replace(folder)
    except OSError as error:
        raise UserError(f"{folder} cannot be written ({error.strerror})", "check the disk and permissions") from error
    return Exported(len(good), len(bad))


def _write_defect(store: Store, bad: Path, photo: str, said: list[StoredCorrection]) -> None:
    kind = Counter(correction.kind for correction in said).most_common(1)[0][0]
    folder = bad / _file_name(kind)
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(store.pictures.path(photo), folder / f"{photo[:16]}.png")
    masks = [load_image(store.pictures.path(correction.mask)).max(axis=2) > 0 for correction in said]
    Image.fromarray(np.logical_or.reduce(masks)).save(folder / f"{photo[:16]}_mask.png")


def _file_name(kind: str) -> str:
    """Free words as the name of a folder on any system."""
    name = "".join(c if c.isalnum() else "_" for c in kind.lower())
    return name.encode()[:100].decode(errors="ignore").strip("_") or "defect"
