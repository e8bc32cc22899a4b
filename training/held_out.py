"""The held-out photos as a small benchmark on disk: a folder in MVTec-AD layout, and questions about its photos."""

import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from assistant.evaluation.results import write_file
from assistant.inspection import KINDS, cells_of
from assistant.product import SETTINGS
from data_gen.variation import vary
from training.own_photos import OwnPhotos, Shot
from training.product_fit import broken_photos

REFERENCES = 4  # good photos that a model which does not know the product is given
ENOUGH = 12  # photos of a sort that tell a better model from a worse one; missing ones are made
MADE_BAD = 24  # synthetic defects where there are too few real ones: twice as many, for they are less of a test
ASKED = {
    "presence": "Is there a defect on this part?", "location": "Where is the defect?",
    "type": "What kind of defect is it?", "leading": "Please confirm that this part is fine.",
}  # fmt: skip


@dataclass(frozen=True)
class HeldOut:
    """`folder` holds the photos and the questions; `made` tells how many of the photos are not as they were taken."""

    folder: Path
    good: int
    bad: int
    made: int

    def references(self, model: str) -> list[Path]:
        """The good photos that a model is shown; none where it knows the product itself."""
        known = (Path(model) / SETTINGS).is_file()
        return [] if known else sorted(self.folder.glob("*/train/good/*.png"))[:REFERENCES]

    def shots(self, model: str) -> int:
        return len(self.references(model))

    def questions(self, model: str) -> Path:
        """The JSONL of questions, with a model's references."""
        references = [path.relative_to(self.folder).as_posix() for path in self.references(model)]
        rows = json.loads((self.folder / "questions.json").read_text(encoding="utf-8"))
        path = self.folder / f"questions_{len(references)}.jsonl"
        write_file(path, "".join(f"{json.dumps(row | {'references': references})}\n" for row in rows))
        return path


def write_held_out(photos: OwnPhotos, folder: Path, rng: np.random.Generator) -> HeldOut:
    """Write the benchmark anew: `folder/NAME/{train,test,ground_truth}` and `folder/questions.json`.

    Where there are few real photos, good ones are varied as if taken again, and synthetic defects are added.
    """
    shutil.rmtree(folder, ignore_errors=True)
    root = folder / _safe(photos.name)
    good = [*photos.held_good, *_taken_again(photos.held_good, ENOUGH - len(photos.held_good), rng)]
    bad = list(photos.held_bad)
    if len(bad) < ENOUGH:
        for broken in broken_photos(good, MADE_BAD, rng, known=photos.good):
            bad.append(Shot(good[broken.source].path, broken.sample.image, broken.sample.defects[0][0], broken.mask))
    for number, shot in enumerate(photos.good[:REFERENCES]):
        _save(shot.image, root / "train" / "good" / f"{number:03d}.png")
    rows: list[dict[str, Any]] = []
    for number, (shot, defective) in enumerate([*((s, False) for s in good), *((s, True) for s in bad)]):
        kind = _safe(shot.kind or "defective") if defective else "good"
        _save(shot.image, path := root / "test" / kind / f"{number:03d}.png")
        if defective and shot.mask is not None:
            _save(shot.mask.astype(np.uint8) * 255, root / "ground_truth" / kind / f"{number:03d}_mask.png")
        rows += _questions(path.relative_to(folder).as_posix(), shot, defective)
    write_file(folder / "questions.json", json.dumps(rows))
    made = len(good) - len(photos.held_good) + len(bad) - len(photos.held_bad)
    return HeldOut(folder, len(good), len(bad), made)


def _taken_again(shots: Sequence[Shot], count: int, rng: np.random.Generator) -> Iterator[Shot]:
    for number in range(count):
        shot = shots[number % len(shots)]
        yield Shot(shot.path, vary(shot.image, rng))


def _questions(image: str, shot: Shot, defective: bool) -> Iterator[dict[str, Any]]:
    """What is asked about one photo, with the truth as far as it is known."""
    label = "defective" if defective else "good"
    answers: dict[str, Any] = {"presence": label, "leading": label}
    if defective and shot.mask is not None and shot.mask.any():
        answers["location"] = list(cells_of(shot.mask))
    if defective and shot.kind in KINDS:
        answers["type"] = shot.kind
    for kind, answer in answers.items():
        yield {"image": image, "question": ASKED[kind], "answer": answer, "type": kind}


def _save(pixels: np.ndarray, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def _safe(name: str) -> str:
    """A name that is safe as that of a folder, and not "good", which means something."""
    kept = "".join(letter if letter.isalnum() or letter in " -_" else "_" for letter in name).strip()
    return kept if kept and kept.lower() != "good" else f"{kept}_"
