"""Numbers and lists as they are spoken: a small closed ladder of sizes and chances, counts in words, articles.

A language model of a few million parameters copies each rung as one token; the exact numbers stay in the
`Inspection`.
"""

import math
import re
from bisect import bisect
from collections.abc import Iterable
from itertools import pairwise

COUNTS = ("no", "one", "two", "three", "four", "five", "six")
ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth")
# Area in percent of the photo: steps of about a factor 1.6, as fine as anyone can tell by eye.
SIZE_LADDER = (0.1, 0.2, 0.3, 0.5, 0.7, 1, 2, 3, 5, 7, 10, 15, 20, 30, 40, 50, 60, 80, 90)
CHANCE_LADDER = (1, 2, *range(5, 100, 5), 98, 99)  # finer at both ends, where a percent matters
_SIZE_EDGES = [math.sqrt(low * high) for low, high in pairwise(SIZE_LADDER)]  # where the nearest rung changes
_CHANCE_EDGES = [(low + high) / 2 for low, high in pairwise(CHANCE_LADDER)]


def spoken_size(area_fraction: float) -> str:
    """Area fraction in (0, 1] -> the nearest rung in percent ("0.5%"), or "under 0.1%"."""
    percent = 100 * area_fraction
    if percent < 0.075:
        return "under 0.1%"
    return f"{SIZE_LADDER[bisect(_SIZE_EDGES, percent)]:g}%"


def spoken_chance(probability: float) -> str:
    """Probability in [0, 1] -> the nearest whole percent of `CHANCE_LADDER`."""
    return f"{CHANCE_LADDER[bisect(_CHANCE_EDGES, 100 * probability)]}%"


def spoken_number(number: float | str) -> str:
    """A count up to six in words, any other number in digits."""
    return COUNTS[number] if isinstance(number, int) and number < len(COUNTS) else str(number)


def join(parts: Iterable[str], last: str = "and") -> str:
    """English list: "a", "a and b", "a, b and c"."""
    *head, tail = parts
    return f"{', '.join(head)} {last} {tail}".replace(" ,", ",") if head else tail


def with_article(kind: str | None) -> str:
    """A defect kind as one says it: "a scratch", "contamination", "an unknown kind"."""
    if kind is None:
        return "an unknown kind"
    return kind if kind == "contamination" else f"a {kind}"


def plural(noun: str) -> str:
    """More than one of a kind of defect: "scratches"; of contamination there is no plural."""
    if noun.endswith("contamination"):
        return noun
    return f"{noun}es" if noun.endswith(("ch", "s")) else f"{noun}s"


def lowered(sentence: str) -> str:
    """A sentence as it goes on behind other words: "In the left half: it is defective"; "I" stays."""
    return sentence if re.match(r"I\b", sentence) else sentence[:1].lower() + sentence[1:]


def as_sentence(text: str) -> str:
    """The same with a capital at its start."""
    return text[:1].upper() + text[1:]
