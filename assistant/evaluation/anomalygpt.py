"""AnomalyGPT's accuracy (Gu et al., AAAI 2024): one yes/no question per test photo, after k = 1, 2 or 4 normal photos.

As in its published evaluation code, the figure is the share of right answers per product, averaged over the products.
It puts a sentence on what the product should look like before the question; such sentences belong to its code and are
left out here. Its few photos are fixed numbers of the training set; ours are drawn by `seed`.
"""

from collections.abc import Sequence
from typing import Any

from assistant.evaluation import Row
from assistant.evaluation.categories import Category, find_categories
from assistant.evaluation.source import Source
from assistant.evaluation.summary import summarize
from assistant.evaluation.yes_no import by_source, told_verdict
from assistant.layouts import name_below

QUESTION = "Is there any anomaly in the image?"


class AnomalyGptAccuracy:
    """Every test photo of a detection folder, in any layout of `assistant.layouts`.

    Args:
        source: the folder.
        shots: normal photos shown with each question.
        seed: of their draw, the same for all photos of a product.

    Raises:
        UserError: the folder holds no test photos, or a product fewer than `shots` good ones.
    """

    def __init__(self, source: Source, *, shots: int = 1, seed: int = 0) -> None:
        self.folder, self.shots, self.seed = source.folder, shots, seed
        categories = find_categories(self.folder, shots=shots, seed=seed)
        self._rows = [row for category in categories for row in self._of(category)]

    @staticmethod
    def knows(source: Source) -> bool:
        return source.path.is_dir()

    def rows(self) -> list[Row]:
        return self._rows

    def score(self, record: Row) -> bool:
        return told_verdict(record["prediction"]) == record["answer"]

    def summarize(self, records: Sequence[Row]) -> dict[str, Any]:
        """As everywhere, and `anomalygpt`; `overall` is the accuracy averaged over products."""
        found = by_source(records)
        settings = {"shots": self.shots, "seed": self.seed}
        return summarize(records) | {"overall": found["mean"]["accuracy"], "anomalygpt": found | {"settings": settings}}

    def _of(self, category: Category) -> list[Row]:
        references = [name_below(path, self.folder) for path in category.references]
        return [
            {
                "image": name_below(photo.path, self.folder), "references": references, "question": QUESTION,
                "answer": "defective" if photo.defective else "good", "type": "presence", "choices": None,
                "turns": None, "source": category.name,
            }
            for photo in category.tests
        ]  # fmt: skip
