"""Which questions come next: those that the Inspection can answer and nobody has asked yet."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from assistant.inspection import Inspection

SHOWN = 4


@dataclass(frozen=True)
class Suggestion:
    """A question, the words by which one knows that it was asked, and when it makes sense."""

    question: str
    asked: str
    fits: Callable[[Inspection], bool]


def _flagged(inspection: Inspection) -> bool:
    return bool(inspection.regions)


def _known_kind(inspection: Inspection) -> bool:
    return any(region.type for region in inspection.regions)


SUGGESTIONS = (
    Suggestion("What kind of defect is it?", r"\bkind|\btype|what is it\b", _known_kind),
    Suggestion("How large is it?", r"\blarge|\bbig\b|\bsize|\bmuch of", _flagged),
    Suggestion("Why are you unsure?", r"\bwhy\b", lambda found: found.verdict == "unsure"),
    Suggestion("How severe is it?", r"\bsever|\bserious|\bbad is\b", _flagged),
    Suggestion("Which one is the worst?", r"\bworst|\bmain\b|\blargest", lambda found: len(found.regions) > 1),
    Suggestion("Can I let it pass?", r"\bpass\b|\baccept|\bship", lambda found: found.verdict == "good"),
    Suggestion("How sure are you?", r"\bsure\b|\bcertain|\bconfiden|\bprobab", lambda found: True),
    Suggestion("What should I do with it?", r"\bshould i\b|\bdo with\b|\bnext\b|\breject", _flagged),
    Suggestion("How does it differ from the good parts?", r"\bdiffer|\bcompar|\breference", lambda f: f.references > 0),
    Suggestion("Is the center clean?", r"\bcenter|\bcentre|\bmiddle", lambda found: found.verdict == "good"),
    Suggestion("Where exactly?", r"\bwhere\b|\bplace\b|\blocat", _flagged),
    Suggestion("Describe what you see.", r"\bdescribe|\breport\b|\bsummar", lambda found: True),
    Suggestion("Is there anything else?", r"\belse\b", lambda found: True),
)


def suggest(inspection: Inspection, asked: Sequence[str]) -> list[str]:
    """The next few questions about a photo, most useful first, without those whose subject was asked about."""
    said = " \n ".join(asked).lower()
    fitting = [one for one in SUGGESTIONS if one.fits(inspection) and not re.search(one.asked, said)]
    return [_worded(one.question, inspection) for one in fitting[:SHOWN]]


def _worded(question: str, inspection: Inspection) -> str:
    """ "How large is it?" -> "How large are they?" where several regions were found."""
    if len(inspection.regions) < 2:
        return question
    plural = {"How large is it?": "How large are they?", "How severe is it?": "How severe are they?"}
    return plural.get(question, question)
