"""How defects compare, in words: the true answer to a `Comparison`."""

import math
import re
from collections.abc import Callable
from dataclasses import replace
from itertools import combinations

from assistant import wording
from assistant.focus import Focus, tell_focus
from assistant.inspection import SEVERITIES, Inspection, Region
from assistant.spoken import as_sentence, join, lowered, spoken_size, with_article
from assistant.wording import at, short_look, size_of, tell
from assistant.worked_out.comparing import Comparison
from assistant.worked_out.comparison_lexicon import EQUAL, GREATER, LESSER, NEGATED, POLAR, UNEQUAL

HIGHER, LOWER = r"\b(?:higher|above|up)\b", r"\b(?:lower|below|beneath|under|down)\b"
ONE_OR_SEVERAL = re.compile(r"\b(?:touch|overlap|meet|connected|joined|together|one and the same|single)")
AT_MOST_SAME = 1.15  # ratio of areas that no one tells apart by eye


def tell_comparison(comparison: Comparison, inspection: Inspection) -> str:
    """The true answer, of the areas, places and words that the Inspection holds."""
    if comparison.sides is None:
        return _tell_all(comparison, inspection)
    first, second = comparison.sides
    if missing := next((side for side in (first, second) if not side.regions), None):
        return tell_focus(missing, inspection)
    if first.regions == second.regions:
        return f"That is one and the same: {wording.listed(replace(inspection, regions=first.regions))}."
    return _tell_two(comparison, first, second, inspection)


def _tell_two(comparison: Comparison, first: Focus, second: Focus, inspection: Inspection) -> str:
    """Yes or no where it was asked and both are single, then what each is like."""
    attribute, names = comparison.attribute, [_named(side) for side in (first, second)]
    if attribute == "distance":
        return _apart(comparison, f"{names[0]} and {names[1]}", (*first.regions, *second.regions), inspection)
    singles = len(first.regions) == len(second.regions) == 1
    if attribute == "place":
        regions = first.regions[0], second.regions[0]
        return _beside(comparison, names, *regions) if singles else tell("position", inspection)
    word, verbs, ending = WORDS[attribute]
    if attribute == "kind" and not any(region.type for side in (first, second) for region in side.regions):
        return "I cannot name the kind of either."
    values = [join(dict.fromkeys(map(word, side.regions))) for side in (first, second)]
    verb, also = (verbs[len(side.regions) > 1] for side in (first, second))
    if values[0] == values[1]:
        told = f"{names[0]} {verb} {values[0]}{ending}, and so {DOES.get(also, also)} {names[1]}"
    elif attribute == "any":
        told = f"{names[0]} {verb} {values[0]}; {names[1]} {also} {values[1]}"
    else:
        told = f"{names[0]} {verb} {values[0]}{ending}, {names[1]} {values[1]}"
    truth = _truth(comparison, first.regions[0], second.regions[0]) if singles else None
    ratio = _ratio(names, first.regions[0], second.regions[0]) if singles and attribute == "size" else ""
    return f"{_yes_or_no(truth)}{as_sentence(told) if truth is None else told}{ratio}."


def _tell_all(comparison: Comparison, inspection: Inspection) -> str:
    """The same for all regions, compared with each other."""
    regions, attribute = inspection.regions, comparison.attribute
    if comparison.ranked:
        return _ranked(attribute, regions)
    if attribute == "distance":
        return _apart(comparison, "they", regions, inspection)
    if attribute == "any":
        return f"{tell('severity', inspection)} {tell('size', inspection)} {tell('look', inspection)}"
    subject = {"place": "position", "kind": "type", "tone": "look", "shape": "look"}.get(attribute, attribute)
    told = tell(subject, inspection)
    unknown = attribute == "kind" and not all(region.type for region in regions)
    same = len({WORDS[attribute][0](region) for region in regions}) == 1
    truth = None
    if _asks_yes_or_no(comparison.asked) and not unknown:
        truth = same if EQUAL.search(comparison.asked) else not same if UNEQUAL.search(comparison.asked) else None
    return f"{_yes_or_no(truth)}{told if truth is None else lowered(told)}"


def _ranked(attribute: str, regions: tuple[Region, ...]) -> str:
    """All of them in a row, the worst or the largest first."""
    word = WORDS[attribute][0]
    told = [
        f"{word(region)} in the {region.position}" for region in sorted(regions, key=RANKS[attribute], reverse=True)
    ]
    return f"From {'largest to smallest' if attribute == 'size' else 'worst to mildest'}: {', '.join(told)}."


def _named(side: Focus) -> str:
    """One side as a sentence names it: "the smallest", "the others", "the one in the upper left"."""
    one = "one" if len(side.regions) == 1 else "ones"
    if side.sort == "place":
        return f"the {one} {join(map(at, side.places))}"
    if side.name == "other":
        return "the other one" if one == "one" else "the others"
    return "the main one" if side.name == "main" else f"the {side.name}"


def _asks_yes_or_no(question: str) -> bool:
    return POLAR.search(question) is not None and not NEGATED.search(question)


def _yes_or_no(truth: bool | None) -> str:
    return "" if truth is None else "Yes: " if truth else "No: "


def _truth(comparison: Comparison, first: Region, second: Region) -> bool | None:
    """What yes would be to "Is the first bigger than the second?"; None where no yes or no is asked, or known."""
    question, rank = comparison.asked, RANKS.get(comparison.attribute)
    if not _asks_yes_or_no(question):
        return None
    if EQUAL.search(question) or UNEQUAL.search(question):
        word = WORDS[comparison.attribute][0]
        if comparison.attribute == "any" or (comparison.attribute == "kind" and None in (first.type, second.type)):
            return None
        return (word(first) == word(second)) == (EQUAL.search(question) is not None)
    if rank is None:
        return None
    one, other = rank(first), rank(second)
    more = one > other * (AT_MOST_SAME if comparison.attribute == "size" else 1)
    less = other > one * (AT_MOST_SAME if comparison.attribute == "size" else 1)
    if comparison.attribute == "tone" and one == other and first.tone != "similar":
        return None  # tone is known beside the surroundings only
    return more if GREATER.search(question) else less if LESSER.search(question) else None


def _beside(comparison: Comparison, names: list[str], first: Region, second: Region) -> str:
    """Which way, and how far, the midpoint of the first lies from that of the second."""
    (ax0, ay0, ax1, ay1), (bx0, by0, bx1, by1) = first.box, second.box
    across, down = (ax0 + ax1 - bx0 - bx1) / 2, (ay0 + ay1 - by0 - by1) / 2
    way = f"{abs(across):.0f} pixels further {'right' if across > 0 else 'left'}"
    told = f"{names[0]} lies {way} and {abs(down):.0f} pixels {'lower' if down > 0 else 'higher'} than {names[1]}"
    truth, asked = None, comparison.asked
    if _asks_yes_or_no(asked) and EQUAL.search(asked):
        truth = first.position == second.position
    elif _asks_yes_or_no(asked):
        sides = {HIGHER: -down, LOWER: down, "left": -across, "right": across}
        truth = next((distance > 0 for words, distance in sides.items() if re.search(words, asked)), None)
    return f"{_yes_or_no(truth)}{as_sentence(told) if truth is None else told}, midpoint to midpoint."


def _ratio(names: list[str], first: Region, second: Region) -> str:
    """How many times as large the larger of two is."""
    larger, smaller = sorted((first.area_fraction, second.area_fraction), reverse=True)
    times = larger / smaller
    if times < AT_MOST_SAME or spoken_size(larger) == spoken_size(smaller):
        return ""
    much = "slightly larger" if times < 1.4 else f"about {times:.{int(times < 2)}f} times as large"
    return f"; {names[first.area_fraction < second.area_fraction]} is {much}"


def _apart(comparison: Comparison, who: str, regions: tuple[Region, ...], inspection: Inspection) -> str:
    """How far the middles of defects lie from one another: of several, the closest and the furthest two."""
    pairs = sorted(combinations(dict.fromkeys(regions), 2), key=_distance)
    photo = f"on a photo of {inspection.size[0]} x {inspection.size[1]}"
    near, far = (f"{_distance(pair):.0f} pixels" for pair in (pairs[0], pairs[-1]))
    touch = "I count them separately: " if ONE_OR_SEVERAL.search(comparison.asked) else ""
    if len(pairs) == 1:
        told = f"{who} are {near} apart, midpoint to midpoint, {photo}"
    else:
        told = f"the closest two are {near} apart and the furthest {far}, midpoint to midpoint, {photo}"
    return f"{touch}{told if touch else as_sentence(told)}."


def _distance(pair: tuple[Region, Region]) -> float:
    (ax0, ay0, ax1, ay1), (bx0, by0, bx1, by1) = (region.box for region in pair)
    return math.hypot(ax0 + ax1 - bx0 - bx1, ay0 + ay1 - by0 - by1) / 2


def _tone(region: Region) -> str:
    return f"{'similar in tone to' if region.tone == 'similar' else f'{region.tone} than'} the surroundings"


def _in_short(region: Region) -> str:
    return f"{region.severity}, {size_of(region)} of the photo, {short_look(region)}"


# For each attribute how a region's is said, the verb before it (of one, of several), and what ends the sentence.
WORDS: dict[str, tuple[Callable[[Region], str], tuple[str, str], str]] = {
    "size": (size_of, ("covers", "cover"), " of the photo"),
    "severity": (lambda region: region.severity, ("is", "are"), ""),
    "kind": (lambda region: with_article(region.type), ("is", "are"), ""),
    "tone": (_tone, ("is", "are"), ""),
    "shape": (lambda region: region.shape, ("is", "are"), ""),
    "look": (short_look, ("is", "are"), ""),
    "place": (lambda region: f"in the {region.position}", ("is", "are"), ""),
    "any": (_in_short, ("is", "are"), ""),
}  # fmt: skip
DOES = {"covers": "does", "cover": "do"}  # in "and so does the second"
# What grows as "more" of an attribute is asked for.
RANKS: dict[str, Callable[[Region], float]] = {
    "size": lambda region: region.area_fraction,
    "severity": lambda region: SEVERITIES.index(region.severity),
    "tone": lambda region: ("darker", "similar", "brighter").index(region.tone),
}
