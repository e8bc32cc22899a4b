"""Does an answer agree with the Inspection, given what the question singles out or lets choose from?"""

import re
from dataclasses import replace

from assistant.agreement import NO, REGION_KINDS, YES, against, answered, fits, holds, size_fits
from assistant.area import unscoped
from assistant.choices import Choices, named_letter, own_words, parse_choices
from assistant.claims import asks_about_part, bare_number, claims, polarity, sentences, states_verdict
from assistant.focus import Focus, find_focus, one_of, within
from assistant.inspection import Inspection, Region
from assistant.lexicon import HERE, HOW_MANY, IN_ALL, MORE, PLACE, SEVERITY, SIDE, SUMMED, UNSURE
from assistant.question_reader import ONES, asked_for
from assistant.spoken import spoken_size
from assistant.wording import Claim, is_at
from assistant.worked_out import worked_out

CLAUSE = re.compile(r"[,;:] |\band\b")
PART = re.compile(r"(?<=;)|(?<=,)(?= (?:but|only|except|however)\b)")  # of a sentence, about a box or not
ANOTHER = re.compile(
    rf"\W*the (?P<one>{'|'.join(name for name in ONES if name != 'other')}|worst)(?: one)? (?:is|covers)\b"
)
WHICH_ONES = re.compile(r"\b(?:which|list|show|what)(?: me)?(?: of)?(?: the| all)? \w*s\b.* (?:in|on|at) the\b")
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
    if answer := worked_out(question, inspection):
        meaning = asked_for(question) == "term" and text == answer  # what a word means claims nothing of the part
        return () if meaning else against(text, inspection)
    focus = find_focus(question, inspection)
    asked = question if opens else ""
    if focus is None:
        return against(text, inspection, asked)
    check = {
        "box": _wrong_about_box, "place": _wrong_about_place, "one": _wrong_about_one, "kind": _wrong_about_kind,
        "area": _wrong_about_area,
    }  # fmt: skip
    return check[focus.sort](text, focus, inspection, asked)


def _wrong_about_box(text: str, focus: Focus, inspection: Inspection, asked: str) -> tuple[Claim, ...]:
    """What names a place of the photo, and not the box, is about the photo; all else is about the box."""
    here, wrong = within(focus, inspection), list[Claim]()
    for part in _parts(text):
        elsewhere = MORE.search(part) or any(claim.kind == "position" for claim in claims(part))
        about = inspection if elsewhere and not HERE.search(part) else here
        found = against(part, about, asked)
        wrong += [claim for claim in found if claim.kind not in WHOLE or not holds(claim, inspection)]
        asked = ""  # yes and no answer it once
    return tuple(wrong)


def _wrong_about_place(text: str, focus: Focus, inspection: Inspection, asked: str) -> tuple[Claim, ...]:
    """What is said of defects is about the place that was asked for, unless another is named; the first words may not
    speak of others alone, nor of lesser defects there than the main one."""
    here, wrong = within(focus, inspection), list[Claim]()
    lesser_asked, opens = SEVERITY.search(asked.lower()) is not None, bool(asked)
    only_there = WHICH_ONES.search(asked.lower()) is not None  # "which ones are on the left side?"
    asked = _asked_there(asked)
    for part in _parts(text):
        stated = claims(part)
        spots = [claim for claim in stated if claim.kind == "position"]
        inside = [_is_within(str(claim.value), focus) for claim in spots]
        beside = not all(inside) if only_there else not any(inside)
        if opens and here.regions and spots and beside:
            return (spots[0],)
        about = inspection if not all(inside) or MORE.search(part) or IN_ALL.search(part.lower()) else here
        of_all = (*WHOLE, "presence") if spots or states_verdict(part) else WHOLE
        for claim in against(part, about, asked):
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
        r"\W*(?:is|are|do|does|did|can|has|have|any|anything|nothing|see|no(?! doubt|,? the))\b", low
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
    return [] if first is None or fits(first, main) else [first]


def _wrong_about_one(text: str, focus: Focus, inspection: Inspection, asked: str) -> tuple[Claim, ...]:
    """The first words are about the defect that was asked for; later ones may go on to others, or to the photo."""
    wrong, here = list[Claim](), within(focus, inspection)
    stated = claims(text)
    tells = any(claim.kind in REGION_KINDS for claim in stated) or "kind" in text  # that it is unknown
    if asked and focus.regions and stated and not tells:  # "I see two defects."
        return (Claim("position", focus.regions[0].position),)
    if asked and (named := ANOTHER.match(text.lower())):
        name = "main" if named["one"] == "worst" else named["one"]
        if focus.regions and one_of(name, inspection).regions != focus.regions:
            return (Claim("position", focus.regions[0].position),)  # called by the name of another
    for part in _parts(text):
        of_photo = against(part, inspection)
        if focus.regions:
            found = against(part, here, asked)
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
        possible = len(focus.regions) <= number <= len(focus.regions) + unknown
        return () if possible else (Claim("count", number),)
    missed, invented = NO.search(text) and focus.regions, YES.search(text) and known and not focus.regions
    turned = re.search(r"\b(?:no|without|free of)\b", asked.lower())  # "No scratches?" is answered either way
    if asked and not turned and (missed or invented):
        return (Claim("type", focus.name, negated=bool(focus.regions)),)
    return against(text, inspection)


def _wrong_about_area(text: str, focus: Focus, inspection: Inspection, asked: str) -> tuple[Claim, ...]:
    """Sizes that open the answer hold the sum among them; one in a clause that speaks of all is the sum."""
    total = sum(region.area_fraction for region in focus.regions)
    sizes = [claim for claim in claims(text) if claim.kind == "size" and not claim.negated]
    summed = list[Claim]()
    for _, sentence in sentences(text):
        for clause in CLAUSE.split(sentence):
            if SUMMED.search(clause.lower()):
                summed += [claim for claim in claims(clause) if claim.kind == "size" and not claim.negated]
    # Among several, that of one defect may come near the sum: then it must be said of all, or be the sum as it is told.
    told = summed or [claim for claim in sizes if len(sizes) == 1 or f"{claim.value:g}%" == spoken_size(total)]
    if asked and sizes and not told:
        return tuple(sizes)
    if wrong := [claim for claim in told if (claim in summed or asked) and not size_fits(claim, total)]:
        return tuple(wrong)
    return against(text, inspection, asked)


def _parts(text: str) -> list[str]:
    """Sentences, cut where one turns from a place or a box to what lies beside it."""
    return [part for _, sentence in sentences(text) for part in PART.split(sentence)]


def _chosen_wrongly(text: str, choices: Choices, inspection: Inspection) -> tuple[Claim, ...]:
    letter, own = named_letter(text, choices), own_words(text, choices)
    if letter is None:
        return against(own, inspection, choices.stem)
    holds, right = option_holds(letter, choices, inspection), right_letter(choices, inspection)
    admitted = letter == right and UNSURE.search(own.lower()) is not None  # "A, but I am unsure."
    right_one = admitted or (holds is not False and right in (None, letter))
    return against(own, inspection) or (() if right_one else (Claim("choice", letter),))


def option_holds(letter: str, choices: Choices, inspection: Inspection) -> bool | None:
    """Is the option true of the photo? None where nothing in it can be checked, or the stem is about no defect."""
    option = choices.options[letter]
    if not asks_about_part(choices.stem):
        return None
    if not claims(option) and not answered(option, choices.stem):
        option = f"It is {option[:1].lower()}{option[1:]}"  # "Upper left region of the bottle" as a statement
        if not claims(option):
            return None
    return not against(option, inspection, choices.stem)


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
