"""Facts -> words: the facts line that the language model reads, and one plain sentence for every fact.

Numbers are rounded to the ladder of spoken values in `assistant.spoken`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from assistant.inspection import KINDS, POSITIONS, SEVERITIES, SHAPES, TONES, Inspection, Region
from assistant.spoken import (
    CHANCE_LADDER,
    COUNTS,
    ORDINALS,
    SIZE_LADDER,
    join,
    lowered,
    plural,
    spoken_chance,
    spoken_number,
    spoken_size,
    with_article,
)

DETAILED = 4  # regions described in full in the facts line; the rest by place only
DOUBTFUL = 0.3  # from this probability of a defect on, nobody is told to let a good part pass unseen
LISTED = 3  # regions spelt out in one spoken sentence
SPOKEN_TOKENS = (
    *sorted({f"{value:g}%" for value in (*SIZE_LADDER, *CHANCE_LADDER)}, key=lambda token: float(token[:-1])),
    *COUNTS, *ORDINALS, "defective", "good", "unsure", "defect", "defects", "suspect", "area", "areas",
    *dict.fromkeys(word for phrase in (*POSITIONS, *KINDS) for word in phrase.split()),
    *SEVERITIES, *SHAPES, *TONES, "unknown", "kind", "sure", "chance", "reference", "references", "under",
)  # fmt: skip


@dataclass(frozen=True)
class Claim:
    """One checkable statement read from words, or one fact to be put into words.

    `kind` is one of presence, count, position, size, severity, type, tone, shape, confidence, probability,
    references, choice; `value` is a verdict, an int, a percent, a word of the `Inspection` vocabulary (positions
    may be coarse: "upper", "lower", "left", "right") or the letter of an option. `negated` turns it round (no
    defect in that cell); `bound` is "under", "over" (size), "least" (count), "may" (hedged type) or "".
    `start` is where in the text the claim was read.
    """

    kind: str
    value: str | float
    negated: bool = False
    bound: str = ""
    start: int = field(default=0, compare=False, repr=False)


def spoken_confidence(inspection: Inspection) -> str:
    """How sure the verdict is ("95%"); for "unsure" it is the chance of a defect."""
    good = inspection.verdict == "good"
    return spoken_chance(1 - inspection.probability if good else inspection.probability)


def noun(inspection: Inspection, count: int) -> str:
    """What a region is called: a defect once that is decided, a suspect area while it is not."""
    word = "suspect area" if inspection.verdict == "unsure" else "defect"
    return word if count == 1 else f"{word}s"


def counted(inspection: Inspection) -> str:
    """Number of regions in words: "no defects", "one defect", "two suspect areas"."""
    number = len(inspection.regions)
    return f"{COUNTS[min(number, 6)]} {noun(inspection, number)}"


def counted_references(inspection: Inspection) -> str:
    number = inspection.references
    return f"{COUNTS[number] if number <= 6 else number} reference{'' if number == 1 else 's'}"


def look(region: Region) -> str:
    """Shape and tone: "thin and darker than the surroundings"."""
    return shape_and_tone(region.shape, region.tone)


def shape_and_tone(shape: str, tone: str) -> str:
    return f"{shape} and {'similar in tone to' if tone == 'similar' else f'{tone} than'} the surroundings"


def described(region: Region, inspection: Inspection) -> str:
    """One region in a few words: "a minor scratch in the upper left"."""
    return f"{named(region, inspection)} in the {region.position}"


def named(region: Region, inspection: Inspection) -> str:
    """A region without its place: "a minor scratch", "a possible minor scratch" while that is undecided."""
    what = region.type or f"{noun(inspection, 1)} of unknown kind"
    words = f"{region.severity} {what}"
    if inspection.verdict == "unsure" and region.type:
        words = f"possible {words}"
    return words if region.type == "contamination" else f"a {words}"


def several(count: int, name: str) -> str:
    """That many of what is named: "two minor scratches"."""
    head, of, tail = name.removeprefix("a ").partition(" of ")
    return name if count == 1 or plural(head) == head else f"{COUNTS[count]} {plural(head)}{of}{tail}"


def summarize(inspection: Inspection) -> str:
    """The facts line put before the question, at most about 60 small-model tokens for two regions.

    "Facts: defective, 95% sure, one defect, three references. First: scratch, upper left, 0.5% of the
    photo, minor, thin, darker."
    """
    sure = "chance of a defect" if inspection.verdict == "unsure" else "sure"
    head = (
        f"Facts: {inspection.verdict}, {spoken_confidence(inspection)} {sure}, {counted(inspection)}, "
        f"{counted_references(inspection)}."
    )
    lines = [head, *map(_region_facts, ORDINALS, inspection.regions[:DETAILED])]
    if rest := inspection.regions[DETAILED:]:
        lines.append(f"Others: {', '.join(dict.fromkeys(cell for region in rest for cell in region.cells))}.")
    return " ".join(lines)


def _region_facts(ordinal: str, region: Region) -> str:
    kind = region.type or "unknown kind"
    also = "".join(f", also {cell}" for cell in region.cells if cell != region.position)
    tone = "similar tone" if region.tone == "similar" else region.tone
    return (
        f"{ordinal.capitalize()}: {kind}, {region.position}{also}, {spoken_size(region.area_fraction)} of the "
        f"photo, {region.severity}, {region.shape}, {tone}."
    )


def by_place(inspection: Inspection, word: Callable[[Region], str], *, every: str = "") -> str:
    """One property over all regions: "minor", "both minor", "minor in the upper left and severe in the center".

    Beyond `LISTED` regions only the heaviest are spelt out, as a speaker would.
    """
    regions = inspection.regions
    values = list(dict.fromkeys(word(region) for region in regions))
    if len(values) == 1:
        all_of_them = every or ("both " if len(regions) == 2 else "all ")
        return values[0] if len(regions) == 1 else all_of_them + values[0]
    at: dict[str, list[str]] = {}
    for region in regions[:LISTED]:
        at.setdefault(word(region), []).append(region.position)
    parts = [f"{value} in the {join(dict.fromkeys(cells))}" for value, cells in at.items()]
    return join(parts, last=", and") + (", among others" if len(regions) > LISTED else "")


def places(inspection: Inspection) -> str:
    """Where the regions are: "in the upper left and center"."""
    return f"in the {join(dict.fromkeys(region.position for region in inspection.regions))}"


def is_at(region: Region, place: str) -> bool:
    """Does the region cover a 3x3 cell, or a side ("left", "upper") of the photo?"""
    if place in POSITIONS:
        return place in region.cells
    return any(place in cell.split() for cell in region.cells)


def sizes(inspection: Inspection) -> str:
    """How much is covered: "about 0.5% of the photo"; "about 0.5% in the center and about 2% in the upper left"."""
    same = len({spoken_size(region.area_fraction) for region in inspection.regions}) == 1
    return by_place(inspection, lambda region: size_of(region) + (" of the photo" if same else ""), every="each ")


def looks(inspection: Inspection) -> str:
    """How it looks: "thin and darker than the surroundings"; "thin and darker in the center and ..."."""
    same = len({look(region) for region in inspection.regions}) == 1
    return by_place(inspection, look if same else short_look)


def short_look(region: Region) -> str:
    return f"{region.shape} and {'similar in tone' if region.tone == 'similar' else region.tone}"


def listed(inspection: Inspection) -> str:
    """The main regions in a row: "a minor scratch in the upper left and a severe stain in the center"."""
    names = [(named(region, inspection), region.position) for region in inspection.regions[:LISTED]]
    parts = [f"{several(names.count(one), one[0])} in the {one[1]}" for one in dict.fromkeys(names)]
    return ("mainly " if len(inspection.regions) > LISTED else "") + join(parts)


def at(place: str) -> str:
    """A cell or a side as one says it: "in the upper left", "on the left side"."""
    sides = {"upper": "in the upper part", "lower": "in the lower part"}
    return sides.get(place, f"on the {place} side" if place in ("left", "right") else f"in the {place}")


def say(fact: Claim) -> str:
    """One sentence that states exactly this fact; `claims` reads the same fact back."""
    value = fact.value
    if fact.negated:
        return {
            "position": f"I see nothing unusual in the {value}.",
            "type": f"It is not {with_article(str(value))}.",
            "severity": f"It is not {value}.",
        }[fact.kind]
    presence = {
        "defective": "It is defective.",
        "good": "It looks good, with no defects.",
        "unsure": "I am unsure whether it is defective.",
    }
    if fact.kind == "presence":
        return presence[str(value)]
    if fact.kind == "count":
        return f"I count {spoken_number(value)} {'area' if value == 1 else 'areas'}."
    percent = f"{value:g}%" if isinstance(value, (int, float)) else ""
    return {
        "position": f"It is in the {value}.",
        "size": f"It covers {fact.bound or 'about'} {percent} of the photo.",
        "severity": f"It is {value}.",
        "type": f"It is {with_article(str(value))}.",
        "tone": f"It is {'similar in tone to' if value == 'similar' else f'{value} than'} the surroundings.",
        "shape": f"Its shape is {value}.",
        "confidence": f"I am {percent} sure.",
        "probability": f"The chance of a defect is {percent}.",
        "references": f"I compared it with {spoken_number(value)} reference{'' if value == 1 else 's'}.",
    }[fact.kind]


SUBJECTS = (
    "presence", "count", "position", "size", "severity", "type", "look", "confidence", "cell", "comparison",
    "advice", "regions", "nothing_else", "report", "refusal",
)  # fmt: skip
WELCOME = "You are welcome."
REFUSAL = "I cannot judge that from this photo; ask me about defects on the part."


def tell(subject: str, inspection: Inspection, cell: str | None = None) -> str:
    """The canonical true sentence of `SUBJECTS` about this Inspection; `cell` names the place for "cell"."""
    assert subject in SUBJECTS, f"unknown subject {subject!r}"
    if subject == "refusal":
        return REFUSAL
    if subject == "cell":
        return _tell_cell(inspection, cell or "center")
    if subject in ("confidence", "comparison", "presence", "advice"):
        return {
            "confidence": _tell_confidence, "comparison": _tell_comparison,
            "presence": _tell_presence, "advice": _tell_advice,
        }[subject](inspection)  # fmt: skip
    if not inspection.regions:
        return "It looks good, with no defects."
    many = len(inspection.regions) > 1
    the = f"The {noun(inspection, len(inspection.regions))}"
    are, covers, look_ = ("are", "cover", "look") if many else ("is", "covers", "looks")
    more = f"{counted(inspection)}, " if len(inspection.regions) > LISTED else ""
    return {
        "count": f"I see {counted(inspection)}.",
        "position": f"{the} {are} {places(inspection)}.",
        "size": f"{the} {covers} {sizes(inspection)}.",
        "severity": f"{the} {are} {by_place(inspection, lambda region: region.severity)}.",
        "type": _tell_kind(inspection, f"{the} {look_} like", f"{the.lower()} {are}"),
        "look": f"{the} {look_} {looks(inspection)}.",
        "regions": f"I see {more}{listed(inspection)}.",
        "nothing_else": f"Nothing else stands out beyond the {counted(inspection)} {places(inspection)}.",
        "report": f"{_tell_presence(inspection)} I see {listed(inspection)}.",
    }[subject]


def _tell_kind(inspection: Inspection, look_like: str, are: str) -> str:
    known = tuple(region for region in inspection.regions if region.type)
    if not known:
        return f"I cannot name the kind; {are} {places(inspection)}."
    if len(known) < len(inspection.regions):
        return f"I can name the kind of {COUNTS[len(known)]} only: {listed(replace(inspection, regions=known))}."
    return f"{look_like} {by_place(inspection, lambda region: with_article(region.type))}."


def size_of(region: Region) -> str:
    """Spoken size with its qualifier: "about 0.5%", "under 0.1%"."""
    size = spoken_size(region.area_fraction)
    return size if size.startswith("under") else f"about {size}"


def _tell_presence(inspection: Inspection) -> str:
    if inspection.verdict == "good":
        return "It looks good, with no defects."
    if inspection.verdict == "unsure":
        return f"I am unsure whether it is defective; I see {counted(inspection)} {places(inspection)}."
    return f"It is defective: I see {counted(inspection)} {places(inspection)}."


def _tell_confidence(inspection: Inspection) -> str:
    percent = spoken_confidence(inspection)
    if inspection.verdict == "unsure":
        return f"I am unsure; the chance of a defect is {percent}."
    return f"I am {percent} sure that it is {inspection.verdict}."


def _tell_cell(inspection: Inspection, cell: str) -> str:
    there = inspection.regions_in(cell)
    if inspection.area and not inspection.judges(cell):
        return f"I judge {inspection.area.scope}, which leaves out the {cell}."
    return f"I see {named(there[0], inspection) if there else 'nothing unusual'} {at(cell)}."


def _tell_comparison(inspection: Inspection) -> str:
    if not inspection.references:
        return f"I had no reference photo, so I judge the photo by itself. {_tell_presence(inspection)}"
    verdict = _tell_presence(inspection)
    return f"Compared with {counted_references(inspection)}, {lowered(verdict)}"


def _tell_advice(inspection: Inspection) -> str:
    if inspection.verdict == "good" and inspection.probability > DOUBTFUL:
        return f"It looks good, but I am only {spoken_confidence(inspection)} sure; have someone check it."
    if inspection.verdict == "good":
        return "You can let it pass; it looks good."
    if inspection.verdict == "unsure":
        return f"I am unsure, so have someone check it {places(inspection)}."
    action = {
        "minor": "Check it against your acceptance limits",
        "moderate": "Hold it back for a manual check",
        "severe": "Set it aside and do not use it",
    }[inspection.regions[0].severity]
    return f"{action}: I see {counted(inspection)} {places(inspection)}."
