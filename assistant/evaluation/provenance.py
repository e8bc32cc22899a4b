"""What one has to know to get the same figures once more: files by their content, versions, command, date."""

import hashlib
import platform
import shlex
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from assistant import __version__
from assistant.evaluation.results import CHECKPOINTS, model_key

LIBRARIES = ("torch", "transformers", "peft", "accelerate", "numpy", "scipy", "pillow", "safetensors")
WEIGHTS = (".safetensors", ".bin", ".gguf")


def provenance(
    command: Iterable[str], model: str, files: Iterable[Path], root: Path, seed: int | None
) -> dict[str, Any]:
    """The origin of a run's figures, for its `metrics.json`.

    Args:
        command: the words that start the run again.
        model: name, folder or hub id; of a hub id, whose files lie elsewhere, the weights are not hashed.
        files: all that the figures rest on: photos, masks, questions.
        root: folder that contains most of them, as they are named relative to it.
        seed: of the random draws; None where nothing is drawn.
    """
    return {
        "command": shlex.join(command), "date": datetime.now(UTC).isoformat(timespec="seconds"), "seed": seed,
        "model": {"key": model_key(model), "weights": hash_weights(model)}, "data": hash_data(files, root),
        "versions": {"anomaly-assistant": __version__, "python": platform.python_version()} | _versions(),
    }  # fmt: skip


def hash_weights(model: str) -> dict[str, str] | None:
    """File -> SHA-256 of its content, for the weights in a checkpoint folder; None for a hub id."""
    folder = next((path for path in (CHECKPOINTS / model, Path(model)) if path.is_dir()), None)
    if folder is None:
        return None
    paths = sorted(path for path in folder.rglob("*") if path.suffix in WEIGHTS)
    return {path.relative_to(folder).as_posix(): _digest(path) for path in paths}


def hash_data(files: Iterable[Path], root: Path) -> dict[str, Any]:
    """How many files, their bytes, and one SHA-256 over name, size and content of each in the order of names."""
    digest, total, count = hashlib.sha256(), 0, 0
    for name, path in sorted((_name(path, root), path) for path in set(files)):
        size, content = (path.stat().st_size, _digest(path)) if path.is_file() else (-1, "missing")
        digest.update(f"{name}\0{size}\0{content}\n".encode(errors="surrogateescape"))
        total, count = total + max(size, 0), count + 1
    return {"root": str(root), "files": count, "bytes": total, "sha256": digest.hexdigest()}


def _name(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _versions() -> dict[str, str]:
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
