"""Words that tell whether a place or a kind that a question names is what it is about.

All match lower-case text with straight apostrophes.
"""

import re

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
ASKS_IF = re.compile(r"\b(?:any|anything|nothing|clean|ok|okay|wrong)\b")
# A kind is singled out where any or several are asked for: "the crack" may be how a user calls whatever is there.
SORTS = re.compile(r"\b(?:any|how many|number of|count|free of|no)\b|s$|\b(?:contamination|dirt|debris|missing)$")
