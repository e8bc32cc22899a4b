"""The page about answered questions: accuracy by type, the rates that tell about trust, and examples."""

import itertools
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from assistant import UserError
from assistant.evaluation import Row, charts
from assistant.evaluation.cases import Case, draw, thumbnail
from assistant.evaluation.detection_report import leak_warnings
from assistant.evaluation.report_page import Section, figures, gallery, names, percent, table, tiles, write_report
from assistant.images import load_image
from assistant.inspection import Region
from assistant.report import overlay

if TYPE_CHECKING:
    from assistant.inspection import Inspection

Inspect = Callable[[Path, Sequence[Path]], "Inspection"]
RATES = (
    ("overall", "right answers", "of those that can be scored"),
    ("contradiction_rate", "contradictions", "answers that the assistant's own inspection does not bear out"),
    ("flip_rate", "bent by leading questions", "another verdict than to the plain question"),
    ("refusal_rate", "declined", "of the questions that have an answer"),
)
WRONG, RIGHT = (3, 24), (1, 10)  # examples of a type, and in all


def write_qa_report(
    out: Path, records: Iterable[Row], metrics: Mapping[str, Any], images_root: Path, inspect: Inspect | None = None
) -> None:
    """Write `out/report.html`.

    Args:
        records: answered rows with `correct`; gone through once.
        metrics: what `metrics.json` holds, with `provenance` and `leaks` where known.
        images_root: folder that the rows' paths are relative to.
        inspect: photo and references -> Inspection, for the map over an example; without it its boxes are drawn.
    """
    wrong, right = _examples(records)
    by_type = [
        [kind, metrics["counts"].get(kind), charts.bar(value) if value is not None else "not scored"]
        for kind, value in sorted(metrics["by_type"].items(), key=lambda item: (item[1] is None, item[1]))
    ]
    rates = [(name, percent(metrics.get(key)), about) for key, name, about in RATES]
    sections = [
        Section("In short", tiles(rates)),
        Section("By type of question", table(["type", "questions", "right"], by_type), "Worst first."),
        *_abstention(metrics.get("abstention")),
        Section("Wrong answers", gallery([_case(row, images_root, inspect) for row in wrong]), "Some of each type."),
        Section("Right answers", gallery([_case(row, images_root, inspect) for row in right]), "One of each type."),
    ]
    if metrics.get("skipped"):
        sections.append(Section("Left out", names(metrics["skipped"]), "These could not be asked."))
    leaks = metrics.get("leaks")
    if leaks and leaks["found"]:
        sections.append(Section("Photos trained on", names(leaks["found"])))
    write_report(
        out / "report.html", title=f"Questions and answers: {metrics['model']}", headline=_headline(metrics),
        sections=sections, warnings=leak_warnings(leaks) if leaks else (), origin=metrics.get("provenance"),
    )  # fmt: skip


def _headline(metrics: Mapping[str, Any]) -> str:
    count = sum(metrics["counts"].values())
    if metrics["overall"] is None:
        return f"It answered {count} questions, none of which has a known answer."
    text = f"It answered {count} questions, and {percent(metrics['overall'])} of those with a known answer rightly"
    contradicted = metrics.get("contradiction_rate")
    if contradicted is None:
        return f"{text}."
    return f"{text}; {'none' if contradicted == 0 else percent(contradicted)} of its answers contradict what it saw."


def _examples(records: Iterable[Row]) -> tuple[list[Row], list[Row]]:
    """Some wrong and some right rows: the first of each type, each about a photo not yet shown as such."""
    chosen: dict[bool, list[list[Row]]] = {False: [], True: []}  # a list for each rank within a type
    taken: Counter[tuple[bool, str]] = Counter()
    shown: set[tuple[bool, str, str]] = set()
    for row in records:
        if row["correct"] is None:
            continue
        good = row["correct"] > 0.5
        rank, photo = taken[good, row["type"]], (good, row["type"], row["image"])
        if rank < (RIGHT if good else WRONG)[0] and photo not in shown:
            chosen[good] += [[]] if len(chosen[good]) == rank else []
            chosen[good][rank].append(row)
            taken[good, row["type"]] += 1
            shown.add(photo)
    wrong, right = ([row for rank in chosen[good] for row in rank] for good in (False, True))
    return wrong[: WRONG[1]], right[: RIGHT[1]]


def _case(row: Row, root: Path, inspect: Inspect | None) -> Case:
    earlier = [turn if isinstance(turn, str) else turn["question"] for turn in row.get("turns") or ()]
    replies = row.get("earlier") or ()
    talk = [(who, text) for turn in itertools.zip_longest(earlier, replies, fillvalue="")
            for who, text in zip(("question", "answer"), turn, strict=True)]  # fmt: skip
    choices = [("choice", f"{letter}: {text}") for letter, text in (row.get("choices") or {}).items()]
    expected = row["answer"] if isinstance(row["answer"], str) else json.dumps(row["answer"])
    if row["answer"] is None:
        expected = "decline" if row["type"] == "unanswerable" else "what the inspection says"
    lines = [*talk, ("question", row["question"]), *choices, ("expected", expected), ("answer", row["prediction"])]
    if row["inspection"]:
        told = row["inspection"]
        lines.append(("inspection", f"{told['verdict']}, probability of a defect {told['probability']:.2f}"))
    if row["contradictions"]:
        lines.append(("contradicts", "; ".join(row["contradictions"])))
    return Case(row["type"], f"{row['type']}: {row['image']}", _pictures(row, root, inspect), tuple(lines))


def _pictures(row: Row, root: Path, inspect: Inspect | None) -> tuple[str, ...]:
    """The photo, and what was found on it where that is known; nothing where it cannot be read any more."""
    path, references = root / row["image"], [root / reference for reference in row["references"]]
    try:
        photo = load_image(path)
        if inspect is not None:
            return draw(photo, inspect(path, references))
    except UserError:
        return ()
    plain = thumbnail(Image.fromarray(photo))
    if not row["inspection"] or not row["inspection"]["regions"]:
        return (plain,)
    regions = [
        Region(**region | {"box": tuple(region["box"]), "cells": tuple(region["cells"])})
        for region in row["inspection"]["regions"]
    ]
    return plain, thumbnail(overlay(photo, np.zeros(photo.shape[:2], dtype=np.float32), regions=regions))


def _abstention(curve: Mapping[str, Any] | None) -> list[Section]:
    if not curve:
        return []
    coverage, accuracy = np.array(curve["points"], dtype=float).T
    line = charts.Series(f"mean over all shares {curve['area']:.3f}", coverage, accuracy)
    drawn = figures([("Fewer answers, more of them right?", charts.lines([line], "share answered", "right answers"))])
    about = "If only the answers with the surest inspections were given. One wants a line that falls to the right."
    return [Section("Abstention", drawn, about)]
