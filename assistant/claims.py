"""Words -> facts: read the claims out of free English, of a tiny model or a large one.

By rules, clause by clause: cautious about what counts as a claim (a question, an "if", a hint what one
could ask are none), broad in the words a claim may be made with. Putting facts into words is `wording`'s
half; the property that ties the two is `claims(say(fact)) == (fact,)`.
"""

import re

from assistant.inspection import SEVERITIES
from assistant.wording import Claim

DEFECT = r"(?:defect|flaw|damage|blemish|anomal(?:y|ie)|fault|imperfection|irregularit(?:y|ie)|abnormalit(?:y|ie))e?s?"
SPOT = r"(?:region|area|spot|mark|issue|problem|place)s?"
PART = (
    r"(?:it|this|the|your|part|piece|item|board|unit|sample|product|component|object|surface|thing|one|"
    r"everything|all|they|workpiece|specimen|verdict)"
)
ADVERB = r"(?:(?:clearly|definitely|probably|likely|indeed|still|all|completely|perfectly|totally|really|very|quite|"
ADVERB += r"in|certainly|obviously|slightly|badly|to be|to me|like it is|also|most likely) )*"
BAD_WORD = r"(?:defective|damaged|faulty|flawed|broken|bad|abnormal|anomalous|imperfect|unacceptable|a reject|scrap)"
GOOD_WORD = (
    r"(?:good(?: (?:condition|shape|order|part|piece|unit|one))?|fine|ok|okay|normal|intact|flawless|clean|perfect|"
    r"acceptable|undamaged|sound|order|free of|free from|defect[- ]free|without (?:any )?(?:visible )?" + DEFECT + ")"
)
BE = r"(?:is|are|was|looks?|appears?|seems?|being|remains?|'s|as)"
NEGATION = re.compile(
    r"\b(?:no|not|nothing|never|none|neither|nor|without|free (?:of|from)|absence of|cannot|lacks?)\b|n't\b|n’t\b"
)
HEDGE = re.compile(r"\b(?:may|might|could|possibl[ey]|perhaps|maybe|potential(?:ly)?|suspect(?:ed)?|unsure|uncertain)\b")
UNSURE = re.compile(
    r"\b(?:unsure|undecided|uncertain|inconclusive|borderline|not (?:sure|certain) (?:whether|if)|"
    r"(?:cannot|can't|can not) (?:tell|say|decide)(?: for sure)? (?:whether|if)|(?:may|might|could) (?:or may not )?"
    rf"(?:be (?:a )?(?:{BAD_WORD}|{DEFECT})|have (?:an? |some )?{DEFECT}))"
)
# Talk about talk: what one could ask, was asked, or suppose. Nothing in it is stated of this photo.
NOT_STATED = re.compile(
    r"\b(?:ask(?:ed|ing)?|questions?|if|unless|in case|such as|e\.g\.|for example|would|you (?:say|said|think)|"
    r"(?:can(?:not|'t)|can not|won't|will not|could not|couldn't|unable to) confirm|i (?:check|look for|inspect|"
    r"judge|measure) |i can (?:tell|point|show|describe|find|spot|check|answer|help|recogni[sz]e|identify)|"
    r"acceptance limits?|kinds? of defects?)"
)
MORE = re.compile(r"\b(?:else|elsewhere|other|others|further|more|additional|another|beyond|besides|apart|except|rest)\b")
CLAUSE = re.compile(
    r"(?<=;)|(?<=: )|(?= - )|(?= – )|(?=—)|(?= but )|(?<=,)(?= (?:but|however|although|though|while|so|yet)\b)|"
    r"(?<=,)(?= (?:and )?(?:the|it|they|i|there|this) )"
)
NUMBER_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
NUMBER = rf"(?:{'|'.join(NUMBER_WORDS)}|no|a single|only one|\d+)"
COUNT = re.compile(
    rf"\b(?P<n>{NUMBER})(?! of\b)(?P<adjectives>(?: [a-z-]+){{0,3}}?) (?:{DEFECT}|{SPOT})\b|"
    rf"\bthere (?:is|are) (?:only |just )?(?P<bare>{NUMBER})(?=[.,!:;]|$| in\b)|"
    rf"\b(?:number|count|total)[^.]{{0,20}}? (?:is|of|:) (?P<total>{NUMBER})\b"
)
TYPES = {
    "crack": r"cracks?|cracked|fissures?", "scratch": r"(?<!from )scratch(?:es|ed)?|scuffs?|scrapes?",
    "stain": r"stain(?:s|ed)?|smudges?", "hole": r"(?:pin)?holes?|punctures?|perforations?",
    "dent": r"dent(?:s|ed)?|dings?", "break": r"a break|breaks|breakage|broken[- ]off|chips?|chipped|break (?=in|at)",
    "contamination": r"contaminat(?:ion|ed)|contaminants?|foreign (?:objects?|material|matter|particles?|body)|debris|dirt",
    "missing part": r"missing [a-z]+|[a-z]+ (?:is|are) missing", "misplaced part": r"misplaced(?: [a-z]+)?|misalign(?:ed|ment)|displaced",
    "color change": r"colou?r changes?|discolou?r(?:ed|ation)",
}  # fmt: skip
TYPE = re.compile("|".join(rf"(?P<t{i}>\b(?:{pattern})\b)" for i, pattern in enumerate(TYPES.values())))
SEVERITY_WORDS = {
    "minor": "minor", "slight": "minor", "superficial": "minor", "cosmetic": "minor", "moderate": "moderate",
    "medium": "moderate", "severe": "severe", "serious": "severe", "major": "severe", "critical": "severe",
}  # fmt: skip
SEVERITY = re.compile(rf"\b({'|'.join(SEVERITY_WORDS)})\b(?! (?:chance|risk|to\b))")
TONE = re.compile(r"\b(darker|brighter|lighter|similar)(?= (?:than|in tone|tone)|[.,]| and| in the|$)")
SHAPE = re.compile(r"\b(thin|elongated|compact|irregular)\b")
PERCENT = re.compile(
    r"(?:\b(?P<bound>under|below|less than|over|above|more than|at least) )?"
    r"(?P<n>\d+(?:\.\d+)?) ?(?:%|percent\b|per cent\b)"
)
ROWS = {"upper": "upper", "top": "upper", "lower": "lower", "bottom": "lower"}
MIDDLE = r"(?:center|centre|middle|mid|central)"
PLACE = re.compile(
    rf"\b(?:(?P<row>upper|top|lower|bottom|{MIDDLE})[ -](?:of the )?(?P<column>left|right|{MIDDLE})|"
    rf"(?P<column2>left|right|{MIDDLE})[ -](?P<row2>upper|top|lower|bottom|{MIDDLE})|"
    r"(?:(?:on|at|to|near|in|along|towards?|by) the (?:far |very |outer )?)(?P<side>left|right|top|bottom|upper|lower)\b"
    rf"(?![ -](?:of the )?(?:left|right|{MIDDLE})\b)(?! (?:track|way|thing|place|moment|time))|(?P<middle>{MIDDLE}))\b"
)
REFERENCES = re.compile(rf"\b(?P<n>{NUMBER}) (?:good |normal )?(?:references?|reference (?:photo|image|picture)s?)\b")
SURE = re.compile(r"\b(?:sure|confident|certain|confidence|certainty)\b")
CHANCE = re.compile(r"\b(?:chance|probability|likelihood|odds|risk)\b")
AREA = re.compile(r"\b(?:cover|area|size|large|big|span|occup|take|photo|image|picture|surface|each|about|measur)")
SUBJECT = re.compile(
    r"^(?:yes|no|well|it|its|they|one|both|all|most|mostly|mainly|the (?:first|second|main|largest)|in|at|near|on|"
    r"around|there|here|i|upper|lower|center|top|bottom|left|right|first|second|third|fourth|and|this is|that is)\b"
)
BAD = re.compile(
    rf"\b{PART}(?:'s)? (?:{BE} )?(?:not |n't )?{ADVERB}{BAD_WORD}\b|\b(?:a|an) {BAD_WORD} (?:part|piece|item|unit|one)\b|"
    rf"^(?:yes|no|so|verdict)?[,:]? ?{BAD_WORD}\b|"
    rf"\b(?:there(?: is| are|'s| was)|i (?:can )?(?:clearly )?(?:see|found|find|detect(?:ed)?|spot(?:ted)?|notice[d]?)|"
    rf"has|have|had|shows?|showing|contains?|exhibits?|displays?|reveals?|with|any|no|of|and|cannot see) "
    rf"(?:[a-z0-9%,-]+ ){{0,5}}?{DEFECT}\b|\b(?:the|this|these|both|all|first|second|third|main|visible) "
    rf"(?:[a-z]+ )?{DEFECT} (?:is|are|was|covers?|looks?|sits?|lies?|measures?|appears?|in)\b|"
    rf"^(?:yes|no)?,? ?(?:a|an|one|two|three|four|five|six|\d+) (?:[a-z-]+ ){{0,3}}?{DEFECT}\b|"
    r"\b(?:fails?|failed) (?:the )?(?:inspection|check)\b|\bnothing (?:is )?(?:wrong|unusual|suspicious|abnormal|defective)\b|"
    r"\bnothing (?:stands out|to report|there|visible)\b|\bi (?:see|find|found|detect|flagged) nothing\b|"
    rf"\b(?:something|anything) (?:is )?(?:wrong|unusual|suspicious|abnormal)\b|\b(?:signs?|evidence) of {DEFECT}\b"
)
GOOD = re.compile(
    rf"\b{PART}(?:'s)? {BE} (?:not |n't )?{ADVERB}{GOOD_WORD}\b(?! (?:question|idea|practice|to\b|enough))|"
    rf"^(?:yes|no|so|verdict)?[,:]? ?(?:{BE} )?{ADVERB}{GOOD_WORD}\b(?=[,.;:!]|$)|\ba (?:good|normal) (?:part|piece|item|unit)\b|"
    r"\bpass(?:es|ed)?\b(?= (?:the )?(?:inspection|check)|[.,]|$)"
)


def _sentences(text: str) -> list[tuple[int, str]]:
    """(start, sentence) of every sentence; a point inside a number ends none."""
    return [(match.start(), match.group()) for match in re.finditer(r"(?:[^.!?\n]|[.!?](?!\s|$))+[.!?]*", text)]


def claims(text: str) -> tuple[Claim, ...]:
    """Every checkable claim in free English text, in reading order, without repeats.

    Questions, suppositions and talk about what one could ask hold no claims.
    """
    found: list[Claim] = []
    for start, sentence in _sentences(text):
        found += [_moved(claim, start) for claim in read_sentence(sentence)]
    return tuple(dict.fromkeys(found))


def _moved(claim: Claim, start: int) -> Claim:
    return Claim(claim.kind, claim.value, claim.negated, claim.bound, claim.start + start)


def read_sentence(sentence: str) -> list[Claim]:
    """Claims of one sentence in reading order, repeats included."""
    low = sentence.lower().replace("’", "'")
    if low.rstrip().endswith("?"):
        return []
    found: list[Claim] = []
    start = 0
    for clause in _clauses(low):
        if clause and not NOT_STATED.search(clause):
            found += [_moved(claim, start) for claim in _read_clause(clause, low)]
        start += len(clause)
    return found


def _clauses(sentence: str) -> list[str]:
    """Cut where a new statement begins; "in the lower left, I see nothing" stays whole. Joined they are it."""
    parts = CLAUSE.split(sentence)
    for i in range(len(parts) - 1):
        if re.fullmatch(r" ?(?:yes, |no, )?(?:in|on|at|near|towards?|around|for) (?:the )?[a-z -]+", parts[i]):
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
    bad_denied = bool(NEGATION.search(clause)) and not re.search(r"\bcannot name\b|\bnot (?:only|clear|certain|sure)\b", clause)
    good = re.search(rf"\b(?:{BE}) {ADVERB}(?:good|fine|ok|okay|clear|clean|normal|intact|undamaged|unremarkable)\b", clause)
    return first is not None and (bad_denied or bool(good))


def _about_defects(clause: str, sentence: str) -> bool:
    """Does a place word here speak of a defect, rather than of the scene ("a gear in the center")?"""
    about = re.compile(rf"\b(?:{DEFECT}|{SPOT}|{BAD_WORD}|nothing|anything|unusual|clear|clean|normal|fine)\b")
    return bool(
        about.search(clause) or TYPE.search(clause) or SUBJECT.search(clause) or SEVERITY.search(clause)
        or len(clause.split()) <= 5 or (SUBJECT.search(sentence) and about.search(sentence))
        or re.match(r"the (?:upper|lower|top|bottom|left|right|cent|middle)", clause)
    ) and not re.match(r"(?:the|this|your) (?:part|piece|item|board|unit|product|object) (?:is|sits|lies) in\b", clause)  # fmt: skip


def _places(clause: str) -> list[tuple[int, str]]:
    """(start, position) of every place named, coarse where only a side is."""
    found = []
    for match in PLACE.finditer(clause):
        row, column = match["row"] or match["row2"], match["column"] or match["column2"]
        if match["middle"] or (row and row not in ROWS and column not in ("left", "right")):
            place = "center"
        elif match["side"]:
            place = ROWS.get(match["side"], match["side"])
        else:
            across = column if column in ("left", "right") else "center"
            place = f"{ROWS.get(row, 'center')} {across}"
        found.append((match.start(), place))
    return found


def _number(word: str) -> int:
    word = word.removeprefix("a ").replace("single", "one").removeprefix("only ")
    if word == "no":
        return 0
    return int(word) if word.isdigit() else NUMBER_WORDS.index(word)


def _counts(clause: str) -> list[Claim]:
    found = []
    for match in COUNT.finditer(clause):
        number = _number(match["n"] or match["bare"] or match["total"])
        words = (match["adjectives"] or "").split()
        if number == 0 or MORE.search(match.group()) or "photos" in words or "reference" in words:
            continue  # "no defects" is a verdict; "two other areas" counts no whole
        tail = clause[match.end() :]
        partial = bool({*words} & {*SEVERITIES, "thin", "compact"}) or re.match(r",? (?:in|at|near|on)\b", tail)
        partial = partial or re.search(r"\b(?:another|and (?:one|two|a))\b", clause) or match["bare"] and tail
        found.append(Claim("count", number, bound="least" if partial else "", start=match.start()))
    if match := re.search(rf"\b(?:several|multiple|many|numerous) (?:[a-z]+ )?(?:{DEFECT}|{SPOT})\b", clause):
        found.append(Claim("count", 2, bound="least", start=match.start()))
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
        around = clause[max(0, match.start() - 45) : match.end() + 25]
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


def polarity(question: str) -> str | None:
    """The verdict that "yes" would give: "Is it broken?" -> "defective"; None where yes and no decide nothing."""
    low = question.lower().replace("’", "'")
    if PLACE.search(low) or TYPE.search(low) or MORE.search(low) or re.search(r"\b(?:how|what|which|where|why|who|when|or)\b", low):
        return None
    bad = re.search(rf"\b(?:{BAD_WORD}|{DEFECT}|wrong|broke)\b", low)
    good = re.search(rf"\b(?:{GOOD_WORD}|pass)\b", low)
    if not bad and not good:
        return None
    if bad:
        denied = re.search(rf"\b(?:no|not|without|nothing)\b[^?,]{{0,20}}?{re.escape(bad.group())}", low)
        return "good" if denied else "defective"
    return "defective" if re.search(r"\bnot\b|^(?:it|this|that) isn't", low) else "good"
