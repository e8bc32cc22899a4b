"""Free questions with known answers (JSONL), scored by the claims that the words make.

A row's `answer` is a value ("defective", 2, ["upper left", "center"]), a sentence from which the value is
read as from any other, or null: then the words are held against the assistant's own Inspection.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path

from assistant import UserError
from assistant.claims import claims, polarity
from assistant.evaluation import Row
from assistant.evaluation.results import remark
from assistant.grounding import NO, YES
from assistant.inspection import VERDICTS
from assistant.wording import COUNTS, Claim

# What a question of each type asks for, as the kinds of claims that may answer it.
KINDS = {
    "presence": ("presence",), "leading": ("presence",), "location": ("position",), "count": ("count",),
    "size": ("size",), "severity": ("severity",), "type": ("type",), "description": ("tone", "shape", "type"),
    "unanswerable": (),
}  # fmt: skip
OF_DEFECTS = {"position", "size", "severity", "type", "tone", "shape"}
SIZE_FACTOR = 1.6  # a size is right within this factor: one step of what people can tell by eye
DECLINES = re.compile(
    r"\b(?:cannot|can't|can not|could not|couldn't|unable|not able|do not know|don't know|no idea|sorry|"
    r"not something|outside|beyond|only (?:judge|help|talk|answer|inspect|look))\b",
    re.I,
)


class Questions:
    """A JSONL file, one question a line; a line that is none is told on stderr and left out.

    Args:
        path: the file.

    Raises:
        UserError: the file cannot be read, or holds no question.
    """

    def __init__(self, path: Path) -> None:
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f"{path} cannot be read", "name a JSONL file of questions in UTF-8") from error
        self._rows = list(_read(lines, path))
        if not self._rows:
            raise UserError(f"{path} holds no questions", "give one JSON object a line: image, question, answer, type")

    def rows(self) -> list[Row]:
        return self._rows

    def score(self, record: Row) -> bool | None:
        """By the row's type; None for a type whose scoring is not known here."""
        kind = record["type"]
        if kind not in KINDS:
            return None
        if kind == "unanswerable":
            return declines(record["prediction"])
        if record["answer"] is None:
            return _agrees_with_inspection(record)
        return _agrees_with_answer(record)


def _read(lines: list[str], path: Path) -> Iterator[Row]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError:
            row = None
        if _is_question(row):
            yield {"answer": None, "choices": None, "turns": None} | row | {"references": row.get("references") or []}
        else:
            remark(f"left out: {path}, line {number} is not a question (image, question, type, answer)")


def _is_question(row: object) -> bool:
    if not isinstance(row, dict) or not all(isinstance(row.get(key), str) for key in ("image", "question", "type")):
        return False
    references, answer = row.get("references") or [], row.get("answer")
    values = answer if isinstance(answer, list) else [answer]
    return (
        isinstance(references, list)
        and all(isinstance(path, str) for path in references)
        and (answer is None or all(isinstance(value, str | int | float) for value in values))
    )


def stated_verdict(text: str, question: str) -> str | None:
    """The verdict that a reply gives: in words, by a plain yes or no, or by telling of a defect; None for none.

    A reply that states two verdicts states none.
    """
    said = claims(text)
    verdicts = {str(claim.value) for claim in said if claim.kind == "presence"}
    if verdicts:
        return verdicts.pop() if len(verdicts) == 1 else None
    asked = polarity(question)
    if asked and (YES.search(text) or NO.search(text)):
        return asked if YES.search(text) else {"good": "defective", "defective": "good"}[asked]
    tells = any(claim.kind in OF_DEFECTS and not claim.negated or claim.kind == "count" for claim in said)
    return "defective" if tells else None


def declines(text: str) -> bool:
    """Does the reply decline, and claim nothing about the part?"""
    about = {"presence", "count", *OF_DEFECTS}
    return bool(DECLINES.search(text)) and not any(claim.kind in about for claim in claims(text))


def _agrees_with_inspection(record: Row) -> bool:
    """Nothing contradicts the assistant's own Inspection, and what was asked for is told."""
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
