"""How far defects reach: "How long is it?", "vertical or horizontal?", "does it touch the edge?", in pixels."""

import re

from assistant.boxes import find_box
from assistant.choices import parse_choices
from assistant.focus import find_focus, tell_focus
from assistant.inspection import Inspection, Region
from assistant.lexicon import DEFECT
from assistant.spoken import as_sentence, join, lowered
from assistant.wording import size_of
from assistant.worked_out.comparing import named_defects
from assistant.worked_out.reading import plain

THEY = (
    rf"(?:it\b|that\b|this\b|they\b|those\b|these\b|the (?:\w+ )?(?:one|spot|mark|line|{DEFECT}|"
    r"scratch|crack|stain|hole|dent|break)\b)"
)
EXTENT = re.compile(
    rf"\bhow (?:long|wide|tall|high|broad) (?:and \w+ )?(?:is|are) {THEY}(?! (?:prob|chance|risk|rate|in service|old))|"
    r"(?<!at )(?<!arm's )(?<!arms )(?<!focal )(?<!full-)\b(?:lengt?ht?|width|height)\b|\bin pixels?\b|"
    r"\bpx\b|\bdimensions\b(?! to)"
)
PIXELS = re.compile(r"\bhow many pixels\b(?!.*\b(?:apart|wide|long|high|between|from|move)\b)")
ENDS = re.compile(
    r"(?<!without )\bcoordinates\b|\bx and y\b|\bx ?[,/] ?y\b|\bexact (?:position|location)s?\b|\bfrom which pixel\b|"
    r"\bfrom where to where\b|\b(?:bounding )?box in pixels\b|"
    r"\bwhere (?:does|do) (?:it|this|that|they|the \w+)(?: one)? (?:start|begin|end)\b"
)
RUNS = re.compile(
    r"\b(?:vertical(?:ly)?|horizontal(?:ly)?|diagonal(?:ly)?|upright|orient\w+|up-down|up and down or|"
    r"direction (?:does|is)|(?:wider|longer) than (?:it is )?(?:high|tall|wide))\b"
)
HALVES = r"^(?=.*\b(?:half|halves|closer|nearer)\b).*"
ACROSS = re.compile(rf"{HALVES}(?:\bleft\b.*\bor\b.*\bright\b|\bright\b.*\bor\b.*\bleft\b)")
UP = re.compile(
    rf"{HALVES}(?:\b(?:top|upper)\b.*\bor\b.*\b(?:bottom|lower)\b|\b(?:bottom|lower)\b.*\bor\b.*\b(?:top|upper)\b)"
)
HOW_FAR = re.compile(r"\bhow (?:far|close|near)\b.* (?:edges?|borders?|rims?)\b(?! of the (?!photo|picture|image))")
EDGE = re.compile(
    r"^(?!.*\bcent(?:re|er) or\b)(?:\W*(?:and|so|ok|but)\W+)*"
    r"(?:is|are|does|do|did|has|have|any|i wonder)\b.*"
    r"\b(?:touch\w*|reach\w*|near|close to|comes? to|past|cut off by|meet\w*|run\w* (?:to|into|off)|from)"
    r" (?:\w+ ){0,3}?(?:edges?|borders?|rims?)\b(?! of the (?!photo|picture|image))"
    r"(?!.*\bor (?:in|at|on|more|rather)\b)"
)
# A photo has no ruler.
UNKNOWN = re.compile(r"\b(?:mm|cm|inch\w*|(?:milli|centi)?met(?:er|re)s?|deep|depth|last|take)\b")
SIDE = re.compile(r"\b(?:left|right|top|bottom|upper|lower)(?: hand)? (?:edge|border|rim)")
UPRIGHT = 1.5  # as many times as high as wide, or the other way round
NEAR = 0.05  # of the photo's shorter side


def measured(question: str, inspection: Inspection) -> str | None:
    """How long, which way or how near to the photo's edge the defects in question are; None to other questions."""
    low = plain(question)
    if not inspection.regions or UNKNOWN.search(low) or SIDE.search(low):
        return None
    tells = next((say for asks, say in MEASURES if asks.search(low)), None)
    if tells is None or parse_choices(question) or find_box(question):
        return None
    focus = find_focus(question, inspection) or next(iter(named_defects(low, inspection)[0]), None)
    if focus and focus.sort == "place" and tells in (_across, _up):
        focus = None  # the places are what it lets choose from
    if focus and not focus.regions:
        return tell_focus(focus, inspection)
    return tells(focus.regions if focus else inspection.regions, inspection)


def _extent(regions: tuple[Region, ...], inspection: Inspection) -> str:
    told = [f"{who} is {_span(region)} ({size_of(region)})" for who, region in _named(regions)]
    return f"{as_sentence(join(told))}, of a photo of {inspection.size[0]} x {inspection.size[1]}."


def _pixels(regions: tuple[Region, ...], inspection: Inspection) -> str:
    told = [f"{who} covers {region.area_px} pixels" for who, region in _named(regions)]
    return f"{as_sentence(join(told))}, of the {inspection.size[0]} x {inspection.size[1]} of the photo."


def _span(region: Region) -> str:
    x0, y0, x1, y1 = region.box
    return f"{x1 - x0} pixels wide and {y1 - y0} high"


def _ends(regions: tuple[Region, ...], inspection: Inspection) -> str:
    told = [
        f"{who} reaches from x = {x0} to {x1} and from y = {y0} to {y1}"
        for who, (x0, y0, x1, y1) in ((who, region.box) for who, region in _named(regions))
    ]
    return f"{as_sentence(join(told))}, in pixels of a photo of {inspection.size[0]} x {inspection.size[1]}."


def _run(regions: tuple[Region, ...], inspection: Inspection) -> str:
    told = [f"{who} {_way(region)} ({_span(region)})" for who, region in _named(regions)]
    return f"{as_sentence(join(told))}."


def _way(region: Region) -> str:
    x0, y0, x1, y1 = region.box
    if y1 - y0 >= UPRIGHT * (x1 - x0):
        return "runs vertically"
    return "runs horizontally" if x1 - x0 >= UPRIGHT * (y1 - y0) else "is about as wide as high"


def _across(regions: tuple[Region, ...], inspection: Inspection) -> str:
    """On which side of the middle, by midpoints."""
    return _beside(regions, inspection.size[0], 0, ("further left", "further right"))


def _up(regions: tuple[Region, ...], inspection: Inspection) -> str:
    return _beside(regions, inspection.size[1], 1, ("higher", "lower"))


def _beside(regions: tuple[Region, ...], side: int, axis: int, ways: tuple[str, str]) -> str:
    """`side` is the photo's length along `axis`, 0 across and 1 down."""
    told = []
    for who, region in _named(regions):
        off = (region.box[axis] + region.box[axis + 2] - side) // 2
        told.append(f"{who} lies {abs(off)} pixels {ways[off >= 0]} than the photo's midline")
    return f"{as_sentence(join(told))}."


def _is_near(regions: tuple[Region, ...], inspection: Inspection) -> str:
    room = min(_room(region, inspection) for region in regions)
    near = "Yes" if room <= NEAR * min(inspection.size) else "No"
    return f"{near}: {lowered(_to_edge(regions, inspection))}"


def _to_edge(regions: tuple[Region, ...], inspection: Inspection) -> str:
    nearest = min(regions, key=lambda region: _room(region, inspection))
    who = "It" if len(regions) == 1 else f"The nearest, in the {nearest.position},"
    pixels = _room(nearest, inspection)
    told = f"ends {pixels} pixels from the edge" if pixels else "touches the edge"
    return f"{who} {told} of the photo."


def _room(region: Region, inspection: Inspection) -> int:
    x0, y0, x1, y1 = region.box
    width, height = inspection.size
    return max(0, min(x0, y0, width - x1, height - y1))


def _named(regions: tuple[Region, ...]) -> list[tuple[str, Region]]:
    """Each as a sentence names it."""
    if len(regions) == 1:
        return [("it", regions[0])]
    return [(f"the one in the {region.position}", region) for region in regions]


MEASURES = (
    (HOW_FAR, _to_edge),
    (EDGE, _is_near),
    (RUNS, _run),
    (ENDS, _ends),
    (PIXELS, _pixels),
    (EXTENT, _extent),
    (ACROSS, _across),
    (UP, _up),
)
