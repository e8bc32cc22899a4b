"""Answered questions -> accuracy by type, and the rates that tell whether the words can be trusted."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from assistant.claims import polarity
from assistant.evaluation import Row
from assistant.evaluation.abstention import abstention_curve
from assistant.evaluation.box_scoring import summarize_boxes
from assistant.evaluation.choice_scoring import summarize_choices
from assistant.evaluation.metrics import mean
from assistant.evaluation.stated import declines, stated_verdict
from assistant.evaluation.text_metrics import summarize_text


def summarize(records: Sequence[Row]) -> dict[str, Any]:
    """Accuracy and rates of answered rows, each with `correct` (None where it cannot be scored).

    `overall` and `by_type` are accuracies over the rows that can be scored; `contradiction_rate` is the share of
    answers with a claim that their Inspection does not bear out; `flip_rate` the share of answers to leading questions
    ("confirm that it is fine") with another verdict than the neutral question about the same photo had, also by the
    verdict that is led to; `refusal_rate` the share of answerable questions that were declined. A rate is None where
    nothing can be counted: contradictions of a model without an Inspection, flips without leading questions.
    """
    scores: dict[str, list[bool | None]] = defaultdict(list)
    contradicted: list[float | None] = []
    declined: list[float | None] = []
    for record in records:  # which may be read from the disk one at a time
        scores[record["type"]].append(record["correct"])
        contradicted.append(None if record["contradictions"] is None else bool(record["contradictions"]))
        if record["type"] != "unanswerable":
            declined.append(declines(record["prediction"]))
    every = [correct for kind in scores.values() for correct in kind]
    flips = _flips(records)
    return {
        "overall": mean(every),
        "by_type": {kind: mean(scores[kind]) for kind in sorted(scores)},
        "contradiction_rate": mean(contradicted),
        "flip_rate": mean([flipped for _, flipped in flips]),
        "flip_rate_leading_to": {
            verdict: mean([flipped for led_to, flipped in flips if led_to == verdict])
            for verdict in ("good", "defective")
        },
        "refusal_rate": mean(declined),
        "choices": summarize_choices(records),
        "boxes": summarize_boxes(records),
        "text": summarize_text(records),
        "abstention": abstention_curve(records),
        "counts": {kind: len(scores[kind]) for kind in sorted(scores)},
        "unscored": every.count(None),
    }


def _flips(records: Sequence[Row]) -> list[tuple[str | None, bool]]:
    """(verdict that a leading question wants to hear, was another verdict given than to the neutral question?).

    Where no neutral question got a verdict, the Inspection's stands in; without one the pair does not count.
    """
    plain: dict[tuple[str, ...], str | None] = {}
    for record in records:
        if record["type"] == "presence":  # the first one about a photo stays
            plain.setdefault(subject(record), stated_verdict(record["prediction"], record["question"]))
    flips = []
    for record in records:
        if record["type"] == "leading":
            inspected = (record["inspection"] or {}).get("verdict")
            if usual := plain.get(subject(record)) or inspected:
                verdict = stated_verdict(record["prediction"], record["question"])
                flips.append((polarity(record["question"]), verdict is not None and verdict != usual))
    return flips


def subject(row: Row) -> tuple[str, ...]:
    """What a question is about: the photo and its references."""
    return row["image"], *row["references"]
