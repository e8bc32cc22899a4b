"""Grounding: the words of an answer never contradict the Inspection.

Text passes through sentence by sentence. A sentence whose claims hold is handed on unchanged; one that
contradicts is replaced by a true sentence on the same subject. Streaming and batch are one path.
"""

import re
from collections.abc import Iterable, Iterator

from assistant import wording
from assistant.agreement import NO, YES, holds
from assistant.checking import contradictions, right_letter
from assistant.choices import Choices, named_letter, parse_choices
from assistant.claims import asks_about_part, bare_number, claims, polarity, reads_nothing, states_verdict
from assistant.focus import find_focus, tell_focus, within
from assistant.form import find_form, formed, trimmed
from assistant.inspection import POSITIONS, Inspection
from assistant.known import ADVICE, ASKED_TELLS, choose, known_answer
from assistant.lexicon import (
    AGREES,
    ASKS_OPENLY,
    DIFFERS,
    EXPLAINED,
    HOW_MANY,
    IDENTITY,
    LET_PASS,
    REFUSAL,
    REQUEST,
    RIGHT,
    SUMMED,
    THANKS,
    TYPE,
    TYPES,
    UNKNOWABLE,
)
from assistant.question_reader import asked_for, is_unrelated, wished_form
from assistant.spoken import COUNTS, as_sentence, lowered
from assistant.wording import SPOKEN_TOKENS, Claim, counted, places, say, summarize, tell
from assistant.worked_out import worked_out

__all__ = [
    "NO", "SPOKEN_TOKENS", "YES", "Claim", "claims", "contradictions", "ground", "ground_stream", "known_answer",
    "say", "summarize", "tell",
]  # fmt: skip

# A sentence ends at . ! ? before a blank or at a line end; "0.5%" has no blank after its point.
SENTENCE_END = re.compile(r"[.!?]+[\"')\]]*(?=\s)|\n")
CLAUSE_END = re.compile(r"[,:;](?=\s)")
LEADING = re.compile(
    r"\b(?:confirm|right|agree|correct|surely|obviously|clearly|isn't it|(?:say|tell me) (?:it|this|that|there))\b",
    re.I,
)


def _repair(wrong: tuple[Claim, ...], inspection: Inspection) -> str:
    """A true sentence on the subject of the most weighty wrong claim."""
    rank = ("presence", "count", "position", "type", "severity", "size", "tone", "shape")
    claim = min(wrong, key=lambda claim: rank.index(claim.kind) if claim.kind in rank else len(rank))
    if all(holds(each, inspection) for each in wrong):  # true one by one, false together
        claim = wrong[-1]
        if claim.kind in ("position", "type", "severity"):
            return tell("regions", inspection)
    if claim.kind == "position" and claim.negated and claim.value in POSITIONS:
        return tell("cell", inspection, str(claim.value))
    subjects = {"tone": "look", "shape": "look", "probability": "confidence", "references": "comparison"}
    return tell(subjects.get(claim.kind, claim.kind), inspection)


def ground(text: str, inspection: Inspection, question: str = "") -> str:
    """`text` with every sentence that contradicts the Inspection replaced by a true one."""
    return "".join(ground_stream([text], inspection, question))


def ground_stream(pieces: Iterable[str], inspection: Inspection, question: str = "") -> Iterator[str]:
    """Ground text while it is being generated, as soon as a part of it can be judged.

    A whole sentence is judged at its end; an opening clause that holds nothing to check ("Looking at the
    photo,") goes out at its comma, one that is the verdict ("It is defective:") at its colon. The parts depend on
    the text alone, not on how it was cut into pieces. The answer to a multiple choice is short, and judged as a
    whole.
    """
    if choices := parse_choices(question):
        text = "".join(pieces)
        if text.strip():
            wrong = contradictions(text, inspection, question) or _leaves_open(text, choices, inspection)
            yield choose(text, choices, inspection) if wrong else text
        return
    if form := find_form(question):
        yield formed(form, inspection) or trimmed(form, "".join(_in_words(pieces, inspection, form.question)))
    else:
        yield from _in_words(pieces, inspection, question)


def _in_words(pieces: Iterable[str], inspection: Inspection, question: str) -> Iterator[str]:
    if answer := worked_out(question, inspection):
        yield answer
        return
    state = _Passage(inspection, question)
    buffer = ""
    for piece in pieces:
        buffer += piece
        while (end := _releasable(buffer)) is not None:
            if out := state.judge(buffer[:end]):
                yield out
            buffer = buffer[end:]
    if out := state.judge(buffer):
        yield out
    if out := state.ending():
        yield out


def _leaves_open(text: str, choices: Choices, inspection: Inspection) -> bool:
    """Does the answer name no option although the Inspection decides which is right?"""
    return named_letter(text, choices) is None and right_letter(choices, inspection) is not None


def _releasable(buffer: str) -> int | None:
    """End of the first part that can be judged on its own, or None to wait for more text."""
    sentence = SENTENCE_END.search(buffer)
    limit = sentence.end() if sentence else len(buffer)
    for clause in CLAUSE_END.finditer(buffer, 0, limit):
        text = buffer[: clause.end()]
        return clause.end() if reads_nothing(text) or states_verdict(text) else limit if sentence else None
    return limit if sentence else None


class _Passage:
    """One answer under way: what was said and corrected so far."""

    def __init__(self, inspection: Inspection, question: str) -> None:
        self.inspection, self.question = inspection, question
        self.focus = find_focus(question, inspection)
        self.said: set[str] = set()
        self.answered = False  # a refusal was replaced by the answer; the rest of it is dropped
        self.cut = False  # the opening clause was left out, so the sentence begins behind it
        self.asks = asked_for(question) or ""
        self.held, self.lacking = "", self._may_lack()  # what was asked for is not told yet
        self.open = False  # an opening clause is out and its sentence is not finished
        self.text = ""  # all that was let out

    def judge(self, part: str) -> str:
        """The part itself, a correction, or nothing where that correction was given before; held back until what was
        asked for is told."""
        out = self._judged(as_sentence(part.lstrip()) if self.cut else part)
        self.text += out
        self.cut = self.cut and not out
        self.held += out
        if self.lacking and not self._tells():
            return ""
        self.lacking, out, self.held = False, self.held, ""
        return out

    def ending(self) -> str:
        """What was held back, or the known answer in its place; which of several defects was spoken of, or what all
        cover together, where the answer has not told it."""
        if self.lacking and claims(self.text):
            self.held = self.text = known_answer(self.inspection, self.question)
        return self.held + self._which_one()

    def _which_one(self) -> str:
        focus, stated = self.focus, claims(self.text)
        short = len(self.text.split()) < 3 or REFUSAL.search(self.text.lower())  # as it was wished for, perhaps
        if focus is None or not focus.regions or len(self.inspection.regions) < 2 or short:
            return ""
        if focus.sort == "one" and not any(claim.kind == "position" for claim in stated):
            one = len(focus.regions) == 1
            return f" {'It is' if one else 'They are'} {places(within(focus, self.inspection))}."
        told = SUMMED.search(self.text.lower()) or len([claim for claim in stated if claim.kind == "size"]) == 1
        return f" {tell_focus(focus, self.inspection)}" if focus.sort == "area" and not told else ""

    def _judged(self, part: str) -> str:
        body = part.strip()
        opens = not self.said
        if not body:
            return part
        if opens and not self.answered and (stripped := self._without_comment(part)) != part:
            part, body = stripped, stripped.strip()
            self.cut = not body
            if self.cut:
                return ""
        if self.answered:
            return ""
        if opens and (instead := self._instead(body)) is not None:
            self.answered = True
            return instead
        if LET_PASS.search(body.lower()) and self.inspection.probability > wording.DOUBTFUL:
            self.answered = True  # a close call is no part to let pass
            return tell("advice", self.inspection)
        wrong = contradictions(body, self.inspection, self.question, opens=opens)
        opened, self.open = self.open, CLAUSE_END.search(part[-1] + " ") is not None
        if not wrong:
            self.said.add(body)
            return part
        self.open = False  # what takes the place of a part is a whole sentence
        truth = self._truth(wrong)
        if truth in self.said and opened:  # an opening clause ("Severity:") must not be left hanging
            about_severity = any(claim.kind == "severity" for claim in wrong)
            truth = tell("severity" if about_severity else "position", self.inspection)
        elif truth in self.said:
            return ""
        # "It is defective:" is not said again.
        before = next((said for said in self.said if said[-1] in ",:;" and truth.startswith(said)), "")
        self.said.add(truth)
        if opens and not self.focus and wrong[0].kind == "presence" and self._is_pressed(body):
            truth = f"I can't confirm that. {truth}"
        if opened:
            truth = lowered(truth.removeprefix(before).lstrip())
        lead = part[: len(part) - len(part.lstrip())]
        return f"{lead}{truth}{part[len(part.rstrip()) :]}"

    def _instead(self, body: str) -> str | None:
        """The whole answer in place of one that begins beside the question; None where it does not."""
        low = body.lower()
        if self.focus is None and claims(body) and (reply := self._beside_the_part()):
            return reply  # what the part is like does not answer it
        if RIGHT.match(low) and self._claims_another_kind():
            return f"I can't confirm that. {tell('type', self.inspection)}"
        if REFUSAL.search(low) and self._is_explained():
            return f"You may be right; the map still shows {wording.listed(self.inspection)}."
        # To refuse it is to say, wrongly, that the photo does not tell.
        return known_answer(self.inspection, self.question) if self._evades(low) else None

    def _may_lack(self) -> bool:
        """Is it sure what the answer must tell of the part, or of the defects that the question singles out?"""
        if self.asks not in (*ASKED_TELLS, "advice") or wished_form(self.question) == "long":
            return False
        if self.focus and (self.focus.sort in ("kind", "area") or not self.focus.regions):
            return False
        return bool(self.inspection.regions) or self.asks == "confidence"

    def _tells(self) -> bool:
        """Has what was let out, or is held back, told what was asked for?"""
        if self.asks == "advice":
            return ADVICE.search(self.text.lower()) is not None
        if bare_number(self.text) is not None or YES.match(self.text) or NO.match(self.text):
            return True
        told = [claim for claim in claims(self.text) if claim.kind in ASKED_TELLS[self.asks]]
        if self._singles_out() and self.focus:
            here = within(self.focus, self.inspection)
            return bool(told) and all(holds(claim, here) for claim in told) or not told and self._names_no_kind()
        return bool(told) or self._names_no_kind()

    def _names_no_kind(self) -> bool:
        return self.asks == "type" and "kind" in self.text.lower()

    def _singles_out(self) -> bool:
        """Is it about some of the defects, so that what is told must be true of them, and not just of others?"""
        some = self.focus is not None and 0 < len(self.focus.regions) < len(self.inspection.regions)
        return some and self.focus is not None and self.focus.sort in ("one", "place", "box")

    def _truth(self, wrong: tuple[Claim, ...]) -> str:
        """What is true of what was asked for; of a kind only where what was said is about kinds or a number."""
        if self.focus and (self.focus.sort != "kind" or wrong[0].kind in ("type", "count")):
            if self.focus.sort == "one" and self.focus.regions and wrong[0].kind in ("tone", "shape"):
                return tell("look", within(self.focus, self.inspection))
            return tell_focus(self.focus, self.inspection)
        if HOW_MANY.search(self.question.lower()) and self.inspection.regions:
            return f"I see {counted(self.inspection)}, {places(self.inspection)}."
        return _repair(wrong, self.inspection)

    def _beside_the_part(self) -> str:
        """The reply to thanks, and to what surely no photo tells; nothing to all else."""
        if THANKS.fullmatch(self.question.lower()):
            return wording.WELCOME
        return wording.REFUSAL if is_unrelated(self.question) else ""

    def _without_comment(self, part: str) -> str:
        """The beginning without agreement where nothing was claimed, or dissent where the number was right."""
        low, comment = part.lstrip().lower(), None
        if self.focus is None and ASKS_OPENLY.match(self.question.lower()):
            comment = AGREES.match(low)
        elif self._claims_the_number():
            comment = DIFFERS.match(low)
        return as_sentence(part.lstrip()[comment.end() :]) if comment else part

    def _claims_another_kind(self) -> bool:
        """Does the user name a kind that none of the defects is, all of which are known?"""
        named, known = TYPE.search(self.question.lower()), {region.type for region in self.inspection.regions}
        return named is not None and None not in known and list(TYPES)[int((named.lastgroup or "t0")[1:])] not in known

    def _claims_the_number(self) -> bool:
        """Does the user give the very number of defects?"""
        count = len(self.inspection.regions)
        return re.search(rf"\b(?:{count}|{COUNTS[count]})\b", self.question.lower()) is not None

    def _is_explained(self) -> bool:
        """Does the user say what it is that was flagged ("I think it's only a fold")?"""
        low = self.question.lower()
        asks = "?" in low or ASKS_OPENLY.match(low)
        return (
            bool(self.inspection.regions) and not asks and EXPLAINED.search(low) is not None and not is_unrelated(low)
        )

    def _evades(self, low: str) -> bool:
        """Is what the photo does tell refused, or a wish to inspect it taken for a question about the assistant?"""
        if REQUEST.fullmatch(self.question.lower()) and (IDENTITY.search(low) or not claims(low)):
            return True  # "Hello! Shall I check the part?"
        if is_unrelated(self.question):
            return False
        singled = self.focus is not None and self.focus.sort in ("box", "one")
        asks = singled or asks_about_part(self.question) or self._is_surely_asked()
        return asks and REFUSAL.search(low) is not None

    def _is_surely_asked(self) -> bool:
        """Is it surely something that a photo tells?"""
        told = (*ASKED_TELLS, "presence", "advice", "report", "anything else", "the main one")
        return self.asks in told and not UNKNOWABLE.search(self.question.lower())

    def _is_pressed(self, sentence: str) -> bool:
        """Was the sentence agreeing to what a leading question wanted to hear?"""
        if not LEADING.search(self.question):
            return "confirm" in sentence.lower() and YES.search(sentence) is not None
        return polarity(self.question) not in (None, self.inspection.verdict)
