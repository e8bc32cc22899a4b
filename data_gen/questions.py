"""What a user types: an intent, worded in one of many ways, with the place, box, options or claim it is about."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from assistant import wording
from assistant.boxes import Box
from assistant.choices import Choices
from assistant.focus import SIDES, Focus, at_places, find_focus, in_box, of_kind, one_of, together_cover
from assistant.inspection import KINDS, POSITIONS, Inspection
from assistant.question_reader import ONES, is_unrelated
from assistant.spoken import COUNTS, with_article
from assistant.worked_out import worked_out
from data_gen.boxes import draw_box
from data_gen.choices import write_choice
from data_gen.phrasings import TEMPLATES, load_phrasings
from data_gen.states import BRIEF
from data_gen.typed import choose, continued, draw, dress, fill, roughen, slots_of

DETAIL = (*BRIEF, "look", "report", "comparison")  # what one may want to know in detail
CLAIMS = ("cell", "number", "kind")  # slots of what a user may claim
FOCUSED = ("cell", "one", "one_there", "sorts")  # slots of what a question singles out
BEYOND = ("unrelated", "unanswerable")  # what no photo of a part tells
TRIES = 8  # for a question that is read as it is meant
UNDRESSED = ("greeting", "thanks", "correction", "brief", "choice")  # take no opener and no closer


@dataclass(frozen=True)
class Question:
    """What the user typed and what is meant; `focus` is what the question singles out."""

    text: str
    intent: str
    plain: str  # before openers and slips of the key
    length: str = ""  # "brief" or "detail" where the user asked for it
    about: str = "presence"  # intent of the thread that "in one word?" takes up
    focus: Focus | None = None
    box: Box | None = None
    choice: tuple[Choices, str] | None = None  # with the right letter
    claim: tuple[str, str] | None = None  # slot and value of what the user says: ("number", "two")


def questions_for(intent: str, *, follow: bool = False, folder: Path = TEMPLATES) -> tuple[str, ...]:
    """The question templates of an intent of `INTENTS`; with `follow` those that need a thread."""
    phrasings = load_phrasings(folder)
    return (phrasings.follow if follow else phrasings.ask).get(intent, ())


def write_question(
    intent: str,
    inspection: Inspection,
    rng: np.random.Generator,
    *,
    about: str = "presence",
    follow: bool = False,
    noise: bool = True,
    folder: Path = TEMPLATES,
    tries: int = TRIES,
) -> Question:
    """One question of this intent, read by the assistant as it is meant where one of so many `tries` is.

    Args:
        intent: one of `INTENTS`.
        inspection: half of the questions about a place go where something is, or the answer were nearly always no.
        about: what the thread was about before.
        follow: worded as one asks when a thread is there.
        noise: openers, closers, a wish for a length, lower case and slips of the key.
        folder: where the templates are.
        tries: 1 takes the first question, however it would be read.
    """
    question = _draw_question(intent, inspection, rng, about, follow, noise, folder)
    if tries == 1 or _reads_as_meant(question, inspection):
        return question
    again = tries - 1
    return write_question(intent, inspection, rng, about=about, follow=follow, noise=noise, folder=folder, tries=again)


def _draw_question(
    intent: str, inspection: Inspection, rng: np.random.Generator, about: str, follow: bool, noise: bool, folder: Path
) -> Question:
    phrasings = load_phrasings(folder)
    if intent == "choice":
        text, choices, letter = write_choice(inspection, phrasings, rng)
        return Question(text, intent, text, choice=(choices, letter))
    template = choose((phrasings.follow if follow else phrasings.ask)[intent], rng)
    slots, focus, box, claim = phrasings.slots, None, None, None
    if intent == "claimed":
        claim = _claim(next(name for name in slots_of(template) if name in CLAIMS), inspection, rng)
        slots = slots | {claim[0]: _spoken(claim[1], slots)}
    elif intent == "box":
        box = draw_box(inspection, rng)
        focus = in_box(box, inspection)
        slots = slots | {"box": (str(list(box)),)}
    elif intent == "total":
        focus = together_cover(inspection)
    elif intent == "others":
        focus = one_of("other", inspection)
    elif own := next((name for name in slots_of(template) if name in FOCUSED), None):
        focus = _singled(own, inspection, rng)
        slots = slots | {own: _names(own, focus, slots, rng)}
    plain, length = draw(template, slots, rng), ""
    if noise and not follow and (length := _length(intent, rng)):
        plain = fill(choose(slots[f"in_{length}"], rng), {"question": plain})
    dressed = plain if follow or length or intent in UNDRESSED or not noise else dress(plain, slots, rng)
    text = roughen(dressed, rng) if noise else plain
    return Question(text, intent, plain, length=length, about=about, focus=focus, box=box, claim=claim)


def _reads_as_meant(question: Question, inspection: Inspection) -> bool:
    """A slip, or what is put before and behind, must not make it another place or defect, or none of our business."""
    read = find_focus(question.text, inspection)
    if worked_out(question.text, inspection):
        return False  # no language model answers it
    if is_unrelated(question.text) != (question.intent in BEYOND):
        return False
    if question.focus is not None:
        return read == question.focus
    allowed = ("main",) if question.intent == "main" else ()
    return read is None or read.sort not in ("one", "area") or read.name in allowed


def write_two(first: str, second: str, rng: np.random.Generator, folder: Path = TEMPLATES) -> str:
    """Two questions in one message: "Where is it, and how large is the defect?", "Where is it? And how bad?"."""
    phrasings = load_phrasings(folder)
    asked = draw(choose(phrasings.ask[first], rng), phrasings.slots, rng)
    if rng.random() < 0.4:
        text = f"{asked} {draw(choose(phrasings.follow[second], rng), phrasings.slots, rng)}"
    else:
        also = draw(choose(phrasings.ask[second], rng), phrasings.slots, rng)
        text = f"{asked.rstrip('?.')}{choose((' and ', ', and ', ' and also ', ' + '), rng)}{continued(also)}"
    return roughen(text, rng)


def _length(intent: str, rng: np.random.Generator) -> str:
    """How long an answer the user asks for, where they say so."""
    drawn = rng.random()
    if drawn < 0.07 and intent in BRIEF:
        return "brief"
    return "detail" if drawn > 0.97 and intent in DETAIL else ""


def _spoken(value: str, slots: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    """The names of a place, or the value itself."""
    return slots.get(f"cell_{value.replace(' ', '_')}", (value,))


def _singled(slot: str, inspection: Inspection, rng: np.random.Generator) -> Focus:
    """A place, one of the defects, or a kind of them: mostly one that is there."""
    if slot == "one":
        count = len(inspection.regions)
        there = tuple(name for name in ONES if one_of(name, inspection).regions)
        return one_of(choose(there if count > 1 and rng.random() < 0.9 else tuple(ONES), rng), inspection)
    if slot == "sorts":
        kinds = tuple(region.type for region in inspection.regions if region.type)
        return of_kind(choose(kinds if kinds and rng.random() < 0.5 else KINDS, rng), inspection)
    return at_places((_place(inspection, rng),), inspection)


def _names(slot: str, focus: Focus, slots: dict[str, tuple[str, ...]], rng: np.random.Generator) -> tuple[str, ...]:
    """What people call it: "bottom left", "the tiniest mark", "the flaw in the bottom left", "scratches"."""
    if slot in ("one", "sorts"):
        words = slots[f"{slot}_{focus.name.replace(' ', '_')}"]
        return words if slot == "sorts" else tuple(draw(word, slots, rng) for word in words)
    places = _spoken(focus.name, slots)
    return places if slot == "cell" else (draw(choose(slots["there"], rng), slots | {"cell": places}, rng),)


def _place(inspection: Inspection, rng: np.random.Generator) -> str:
    cells = tuple(cell for region in inspection.regions for cell in region.cells)
    if cells and rng.random() < 0.5:
        return choose(cells, rng)
    return choose(POSITIONS if rng.random() < 0.8 else SIDES, rng)


def _claim(slot: str, inspection: Inspection, rng: np.random.Generator) -> tuple[str, str]:
    """What the user says of the part, true or not: half of the time they are right, where they can be."""
    regions = inspection.regions
    right = bool(regions) and rng.random() < 0.5
    if slot == "cell":
        return slot, choose(tuple(region.position for region in regions) if right else POSITIONS, rng)
    if slot == "number":
        some = COUNTS[2:]
        return slot, COUNTS[len(regions)] if right and len(regions) > 1 else choose(some, rng)
    kinds = tuple(region.type for region in regions if region.type)
    return slot, with_article(choose(kinds if right and kinds else KINDS, rng))


def is_right(claim: tuple[str, str], inspection: Inspection) -> bool | None:
    """Does the Inspection bear out what the user says? None where it cannot tell (a kind that is not known)."""
    slot, value = claim
    regions = inspection.regions
    if slot == "cell":
        return any(wording.is_at(region, value) for region in regions)
    if slot == "number":
        return COUNTS[len(regions)] == value
    if any(region.type and with_article(region.type) == value for region in regions):
        return True
    return None if any(region.type is None for region in regions) else False
