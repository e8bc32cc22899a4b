"""Words that restrict the verdict -> an area: "only the upper half", "ignore the left third", "the whole part again".

To ask about a place ("what about the lower left?") restricts nothing. Places of the photo are known by name: halves,
thirds, quarters, sides, corners, the nine cells that answers speak of, its border and its center, a box in pixels,
and kinds of defects that were found; of things, a label and the background are looked for on the photo. Where any other
thing is ("only the left connector") nobody here knows: the image decoder compares patches with words for defects and
has not learnt what connectors look like. Such words change nothing, and the answer asks for a box.
"""

import re
from dataclasses import dataclass

import numpy as np

from assistant.area import ROOM, THE_BOX, Area, Box, Piece, clipped
from assistant.boxes import BOX, find_box
from assistant.choices import parse_choices
from assistant.focus import find_focus
from assistant.inspection import Inspection, Region
from assistant.lexicon import DEFECT, MIDDLE, ROWS, TYPE, TYPES
from assistant.places import named_place
from assistant.question_reader import asked_for
from assistant.spoken import join
from assistant.things import find_thing
from assistant.worked_out.picking import find_pick

SIDES = (*ROWS, "left", "right")
VERB = (
    r"(?:look|check|inspect|judge?|consider|examine?|evaluate?|analy[sz]e?|assess|test|search|rate?|score?|use|us)"
    r"(?:ing)?(?: it| this| the (?:photo|part|picture|image))?"
)
PREPOSITION = r"(?:(?:at|on|in|inside|within|to|about|into|by|over|for) )?"
ONLY = re.compile(
    rf"\b{VERB} (?:only|just|solely|exclusively) {PREPOSITION}|\b(?:only|just) {VERB} {PREPOSITION}|"
    r"\b(?:restrict|limit|confine|narrow)(?:ing)?(?: \w+){0,4}? (?:to|on) |"
    r"\b(?:focus+|concentrat|zoom)(?:e|ing)? (?:in )?"
    rf"(?:only )?on(?:ly)? |(?:^|[,;:.!?] ?)(?:(?:and|now|okay?|please|then|so|no|(?:what|how) about|but|i mean(?:t)?|"
    rf"for|in|on|at|with|again),? )*(?:only|just) {PREPOSITION}"
)
IGNORE = re.compile(
    r"\b(?:ignor(?:e|ing)|disregard(?:ing)?|skip(?:ping)?|exclud(?:e|ing)|mask(?:ing)? out|omit(?:ting)?|"
    r"leav(?:e|ing) out|forget(?: about)?|except(?:ing)?(?: for)?|apart from|aside from) |"
    rf"\b(?:do not|don't|not|without) (?:look(?:ing)? at|consider(?:ing)?|check(?:ing)?|count(?:ing)?|judg(?:e|ing)|"
    r"includ(?:e|ing)|car(?:e|ing) about) |\b(?:everything|everywhere|all|the rest)(?: of it)? (?:but|besides) |"
    rf"\b{VERB} without |(?:^|[,;.!?] ?(?:but )?)(?:not|without) (?=(?:at |in |on )?(?:the|this|that)\b)"
)
WHOLE = r"(?:whole|entire|full|complete)(?: (?:part|photo|picture|image|thing|piece|item|board|surface|area))?"
RESET = re.compile(
    rf"\b(?:back to|return to|(?:what|how) about|look at|check|inspect|judge|use|consider) (?:the |it )?{WHOLE}\b"
    rf"(?! (?:left|right|upper|lower|top|bottom))|\b(?:{WHOLE}|everything|all of it) again\b|"
    r"^\W*(?:now )?(?:the )?(?:whole|entire) (?:part|photo|picture|image)(?: now| please)?\W*$|"
    r"\b(?:put|take|bring) (?:it|them|that(?: one)?) back\b|"
    r"\b(?:include|restore) (?:it|them|that one|the \w+ (?:one|defect))\b|"
    r"\b(?:count|consider|look at|check|include)? ?(?:it|them all|all of them|every defect|everything) again\b|"
    r"\b(?:remove|clear|drop|lift|cancel|reset|undo|forget|delete) (?:the |that |this |my |any )?"
    r"(?:area|box|restriction|selection|mask|marking)s?\b|\b(?:stop|do not|don't|no longer) ignor(?:e|ing)\b"
)
SPARES = re.compile(r"\b(?:forget|except|apart|aside|besides|but)\b")
A_DEFECT = re.compile(
    rf"\b(?:ones?|dots?|spots?|marks?|{DEFECT}|smallest|largest|biggest|main|worst|(?:number|nr) \d)\b"
)
THING_ON_PART = re.compile(r"\b(?:label|sticker|background|text|logo|print)\b")
# Words before a match that make it a question about what was done, or deny it.
ASKED = re.compile(
    r"\b(?:why|(?:do|did|does|are|were|have|has|should|can|could|may|must) (?:you|it|i|we)(?! please))\b[^,;.!?]*$|"
    r"\b(?:not|never|don't|stop|no longer) (?:just |only )?$"
)
REQUEST = re.compile(r"\b(?:can|could|would|will|may i ask) (?:you|i ask you to)(?: please)? $")
# Ends what a restriction names: what follows is what is asked about it.
TAIL = re.compile(
    r"[,;:.!?](?!\d)|\s-\s|\b(?:is|are|does|do|did|has|what|where|which|how|can|could|would|will|when|if|because|since|so|"
    r"then|please|now|again|for|with|it|looks?|matters?|counts?|tell|say|give|show|check|judge|inspect|answer|except|"
    r"apart|aside|but|ignor\w+|without|not|only|too|also|as well|instead|this time)\b"
)
NOT_PLACES = re.compile(
    r"\b(?:instructions?|rules?|questions?|answers?|prompts?|maps?|verdicts?|inspections?|facts?|references?|warnings?|"
    r"previous|earlier|said|told|words?|letters?|option|names?|numbers?|sizes?|places?|kinds?|types?|json|scores?|"
    r"probabilit\w+|reasons?|one|two|three|me|my|us|your?|message|conversation|text above|severity|count|worst|"
    r"biggest|largest|smallest|tiniest|"
    r"main|first|second|third|last|others?|rest|"
    rf"{DEFECT})\b"
)
HERE = re.compile(
    r"(?:(?:in|inside|at|on|within|over) )?(?:the |this |that |these |my )?"
    r"(?:here|there|this|that|it|"
    r"(?:drawn |marked |selected )?(?:box|area|region|place|spot|mark|marking|selection|part))?"
    r"(?: here| there)?(?: (?:i|that i) (?:drew|marked|selected))?"
)
DETERMINER = re.compile(r"^(?:(?:in|at|on) )?(?:(?:the|its|all|that|this|these|those|any|both) )+")


@dataclass(frozen=True)
class Steering:
    """What a message changes: the `area` from now on (None for all of the photo), or why it changes nothing.

    `rest` is the message without the words that steered, which may ask something; `problem` is a sentence for the
    user where the words named no place that is known, and then nothing changes.
    """

    area: Area | None
    rest: str = ""
    problem: str = ""


def steer(message: str, inspection: Inspection, photo: np.ndarray, drawn: Area | None = None) -> Steering | None:
    """What a message of the user restricts, or None where it restricts nothing.

    "Only" replaces the area that is judged, "ignore" is added to what is left out already.

    Args:
        message: what the user said.
        inspection: the current one: the size of the photo, the area so far, the kinds that were found.
        photo: (H, W, 3) uint8, on which things are looked for.
        drawn: what the user drew for this message; "here" and "this" mean it.

    Raises:
        UserError: nothing of the photo would be left, or a box in the message lies beside it.
    """
    low = " ".join(message.lower().replace("’", "'").split())
    low = re.sub(r"\bleave ((?:\w+ ){1,5}?)out\b", r"leave out \1", low)
    if parse_choices(message):
        return None
    if match := RESET.search(low):
        if inspection.area is None:
            return None
        return Steering(None, low[: match.start()] + low[match.end() :])
    only, without = list[Piece](), list[Piece]()
    rest, steered = low, False
    for pattern, pieces in ((IGNORE, without), (ONLY, only)):
        for match in pattern.finditer(low):
            before = REQUEST.sub("", low[: match.start()])
            if ASKED.search(before) or (tail := _tail(low[match.end() :])) is None:
                continue
            found = _pieces(
                tail, inspection, photo, drawn, kinds=pattern is IGNORE, asks=SPARES.search(match.group()) is not None
            )
            if found is None:
                continue
            if isinstance(found, str):
                return Steering(inspection.area, problem=found)
            pieces += found
            steered, rest = True, rest.replace(match.group() + tail, " ", 1)
    if not steered:
        return _dismissed(message, inspection, drawn)
    before_now = inspection.area.only if inspection.area else ()
    left_out = inspection.area.without if inspection.area and not only else ()
    return Steering(Area(inspection.size, tuple(only) or before_now, (*left_out, *without)), rest.strip(" ,.;:"))


def _dismissed(message: str, inspection: Inspection, drawn: Area | None) -> Steering | None:
    """A defect that the user explains away and wants left out, in other words than those that name a place behind."""
    if asked_for(message) != "dismissal" or drawn is not None:
        return None
    if not inspection.regions:
        return Steering(inspection.area, problem="There is nothing to leave out: I see no defects.")
    focus = find_focus(message, inspection)
    if focus and focus.sort in ("one", "place"):
        piece = _piece(f"the {focus.name if focus.sort == 'one' else join(focus.places)}", focus.regions, inspection)
        if piece is None:
            return None  # the answer tells that nothing is there
    elif len(inspection.regions) > 1:
        return Steering(inspection.area, problem=_ask_which(inspection))
    else:
        piece = _the_defect(inspection)
    only, without = (inspection.area.only, inspection.area.without) if inspection.area else ((), ())
    return Steering(Area(inspection.size, only, (*without, piece)))


def _the_defect(inspection: Inspection) -> Piece:
    """The only one that was found."""
    return Piece("the defect", (around(inspection.regions[0], inspection.size),))


def _ask_which(inspection: Inspection) -> str:
    place = inspection.regions[0].position
    return f'I see several; which one? Say for instance "ignore the one in the {place}", or draw a box around it.'


def _tail(words: str) -> str | None:
    """The words up to where something else begins; a box in pixels counts whole."""
    if box := BOX.match(re.sub(r"^(?:(?:the|this) )?(?:box|area|region)? ?", "", words)):
        return words[: words.index(box.group()) + len(box.group())]
    end = TAIL.search(words)
    return words[: end.start()].rstrip() if end else words.rstrip()


def _pieces(
    words: str, inspection: Inspection, photo: np.ndarray, drawn: Area | None, *, kinds: bool, asks: bool
) -> list[Piece] | str | None:
    """The pieces of the photo that words name; a sentence where nobody knows the place; None where they name none.

    Only with `kinds` is a kind of defect a place, for "only scratches count" is about no area; nor is a single defect
    one with `asks`, for "what is there apart from the main one?" restricts nothing.
    """
    if box := find_box(words):
        return [Piece(THE_BOX, (clipped(box, inspection.size),))]
    found = list[Piece]()
    for part in filter(None, re.split(r",|/|\band\b|\bor\b|\bplus\b", words)):
        name = part.strip()
        place = named_place(DETERMINER.sub("", name), inspection.size) or _kind(name, inspection)
        if place is None and kinds and not asks:
            place = _defects(name, inspection)
        if TYPE.search(name) and not kinds:
            break
        if place:
            found.append(place)
        elif HERE.fullmatch(name) and name:
            if drawn is not None:
                found += drawn.only or drawn.without
            elif kinds and len(inspection.regions) == 1:
                found.append(_the_defect(inspection))
            elif kinds and inspection.regions:
                return _ask_which(inspection)
            else:
                return "I cannot tell which place you mean; draw a box around it."
        elif not DETERMINER.match(name) or NOT_PLACES.search(name) or len(name.split()) > 5:
            break  # talk about something else; what was named before it holds
        elif thing_found := find_thing(DETERMINER.sub("", name), photo):
            found.append(thing_found)
        else:
            thing = _thing(name)
            are, them = ("are", "them") if re.search(r"[^s]s$", thing) else ("is", "it")
            return f"I cannot tell where the {thing} {are}; draw a box around {them}."
    return found or None


def _thing(name: str) -> str:
    """What a name is a name of, without words for places: "the left connector" -> "connector"."""
    words = [word for word in DETERMINER.sub("", name).split() if not re.fullmatch(f"{MIDDLE}|{'|'.join(SIDES)}", word)]
    return " ".join(words) or "place"


def _kind(name: str, inspection: Inspection) -> Piece | None:
    """The regions of a kind of defect, with some room around them, where the inspection names that kind."""
    match = TYPE.search(name)
    if match is None:
        return None
    kind = list(TYPES)[int((match.lastgroup or "t0")[1:])]
    boxes = [around(region, inspection.size) for region in inspection.regions if region.type == kind]
    return Piece(f"the {kind}", tuple(boxes)) if boxes else None


def _defects(name: str, inspection: Inspection) -> Piece | None:
    """The defects that were found and are named here: "the smallest one", "the dark spots"."""
    if not A_DEFECT.search(name) or THING_ON_PART.search(name):
        return None
    if pick := find_pick(name):
        regions, called = pick.among(inspection.regions), f"the {pick.value}"
    elif (focus := find_focus(name, inspection)) and focus.sort in ("one", "place"):
        regions = focus.regions
        called = f"the {focus.name}" if focus.sort == "one" else f"the {join(focus.places)}"
    else:
        return None
    return _piece(called, regions, inspection)


def _piece(called: str, regions: tuple[Region, ...], inspection: Inspection) -> Piece | None:
    """Some defects with room around them; None where there are none."""
    boxes = tuple(around(region, inspection.size) for region in regions)
    return Piece(f"{called} {'one' if len(boxes) == 1 else 'ones'}", boxes) if boxes else None


def around(region: Region, size: tuple[int, int]) -> Box:
    """The box of a region on a photo of `size` (width, height), with some room around it."""
    (x0, y0, x1, y1), room_x, room_y = region.box, size[0] // ROOM, size[1] // ROOM
    return clipped((x0 - room_x, y0 - room_y, x1 + room_x, y1 + room_y), size)
