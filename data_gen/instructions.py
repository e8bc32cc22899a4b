"""Facts -> multi-turn dialogues about one photo, every claim of which follows from the Inspection.

A user asks in any of some hundred thousand ways (`templates/questions.yaml`, slots, openers, slips of the
key); the assistant answers in a handful of plain ways with exactly the words of the facts line, so that a
small model can learn to copy. Nothing here depends on how the Inspection came about.
"""

from bisect import bisect
from itertools import accumulate
from pathlib import Path

import numpy as np

from assistant.inspection import Inspection
from data_gen.answers import fact_slots, write_answer
from data_gen.phrasings import TEMPLATES
from data_gen.questions import Question, questions_for, write_question, write_two
from data_gen.states import BRIEF
from data_gen.typed import choose

__all__ = ["INTENTS", "Message", "questions_for", "write_answer", "write_dialogue", "write_question"]

Message = dict[str, str]

# How often each intent comes up. Verdict, place and the refusal of other topics matter most.
WEIGHTS = {
    "presence": 18, "location": 13, "count": 7, "size": 7, "severity": 7, "kind": 7, "look": 5, "confidence": 6,
    "cell": 12, "box": 7, "choice": 8, "comparison": 4, "references": 2, "advice": 5, "report": 6, "detail": 2,
    "brief": 3, "why": 3, "else": 3, "main": 3, "leading_good": 5, "leading_bad": 5, "claimed": 4, "correction": 4,
    "one": 5, "one_location": 2, "one_size": 5, "one_severity": 2, "one_kind": 2, "one_look": 2, "one_count": 2,
    "sort": 5, "total": 3, "others": 2, "kind_sure": 2, "units": 2,
    "greeting": 5, "thanks": 2, "identity": 2, "unanswerable": 4, "unrelated": 9,
}  # fmt: skip
INTENTS = tuple(WEIGHTS)
SOCIAL = ("greeting", "thanks", "identity", "unanswerable", "unrelated")  # leave no thread to follow
LATER = ("why", "else", "correction", "thanks", "main", "brief")  # take up what was said; never first
AGAIN = ("cell", "box", "choice", "one", "one_size", "sort", "unrelated")  # may come twice in a dialogue
PAIRED = (*BRIEF, "look", "confidence")  # may be asked two at a time
TWO = 0.18  # share of those that are
SINGLED = (
    "one", "one_location", "one_size", "one_severity", "one_kind", "one_look", "one_count", "sort", "total", "others",
)  # fmt: skip
# About a place, a defect or options of their own: "how big?" after them would be unclear.
PLACED = ("cell", "box", "choice", *SINGLED)


def write_dialogue(
    inspection: Inspection,
    rng: np.random.Generator,
    *,
    turns: tuple[int, int] = (2, 6),
    intents: tuple[str, ...] = INTENTS,
    noise: bool = True,
    folder: Path = TEMPLATES,
) -> list[Message]:
    """Messages of user and assistant in turn, about this Inspection.

    Args:
        turns: fewest and most questions, both inclusive.
        intents: the kinds of question to draw from.
        noise: openers, closers, a wish for a length, lower case and slips of the key in what the user types.
        folder: where the templates are, if not those that come with the package (a translation, say).

    Raises:
        UserError: the templates do not hold what is needed; it says where and how to mend it.
    """
    messages: list[Message] = []
    slots = fact_slots(inspection)
    done: list[str] = []
    for _ in range(int(rng.integers(turns[0], turns[1] + 1))):
        intent, follow = _next_intent(done, intents, rng)
        follow = follow and bool(questions_for(intent, follow=True, folder=folder))
        about = done[-1] if done and done[-1] in BRIEF else "presence"
        left = [one for one in PAIRED if one in intents and one not in (*done, intent)]
        second = None if follow or not noise else _second(intent, left, rng)
        if second:
            text = write_two(intent, second, rng, folder)
            parts = [Question(text, one, "") for one in (intent, second)]
            # Of a good part there is nothing to add.
            parts = parts[:1] if inspection.verdict == "good" else parts
            answer = " ".join(write_answer(part, inspection, rng, slots=slots, folder=folder) for part in parts)
            done += [intent, second]
        else:
            question = write_question(intent, inspection, rng, about=about, follow=follow, noise=noise, folder=folder)
            text, answer = question.text, write_answer(question, inspection, rng, slots=slots, folder=folder)
            done.append(intent)
        messages += [{"role": "user", "content": text}, {"role": "assistant", "content": answer}]
    return messages


def _second(intent: str, left: list[str], rng: np.random.Generator) -> str | None:
    """What of `left` is asked together with this intent; mostly nothing."""
    return choose(tuple(left), rng) if intent in PAIRED and left and rng.random() < TWO else None


def _next_intent(done: list[str], intents: tuple[str, ...], rng: np.random.Generator) -> tuple[str, bool]:
    """The next intent, and whether it may be asked in a word or two because a thread is there."""
    last = done[-1] if done else None
    thread = last is not None and last not in SOCIAL
    shut = {*(intent for intent in done if intent not in AGAIN), *(LATER if not thread else ())}
    if last not in BRIEF:
        shut.add("brief")
    weights = [0.0 if intent in shut else float(WEIGHTS[intent]) for intent in intents]
    if done and "greeting" in intents:
        weights[intents.index("greeting")] *= 0.1  # one greets first
    edges = list(accumulate(weights if any(weights) else [1.0] * len(intents)))
    intent = intents[bisect(edges, rng.random() * edges[-1])]
    clear = last not in PLACED or intent in PLACED
    return intent, thread and clear and bool(rng.random() < 0.45)
