"""Result files that are finished or absent, and the name under which unfinished work may be taken up again."""

import hashlib
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import assistant
from assistant import UserError, __version__

CHECKPOINTS = Path(assistant.__file__).parent / "checkpoints"


def write_file(path: Path, text: str | Iterable[str]) -> None:
    """Write beside the place, then rename, so that a reader never sees half of it.

    Args:
        text: the whole of it, or one part after the other where it is not to be in memory at once.

    Raises:
        UserError: the file cannot be written.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        try:
            with beside.open("w", encoding="utf-8", newline="") as file:
                file.writelines([text] if isinstance(text, str) else text)
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        why = error.strerror or str(error)
        raise UserError(f"{path} cannot be written ({why})", "free some space or choose another folder") from error


def model_key(model: str) -> str:
    """The model's name with a mark of its files, such that results of a retrained model are not mixed with old ones.

    The mark is made of names, sizes and times of the checkpoint's files; a hub id, whose files are
    elsewhere, has its name alone.
    """
    folder = next((path for path in (CHECKPOINTS / model, Path(model)) if path.is_dir()), None)
    if folder is None:
        return f"{model} {__version__}"
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        about = path.stat()
        digest.update(f"{path.relative_to(folder)} {about.st_size} {about.st_mtime_ns}\n".encode())
    return f"{model} {__version__} {digest.hexdigest()[:12]}"


def remark(text: str) -> None:
    """One line on stderr that a progress bar does not overwrite."""
    from tqdm import tqdm

    tqdm.write(text, file=sys.stderr)


def progress(total: int, unit: str) -> Any:
    """A progress bar with an estimate on stderr, as a context manager with `update`."""
    from tqdm import tqdm

    # Where nobody watches a terminal, a line every half minute rather than ten a second.
    return tqdm(total=total, file=sys.stderr, unit=unit, mininterval=0.1 if sys.stderr.isatty() else 30)
