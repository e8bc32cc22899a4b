"""Detection on labelled photos: image and pixel metrics per category, and their unweighted mean."""

import csv
import io
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from assistant import UserError
from assistant.evaluation import metrics
from assistant.evaluation.categories import Category, find_categories
from assistant.evaluation.pixel_histogram import PixelHistogram
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
    """What is known of one category so far: a row per photo, its pixels, and what could not be read."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    pixels: PixelHistogram = field(default_factory=PixelHistogram)
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
    """Measure a model on every test photo and write `metrics.json` and `per_image.csv`.

    The references of a category are the first `shots` of `sorted(train/good)` shuffled by
    `random.Random(seed)`. Image scores are the calibrated probabilities. The verdict decides without a
    threshold, and strictly: "unsure" is a wrong decision in `accuracy` and `balanced_accuracy`, whatever
    the label. Pixel metrics are taken on the photos' own grid over all test photos whose mask is known;
    good photos count as empty. Means over categories are unweighted, over those where the metric exists.

    A photo that cannot be read is reported and left out. After an interruption the categories that were
    finished are not measured again, provided the model's files are the same.

    Args:
        data: folder of categories, or one category, in any layout of `assistant.layouts`.
        model: name, folder or hub id; only a name where `assistant` is given.
        out: folder for the results, made if need be.

    Returns:
        What `metrics.json` holds: {"mean": {...}, "categories": {NAME: {...}}, "errors", "settings", "skipped"}.
        "errors" says how far pixel metrics may be from exact, for categories too large to be counted exactly.
        In `per_image.csv`, `path` is relative to `data` and `label` is 1 for defective, 0 for good.

    Raises:
        UserError: no category in `data`, too few references, nothing readable, `out` cannot be written.
    """
    data, out = Path(data), make_folder(Path(out))
    categories = find_categories(data, shots=shots, seed=seed)
    settings = {"data": str(data.resolve()), "shots": shots, "seed": seed, "model": model_key(model)}
    kept = None
    if assistant is None:  # of an assistant handed in nobody knows whether it is the same as last time
        from assistant.assistant import Assistant

        assistant, kept = Assistant.from_pretrained(model, language=False), _Kept(out / ".unfinished", settings)
    rows, results, skipped = [], {}, []
    errors: dict[str, dict[str, float]] = {}
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
            results[category.name] = result["metrics"]
            errors |= {category.name: result["errors"]} if result["errors"] else {}
            rows += result["rows"]
            skipped += result["skipped"]
    if not rows:
        raise UserError(f"none of the {len(skipped)} test photos in {data} could be inspected", "see the lines above")
    mean = {name: metrics.mean([result[name] for result in results.values()]) for name in METRICS}
    report = {"mean": mean, "categories": results, "errors": errors, "settings": settings, "skipped": skipped}
    write_file(out / "per_image.csv", _as_csv(rows))
    write_file(out / "metrics.json", json.dumps(report, indent=2) + "\n")  # last: it says that all is there
    if kept:
        shutil.rmtree(kept.folder, ignore_errors=True)
    if skipped:
        remark(f"left out, since not readable ({len(skipped)}): {', '.join(skipped)}")
    return report


def _evaluate_category(
    category: Category, data: Path, assistant: "Assistant", step: Callable[[], object]
) -> dict[str, Any]:
    """Inspect every test photo; a bad one is told and left out. Gives metrics, errors, rows and what was left out."""
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
    return {"metrics": tally.metrics(), "errors": tally.errors(), "rows": tally.rows, "skipped": tally.skipped}


def _add(tally: Tally, photo: Photo, inspection: "Inspection", category: str, path: str) -> None:
    anomaly_map = inspection.anomaly_map
    assert anomaly_map is not None, "an inspection without its map"
    if not photo.defective:
        tally.pixels.add(anomaly_map, np.zeros(anomaly_map.shape, dtype=bool))
    elif photo.mask is not None:
        tally.pixels.add(anomaly_map, photo.mask(anomaly_map.shape))
    values = (path, category, int(photo.defective), inspection.probability, inspection.verdict)
    tally.rows.append(dict(zip(COLUMNS, values, strict=True)))


class _Kept:
    """Results of the categories that are done, on disk until all are."""

    def __init__(self, folder: Path, settings: dict[str, Any]) -> None:
        self.folder, self.settings = make_folder(folder), settings

    def load(self, category: Category) -> dict[str, Any] | None:
        path = self.folder / f"{category.name}.json"
        if not path.is_file():
            return None
        kept = json.loads(path.read_text(encoding="utf-8"))
        same = kept["settings"] == self.settings and kept["tests"] == len(category.tests)
        return kept["result"] if same and tuple(kept["result"]["metrics"]) == METRICS else None

    def save(self, category: Category, result: dict[str, Any]) -> None:
        kept = {"settings": self.settings, "tests": len(category.tests), "result": result}
        write_file(self.folder / f"{category.name}.json", json.dumps(kept))


def _as_csv(rows: Sequence[dict[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
