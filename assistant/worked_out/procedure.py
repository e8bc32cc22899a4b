"""How the verdict came about: where was looked, whether more references would help, what may have been missed."""

import re

from assistant.inspection import Inspection
from assistant.wording import counted_references, spoken_confidence, tell
from assistant.worked_out.reading import plain

LOOKED = re.compile(
    r"\bwhere (?:did|do|have) you look(?:ed)?\b|\bwhere you(?:'ve| have)? looked\b|"
    r"\bwhat (?:did you look at|you looked at)\b|"
    r"\bdid you (?:check|look at|see|inspect) (?:the )?(?:whole|entire|everything|all of)\b"
)
ENOUGH = re.compile(
    r"\b(?:more|further|additional|extra) (?:\w+ )?(?:references?|good (?:photos?|pictures?|parts|samples))\b|"
    r"\b(?:references?|good photos?) (?:be )?enough\b|\benough (?:references?|good photos?)\b"
)
MISSED = re.compile(
    r"\b(?:could|might|may|did|can) you (?:have )?(?:miss(?:ed)?|be(?:en)? (?:wrong|mistaken)|overlook(?:ed)?)\b|"
    r"\bhave you ever been wrong\b|\bwhat (?:could|might|may) (?:you|it) (?:have )?miss"
)
ENOUGH_REFERENCES = 4


def told_of_procedure(question: str, inspection: Inspection) -> str | None:
    """The answer to a question of how the photo was judged; None to all others."""
    low = plain(question)
    if LOOKED.search(low):
        where = inspection.area.scope if inspection.area else "the whole photo"
        return f"I looked at {where}, and the map shows what stands out. {tell('presence', inspection)}"
    if ENOUGH.search(low):
        more = "more would help, up to four" if inspection.references < ENOUGH_REFERENCES else "that is enough"
        return f"I compared it with {counted_references(inspection)}; {more}."
    if MISSED.search(low):
        sure = f"I am {spoken_confidence(inspection)} sure"
        if inspection.verdict == "unsure":
            sure = f"the chance of a defect is {spoken_confidence(inspection)}"
        return f"I can be wrong: {sure}, and may miss what is very small or faint, or what a photo does not show."
    return None
