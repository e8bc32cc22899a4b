"""How people single out one of several defects, by the name that it gets in answers: "the tiniest" is the smallest.

All match lower-case text with straight apostrophes.
"""

import re

from assistant.spoken import ORDINALS

# What else may be the first, the last, the other: "the second photo", "the third question".
_ENDS = (
    r"\b(?! (?:of all|side|half|hand|day|week|month|time|thing|place|way|part|piece|item|sample|unit|board|product|"
    r"row|column|shift|look(?! like|s)|try|answer|question|opinion|person|step|page|line|photo|picture|image|pic|"
    r"reference)s?\b)"
)
_NO_WORRY = r"(?! (?:problem|concern|worry|risk|danger|trouble)s?\b(?! (?:spot|area)))"
_NOT_THAN = "".join(f"(?<! {word} )" for word in ("than", "from", "like", "with", "all", "before"))
_NUMBERED = {
    ordinal: rf"\b(?:the|that|and) (?:{ordinal}|{short}){_ENDS}|"
    rf"(?:\b(?:number|no\.?|defect) |#){number}\b(?![.,]?\d| ?%)"
    for number, (ordinal, short) in enumerate(zip(ORDINALS, ("1st", "2nd", "3rd", "4th", "5th", "6th"), strict=True), 1)
}
# How people single out a defect, by the name that it gets in answers; what stands first is looked for first.
_SECOND = r"\b(?:second|2nd|next)[ -](?:worst|largest|biggest|main|most \w+)\b|\b(?:the|and) next one\b|"
ONES = {
    name: re.compile(pattern)
    for name, pattern in {
        "second": _SECOND + _NUMBERED["second"],
        "smallest": rf"\b(?:smallest|tiniest|littlest|(?:the|that) smaller){_ENDS}{_NO_WORRY}",
        "largest": rf"\b(?:largest|biggest|(?:the|that) (?:larger|bigger)){_ENDS}{_NO_WORRY}",
        "mildest": r"\b(?:least (?:severe|serious|critical|bad|important)|mildest|most harmless)\b",
        "main": r"\b(?:worst|most (?:severe|serious|critical|important)|main)\b",
        **{ordinal: pattern for ordinal, pattern in _NUMBERED.items() if ordinal != "second"},
        "last": rf"(?<!than )\bthe last{_ENDS}",
        "other": rf"{_NOT_THAN}\b(?:the|that) others?(?: two| three)?{_ENDS}",
    }.items()
}
# "What is the smallest defect you can find?" is about no defect of this photo.
NO_ONE = re.compile(
    r"\b(?:you|it) can (?:still |even )?(?:detect|find|see|spot)\b|\bcan (?:you|it) (?:still |even )?(?:detect|spot)\b"
)
# "Is it on the left or on the right?" singles out no place.
ASKS_WHERE = re.compile(
    r"\bor (?:in|at|on|to|near|more|off|out|below|somewhere|high|side|(?:the |its )?(?:rim|edge|end|corner|upper|"
    r"lower|top|bottom|left|right|mid|cent))|\bwhich (?:way|side|half|direction|part|zone|corner)\b|\bdirection\b|"
    r"\bhow close\b|\bfrom the (?:middle|cent(?:er|re)|edge|rim|corner)\b(?! left| right)|\bside of the cent"
)
ASKS_IF = re.compile(r"\b(?:any|anything|nothing|clean|ok|okay|fine|wrong)\b")
