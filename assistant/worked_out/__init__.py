"""Answers that are worked out of the Inspection instead of being left to a language model.

Which defects are severe, how two of them compare, how long one is and whether it touches the edge: counting, arithmetic
and coordinates are not what a language model is good at, and here they are exact.
"""

from dataclasses import replace

from assistant.inspection import Inspection
from assistant.wording import listed
from assistant.worked_out.comparing import find_comparison
from assistant.worked_out.comparison_words import tell_comparison
from assistant.worked_out.explaining import DIFFERENCE, explained
from assistant.worked_out.measuring import measured
from assistant.worked_out.picking import picked
from assistant.worked_out.reading import plain


def worked_out(question: str, inspection: Inspection) -> str | None:
    """The true answer to a question that compares, picks or measures defects, or asks how it was judged, what words
    mean or what the assistant cannot do; None to all others."""
    if DIFFERENCE.search(plain(question)):  # between an anomaly and a defect: compares no two of them
        return explained(question, inspection)
    if comparison := find_comparison(question, inspection):
        return tell_comparison(comparison, inspection)
    if len(inspection.regions) == 1 and _needs_two(question, inspection):
        return f"There is only one: {listed(inspection)}."
    tellers = (picked, measured, explained)
    return next(filter(None, (tell_it(question, inspection) for tell_it in tellers)), None)


def _needs_two(question: str, inspection: Inspection) -> bool:
    """Would it compare two defects, or tell how far apart they are, if there were two?"""
    comparison = find_comparison(question, replace(inspection, regions=inspection.regions * 2))
    return comparison is not None and (comparison.sides is not None or comparison.attribute == "distance")
