"""What a question wants compared among the defects: "Is the second bigger than the first?", "do both look alike?"."""

import re
from dataclasses import dataclass

from assistant.boxes import find_box
from assistant.choices import parse_choices
from assistant.claims import spotted_places
from assistant.focus import Focus, at_places, one_of
from assistant.inspection import Inspection
from assistant.question_reader import TOGETHER, singled_out
from assistant.spoken import COUNTS
from assistant.worked_out.comparison_lexicon import (
    A_DEFECT,
    ALL,
    ATTRIBUTES,
    BACK,
    BESIDE,
    BESIDE_ALL,
    EQUAL,
    GREATER,
    JOINED,
    LESSER,
    NAMED,
    ONE_OR_OTHER,
    PIVOT,
    PLACED,
    RANKS,
    RELATES,
    SIZED,
    TWO_ONES,
    UNEQUAL,
)
from assistant.worked_out.reading import plain

IT = ", it being "  # how `following` puts what "it" is
DIRECTION = re.compile(r"\b(?:to the )?(?:left|right) of\b|\b(?:more|further|farther) (?:to the )?(?:left|right)\b")


@dataclass(frozen=True)
class Comparison:
    """What is compared in which respect, a key of `ATTRIBUTES` or "any": two sides of one or more regions, or all of
    them with each other (None), or `ranked`. `asked` is the question without the names of the sides, lower case."""

    attribute: str
    sides: tuple[Focus, Focus] | None
    asked: str
    ranked: bool = False


def find_comparison(question: str, inspection: Inspection) -> Comparison | None:
    """What a question wants compared among several defects; None where it compares nothing, or something else."""
    if len(inspection.regions) < 2 or parse_choices(question) or find_box(question):
        return None
    words, _, it = question.partition(IT)
    low = plain(words)
    if not low or BESIDE.search(low):
        return None
    named, asked = named_defects(low, inspection)
    relates = _relates(asked) or (bool(it) and PLACED.search(asked) is not None)
    if it:
        named = [*(named_defects(it.lower().rstrip(" ?"), inspection)[0] or _read(it, inspection)), *named]
    elif RANKS.search(low):
        return Comparison("size" if ATTRIBUTES["size"].search(low) else "severity", None, asked, ranked=True)
    elif len(named) < 2 and relates:
        named = _by_the_reader(low, inspection) or named
    attribute = _attribute(asked)
    if len(named) >= 2:
        held = (relates or attribute != "any" or JOINED.search(asked)) and _are_defects(named, relates, low)
        return Comparison(attribute, (named[0], named[1]), asked) if held else None
    if BESIDE_ALL.search(low) or any(focus.name != "other" for focus in named):  # "some are darker than others"
        return None
    every = ALL.search(asked) or re.search(rf"\b{COUNTS[len(inspection.regions)]}\b", asked)
    return Comparison(attribute, None, asked) if every and relates else None


def leaves_one_open(question: str, inspection: Inspection) -> bool:
    """Does it hold one of the defects against "it", which an earlier question has named?"""
    low = plain(question)
    by_word = BACK.search(low) and (GREATER.search(low) or LESSER.search(low))
    if not (_relates(low) or PLACED.search(low) or by_word) or ONE_OR_OTHER.search(low) or BESIDE_ALL.search(low):
        return False
    alone = find_comparison(question, inspection)
    return alone is None and find_comparison(f"{question.rstrip(' ?.!')}{IT}the main one?", inspection) is not None


def _relates(asked: str) -> bool:
    return any(pattern.search(asked) for pattern in RELATES)


def _attribute(asked: str) -> str:
    if SIZED.search(asked):
        return "size"
    return next((name for name, pattern in ATTRIBUTES.items() if pattern.search(asked)), "any")


def _are_defects(named: list[Focus], relates: bool, low: str) -> bool:
    """Do places stand for what is there ("the top one"), and not for where one may be ("Is it in the left half?")?"""
    sorts = [focus.sort for focus in named[:2]]
    return "place" not in sorts or TWO_ONES.search(low) is not None or (relates and A_DEFECT.search(low) is not None)


def named_defects(low: str, inspection: Inspection) -> tuple[list[Focus], str]:
    """The defects that are named, in reading order, and the words with "_" for their names."""
    still = DIRECTION.sub(lambda match: " " * len(match.group()), low)
    found = list[tuple[tuple[int, int], Focus]]()
    for match in NAMED.finditer(still):
        # "The second most serious" is one of them, and neither the second nor the main one.
        if not found or match.start() - found[-1][0][1] > 1:
            found.append((match.span(), one_of(match.lastgroup or "main", inspection)))
    for span, place in spotted_places(still):
        if all(span[1] <= start or span[0] >= end for (start, end), _ in found):
            found.append((span, at_places((place,), inspection)))
    rest = low
    for (start, end), _ in found:
        rest = f"{rest[:start]}{'_' * (end - start)}{rest[end:]}"
    return list({focus.name: focus for _, focus in sorted(found, key=lambda pair: pair[0])}.values()), rest


def _by_the_reader(low: str, inspection: Inspection) -> list[Focus]:
    """Two defects that are named otherwise, on either side of a word that holds one against the other."""
    for match in PIVOT.finditer(low):
        left, right = low[: match.start()].rsplit(",", 1)[-1], low[match.end() :].split(",", 1)[0]
        sides = [named_defects(part, inspection)[0][:1] or _read(part, inspection) for part in (left, right)]
        if all(sides) and sides[0][0].name != sides[1][0].name:
            return [sides[0][0], sides[1][0]]
    return []


def _read(words: str, inspection: Inspection) -> list[Focus]:
    for compared in (GREATER, LESSER, EQUAL, UNEQUAL):
        words = compared.sub(" ", words)
    one = singled_out(words) if words.strip() else None
    return [one_of(one, inspection)] if one and one != TOGETHER else []
