"""One row being asked, step by step."""

from dataclasses import dataclass, field
from typing import Generic, TypeVar

from assistant.choices import parse_choices
from assistant.evaluation import Row

Opened = TypeVar("Opened")  # what an answerer keeps of a photo while it is asked about it
INSTRUCTION = "Answer with the letter of the right option."


@dataclass(eq=False)
class Dialogue(Generic[Opened]):
    """The questions of a row, the earlier ones first, and what was answered so far.

    `pixels` is the size of the photo and its references, `scores` the `choice_scores` of the row.
    """

    row: Row
    opened: Opened
    pixels: int
    replies: list[str] = field(default_factory=list)
    scores: dict[str, float] | None = None

    def __post_init__(self) -> None:
        self.questions = questions_of(self.row)

    @property
    def asked(self) -> list[str]:
        """Up to and with the one that comes next."""
        return self.questions[: len(self.replies) + 1]

    @property
    def question(self) -> str:
        """The one that comes next."""
        return self.asked[-1]

    @property
    def letters(self) -> tuple[str, ...]:
        """Whose scores are wanted of the next step."""
        return tuple(self.row.get("choices") or ()) if len(self.replies) == len(self.questions) - 1 else ()

    @property
    def done(self) -> bool:
        return len(self.replies) == len(self.questions)

    def record(self, inspection: Row | None = None, contradictions: list[str] | None = None) -> Row:
        """The row with its answer."""
        return self.row | {
            "prediction": self.replies[-1], "earlier": self.replies[:-1], "inspection": inspection,
            "contradictions": contradictions, "choice_scores": self.scores,
        }  # fmt: skip


def questions_of(row: Row) -> list[str]:
    """Everything to be asked, the row's own question last and with its options, unless they are in it already."""
    earlier = [turn if isinstance(turn, str) else turn["question"] for turn in row.get("turns") or ()]
    question, choices = row["question"], row.get("choices")
    if choices and parse_choices(question) is None:
        options = "".join(f"\n{letter}: {text}" for letter, text in choices.items())
        question = f"{question}{options}\n{INSTRUCTION}"
    return [*earlier, question]
