"""The words in which people speak of defects: patterns for verdicts, places, counts, kinds, severity, look.

All match lower-case text with straight apostrophes. Meaning is given to them in `claims`.
"""

import re

DEFECT = r"(?:defect|flaw|damage|blemish|anomal(?:y|ie)|fault|imperfection|irregularit(?:y|ie)|abnormalit(?:y|ie))e?s?"
SPOT = r"(?:region|area|spot|mark|issue|problem|place)s?"
PART = (
    r"(?:it|this|the|your|part|piece|item|board|unit|sample|product|component|object|surface|thing|one|"
    r"everything|all|they|them|areas|workpiece|specimen|verdict)"
)
ADVERB = (
    r"(?:(?:clearly|definitely|probably|likely|indeed|still|all|completely|perfectly|totally|really|very|quite|"
    r"in|certainly|obviously|slightly|badly|to be|to me|like it is|also|most likely) )*"
)
BAD_WORD = r"(?:defective|damaged|faulty|flawed|broken|bad|abnormal|anomalous|imperfect|unacceptable|a reject|scrap)"
GOOD_WORD = (
    r"(?:good(?: (?:condition|shape|order|part|piece|unit|one))?|fine|ok|okay|normal|intact|flawless|clean|perfect|"
    r"acceptable|undamaged|sound|order|free of|free from|defect[- ]free|without (?:any )?(?:visible )?" + DEFECT + ")"
)
BE = (
    r"(?:(?:(?:does|do|did)(?:n't| not) )?(?:is|are|was|looks?|appears?|seems?|being|remains?|'s|as)(?:n't)?|"
    r"cannot be(?: considered| called)?)"
)
NEGATION = re.compile(
    r"\b(?:no|not|nothing|never|none|neither|nor|without|free (?:of|from)|absence of|cannot|lacks?)\b|n't\b"
)
HEDGE = re.compile(
    r"\b(?:may|might|could|possibl[ey]|perhaps|maybe|potential(?:ly)?|suspect(?:ed)?|unsure|uncertain)\b"
)
UNSURE = re.compile(
    r"\b(?:unsure|undecided|uncertain|inconclusive|borderline|not (?:sure|certain) (?:whether|if)|"
    r"(?:cannot|can't|can not) (?:tell|say|decide)(?: for sure)? (?:whether|if)|(?:may|might|could) (?:or may not )?"
    rf"(?:be (?:a )?(?:{BAD_WORD}|{DEFECT})|have (?:an? |some )?{DEFECT}))"
)
# Talk about talk: what one could ask, was asked, or suppose. Nothing in it is stated of this photo.
NOT_STATED = re.compile(
    r"\b(?:ask(?:ed|ing)?|questions?|if|unless|in case|such as|e\.g\.|for example|(?<!\bi )would|"
    r"(?:do|would|should) not (?:ship|use|scrap)|you (?:say|said|think)|"
    r"(?:can(?:not|'t)|can not|won't|will not|could not|couldn't|unable to) confirm|i (?:check|look for|inspect|"
    r"judge|measure(?! about| under| each| \d)) |"
    r"i can (?:tell|point|show|describe|find|spot|check|answer|help|recogni[sz]e|identify)|"
    r"acceptance limits?|kinds? of defects?)"
)
MORE = re.compile(
    r"\b(?:else|elsewhere|other|others|further|more|additional|another|beyond|besides|apart|except|rest)\b"
)
CLAUSE = re.compile(
    r"(?<=;)|(?<=: )|(?= - )|(?= – )|(?=—)|(?= but )|(?<=,)(?= (?:but|however|although|though|while|so|yet)\b)|"
    r"(?<=,)(?= (?:and )?(?:the|it|they|i|there|this) )"
)
NUMBER_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
NUMBER = rf"(?:{'|'.join(NUMBER_WORDS)}|no|a single|only one|\d+)"
COUNT = re.compile(
    rf"\b(?P<n>{NUMBER})(?! of\b)(?P<adjectives>(?: [a-z-]+){{0,3}}?) (?:{DEFECT}|{SPOT})\b|"
    rf"\b(?:there (?:is|are)|i count) (?:only |just )?(?P<bare>{NUMBER})(?=[.,!:;]|$| in\b)|"
    rf"\b(?:number|count|total)[^.]{{0,20}}? (?:is|of|:) (?P<total>{NUMBER})\b"
)
TYPES = {
    "crack": r"cracks?|cracked|fissures?", "scratch": r"(?<!from )scratch(?:es|ed)?|scuffs?|scrapes?",
    "stain": r"stain(?:s|ed)?|smudges?", "hole": r"(?:pin)?holes?|punctures?|perforations?",
    "dent": r"dent(?:s|ed)?|dings?", "break": r"a break|breaks|breakage|broken[- ]off|chips?|chipped|break (?=in|at)",
    "contamination": r"contaminat(?:ion|ed)|contaminants?|debris|dirt(?! cheap)|"
    r"foreign (?:objects?|material|matter|particles?|body)",
    "missing part": r"missing [a-z]+|[a-z]+ (?:is|are) missing",
    "misplaced part": r"misplaced(?: [a-z]+)?|misalign(?:ed|ment)|displaced",
    "color change": r"colou?r changes?|discolou?r(?:ed|ation)",
    "deformation": r"deform(?:ations?|ed)|bent|warp(?:ed|s|ing)?|distort(?:ed|ion)|buckled",
    "misprint": r"mis-?print(?:s|ed)?|print(?:ing)? (?:errors?|faults?|defects?)|faulty (?:im)?print",
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
    rf"(?P<column2>left|right|{MIDDLE})[ -](?:of the )?(?P<row2>upper|top|lower|bottom|{MIDDLE})|"
    r"(?:(?:on|at|to|near|in|along|towards?|by) the (?:far |very |outer )?)"
    r"(?P<side>left|right(?! (?!side|half|edge|third|corner|region|area|hand|part of|"
    r"of|and|or|is|are|as|"
    r"too|i|you|it)[a-z])|top|bottom|upper|lower)\b"
    rf"(?![ -](?:of the )?(?:left|right|upper|lower|top|bottom|{MIDDLE})\b)"
    r"(?! (?:track|way|thing|place|moment|time|drawer|answer|bin|class|category|name|word|order|hands))|"
    rf"(?P<middle>{MIDDLE})(?! of (?:an?|our|my|production)\b))\b"
)
# A side as questions name it, where an answer would say "on the left side".
SIDE = re.compile(
    r"\b(?P<side>left|right|top|bottom|upper|lower)(?:-hand)? "
    rf"(?:side|half|edge|(?<!right )part|row|third|end|border|(?<!top )(?:one|{DEFECT}|spot))\b|"
    r"^\W*(?:and |what about |how about )?(?P<short>left|top|bottom|upper|lower|right(?= side| half| edge))"
    r"(?: side| half| edge| part| row)?(?: ok| okay| fine| clean| good)?\W*$|"
    r"\bthe (?P<bare>left|right|top|bottom)"
    r"(?: of the|(?<!right)(?=\W*$|,| (?:is|looks?|ok|fine|clean|good|bad|defective|damaged|has|have|"
    r"bothers?|and|or|too|got|free of|in good|a bit|a look|within|for)\b))|"
    r"\b(?:(?:check|status|inspect),? |any \w+, |any \w+ (?!left))(?P<last>left|right|top|bottom)(?=\W*$)"
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
    rf"\b{PART}(?:'s)? {ADVERB}(?:{BE} )?(?:not |n't )?{ADVERB}{BAD_WORD}\b|"
    rf"\b(?:a|an) {BAD_WORD} (?:part|piece|item|unit|one)\b|"
    rf"^(?:yes|no|so|verdict)?[,:]? ?{BAD_WORD}\b|"
    rf"\b(?:there(?: is| are|'s| was)|i (?:can )?(?:clearly )?(?:see|found|find|detect(?:ed)?|spot(?:ted)?|notice[d]?)|"
    rf"has|have|had|shows?|showing|contains?|exhibits?|displays?|reveals?|with|any|no|of|and|cannot see) "
    rf"(?:[a-z0-9%,-]+ ){{0,5}}?{DEFECT}\b|\b(?:the|this|these|both|all|first|second|third|main|visible) "
    rf"(?:[a-z]+ )?{DEFECT} (?:is|are|was|covers?|looks?|sits?|lies?|measures?|appears?|in)\b|"
    rf"^(?:yes|no)?,? ?(?:a|an|one|two|three|four|five|six|\d+) (?:[a-z-]+ ){{0,3}}?{DEFECT}\b|"
    r"\b(?:fails?|failed) (?:the )?(?:inspection|check)\b|"
    r"\bnothing (?:is )?(?:wrong|unusual|suspicious|abnormal|defective)\b|"
    r"\bnothing (?:stands out|to report|there|visible)\b|\bi (?:see|find|found|detect|flagged) nothing\b|"
    rf"\b(?:something|anything) (?:is )?(?:wrong|unusual|suspicious|abnormal)\b|\b(?:signs?|evidence) of {DEFECT}\b"
)
GOOD = re.compile(
    rf"\b{PART}(?:'s)? {ADVERB}{BE} (?:not |n't )?{ADVERB}{GOOD_WORD}\b"
    r"(?! (?:question|idea|practice|to (?!me\b)|enough))|"
    rf"^(?:yes|no|so|verdict)?[,:]? ?(?:{BE} )?{ADVERB}{GOOD_WORD}\b(?=[,.;:!]|$)|"
    r"\ba (?:good|normal) (?:part|piece|item|unit)\b|"
    r"\bpass(?:es|ed)?\b(?= (?:the )?(?:inspection|check)|[.,]|$)"
)
NOT_CLEAR = re.compile(r"\bcannot name\b|\bnot (?:only|clear|certain|sure)\b")
FINE = re.compile(rf"\b{BE} {ADVERB}(?:good|fine|ok|okay|clear|clean|normal|intact|undamaged|unremarkable)\b")
SCENE = re.compile(r"(?:the|this|your) (?:part|piece|item|board|unit|product|object) (?:is|sits|lies) in\b")
ABOUT = re.compile(rf"\b(?:{DEFECT}|{SPOT}|{BAD_WORD}|nothing|anything|unusual|clear|clean|normal|fine)\b")
OPEN_QUESTION = re.compile(r"\b(?:how|what|which|where|why|who|when|or)\b")
REFUSAL = re.compile(
    r"\b(?:can(?:no|')t (?:help|say(?! (?:that )?for sure)|tell|know)|not something i can|outside what i can|"
    r"(?:photo|picture|image) (?:does not|doesn't|cannot|can't) (?:show|tell))\b"
)
IN_ALL = re.compile(r"\b(?:in all|in total|altogether)\b")  # said of all defects
SUMMED = re.compile(r"\b(?:in all|in total|total|altogether|overall|combined|together)\b")  # of a size: that of all
HOW_MANY = re.compile(r"\b(?:how many|number of|count)\b(?! (?:good |normal )?(?:reference|photo|picture|image))")
# "Look in the lower left": to send someone to a place is to say that something is there.
IMPERATIVE = re.compile(
    r"(?:(?:so|then|please|just|first|or|and|better|you (?:should|could|can|may)|have (?:it|them|someone|somebody)) ?)*"
    r"(?:look|check|see|inspect|examine|view|watch|hold|point|focus|start|begin|go|turn|take|note|find|mark|repair|fix)"
    r"(?:ed)?\b"
)
HERE = re.compile(r"\b(?:box|inside|within|here|there(?! (?:is|are|'s|was|were)\b)|marked|selected)\b")
CONDITION = re.compile(
    rf"\b(?:defective|faulty|damaged|issues?|problems?)\b|\b(?:it|this|that|they|part|piece) (?:is )?{BAD_WORD}\b"
)
# "May it be released to the customer?"
RELEASE = re.compile(
    r"\b(?:(?:it|this|that|they|the \w+(?: \w+)?) (?:may|can|could|should|must|to) be|"
    r"(?:can|may|could|should) (?:i|we)) (?:just )?(?:released?|shipped|ship|accept(?:ed)?|reject(?:ed)?|"
    r"approved?|used?|sold|sell|deliver(?:ed)?)\b"
)
# The user explains what was flagged away: "It's only a fold."
EXPLAINED = re.compile(
    r"\b(?:only|just|merely|actually|probably|perhaps|maybe|surely|nothing but|i (?:think|guess|believe|say))\b"
)
# Agreement that opens an answer ("You may be right:"); to a question that claims nothing, it agrees to nothing.
AGREES = re.compile(
    r"\W*(?:you may be right|that (?:fits|is possible|may be|could be)|i see it the same way|you (?:are|'re) right)\b"
    r"[^:;,]*(?:, please check)?[:;,]\s*"
)
ASKS_OPENLY = re.compile(
    r"\W*(?:(?:ok|okay|and|so|but|well|right|then|now)\W+)*(?:what|where|which|how|why|who|whose|when)"
)
RIGHT = re.compile(r"\W*you(?: are|'re) right\b")
DIFFERS = re.compile(r"\W*(?:i see it differently|that does not fit what i (?:see|measure))\b[^:;,]*[:;,]\s*")
# "Let it pass": advice that only a good part gets.
LET_PASS = re.compile(
    r"\b(?:let it (?:pass|go)|you can (?:ship|use|accept|keep|release|pass) (?:it|this)|good to go)\b"
)
# "The" alone points at no part ("a good film for the weekend"), "Is the casting good?" does.
OF_PART = re.compile(
    r"\b(?:it|its|this|part|piece|item|board|unit|sample|product|component|object|surface|everything|all|workpiece|"
    r"specimen|(?:any|some|no)thing|pass|(?:is|are|does|do) (?:the|your))\b|^\W*\w+(?: \w+)?\W*$"
)
# "Is the cell cracked?"
SPOILT = re.compile(
    r"\W*(?:is|are|has|have|does|do)\b[^?]*\b(?:cracked|scratched|stained|dented|chipped|bent|warped|discolou?red|"
    r"deformed|distorted|contaminated)\b"
)
# "Inspect this one, please": a wish for the verdict.
REQUEST = re.compile(
    r"\W*(?:(?:hi|hello|hey|please|pls|plz|kindly|now|just|(?:can|could|would|will) you)\W+)*"
    rf"(?:(?:inspect|check|examine|judge)(?: {PART}| (?:the|this|my|our) (?:photo|picture|image|pic|{PART}))?|"
    r"(?:(?:what(?:'s| is)|give me|tell me) )?your (?:honest )?(?:opinion|view|take|impression|judge?ment)"
    r"(?: (?:of|on|about) (?:it|(?:this|my|our|that)(?: \w+)?))?)"
    r"(?:\W+(?:please|pls|plz|for me|thanks))*\W*"
)
THANKS = re.compile(
    r"\W*(?:(?:ok|okay|great|cool|perfect|nice|alright|good|super|fine)\W+)*(?:thx|tnx|ty|thanks?|thank you|cheers)"
    r"(?:\W+(?:a lot|so much|very much|again|mate|you|man|buddy|for (?:the|your) help))*\W*"
)
# Talk of what the assistant is and does.
IDENTITY = re.compile(r"\bi (?:am an|inspect|look for)\b|^an? (?:ai|inspection) assistant\b")
GREETING = re.compile(r"\bgood (?:morning|afternoon|evening|day)\b")
# What no photo tells, even where the question holds a word for a defect ("Who damaged it?", "When will it break?").
UNKNOWABLE = re.compile(
    r"\b(?:who(?:se|m)?|when|caused?|costs?|price|will|email|happen(?:s|ed)?|made (?:of|by|in|at|from)|serial|batch|"
    r"supplier|inside|(?:the|its) back|other side|weigh|repair|warranty|(?:milli|centi)met(?:er|re)s?|"
    r"how (?:deep|old|long))\b"
)
