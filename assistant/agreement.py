"""Does an Inspection bear out what a text says of it? Every claim alone, and claims that belong together."""

import re

from assistant.claims import bare_number, claims, polarity, read_sentence, repeated_places, sentences
from assistant.inspection import Inspection, Region
from assistant.lexicon import HOW_MANY, MORE
from assistant.spoken import spoken_size
from assistant.wording import Claim, is_at

YES = re.compile(
    r"^\W*(?:yes|yeah|yep|correct|right|sure|exactly|confirmed|i (?:can )?confirm|i agree|of course|"
    r"absolutely|certainly|definitely|that is (?:right|correct)|that's (?:right|correct))\b",
    re.I,
)
NO = re.compile(r"^\W*(?:no|nope|not at all|i disagree)\b(?=\s*(?:[,.;:!-]|$))", re.I)
DENIED = re.compile(r"^\W*i can(?:no|')t confirm (?:that|it|this)\b", re.I)
EVERY = re.compile(r"\b(?:both|all|each)\b(?! (?:in all|together|right|over|the same)\b)", re.I)
THE_DEFECTS = re.compile(r"\b(?:the (?:defects|suspect areas)|they) are in the\b", re.I)
SOME = re.compile(r"\b(?:among others|mainly|mostly|some|most|one of|another)\b", re.I)
SEPARATOR = re.compile(r",|;|:|\band\b|\bor\b|\bwhile\b|\bplus\b|\bwith\b", re.I)
CHANCE_TOLERANCE = 3.0  # percent points: one may round to the nearest 5
SIZE_TOLERANCE = 0.35  # relative: one rung of the ladder either way
REGION_KINDS = ("position", "size", "severity", "type", "tone", "shape")
EACH = ("tone", "shape", "severity", "type")  # what may be said of all regions at once


def against(text: str, inspection: Inspection, question: str = "") -> tuple[Claim, ...]:
    """The claims of `text`, an answer to `question` where there is one, that the Inspection does not bear out."""
    if inspection.verdict == "good" and DENIED.search(text) and question and polarity(question) == "good":
        return (Claim("presence", "defective"),)  # that it is good was denied
    stated = (*answered(text, question), *claims(text))
    wrong = tuple(dict.fromkeys(claim for claim in stated if not holds(claim, inspection)))
    return (
        wrong
        or repeated_places(text)
        or _left_out(text, inspection)
        or _overstated(text, inspection)
        or _mismatched(text, inspection)
    )


def _left_out(text: str, inspection: Inspection) -> tuple[Claim, ...]:
    """Places that are said to hold more defects than they do: "three in the center and upper left" where one is lower
    left, or "the defects are in the center" where some are not."""
    for _, sentence in sentences(text):
        stated = read_sentence(sentence)
        spots = [claim for claim in stated if claim.kind == "position" and not claim.negated]
        counts = [int(claim.value) for claim in stated if claim.kind == "count"]
        if THE_DEFECTS.search(sentence) and len(spots) == len([c for c in stated if c.kind == "position"]):
            counts.append(len(inspection.regions))
        there = sum(any(is_at(region, str(spot.value)) for spot in spots) for region in inspection.regions)
        if spots and len(counts) == 1 and there < counts[0] <= len(inspection.regions) and not SOME.search(sentence):
            return (Claim("presence", inspection.verdict),)  # whose true sentence tells how many, and where
    return ()


def _overstated(text: str, inspection: Inspection) -> tuple[Claim, ...]:
    """What is said of all regions ("both look compact and similar in tone") and does not hold for each."""
    for _, sentence in sentences(text):
        stated = read_sentence(sentence) if EVERY.search(sentence) else ()
        if any(claim.kind == "position" for claim in stated):
            continue  # place by place, which `_mismatched` reads
        told = [claim for claim in stated if claim.kind in EACH and not claim.negated and claim.bound != "may"]
        if wrong := [claim for claim in told if not all(fits(claim, region) for region in inspection.regions)]:
            return tuple(wrong)
    return ()


def answered(text: str, question: str) -> tuple[Claim, ...]:
    """What "Yes", "No" or a bare number says to a question about it; a verdict in words goes before it."""
    number = bare_number(text)
    if number is not None and HOW_MANY.search(question.lower()):
        return (Claim("count", number),)
    asked = polarity(question) if question else None
    if asked is None or MORE.search(text) or any(claim.kind == "presence" for claim in claims(text)):
        return ()
    other = {"good": "defective", "defective": "good"}[asked]
    if YES.search(text):
        return (Claim("presence", asked),)
    return (Claim("presence", other),) if NO.search(text) else ()


def holds(claim: Claim, inspection: Inspection) -> bool:
    """Does the Inspection bear out this claim by itself?"""
    regions = inspection.regions
    if claim.kind == "presence":
        return claim.value == inspection.verdict
    if claim.kind == "count":
        return len(regions) >= float(claim.value) if claim.bound == "least" else len(regions) == claim.value
    if claim.kind == "references":
        return inspection.references == claim.value
    if claim.kind in ("confidence", "probability"):
        sure = inspection.probability
        if claim.kind == "confidence" and inspection.verdict == "good":
            sure = 1 - sure
        return abs(100 * sure - float(claim.value)) <= CHANCE_TOLERANCE
    if claim.kind == "position" and claim.negated:
        place = str(claim.value)
        return inspection.judges(place) and not any(is_at(region, place) for region in regions)
    if claim.negated:  # "not severe" is wrong only where every region is
        same = [fits(claim, region) for region in regions]
        return not any(same) if claim.kind == "type" else not (same and all(same))
    if claim.kind == "size" and size_fits(claim, sum(region.area_fraction for region in regions)):
        return bool(regions)
    return any(fits(claim, region) for region in regions)


def fits(claim: Claim, region: Region) -> bool:
    """Is this true of this region, whatever `negated` says?"""
    if claim.kind == "position":
        return is_at(region, str(claim.value))
    if claim.kind == "size":
        return size_fits(claim, region.area_fraction)
    if claim.kind == "type" and claim.bound == "may" and region.type is None:
        return True
    return getattr(region, claim.kind) == claim.value


def size_fits(claim: Claim, area_fraction: float) -> bool:
    """Is this size that of an area fraction in [0, 1], as it is spoken or nearly?"""
    percent, stated = 100 * area_fraction, float(claim.value)
    if claim.bound == "under":
        return percent < stated
    if claim.bound == "over":
        return percent > stated
    return f"{stated:g}%" == spoken_size(area_fraction) or abs(percent - stated) <= SIZE_TOLERANCE * percent


def _mismatched(text: str, inspection: Inspection) -> tuple[Claim, ...]:
    """Claims each true of some region, but said together of one that is none ("the crack in the center").

    A sentence speaks of as many regions as it repeats a kind of claim, and goes from one to the next at a
    comma or an "and"; it is wrong if no such reading is true.
    """
    for _, sentence in sentences(text):
        stated = [claim for claim in read_sentence(sentence) if claim.kind in REGION_KINDS and not claim.negated]
        kinds = [claim.kind for claim in stated]
        most = max((kinds.count(kind) for kind in kinds), default=0)
        cuts = [
            SEPARATOR.search(sentence[left.start : right.start]) is not None
            for left, right in zip(stated, stated[1:], strict=False)
        ]
        if stated and not _readable(stated, cuts, most, inspection):
            return tuple(stated)
    return ()


def _readable(stated: list[Claim], cuts: list[bool], groups: int, inspection: Inspection) -> bool:
    """Can the row be cut at `cuts` into at most `groups` runs, each true of one region (or one per place)?"""
    if not stated:
        return True
    if groups == 0:
        return False
    return any(
        _fit_together(stated[:end], inspection) and _readable(stated[end:], cuts[end:], groups - 1, inspection)
        for end in range(len(stated), 0, -1)
        if end == len(stated) or cuts[end - 1]
    )


def _fit_together(group: list[Claim], inspection: Inspection) -> bool:
    total = sum(region.area_fraction for region in inspection.regions)
    spots = [claim for claim in group if claim.kind == "position"]
    rest = [claim for claim in group if claim.kind != "position"]
    if all(claim.kind != "size" or size_fits(claim, total) for claim in rest):  # the size of all together
        rest = [claim for claim in rest if claim.kind != "size"]
    return all(
        any(all(fits(claim, region) for claim in (spot, *rest)) for region in inspection.regions) for spot in spots
    ) and any(all(fits(claim, region) for claim in rest) for region in inspection.regions)
