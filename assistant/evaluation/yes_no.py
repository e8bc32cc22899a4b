"""Yes or no to "is there an anomaly?" per photo, beside the label: accuracy, precision, recall, F1."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from assistant.evaluation import Row
from assistant.evaluation.metrics import mean
from assistant.evaluation.stated import stated_verdict

ASKED = "Is it defective?"  # what a bare "Yes" says yes to, however the benchmark words its question


def told_verdict(text: str) -> str | None:
    """ "defective" or "good" as the words say it; None where they say neither, or both."""
    return stated_verdict(text, ASKED)


def measure_yes_no(told: Sequence[str | None], true: Sequence[str]) -> dict[str, float | int | None]:
    """Verdicts told beside labels, "defective" or "good" each; the anomalous class is the positive one.

    An answer that says neither (None) is wrong, a miss on a defective photo, and counted in `unparsable`. Precision and
    F1 are 0 where nothing was called defective; precision, recall and F1 are None where nothing is.
    """
    hits = sum(one == other == "defective" for one, other in zip(told, true, strict=True))
    called, there = list(told).count("defective"), list(true).count("defective")
    return {
        "accuracy": mean([one == other for one, other in zip(told, true, strict=True)]),
        "precision": hits / max(called, 1) if there else None,
        "recall": hits / there if there else None,
        "f1": 2 * hits / (called + there) if there else None,
        "unparsable": list(told).count(None),
        "count": len(true),
    }


def by_source(records: Iterable[Row]) -> dict[str, dict[str, Any]]:
    """The same for each `source` (product) of answered rows, and under "mean" the mean over them of what is a share."""
    found: dict[str, list[tuple[str | None, str]]] = defaultdict(list)
    for record in records:
        found[record["source"]].append((told_verdict(record["prediction"]), record["answer"]))
    each = {name: measure_yes_no(*zip(*found[name], strict=True)) for name in sorted(found)}
    means = {share: mean([one[share] for one in each.values()]) for share in ("accuracy", "precision", "recall", "f1")}
    return {"mean": means, "sources": each}
