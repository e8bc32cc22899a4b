"""The turns of one user about one photo."""

import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from assistant.boxes import find_box, note
from assistant.grounding import ground, ground_stream, known_answer
from assistant.inspection import Inspection
from assistant.wording import summarize

if TYPE_CHECKING:
    from assistant.assistant import Assistant

REMEMBERED_TURNS = 6  # what the language model is shown of the past, beside the facts of the photo


@dataclass(frozen=True)
class Turn:
    """A question and its (grounded) answer."""

    question: str
    answer: str


class Chat:
    """A conversation about one inspected photo; it cannot exist without one.

    Args:
        assistant: who answers.
        photo: (H, W, 3) uint8.
        inspection: what was found on it, with its anomaly map.
    """

    def __init__(self, assistant: "Assistant", photo: np.ndarray, inspection: Inspection) -> None:
        assert inspection.anomaly_map is not None, "a chat needs the map itself"
        self.assistant, self.photo, self.inspection = assistant, photo, inspection
        self.turns: list[Turn] = []
        self._stop = threading.Event()

    def stream(self, question: str) -> Iterator[str]:
        """The answer, piece by piece; what is passed on never contradicts the Inspection.

        The turn is kept when the answer ends, also when it was stopped, but not when it failed.
        """
        question = _one_line(question)
        said = ""
        self._stop.clear()  # before the wait for another answer, so that a stop during it counts
        with self.assistant.speaking():
            words = self.assistant.say(*self.prompt(question), self._stop)
            with closing(words):  # its thread ends before the next answer may begin
                try:
                    for piece in ground_stream(words, self.inspection, question):
                        said += piece
                        yield piece
                    if not said.strip() and not self._stop.is_set():  # a model may have nothing to say; we do
                        said = known_answer(self.inspection, question)
                        yield said
                except (GeneratorExit, KeyboardInterrupt):
                    self.turns.append(Turn(question, said.strip()))
                    raise
                self.turns.append(Turn(question, said.strip()))

    def ask(self, question: str) -> str:
        """The whole answer at once."""
        for _ in self.stream(question):
            pass
        return self.turns[-1].answer

    def add_turn(self, question: str, words: str) -> str:
        """Keep a turn whose words were written elsewhere, in a batch; gives the answer, grounded as `stream` does."""
        question = _one_line(question)
        said = ground(words, self.inspection, question).strip() or known_answer(self.inspection, question)
        self.turns.append(Turn(question, said))
        return said

    def stop(self) -> None:
        """End the answer that is being written; callable from any thread."""
        self._stop.set()

    def prompt(self, question: str) -> tuple[list[dict[str, Any]], np.ndarray, np.ndarray]:
        """What the language model is given: messages, photo (H, W, 3) and anomaly map (H, W)."""
        assert self.inspection.anomaly_map is not None
        return self.messages(question), self.photo, self.inspection.anomaly_map

    def messages(self, question: str) -> list[dict[str, Any]]:
        """The prompt: photo, map and facts with the first question shown, then the latest turns."""
        shown = self.turns[-REMEMBERED_TURNS:]
        questions = [turn.question for turn in shown] + [question]
        return build_messages(self.inspection, questions, [turn.answer for turn in shown])


def build_messages(inspection: Inspection, questions: list[str], answers: list[str]) -> list[dict[str, Any]]:
    """Messages in the convention of transformers; training and serving both build them here.

    The first question carries the photo, the anomaly map and the facts line of the Inspection; a question about a
    box carries what was found in it, for the facts line knows no pixels. Line breaks become blanks.
    """
    messages: list[dict[str, Any]] = []
    for i, question in enumerate(questions):
        opening: list[dict[str, Any]] = []
        if i == 0:
            opening = [{"type": "image"}, {"type": "anomaly"}, {"type": "text", "text": summarize(inspection)}]
        if box := find_box(question):
            opening.append({"type": "text", "text": note(box, inspection)})
        asked = {"type": "text", "text": _one_line(question)}
        messages.append({"role": "user", "content": [*opening, asked]})
        if i < len(answers):
            messages.append({"role": "assistant", "content": [{"type": "text", "text": answers[i]}]})
    return messages


def _one_line(question: str) -> str:
    return " ".join(question.split())
