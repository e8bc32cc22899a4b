"""`run.json`: what a checkpoint was made from, and with what."""

import dataclasses
import hashlib
import json
import os
import platform
import subprocess
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import torch

from assistant import __version__
from training.config import StageConfig

FILE = "run.json"
PACKAGES = (
    "accelerate",
    "bitsandbytes",
    "numpy",
    "peft",
    "pillow",
    "safetensors",
    "tokenizers",
    "torch",
    "transformers",
)
OURS = {"checkpoints", "logs", "unfinished"}  # what training itself leaves beside the weights
NOT_READ = {"stage", "output"}
LOSSES = 5


def start_record(config: StageConfig, processes: int, resumed: bool) -> None:
    """Write `run.json` into the output folder; a resumed run keeps its first start and counts.

    The inputs are the files behind every setting that names a file or folder: one digest for each of these.
    """
    path = Path(config.output) / FILE
    before = json.loads(path.read_text()) if resumed and path.is_file() else {}
    settings = dataclasses.asdict(config)
    _write(path, {
        "stage": config.stage,
        "config": settings,
        "seed": config.seed,
        "version": __version__,
        "commit": commit(),
        "versions": {"python": platform.python_version()} | {name: _version(name) for name in PACKAGES},
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
        "processes": processes,
        "inputs": {
            name: {str(one): digest(Path(one)) for one in _paths(value)}
            for name, value in _flat(settings) if name not in NOT_READ and _paths(value)
        },
        "started": before.get("started", _now()),
        "ended": None,
        "resumed": before.get("resumed", 0) + 1 if resumed else 0,
    })  # fmt: skip


def end_record(output: str, steps: int, minutes: float, history: Sequence[dict[str, float]]) -> None:
    """Add what came of it: steps, minutes of training over all runs, and the last of the logged losses."""
    path = Path(output) / FILE
    losses = [{"step": entry["step"], "loss": entry["loss"]} for entry in history if "loss" in entry]
    outcome = {"ended": _now(), "steps": steps, "minutes": round(minutes, 2), "losses": losses[-LOSSES:]}
    _write(path, json.loads(path.read_text()) | outcome)


def digest(path: Path) -> dict[str, Any]:
    """`{"files": N, "sha256": ...}` over the names, sizes and contents of a file or of all files below a folder."""
    files = [path]
    if path.is_dir():
        below = sorted(path.rglob("*"))
        files = [p for p in below if p.is_file() and not OURS.intersection(p.relative_to(path).parts)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        contents = list(pool.map(_content, files))
    total = hashlib.sha256()
    for file, content in zip(files, contents, strict=True):
        total.update(f"{file.relative_to(path).as_posix()}\0{file.stat().st_size}\0{content}\n".encode())
    return {"files": len(files), "sha256": total.hexdigest()}


def commit() -> str | None:
    """The git commit of this code, ending in `-dirty` when files differ from it; None for an installed package."""
    here = Path(__file__).resolve()
    git = ["git", "-C", str(here.parent)]
    try:
        # Not the commit of a project that merely has our package installed somewhere inside.
        subprocess.run([*git, "ls-files", "--error-unmatch", here.name], check=True, capture_output=True)
        found = subprocess.run(
            [*git, "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
    except (OSError, subprocess.CalledProcessError):
        return None
    return found.stdout.strip()


def _flat(settings: dict[str, Any], section: str = "") -> Iterator[tuple[str, Any]]:
    """Every setting under the name by which the command line sets it."""
    for name, value in settings.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{section}{name}.")
        else:
            yield f"{section}{name}", value


def _paths(value: Any) -> list[str]:
    words = [value] if isinstance(value, str) else value if isinstance(value, tuple) else []
    return [word for word in words if isinstance(word, str) and os.path.exists(word)]


def _content(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:  # bitsandbytes is for Linux alone
        return None


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _write(path: Path, record: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".part")
    try:
        beside.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        beside.rename(path)
    finally:
        beside.unlink(missing_ok=True)
