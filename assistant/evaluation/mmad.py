"""MMAD (Jiang et al., ICLR 2025): 39,672 multiple-choice questions on 8,366 industrial photos, read from its own JSON.

The file is an object keyed by image path (`SET/CLASS/.../NAME`); each value has `random_templates` and
`similar_templates` (normal photos) and lists of questions under keys that begin with `conversation`.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from assistant import UserError
from assistant.evaluation import Row
from assistant.evaluation.choice_scoring import are_choices, chose_right, chosen_letter
from assistant.evaluation.metrics import mean
from assistant.evaluation.results import remark
from assistant.evaluation.source import Source
from assistant.evaluation.summary import summarize

DETECTION, ANALYSIS = "Anomaly Detection", "Object Analysis"
SUBTASKS = (
    DETECTION, "Defect Classification", "Defect Localization", "Defect Description", "Defect Analysis",
    "Object Classification", ANALYSIS,
)  # fmt: skip
POOLED = {"Object Structure": ANALYSIS, "Object Details": ANALYSIS}  # two types that are scored as one subtask
TEMPLATES = ("random", "similar")
ROLE = (
    "You are an industrial inspector who checks products by their photos. Answer the multiple-choice question with "
    "the letter of the right option."
)
_Told = tuple[str, bool, bool]  # subtask, of a normal photo, right


class Mmad:
    """The questions of an MMAD file, each alone; its `choices` keep the file's order, in which they are to be put.

    Args:
        source: `mmad.json`; the photos lie beside it unless said otherwise.
        shots: normal photos shown with each question, the first of the file's list.
        template: "random" or "similar", which list that is.
        knowledge: JSON of class knowledge, set -> class -> text, put before the photos.

    Raises:
        UserError: no question in the file, fewer templates than `shots`, or `knowledge` cannot be read.
    """

    def __init__(
        self, source: Source, *, shots: int = 1, template: str = "random", knowledge: Path | None = None
    ) -> None:
        if template not in TEMPLATES:
            raise UserError(f"there is no template {template!r}", f"use --template {' or '.join(TEMPLATES)}")
        self.folder, self.shots, self.template = source.folder, shots, template
        self.knowledge = _read_knowledge(knowledge)
        self._rows = [row for image, entry in (source.table or {}).items() for row in self._of_image(image, entry)]
        if not self._rows:
            raise UserError(f"{source.path} holds no questions", "name MMAD's mmad.json")

    @staticmethod
    def knows(source: Source) -> bool:
        return source.table is not None and any(True for entry in source.table.values() for _ in _questions(entry))

    def rows(self) -> list[Row]:
        return self._rows

    def score(self, record: Row) -> bool:
        return chose_right(record)

    def summarize(self, records: Sequence[Row]) -> dict[str, Any]:
        """As everywhere, and `mmad`; `overall` is its macro average."""
        found = summarize_mmad(records) | {"shots": self.shots, "template": self.template}
        return summarize(records) | {"overall": found["macro"], "mmad": found}

    def _of_image(self, image: str, entry: Any) -> Iterator[Row]:
        references = (entry.get(f"{self.template}_templates") or [])[: self.shots] if isinstance(entry, dict) else []
        source, product = (*PurePosixPath(image).parts, "", "")[:2]
        told = self.knowledge.get(source, {}).get(product, "")
        for place, question in enumerate(_questions(entry), start=1):
            if not _is_question(question):
                remark(f"left out: question {place} of {image} is not one of MMAD")
                continue
            if len(references) < self.shots:
                raise UserError(f"{image} has {len(references)} {self.template} templates", "lower --shots")
            kind = question["type"]
            yield {
                "image": image, "references": references, "type": kind,
                "question": question["Question"],
                "answer": question["Answer"], "choices": question["Options"], "turns": None,
                "instruction": f"{ROLE}\n{told}".strip(), "source": source, "subtask": POOLED.get(kind, kind),
                "normal": "good" in PurePosixPath(image).parts,
            }  # fmt: skip


def summarize_mmad(records: Iterable[Row]) -> dict[str, Any]:
    """The benchmark's own figures, all in [0, 1].

    `sets`: per source set the accuracy of each subtask, where that of Anomaly Detection is the mean of the accuracies
    on normal and on anomalous photos, their `average`, `overkill` (1 - normal accuracy) and `miss` (1 - anomalous
    accuracy). `macro` is the mean of the sets' averages and the published figure, `micro` the plain share of right
    answers. `subtasks`, `overkill` and `miss` are means over the sets. An answer without a letter is wrong, and counted
    in `unparsable` (the original's code drops it, and with it skips a neighbour).
    """
    by_set: dict[str, list[_Told]] = defaultdict(list)
    unparsable = 0
    for record in records:
        by_set[record["source"]].append((record["subtask"], record["normal"], record["correct"]))
        unparsable += chosen_letter(record["prediction"], record["choices"]) is None
    sets = {name: _measure(by_set[name]) for name in sorted(by_set)}
    return {
        "macro": mean([found["average"] for found in sets.values()]),
        "micro": mean([correct for told in by_set.values() for _, _, correct in told]),
        "subtasks": {name: mean([found[name] for found in sets.values()]) for name in SUBTASKS},
        "overkill": mean([found["overkill"] for found in sets.values()]),
        "miss": mean([found["miss"] for found in sets.values()]),
        "unparsable": unparsable,
        "sets": sets,
    }


def _measure(told: list[_Told]) -> dict[str, float | None]:
    """The figures of one source set."""
    right: dict[str, list[bool]] = defaultdict(list)
    for subtask, is_normal, correct in told:
        right[f"{subtask} {is_normal}" if subtask == DETECTION else subtask].append(correct)
    normal, anomalous = mean(right[f"{DETECTION} True"]), mean(right[f"{DETECTION} False"])
    found = {name: mean(right[name]) for name in SUBTASKS} | {DETECTION: mean([normal, anomalous])}
    return found | {
        "average": mean([found[name] for name in SUBTASKS]),
        "overkill": None if normal is None else 1 - normal,
        "miss": None if anomalous is None else 1 - anomalous,
    }


def _questions(entry: Any) -> Iterator[Any]:
    """All questions of one photo, whatever stands in the place of one."""
    if isinstance(entry, dict):
        for key, questions in entry.items():
            if key.startswith("conversation") and isinstance(questions, list):
                yield from questions


def _is_question(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get("Question"), str)
        and are_choices(value.get("Options"))
        and value.get("Answer") in value["Options"]
        and value.get("type") in (*SUBTASKS, *POOLED)
    )


def _read_knowledge(path: Path | None) -> dict[str, dict[str, str]]:
    if path is None:
        return {}
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read", "name a JSON file: set -> class -> text") from error
    if not isinstance(values, dict) or not all(isinstance(value, dict) for value in values.values()):
        raise UserError(f"{path} holds no class knowledge", "name a JSON file: set -> class -> text")
    return values
