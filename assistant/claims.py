"""Words -> facts: read the claims out of free English, of a tiny model or a large one.

By rules, clause by clause: cautious about what counts as a claim (a question, an "if", a hint what one
could ask are none), broad in the words a claim may be made with. Putting facts into words is `wording`'s
half; the property that ties the two is `claims(say(fact)) == (fact,)`.
"""

import re
from functools import lru_cache

from assistant.inspection import SEVERITIES
from assistant.lexicon import (
    ABOUT,
    AREA,
    BAD,
    BAD_WORD,
    CHANCE,
    CLAUSE,
    CONDITION,
    COUNT,
    DEFECT,
    FINE,
    GOOD,
    GOOD_WORD,
    GREETING,
    HEDGE,
    IMPERATIVE,
    MORE,
    NEGATION,
    NOT_CLEAR,
    NOT_STATED,
    NUMBER,
    NUMBER_WORDS,
    OF_PART,
    OPEN_QUESTION,
    PERCENT,
    PLACE,
    REFERENCES,
    RELEASE,
    REQUEST,
    ROWS,
    SCENE,
    SEVERITY,
    SEVERITY_WORDS,
    SHAPE,
    SIDE,
    SPOILT,
    SPOT,
    SUBJECT,
    SURE,
    TONE,
    TYPE,
    TYPES,
    UNKNOWABLE,
    UNSURE,
)  # fmt: skip
from assistant.wording import Claim


def sentences(text: str) -> list[tuple[int, str]]:
    """(start, sentence) of every sentence; a point inside a number ends none."""
    return [(match.start(), match.group()) for match in re.finditer(r"(?:[^.!?\n]|[.!?](?!\s|$))+[.!?]*", text)]


def claims(text: str) -> tuple[Claim, ...]:
    """Every checkable claim in free English text, in reading order, without repeats.

    Questions, suppositions and talk about what one could ask hold no claims.
    """
    found: list[Claim] = []
    for start, sentence in sentences(text):
        found += [_moved(claim, start) for claim in read_sentence(sentence)]
    return tuple(dict.fromkeys(found))


def _moved(claim: Claim, start: int) -> Claim:
    return Claim(claim.kind, claim.value, claim.negated, claim.bound, claim.start + start)


@lru_cache(maxsize=4096)
def read_sentence(sentence: str) -> tuple[Claim, ...]:
    """Claims of one sentence in reading order, repeats included."""
    low = sentence.lower().replace("’", "'")
    if low.rstrip().endswith("?"):
        return ()
    found: list[Claim] = []
    start = 0
    for clause in _clauses(low):
        if clause and not NOT_STATED.search(clause):
            found += [_moved(claim, start) for claim in _read_clause(clause, low)]
        start += len(clause)
    return tuple(found)


def _clauses(sentence: str) -> list[str]:
    """Cut where a new statement begins; "in the lower left, I see nothing" stays whole. Joined they are it."""
    parts = CLAUSE.split(sentence)
    for i in range(len(parts) - 1):
        if re.fullmatch(r" ?(?:yes, |no, )?(?:in|on|at|near|towards?|around|for) (?:the )?[a-z -]+,?", parts[i]):
            parts[i + 1], parts[i] = parts[i] + parts[i + 1], ""
    return parts


def _read_clause(clause: str, sentence: str) -> list[Claim]:
    stripped = clause.strip()
    places = _places(clause) if _about_defects(stripped, sentence) else []
    found = [*_presence(clause, has_place=bool(places)), *_counts(clause), *_types(clause), *_percents(clause)]
    found += _words(clause)
    if not MORE.search(clause) or not NEGATION.search(clause):
        clear = _is_clear(clause)
        for at, place in places:
            *turned, reach = re.split(r"\b(?:only|but|except(?: for)?|just|rather)\b", clause[:at])
            negated = bool(NEGATION.search(reach)) if turned else clear
            found.append(Claim("position", place, negated=negated, start=at))
    return sorted(found, key=lambda claim: claim.start)


def _negated(clause: str, start: int, reach: int = 40) -> bool:
    """Is there a negation shortly before `start`, with nothing between that ends its reach?"""
    before = re.split(r",(?! (?:or|nor))|\bbut\b|\bonly\b", clause[:start].replace("no, ", "    ", 1))[-1]
    return any(match.end() > len(before) - reach for match in NEGATION.finditer(before))


def _presence(clause: str, *, has_place: bool) -> list[Claim]:
    """Verdicts in a clause. "No defect in the lower left" is about that cell and no verdict."""
    if match := UNSURE.search(clause):
        return [Claim("presence", "unsure", start=match.start())]
    if CHANCE.search(clause) or MORE.search(clause) or HEDGE.search(clause):
        return []
    for pattern, value, other in ((BAD, "defective", "good"), (GOOD, "good", "defective")):
        if match := pattern.search(clause):
            turned = _negated(clause, match.end(), reach=match.end() - match.start() + 30)
            if pattern is GOOD and re.search(r"\b(?:free|without)\b[^,]*$", match.group()):
                turned = False
            verdict = other if turned else value
            if verdict == "good" and has_place:
                return []
            return [Claim("presence", verdict, start=match.start())]
    return []


def _is_clear(clause: str) -> bool:
    """Does the clause say that a place holds nothing?"""
    if re.match(r" ?(?:no|yes),", clause):
        clause = clause.split(",", 1)[1]
    first = PLACE.search(clause)
    denied = bool(NEGATION.search(clause)) and not NOT_CLEAR.search(clause)
    return first is not None and (denied or FINE.search(clause) is not None)


def _about_defects(clause: str, sentence: str) -> bool:
    """Does a place word here speak of a defect, rather than of the scene ("a gear in the center")?"""
    return bool(
        ABOUT.search(clause) or TYPE.search(clause) or SUBJECT.search(clause) or SEVERITY.search(clause)
        or len(clause.split()) <= 5 or (SUBJECT.search(sentence) and ABOUT.search(sentence))
        or IMPERATIVE.match(clause) or re.match(r"the (?:upper|lower|top|bottom|left|right|cent|middle)", clause)
    ) and not SCENE.match(clause)  # fmt: skip


def _places(clause: str) -> list[tuple[int, str]]:
    """(start, position) of every place named, coarse where only a side is."""
    return [(match.start(), _place(match)) for match in PLACE.finditer(clause)]


def asked_places(question: str) -> list[str]:
    """The places that a question names ("what about the lower left?"), coarse where only a side is."""
    return [place for _, place in spotted_places(question)]


def spotted_places(question: str) -> list[tuple[tuple[int, int], str]]:
    """The same, each with where it stands in the question."""
    low = question.lower()
    places = [(match.span(), _place(match)) for match in PLACE.finditer(low)]
    for match in SIDE.finditer(low):
        side = match["side"] or match["bare"] or match["short"] or match["last"]
        if all(match.end() <= start or match.start() >= end for (start, end), _ in places):
            places.append((match.span(), ROWS.get(side, side)))
    return sorted(places)


def _place(match: re.Match[str]) -> str:
    row, column = match["row"] or match["row2"], match["column"] or match["column2"]
    if match["middle"] or (row and row not in ROWS and column not in ("left", "right")):
        return "center"
    if match["side"]:
        return ROWS.get(match["side"], match["side"])
    return f"{ROWS.get(row, 'center')} {column if column in ('left', 'right') else 'center'}"


def repeated_places(text: str) -> tuple[Claim, ...]:
    """Places named twice in one row ("in the center and center"): no claim, and nothing anyone would say."""
    found = [(match, _place(match)) for match in PLACE.finditer(text.lower())]
    return tuple(
        Claim("position", place, start=match.start())
        for (before, earlier), (match, place) in zip(found, found[1:], strict=False)
        if place == earlier
        and re.fullmatch(r"(?:[\s,]|and|or|also|in|at|the)*", text.lower()[before.end() : match.start()])
    )


def _number(word: str) -> int:
    word = word.removeprefix("a ").replace("single", "one").removeprefix("only ")
    if word == "no":
        return 0
    return int(word) if word.isdigit() else NUMBER_WORDS.index(word)


def bare_number(text: str) -> int | None:
    """The number of an answer that is nothing else: "Two." -> 2, "None." -> 0."""
    match = re.fullmatch(rf"\W*(?:(?:only|just) )?(?P<n>{'|'.join(NUMBER_WORDS)}|none|\d+)\W*", text.lower())
    return None if match is None else 0 if match["n"] == "none" else _number(match["n"])


def _counts(clause: str) -> list[Claim]:
    found = []
    for match in COUNT.finditer(clause):
        number = _number(match["n"] or match["bare"] or match["total"])
        words = (match["adjectives"] or "").split()
        if number == 0 or MORE.search(match.group()) or "photos" in words or "reference" in words:
            continue  # "no defects" is a verdict; "two other areas" counts no whole
        tail = clause[match.end() :]
        partial = (
            bool({*words} & {*SEVERITIES, "thin", "compact"})  # "two minor defects": there may be severe ones too
            or re.match(r" (?:in|at|near|on)\b", tail) is not None
            or re.search(r"\b(?:another|and (?:one|two|a))\b", clause) is not None
            or bool(match["bare"] and tail)
        )
        found.append(Claim("count", number, bound="least" if partial else "", start=match.start()))
    if several := re.search(rf"\b(?:several|multiple|many|numerous) (?:[a-z]+ )?(?:{DEFECT}|{SPOT})\b", clause):
        found.append(Claim("count", 2, bound="least", start=several.start()))
    found += [Claim("references", _number(match["n"]), start=match.start()) for match in REFERENCES.finditer(clause)]
    return found


def _types(clause: str) -> list[Claim]:
    found = []
    for match in TYPE.finditer(clause):
        kind = list(TYPES)[int((match.lastgroup or "t0")[1:])]
        negated = _negated(clause, match.start())
        hedge = "may" if HEDGE.search(clause) and not negated else ""
        found.append(Claim("type", kind, negated, hedge, match.start()))
    return found


def _words(clause: str) -> list[Claim]:
    """Severity, tone and shape."""
    found = []
    for match in SEVERITY.finditer(clause):
        severity = SEVERITY_WORDS[match.group()]
        found.append(Claim("severity", severity, _negated(clause, match.start()), start=match.start()))
    for match in TONE.finditer(clause):
        tone = "brighter" if match[1] == "lighter" else match[1]
        if not _negated(clause, match.start()):
            found.append(Claim("tone", tone, start=match.start()))
    for match in SHAPE.finditer(clause):
        shape = "thin" if match.group() == "elongated" else match.group()
        if not _negated(clause, match.start()):
            found.append(Claim("shape", shape, start=match.start()))
    return found


def _percents(clause: str) -> list[Claim]:
    """A percentage is a confidence, the chance of a defect, or a size, told apart by the words around it."""
    found = []
    for match in PERCENT.finditer(clause):
        value = float(match["n"])
        value = int(value) if value.is_integer() else value
        before = re.sub(r"^\w+", "", clause[: match.start()][-45:])  # "measure", cut, is no "sure"
        around = before + clause[match.start() : match.end() + 25]
        if SURE.search(around):
            found.append(Claim("confidence", value, start=match.start()))
        elif CHANCE.search(around):
            good = re.search(rf"\b(?:{GOOD_WORD})\b", clause[match.end() :] + clause[: match.start()])
            found.append(Claim("probability", 100 - value if good else value, start=match.start()))
        elif AREA.search(clause) or len(clause.split()) <= 4:
            bound = {"u": "under", "b": "under", "l": "under", "o": "over", "a": "over", "m": "over"}
            found.append(Claim("size", value, bound=bound.get((match["bound"] or " ")[0], ""), start=match.start()))
    return found


def reads_nothing(clause: str) -> bool:
    """True where no claim can be pending: no word of any claim, no number, no negation, no yes or no."""
    low = clause.lower()
    words = rf"\b(?:{DEFECT}|{SPOT}|{BAD_WORD}|{GOOD_WORD}|yes|no|if|confirm|correct|sure|agree|{NUMBER})\b|\d"
    patterns = (NEGATION, HEDGE, NOT_STATED, TYPE, SEVERITY, PLACE, TONE, SHAPE, CHANCE, MORE, re.compile(words))
    return not any(pattern.search(low) for pattern in patterns)


def states_verdict(clause: str) -> bool:
    """True where a clause is the verdict and no more, and ends so that nothing can turn it: "It is defective:"."""
    return clause.rstrip()[-1:] in (":", ";") and [claim.kind for claim in read_sentence(clause)] == ["presence"]


def polarity(question: str) -> str | None:
    """The verdict that "yes" would give: "Is it broken?" -> "defective"; None where yes and no decide nothing."""
    low = question.lower().replace("’", "'")
    if any(pattern.search(low) for pattern in (PLACE, TYPE, MORE, SEVERITY, SHAPE, OPEN_QUESTION)):
        return None
    # "No, it is broken" denies what was said before, "no doubt" denies nothing.
    low = re.sub(r"^no,? (?=it|this|the)|\b(?:no|without(?: a| any)?) doubt\b", "", GREETING.sub("", low))
    bad = re.search(rf"\b(?:{BAD_WORD}|{DEFECT}|wrong|problems?|issues?|failed|terrible)\b", low)
    good = re.search(rf"\b(?:{GOOD_WORD}|pass(?:ed)?)\b", low)
    if not bad and not good:
        return None
    if bad:
        denial = r"\b(?:no|not|don'?t|can'?t|cannot|(?:it|this|that) isn'?t|without|nothing|free of|free from)\b"
        denied = re.search(rf"{denial}[^?,]{{0,20}}?{re.escape(bad.group())}", low)
        return "good" if denied else "defective"
    return "defective" if re.search(r"\bnot\b|\bno good\b|\b(?:it|this|that) isn'?t\b", low) else "good"


def asks_about_part(question: str) -> bool:
    """Is it plain from the words alone that the part's condition is asked for, which a photo can tell?"""
    low = re.sub(r"^\W*(?:ok|okay|right|well|so)[,.:!] ", "", question.lower())  # only an opener
    if UNKNOWABLE.search(low):
        return False
    if REQUEST.fullmatch(low):
        return True
    named = re.search(rf"\b{DEFECT}\b", low) or CONDITION.search(low) or RELEASE.search(low)
    if SPOILT.match(low):
        return True
    return named is not None or (OF_PART.search(low) is not None and polarity(low) is not None)
