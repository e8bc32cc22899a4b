"""Where batches are inspected: one thread, in which all running batches take turns photo by photo.

Not in the queue of the page's events: there a batch would hold the model's place until its end, and other visitors
would wait for their answers. Nor does it end with the visit that started it.
"""

import queue
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from assistant import UserError
from assistant.batch import FINISHED, RUNNING, STOPPED, Batch
from assistant.batch_report import WRITERS
from assistant.images import load_image
from assistant.web.inspecting import corrections_of, refresh
from assistant.web.picture import draw
from assistant.web.session import Look, Session
from assistant.web.workshop import Workshop

REMEMBERED = 50  # batches whose uploads can still be opened; the page deletes these after some hours anyway


@dataclass(frozen=True)
class Upload:
    """A file as a visitor sent it: where it lies on the server, and what it is called."""

    path: str
    name: str


@dataclass(eq=False)
class Job:
    """A batch being inspected: `files` are those given, `steps` inspects one more each time."""

    batch: Batch
    files: Sequence[Upload]
    steps: Iterator[None]
    began: float = field(default_factory=time.monotonic)
    stopped: bool = False

    def seconds_left(self) -> float | None:
        """An estimate, once there is something to go by."""
        done = len(self.batch.rows)
        return (time.monotonic() - self.began) / done * (len(self.files) - done) if done else None


class BatchLine:
    """Starts, runs and stops batches; one for all visitors."""

    def __init__(self, workshop: Workshop) -> None:
        self.workshop = workshop
        self.jobs: dict[str, Job] = {}  # those running
        self.files: dict[str, Sequence[Upload]] = {}  # of the latest batches
        self._waiting: queue.Queue[Job] = queue.Queue()
        threading.Thread(target=self._work, name="batches", daemon=True).start()

    def start(self, files: Sequence[Upload], session: Session) -> Batch:
        """Begin to inspect files as the visitor's first tab would; gives the batch that fills.

        Raises:
            UserError: no such model or product, or the store cannot be written.
        """
        workshop = self.workshop
        refresh(workshop, session)
        model, product, who = session.model, session.product, session.who
        references, corrections = list(session.references.values()), corrections_of(workshop, session)
        name = "" if product is None else workshop.store.products.get(product).name
        assistant = workshop.assistant(model)
        knows = assistant.product.normals if assistant.product and not references else references
        batch = workshop.batches.create(
            datetime.now(UTC), len(files), product=name, who=who, model=model, weights=workshop.weights(model),
            references=len(knows), corrections=len(corrections.accepted) + len(corrections.defects),
        )  # fmt: skip

        def steps() -> Iterator[None]:
            for file in files:
                try:
                    photo = load_image(file.path)
                    seen = assistant.inspect(photo, references, corrections=corrections)
                except UserError as error:
                    batch.add_failure(file.name, str(error).replace(file.path, file.name))
                else:
                    found = replace(seen, image=file.name)
                    batch.add(found, draw(photo, found, Look()))
                    workshop.store.log.add_verdict(found, product, who)
                yield

        job = self.jobs[batch.about.id] = Job(batch, files, steps())
        self.files[batch.about.id] = files
        while len(self.files) > REMEMBERED:
            del self.files[next(iter(self.files))]
        self._waiting.put(job)
        return batch

    def stop(self, name: str) -> None:
        """End a batch after the photo that is being inspected."""
        if (job := self.jobs.get(name)) is not None:
            job.stopped = True

    def upload(self, name: str, number: int) -> Upload | None:
        """The file of a row, while the server still has it."""
        files = self.files.get(name, ())
        return files[number] if number < len(files) and Path(files[number].path).is_file() else None

    def open(self, name: str) -> Batch:
        """A batch with its reports, unless it is running. Raises UserError where there is none."""
        batch = self.workshop.batches.open(name)
        if name not in self.jobs and batch.about.state == RUNNING:
            _end(batch, "the server was stopped")
        return batch

    def _work(self) -> None:
        while True:
            job = self._waiting.get()
            if (state := _step(job)) is None:
                self._waiting.put(job)
                continue
            _end(job.batch, state)
            del self.jobs[job.batch.about.id]


def _step(job: Job) -> str | None:
    """Inspect one more photo; how the batch ended, None while it goes on."""
    if job.stopped:
        return STOPPED
    try:
        next(job.steps)
        return None
    except StopIteration:
        return FINISHED
    except UserError as error:  # nothing can be written any more
        return str(error)
    except Exception as error:  # a fault of ours ends this batch, not the thread that all others need
        traceback.print_exc()
        return f"internal failure ({type(error).__name__})"


def _end(batch: Batch, state: str) -> None:
    """Note how a batch ended, and write its reports."""
    try:
        batch.end(state)
        for ending, write in WRITERS.items():
            write(batch, batch.folder / f"report.{ending}")
    except UserError as error:  # a full disk: what was written before is there
        print(f"batch {batch.about.id}: {error}", file=sys.stderr, flush=True)
    except Exception:  # a fault of ours, which must not end the thread that all batches need
        traceback.print_exc()
