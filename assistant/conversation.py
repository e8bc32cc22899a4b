"""The turns of one user about one photo, or about the area of it that the user chose."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from assistant.area import Area, scoped, unscoped
from assistant.claims import asked_places, asks_about_part
from assistant.corrections import NO_CORRECTIONS, Corrections
from assistant.focus import find_focus, note, tell_focus
from assistant.following import completed
from assistant.grounding import ground, ground_stream, known_answer
from assistant.inspection import Inspection
from assistant.steering import steer
from assistant.wording import summarize, tell

if TYPE_CHECKING:
    from assistant.assistant import Assistant

REMEMBERED_TURNS = 6  # what the language model is shown of the past, beside the facts of the photo


@dataclass(frozen=True)
class Turn:
    """A question and its (grounded) answer; `inspection`, without its map, is what the answer was held against.

    `at` orders the turns of several conversations: seconds of `time.monotonic`; `before` is the area that was judged
    when the question came.
    """

    question: str
    answer: str
    inspection: Inspection | None = field(default=None, compare=False, repr=False)
    at: float = field(default_factory=time.monotonic, compare=False, repr=False)
    before: Area | None = field(default=None, compare=False, repr=False)


class Chat:
    """A conversation about one inspected photo; it cannot exist without one.

    `whole` is the Inspection of all of the photo, `inspection` the current one: of the area that the user chose.

    Args:
        assistant: who answers.
        photo: (H, W, 3) uint8.
        inspection: what was found on it, with its anomaly map.
        references: the normal photos (H, W, 3) that it was compared with.
        corrections: marks that users have judged on photos of the product.
    """

    def __init__(
        self,
        assistant: "Assistant",
        photo: np.ndarray,
        inspection: Inspection,
        references: Sequence[np.ndarray] = (),
        corrections: Corrections = NO_CORRECTIONS,
    ) -> None:
        assert inspection.anomaly_map is not None, "a chat needs the map itself"
        self.assistant, self.photo, self.references = assistant, photo, references
        self.corrections = corrections
        self.whole = self.inspection = inspection
        self.turns: list[Turn] = []
        self._before: Area | None = None
        self._stop = threading.Event()

    def restrict(self, area: Area | None) -> Inspection:
        """Judge this area of the photo from now on, or all of it again; gives the new current Inspection."""
        self.inspection = self.inspect(area)
        return self.inspection

    def inspect(self, area: Area | None) -> Inspection:
        """What is found in an area of the photo, without restricting the conversation to it."""
        if area is None or area == self.inspection.area:
            return self.whole if area is None else self.inspection
        inspection = self.assistant.inspect(self.photo, self.references, area, self.corrections)
        return replace(inspection, image=self.whole.image)

    def take_back(self, turn: int) -> str:
        """Forget a turn, those after it, and what they restricted; gives its question."""
        gone = self.turns[turn]
        del self.turns[turn:]
        if gone.before != self.inspection.area:
            self.restrict(gone.before)
        return gone.question

    def stream(self, question: str, area: Area | None = None, *, varied: bool = False) -> Iterator[str]:
        """The answer, piece by piece; what is passed on never contradicts the Inspection.

        Words that restrict ("only the upper half", "ignore the left third", "look only here") change the current
        Inspection first. The turn is kept when the answer ends, also when it was stopped, but not when it failed.

        Args:
            question: what the user says.
            varied: choose words by chance, so that the same question gets another answer.
            area: what the user drew on the photo: "here" in the question; without words that restrict, this one
                answer is about it alone.

        Raises:
            UserError: nothing of the photo would be left to judge; then nothing changes.
        """
        question, self._before = _one_line(question), self.inspection.area
        steering = steer(question, self.inspection, self.photo, area)
        if steering is None:
            about = self.inspection if area is None else self.inspect(area)
            thread = (turn.question for turn in self._same_area(about)[-REMEMBERED_TURNS:])
            yield from self._answer(question, completed(question, thread, about), about, varied)
        elif steering.problem:
            yield self._keep(question, steering.problem, self.inspection)
        else:
            about = self.restrict(steering.area)
            if asks_about_part(steering.rest):
                yield from self._answer(question, steering.rest, about, varied)
            else:
                yield self._keep(question, scoped(tell("report", about), about.area), about)

    def _answer(self, question: str, asked: str, about: Inspection, varied: bool) -> Iterator[str]:
        """Words of the language model, held against one Inspection; `asked` is the question without what steers."""
        if beside := _left_out(asked, about):
            yield self._keep(question, beside, about)
            return
        said = ""
        self._stop.clear()  # before the wait for another answer, so that a stop during it counts
        with self.assistant.speaking():
            words = self.assistant.say(*self.prompt(asked, about), self._stop, varied)
            with closing(words):  # its thread ends before the next answer may begin
                try:
                    for piece in ground_stream(words, about, asked):
                        piece = piece if said else scoped(piece, about.area)
                        said += piece
                        yield piece
                    if not unscoped(said, about.area).strip() and not self._stop.is_set():  # it may have nothing to say
                        truth = scoped(known_answer(about, asked), None if said else about.area)
                        said += truth
                        yield truth
                except (GeneratorExit, KeyboardInterrupt):
                    self._keep(question, said, about)
                    raise
                self._keep(question, said, about)

    def _keep(self, question: str, said: str, about: Inspection) -> str:
        self.turns.append(Turn(question, said.strip(), replace(about, anomaly_map=None), before=self._before))
        return said

    def ask(self, question: str, area: Area | None = None) -> str:
        """The whole answer at once; see `stream`."""
        for _ in self.stream(question, area):
            pass
        return self.turns[-1].answer

    def add_turn(self, question: str, words: str) -> str:
        """Keep a turn whose words were written elsewhere, in a batch; gives the answer, grounded as `stream` does.

        Nothing in the question steers: in a benchmark each is about the whole photo.
        """
        question = _one_line(question)
        said = ground(words, self.inspection, question).strip() or known_answer(self.inspection, question)
        return self._keep(question, said, self.inspection)

    def replay(self, question: str, answer: str) -> None:
        """Take up a turn of a conversation that was kept elsewhere: words that restrict, restrict again."""
        question = _one_line(question)
        steering = steer(question, self.inspection, self.photo)
        if steering is not None and not steering.problem:
            self.restrict(steering.area)
        self._keep(question, answer, self.inspection)

    def stop(self) -> None:
        """End the answer that is being written; callable from any thread."""
        self._stop.set()

    def prompt(
        self, question: str, about: Inspection | None = None
    ) -> tuple[list[dict[str, Any]], np.ndarray, np.ndarray]:
        """What the language model is given: messages, photo (H, W, 3) and anomaly map (H, W)."""
        about = about or self.inspection
        assert about.anomaly_map is not None
        return self.messages(question, about), self.photo, about.anomaly_map

    def messages(self, question: str, about: Inspection | None = None) -> list[dict[str, Any]]:
        """The prompt: photo, map and facts with the first question shown, then the latest turns about the same area.

        Answers about another area would contradict these facts.
        """
        about = about or self.inspection
        shown = self._same_area(about)[-REMEMBERED_TURNS:]
        questions = [turn.question for turn in shown] + [question]
        return build_messages(about, questions, [unscoped(turn.answer, about.area) for turn in shown])

    def _same_area(self, about: Inspection) -> list[Turn]:
        return [turn for turn in self.turns if turn.inspection is None or turn.inspection.area == about.area]


def build_messages(inspection: Inspection, questions: list[str], answers: list[str]) -> list[dict[str, Any]]:
    """Messages in the convention of transformers; training and serving both build them here.

    The first question carries the photo, the anomaly map and the facts line of the Inspection; one about a box, a
    place or one of the defects carries what was found of that. Line breaks become blanks.
    """
    messages: list[dict[str, Any]] = []
    for i, question in enumerate(questions):
        opening: list[dict[str, Any]] = []
        if i == 0:
            opening = [{"type": "image"}, {"type": "anomaly"}, {"type": "text", "text": summarize(inspection)}]
        if focus := find_focus(question, inspection):
            opening.append({"type": "text", "text": note(focus, inspection)})
        asked = {"type": "text", "text": _one_line(question)}
        messages.append({"role": "user", "content": [*opening, asked]})
        if i < len(answers):
            messages.append({"role": "assistant", "content": [{"type": "text", "text": _one_line(answers[i])}]})
    return messages


def _left_out(question: str, about: Inspection) -> str | None:
    """The answer to a question about a box or places of which nothing is judged; None where it is about others."""
    if about.area is None:
        return None
    if (focus := find_focus(question, about)) and focus.beside:
        return tell_focus(focus, about)
    places = asked_places(question)
    return None if not places or any(map(about.judges, places)) else tell("cell", about, places[0])


def _one_line(text: str) -> str:
    """Blanks for line breaks; what is no character, as a terminal of another encoding sends it, becomes "?"."""
    return " ".join(text.encode("utf-8", "replace").decode("utf-8").split())
