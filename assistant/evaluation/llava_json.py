"""Conversations in LLaVA's JSON (Liu et al. 2023): every human turn is a question, what was said before its context.

`{"image": PATH or list, "conversations": [{"from": "human" | "gpt", "value": TEXT}, ...]}`, as `generate --export
llava` writes it. Of several pictures the first is asked about and the others are references. The replies are what the
text metrics compare with; nothing else is scored.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from assistant import UserError
from assistant.evaluation import Row
from assistant.evaluation.results import remark
from assistant.evaluation.source import Source
from assistant.evaluation.summary import summarize

MARK = "<image>"
HUMAN, MODEL = ("human", "user"), ("gpt", "assistant")


class LlavaJson:
    """The questions of all conversations; one without a picture or out of turn is told and left out.

    Raises:
        UserError: no conversation that can be used.
    """

    def __init__(self, source: Source) -> None:
        self.folder = source.folder
        self._rows = [row for number, entry in source.entries.items() for row in _read(number, entry, source)]
        if not self._rows:
            raise UserError(f"{source.path} holds no conversations", "each needs image and conversations")

    @staticmethod
    def knows(source: Source) -> bool:
        return source.any_entry("conversations")

    def rows(self) -> list[Row]:
        return self._rows

    def score(self, record: Row) -> None:
        return None

    def summarize(self, records: Sequence[Row]) -> dict[str, Any]:
        """As everywhere; `overall` is ROUGE-L."""
        found = summarize(records)
        return found | {"overall": (found["text"] or {}).get("conversation", {}).get("rouge_l")}


def read_entry(entry: Any) -> tuple[list[str], list[tuple[str, str]]] | None:
    """The pictures of an entry and its pairs of question and answer; None for no conversation about a picture."""
    entry = entry if isinstance(entry, dict) else {}
    pictures, turns = entry.get("image"), entry.get("conversations")
    images = [pictures] if isinstance(pictures, str) else pictures
    if not isinstance(images, list) or not images or not isinstance(turns, list) or not _alternate(turns):
        return None
    said = [turn["value"].replace(MARK, "").strip() for turn in turns]
    return images, list(zip(said[0::2], said[1::2], strict=False))


def _read(number: int, entry: Any, source: Source) -> Iterator[Row]:
    found = read_entry(entry)
    if found is None:
        remark(f"left out: entry {number} of {source.path} is no conversation about a picture")
        return
    images, pairs = found
    for place, (question, answer) in enumerate(pairs):
        before = [{"question": asked, "answer": told} for asked, told in pairs[:place]]
        yield {
            "image": images[0], "references": images[1:], "question": question, "answer": answer,
            "type": "conversation", "choices": None, "turns": before or None, "source": str(entry.get("id", number)),
        }  # fmt: skip


def _alternate(turns: list[Any]) -> bool:
    """Human and model by turns, each with text?"""
    return all(
        isinstance(turn, dict) and isinstance(turn.get("value"), str) and turn.get("from") in (HUMAN, MODEL)[place % 2]
        for place, turn in enumerate(turns)
    )
