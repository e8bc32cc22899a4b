"""Does a text agree with the Inspection? Every claim alone, claims that belong together, boxes, choices."""

import re
from dataclasses import replace

from assistant.area import unscoped
from assistant.choices import Choices, named_letter, own_words, parse_choices
from assistant.claims import (
    asks_about_part,
    bare_number,
    claims,
    polarity,
    read_sentence,
    repeated_places,
    sentences,
    states_verdict,
)
from assistant.focus import Focus, find_focus, within
from assistant.inspection import Inspection, Region
from assistant.lexicon import HERE, HOW_MANY, MORE, PLACE, SEVERITY, SIDE, UNSURE
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
IN_ALL = re.compile(r"\b(?:in all|in total|altogether)\b", re.I)
SEPARATOR = re.compile(r",|;|:|\band\b|\bor\b|\bwhile\b|\bplus\b|\bwith\b", re.I)
PART = re.compile(r"(?<=;)|(?<=,)(?= (?:but|only|except|however)\b)")  # of a sentence, about a box or not
CHANCE_TOLERANCE = 3.0  # percent points: one may round to the nearest 5
SIZE_TOLERANCE = 0.35  # relative: one rung of the ladder either way
REGION_KINDS = ("position", "size", "severity", "type", "tone", "shape")
EACH = ("tone", "shape", "severity", "type")  # what may be said of all regions at once
WHOLE = ("confidence", "probability", "references")  # claims about the photo, whatever place is asked about


def contradictions(text: str, inspection: Inspection, question: str = "", *, opens: bool = True) -> tuple[Claim, ...]:
    """The claims of `text` that the Inspection does not bear out.

    `question` is what the user asked; with it a bare "Yes.", "No." or "Two." is read as a claim too, a letter as
    the option that it stands for, and words about what it singles out ("nothing unusual there") as about that.
    Where only an area of the photo was judged, nothing may be said of places outside of it. `opens` tells that the
    text is how the answer begins, where yes and no are said.
    """
    text = unscoped(text, inspection.area)
    if choices := parse_choices(question):
        return _chosen_wrongly(text, choices, inspection)
    focus = find_focus(question, inspection)
    asked = question if opens else ""
    if focus is None:
        return _against(text, inspection, asked)
    check = {"box": _wrong_about_box, "place": _wrong_about_place, "one": _wrong_about_one, "kind": _wrong_about_kind}
    return check[focus.sort](text, focus, inspection, asked)


def _against(text: str, inspection: Inspection, question: str = "") -> tuple[Claim, ...]:
    if inspection.verdict == "good" and DENIED.search(text) and question and polarity(question) == "good":
        return (Claim("presence", "defective"),)  # that it is good was denied
    stated = (*_answered(text, question), *claims(text))
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
        if wrong := [claim for claim in told if not all(_fits(claim, region) for region in inspection.regions)]:
            return tuple(wrong)
    return ()


def _wrong_about_box(text: str, focus: Focus, inspection: Inspection, asked: str) -> tuple[Claim, ...]:
    """What names a place of the photo, and not the box, is about the photo; all else is about the box."""
    here, wrong = within(focus, inspection), list[Claim]()
    for part in _parts(text):
        elsewhere = MORE.search(part) or any(claim.kind == "position" for claim in claims(part))
        about = inspection if elsewhere and not HERE.search(part) else here
        found = _against(part, about, asked)
        wrong += [claim for claim in found if claim.kind not in WHOLE or not holds(claim, inspection)]
        asked = ""  # yes and no answer it once
    return tuple(wrong)


def _wrong_about_place(text: str, focus: Focus, inspection: Inspection, asked: str) -> tuple[Claim, ...]:
    """What is said of defects is about the place that was asked for, unless another is named; the first words may not
    speak of others alone, nor of lesser defects there than the main one."""
    here, wrong = within(focus, inspection), list[Claim]()
    lesser_asked, opens = SEVERITY.search(asked.lower()) is not None, bool(asked)
    asked = _asked_there(asked)
    for part in _parts(text):
        stated = claims(part)
        spots = [claim for claim in stated if claim.kind == "position"]
        inside = [_is_within(str(claim.value), focus) for claim in spots]
        if opens and here.regions and spots and not any(inside):
            return (spots[0],)
        about = inspection if not all(inside) or MORE.search(part) or IN_ALL.search(part) else here
        of_all = (*WHOLE, "presence") if spots or states_verdict(part) else WHOLE
        for claim in _against(part, about, asked):
            if not (claim.kind in of_all and claim in stated and holds(claim, inspection)):
                wrong.append(claim)
        if not HERE.search(part):
            wrong += [claim for claim in stated if claim.kind == "presence" and not holds(claim, inspection)]
        if about is here and here.regions and not lesser_asked:
            wrong += _lesser(stated, here.regions[0])
        asked, opens = "", False
    return tuple(dict.fromkeys(wrong))


def _asked_there(question: str) -> str:
    """The question without its place: "Is it clean?" asks whether it is good, "anything there?" whether it is bad."""
    low = SIDE.sub("", PLACE.sub("", question.lower().replace("’", "'")))
    if polarity(low) or not re.match(
        r"\W*(?:is|are|do|does|did|can|has|have|any|anything|nothing|see|no(?! doubt))\b", low
    ):
        return low
    if re.search(r"\b(?:nothing|no|free of)\b", low):
        return "is it good?"
    return "is it bad?" if re.search(r"\b(?:any|anything|something|one|spots?|marks?)\b", low) else low


def _is_within(place: str, focus: Focus) -> bool:
    return focus.covers(place) or any(is_at(region, place) for region in focus.regions)


def _lesser(stated: tuple[Claim, ...], main: Region) -> list[Claim]:
    """A severity that is told first, and is not that of the main one of several defects."""
    first = next((claim for claim in stated if claim.kind == "severity" and not claim.negated), None)
    return [] if first is None or _fits(first, main) else [first]


def _wrong_about_one(text: str, focus: Focus, inspection: Inspection, asked: str) -> tuple[Claim, ...]:
    """The first words are about the defect that was asked for; later ones may go on to others, or to the photo."""
    wrong, here = list[Claim](), within(focus, inspection)
    for part in _parts(text):
        of_photo = _against(part, inspection)
        if focus.regions:
            found = _against(part, here, asked)
            of_it = [claim for claim in found if claim.kind not in (*WHOLE, "count") or not holds(claim, inspection)]
            wrong += of_it if asked or of_photo else ()
        else:  # there are not so many
            named = re.search(rf"\bthe {focus.name}\b|^\W*(?:it|that)\b", part.lower())
            wrong += [claim for claim in claims(part) if claim.kind in REGION_KINDS] if named else of_photo
        asked = ""
    return tuple(wrong)


def _wrong_about_kind(text: str, focus: Focus, inspection: Inspection, asked: str) -> tuple[Claim, ...]:
    """Yes, no and a bare number are about the kind that was asked for, where it is known of all defects."""
    number, known = bare_number(text), all(region.type for region in inspection.regions)
    if number is not None and HOW_MANY.search(asked.lower()):
        unknown = sum(region.type is None for region in inspection.regions)
        fits = len(focus.regions) <= number <= len(focus.regions) + unknown
        return () if fits else (Claim("count", number),)
    missed, invented = NO.search(text) and focus.regions, YES.search(text) and known and not focus.regions
    turned = re.search(r"\b(?:no|without|free of)\b", asked.lower())  # "No scratches?" is answered either way
    if asked and not turned and (missed or invented):
        return (Claim("type", focus.name, negated=bool(focus.regions)),)
    return _against(text, inspection)


def _parts(text: str) -> list[str]:
    """Sentences, cut where one turns from a place or a box to what lies beside it."""
    return [part for _, sentence in sentences(text) for part in PART.split(sentence)]


def _chosen_wrongly(text: str, choices: Choices, inspection: Inspection) -> tuple[Claim, ...]:
    letter, own = named_letter(text, choices), own_words(text, choices)
    if letter is None:
        return _against(own, inspection, choices.stem)
    holds, right = option_holds(letter, choices, inspection), right_letter(choices, inspection)
    admitted = letter == right and UNSURE.search(own.lower()) is not None  # "A, but I am unsure."
    fits = admitted or (holds is not False and right in (None, letter))
    return _against(own, inspection) or (() if fits else (Claim("choice", letter),))


def option_holds(letter: str, choices: Choices, inspection: Inspection) -> bool | None:
    """Is the option true of the photo? None where nothing in it can be checked, or the stem is about no defect."""
    option = choices.options[letter]
    if not asks_about_part(choices.stem):
        return None
    if not claims(option) and not _answered(option, choices.stem):
        option = f"It is {option[:1].lower()}{option[1:]}"  # "Upper left region of the bottle" as a statement
        if not claims(option):
            return None
    return not _against(option, inspection, choices.stem)


def right_letter(choices: Choices, inspection: Inspection) -> str | None:
    """The only option that is true of the photo; with an "unsure" verdict, of what is more likely; else None."""
    true = [letter for letter in choices.options if option_holds(letter, choices, inspection)]
    if not true and inspection.verdict == "unsure":
        likely = _likelier(inspection)
        true = [letter for letter in choices.options if option_holds(letter, choices, likely)]
    return true[0] if len(true) == 1 else None


def _likelier(inspection: Inspection) -> Inspection:
    if inspection.probability >= 0.5:
        return replace(inspection, verdict="defective")
    return replace(inspection, verdict="good", regions=())


def _answered(text: str, question: str) -> tuple[Claim, ...]:
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
        same = [_fits(claim, region) for region in regions]
        return not any(same) if claim.kind == "type" else not (same and all(same))
    if claim.kind == "size" and _size_fits(claim, sum(region.area_fraction for region in regions)):
        return bool(regions)
    return any(_fits(claim, region) for region in regions)


def _fits(claim: Claim, region: Region) -> bool:
    """Is this true of this region, whatever `negated` says?"""
    if claim.kind == "position":
        return is_at(region, str(claim.value))
    if claim.kind == "size":
        return _size_fits(claim, region.area_fraction)
    if claim.kind == "type" and claim.bound == "may" and region.type is None:
        return True
    return getattr(region, claim.kind) == claim.value


def _size_fits(claim: Claim, area_fraction: float) -> bool:
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
    if all(claim.kind != "size" or _size_fits(claim, total) for claim in rest):  # the size of all together
        rest = [claim for claim in rest if claim.kind != "size"]
    return all(
        any(all(_fits(claim, region) for claim in (spot, *rest)) for region in inspection.regions) for spot in spots
    ) and any(all(_fits(claim, region) for claim in rest) for region in inspection.regions)
