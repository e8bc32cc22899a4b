"""Stages one after the other: a finished one is skipped, an interrupted one goes on."""

import dataclasses
import hashlib
import json
import shutil
import sys
from pathlib import Path
from typing import Any

from accelerate import PartialState

from assistant import UserError
from training.config import RecipeConfig, StageConfig

MARK = "stage.json"  # in a stage's output: its settings, what it was built on, and whether it is finished
PACE = ("max_steps", "max_minutes", "save_steps", "workers", "resume")  # a changed pace continues the same training


def run_recipe(config: RecipeConfig) -> None:
    """Train the stages in turn.

    A stage is skipped when its output was finished with the same settings upon the same stages before. One that was
    interrupted, or is given more time, goes on; what was built upon an older stage before it starts anew.

    Raises:
        UserError: an output holds a training with other settings, which would be lost.
    """
    from training import run

    if not all(stage.resume for stage in config.stages):
        for stage in config.stages:
            _forget(stage)
    before = ""  # tells one history of the stages before from another
    for number, (name, stage) in enumerate(zip(config.presets, config.stages, strict=True), 1):
        settings = json.loads(json.dumps(dataclasses.asdict(stage)))
        history = hashlib.sha256(json.dumps([before, settings]).encode()).hexdigest()
        mark = _read_mark(stage)
        PartialState().wait_for_everyone()  # all have read before one writes
        title = f"stage {number} of {len(config.stages)}, {name}"
        if mark == {"settings": settings, "before": before, "finished": True}:
            _tell(f"{title}: finished before, in {stage.output}")
        else:
            _check_same(stage, mark, settings)
            if mark is not None and mark["before"] != before:
                _forget(stage)
            _tell(f"{title}: up to {stage.max_minutes:g} minutes, into {stage.output}")
            _write_mark(stage, settings, before, finished=False)
            run(stage)
            _write_mark(stage, settings, before, finished=True)
        before = history


def _tell(text: str) -> None:
    if PartialState().is_main_process:
        print(text, file=sys.stderr, flush=True)


def _check_same(stage: StageConfig, mark: dict[str, Any] | None, settings: dict[str, Any]) -> None:
    """Refuse to go on with another training than the one that lies there."""
    then = settings if mark is None else mark["settings"]
    changed = [key for key in settings if key not in PACE and settings[key] != then.get(key)]
    if changed:
        raise UserError(
            f"{stage.output} was trained with {changed[0]}={then.get(changed[0])}, not {settings[changed[0]]}",
            "give another output=FOLDER, or resume=false to start all stages anew",
        )


def _forget(stage: StageConfig) -> None:
    """Remove the mark and the checkpoints, so that nothing of them is continued."""
    if PartialState().is_main_process:
        (Path(stage.output) / MARK).unlink(missing_ok=True)
        shutil.rmtree(Path(stage.output) / "checkpoints", ignore_errors=True)
    PartialState().wait_for_everyone()


def _read_mark(stage: StageConfig) -> dict[str, Any] | None:
    """What the output says of its training; None where it says nothing."""
    path = Path(stage.output) / MARK
    if not path.is_file():
        return None
    try:
        mark: dict[str, Any] = json.loads(path.read_text())
        return {"settings": dict(mark["settings"]), "before": mark["before"], "finished": mark["finished"]}
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path} is damaged", "give another output=FOLDER, or resume=false to start anew") from error


def _write_mark(stage: StageConfig, settings: dict[str, Any], before: str, finished: bool) -> None:
    PartialState().wait_for_everyone()  # finished is what all have finished
    if not PartialState().is_main_process:
        return
    path = Path(stage.output) / MARK
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".part")
    beside.write_text(json.dumps({"settings": settings, "before": before, "finished": finished}, indent=2) + "\n")
    beside.replace(path)
