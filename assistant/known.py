"""The true answer to a question, without a language model: what the Inspection says of what is asked for."""

import re

from assistant.checking import contradictions, right_letter
from assistant.choices import Choices, named_letter, parse_choices
from assistant.focus import count_there, find_focus, tell_focus, within
from assistant.form import find_form, formed, trimmed
from assistant.inspection import Inspection
from assistant.question_reader import asked_for
from assistant.spoken import lowered
from assistant.wording import tell
from assistant.worked_out import worked_out

# What an answer must tell when it is asked for: the kinds of claims that do; of advice, words that do.
OF_REGIONS = {
    "position": ("position",), "size": ("size",), "severity": ("severity",), "type": ("type",),
    "look": ("tone", "shape", "type"),
}  # fmt: skip
ASKED_TELLS = OF_REGIONS | {"count": ("count",), "confidence": ("confidence", "probability")}
ADVICE = re.compile(
    r"\b(?:pass|check\w*|hold|set|ship\w*|us(?:e|ed)|sort|keep|releas\w+|person|limits|accept\w*|line|aside|repair\w*|"
    r"look at|decide|go|action)\b"
)


def known_answer(inspection: Inspection, question: str) -> str:
    """The true answer that needs no language model: to a multiple choice, in the form that was wished for, worked out,
    about a focus, or to what is surely asked for; else the verdict."""
    if choices := parse_choices(question):
        return choose("", choices, inspection)
    if form := find_form(question):
        return formed(form, inspection) or trimmed(form, _known_in_words(inspection, form.question))
    return _known_in_words(inspection, question)


def _known_in_words(inspection: Inspection, question: str) -> str:
    if answer := worked_out(question, inspection):
        return answer
    asks, focus = asked_for(question), find_focus(question, inspection)
    if focus is None:
        return tell(str(asks) if asks in (*ASKED_TELLS, "advice") else "presence", inspection)
    if focus.sort not in ("one", "place", "box") or not focus.regions:
        return tell_focus(focus, inspection)
    if asks == "count":
        return count_there(focus, inspection)
    return tell(str(asks), within(focus, inspection)) if asks in OF_REGIONS else tell_focus(focus, inspection)


def choose(text: str, choices: Choices, inspection: Inspection) -> str:
    """The right letter with its option; where the photo does not decide it, the truth and the letter of `text`."""
    if right := right_letter(choices, inspection):
        reply = choices.reply(right)
        likely = contradictions(reply, inspection, choices.ask())
        return f"{right}, but I am unsure." if likely else reply
    letter = named_letter(text, choices)
    truth = f"None of them fits: {lowered(tell('presence', inspection))}"
    return f"{truth} If I must choose: {letter}." if letter else truth
