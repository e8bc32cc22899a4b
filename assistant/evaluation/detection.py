"""Detection on labelled photos: image and pixel metrics per category, and their unweighted mean."""

import csv
import io
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from assistant import UserError
from assistant.evaluation import metrics
from assistant.evaluation.cases import Case, CaseKeeper
from assistant.evaluation.categories import Category, find_categories
from assistant.evaluation.detection_report import write_detection_report
from assistant.evaluation.leaks import leak_check, warn_of_leaks
from assistant.evaluation.pixel_histogram import PixelHistogram
from assistant.evaluation.processes import Processes
from assistant.evaluation.provenance import provenance
from assistant.evaluation.results import model_key, progress, remark, write_file
from assistant.images import load_image
from assistant.layouts import Photo, name_below
from assistant.report import make_folder

if TYPE_CHECKING:
    from assistant.assistant import Assistant
    from assistant.inspection import Inspection

METRICS = (
    "image_auroc", "image_ap", "image_f1_max", "pixel_auroc", "pixel_ap", "pixel_f1_max", "pro", "pro_5", "aupimo",
    "accuracy", "balanced_accuracy", "ece", "unsure_rate",
)  # fmt: skip
PIXEL_METRICS: dict[str, tuple[Any, ...]] = {  # a method of `ScoreCounts` and its arguments
    "pixel_auroc": ("auroc",), "pixel_ap": ("average_precision",), "pixel_f1_max": ("f1_max",),
    "pro": ("pro", 0.3), "pro_5": ("pro", 0.05), "aupimo": ("aupimo",),
}  # fmt: skip
COLUMNS = ("path", "category", "label", "probability", "verdict")
DECISIONS = {"good": 0, "defective": 1, "unsure": -1}


@dataclass
class Tally:
    """What is known of one category so far: a row per photo, its pixels, cases to show, and what was remarkable."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    pixels: PixelHistogram = field(default_factory=PixelHistogram)
    cases: CaseKeeper = field(default_factory=CaseKeeper)
    skipped: list[str] = field(default_factory=list)

    def metrics(self) -> dict[str, float | None]:
        labels = [row["label"] for row in self.rows]
        chances = [row["probability"] for row in self.rows]
        decisions = [DECISIONS[row["verdict"]] for row in self.rows]
        pixels = self.pixels.counts()
        unsure = [float(decision == DECISIONS["unsure"]) for decision in decisions]
        values = {
            "image_auroc": metrics.auroc(labels, chances), "image_ap": metrics.average_precision(labels, chances),
            "image_f1_max": metrics.f1_max(labels, chances), "accuracy": metrics.accuracy(labels, decisions),
            "balanced_accuracy": metrics.balanced_accuracy(labels, decisions), "ece": metrics.ece(labels, chances),
            "unsure_rate": metrics.mean(unsure),
        }  # fmt: skip
        values |= {name: getattr(pixels, metric)(*limit) for name, (metric, *limit) in PIXEL_METRICS.items()}
        return {name: values[name] for name in METRICS}

    def errors(self) -> dict[str, float]:
        """How far each pixel metric may be from its exact value; nothing where all are exact."""
        if self.pixels.exact:
            return {}
        return {name: self.pixels.error(metric, *limit) for name, (metric, *limit) in PIXEL_METRICS.items()}


def evaluate_detection(
    data: str | Path, shots: int, seed: int, model: str, out: str | Path, assistant: "Assistant | None" = None
) -> dict[str, Any]:
    """Measure a model on every test photo and write `metrics.json`, `per_image.csv` and `report.html`.

    The references of a category are the first `shots` of `sorted(train/good)` shuffled by
    `random.Random(seed)`. Image scores are the calibrated probabilities. The verdict decides without a
    threshold, and strictly: "unsure" is a wrong decision in `accuracy` and `balanced_accuracy`, whatever
    the label. Pixel metrics are taken on the photos' own grid over all test photos whose mask is known;
    good photos count as empty. Means over categories are unweighted, over those where the metric exists.

    A photo that cannot be read is reported and left out; one that the model was trained on is reported.
    After an interruption the categories that were finished are not measured again, provided the model's
    files are the same.

    Under `accelerate launch` the categories are split over its processes; the result is that of one, and the first
    process alone returns it.

    Args:
        data: folder of categories, or one category, in any layout of `assistant.layouts`.
        model: name, folder or hub id; only a name where `assistant` is given.
        out: folder for the results, made if need be.

    Returns:
        What `metrics.json` holds: {"mean": {...}, "categories": {NAME: {...}}, "errors", "settings", "skipped",
        "leaks", "provenance"}.
        "errors" says how far pixel metrics may be from exact, for categories too large to be counted exactly.
        "leaks" names the test photos among the model's training photos, whose count is None if not known.
        In `per_image.csv`, `path` is relative to `data` and `label` is 1 for defective, 0 for good.

    Raises:
        UserError: no category in `data`, too few references, nothing readable, `out` cannot be written.
    """
    data, out, processes = Path(data), make_folder(Path(out)), Processes.join()
    categories = find_categories(data, shots=shots, seed=seed)
    if processes.first:
        _tell_what_was_read(data, categories)
    settings = {"data": str(data.resolve()), "shots": shots, "seed": seed, "model": model_key(model)}
    kept = None
    if assistant is None:  # of an assistant handed in nobody knows whether it is the same as last time
        from assistant.assistant import Assistant

        assistant, kept = Assistant.from_pretrained(model, language=False), _Kept(out / ".unfinished", settings)
    mine = _evaluate_all(processes.share(categories), data, assistant, kept)
    results = dict(processes.gather(list(mine.items())))
    if not processes.first:
        return {}
    command = ["anomaly-assistant", "evaluate", "detection", "--data", str(data), "--shots", str(shots)]
    command += ["--seed", str(seed), "--model", model, "--out", str(out)]
    origin = provenance(command, model, _files(categories), data, seed)
    report = _write(out, results, data, model, assistant.head.calibration.unsure, settings, origin)
    if kept:
        shutil.rmtree(kept.folder, ignore_errors=True)
    return report


def _tell_what_was_read(data: Path, categories: Sequence[Category]) -> None:
    """A folder that was read otherwise than meant shows in these numbers."""
    tests = [photo for category in categories for photo in category.tests]
    bad = sum(photo.defective for photo in tests)
    products = f"{len(categories)} {'category' if len(categories) == 1 else 'categories'}"
    remark(f"{data}: {products}, {len(tests) - bad} good and {bad} defective test photos")


def _write(
    out: Path,
    results: dict[str, dict[str, Any]],
    data: Path,
    model: str,
    band: tuple[float, float],
    settings: dict[str, Any],
    origin: dict[str, Any],
) -> dict[str, Any]:
    """Put the categories together into the files of `out`; gives what `metrics.json` holds."""
    rows = [row for result in results.values() for row in result["rows"]]
    skipped = [path for result in results.values() for path in result["skipped"]]
    if not rows:
        raise UserError(f"none of the {len(skipped)} test photos in {data} could be inspected", "see the lines above")
    single = {name: result["metrics"] for name, result in results.items()}
    leaks = leak_check(model, [(row["path"], data / row["path"]) for row in rows])
    report = {
        "mean": {name: metrics.mean([values[name] for values in single.values()]) for name in METRICS},
        "categories": single,
        "errors": {name: result["errors"] for name, result in results.items() if result["errors"]},
        "settings": settings, "skipped": skipped, "leaks": leaks, "provenance": origin,
    }  # fmt: skip
    cases = [Case.from_json(case) for result in results.values() for case in result["cases"]]
    write_file(out / "per_image.csv", _as_csv(rows))
    write_detection_report(out / "report.html", report, rows, cases, band)
    write_file(out / "metrics.json", json.dumps(report, indent=2) + "\n")  # last: it says that all is there
    if skipped:
        remark(f"left out, since not readable ({len(skipped)}): {', '.join(skipped)}")
    warn_of_leaks(leaks["found"])
    return report


def _evaluate_all(
    categories: Sequence[Category], data: Path, assistant: "Assistant", kept: "_Kept | None"
) -> dict[str, dict[str, Any]]:
    """Category -> its results, those of an interrupted run taken over."""
    results = {}
    with progress(sum(len(category.tests) for category in categories), "photo") as bar:
        for category in categories:
            result = kept.load(category) if kept else None
            if result is None:
                bar.set_description(category.name)
                result = _evaluate_category(category, data, assistant, bar.update)
                if kept:
                    kept.save(category, result)
            else:
                remark(f"{category.name}: measured before the interruption")
                bar.update(len(category.tests))
            results[category.name] = result
    return results


def _evaluate_category(
    category: Category, data: Path, assistant: "Assistant", step: Callable[[], object]
) -> dict[str, Any]:
    """Inspect every test photo; a bad one is told and left out. Gives what is left of a category, as JSON."""
    references = [load_image(path) for path in category.references]  # a bad one stops here, not at each photo
    tally = Tally()
    for photo in category.tests:
        path = name_below(photo.path, data)
        try:
            inspection = assistant.inspect(photo.path, references=references)
            _add(tally, photo, inspection, category.name, path)
        except UserError as error:
            remark(f"left out: {error}")
            tally.skipped.append(path)
        step()
    return {
        "metrics": tally.metrics(), "errors": tally.errors(), "rows": tally.rows, "skipped": tally.skipped,
        "cases": [case.to_json() for case in tally.cases.cases(assistant, references)],
    }  # fmt: skip


def _add(tally: Tally, photo: Photo, inspection: "Inspection", category: str, path: str) -> None:
    anomaly_map = inspection.anomaly_map
    assert anomaly_map is not None, "an inspection without its map"
    if not photo.defective:
        tally.pixels.add(anomaly_map, np.zeros(anomaly_map.shape, dtype=bool))
    elif photo.mask is not None:
        tally.pixels.add(anomaly_map, photo.mask(anomaly_map.shape))
    values = (path, category, int(photo.defective), inspection.probability, inspection.verdict)
    tally.rows.append(dict(zip(COLUMNS, values, strict=True)) | {"kind": photo.kind})
    truth = (photo.kind or "defective") if photo.defective else "good"
    tally.cases.offer(photo.path, path, truth, photo.defective, inspection)


def _files(categories: Sequence[Category]) -> Iterator[Path]:
    """All that the figures rest on: test photos with their masks, references."""
    for category in categories:
        yield from category.references
        for photo in category.tests:
            yield photo.path
            yield from getattr(photo.mask, "paths", ())


class _Kept:
    """Results of the categories that are done, on disk until all are."""

    def __init__(self, folder: Path, settings: dict[str, Any]) -> None:
        self.folder, self.settings = make_folder(folder), settings

    def load(self, category: Category) -> dict[str, Any] | None:
        path = self.folder / f"{category.name}.json"
        if not path.is_file():
            return None
        kept = json.loads(path.read_text(encoding="utf-8"))
        result: dict[str, Any] = kept["result"]
        same = kept["settings"] == self.settings and kept["tests"] == len(category.tests)
        return result if same and tuple(result["metrics"]) == METRICS and "cases" in result else None

    def save(self, category: Category, result: dict[str, Any]) -> None:
        kept = {"settings": self.settings, "tests": len(category.tests), "result": result}
        write_file(self.folder / f"{category.name}.json", json.dumps(kept))


def _as_csv(rows: Sequence[dict[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
