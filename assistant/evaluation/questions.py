"""Questions with known answers (JSONL): lettered options, boxes, or free words scored by the claims that they make.

The `answer` to a free question is a value ("defective", 2, ["upper left", "center"]), a sentence from which the value
is read as from any other, or null: then the words are held against the assistant's own Inspection.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from assistant import UserError
from assistant.claims import claims
from assistant.evaluation import Row, box_scoring
from assistant.evaluation.choice_scoring import are_choices, chose_right, right_letter
from assistant.evaluation.results import remark
from assistant.evaluation.source import Source
from assistant.evaluation.stated import declines, stated_verdict
from assistant.evaluation.summary import summarize
from assistant.inspection import VERDICTS
from assistant.wording import COUNTS, Claim

# What a question of each type asks for, as the kinds of claims that may answer it.
KINDS = {
    "presence": ("presence",), "leading": ("presence",), "location": ("position",), "count": ("count",),
    "size": ("size",), "severity": ("severity",), "type": ("type",), "description": ("tone", "shape", "type"),
    "unanswerable": (),
}  # fmt: skip
SIZE_FACTOR = 1.6  # a size is right within this factor: one step of what people can tell by eye


class Questions:
    """JSONL, one question a line, or a JSON list; what is no question is told on stderr and left out.

    Raises:
        UserError: the file holds no question.
    """

    def __init__(self, source: Source) -> None:
        self.folder = source.folder
        self._rows = list(_read(source))
        if not self._rows:
            raise UserError(
                f"{source.path} holds no questions", "give one JSON object a line: image, question, answer, type"
            )

    @staticmethod
    def knows(source: Source) -> bool:
        return not source.path.is_dir() and source.table is None

    def rows(self) -> list[Row]:
        return self._rows

    def score(self, record: Row) -> bool | None:
        """By its choices or its type; None for a type whose scoring is not known here."""
        kind = record["type"]
        if record["choices"]:
            return chose_right(record)
        if kind == "unanswerable":
            return declines(record["prediction"])
        if kind in box_scoring.TYPES and record["answer"] is not None:
            return box_scoring.is_right(record)
        if kind not in KINDS:
            return None
        if record["answer"] is None:
            return _agrees_with_inspection(record)
        return _agrees_with_answer(record)

    def summarize(self, records: Sequence[Row]) -> dict[str, Any]:
        return summarize(records)


def _read(source: Source) -> Iterator[Row]:
    for number, row in source.entries.items():
        if not _is_question(row):
            remark(f"left out: {source.path}, line {number} is not a question (image, question, type, answer)")
            continue
        yield {"answer": None, "choices": None, "turns": None} | row | {"references": row.get("references") or []}


def _is_question(row: Any) -> bool:
    if not isinstance(row, dict) or not all(isinstance(row.get(key), str) for key in ("image", "question", "type")):
        return False
    references, answer, choices = row.get("references") or [], row.get("answer"), row.get("choices")
    if not isinstance(references, list) or not all(isinstance(path, str) for path in references):
        return False
    if choices:
        return are_choices(choices) and isinstance(answer, str) and right_letter(row) is not None
    if row["type"] in box_scoring.TYPES:
        return answer is None or box_scoring.are_boxes(answer)
    values = answer if isinstance(answer, list) else [answer]
    return answer is None or all(isinstance(value, str | int | float) for value in values)


def _agrees_with_inspection(record: Row) -> bool | None:
    """Nothing contradicts the assistant's own Inspection, and what was asked for is told; None where there is none."""
    if record["inspection"] is None:
        return None
    verdict, kind, text = record["inspection"]["verdict"], record["type"], record["prediction"]
    if record["contradictions"]:
        return False
    if verdict == "good" or "presence" in KINDS[kind]:
        return stated_verdict(text, record["question"]) == verdict
    return any(claim.kind in KINDS[kind] for claim in claims(text))


def _agrees_with_answer(record: Row) -> bool:
    kind, text, answer = record["type"], record["prediction"], record["answer"]
    expected = _expected(answer, KINDS[kind])
    if "presence" in KINDS[kind] or (expected <= {"good", 0} and kind != "description"):
        verdict = stated_verdict(text, record["question"])
        return verdict in expected if "presence" in KINDS[kind] else verdict == "good"
    said = [claim for claim in claims(text) if claim.kind in KINDS[kind] and not claim.negated]
    if kind == "count":
        return _count(said) in expected
    if kind == "size":
        percents = [float(value) for value in expected if not isinstance(value, str)]
        return any(_size_is_right(claim, percent) for claim in said for percent in percents)
    if kind == "description" and any(re.search(rf"\b{re.escape(str(word))}\b", text, re.I) for word in expected):
        return True
    return any(claim.value in expected for claim in said)


def _expected(answer: object, kinds: tuple[str, ...]) -> set[str | float]:
    """The acceptable values of an answer; {"good"} or empty where there is nothing to tell of."""
    if isinstance(answer, list):
        return {value for part in answer for value in _expected(part, kinds)}
    if not isinstance(answer, str):
        assert isinstance(answer, int | float), f"an answer of {type(answer)} came through the door"
        return {answer}
    word = answer.strip().lower().rstrip(".")
    if word in COUNTS:
        return {COUNTS.index(word)}
    if re.fullmatch(r"\d+(?:\.\d+)? ?%?", word):
        return {float(word.rstrip(" %"))}
    if word in VERDICTS:
        return {word}
    stated = {claim.value for claim in claims(answer) if claim.kind in kinds and not claim.negated}
    if not stated and stated_verdict(answer, "") == "good":
        return {"good"}
    return stated or {word}


def _count(said: list[Claim]) -> float | None:
    """The number told as such, else the sum of what was told one by one ("one in the center and one ...")."""
    whole = [float(claim.value) for claim in said if not claim.bound]
    if whole:
        return whole[0]
    return sum(float(claim.value) for claim in said) or None


def _size_is_right(claim: Claim, percent: float) -> bool:
    stated = float(claim.value)
    if claim.bound:
        return percent < stated if claim.bound == "under" else percent > stated
    return percent / SIZE_FACTOR <= stated <= percent * SIZE_FACTOR
