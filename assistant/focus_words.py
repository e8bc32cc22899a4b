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
# What lies nearest to an edge of the photo: how the name begins, and how else it is said.
_EDGES = {
    "uppermost": (r"(?:upper|top)", r"(?:up|(?:to |towards? )?the top)\b|\bhighest (?:up|(?:in|on) the)\b"),
    "lowest": (
        r"(?:lower|bottom)",
        rf"(?:down|(?:to |towards? )?the bottom)\b|\blowest(?: (?:down|(?:in|on) the)\b|{_ENDS})",
    ),
    "leftmost": ("left", r"(?:to |on |towards? )?(?:the )?left\b"),
    "rightmost": ("right", r"(?:to |on |towards? )?(?:the )?right\b"),
}
EDGES = tuple(_EDGES)
# How people single out a defect, by the name that it gets in answers; what stands first is looked for first.
ONES = {
    name: re.compile(pattern)
    for name, pattern in {
        "second": rf"\b(?:second|2nd|next)[ -](?:worst|most (?:severe|serious|critical|important)){_ENDS}|"
        rf"\band the next one\b|\bcomes? second\b|\brunner[ -]up\b|{_NUMBERED['second']}",
        **{
            name: rf"\b{edge}[ -]?most{_ENDS}|\b(?:furthest|farthest|most) {way}"
            for name, (edge, way) in _EDGES.items()
        },
        "smallest": rf"\b(?:smallest|tiniest|littlest|(?:the|that) smaller){_ENDS}|"
        r"\bleast (?:extent|area|space|surface|extensive|large|big)\b",
        "largest": rf"\b(?:largest|biggest|(?:the|that) (?:larger|bigger)){_ENDS}|\bmost (?:space|surface|extensive)\b",
        "mildest": rf"\b(?:least (?:severe|serious|critical|bad|important)|mildest|most harmless){_ENDS}",
        "main": rf"(?<!second )(?<!2nd )(?<!next )\b(?:worst|most (?:severe|serious|critical|important)|main){_ENDS}",
        **{ordinal: pattern for ordinal, pattern in _NUMBERED.items() if ordinal != "second"},
        "other": rf"\b(?:the|that) others?(?: two| three)?{_ENDS}|"
        rf"\b(?:the|all) remaining(?: (?:two|three|four|five))?{_ENDS}|"
        r"\bthe rest of (?:them|those|these|the (?:defects|flaws|findings|spots|marks))\b|"
        r"(?:\b(?:tell me about|describe|show(?: me)?|list|name|where(?:'s| is| are))|^\W*(?:and|now)) the rest"
        r"(?: please)?(?=\W*$|[,?.!])",
    }.items()
}
# Where these are found nothing is singled out by such words: comparisons, lists, other ranks, what is left out, and the
# smallest that could be found at all.
NO_ONE = re.compile(
    rf"\bthan the (?:{'|'.join(ORDINALS)}|others?|last|largest|biggest|smallest)\b|\bin order\b|"
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
    r"\bhow close\b|\bfrom the (?:middle|cent(?:er|re)|edge|rim|corner)\b(?! left| right)|\bside of the cent"
)
NOT_THERE = re.compile(
    r"\b(?:besides|apart from|aside from|other than|except(?: for)?|everything but|all but|outside(?: of)?|below|above|"
    r"beneath|beyond|only (?:in|on))(?: (?:in|at|on))? (?:the|its)\b|"
    r"^\W*(?:ignore|disregard|(?:only|just) (?:(?:in|at|on) )?the)\b"
)
# What all defects together cover.
TOGETHER = re.compile(
    r"\b(?:in total|total|in all|all in all|altogether|overall|combined|together|summed|in sum|sum of|"
    r"add(?:ed|s)?(?: \w+)? up|"
    r"whole (?:damaged|affected|defective|faulty|bad) (?:area|surface))\b"
)
AREA = re.compile(
    r"\b(?:areas?|surface|share|percent(?:age)?|fraction|proportion|portion|extent|cover(?:s|ed|age)?|size|"
    r"how (?:much|big|large))\b|%"
)
ASKS_IF = re.compile(r"\b(?:any|anything|nothing|clean|ok|okay|wrong)\b")
# A kind is singled out where any or several are asked for: "the crack" may be how a user calls whatever is there.
SORTS = re.compile(r"\b(?:any|how many|number of|count|free of|no)\b|s$|\b(?:contamination|dirt|debris|missing)$")
