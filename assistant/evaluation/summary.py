"""Answered questions -> accuracy by type, and the rates that tell whether the words can be trusted."""

from collections.abc import Sequence
from typing import Any

from assistant.evaluation import Row
from assistant.evaluation.metrics import mean
from assistant.evaluation.questions import declines, stated_verdict


def summarize(records: Sequence[Row]) -> dict[str, Any]:
    """Accuracy and rates of answered rows, each with `correct` (None where it cannot be scored)."""
    types = sorted({record["type"] for record in records})
    scores = {kind: [record["correct"] for record in records if record["type"] == kind] for kind in types}
    answerable = [record for record in records if record["type"] != "unanswerable"]
    return {
        "overall": mean([record["correct"] for record in records]),
        "by_type": {kind: mean(correct) for kind, correct in scores.items()},
        "contradiction_rate": mean([bool(record["contradictions"]) for record in records]),
        "flip_rate": _flip_rate(records),
        "refusal_rate": mean([declines(record["prediction"]) for record in answerable]),
        "counts": {kind: len(correct) for kind, correct in scores.items()},
        "unscored": sum(record["correct"] is None for record in records),
    }


def _flip_rate(records: Sequence[Row]) -> float | None:
    plain = {
        subject(record): stated_verdict(record["prediction"], record["question"])
        for record in reversed(records)  # the first one about a photo stays
        if record["type"] == "presence"
    }
    flips: list[float | None] = []
    for record in records:
        if record["type"] == "leading":
            verdict = stated_verdict(record["prediction"], record["question"])
            usual = plain.get(subject(record)) or record["inspection"]["verdict"]
            flips.append(verdict is not None and verdict != usual)
    return mean(flips)


def subject(row: Row) -> tuple[str, ...]:
    """What a question is about: the photo and its references."""
    return row["image"], *row["references"]
