"""Defects picked by what they are like: "Which ones are severe?", "how many are minor?", "the dark one"."""

import re
from dataclasses import dataclass, replace

from assistant.boxes import find_box
from assistant.choices import parse_choices
from assistant.claims import asked_places
from assistant.inspection import Inspection, Region
from assistant.lexicon import DEFECT, SEVERITY_WORDS
from assistant.question_reader import singled_out
from assistant.spoken import COUNTS, as_sentence, lowered
from assistant.wording import listed, places, size_of, tell
from assistant.worked_out.reading import plain

TONE_WORDS = {"dark": "darker", "darker": "darker"} | dict.fromkeys(
    ("bright", "brighter", "lighter", "white", "pale"), "brighter"
)
SHAPE_WORDS = {
    "thin": "thin", "elongated": "thin", "round": "compact", "compact": "compact", "irregular": "irregular",
    "jagged": "irregular",
}  # fmt: skip
LIKE = {
    word: (sort, value)
    for sort, known in (("severity", SEVERITY_WORDS), ("tone", TONE_WORDS), ("shape", SHAPE_WORDS))
    for word, value in known.items()
}
WORDS = "|".join(LIKE)
MANY = rf"(?:ones|{DEFECT.removesuffix('s?')}s|spots|marks|areas|dots|places|patches)"
SEVERAL = re.compile(rf"\b(?:{WORDS}) {MANY}\b|\bhow many\b")
ONE = re.compile(rf"\bthe (?:single )?(?P<like>{WORDS}) (?:one|defect|spot|mark|flaw|dot|patch|place)\b")
ALIKE = re.compile(
    rf"(?<!most )(?<!least )(?<!less )(?<!more )(?<!as )\b(?P<like>{WORDS})(?! (?:than|enough|or|on)\b)\b"
)
# Those are asked for that are like this...
AMONG = re.compile(
    r"\b(?:any(?:thing|one)?|some|none|at least one|more than one|how many|number of|count|lists?|show|filter|is there|"
    r"are there|(?:all|both|most|either) of|are (?:all|both|they all|they both)|what(?: is|'?s)? .* here|"
    rf"wh?ich (?:ones?|{DEFECT}|of \w+(?: \w+)?|do you \w+|you \w+|are|is)|ones? that|"
    rf"only(?: the)? (?:{WORDS})|(?:{WORDS}) {MANY})\b"
)
# ... and not what one is like: "is it dark?", "how severe is the minor one?", "dark or bright?".
OTHERWISE = re.compile(
    rf"\bhow (?:{WORDS})\b|\b(?:{WORDS}) or (?:an? )?\w+\b(?!.* some)|(?<!more )\bthan\b|\bor not\b|"
    r"\band (?:also|how|what|where|is|are|do|does|would|can|could)\b| \+ |"
    rf"\b(?:is|are|was|does|do) (?:it|this|that|they|the (?!(?:{WORDS}) {MANY})\w+(?: one| {DEFECT})?)\b(?! all| both)|"
    r"\b(?:size|where(?! are the)|big|large)\b"
)


TWO_QUESTIONS = re.compile(r"[?.!] +\w")
EVERY, ANY = re.compile(r"\b(?:all|both)\b"), re.compile(r"\b(?:any|some|either)\b")


@dataclass(frozen=True)
class Pick:
    """The defects whose property `sort` ("severity") is `value` ("severe"); `single` where one alone is meant."""

    sort: str
    value: str
    single: bool

    def among(self, regions: tuple[Region, ...]) -> tuple[Region, ...]:
        """Those of some regions that are meant."""
        return tuple(region for region in regions if getattr(region, self.sort) == self.value)


def find_pick(question: str) -> Pick | None:
    """What a question picks defects by: severity, tone or shape."""
    low = plain(question)
    if match := ONE.search(low):
        return Pick(*LIKE[match["like"]], single=True)
    found = list(ALIKE.finditer(low))
    several = len(found) > 1 and "some" not in low  # "minor, moderate or severe?"
    if not found or several or TWO_QUESTIONS.search(low) or not AMONG.search(low) or OTHERWISE.search(low):
        return None
    return Pick(*LIKE[found[0]["like"]], single=False)


def picked(question: str, inspection: Inspection) -> str | None:
    """Which and how many they are; None where a question picks none."""
    if parse_choices(question) or find_box(question) or asked_places(question):
        return None
    pick = find_pick(question)
    one = singled_out(question) not in (None, "other") and not SEVERAL.search(question.lower())
    if pick is None or not inspection.regions or one:
        return None
    truth = None
    if re.match(r"\W*(?:are|is|do|does|so|and)\b", question.lower()) and not pick.single:
        truth = _truth(question.lower(), len(pick.among(inspection.regions)), len(inspection.regions))
    return f"{'' if truth is None else 'Yes: ' if truth else 'No: '}{_tell(pick, inspection, begins=truth is None)}"


def _truth(low: str, count: int, among: int) -> bool | None:
    return count == among if EVERY.search(low) else count > 0 if ANY.search(low) else None


def _tell(pick: Pick, inspection: Inspection, *, begins: bool) -> str:
    like = f"{pick.value} than the surroundings" if pick.sort == "tone" else pick.value
    regions = pick.among(inspection.regions)
    count, among = len(regions), len(inspection.regions)
    if not count:
        subject = "severity" if pick.sort == "severity" else "look"
        told = f"{'it is not' if among == 1 else 'none of them is'} {like}; {lowered(tell(subject, inspection))}"
        return as_sentence(told) if begins else told
    here = replace(inspection, regions=regions)
    if count == 1 and among > 1 and not pick.single:
        told = f"one of them is {like}: the one {places(here)}."
    elif count == 1 and among > 1:
        size = f", {size_of(regions[0])} of the photo"
        told = f"the {pick.value} one is {listed(here)}{size}."
    elif count == among:
        every = "it is" if among == 1 else "both are" if among == 2 else f"all {COUNTS[among]} are"
        told = f"{every} {like}, {places(inspection)}."
    else:
        told = f"{COUNTS[count]} of them are {like}: those {places(here)}."
    return as_sentence(told) if begins else told
