"""Yes or no to "is there an anomaly?" per photo, beside the label: accuracy, precision, recall, F1."""

from assistant.evaluation import Row
from assistant.evaluation.metrics import mean
from assistant.evaluation.stated import stated_verdict

ASKED = "Is it defective?"  # what a bare "Yes" says yes to, however the benchmark words its question


def told_verdict(text: str) -> str | None:
    """ "defective" or "good" as the words say it; None where they say neither, or both."""
    return stated_verdict(text, ASKED)


def measure_yes_no(records: list[Row]) -> dict[str, float | int | None]:
    """Rows with `answer` "defective" or "good"; the anomalous class is the positive one.

    An answer that says neither is wrong, a miss on a defective photo, and counted in `unparsable`. Precision and F1 are
    0 where nothing was called defective; precision, recall and F1 are None where nothing is.
    """
    told = [told_verdict(record["prediction"]) for record in records]
    true = [record["answer"] for record in records]
    hits = sum(one == other == "defective" for one, other in zip(told, true, strict=True))
    called, there = told.count("defective"), true.count("defective")
    return {
        "accuracy": mean([one == other for one, other in zip(told, true, strict=True)]),
        "precision": hits / max(called, 1) if there else None,
        "recall": hits / there if there else None,
        "f1": 2 * hits / (called + there) if there else None,
        "unparsable": told.count(None),
        "count": len(records),
    }


def by_source(records: list[Row]) -> dict[str, dict[str, float | int | None]]:
    """The same for each product, and under "mean" the mean over products of what is a share."""
    names = sorted({record["source"] for record in records})
    each = {name: measure_yes_no([record for record in records if record["source"] == name]) for name in names}
    shares = ("accuracy", "precision", "recall", "f1")
    return {"mean": {share: mean([found[share] for found in each.values()]) for share in shares}, **each}
