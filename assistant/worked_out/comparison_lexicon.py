"""The words by which questions compare defects: their names, what is compared, and what they are held against.

All match lower-case text with straight apostrophes.
"""

import re

from assistant.lexicon import DEFECT


def words(*patterns: str) -> re.Pattern[str]:
    """Any of some whole words or phrases."""
    return re.compile(rf"\b(?:{'|'.join(patterns)})\b")


# The names of `ONES` as they stand among other words; the reader of questions, made for whole ones, knows more.
NAMES = {
    "largest": r"(?:biggest|largest|greatest)|(?:bigger|larger|big|large) (?:one|guy|fella)",
    "smallest": r"(?:smallest|tiniest|littlest)(?! dist)|(?:smaller|tinier|small|tiny|little) (?:one|guy|fella)",
    "mildest": r"mildest|least (?:severe|serious|bad|critical)|most harmless",
    "main": r"worst|most (?:severe|serious|critical)|main(?= |$)|primary",
    "uppermost": r"uppermost|topmost|highest|furthest up",
    "lowest": r"lowest|lowermost|bottommost|furthest down",
    "leftmost": r"left[- ]?most|fur?thest left|farthest left",
    "rightmost": r"right[- ]?most|fur?thest right|farthest right",
    "other": r"(?:all )?(?:the )?others|the rest|the remaining|every other",
}
NUMERALS = (
    ("first", "1st", "one"), ("second", "2nd", "two"), ("third", "3rd", "three"),
    ("fourth", "4th", "four"), ("fifth", "5th", "five"), ("sixth", "6th", "six"),
)  # fmt: skip
# "The first" is one of the defects, "the first shift" is not.
NO_THING = (
    rf"(?= *$|[,?]| (?:ones?|{DEFECT}|spots?|marks?|and|or|is|are|than|as|vs\.?|versus|compared?|to|with|in|at|on|from|"
    r"by|looks?|have|has|touch\w*|the|same|also|really|any|more|less|again|please|differ\w*|size|shape|right|then|which|"
    r"how|\w+er)\b)(?! (?:one you|of all))"
)
COUNTED = (
    rf"(?P<{ordinal}>\b(?:{ordinal}|{short})\b{NO_THING}|"
    rf"(?:\b(?:number|no\.?|nr\.?|defect|spot|mark|flaw) ?|#)(?:{number}|{short[0]})\b|"
    rf"\b{short[0]}\b(?! ?(?:%|percent|mm|cm|defects|times|pixels|px)))"
    for ordinal, short, number in NUMERALS
)
NAMED = re.compile("|".join((*(rf"(?P<{name}>\b(?:{known})\b)" for name, known in NAMES.items()), *COUNTED)))

# What is compared, by the words that ask for it, the most telling first. A "_" stands where a defect was named.
ATTRIBUTES = {
    "distance": words(
        r"(?:far|close|near|how many pixels) (?:\w+ )?(?:apart|together|from|to)", r"pixels .*from", "near (?=_)",
        r"(?:room|space) (?:\w+ )*(?:between|separating)", r"spac\w*ing", r"distance(?! to the \w+ \w+)", "gap",
        r"next to (?:each|one|(?:the )?_)", "right next to", "beside (?:each|the _)", "adjacent",
        r"neighbou?r\w*", "how (?:far|close|near)",
        r"touch(?:es|ing)?(?! up| marks)",
        "runs? into", "reach", r"overlap\w*", "clustered", "spread out", "off by itself", "way off",
        "(?:how|far|miles) apart",
        "connected", "joined", "belong together", "one and the same", "one single (?!word|line|sentence)",
    ),
    "severity": words(
        r"worse", r"sever\w+", r"serious\w*", r"critical\w*", r"danger\w*", r"harm\w*", "bad(?:ly|der)?", "better",
        r"mild\w*", r"risk\w*", r"worr\w+", "urgent", "important", "priority", r"grave\w*", r"matter\w*", r"nast\w+",
        r"outrank\w*", "problem(?:atic)?", r"concern\w*",
    ),
    "place": words(
        "high(?:er)?(?: up)", "higher", "lower(?= down| than)",
        "(?:further|farther|more) (?:up|down|left|right|to the)", "above", "below", "beneath", "under(?=neath| the)",
        "to the (?:left|right) of", "where", "same (?:place|spot|side|corner|half|area|region|height|level)",
    ),
    "kind": words(
        "kinds?", "types?", "sorts?(?! (?:them|those|by))", "nature", "class", "category", r"cause\w*",
        "same (?:thing|defect|problem|fault|issue|flaw)",
    ),
    "tone": words(
        r"dark\w*", r"black\w*", r"bright\w*", "light(?:er|ness)?", r"pale\w*", r"white\w*", r"colou?r\w*", "tones?",
        "shade", "contrast",
    ),
    "shape": words(
        r"shap\w+", r"round\w*", "thin(?:ner|nest|ness)?", "elongated", "irregular", "compact", "form", "outline",
        "pointy", r"slim\w*", "jagged", "ragged",
    ),
    "size": words(
        r"bigg?\w*", r"larg\w+", r"small\w*", r"siz\w*", "tin(?:y|ier)", "huge", "area", "extent", r"long\w*",
        r"wid\w+", r"cover\w*", "space", "times", "factor", "much more", "more than", "less than",
    ),
    "look": words(
        r"look\w*", "alike", r"appear\w*", r"similar\w*", r"resembl\w*", "identical", r"match\w*", "twins",
        "like (?:that|it|the)",
    ),
}  # fmt: skip
SIZED = words("(?:tiny|small|huge|big|large) (?:next to|beside|against)")  # a size although "next to" is a distance
GREATER = words(
    "bigg?er", "larger", "longer", "wider", "worse", "severer", "brighter", "lighter", "paler",
    r"more (?:sever\w+|serious\w*|critical|dangerous|harmful|urgent|important)",
    "(?:more|greater)(?= than| area| space)",
)  # fmt: skip
LESSER = words(
    "smaller", "tinier", "shorter", "narrower", "milder", "better", "darker", "blacker", "less(?= than)",
    r"less (?:sever\w+|serious\w*|critical|dangerous|harmful|bad)",
)  # fmt: skip
EQUAL = words(
    "same", "alike", "similar", "identical", "equal(?:ly)?", r"as \w+ as", "match each", r"resembl\w+", "just as",
    "nearly as", "shaped (?:that|the same)", "twins",
    "looks? (?:just |anything |nothing |a bit )?like (?:each|one an|the|it)",
)  # fmt: skip
UNEQUAL = words(r"dif\w*r\w*", "unlike", "vary", "unequal")
POLAR = re.compile(
    r"^(?:(?:so|and|ok|okay|but|well|hm+|then)\W+)*(?:is|are|do|does|did|would you say|has|have)\b|"
    r", (?:right|correct|yes)\b"
)
NEGATED = re.compile(r"\b(?:not|no)\b|n't\b")
# That one thing is held against another, and not only described.
HOLDS_AGAINST = words(
    "than", r"\w+er then", r"compar\w+", "versus", "vs", r"rank\w*", r"outrank\w*", r"stack\w*", "in common",
    r"sets? \w+ (?:two )?apart", r"\w+er or \w+er", "higher (?:up )?than", "close to", "twice", "factor", "times",
    "beat", "lined up", "contrast the", r"one is \w+er",
)  # fmt: skip
RELATES = (HOLDS_AGAINST, EQUAL, UNEQUAL, ATTRIBUTES["distance"])
PLACED = words("above", "below", "beneath", "under", "to the (?:left|right) of")  # "is it above the second one?"
RANKS = words(
    r"(?:rank|order|sort) (?:them|these|those|all|the \w+s)",
    r"(?:list|name|show|give|tell)\b.*\b(?:worst|largest|biggest|smallest) (?:one )?first",
    r"(?:worst|\w+est) to (?:the )?(?:mildest|least bad|smallest|largest|biggest|worst)",
)
# What a defect may be held against that is none; and one defect told by its rank among all.
BESIDE = words(
    "references?", r"(?:good|flawless) \w+", "samples?", "shots?", "machines?", r"surround\w*", "background",
    "(?<!of the )(?<!in the )(?<!on the )(?:photos?|pictures?|pics?|images?)", "previous", "yesterday", "earlier",
    "revision", "cavity", "quality", "hand", "other than", "apart from", "aside from", "besides", "except", "without",
    "(?:not|forget|never mind) the", "second only", "next to (?:the )?worst", "the one you", "than any", "yours",
    r"i(?:'ve| have) (?:only )?(?:\d|two|three|four|five|counted|got|noted|written)",
    r"i (?:count|make|get)\w*", "(?<!than )the rest", "severity level", "lowest to highest",
    r"(?:that|which) (?:is|are|lies|sits) (?:[\w-]+ ){1,4}than (?:all|every|the|any)", r"(?:lying|sitting) [\w ]*than",
    r"which (?:one |of \w+ )?(?:is|lies|sits|looks) [\w ]*than (?:all )?(?:the )?(?:others?|rest)", "no other",
    "(?:darker|brighter|lighter|paler|different) than the rest",
    r"(?:grade|score|scale|sev|ladder|levels?) [\w ]*\d",
    r"(?:distance|far) (?:to|from) the \w+ (?:edge|border|rim|side)",
)  # fmt: skip
# The same where no two of the defects are named.
BESIDE_ALL = re.compile(
    r"\b(?:normal|usual\w*|allow\w*|limits?|spec\w*|tolerances?|last (?!one)|before|expected|average|my count|items?|"
    r"(?:than|as big as|the size of|like) (?:one|two|three|four|five|\d+ ?(?:%|percent|mm|cm|px|pixels)|an?\b|my|your|"
    r"our|we|i|you|in)|(?<!on this )(?<!on the )(?:parts?|pieces?|boards?|units?)|percent|mm|cm|systems?)\b|%"
)
ALL = re.compile(
    r"\b(?:both|(?<!above )all|they|them|their|each|every|one another|these|those|defects|flaws|marks|spots|ones|"
    r"either|any|one and the same|one single|among|between|pair|(?:to|from|than) (?:the|one an)other)\b|"
    r"^(?:and )?(?:same (?!as)|equally|how (?:similar|different))\b"
)
A_DEFECT = words("ones?", "spots?", "marks?", "dots?", DEFECT)
# Two places that stand for what is there: "the top one or the one in the corner".
TWO_ONES = words(
    r"(?:top|bottom|left|right|upper|lower|cent(?:er|re)|middle|corner) (?:\w+ )?ones?\b.*\b(?:or|and)",
    r"ones? (?:in|at|on|up)\b.*\b(?:or|and)\b.*\bones?",
)
ONE_OR_OTHER = words(r"(?:\w+er|dark|thin|long|round) or (?:\w+er|bright|light|round|compact)(?! than)")
JOINED = re.compile(rf"\b(?:and|or|vs|versus|near the size)\b|&|{PLACED.pattern}")
BACK = words("it", "thats?", "this", "its")
PIVOT = re.compile(
    r"\bthan\b|\bas \w+ as\b|\b(?:compared? (?:it )?(?:to|with)|versus|vs\.?|relative to|against)(?= )|"
    r"\bor\b|\band\b|&|\b(?:from|to|with|like|above|below)\b"
)
