"""Detection over several draws of the references: the mean over seeds, and how sure it is."""

import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assistant.evaluation.detection import METRICS, evaluate_detection
from assistant.evaluation.detection_report import write_seeds_report
from assistant.evaluation.metrics import interval, mean
from assistant.evaluation.processes import Processes
from assistant.evaluation.results import model_key, remark, write_file
from assistant.report import make_folder

if TYPE_CHECKING:
    from assistant.assistant import Assistant


def evaluate_seeds(
    data: str | Path,
    shots: int,
    seeds: Sequence[int],
    model: str,
    out: str | Path,
    assistant: "Assistant | None" = None,
) -> dict[str, Any]:
    """Run `evaluate_detection` once per seed, each into `out/seed_S`, and write the means to `out/metrics.json` and
    `out/report.html`.

    A run that was interrupted goes on with the seed it was at. Two seeds that draw the same references are not
    independent; with no references at all every seed gives the same.

    Returns:
        As `evaluate_detection`, each metric averaged over the seeds, and "interval" with the same "mean" and
        "categories": per metric [low, high], Student's t at 95 %, or None where a seed has no value.
    """
    out, key = make_folder(Path(out)), model_key(model)
    again = (out / "metrics.json").exists()  # a finished run is measured anew
    reports = []
    for seed in seeds:
        folder = out / f"seed_{seed}"
        settings = {"data": str(Path(data).resolve()), "shots": shots, "seed": seed, "model": key}
        report = None if again or assistant else _finished(folder / "metrics.json", settings)
        reports.append(report or evaluate_detection(data, shots, seed, model, folder, assistant))
    if not Processes.join().first:
        return {}
    command = ["anomaly-assistant", "evaluate", "detection", "--data", str(data), "--shots", str(shots)]
    command += ["--seed", ",".join(map(str, seeds)), "--model", model, "--out", str(out)]
    overall = [report["mean"] for report in reports]
    each = {name: [report["categories"][name] for report in reports] for name in reports[0]["categories"]}
    report = {
        "mean": _means(overall),
        "categories": {name: _means(results) for name, results in each.items()},
        "interval": {
            "mean": _intervals(overall),
            "categories": {name: _intervals(results) for name, results in each.items()},
        },
        "settings": {"data": str(Path(data).resolve()), "shots": shots, "seeds": list(seeds), "model": key},
        "skipped": sorted({path for report in reports for path in report["skipped"]}),
        "leaks": reports[0]["leaks"],  # the same test photos and model for every seed
        "provenance": reports[0]["provenance"] | {"command": shlex.join(command), "seed": list(seeds)},
    }
    write_seeds_report(out / "report.html", report)
    write_file(out / "metrics.json", json.dumps(report, indent=2) + "\n")
    return report


def _finished(path: Path, settings: dict[str, Any]) -> dict[str, Any] | None:
    """The report of a seed that an interrupted run had finished, if it is of the same settings."""
    if not path.is_file():
        return None
    report: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if report["settings"] != settings or set(report["mean"]) != set(METRICS):
        return None
    remark(f"seed {settings['seed']}: measured before the interruption")
    return report


def _means(results: Sequence[dict[str, float | None]]) -> dict[str, float | None]:
    return {name: mean([result[name] for result in results]) for name in METRICS}


def _intervals(results: Sequence[dict[str, float | None]]) -> dict[str, list[float] | None]:
    found = {name: interval([result[name] for result in results]) for name in METRICS}
    return {name: list(bounds[1:]) if bounds else None for name, bounds in found.items()}
