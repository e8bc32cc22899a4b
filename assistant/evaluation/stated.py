"""What a reply states, whatever the benchmark: a verdict, or that it declines."""

import re

from assistant.claims import claims, polarity
from assistant.grounding import NO, YES

OF_DEFECTS = {"position", "size", "severity", "type", "tone", "shape"}
DECLINES = re.compile(
    r"\b(?:cannot|can't|can not|could not|couldn't|unable|not able|do not know|don't know|no idea|sorry|"
    r"not something|outside|beyond|only (?:judge|help|talk|answer|inspect|look))\b",
    re.I,
)


def stated_verdict(text: str, question: str) -> str | None:
    """The verdict that a reply gives: in words, by a plain yes or no, or by telling of a defect; None for none.

    A reply that states two verdicts states none.
    """
    said = claims(text)
    verdicts = {str(claim.value) for claim in said if claim.kind == "presence"}
    if verdicts:
        return verdicts.pop() if len(verdicts) == 1 else None
    asked = polarity(question)
    if asked and (YES.search(text) or NO.search(text)):
        return asked if YES.search(text) else {"good": "defective", "defective": "good"}[asked]
    tells = any(claim.kind in OF_DEFECTS and not claim.negated or claim.kind == "count" for claim in said)
    return "defective" if tells else None


def declines(text: str) -> bool:
    """Does the reply decline, and claim nothing about the part?"""
    about = {"presence", "count", *OF_DEFECTS}
    return bool(DECLINES.search(text)) and not any(claim.kind in about for claim in claims(text))
