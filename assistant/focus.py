"""What of the photo a question is about: a box in pixels, places by their names, one of the defects, a kind of them,
or what all of them cover together.

"How big is the smallest one?", "What about the lower left?": the facts line names the defects in a row, and its place
among them, or at the far end of a list, is hard to find for a small model. So what the question is about is worked out
here: for the line that the language model is shown beside the question, for the check of its answer, and for the
dialogues that it learns from.
"""

import re
from dataclasses import dataclass, replace
from typing import Literal

from assistant import wording
from assistant.boxes import Box, find_box, outside, overlap
from assistant.choices import parse_choices
from assistant.claims import asked_places
from assistant.inspection import SEVERITIES, Inspection, Region
from assistant.lexicon import DEFECT, TYPE, TYPES
from assistant.question_reader import TOGETHER, singled_out
from assistant.spoken import COUNTS, ORDINALS, as_sentence, join, spoken_size
from assistant.wording import LISTED, at, counted, is_at, named, places, several, size_of

SIDES = ("upper", "lower", "left", "right")
# Share of the smaller of two boxes that must be common to both: the corner of a bounding box is mostly empty.
OVERLAP = 0.1
BUT = ", all but "  # how `following` puts what "the others" are other than
# "Is it on the left or on the right?", "what is below the center?" single out no place.
NO_PLACE = re.compile(
    r"\bor (?:in|at|on|to|near|more|off|out|below|somewhere|high|side|(?:the |its )?(?:rim|edge|end|corner|upper|"
    r"lower|top|bottom|left|right|mid|cent))|\bwhich (?:way|side|half|direction|part|zone|corner)\b|\bdirection\b|"
    r"\bhow close\b|\bfrom the (?:middle|cent(?:er|re)|edge|rim|corner)\b(?! left| right)|\bside of the cent|"
    r"\b(?:furthest|farthest) from the\b"
)
NOT_THERE = re.compile(
    r"\b(?:besides|apart from|aside from|other than|except(?: for)?|everything but|all but|outside(?: of)?|below|above|"
    r"beneath|beyond|only (?:in|on))(?: (?:in|at|on))? (?:the|its)\b|"
    r"^\W*(?:ignore|disregard|(?:only|just) (?:(?:in|at|on) )?the)\b"
)
ASKS_IF = re.compile(r"\b(?:any|anything|nothing|clean|ok|okay|wrong)\b")
# "Number 2", "nr. 2", "#2", "defect 2"
NUMBERED = re.compile(
    rf"(?<!sample )(?<!photo )(?<!part )(?<!image )(?<!picture )"
    rf"(?:\b(?:number|no\.?|nr\.?|{DEFECT}|spot|mark) ?|#)(?P<digit>[1-6])\b(?! ?(?:%|percent|mm|photo))"
)
# A kind is singled out where any or several are asked for: "the crack" may be how a user calls whatever is there.
SORTS = re.compile(r"\b(?:any|how many|number of|count|free of|no)\b|s$|\b(?:contamination|dirt|debris|missing)$")


@dataclass(frozen=True)
class Focus:
    """What a question is about.

    `name` is how an answer calls it: "box", a place ("lower left"), one of `ONES`, a kind of defect, or "together";
    `regions` are those that are meant; `places` the cells and sides that were named; `beside` tells what a box lies
    wholly outside of ("the photo"), None where it does not.
    """

    sort: Literal["box", "place", "one", "kind", "area"]
    name: str
    regions: tuple[Region, ...]
    places: tuple[str, ...] = ()
    beside: str | None = None

    def covers(self, place: str) -> bool:
        """Is a cell or a side one of the places that were named, or part of one, or does it hold one?"""
        return any(
            place == own or (own in SIDES and own in place.split()) or (place in SIDES and place in own.split())
            for own in self.places
        )


def find_focus(question: str, inspection: Inspection) -> Focus | None:
    """What a question singles out; None where it is about the whole part, or a multiple choice."""
    if parse_choices(question):
        return None
    if box := find_box(question):
        return in_box(box, inspection)
    question, _, spared = question.partition(BUT)
    if spared and (known := find_focus(spared, inspection)):
        return Focus("one", "other", tuple(region for region in inspection.regions if region not in known.regions))
    low = " ".join(question.lower().replace("’", "'").split())
    if number := NUMBERED.search(low):
        return one_of(ORDINALS[int(number["digit"]) - 1], inspection)
    kind, named_places = TYPE.search(low), tuple(dict.fromkeys(asked_places(low)))
    if one := singled_out(question):
        if one != TOGETHER:
            return one_of(one, inspection)
        if not kind and not named_places:  # "the left in total"
            return together_cover(inspection)
    if named_places:
        where = NO_PLACE.search(low) and not ASKS_IF.search(low)
        return None if where or NOT_THERE.search(low) else at_places(named_places, inspection)
    if kind and SORTS.search(low[: kind.start()] + kind.group()):
        return of_kind(list(TYPES)[int((kind.lastgroup or "t0")[1:])], inspection)
    return None


def in_box(box: Box, inspection: Inspection) -> Focus:
    """What overlaps a box."""
    there = tuple(region for region in inspection.regions if overlap(region.box, box) >= OVERLAP)
    return Focus("box", "box", there, beside=outside(box, inspection))


def at_places(named_places: tuple[str, ...], inspection: Inspection) -> Focus:
    """What is at any of some 3x3 cells or sides."""
    there = (region for region in inspection.regions if any(is_at(region, place) for place in named_places))
    return Focus("place", join(named_places), tuple(there), named_places)


def one_of(name: str, inspection: Inspection) -> Focus:
    """The defect that a name of `ONES` singles out; none where there are not so many of them."""
    regions = inspection.regions
    by_size = sorted(regions, key=lambda region: region.area_fraction)
    mildest = sorted(regions, key=lambda region: (SEVERITIES.index(region.severity), region.area_fraction))
    if name in ORDINALS:
        number = ORDINALS.index(name)
        return Focus("one", name, regions[number : number + 1])
    across = sorted(regions, key=lambda region: region.box[0] + region.box[2])
    down = sorted(regions, key=lambda region: region.box[1] + region.box[3])
    meant = {
        "uppermost": down[:1], "lowest": down[-1:], "leftmost": across[:1], "rightmost": across[-1:],
        "smallest": by_size[:1], "largest": by_size[-1:], "mildest": mildest[:1],
        "main": regions[:1], "other": regions[1:],
    }[name]  # fmt: skip
    return Focus("one", name, tuple(meant))


def of_kind(kind: str, inspection: Inspection) -> Focus:
    """The defects of one kind."""
    return Focus("kind", kind, tuple(region for region in inspection.regions if region.type == kind))


def together_cover(inspection: Inspection) -> Focus:
    """What all defects together cover."""
    return Focus("area", TOGETHER, inspection.regions)


def whole_size(focus: Focus) -> str:
    """The area of all that is meant, as it is spoken: "3%"."""
    return spoken_size(sum(region.area_fraction for region in focus.regions))


def within(focus: Focus, inspection: Inspection) -> Inspection:
    """The same Inspection as if this were all that was asked about: "good" where nothing is meant."""
    return replace(inspection, regions=focus.regions, verdict=inspection.verdict if focus.regions else "good")


def together(regions: tuple[Region, ...], inspection: Inspection) -> str:
    """Some regions without their places: "two minor scratches and a severe stain"."""
    names = [named(region, inspection) for region in regions]
    told = list(dict.fromkeys(names))
    parts = [several(names.count(name), name) for name in told[:LISTED]]
    return ("mainly " if len(told) > LISTED else "") + join(parts)


def note(focus: Focus, inspection: Inspection) -> str:
    """The line beside such a question, for the language model: "Smallest: minor scratch, center, 0.5%, thin, dark."."""
    if focus.beside:
        return f"Box: outside {focus.beside}."
    if not focus.regions:
        return f"{as_sentence(focus.name)}: {'none' if focus.sort in ('one', 'kind') else 'nothing unusual'}."
    if focus.sort == "area":
        return f"Together: {whole_size(focus)}."
    several = f" {COUNTS[len(focus.regions)]}:" if len(focus.regions) > 1 else ""
    return f"{as_sentence(focus.name)}:{several} {'; '.join(map(_told, focus.regions))}."


def _told(region: Region) -> str:
    tone = "similar tone" if region.tone == "similar" else region.tone
    return (
        f"{region.severity} {region.type or 'unknown kind'}, {region.position}, {spoken_size(region.area_fraction)}, "
        f"{region.shape}, {tone}"
    )


def called(focus: Focus) -> str:
    """The beginning of a sentence about one of the defects: "the smallest is", "the others are"."""
    if focus.name == "other" and len(focus.regions) > 1:
        return "the others are"
    return f"the {focus.name} {'one ' if focus.name in ('main', 'other') else ''}is"


def tell_focus(focus: Focus, inspection: Inspection) -> str:
    """The canonical true sentence about what a question singles out."""
    if focus.beside:
        return f"That box is outside {focus.beside}."
    if not focus.regions:
        return _tell_nothing(focus, inspection)
    if focus.sort == "area":
        them = "Together they cover" if len(focus.regions) > 1 else "It covers"
        return f"{them} {whole_size(focus)} of the photo."
    size = f", {size_of(focus.regions[0])} of the photo" if len(focus.regions) == 1 else ""
    if focus.sort == "box" or len(focus.places) == 1:
        return f"I see {together(focus.regions, inspection)} {_where(focus)}{size}."
    said = as_sentence(called(focus)) if focus.sort == "one" else "I see"
    return f"{said} {wording.listed(within(focus, inspection))}{size}."


def count_there(focus: Focus, inspection: Inspection) -> str:
    """How many of the defects are meant: "I see two defects in the center."."""
    where = f" {_where(focus)}" if focus.sort != "one" else ""
    return f"I see {counted(within(focus, inspection))}{where}."


def _tell_nothing(focus: Focus, inspection: Inspection) -> str:
    if focus.sort in ("box", "place"):
        return f"I see nothing unusual {_where(focus)}."
    seen = f"I see {counted(inspection)}{' ' + places(inspection) if inspection.regions else ''}."
    return f"I see none that I can name. {seen}" if focus.sort == "kind" and inspection.regions else seen


def _where(focus: Focus) -> str:
    return join(map(at, focus.places)) if focus.places else "in the box"
