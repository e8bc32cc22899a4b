"""The true answer to a question, in the words of the facts line."""

from pathlib import Path

import numpy as np

from assistant import wording
from assistant.claims import polarity
from assistant.focus import Focus, at_places, called, together, whole_size, within
from assistant.inspection import Inspection
from assistant.spoken import COUNTS, ORDINALS, join, lowered, with_article
from data_gen.phrasings import TEMPLATES, load_phrasings
from data_gen.questions import Question, is_right
from data_gen.states import Situation, states
from data_gen.typed import choose, fill


def write_answer(
    question: Question,
    inspection: Inspection,
    rng: np.random.Generator,
    *,
    slots: dict[str, str] | None = None,
    folder: Path = TEMPLATES,
) -> str:
    """A true answer in the words of the facts line; `slots` saves working them out anew (see `fact_slots`)."""
    entry = entry_for(question, inspection)
    about = within(question.focus, inspection) if question.focus and question.focus.regions else inspection
    asked = polarity(question.plain) if question.intent == "presence" and question.plain.endswith("?") else None
    if entry == "brief_presence" and question.intent == "presence" and asked and inspection.verdict != "unsure":
        return "Yes." if asked == inspection.verdict else "No."
    answers = load_phrasings(folder).answers[entry]
    slots = (slots or fact_slots(inspection)) | _own_slots(question, inspection)
    state = next(state for state in states(entry, Situation.of(about)) if state in answers)
    text = fill(choose(answers[state], rng), slots)
    if entry == "presence" and asked and inspection.verdict != "unsure" and rng.random() < 0.5:
        return f"{'Yes' if asked == inspection.verdict else 'No'}, {lowered(text)}"
    return text


def entry_for(question: Question, inspection: Inspection) -> str:
    """The entry of answers.yaml: a place holds something or not, a leading question is agreed with or not."""
    intent = question.intent
    if question.length == "detail":
        return "detail"
    if question.length == "brief" or intent == "brief":
        return f"brief_{question.about if intent == 'brief' else intent}"
    if intent in ("leading_good", "leading_bad"):
        wanted = "good" if intent == "leading_good" else "defective"
        return "agree" if inspection.verdict == wanted else "disagree"
    if question.focus:
        return _entry_of_focus(question.focus, intent, inspection)
    if question.claim:
        return {True: "claimed_right", False: "claimed_wrong", None: "claimed_open"}[
            is_right(question.claim, inspection)
        ]
    if question.choice and inspection.verdict == "unsure" and set(question.choice[0].options.values()) == {"Yes", "No"}:
        return "choice_unsure"
    return intent


def _entry_of_focus(focus: Focus, intent: str, inspection: Inspection) -> str:
    """What is singled out is there, or is not; its size, kind, look, severity or place is told as that of the whole."""
    if focus.beside:
        return "box_outside"
    asked = "one" if intent == "others" else intent.removeprefix("one_")
    if focus.sort == "one":
        return asked if focus.regions or not inspection.regions else "one_missing"
    if focus.sort == "place" and intent != "cell" and focus.regions:
        return "cell_count" if asked == "count" else asked
    if focus.sort == "area":
        return "total"
    if focus.sort == "kind":
        return "sort_here" if focus.regions else "sort_none"
    return f"{'box' if focus.sort == 'box' else 'cell'}_{'here' if focus.regions else 'clear'}"


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
    places = wording.places(inspection)
    return slots | {
        "the": f"the {wording.noun(inspection, len(regions))}", "it": "they" if many else "it",
        "is": "are" if many else "is", "cover": "cover" if many else "covers",
        "look": "look" if many else "looks", "them": "them" if many else "it",
        "places": places, "cells": places.removeprefix("in the "), "number": COUNTS[len(regions)],
        "sizes": wording.sizes(inspection),
        "severities": wording.by_place(inspection, lambda region: region.severity),
        "kinds": wording.by_place(inspection, lambda region: with_article(region.type)),
        "looks": wording.looks(inspection), "listed": wording.listed(inspection), "details": _details(inspection),
        "first": wording.described(regions[0], inspection), "first_place": f"in the {regions[0].position}",
        "worst": f"{'the main one' if many else 'it'} is {regions[0].severity}",
        "first_named": wording.named(regions[0], inspection),
    }  # fmt: skip


def _details(inspection: Inspection) -> str:
    """A sentence a region, and one for the places of the rest."""
    regions = inspection.regions
    names = ("It",) if len(regions) == 1 else tuple(f"The {ordinal}" for ordinal in ORDINALS)
    told = [
        f"{name} is {wording.described(region, inspection)}: {wording.look(region)}, {wording.size_of(region)} "
        "of the photo."
        for name, region in zip(names, regions[: wording.LISTED], strict=False)
    ]
    if rest := regions[wording.LISTED :]:
        told.append(f"The rest: in the {join(dict.fromkeys(region.position for region in rest))}.")
    return " ".join(told)


def _own_slots(question: Question, inspection: Inspection) -> dict[str, str]:
    """Slots of what this one question is about."""
    if focus := question.focus:
        here = within(focus, inspection)
        slots = {"found": together(focus.regions, inspection) if focus.regions else "", "which_is": called(focus)}
        if focus.sort == "area" and focus.regions:
            slots["total"] = whole_size(focus)
        if focus.sort == "place":
            slots["where"] = wording.at(focus.name)
        return (fact_slots(here) if focus.regions and focus.sort != "box" else {}) | slots
    if question.claim:
        return {"fact": _fact(*question.claim, inspection)}
    if question.choice:
        choices, letter = question.choice
        return {"letter": letter, "option": choices.options[letter]}
    return {}


def _fact(slot: str, value: str, inspection: Inspection) -> str:
    """What the Inspection has to say on the subject of a user's claim."""
    if not inspection.regions:
        return "it looks good, with no defects"
    many = len(inspection.regions) > 1
    if slot == "cell":
        there = at_places((value,), inspection).regions
        if there:
            return f"I see {together(there, inspection)} {wording.at(value)}"
        return (
            f"the {wording.noun(inspection, 2 if many else 1)} {'are' if many else 'is'} {wording.places(inspection)}"
        )
    if slot == "number":
        return f"I see {wording.counted(inspection)}"
    kinds = wording.by_place(inspection, lambda region: with_article(region.type))
    return f"{'they look' if many else 'it looks'} like {kinds}"
