"""Which entry and state of answers.yaml fits which Inspection; the templates are checked against this too."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from assistant.inspection import SEVERITIES, VERDICTS, Inspection

FLAGGED = ("defective", "unsure")  # verdicts with regions
CLOSE = 0.3  # a good part may be defective with a higher probability than this: advice says so
BRIEF = ("presence", "location", "count", "size", "severity", "kind")  # what one word can answer

# Entry of answers.yaml -> the verdicts it may have to be answered for.
ENTRIES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys((
        "presence", "location", "count", "size", "severity", "kind", "look", "confidence", "comparison", "references",
        "advice", "report", "detail", "why", "else", "main", "correction", "greeting", "thanks", "identity",
        "unanswerable", "unrelated", "disagree", "claimed_wrong", "cell_clear", "box_clear", "box_outside", "choice",
        "units", "sort_none", "kind_sure", "total",
    ), VERDICTS),
    **{f"brief_{intent}": VERDICTS for intent in BRIEF},
    "agree": ("defective", "good"), "cell_here": FLAGGED, "box_here": FLAGGED, "claimed_right": FLAGGED,
    "claimed_open": FLAGGED, "choice_unsure": ("unsure",), "one": VERDICTS, "one_missing": FLAGGED,
    "sort_here": FLAGGED, "cell_count": FLAGGED,
}  # fmt: skip

ALWAYS = frozenset(("sure", "chance", "counted", "refs", "noun"))  # slots that every Inspection fills
OF_REGIONS = frozenset((
    "the", "is", "places", "sizes", "severities", "kinds", "looks", "listed", "first", "first_place", "first_named",
    "worst", "cover", "look", "it", "them", "cells", "number", "details",
))  # fmt: skip
OF_ENTRY = {
    "cell_here": frozenset(("found", "where")), "cell_clear": frozenset(("where",)), "box_here": frozenset(("found",)),
    "one": frozenset(("which_is",)), "total": frozenset(("total",)), "cell_count": frozenset(("where",)),
    "claimed_right": frozenset(("fact",)), "claimed_wrong": frozenset(("fact",)),
    "choice": frozenset(("letter", "option")), "choice_unsure": frozenset(("letter", "option")),
}  # fmt: skip


@dataclass(frozen=True)
class Situation:
    """What the wording of an answer depends on, beside the facts themselves."""

    verdict: str
    alone: bool  # no reference
    single: bool  # exactly one region
    named: bool  # the kind of some region is known
    severity: str  # of the heaviest region; any where there is none
    close: bool  # good, but not surely

    @classmethod
    def of(cls, inspection: Inspection) -> "Situation":
        regions = inspection.regions
        return cls(
            inspection.verdict, not inspection.references, len(regions) == 1,
            any(region.type for region in regions), regions[0].severity if regions else SEVERITIES[0],
            inspection.verdict == "good" and inspection.probability > CLOSE,
        )  # fmt: skip


def states(entry: str, situation: Situation) -> list[str]:
    """States of an entry that fit the situation, the most special first; the first that is written is used."""
    verdict = situation.verdict
    found = [verdict] if verdict == "good" else [verdict, "flagged"]
    if situation.alone:
        found = [f"{state}_alone" for state in found] + found
    if situation.single and verdict != "good":
        found = [f"{verdict}_one", "one", *found]
    if not situation.named and verdict != "good":
        found.insert(0, "unknown")
    if verdict == "defective":
        found.insert(0, situation.severity)
    if situation.close and verdict == "good":
        found.insert(0, "good_close")
    return [*found, "any"]


def situations(entry: str) -> Iterator[Situation]:
    """Every situation that an entry must have an answer for."""
    either = (True, False)
    yield from (
        Situation(*each) for each in itertools.product(ENTRIES[entry], either, either, either, SEVERITIES, either)
    )


def allowed_slots(entry: str, state: str) -> frozenset[str]:
    """Slots that are filled in every situation in which this state of the entry is used."""
    without_regions = "good" in ENTRIES[entry] and state in ("good", "good_alone", "good_close", "any")
    return ALWAYS | OF_ENTRY.get(entry, frozenset()) | (frozenset() if without_regions else OF_REGIONS)
