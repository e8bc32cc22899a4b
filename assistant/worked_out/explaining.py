"""What the assistant says of itself: what its words mean, how it judges, how close a call was, what it cannot do.

Which of these a question asks for is read by `asked_for`; what is told rests on the Inspection where that has a part.
"""

import re

from assistant.boxes import find_box
from assistant.inspection import KINDS, Inspection
from assistant.lexicon import REQUEST
from assistant.question_reader import asked_for, asks_several
from assistant.spoken import as_sentence, join
from assistant.wording import counted_references, described, listed, look, places, spoken_confidence, tell
from assistant.worked_out.reading import plain

ENOUGH_REFERENCES = 4
DIFFERENCE = re.compile(  # between the two words, not between two defects
    r"\b(?:differ\w*|distinguish|same (?:thing|as)|vs)\b.*\banomal\w+\b.*\bdefects?\b|"
    r"\b(?:differ\w*|distinguish|same (?:thing|as))\b.*\bdefects?\b.*\banomal\w+\b|"
    r"\banomal\w+ (?:or|and|vs|versus|the same as) (?:an? )?defects?\b"
)
TERMS = {
    "difference": DIFFERENCE.pattern,
    "map": r"\b(?:heat ?map|map|colou?rs?|red|yellow|blue|bright|glow\w*|overlay|shad(?:e|ing))\b",
    "false alarm": r"\bfalse (?:alarms?|positives?|rejects?)\b",
    "kind": r"\b(?:unknown kinds?|kinds?|types?)\b",
    "threshold": r"\b(?:threshold|cut-?off|limit)\b",
    "severity": r"\b(?:severity|minor|moderate|severe)\b",
    "reference": r"\b(?:references?|good (?:parts?|photos?|samples?))\b",
    "score": r"\b(?:scores?|values?)\b",
    "chance": r"\b(?:probabilit\w+|confiden\w+|chance|certain\w*|sure(?:ness)?|per ?cent\w*|calibrated)\b|%",
    "region": r"\b(?:regions?|areas?|box(?:es)?|numbers?|outlined?)\b",
    "verdict": r"\b(?:verdict|unsure|suspect)\b",
    "anomaly": r"\banomal\w+\b",
    "defect": r"\bdefect\w*\b",
}
LOOKED = re.compile(
    r"\bwhere (?:did|do|have) you look(?:ed)?\b|\bwhere you(?:'ve| have)? looked\b|"
    r"\bwhat (?:did you look at|you looked at)\b|"
    r"\bdid you (?:check|look at|see|inspect) (?:the )?(?:whole|entire|everything|all of)\b"
)
MISSED = re.compile(
    r"\b(?:could|might|may|can|did) you (?:\w+ )?(?:have )?(?:miss(?:ed)?|be(?:en)? (?:wrong|mistaken)|"
    r"overlook(?:ed)?)\b|"
    r"\bwhat (?:could|might|may) (?:you|it) (?:have )?miss"
)
ASKS_MEANING = re.compile(
    r"\b(?:what\w*|wh?at|mean\w*|explain\w*|define\w*|definition|stands?|term|words?|how|which|why|tell|describe|clarif\w+|"
    r"understand|difference)\b|^\W*\w+(?: \w+)?\W*$"
)
ANY_GRADE = re.compile(r"\b(?:is|are|any|all|both)\b.*\b(?:minor|moderate|severe)$")  # asks for no meaning
GRADES = re.compile(
    r"\b(?:scale|rate|rating|score|grade|points?|marks?|stars?)\b.*(?:\b(?:to|out of|of|from) ?\d+\b|"
    r"\d+ ?(?:-|to) ?\d+|\bstars?\b)|\bfrom (?:1|one|0|zero) to (?:\d+|ten|five)\b|\b(?:low|little)\b.*\bhigh\b"
)


def explained(question: str, inspection: Inspection) -> str | None:
    """The answer to what is asked about the assistant's words and ways; None to all other questions."""
    if find_box(question):
        return None
    low = plain(question)
    if DIFFERENCE.search(low):
        return _tell_term(low, inspection)
    if LOOKED.search(low):
        where = inspection.area.scope if inspection.area else "the whole photo"
        return f"I looked at {where}, and the map shows what stands out. {tell('presence', inspection)}"
    asks = "limits" if MISSED.search(low) else asked_for(question) or ""
    if GRADES.search(low) and not asks_several(question):
        return _tell_grade(inspection)
    if REQUEST.fullmatch(low) or (asks == "term" and (ANY_GRADE.search(low) or not ASKS_MEANING.search(low))):
        return None
    tell_it = {
        "term": _tell_term, "workings": _tell_workings, "limits": _tell_limits, "margin": _tell_margin,
        "photo": _tell_photo, "doubt": _tell_doubt, "plainer": _tell_plainly,
    }.get(asks)  # fmt: skip
    return tell_it(low, inspection) if tell_it else None


def _tell_grade(inspection: Inspection) -> str:
    if not inspection.regions:
        return "I have no such scale, and nothing to grade here: it looks good, with no defects."
    return f"I have no such scale, only three steps of severity. {tell('severity', inspection)}"


def _tell_term(low: str, inspection: Inspection) -> str:
    term = next((name for name, pattern in TERMS.items() if re.search(pattern, low)), "")
    return {
        "difference": "An anomaly is whatever looks different from good parts; only what spoils the part is called a "
        "defect. I find what differs; whether it matters is for your acceptance limits.",
        "map": "The anomaly map colors every place by how much it stands out: on the usual scale dark "
        "blue is as it should be, and red stands out most. The scale is the same for all photos.",
        "false alarm": "A false alarm is a part that is called defective although it is good.",
        "kind": f"I tell these kinds apart where a place looks like one: {join(KINDS)}. Of unknown kind means that it "
        "stands out and looks like none of them for sure.",
        "threshold": f"Nobody sets a threshold by hand: how far the map stands out is turned into a chance. "
        f"{_chance(inspection)}",
        "severity": f"Severity has three steps, by the size of a place times how much it stands out there. "
        f"{tell('severity', inspection)}",
        "reference": "A reference is a photo of a part known to be good; what differs from it stands out on the map.",
        "score": "The anomaly score of a place says how much it stands out on the map, from zero to one.",
        "chance": f"It says how likely my verdict is right: near one half it is a coin toss, near one seldom wrong. "
        f"{_chance(inspection)}",
        "region": "A region is a connected place that stands out on the map; they are numbered by weight, the heaviest "
        "first.",
        "verdict": "The verdict is good, defective, or unsure where both are equally likely.",
        "anomaly": "An anomaly is a place that looks different from good parts.",
        "defect": "I call a place a defect when it stands out on the map and the part is more likely bad than good.",
    }.get(term) or (
        "That word I cannot explain. Ask me what the colors of the map, a reference, severity, an unknown kind or "
        "the chance of a defect mean."
    )


def _chance(inspection: Inspection) -> str:
    """The chance of a defect, and where the line is."""
    percent = f"{min(max(round(inspection.probability * 100), 1), 99)}%"
    return f"Here the chance of a defect is {percent}, and the line is at one half."


def _tell_workings(low: str, inspection: Inspection) -> str:
    beside = "with what normal surfaces look like"
    if inspection.references:
        beside = f"with the same kind of patches of {counted_references(inspection)}"
    return (
        f"I cut the photo into small patches and compare each {beside}. What stands out makes the anomaly map, and the "
        "map decides the verdict, the places and the sizes; my words are held against it."
    )


def _tell_limits(low: str, inspection: Inspection) -> str:
    sure = f"I am {spoken_confidence(inspection)} sure"
    if inspection.verdict == "unsure":
        sure = f"the chance of a defect is {spoken_confidence(inspection)}"
    return (
        f"I can be wrong: here {sure}. I may miss what is very small or faint, and I see neither what lies beneath the "
        "surface nor how the part works. How often I err differs by product: try me on parts that you know."
    )


def _tell_margin(low: str, inspection: Inspection) -> str:
    if inspection.verdict == "good":
        beside = f" from {counted_references(inspection)}" if inspection.references else ""
        return f"{_chance(inspection)} Something would have to stand out more{beside} to cross it."
    main = f"What weighs most is {described(inspection.regions[0], inspection)}." if inspection.regions else ""
    return f"{_chance(inspection)} {main}".strip()


def _tell_photo(low: str, inspection: Inspection) -> str:
    width, height = inspection.size
    if re.search(r"\breferences?\b|\bgood (?:parts?|photos?|pictures?|samples?|ones)\b", low):
        more = "more would help, up to four" if inspection.references < ENOUGH_REFERENCES else "that is enough"
        return f"I compared it with {counted_references(inspection)}; {more}. I take it that they show good parts."
    helps = "a new photo would hardly change it"
    if 0.2 < inspection.probability < 0.8:
        helps = "a sharp photo, lit and held like those of good parts, may help"
    sure = (
        "I am unsure" if inspection.verdict == "unsure" else f"I am {spoken_confidence(inspection)} sure of my verdict"
    )
    return f"I do not measure light or sharpness; the photo has {width} x {height} pixels. {sure}, so {helps}."


def _tell_doubt(low: str, inspection: Inspection) -> str:
    if not inspection.regions:
        return "I see no defects, so nothing there counts against the part."
    many = len(inspection.regions) > 1
    main = inspection.regions[0]
    seen = listed(inspection) if many else f"{described(main, inspection)}, {look(main)}"
    harmless = "one of them is" if many else "it is"
    ignore = f'"ignore the one in the {main.position}"' if many else '"ignore it"'
    return f"A photo does not settle that. I see {seen}; if {harmless} harmless, say {ignore}, and I judge the rest."


def _tell_plainly(low: str, inspection: Inspection) -> str:
    if inspection.verdict == "good":
        return "The part looks good. I found nothing wrong with it."
    if inspection.verdict == "unsure":
        return f"I cannot decide whether the part is good. {as_sentence(f'look {places(inspection)}')}."
    return f"The part is defective. Look {places(inspection)}: there it does not look as it should."
