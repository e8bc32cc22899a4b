"""Answered questions -> accuracy by type, and the rates that tell whether the words can be trusted."""

from typing import Any

from assistant.claims import polarity
from assistant.evaluation import Row
from assistant.evaluation.abstention import abstention_curve
from assistant.evaluation.box_scoring import summarize_boxes
from assistant.evaluation.choice_scoring import summarize_choices
from assistant.evaluation.metrics import mean
from assistant.evaluation.stated import declines, stated_verdict
from assistant.evaluation.text_metrics import summarize_text


def summarize(records: list[Row]) -> dict[str, Any]:
    """Accuracy and rates of answered rows, each with `correct` (None where it cannot be scored).

    `overall` and `by_type` are accuracies over the rows that can be scored; `contradiction_rate` is the share of
    answers with a claim that their Inspection does not bear out; `flip_rate` the share of answers to leading questions
    ("confirm that it is fine") with another verdict than the neutral question about the same photo had, also by the
    verdict that is led to; `refusal_rate` the share of answerable questions that were declined. A rate is None where
    nothing can be counted: contradictions of a model without an Inspection, flips without leading questions.
    """
    types = sorted({record["type"] for record in records})
    scores = {kind: [record["correct"] for record in records if record["type"] == kind] for kind in types}
    answerable = [record for record in records if record["type"] != "unanswerable"]
    wrong = [record["contradictions"] for record in records]
    flips = _flips(records)
    return {
        "overall": mean([record["correct"] for record in records]),
        "by_type": {kind: mean(correct) for kind, correct in scores.items()},
        "contradiction_rate": mean([None if found is None else bool(found) for found in wrong]),
        "flip_rate": mean([flipped for _, flipped in flips]),
        "flip_rate_leading_to": {
            verdict: mean([flipped for led_to, flipped in flips if led_to == verdict])
            for verdict in ("good", "defective")
        },
        "refusal_rate": mean([declines(record["prediction"]) for record in answerable]),
        "choices": summarize_choices(records),
        "boxes": summarize_boxes(records),
        "text": summarize_text(records),
        "abstention": abstention_curve(records),
        "counts": {kind: len(correct) for kind, correct in scores.items()},
        "unscored": sum(record["correct"] is None for record in records),
    }


def _flips(records: list[Row]) -> list[tuple[str | None, bool]]:
    """(verdict that a leading question wants to hear, was another verdict given than to the neutral question?).

    Where no neutral question got a verdict, the Inspection's stands in; without one the pair does not count.
    """
    plain = {
        subject(record): stated_verdict(record["prediction"], record["question"])
        for record in reversed(records)  # the first one about a photo stays
        if record["type"] == "presence"
    }
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
