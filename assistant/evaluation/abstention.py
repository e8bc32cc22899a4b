"""What is gained by leaving out the answers that are least certain: accuracy against coverage."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from assistant.evaluation import Row

POINTS = 101  # at most, in `metrics.json`; the area is of the whole curve


def abstention_curve(records: Iterable[Row]) -> dict[str, Any] | None:
    """Accuracy over the most certain share of the answers, for every share (El-Yaniv and Wiener 2010).

    Certainty is that of the Inspection's verdict, max(p, 1 - p); answers about one photo are equally certain, and are
    left out together. Answers without an Inspection, or that cannot be scored, do not count.

    Returns:
        `points`, [coverage, accuracy] from few answers to all of them, both in [0, 1], and `area`, the mean accuracy
        over all coverages (1 is perfect; that of everything answered alike is the accuracy); None without answers.
    """
    scored = [
        (record["inspection"]["probability"], record["correct"])
        for record in records
        if record["correct"] is not None and record["inspection"] is not None
    ]
    if not scored:
        return None
    chance, right = np.array(scored, dtype=np.float64).T
    certainty = np.maximum(chance, 1 - chance).round(4)  # beyond, two runs may differ
    order = np.argsort(-certainty, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(certainty[order])), len(order) - 1)
    coverage, accuracy = (ends + 1) / len(order), right[order].cumsum()[ends] / (ends + 1)
    # Below the first point nothing is known: the most certain answers cannot be told apart.
    area = np.trapezoid(np.append(accuracy[0], accuracy), np.append(0, coverage))
    kept = np.unique(np.linspace(0, len(ends) - 1, POINTS).round().astype(int))
    points = [[round(float(coverage[i]), 4), round(float(accuracy[i]), 4)] for i in kept]
    return {"points": points, "area": float(area)}
