"""How people single out one of several defects, by the name that it gets in answers: "the tiniest" is the smallest.

All match lower-case text with straight apostrophes.
"""

import re

from assistant.lexicon import DEFECT, SPOT
from assistant.spoken import COUNTS, ORDINALS

_THING = (
    rf"(?:(?:faulty|flagged|damaged|bad|odd|trouble|problem|dodgy) )?(?:ones?|{DEFECT}|{SPOT}|things?|bits?|findings?|"
    r"patch(?:es)?|scars?|abnormalit(?:y|ies))"
)
# What may follow where a defect is meant: its noun, a verb, an end; not "the second photo", "the main board".
_ENDS = (
    rf"(?= {_THING}\b|\W*$|[,:;?.]| (?:is|are|was|and|or|in|on|at|near|for|to|of(?! all)|please|pls|then|here|too|"
    r"an?|look|looks|located|sits?|lies?|has|have|be|big|large|small|bad|severe|serious|"
    r"critical|harmless|thin|dark(?:er)?|bright(?:er)?|lighter|round|compact|long|"
    r"minor|covers?|takes?|measures?|differs?|stands?|matters?|worry|would|do|does|as|if|by|now|again|thanks?|exactly)\b)"
)
_NUMBERED = {
    ordinal: rf"\b(?:the|that|and) (?:{ordinal}|{short}){_ENDS}|^(?:{ordinal}|{short})(?: one)?\W*$|"
    rf"(?:^|\b(?:and|about|is|of|{DEFECT}|spot|mark) )(?:number |no\.? |#)(?:{number}|{cardinal})\b(?![.,]?\d| ?%)|"
    rf"\bdefect {number}\b(?![.,]?\d| ?%)"
    for number, (ordinal, short, cardinal) in enumerate(
        zip(ORDINALS, ("1st", "2nd", "3rd", "4th", "5th", "6th"), COUNTS[1:], strict=True), start=1
    )
}
_PHOTO = r"(?:in|on|of) the (?:whole )?(?:photo|picture|image|frame|shot|part|piece)\b"
# The defect whose middle lies furthest to an edge of the photo: how its name begins, how the way there and the edge are
# called, and how else it is named.
_EDGES = {
    "uppermost": ("(?:upper|top)", "up", "(?:top|upper)", rf"|\bhighest (?:up|{_PHOTO})"),
    "lowest": ("(?:lower|bottom)", "down", "(?:bottom|lower)", rf"|\blowest(?: (?:down|{_PHOTO})|{_ENDS})"),
    "leftmost": ("left", "left", "left(?:[ -]hand)?", ""),
    "rightmost": ("right", "right", "right(?:[ -]hand)?", ""),
}
EDGES = tuple(_EDGES)


def _furthest(name: str, way: str, edge: str, also: str) -> str:
    """How "the leftmost" is said: "furthest to the left", "closest to the left edge", "the most left one"."""
    there = rf"(?:over |out )?(?:{way}|(?:to|on|towards?|at) the {edge})(?: (?:side|edge|border|rim))?\b"
    return (
        rf"\b{name}[ -]?most{_ENDS}|\b(?:furthest|farthest) {there}|\bthe (?:one )?most {there}{_ENDS}|"
        rf"\b(?:closest|nearest) to the {edge} (?:edge|border|side|rim)\b{also}"
    )


# How people single out a defect, by the name that it gets in answers; what stands first is looked for first.
ONES = {
    name: re.compile(pattern)
    for name, pattern in {
        "second": rf"\b(?:second|2nd|next)[ -](?:worst|most (?:severe|serious|critical|important)){_ENDS}|"
        rf"\band the next one\b|\bcomes? second\b|\brunner[ -]up\b|{_NUMBERED['second']}",
        **{name: _furthest(*words) for name, words in _EDGES.items()},
        "smallest": rf"\b(?:smallest|tiniest|littlest|(?:the|that) smaller){_ENDS}|"
        r"(?<!at )\bleast (?:extent|area|space|surface|extensive|large|big)\b(?! (?:enough|allowed))",
        "largest": rf"\b(?:largest|biggest|(?:the|that) (?:larger|bigger)){_ENDS}|\bmost extensive\b|"
        r"\b(?:covers?|covering|takes?(?: up)?|occup\w+|has|with) the most (?:area|space|surface)\b",
        "mildest": rf"\b(?:least (?:severe|serious|critical|bad|important)|mildest|most harmless){_ENDS}",
        "main": rf"(?<!second )(?<!2nd )(?<!next )\b(?:worst|most (?:severe|serious|critical|important)|main){_ENDS}",
        **{ordinal: pattern for ordinal, pattern in _NUMBERED.items() if ordinal != "second"},
        "other": rf"\b(?:the|that) others?(?: two| three)?{_ENDS}|"
        rf"\b(?:the|all) remaining(?: (?:two|three|four|five))?(?! (?:areas?|regions?|places?)){_ENDS}|"
        r"\bthe rest of (?:them|those|these|the (?:defects|flaws|findings|spots|marks))\b|"
        r"(?:\b(?:tell me about|describe|show(?: me)?|list|name|where(?:'s| is| are))|^\W*(?:and|now)) the rest"
        r"(?: please)?(?=\W*$|[,?.!])",
    }.items()
}
# Where these are found nothing is singled out by such words: comparisons, lists, other ranks, what is left out, and the
# smallest that could be found at all.
NO_ONE = re.compile(
    rf"\bthan the (?:{'|'.join(ORDINALS)}|others?|last|largest|biggest|smallest|\w+most|lowest|"
    r"highest)\b|\bin order\b|\b(?:vs\.?|versus)(?: |$)|\bmost[ -](?:bigger|smaller|worse|larger)\b|"
    r"\b(?:is|are|does) the (?:\w+most|lowest)(?: \w+)? (?:bigger|smaller|worse|larger|more|less)\b|"
    r"\b(?:next to|below|above|beneath|(?:left|right) of|start(?:ing)? (?:with|at|from)|from) the "
    r"(?:\w+[ -]?most|lowest|highest)\b|\bfrom (?:lowest|highest)\b|"
    r"\b(?:lowest|highest)\b.*\b(?:severity|confidence|risks?|scale|rank\w*|list|priority)\b|"
    r"\brates? (?:lowest|highest)\b|"
    r"\b(?:list|sort|rank|order) (?:them|all|every|the|by)\b|"
    r"\b(?:like the|compare[ds]?|besides|apart from|aside from|except|"
    r"(?:with|from|all|before) the others?|first two|first three|two (?:biggest|largest|worst|smallest|most))\b|"
    r"\b(?:second|third|fourth|fifth|sixth|next|2nd|3rd|4th)[ -](?:smallest|largest|biggest)\b|"
    r"\b(?:third|fourth|fifth|sixth|3rd|4th)[ -]most\b|"
    r"\b(?:third|fourth|fifth|sixth|3rd|4th)[ -]worst\b|"
    r"\b(?:smallest|tiniest)\b[^?]*(?<!far as )\b(?:you|it) can\b|"
    r"\b(?:smallest|tiniest)\b[^?]*\bcan (?:you|it) (?:still |even )?(?:detect|find|see|spot)\b|"
    r"\b(?:smallest|largest|biggest|main|worst) (?:problem|concern|worry(?! me)|risk|danger|trouble)s?\b"
    r"(?! (?:spot|area))|"
    r"\bfrom (?:the )?(?:largest|smallest|biggest|worst)\b"
)
# "Is it on the left or on the right?", "what is below the center?" single out no place.
NO_PLACE = re.compile(
    r"\bor (?:in|at|on|to|near|more|off|out|below|somewhere|high|side|(?:the |its )?(?:rim|edge|end|corner|upper|"
    r"lower|top|bottom|left|right|mid|cent))|\bwhich (?:way|side|half|direction|part|zone|corner)\b|\bdirection\b|"
    r"\bhow close\b|\bfrom the (?:middle|cent(?:er|re)|edge|rim|corner)\b(?! left| right)|\bside of the cent|"
    r"\b(?:furthest|farthest) from the\b"
)
NOT_THERE = re.compile(
    r"\b(?:besides|apart from|aside from|other than|except(?: for)?|everything but|all but|outside(?: of)?|below|above|"
    r"beneath|beyond|only (?:in|on))(?: (?:in|at|on))? (?:the|its)\b|"
    r"^\W*(?:ignore|disregard|(?:only|just) (?:(?:in|at|on) )?the)\b"
)
# What all defects together cover; other things that are said of a whole, or that stand together, are none of it.
TOGETHER = re.compile(
    r"\b(?:in total|total|in all|all in all|altogether|overall|combined|together|summed|in sum|sum of|"
    r"add(?:ed|s)?(?: \w+)? up|"
    r"whole (?:damaged|affected|defective|faulty|bad) (?:area|surface))\b"
)
AREA = re.compile(
    r"\b(?:areas?|surface|share|percent(?:age)?|fraction|proportion|portion|extent|cover(?:s|ed|age)?|size|"
    r"how (?:much|big|large))\b|%"
)
NO_TOTAL = re.compile(
    r"\b(?:sure|confiden\w*|certain\w*|trust|probab\w*|likel\w*|chances?|odds|risks?|concerns?|costs?|money|"
    r"number of|count the|how many(?! per ?cent)|each|every one|summary|list|reference|condition|quality|in mm|"
    r"warranty|fail|inspected|(?:put|close|belong|come|grew|grown)\b.{0,12}\btogether|together with|"
    r"how (?:big|large) (?:an?|of)|total loss|does .* add up|sum up|(?:size|area|surface) of (?:the|this|your) "
    r"(?:part|photo|image|product|piece))\b"
)
ASKS_IF = re.compile(r"\b(?:any|anything|nothing|clean|ok|okay|wrong)\b")
# A kind is singled out where any or several are asked for: "the crack" may be how a user calls whatever is there.
SORTS = re.compile(r"\b(?:any|how many|number of|count|free of|no)\b|s$|\b(?:contamination|dirt|debris|missing)$")
