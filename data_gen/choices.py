"""Multiple choice from the facts: one option that is true, up to three that are truly wrong, letters shuffled.

The form is that of MMAD (Jiang et al. 2025): a question, options A to D, answered with a letter.
"""

import itertools
from collections.abc import Callable

import numpy as np

from assistant.choices import Choices
from assistant.claims import polarity
from assistant.inspection import KINDS, POSITIONS, SEVERITIES, SHAPES, TONES, Inspection
from assistant.spoken import COUNTS, as_sentence, with_article
from assistant.wording import is_at, shape_and_tone
from data_gen.phrasings import SUBTASKS, Phrasings
from data_gen.typed import choose, draw

WRONG = 3  # options that are not true
STYLES = ("{}: {}", "{}. {}", "{}) {}", "({}) {}")
Options = tuple[str, list[str]]  # the right one, and wrong ones


def write_choice(inspection: Inspection, phrasings: Phrasings, rng: np.random.Generator) -> tuple[str, Choices, str]:
    """(question as typed, its stem and options, letter of the right option)."""
    while True:  # "presence" fits every Inspection, so that this ends
        subtask = SUBTASKS[int(rng.random() * len(SUBTASKS))]
        stem = draw(choose(phrasings.choices[subtask], rng), phrasings.slots, rng)
        if (options := _options(subtask, stem, inspection, phrasings.choices["nothing"], rng)) is not None:
            break
    right, wrong = options
    texts = [right, *(wrong[i] for i in rng.permutation(len(wrong))[:WRONG])]
    order = [int(i) for i in rng.permutation(len(texts))]
    choices = Choices(stem, {chr(ord("A") + i): as_sentence(texts[place]) for i, place in enumerate(order)})
    letter = chr(ord("A") + order.index(0))
    return _typed(choices, phrasings, rng), choices, letter


def _typed(choices: Choices, phrasings: Phrasings, rng: np.random.Generator) -> str:
    style, break_ = choose(STYLES, rng), choose(("\n", " "), rng)
    end = choose(("", "", ".", ";"), rng) if break_ == " " else ""
    options = [style.format(letter, text) + end for letter, text in choices.options.items()]
    stem, told = choices.stem, rng.random()
    if told < 0.3:
        stem = f"{stem} {choose(phrasings.slots['instruction'], rng)}"
    elif told < 0.5:
        options.append(choose(phrasings.slots["instruction"], rng))
    return break_.join([stem, *options])


def _options(
    subtask: str, stem: str, inspection: Inspection, nothing: tuple[str, ...], rng: np.random.Generator
) -> Options | None:
    """None where the facts do not leave exactly one answer."""
    none = choose(nothing, rng)
    if subtask == "presence":
        return _yes_or_no(stem, inspection)
    if not inspection.regions:
        return none, _any_wrong(subtask, rng)
    found = _OF_REGIONS[subtask](inspection)
    if found is None:
        return None
    right, wrong = found
    return right, [*rng.permutation(wrong)[: WRONG - 1].tolist(), none] if rng.random() < 0.4 else wrong


def _yes_or_no(stem: str, inspection: Inspection) -> Options:
    verdict = inspection.verdict
    if verdict == "unsure":
        verdict = "defective" if inspection.probability >= 0.5 else "good"
    return ("Yes", ["No"]) if polarity(stem) == verdict else ("No", ["Yes"])


def _any_wrong(subtask: str, rng: np.random.Generator) -> list[str]:
    """Options about a defect, for a photo without one."""
    everything = {
        "location": [f"in the {cell}" for cell in POSITIONS],
        "kind": [with_article(kind) for kind in KINDS],
        "look": [shape_and_tone(shape, tone) for shape, tone in itertools.product(SHAPES, TONES)],
        "severity": list(SEVERITIES),
        "count": list(COUNTS[1:]),
    }[subtask]
    return [str(option) for option in rng.permutation(everything)[:WRONG]]


def _places(inspection: Inspection) -> Options | None:
    free = [cell for cell in POSITIONS if not any(is_at(region, cell) for region in inspection.regions)]
    return (f"in the {inspection.regions[0].position}", [f"in the {cell}" for cell in free]) if len(free) > 1 else None


def _kinds(inspection: Inspection) -> Options | None:
    kinds = {region.type for region in inspection.regions}
    first = inspection.regions[0].type
    return None if first is None else (with_article(first), [with_article(k) for k in KINDS if k not in kinds])


def _looks(inspection: Inspection) -> Options:
    there = {(region.shape, region.tone) for region in inspection.regions}
    others = [pair for pair in itertools.product(SHAPES, TONES) if pair not in there]
    first = inspection.regions[0]
    return shape_and_tone(first.shape, first.tone), [shape_and_tone(*pair) for pair in others]


def _severities(inspection: Inspection) -> Options | None:
    first, *others = (region.severity for region in inspection.regions)
    return None if any(grade != first for grade in others) else (first, [g for g in SEVERITIES if g != first])


def _counts(inspection: Inspection) -> Options:
    number = len(inspection.regions)
    return COUNTS[number], [COUNTS[other] for other in range(1, len(COUNTS)) if other != number]


_OF_REGIONS: dict[str, Callable[[Inspection], Options | None]] = {
    "location": _places, "kind": _kinds, "look": _looks, "severity": _severities, "count": _counts,
}  # fmt: skip
