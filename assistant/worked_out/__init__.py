"""Answers that are worked out of the Inspection instead of being left to a language model.

Which defects are severe, how two of them compare, how long one is and whether it touches the edge: counting, arithmetic
and coordinates are not what a language model is good at, and here they are exact.
"""

from assistant.inspection import Inspection
from assistant.worked_out.comparing import find_comparison
from assistant.worked_out.comparison_words import tell_comparison
from assistant.worked_out.measuring import measured
from assistant.worked_out.picking import picked
from assistant.worked_out.procedure import told_of_procedure


def worked_out(question: str, inspection: Inspection) -> str | None:
    """The true answer to a question that compares, picks or measures defects, or asks how it was judged; None to all
    others."""
    if comparison := find_comparison(question, inspection):
        return tell_comparison(comparison, inspection)
    return picked(question, inspection) or measured(question, inspection) or told_of_procedure(question, inspection)
