"""Fine-tuning beside the page: `train custom` in a process of its own, watched through its log and its files.

MODELS/NAME/taught.json          of which product, by whom, how it was started and how it ended
MODELS/NAME/photos/PRODUCT/      what it learns from, as `export_feedback` writes it
MODELS/NAME/log.txt, report.html, before_after.json, model/    as `train custom` leaves them
"""

import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import assistant
from assistant import UserError
from assistant.evaluation.results import write_file
from assistant.store.export import export_feedback
from assistant.web.workshop import TAUGHT, Workshop

RUNNING, ACCEPTED, REFUSED, STOPPED, FAILED = "running", "accepted", "refused", "stopped", "failed"
PATIENCE = 10  # seconds between asking the process to end and ending it
LEAST_GOOD = 5  # as `train custom` wants
# What the log says at the beginning of a step, what that is in words, and the share of the time gone by then.
STEPS = (
    ("", "Opening the model", 0.0),
    ("breaking good photos", "Breaking good photos, to learn what a defect looks like", 0.03),
    ("the model before", "Judging the same photos by the model before", 0.13),
    ("inspecting", "Inspecting what the answers will be about", 0.2),
    ("Loading weights", "Teaching the language model", 0.34),
    ("Writing model shards", "Measuring the model before", 0.7),
    ("Loading weights", "Measuring the answers of the model before", 0.74),
    ("photo/s", "Measuring the new model", 0.82),
    ("Loading weights", "Measuring the answers of the new model", 0.86),
    ("report: ", "Done", 1.0),
)
STAYS = re.compile(r"the model before stays, for (.*?): read ")
BAR = re.compile(r"(\d+)%\||([\d.]+) of ([\d.]+) min")
AT_ONCE = ("Loading weights", "Writing model shards")  # their own bars say nothing of the step that begins with them


@dataclass(frozen=True)
class Taught:
    """How a training was started, and its `state`; `product` is the number, `reason` why it was refused or failed."""

    product: int
    product_name: str
    init: str
    minutes: float
    who: str
    started: str
    state: str = RUNNING
    reason: str = ""
    seconds: float = 0.0


class Trainings:
    """The trainings of one server; one runs at a time, for it takes what the machine has."""

    def __init__(self, workshop: Workshop) -> None:
        self.workshop = workshop
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._name, self._began, self._stopping = "", 0.0, False

    @property
    def running(self) -> str:
        """The name of the model that is being taught, empty for none."""
        return self._name

    def folder(self, name: str) -> Path:
        return self.workshop.trained / name

    def start(self, product: int, init: str, minutes: float, who: str) -> str:
        """Teach a model a product's photos and corrections; gives the name it will have.

        Started again for the same product it goes on where it was interrupted, or else tries to be better than the
        model that is there.

        Raises:
            UserError: another one runs, the product has too few photos, or the disk is full.
        """
        stored = self.workshop.store.products.get(product)
        if len(stored.normals) < LEAST_GOOD:
            raise UserError(
                f"{stored.name} has {len(stored.normals)} photos of good parts, and at least {LEAST_GOOD} are needed",
                "add more below; with 20 the model gets surer",
            )
        source, name = self.workshop.source(init), self.name_for(product)
        with self._lock:
            if self._name:
                raise UserError(f"{self._name} is being taught", "wait until it is done, or stop it")
            try:
                began = datetime.now(UTC).isoformat(timespec="seconds")
                taught = Taught(product, stored.name, init, minutes, who, began)
                self._process = self._begin(name, source, taught)
            except OSError as error:
                raise UserError(f"training cannot start ({error.strerror})", "check the disk and its space") from error
            self._name, self._began, self._stopping = name, time.monotonic(), False
        threading.Thread(target=self._wait, name="training", daemon=True).start()
        return name

    def stop(self) -> None:
        """End the training that runs; started again, it goes on from its last checkpoint."""
        with self._lock:
            self._stopping = bool(self._name)
            if self._process is not None:
                self._process.terminate()

    def must_be_free(self, name: str) -> None:
        """Raises UserError for a model that cannot be deleted: not trained here, or a training needs it."""
        if name not in self.workshop.own:
            raise UserError(f"{name} was not trained here, so it cannot be deleted", "choose one that was")
        running = self.taught(self._name) if self._name else None
        if running is not None and name in (self._name, running.init):
            raise UserError(f"{name} is needed by the training that runs", "wait until it is done, or stop it")

    def delete(self, name: str, who: str) -> None:
        """Delete a model that was trained here, with its report and log; the audit log keeps that it was there.

        Raises:
            UserError: as `must_be_free`, or the disk does not let go of it.
        """
        with self._lock:
            self.must_be_free(name)
            before, store = self.taught(name), self.workshop.store
            with store.database.write() as transaction:
                store.log.add(transaction, "model deleted", before.product if before else None, who, model=name)
                self.workshop.delete(name)

    def taught(self, name: str) -> Taught | None:
        """How a training was started and where it stands; None where there was none."""
        try:
            found = Taught(**json.loads((self.folder(name) / TAUGHT).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None
        if found.state == RUNNING and name != self._name:
            return replace(found, state=STOPPED, reason="the server was stopped meanwhile")
        return found

    def progress(self, name: str) -> tuple[float, str, float]:
        """Of the running training: the share done in [0, 1], what it is doing, and the seconds so far."""
        log, step = self.log(name), 0
        for mark, *_ in STEPS[1:]:
            _, found, rest = log.partition(mark)
            if not found:
                break
            log, step = rest, step + 1
        mark, words, share = STEPS[step]
        if mark in AT_ONCE:
            log = log.partition("\n")[2]
        if step + 1 < len(STEPS) and (bars := BAR.findall(log)):
            percent, used, planned = bars[-1]
            part = int(percent) / 100 if percent else min(1.0, float(used) / max(0.01, float(planned)))
            share += part * (STEPS[step + 1][2] - share)
        return share, words, time.monotonic() - self._began

    def log(self, name: str) -> str:
        """What the process has said, a bar's last state only."""
        path = self.folder(name) / "log.txt"
        if not path.is_file():
            return ""
        text = path.read_bytes()[-200_000:].decode(errors="replace")
        return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))

    def name_for(self, product: int) -> str:
        """The name of a product's model: the one it has, or its own name made plain, with its number if it is taken."""
        for path in sorted(self.workshop.trained.glob("*")):
            if (found := self.taught(path.name)) is not None and found.product == product:
                return path.name
        name = _plain(self.workshop.store.products.get(product).name)
        taken = name in ("tiny", self.workshop.default) or self.folder(name).exists()
        return f"{name}-{product}" if taken else name

    def _begin(self, name: str, source: str, taught: Taught) -> "subprocess.Popen[bytes]":
        """The process, with its photos and its log in the model's folder."""
        folder = self.folder(name)
        photos = folder / "photos" / _plain(taught.product_name)
        shutil.rmtree(folder / "photos", ignore_errors=True)
        photos.parent.mkdir(parents=True)
        export_feedback(self.workshop.store, taught.product, photos)
        self._write(name, taught)
        command = [
            sys.executable, "-m", "assistant.web.tethered", "train", "custom", f"data.root={photos}",
            f"output={folder}", f"init={source}", f"max_minutes={taught.minutes:g}",
        ]  # fmt: skip
        root = str(Path(assistant.__file__).resolve().parent.parent)
        known = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH", "")]))
        with (folder / "log.txt").open("wb") as log:
            return subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=log, stderr=log, env=os.environ | {"PYTHONPATH": known}
            )

    def _wait(self) -> None:
        process, name = self._process, self._name
        assert process is not None
        while (code := process.poll()) is None:
            time.sleep(0.5)
            if self._stopping:
                try:
                    code = process.wait(PATIENCE)
                except subprocess.TimeoutExpired:
                    process.kill()
                    code = process.wait()
                break
        if process.stdin is not None:
            process.stdin.close()
        try:
            self._note_end(name, code)
        finally:  # even on a full disk another training may be started
            with self._lock:
                self._process, self._name = None, ""

    def _note_end(self, name: str, code: int) -> None:
        """How it ended, beside the model and in the audit log."""
        before = self.taught(name)
        assert before is not None
        state, reason = self._outcome(name, code)
        self._write(name, replace(before, state=state, reason=reason, seconds=round(time.monotonic() - self._began, 1)))
        store = self.workshop.store
        with store.database.write() as transaction:
            store.log.add(transaction, f"training {state}", before.product, before.who, model=name, init=before.init)

    def _outcome(self, name: str, code: int) -> tuple[str, str]:
        if code == 0:
            return ACCEPTED, ""
        if self._stopping:
            return STOPPED, ""
        said = [line for line in self.log(name).splitlines() if ": error: " in line]
        reason = said[-1].partition(": error: ")[2] if said else f"the training ended with code {code}"
        if (found := STAYS.match(reason)) is not None:
            return REFUSED, found[1]
        return FAILED, reason.replace(f"{self.folder(name)}{os.sep}", "")

    def _write(self, name: str, taught: Taught) -> None:
        write_file(self.folder(name) / TAUGHT, json.dumps(asdict(taught), indent=2) + "\n")


def _plain(name: str) -> str:
    """A product's name as that of a folder on any system, and of a model: letters, digits, single dashes."""
    kept = "".join(c if c.isalnum() and c.isascii() else "-" for c in name.lower())
    return re.sub(r"-+", "-", kept).strip("-")[:60] or "product"
