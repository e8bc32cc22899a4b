"""The page about a detection run: what it caught, missed and stopped wrongly, with curves and examples."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup

from assistant.evaluation import charts
from assistant.evaluation.cases import GROUPS, Case, choose
from assistant.evaluation.report_page import Section, figures, gallery, names, percent, table, tiles, write_report
from assistant.evaluation.score_counts import ScoreCounts

SHOWN = {
    "image_auroc": "I-AUROC", "image_ap": "I-AP", "image_f1_max": "I-F1-max", "pixel_auroc": "P-AUROC",
    "pixel_ap": "P-AP", "pro": "PRO", "aupimo": "AUPIMO", "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy", "ece": "ECE", "unsure_rate": "unsure",
}  # fmt: skip
MEANINGS = (
    ("balanced_accuracy", "right verdicts", "mean over good and defective photos; unsure counts as wrong"),
    ("image_auroc", "ranking of photos (I-AUROC)", "chance that a defective photo scores above a good one"),
    ("pixel_auroc", "ranking of pixels (P-AUROC)", "the same for pixels inside and outside of defects"),
    ("pro", "defects covered (PRO)", "found share of each defect, up to 30 % false pixels"),
    ("ece", "calibration error", "how far the probability is from the truth, on average"),
    ("unsure_rate", "left to a person", "photos called unsure"),
)
CASES = {
    "missed": ("Missed defects", "Called good although defective, the surest mistakes first."),
    "false alarm": ("False alarms", "Called defective although good, the surest mistakes first."),
    "unsure": ("Left to a person", "The probability lay in the unsure band."),
    "found": ("Found", "Called defective, and rightly; the surest first."),
    "passed": ("Passed", "Called good, and rightly; the surest first."),
}
assert CASES.keys() == GROUPS.keys()
DRAWN = 60  # categories with a curve of their own: a page must stay small
Rows = Sequence[Mapping[str, Any]]


def write_detection_report(
    path: Path, report: Mapping[str, Any], rows: Rows, cases: Sequence[Case], band: tuple[float, float]
) -> None:
    """Write the page of one run.

    Args:
        path: the HTML file.
        report: what `metrics.json` holds.
        rows: a row per photo: `category`, `label`, `probability`, `verdict` and `kind`, in the order of categories.
        cases: of all categories.
        band: probabilities between which the verdict is "unsure".
    """
    settings = report["settings"]
    sections = [
        Section("In short", tiles([(name, _figure(report["mean"][key], key), about) for key, name, about in MEANINGS]),
            "Means over the categories, each weighing the same."),
        Section("By category", category_table(report), _about_errors(report)), *_curves(rows, band),
        Section("By kind of defect", kind_table(rows), "The kinds are named as the folders of the photos are."),
        *_cases(cases),
    ]  # fmt: skip
    if report["skipped"]:
        sections.append(Section("Left out", names(report["skipped"]), "These photos could not be read."))
    if report["leaks"]["found"]:
        sections.append(Section("Photos trained on", names(report["leaks"]["found"])))
    write_report(
        path, title=page_title(settings), headline=headline(rows), sections=sections,
        warnings=leak_warnings(report["leaks"]), origin=report["provenance"],
    )  # fmt: skip


def write_seeds_report(path: Path, report: Mapping[str, Any]) -> None:
    """Write the page of several seeds: the means with their intervals, and where the page of each seed lies."""
    seeds = report["settings"]["seeds"]
    links = [Markup('<li><a href="seed_{0}/report.html">seed {0}</a></li>').format(seed) for seed in seeds]
    sections = [
        Section(
            "By category", category_table(report), "Below each mean its 95 % interval over the seeds (Student's t)."
        ),
        Section("Each seed", Markup("<ul>{}</ul>").format(Markup("").join(links)), "With curves and examples."),
    ]
    right, ranking = report["mean"]["balanced_accuracy"], report["mean"]["image_auroc"]
    told = f"Over {len(seeds)} draws of the references {percent(right)} of its verdicts were right"
    rank = "" if ranking is None else f", and its ranking of photos (I-AUROC) was {ranking:.3f}"
    write_report(
        path, title=page_title(report["settings"]), headline=f"{told}{rank}, on average.", sections=sections,
        warnings=leak_warnings(report["leaks"]), origin=report["provenance"],
    )  # fmt: skip


def headline(rows: Rows) -> str:
    """The outcome in counts of photos."""
    verdicts = {label: [row["verdict"] for row in rows if row["label"] == label] for label in (0, 1)}
    parts = []
    if verdicts[1]:
        caught, missed = (verdicts[1].count(verdict) for verdict in ("defective", "good"))
        parts.append(f"of {len(verdicts[1])} defective photos it caught {caught} and passed {missed} as good")
    if verdicts[0]:
        parts.append(f"of {len(verdicts[0])} good photos it stopped {verdicts[0].count('defective')} wrongly")
    if unsure := sum(row["verdict"] == "unsure" for row in rows):
        parts.append(f"{unsure} it left to a person")
    text = "; ".join(parts) + "."
    return text[0].upper() + text[1:]


def leak_warnings(leaks: Mapping[str, Any]) -> list[str]:
    """What to tell of the test photos that the model was trained on, or that nothing is known of it."""
    if leaks["training_photos"] is None:
        return ["It is not known which photos this model was trained on; it may have seen some of these."]
    if not leaks["found"]:
        return []
    return [
        f"The model was trained on {len(leaks['found'])} of these photos, or on near copies of them, which makes the "
        "figures look better than they are. They are listed at the end."
    ]


def category_table(report: Mapping[str, Any]) -> Markup:
    """Every metric of every category with its mean, as far as the run has it."""
    bounds = report.get("interval")
    rows = []
    for name, values in [*report["categories"].items(), ("mean", report["mean"])]:
        ends = (bounds["mean"] if name == "mean" else bounds["categories"][name]) if bounds else {}
        rows.append([name, *(_with_interval(values[key], ends.get(key)) for key in SHOWN)])
    return table(["category", *SHOWN.values()], rows, words=1, total=True)


def kind_table(rows: Rows) -> Markup:
    """Recall for each kind of defect, lowest first within its category."""
    found = []
    defective = sorted((row for row in rows if row["label"] == 1), key=_kind)
    for (category, kind), group in groupby(defective, key=_kind):
        verdicts = [row["verdict"] for row in group]
        caught, missed = verdicts.count("defective"), verdicts.count("good")
        unsure = len(verdicts) - caught - missed
        recall = charts.bar(caught / len(verdicts), f"{caught} of {len(verdicts)}")
        found.append((category, caught / len(verdicts), [category, kind, recall, unsure, missed]))
    ordered = [row for _, _, row in sorted(found, key=lambda entry: entry[:2])]
    return table(["category", "kind", "called defective", "unsure", "passed as good"], ordered)


def _kind(row: Mapping[str, Any]) -> tuple[str, str]:
    return row["category"], row["kind"] or "defective"


def _curves(rows: Rows, band: tuple[float, float]) -> list[Section]:
    labels, chances = (np.array([row[key] for row in rows], dtype=float) for key in ("label", "probability"))
    each = {name: list(group) for name, group in groupby(rows, key=lambda row: row["category"])}
    counts = {"all photos": ScoreCounts.of(labels, chances)} if len(each) > 1 else {}
    for name, group in list(each.items())[:DRAWN]:
        counts[name] = ScoreCounts.of([row["label"] for row in group], [row["probability"] for row in group])
    both = {name: count for name, count in counts.items() if count.good.any() and count.defective.any()}
    strong = "all photos" if "all photos" in both else next(iter(both), "")
    sections = []
    if both:
        labelled = {name: f"{name} {_pair(count)}" for name, count in both.items()}
        roc = [charts.roc(labelled[name], count, name == strong) for name, count in both.items()]
        precision = [charts.precision_recall(labelled[name], count, name == strong) for name, count in both.items()]
        drawn = figures([
            ("ROC", charts.lines(roc, "good photos stopped", "defective photos caught", diagonal=True)),
            ("Precision and recall", charts.lines(precision, "defective photos caught", "alarms that are right")),
        ])  # fmt: skip
        about = "What other thresholds on the probability would give. Beside each name: I-AUROC / I-AP."
        sections.append(Section("Curves", drawn, about))
    pooled = figures([
        ("Probabilities and the decision", charts.histogram(chances[labels == 0], chances[labels == 1], band)),
        ("Is the probability true?", charts.reliability(labels, chances)),
    ])  # fmt: skip
    single = figures([(name, _histogram(group, band)) for name, group in list(each.items())[:DRAWN]])
    folded = Markup("<details><summary>Probabilities of each category</summary>{}</details>").format(single)
    return [*sections, Section("Probabilities", pooled + (folded if len(each) > 1 else Markup("")))]


def _histogram(rows: Rows, band: tuple[float, float]) -> Markup:
    chances = [np.array([row["probability"] for row in rows if row["label"] == label]) for label in (0, 1)]
    return charts.histogram(chances[0], chances[1], band)


def _pair(counts: ScoreCounts) -> str:
    return f"{counts.auroc():.2f} / {counts.average_precision():.2f}"


def _cases(cases: Sequence[Case]) -> list[Section]:
    chosen = choose(cases)
    return [Section(title, gallery(chosen[group]), about) for group, (title, about) in CASES.items()]


def _figure(value: float | None, key: str) -> str:
    return percent(value) if key in ("balanced_accuracy", "unsure_rate") or value is None else f"{value:.3f}"


def _with_interval(value: float | None, ends: Sequence[float] | None) -> Any:
    if value is None or ends is None:
        return value
    return Markup("{:.3f}<br><small>{:.3f} to {:.3f}</small>").format(value, *ends)


def _about_errors(report: Mapping[str, Any]) -> str:
    worst = [error for errors in report["errors"].values() for error in errors.values()]
    return f"Pixel metrics are within {max(worst):.1g} of exact." if worst else ""


def page_title(settings: Mapping[str, Any]) -> str:
    """What was measured on what."""
    shots = settings["shots"]
    compared = f"{shots} reference{'s' if shots > 1 else ''}" if shots else "without references"
    return f"Detection: {settings['model']} on {Path(settings['data']).name}, {compared}"
