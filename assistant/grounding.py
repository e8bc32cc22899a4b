"""Grounding: the words of an answer never contradict the Inspection.

Text passes through sentence by sentence. A sentence whose claims hold is handed on unchanged; one that
contradicts is replaced by a true sentence on the same subject. Streaming and batch are one path.
"""

import re
from collections.abc import Iterable, Iterator

from assistant.claims import asks_about_part, claims, polarity, read_sentence, reads_nothing
from assistant.inspection import POSITIONS, Inspection, Region
from assistant.lexicon import MORE, REFUSAL
from assistant.wording import SPOKEN_TOKENS, Claim, is_at, say, spoken_size, summarize, tell

__all__ = [
    "SPOKEN_TOKENS", "Claim", "claims", "contradictions", "ground", "ground_stream", "say", "summarize", "tell",
]  # fmt: skip

# A sentence ends at . ! ? before a blank or at a line end; "0.5%" has no blank after its point.
SENTENCE_END = re.compile(r"[.!?]+[\"')\]]*(?=\s)|\n")
CLAUSE_END = re.compile(r"[,:;](?=\s)")
YES = re.compile(
    r"^\W*(?:yes|yeah|yep|correct|right|sure|exactly|confirmed|i (?:can )?confirm|i agree|of course|"
    r"absolutely|certainly|definitely|that is (?:right|correct)|that's (?:right|correct))\b",
    re.I,
)
LEADING = re.compile(
    r"\b(?:confirm|right|agree|correct|surely|obviously|clearly|isn't it|(?:say|tell me) (?:it|this|that|there))\b",
    re.I,
)
SEPARATOR = re.compile(r",|;|:|\band\b|\bor\b|\bwhile\b|\bplus\b|\bwith\b", re.I)
NO = re.compile(r"^\W*(?:no|nope|not at all|i disagree)\b(?=\s*(?:[,.;:!-]|$))", re.I)
CHANCE_TOLERANCE = 3.0  # percent points: one may round to the nearest 5
SIZE_TOLERANCE = 0.35  # relative: one rung of the ladder either way
REGION_KINDS = ("position", "size", "severity", "type", "tone", "shape")


def contradictions(text: str, inspection: Inspection, question: str = "") -> tuple[Claim, ...]:
    """The claims of `text` that the Inspection does not bear out.

    `question` is what the user asked; with it a bare "Yes." or "No." is read as a claim too.
    """
    stated = (*_answered(text, question), *claims(text))
    wrong = tuple(dict.fromkeys(claim for claim in stated if not _holds(claim, inspection)))
    return wrong or _mismatched(text, inspection)


def _answered(text: str, question: str) -> tuple[Claim, ...]:
    """The verdict that "Yes"/"No" gives to a question about it; a verdict in words goes before it."""
    asked = polarity(question) if question else None
    if asked is None or MORE.search(text) or any(claim.kind == "presence" for claim in claims(text)):
        return ()
    other = {"good": "defective", "defective": "good"}[asked]
    if YES.search(text):
        return (Claim("presence", asked),)
    return (Claim("presence", other),) if NO.search(text) else ()


def _holds(claim: Claim, inspection: Inspection) -> bool:
    regions = inspection.regions
    if claim.kind == "presence":
        return claim.value == inspection.verdict
    if claim.kind == "count":
        return len(regions) >= float(claim.value) if claim.bound == "least" else len(regions) == claim.value
    if claim.kind == "references":
        return inspection.references == claim.value
    if claim.kind in ("confidence", "probability"):
        sure = inspection.probability
        if claim.kind == "confidence" and inspection.verdict == "good":
            sure = 1 - sure
        return abs(100 * sure - float(claim.value)) <= CHANCE_TOLERANCE
    if claim.kind == "position" and claim.negated:
        return not any(is_at(region, str(claim.value)) for region in regions)
    if claim.negated:  # "not severe" is wrong only where every region is
        same = [_fits(claim, region) for region in regions]
        return not any(same) if claim.kind == "type" else not (same and all(same))
    if claim.kind == "size" and _size_fits(claim, sum(region.area_fraction for region in regions)):
        return bool(regions)
    return any(_fits(claim, region) for region in regions)


def _fits(claim: Claim, region: Region) -> bool:
    """Is this true of this region, whatever `negated` says?"""
    if claim.kind == "position":
        return is_at(region, str(claim.value))
    if claim.kind == "size":
        return _size_fits(claim, region.area_fraction)
    if claim.kind == "type" and claim.bound == "may" and region.type is None:
        return True
    return getattr(region, claim.kind) == claim.value


def _size_fits(claim: Claim, area_fraction: float) -> bool:
    percent, stated = 100 * area_fraction, float(claim.value)
    if claim.bound == "under":
        return percent < stated
    if claim.bound == "over":
        return percent > stated
    return f"{stated:g}%" == spoken_size(area_fraction) or abs(percent - stated) <= SIZE_TOLERANCE * percent


def _mismatched(text: str, inspection: Inspection) -> tuple[Claim, ...]:
    """Claims each true of some region, but said together of one that is none ("the crack in the center").

    A sentence speaks of as many regions as it repeats a kind of claim, and goes from one to the next at a
    comma or an "and"; it is wrong if no such reading is true.
    """
    for sentence in _split(text):
        stated = [claim for claim in read_sentence(sentence) if claim.kind in REGION_KINDS and not claim.negated]
        kinds = [claim.kind for claim in stated]
        most = max((kinds.count(kind) for kind in kinds), default=0)
        cuts = [
            SEPARATOR.search(sentence[left.start : right.start]) is not None
            for left, right in zip(stated, stated[1:], strict=False)
        ]
        if stated and not _readable(stated, cuts, most, inspection):
            return tuple(stated)
    return ()


def _readable(stated: list[Claim], cuts: list[bool], groups: int, inspection: Inspection) -> bool:
    """Can the row be cut at `cuts` into at most `groups` runs, each true of one region (or one per place)?"""
    if not stated:
        return True
    if groups == 0:
        return False
    return any(
        _fit_together(stated[:end], inspection) and _readable(stated[end:], cuts[end:], groups - 1, inspection)
        for end in range(len(stated), 0, -1)
        if end == len(stated) or cuts[end - 1]
    )


def _fit_together(group: list[Claim], inspection: Inspection) -> bool:
    total = sum(region.area_fraction for region in inspection.regions)
    spots = [claim for claim in group if claim.kind == "position"]
    rest = [claim for claim in group if claim.kind != "position"]
    if all(claim.kind != "size" or _size_fits(claim, total) for claim in rest):  # the size of all together
        rest = [claim for claim in rest if claim.kind != "size"]
    return all(
        any(all(_fits(claim, region) for claim in (spot, *rest)) for region in inspection.regions) for spot in spots
    ) and any(all(_fits(claim, region) for claim in rest) for region in inspection.regions)


def _split(text: str) -> list[str]:
    """Sentences with their trailing blanks; joined they are the text."""
    parts, start = [], 0
    for match in SENTENCE_END.finditer(text):
        parts.append(text[start : match.end()])
        start = match.end()
    return [*parts, text[start:]] if start < len(text) else parts


def _repair(wrong: tuple[Claim, ...], inspection: Inspection) -> str:
    """A true sentence on the subject of the most weighty wrong claim."""
    rank = ("presence", "count", "position", "type", "severity", "size", "tone", "shape")
    claim = min(wrong, key=lambda claim: rank.index(claim.kind) if claim.kind in rank else len(rank))
    if all(_holds(each, inspection) for each in wrong):  # true one by one, false together
        claim = wrong[-1]
        if claim.kind in ("position", "type", "severity"):
            return tell("regions", inspection)
    if claim.kind == "position" and claim.negated and claim.value in POSITIONS:
        return tell("cell", inspection, str(claim.value))
    subjects = {"tone": "look", "shape": "look", "probability": "confidence", "references": "comparison"}
    return tell(subjects.get(claim.kind, claim.kind), inspection)


def _is_pressed(sentence: str, question: str, verdict: str) -> bool:
    """Was the sentence agreeing to what a leading question wanted to hear?"""
    if not LEADING.search(question):
        return "confirm" in sentence.lower() and YES.search(sentence) is not None
    return polarity(question) not in (None, verdict)


def ground(text: str, inspection: Inspection, question: str = "") -> str:
    """`text` with every sentence that contradicts the Inspection replaced by a true one."""
    return "".join(ground_stream([text], inspection, question))


def ground_stream(pieces: Iterable[str], inspection: Inspection, question: str = "") -> Iterator[str]:
    """Ground text while it is being generated, as soon as a part of it can be judged.

    A whole sentence is judged at its end; an opening clause that holds nothing to check ("Looking at the
    photo,") goes out at its comma. The parts depend on the text alone, not on how it was cut into pieces.
    """
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


def _releasable(buffer: str) -> int | None:
    """End of the first part that can be judged on its own, or None to wait for more text."""
    sentence = SENTENCE_END.search(buffer)
    limit = sentence.end() if sentence else len(buffer)
    for clause in CLAUSE_END.finditer(buffer, 0, limit):
        return clause.end() if reads_nothing(buffer[: clause.end()]) else limit if sentence else None
    return limit if sentence else None


class _Passage:
    """One answer under way: what was said and corrected so far."""

    def __init__(self, inspection: Inspection, question: str) -> None:
        self.inspection, self.question = inspection, question
        self.said: set[str] = set()
        self.answered = False  # a refusal was replaced by the answer; the rest of it is dropped
        self.open = False  # an opening clause is out and its sentence is not finished

    def judge(self, part: str) -> str:
        """The part itself, a correction, or nothing where that correction was given before."""
        body = part.strip()
        question = "" if self.said else self.question
        if not body:
            return part
        if self.answered:
            return ""
        if not self.said and REFUSAL.search(body.lower()) and asks_about_part(question):
            self.answered = True  # to refuse it is to say, wrongly, that the photo does not tell
            return tell("presence", self.inspection)
        wrong = contradictions(body, self.inspection, question)
        opened, self.open = self.open, CLAUSE_END.search(part[-1] + " ") is not None
        if not wrong:
            self.said.add(body)
            return part
        truth = _repair(wrong, self.inspection)
        if truth in self.said:
            return ""
        self.said.add(truth)
        if wrong[0].kind == "presence" and _is_pressed(body, question, self.inspection.verdict):
            truth = f"I can't confirm that. {truth}"
        if opened and not truth.startswith("I "):
            truth = truth[0].lower() + truth[1:]
        lead = part[: len(part) - len(part.lstrip())]
        return f"{lead}{truth}{part[len(part.rstrip()) :]}"
