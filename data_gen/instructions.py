"""Facts -> multi-turn dialogues about one photo, every claim of which follows from the Inspection.

A user asks in any of some hundred thousand ways (`templates/questions.yaml`, slots, openers, slips of the
key); the assistant answers in a handful of plain ways with exactly the words of the facts line, so that a
small model can learn to copy. Nothing here depends on how the Inspection came about.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from assistant import wording
from assistant.claims import polarity
from assistant.inspection import POSITIONS, Inspection, Region
from data_gen.phrasings import TEMPLATES, choose, draw, dress, fill, load_phrasings, roughen

Message = dict[str, str]

# How often each intent comes up. Verdict, place and the refusal of other topics matter most.
WEIGHTS = {
    "presence": 14, "location": 9, "count": 6, "size": 6, "severity": 6, "kind": 7, "look": 5, "confidence": 6,
    "cell": 9, "comparison": 4, "advice": 5, "report": 6, "why": 3, "else": 3, "main": 3, "leading_good": 5,
    "leading_bad": 5, "correction": 3, "greeting": 2, "thanks": 2, "identity": 2, "unanswerable": 3, "unrelated": 7,
}  # fmt: skip
INTENTS = tuple(WEIGHTS)
SOCIAL = ("greeting", "thanks", "identity", "unanswerable", "unrelated")  # leave no thread to follow
LATER = ("why", "else", "correction", "thanks", "main")  # take up what was said; never first
AGAIN = ("cell", "unrelated")  # may come twice in a dialogue
SIDES = {
    "upper": "in the upper part", "lower": "in the lower part",
    "left": "on the left side", "right": "on the right side",
}  # fmt: skip


@dataclass(frozen=True)
class Question:
    """What the user typed, what is meant, and the place when it is about one (a cell or a side)."""

    text: str
    intent: str
    cell: str | None = None
    plain: str = ""  # before openers and slips of the key


def questions_for(intent: str, *, follow: bool = False, folder: Path = TEMPLATES) -> tuple[str, ...]:
    """The question templates of an intent of `INTENTS`; with `follow` those that need a thread."""
    phrasings = load_phrasings(folder)
    return (phrasings.follow if follow else phrasings.ask).get(intent, ())


def write_question(
    intent: str,
    rng: np.random.Generator,
    *,
    cell: str | None = None,
    follow: bool = False,
    noise: bool = True,
    folder: Path = TEMPLATES,
) -> Question:
    """One question of this intent; `cell` (of `POSITIONS`, or a side) is drawn where the intent needs one."""
    phrasings = load_phrasings(folder)
    slots = phrasings.slots
    if intent == "cell":
        cell = cell or choose(POSITIONS if rng.random() < 0.8 else tuple(SIDES), rng)
        slots = {**slots, "cell": slots[f"cell_{cell.replace(' ', '_')}"]}
    plain = draw(choose(questions_for(intent, follow=follow, folder=folder), rng), slots, rng)
    text = plain
    if noise:
        if intent not in ("greeting", "thanks", "correction") and not follow:
            text = dress(text, slots, rng)
        text = roughen(text, rng)
    return Question(text, intent, cell if intent == "cell" else None, plain)


def write_answer(
    question: Question,
    inspection: Inspection,
    rng: np.random.Generator,
    *,
    slots: dict[str, str] | None = None,
    folder: Path = TEMPLATES,
) -> str:
    """A true answer in the words of the facts line; `slots` saves working them out anew (see `fact_slots`)."""
    answers = load_phrasings(folder).answers
    intent = _answering(question, inspection)
    slots = slots or fact_slots(inspection)
    if question.cell:
        slots = slots | _cell_slots(question.cell, inspection)
    state = next(state for state in _states(intent, inspection) if state in answers[intent])
    text = fill(choose(answers[intent][state], rng), slots)
    if intent == "presence" and rng.random() < 0.5:
        text = _with_yes_or_no(text, question.plain, inspection.verdict)
    return text


def _answering(question: Question, inspection: Inspection) -> str:
    """The entry of answers.yaml: leading questions are agreed with or not, a cell holds something or not."""
    if question.intent in ("leading_good", "leading_bad"):
        wanted = "good" if question.intent == "leading_good" else "defective"
        return "agree" if inspection.verdict == wanted else "disagree"
    if question.intent == "cell":
        return "cell_here" if _regions_at(question.cell or "center", inspection) else "cell_clear"
    return question.intent


def _states(intent: str, inspection: Inspection) -> list[str]:
    """Keys of an answers.yaml entry that fit, the most special first."""
    verdict = inspection.verdict
    states = [verdict] if verdict == "good" else [verdict, "flagged"]
    if not inspection.references:
        states = [f"{state}_alone" for state in states] + states
    if len(inspection.regions) == 1:
        states = [f"{verdict}_one", "one", *states]
    if intent == "kind" and inspection.regions and not any(region.type for region in inspection.regions):
        states.insert(0, "unknown")
    if intent == "advice" and verdict == "defective":
        states.insert(0, inspection.regions[0].severity)
    return [*states, "any"]


def _with_yes_or_no(text: str, question: str, verdict: str) -> str:
    asked = polarity(question) if question.endswith("?") else None
    if asked is None or verdict == "unsure":
        return text
    head = text if text.startswith("I ") else text[:1].lower() + text[1:]
    return f"{'Yes' if asked == verdict else 'No'}, {head}"


def fact_slots(inspection: Inspection) -> dict[str, str]:
    """Every slot of answers.yaml; without regions those about regions stay empty and no template uses them."""
    regions = inspection.regions
    many = len(regions) > 1
    slots = {
        "sure": wording.spoken_confidence(inspection), "chance": wording.spoken_confidence(inspection),
        "counted": wording.counted(inspection), "refs": wording.counted_references(inspection),
        "noun": wording.noun(inspection, 1),
    }  # fmt: skip
    if not regions:
        return slots
    return slots | {
        "the": f"the {wording.noun(inspection, len(regions))}", "it": "they" if many else "it",
        "is": "are" if many else "is", "cover": "cover" if many else "covers",
        "look": "look" if many else "looks", "them": "them" if many else "it",
        "places": wording.places(inspection), "sizes": wording.sizes(inspection),
        "severities": wording.by_place(inspection, lambda region: region.severity),
        "kinds": wording.by_place(inspection, lambda region: wording.with_article(region.type)),
        "looks": wording.looks(inspection), "listed": wording.listed(inspection),
        "first": wording.described(regions[0], inspection), "first_place": f"in the {regions[0].position}",
        "worst": f"{'the main one' if many else 'it'} is {regions[0].severity}",
        "first_named": wording.named(regions[0], inspection),
    }  # fmt: skip


def _regions_at(cell: str, inspection: Inspection) -> list[Region]:
    return [region for region in inspection.regions if wording.is_at(region, cell)]


def _cell_slots(cell: str, inspection: Inspection) -> dict[str, str]:
    there = _regions_at(cell, inspection)
    found = dict.fromkeys(wording.named(region, inspection) for region in there[: wording.LISTED])
    return {"where": SIDES.get(cell, f"in the {cell}"), "found": wording.join(found) if there else ""}


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
        noise: openers, closers, lower case and slips of the key in what the user types.
        folder: where the templates are.
    """
    messages: list[Message] = []
    slots = fact_slots(inspection)
    done: list[str] = []
    for _ in range(int(rng.integers(turns[0], turns[1] + 1))):
        intent, follow = _next_intent(done, intents, rng)
        follow = follow and bool(questions_for(intent, follow=True, folder=folder))
        question = write_question(
            intent, rng, cell=_place_asked(inspection, rng), follow=follow, noise=noise, folder=folder
        )
        messages.append({"role": "user", "content": question.text})
        messages.append(
            {"role": "assistant", "content": write_answer(question, inspection, rng, slots=slots, folder=folder)}
        )
        done.append(intent)
    return messages


def _next_intent(done: list[str], intents: tuple[str, ...], rng: np.random.Generator) -> tuple[str, bool]:
    """The next intent, and whether it may be asked in a word or two because a thread is there."""
    thread = bool(done) and done[-1] not in SOCIAL
    weights = [
        0.0 if (intent in done and intent not in AGAIN) or (intent in LATER and not thread) else float(WEIGHTS[intent])
        for intent in intents
    ]
    if done and "greeting" in intents:
        weights[intents.index("greeting")] *= 0.1  # one greets first
    if not any(weights):
        weights = [1.0] * len(intents)
    edges = np.cumsum(weights)
    intent = intents[int(np.searchsorted(edges, rng.random() * edges[-1], side="right"))]
    return intent, thread and bool(rng.random() < 0.45)


def _place_asked(inspection: Inspection, rng: np.random.Generator) -> str | None:
    """Half of the questions about a place go where something is; or else the answer is nearly always no."""
    cells = tuple(cell for region in inspection.regions for cell in region.cells)
    return choose(cells, rng) if cells and rng.random() < 0.5 else None
