"""Files are finished or absent, and what a full disk or a full memory does is said in one line."""

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import torch
from safetensors import SafetensorError

from assistant import UserError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
# How the two libraries that write weights word it: neither raises an OSError.
_WRITING = ("No space left on device", "File too large", "Disk quota exceeded", "inline_container.cc")


@contextlib.contextmanager
def finished(folder: str | Path) -> Iterator[Path]:
    """A folder beside the final place; what is written there moves into `folder` at the end, or not at all."""
    target = Path(folder)
    beside = target / "unfinished"
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    try:
        yield beside
        for path in beside.iterdir():
            if path.is_dir():
                shutil.rmtree(target / path.name, ignore_errors=True)
            os.replace(path, target / path.name)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


@contextlib.contextmanager
def told(output: str) -> Iterator[None]:
    """Turns what is no fault of the program into a `UserError`: a full disk, a full memory, a row that a worker
    could not read."""
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise UserError(
            "the GPU's memory is full", "lower batch_size and raise accumulation, or set gradient_checkpointing=true"
        ) from error
    except (OSError, RuntimeError, SafetensorError) as error:
        if disk_full(error):
            raise UserError(
                f"{output} cannot be written, its disk is full",
                "free some space and run the same command again; it goes on from the last checkpoint",
            ) from error
        if "UserError in DataLoader worker" in str(error):  # rebuilt from its traceback as text
            what, _, how = str(error).strip().splitlines()[-1].removeprefix("assistant.UserError: ").rpartition(": ")
            raise UserError(what, how) from error
        raise


def disk_full(error: BaseException) -> bool:
    """Whether the error, or the one that it came from, says that the disk (or a quota or limit) has no room left."""
    if isinstance(error, OSError):
        return error.errno in _FULL
    return isinstance(error, RuntimeError | SafetensorError) and any(words in str(error) for words in _WRITING)
