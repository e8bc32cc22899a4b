"""What a question that continues a thread leaves unsaid: "how big is it?" after one about the smallest defect.

The question is given its object, as people add it behind a comma ("How big is it, the smallest one?"), so that one path
finds, tells and checks what is meant, whether it was said now or a turn before.
"""

import re
from collections.abc import Iterable

from assistant.boxes import find_box
from assistant.choices import parse_choices
from assistant.focus import BUT, Focus, find_focus
from assistant.inspection import Inspection
from assistant.lexicon import SUMMED
from assistant.spoken import join
from assistant.worked_out.comparing import IT, find_comparison, leaves_one_open
from assistant.worked_out.picking import find_pick

# Asks for what one defect is like...
OF_ONE = re.compile(
    r"\b(?:how (?:big|large|small|bad|severe|serious|much|dark|bright|dangerous|critical|deep)|siz(?:e|ed)|long(?:er)?|"
    r"area|[mc]m|inch(?:es)?|per ?cent\w*|share|fraction|portion|extent|extend\w*|dimensions?|span\w*|cover\w*|"
    r"tak(?:e|es) up|occup\w+|measur\w+|wider?|big(?:ger)?|larger?|huge|small(?:er)?|tiny|sever\w+|serious\w*|bad|"
    r"worse|grave|critical|dangerous|harm\w*|minor|moderate|major|cosmetic|significant|matters?|worr\w+|concern\w*|problem|"
    r"risk\w*|kind|type|sort|looks?|appear\w*|shaped?|form|outline|colou?rs?|shade|tone|contrast|texture|dark\w*|"
    r"bright\w*|light(?:er)?|pale\w*|black|white|thin|round|elongated|compact|irregular|where|location|position|corner|"
    r"edge|middle|rim|describe)\b|\bwhat(?:'s| is| are) (?:it|that|this|they|those)\b"
)
# ... in words that point back, or in so few that they must.
POINTS_BACK = re.compile(r"\b(?:it|its|it's|that|that's|this|they|them|their|those|these|there)\b")
FEW = 4  # words: "and how severe?"
# ... and not for what is said of the whole part.
OF_ALL = re.compile(
    r"\b(?:overall|total|(?<!at )all|altogether|any\w*|every\w*|how many|else|others?|rest|defects|flaws|ok|okay|good|"
    r"pass|sure|confident|certain|defective|faulty|damaged|or not|repair|why|"
    r"(?<!of the )(?:part|piece))\b"
)


def completed(question: str, before: Iterable[str], inspection: Inspection) -> str:
    """The question, and what it is about where only the questions `before` it, oldest first, have said so."""
    asked = meant = ""
    for each in (*before, question):
        asked = _completed(each, meant, inspection)
        if not compares_all(asked, inspection):  # what "it" is stays as it was
            meant = asked
    return asked


def compares_all(question: str, inspection: Inspection) -> bool:
    """Is it about all defects, beside what the thread is about?"""
    comparison = find_comparison(question, inspection)
    return comparison is not None and comparison.sides is None


def _completed(question: str, before: str, inspection: Inspection) -> str:
    before = before.rpartition(IT)[2]  # "it" is still the same
    focus = find_focus(before, inspection) if before else None
    if focus is None or focus.sort not in ("one", "place", "box"):
        return question
    if not 0 < len(focus.regions) < len(inspection.regions):  # nothing is there, or it is all there is
        return question
    said, now = question.rstrip(" ?.!"), find_focus(question, inspection)
    if leaves_one_open(question, inspection):
        return f"{said}{IT}{_object(focus, before)}?"
    if find_comparison(question, inspection) or find_pick(question):
        return question
    if now and now.name == "other" and focus.name != "main":
        return f"{said}{BUT}{_object(focus, before)}?"
    return f"{said}, {_object(focus, before)}?" if _leaves_open(question, now) else question


def _leaves_open(question: str, focus: Focus | None) -> bool:
    low = question.lower().replace("’", "'")
    named = focus is not None and (
        focus.sort != "area" or SUMMED.search(low)
    )  # "how much of it does it cover?" is open
    if parse_choices(question) or named or OF_ALL.search(low) or not OF_ONE.search(low):
        return False
    return POINTS_BACK.search(low) is not None or len(low.split()) <= FEW


def _object(focus: Focus, before: str) -> str:
    """What is meant, as a question names it: "the smallest one", "the one in the lower left", "in [4, 4, 20, 30]"."""
    if focus.sort == "box":
        return f"in {list(find_box(before) or ())}"
    ones = "ones" if len(focus.regions) > 1 else "one"
    return f"the {focus.name} {ones}" if focus.sort == "one" else f"the {ones} in the {join(focus.places)}"
