"""Shards made by processes of this machine, one core each; what is written does not depend on how many."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import Any

import cv2

from assistant import UserError
from data_gen.plan import Plan
from data_gen.shards import write_shard

POLL = 0.5  # seconds between looks at how many samples there are
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")  # read by a library when it is loaded


class Stopped(Exception):
    """The parent has called the work off."""


class Pool:
    """Processes that come up once, and count their samples where the parent can see it."""

    def __init__(self, workers: int) -> None:
        context = get_context("spawn")  # a fork of a process with threads (cv2, pyarrow) may hang
        self._made, self._stop = context.Value("q", 0), context.Event()
        self.workers = workers
        self._executor = ProcessPoolExecutor(workers, context, _begin, (self._made, self._stop))

    def map(self, function: Callable[[str], Any], names: Iterable[str]) -> Iterator[Any]:
        """As the built-in `map`, in order."""
        return self._executor.map(function, names, chunksize=8)

    def write_shards(self, plan: Plan, folder: Path, shards: Sequence[int], progress: Callable[[int], None]) -> None:
        """Write shards of a plan; `progress` is told now and then how many more samples there are.

        Raises:
            UserError: a process was killed from outside.
            OSError: a shard cannot be written.
        """
        seen, waiting = self._made.value, list(reversed(shards))
        running: set[Future[None]] = set()
        try:
            while waiting or running:
                while waiting and len(running) < 2 * self.workers:  # not all at once: a plan travels with each
                    running.add(self._executor.submit(_work, plan, folder, waiting.pop()))
                done, running = wait(running, POLL, FIRST_COMPLETED)
                made = self._made.value
                progress(made - seen)
                seen = made
                for future in done:
                    future.result()
        except BrokenProcessPool as error:
            raise UserError(
                "a worker process was killed, perhaps for want of memory", "use fewer --workers, and run the same again"
            ) from error
        progress(self._made.value - seen)

    def close(self) -> None:
        """Stop after the samples now being made."""
        self._stop.set()
        self._executor.shutdown(cancel_futures=True)


_counter: Any = None
_called_off: Any = None


def _begin(made: Any, stop: Any) -> None:
    """Set up a worker process."""
    global _counter, _called_off
    _counter, _called_off = made, stop
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent too, which stops us in good order
    cv2.setNumThreads(1)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Never outlive a parent that was killed and could not call the work off."""
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _work(plan: Plan, folder: Path, shard: int) -> None:
    write_shard(plan, folder, shard, _tick)


def _tick() -> None:
    with _counter.get_lock():
        _counter.value += 1
    if _called_off.is_set():
        raise Stopped


@contextmanager
def open_pool(workers: int) -> Iterator[Pool]:
    """A pool whose processes compute on one core each.

    Also for one worker: in this process, the linear algebra of numpy may use more threads and then sums in another
    order.
    """
    before = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(dict.fromkeys(THREADS, "1"))  # processes inherit it
    pool = Pool(workers)
    try:
        yield pool
    finally:
        pool.close()
        for name, value in before.items():
            if value is None:
                os.environ.pop(name)
            else:
                os.environ[name] = value
