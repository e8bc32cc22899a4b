"""The checkpoints of a run: each is finished or absent, and the last good one outlives whatever comes after it."""

import json
import os
import shutil
from pathlib import Path

MINUTES = "minutes.json"
KEPT = 2


class Checkpoints:
    """The finished checkpoints `checkpoint-STEP` in a folder; what is being written lies under `unfinished`.

    transformers writes in place, counts a half-written folder among the ones it keeps, and deletes older ones before
    our own last file is there; a kill at the wrong moment could leave no usable checkpoint. Here a checkpoint gets
    its name by one rename when all of its files are on the disk, and only then an older one goes.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.unfinished = folder, folder / "unfinished"

    def newest(self) -> Path | None:
        """The finished checkpoint with the most steps; None where there is none."""
        finished = [path.parent for path in self.folder.glob(f"checkpoint-*/{MINUTES}")]
        return max(finished, key=_step, default=None)

    def clean(self) -> None:
        """Remove what was cut off."""
        shutil.rmtree(self.unfinished, ignore_errors=True)
        for path in self.folder.glob("checkpoint-*"):
            if not (path / MINUTES).is_file():
                shutil.rmtree(path)

    def finish(self, step: int, minutes: float) -> None:
        """Give the written checkpoint of `step` its name, then remove all but the newest ones.

        Those of more steps are of a run that was abandoned with `resume=false`.
        """
        written, final = self.unfinished / f"checkpoint-{step}", self.folder / f"checkpoint-{step}"
        (written / MINUTES).write_text(json.dumps(minutes))
        for path in written.rglob("*"):
            if path.is_file():
                with path.open("rb") as file:
                    os.fsync(file.fileno())  # or the new name could reach the disk before the content does
        if final.exists():
            final.rename(self.unfinished / "replaced")
        written.rename(final)
        shutil.rmtree(self.unfinished)
        steps = sorted(map(_step, self.folder.glob("checkpoint-*")))
        kept = [number for number in steps if number <= step][-KEPT:]
        for number in set(steps).difference(kept):
            old = self.folder / f"checkpoint-{number}"
            (old / MINUTES).unlink()  # first: half-removed, it must not look finished
            shutil.rmtree(old)


def minutes_of(checkpoint: Path) -> float:
    """Minutes of training up to a checkpoint, over all runs."""
    return float(json.loads((checkpoint / MINUTES).read_text()))


def _step(checkpoint: Path) -> int:
    return int(checkpoint.name.removeprefix("checkpoint-"))
