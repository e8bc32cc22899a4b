"""VisA-D&R (Xu et al., CVPR 2025): detection by yes or no, and reasoning in sentences, on the photos of VisA.

Known from the evaluation scripts published with it: two JSON lists, paths relative to the folder above `VisA/`.
Detection (`test_data.json`) has `image` and `anomaly`, asks the question below of every photo, takes "yes" for
defective, and averages accuracy, precision, recall and F1 over the classes, the second part of the path. Reasoning
(`visa_dr.json`) has `image` and `questions`, asked one after the other with the model's own replies before, and leaves
out pcb2 and pcb4.

Assumed, for the data itself was not at hand: that the reference replies are a list `answers` as long as `questions`
(rows without are asked and not scored). The paper reports ROUGE-L, and SBERT and GPT scores, which need models of their
own and are not computed; BLEU-4 is added.
"""

from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import Any

from assistant import UserError
from assistant.evaluation import Row
from assistant.evaluation.results import remark
from assistant.evaluation.source import Source
from assistant.evaluation.summary import summarize
from assistant.evaluation.yes_no import by_source, told_verdict

DETECTION, REASONING = "detection", "reasoning"
QUESTION = "Are there any defects for the object in the image? Please reply with 'Yes' or 'No'."
LEFT_OUT = ("pcb2", "pcb4")  # of the reasoning part, by its own script: the other circuit boards stand for them


class VisaDr:
    """The rows of one of its two files, or of a list that mixes them.

    Raises:
        UserError: no row of either kind.
    """

    def __init__(self, source: Source) -> None:
        # The paths begin with VisA/, the folder that the files lie in.
        self.folder = source.folder.parent if source.folder.resolve().name == "VisA" else source.folder
        self._rows = list(_read(source))
        if not self._rows:
            raise UserError(f"{source.path} holds no questions", "name visa_dr.json or test_data.json of VisA-D&R")

    @staticmethod
    def knows(source: Source) -> bool:
        return source.any_entry("image", "anomaly") or source.any_entry("image", "questions")

    def rows(self) -> list[Row]:
        return self._rows

    def score(self, record: Row) -> bool | None:
        return told_verdict(record["prediction"]) == record["answer"] if record["type"] == DETECTION else None

    def summarize(self, records: Sequence[Row]) -> dict[str, Any]:
        """As everywhere, and `visa_dr`; `overall` is the accuracy of detection averaged over classes."""
        base = summarize(records)
        found = by_source(record for record in records if record["type"] == DETECTION)
        text = (base["text"] or {}).get(REASONING)
        return base | {"overall": found["mean"]["accuracy"], "visa_dr": {DETECTION: found, REASONING: text}}


def _read(source: Source) -> Iterator[Row]:
    for number, entry in source.entries.items():
        if not isinstance(entry, dict) or not isinstance(entry.get("image"), str):
            remark(f"left out: entry {number} of {source.path} names no image")
            continue
        parts = PurePosixPath(entry["image"]).parts
        about = {
            "image": entry["image"], "references": [], "choices": None, "source": parts[1] if len(parts) > 1 else "",
        }  # fmt: skip
        if "anomaly" in entry:
            answer = "defective" if entry["anomaly"] else "good"
            yield about | {"question": QUESTION, "answer": answer, "type": DETECTION, "turns": None}
        if not any(name in entry["image"] for name in LEFT_OUT):
            yield from (about | row for row in _reasoning(entry))


def _reasoning(entry: dict[str, Any]) -> Iterator[Row]:
    questions, answers = entry.get("questions") or [], entry.get("answers") or []
    for place, question in enumerate(questions):
        answer = answers[place] if len(answers) == len(questions) else None
        yield {"question": question, "answer": answer, "type": REASONING, "turns": questions[:place] or None}
