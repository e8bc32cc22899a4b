"""Two runs over the same photos or questions, side by side: what differs, and whether chance would do as much.

A paired bootstrap (Efron and Tibshirani 1993, ch. 13 and 16): both runs are measured on the same random draws of the
photos, so that what makes a photo hard for both cancels out.
"""

import csv
import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from assistant import UserError
from assistant.evaluation.report_page import Section, table, write_report

DRAWS = 2000
CHUNK = 100  # draws at a time: bounds the memory
CONFIDENCE = 0.95
DECISIONS = {"good": 0, "defective": 1}


@dataclass(frozen=True)
class Difference:
    """One measure of two runs: its values, the interval of B minus A, and the two-sided p value."""

    name: str
    a: float
    b: float
    low: float
    high: float
    p: float

    def cells(self) -> list[str]:
        """The columns of a table."""
        bounds = f"{self.low:+.3f} to {self.high:+.3f}"
        return [self.name, f"{self.a:.3f}", f"{self.b:.3f}", f"{self.b - self.a:+.3f}", bounds, f"{self.p:.3f}"]


def compare(a: Path, b: Path, out: Path | None = None) -> str:
    """Compare two result folders, both of detection or both of questions; with `out` as an HTML page, too.

    Returns:
        A table for the terminal.

    Raises:
        UserError: a folder holds no results, they are of different sorts, or have no photo or question in common.
    """
    sorts = [_sort(folder) for folder in (a, b)]
    if sorts[0] != sorts[1]:
        raise UserError(f"{a} holds results of {sorts[0]}, {b} of {sorts[1]}", "compare two runs of the same benchmark")
    rng = np.random.default_rng(0)  # the same runs shall give the same intervals
    rows, shared = (_compare_detection if sorts[0] == "detection" else _compare_answers)(a, b, rng)
    columns = ("", "A", "B", "B - A", "95 % interval", "p")
    cells = [row.cells() for row in rows]
    about = f"{shared}; A: {a}, B: {b}"
    if out is not None:
        section = Section("Side by side", table(columns, cells, words=1),
            f"Interval and p value by a paired bootstrap of {DRAWS} draws. A p value below 0.05 is seldom chance; "
            "but of twenty measures that do not differ, one is below it.")  # fmt: skip
        write_report(out, title=about, headline=_headline(rows[0]), sections=[section])
    return "\n".join([about, *_aligned([columns, *cells])])


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join([first.ljust(widths[0]), *map(str.rjust, rest, widths[1:])]).rstrip() for first, *rest in rows]


def _sort(folder: Path) -> str:
    if (folder / "per_image.csv").is_file():
        return "detection"
    if (folder / "predictions.jsonl").is_file():
        return "questions"
    if seeds := sorted(folder.glob("seed_*/per_image.csv")):
        raise UserError(f"{folder} holds several seeds", f"compare one of them, as {seeds[0].parent}")
    raise UserError(f"{folder} holds no results", "name a folder that `evaluate` wrote with --out")


def _compare_detection(a: Path, b: Path, rng: np.random.Generator) -> tuple[list[Difference], str]:
    """I-AUROC and balanced accuracy, means over categories and each; photos are drawn within category and label."""
    first, second = (_read_photos(folder) for folder in (a, b))
    shared = [path for path in first if path in second]
    if not shared:
        raise UserError(f"{a} and {b} share no photos", "compare two runs on the same --data")
    if wrong := [path for path in shared if first[path]["label"] != second[path]["label"]]:
        raise UserError(f"{wrong[0]} has different labels in {a} and {b}", "compare two runs on the same --data")
    categories: dict[str, list[str]] = defaultdict(list)
    for path in shared:
        categories[first[path]["category"]].append(path)
    found = {name: _draws([(first[path], second[path]) for path in paths], rng) for name, paths in categories.items()}
    rows = []
    for metric in ("I-AUROC", "balanced accuracy"):
        measured = {name: draws[metric] for name, draws in found.items() if metric in draws}
        if len(measured) > 1:  # (2, 1 + DRAWS) each: the value itself, then its draws
            rows.append(_difference(f"{metric}, mean", np.mean(list(measured.values()), axis=0)))
        rows += [_difference(f"{metric}, {name}", values) for name, values in measured.items()]
    if not rows:
        raise UserError("no category has good and defective photos", "compare runs on photos of both sorts")
    left_out = len(first) + len(second) - 2 * len(shared)
    return rows, f"{len(shared)} photos in both" + (f", {left_out} in one only" if left_out else "")


def _read_photos(folder: Path) -> dict[str, dict[str, Any]]:
    with (folder / "per_image.csv").open(newline="", encoding="utf-8") as file:
        return {row["path"]: row for row in csv.DictReader(file)}


def _draws(pairs: Sequence[tuple[dict[str, Any], dict[str, Any]]], rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Metric -> (2, 1 + DRAWS) of both runs, the first with every photo once; nothing where a class is missing."""
    labels = np.array([int(row["label"]) for row, _ in pairs])
    if len(set(labels.tolist())) < 2:
        return {}
    scores = np.array([[float(row["probability"]) for row in pair] for pair in pairs]).T
    right = np.array([[DECISIONS.get(row["verdict"], -1) == int(row["label"]) for row in pair] for pair in pairs]).T
    parts: dict[str, list[np.ndarray]] = {"I-AUROC": [], "balanced accuracy": []}
    for weights in _weights(labels, rng):
        good, bad = weights * (labels == 0), weights * (labels == 1)
        parts["I-AUROC"].append(np.stack([_auroc(good, bad, run) for run in scores]))
        shares = [(good @ run / good.sum(axis=1), bad @ run / bad.sum(axis=1)) for run in right.astype(float)]
        parts["balanced accuracy"].append(np.stack([np.mean(pair, axis=0) for pair in shares]))
    return {metric: np.concatenate(values, axis=1) for metric, values in parts.items()}


def _weights(groups: np.ndarray, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """How often each item (N,) is drawn, (CHUNK, N) at a time: first once each, then with replacement in its group."""
    yield np.ones((1, len(groups)))
    for _ in range(DRAWS // CHUNK):
        weights = np.zeros((CHUNK, len(groups)))
        for group in np.unique(groups):
            chosen = groups == group
            weights[:, chosen] = rng.multinomial(chosen.sum(), np.full(chosen.sum(), 1 / chosen.sum()), size=CHUNK)
        yield weights


def _auroc(good: np.ndarray, bad: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """(D,) I-AUROC of scores (N,) for the weights of good and of defective photos (D, N); a tie counts one half."""
    order = np.argsort(scores, kind="stable")
    starts = np.flatnonzero(np.diff(scores[order], prepend=-np.inf))
    good, bad = (np.add.reduceat(weights[:, order], starts, axis=1) for weights in (good, bad))
    below = np.cumsum(good, axis=1) - good / 2
    return (bad * below).sum(axis=1) / (good.sum(axis=1) * bad.sum(axis=1))


def _compare_answers(a: Path, b: Path, rng: np.random.Generator) -> tuple[list[Difference], str]:
    """Accuracy, over all and by type; photos are drawn with all their questions, which stand or fall together."""
    first, second = (_read_answers(folder) for folder in (a, b))
    shared = [key for key in first if key in second]
    scored = [key for key in shared if first[key]["correct"] is not None and second[key]["correct"] is not None]
    if not scored:
        raise UserError(f"{a} and {b} share no scored question", "compare two runs of the same --questions")
    images = {image: i for i, image in enumerate(dict.fromkeys(first[key]["image"] for key in scored))}
    photo = np.array([images[first[key]["image"]] for key in scored])
    right = np.array([[float(run[key]["correct"]) for run in (first, second)] for key in scored]).T
    kinds = np.array([first[key]["type"] for key in scored])
    masks = {"all": np.ones(len(scored), bool)} | {kind: kinds == kind for kind in sorted(set(kinds.tolist()))}
    weights = np.concatenate(list(_weights(np.zeros(len(images)), rng)))
    rows = []
    for name, chosen in masks.items():
        asked = weights @ np.bincount(photo[chosen], minlength=len(images))
        hits = [weights @ np.bincount(photo[chosen], run[chosen], minlength=len(images)) for run in right]
        drawn = asked > 0  # a rare type may not come up in a draw
        rows.append(_difference(f"accuracy, {name}", np.stack(hits)[:, drawn] / asked[drawn]))
    left_out = len(first) + len(second) - 2 * len(scored)
    return rows, f"{len(scored)} questions in both" + (f", {left_out} in one only or not scored" if left_out else "")


def _read_answers(folder: Path) -> dict[tuple[str, ...], dict[str, Any]]:
    """Rows by what was asked; the references may differ, and of two equal questions each is one of its own."""
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    times: Counter[tuple[str, ...]] = Counter()
    for line in (folder / "predictions.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if "correct" not in row:
            raise UserError(f"{folder} holds an unfinished run", "run `evaluate qa` on it once more")
        key = (row["image"], row["question"], json.dumps(row["choices"]), json.dumps(row["turns"]))
        times[key] += 1
        found[(*key, str(times[key]))] = row
    return found


def _difference(name: str, values: np.ndarray) -> Difference:
    """Values (2, 1 + DRAWS) of A and B, the first column undrawn -> the difference and how sure it is."""
    (a, b), drawn = values[:, 0], values[1, 1:] - values[0, 1:]
    low, high = np.quantile(drawn, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    tail = min((drawn <= 0).sum(), (drawn >= 0).sum())
    return Difference(name, float(a), float(b), float(low), float(high), min(1.0, 2 * (tail + 1) / (len(drawn) + 1)))


def _headline(row: Difference) -> str:
    """The first measure in a sentence."""
    if row.p >= 1 - CONFIDENCE:
        return f"{row.name}: {row.a:.3f} against {row.b:.3f}, a difference that may well be chance."
    word = "better" if row.b > row.a else "worse"
    return f"{row.name}: B is {word}, {row.b:.3f} against {row.a:.3f}, and hardly by chance."
