"""A batch on disk: what was found on many photos, written photo by photo, so that nothing made is lost.

FOLDER/about.json             what it was made with, and how it ended
FOLDER/results.jsonl          a line a photo, as soon as it was inspected
FOLDER/small/, FOLDER/large/  overlays for a table and for a screen
"""

import contextlib
import json
import re
import secrets
import shutil
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

from PIL import Image

from assistant import UserError
from assistant.evaluation.results import write_file
from assistant.inspection import Inspection, Region

FAILED = "failed"  # stands where the verdict does, for a file that could not be inspected
RUNNING, FINISHED, STOPPED = "running", "finished", "stopped"
SMALL, LARGE = 128, 1000  # pixels of an overlay's longer side: 3 and 100 kB
ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{6}")  # sorts by time
KEPT = 4  # batches that are open: turning a page must not read five thousand lines again


@dataclass(frozen=True)
class About:
    """What a batch was made with.

    `started` is UTC, ISO 8601; `photos` how many were given; `product` a name, empty without one; `weights` the digest
    of the model's weights, None where they are not on this machine; `references` and `corrections` are counts; `state`
    is one of RUNNING, FINISHED, STOPPED or says why the batch ended early.
    """

    id: str
    started: str
    photos: int
    product: str
    who: str
    model: str
    weights: str | None
    references: int
    corrections: int
    state: str = RUNNING


@dataclass(frozen=True)
class Row:
    """What a table shows of a photo: `verdict` may be FAILED, then `found` is the reason and `probability` None."""

    number: int
    image: str
    verdict: str
    probability: float | None
    found: str

    @classmethod
    def of(cls, number: int, record: dict[str, Any]) -> "Row":
        if "error" in record:
            return cls(number, record["image"], FAILED, None, record["error"])
        regions = [f"{r['severity']} {r['type'] or 'anomaly'}, {r['position']}" for r in record["regions"]]
        return cls(number, record["image"], record["verdict"], record["probability"], "; ".join(regions))


class Batch:
    """One batch: whoever makes it adds, any thread may read what is there so far."""

    def __init__(self, folder: Path, about: About) -> None:
        self.folder, self.about = folder, about
        self.rows: list[Row] = [Row.of(number, record) for number, record in enumerate(self.records())]

    def add(self, inspection: Inspection, picture: Image.Image) -> None:
        """Keep what was found on a photo, with a picture of it.

        Raises:
            UserError: nothing can be written any more.
        """
        picture = picture.convert("RGB")
        with _told(self.folder):
            for small, side in ((False, LARGE), (True, SMALL)):
                picture.thumbnail((side, side), Image.Resampling.LANCZOS)
                picture.save(self.picture(len(self.rows), small), "JPEG", quality=80)
        self._append(inspection.to_json())

    def add_failure(self, name: str, reason: str) -> None:
        """Keep why a file could not be inspected."""
        self._append({"image": name, "error": reason})

    def end(self, state: str) -> None:
        """Note how it ended."""
        self.about = replace(self.about, state=state)
        write_file(self.folder / "about.json", json.dumps(asdict(self.about), indent=2) + "\n")

    def picture(self, number: int, small: bool = False) -> Path:
        """Where the overlay of a photo lies; there is none for a failure."""
        return self.folder / ("small" if small else "large") / f"{number:05d}.jpg"

    def records(self) -> Iterator[dict[str, Any]]:
        """The lines on disk: `Inspection.to_json`, or `image` and `error`."""
        path = self.folder / "results.jsonl"
        if not path.exists():
            return
        with path.open(encoding="utf-8") as file:
            for line in file:
                if line.endswith("\n"):  # else torn off by a kill
                    yield json.loads(line)

    def record(self, number: int) -> dict[str, Any]:
        """The line of one photo."""
        return next(record for other, record in enumerate(self.records()) if other == number)

    def inspection(self, number: int) -> Inspection:
        """What was found on the photo of a row that is no failure, without its map."""
        values = self.record(number)
        regions = tuple(Region(**r | {"box": tuple(r["box"]), "cells": tuple(r["cells"])}) for r in values["regions"])
        made_of = {"size": tuple(values["size"]), "regions": regions, "notes": tuple(values["notes"]), "area": None}
        return Inspection(**values | made_of)

    def counts(self) -> Counter[str]:
        """How many photos have which verdict."""
        return Counter(row.verdict for row in list(self.rows))

    def _append(self, record: dict[str, Any]) -> None:
        with _told(self.folder), (self.folder / "results.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(record, ensure_ascii=False) + "\n")
        self.rows.append(Row.of(len(self.rows), record))


class Batches:
    """All batches below a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._open: WeakValueDictionary[str, Batch] = WeakValueDictionary()
        self._recent: deque[Batch] = deque(maxlen=KEPT)

    def create(self, started: datetime, photos: int, **made_with: Any) -> Batch:
        """A new batch. Raises UserError where the folder cannot be written."""
        name = f"{started:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
        about = About(name, started.isoformat(timespec="seconds"), photos, **made_with)
        folder = self.root / name
        with _told(self.root):
            for part in ("small", "large"):
                (folder / part).mkdir(parents=True, mode=0o700)
        batch = self._open[name] = Batch(folder, about)
        batch.end(RUNNING)
        return batch

    def open(self, name: str) -> Batch:
        """A batch by its name. Raises UserError where there is none."""
        if (batch := self._open.get(name)) is None:
            if not ID.fullmatch(name) or (about := self._about(name)) is None:
                raise UserError("there is no such batch", "reload the list of batches; someone may have deleted it")
            batch = self._open[name] = Batch(self.root / name, about)
        self._recent.append(batch)
        return batch

    def list(self) -> list[About]:
        """All batches, the newest first."""
        names = sorted((path.name for path in self.root.glob("*") if ID.fullmatch(path.name)), reverse=True)
        return [about for name in names if (about := self._about(name)) is not None]

    def remove(self, name: str) -> None:
        """Delete a batch with its pictures; the audit log keeps its verdicts."""
        shutil.rmtree(self.open(name).folder, ignore_errors=True)
        self._recent = deque((batch for batch in self._recent if batch.about.id != name), KEPT)
        self._open.pop(name, None)

    def _about(self, name: str) -> About | None:
        try:
            return About(**json.loads((self.root / name / "about.json").read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None  # begun, and killed before its first line


@contextlib.contextmanager
def _told(folder: Path) -> Iterator[None]:
    """Trouble with the disk becomes one line."""
    try:
        yield
    except OSError as error:
        why = error.strerror or str(error)
        raise UserError(f"{folder} cannot be written ({why})", "free some space and try again") from error
