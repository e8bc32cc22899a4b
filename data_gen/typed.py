"""Templates -> what someone types: slots filled, an opener or a closer, slips of the key."""

import re

import numpy as np

SLOT = re.compile(r"\{(\w+)\}")
TOUCHES = str.maketrans({"e": "w", "r": "t", "i": "o", "o": "p", "a": "s", "n": "m", "l": "k", "c": "v"})


def slots_of(template: str) -> list[str]:
    """The names of its slots, without their capitals."""
    return [name[0].lower() + name[1:] for name in SLOT.findall(template)]


def choose(options: tuple[str, ...], rng: np.random.Generator) -> str:
    return options[int(rng.random() * len(options))]  # ten times as fast as rng.choice on short rows


def fill(template: str, slots: dict[str, str]) -> str:
    """Fill {slot}; a slot written {Slot} begins with a capital."""
    return SLOT.sub(lambda match: _cased(match[1], slots), template)


def _cased(name: str, slots: dict[str, str]) -> str:
    if name in slots:
        return slots[name]
    value = slots[name[0].lower() + name[1:]]
    return value[:1].upper() + value[1:]


def draw(template: str, slots: dict[str, tuple[str, ...]], rng: np.random.Generator) -> str:
    """Fill every slot with a word of its list, drawn anew each time."""

    def word(match: re.Match[str]) -> str:
        name = match[1]
        value = choose(slots.get(name) or slots[name[0].lower() + name[1:]], rng)
        return value if name in slots else value[:1].upper() + value[1:]

    text = SLOT.sub(word, template)
    return re.sub(r"\b([Aa]) (?=[aeiou])(?!unit|one\b)", r"\1n ", text)


def dress(question: str, slots: dict[str, tuple[str, ...]], rng: np.random.Generator) -> str:
    """Now and then an opener before a question ("Quick question: ...") or a closer behind it."""
    if question.endswith("?") and rng.random() < 0.25:
        question = f"{choose(slots['opener'], rng)} {continued(question)}"
    if question[-1:] in "?." and rng.random() < 0.15:
        comma = "," if rng.random() < 0.6 else ""
        question = f"{question[:-1]}{comma} {choose(slots['closer'], rng)}{question[-1]}"
    return question


def continued(question: str) -> str:
    """The question as it stands behind other words, without its capital."""
    return question if re.match(r"I\b|QC|OK", question) else question[:1].lower() + question[1:]


def roughen(question: str, rng: np.random.Generator) -> str:
    """Typed in a hurry: lower case, lost punctuation, a slip of a key; about half stay as they are."""
    if rng.random() < 0.35:
        question = question.lower()
    elif rng.random() < 0.03:
        question = question.upper()
    if rng.random() < 0.35:
        question = question.rstrip("?.!")
    elif rng.random() < 0.04:
        question += choose(("?", "??", "!", "..."), rng)
    if rng.random() < 0.15:
        question = question.replace(",", "").replace("'", "")
    if rng.random() < 0.12:
        question = _slip(question, rng)
    return question


def _slip(text: str, rng: np.random.Generator) -> str:
    """One slip in one word of four letters or more: swapped, lost, doubled or neighbouring key."""
    words = [match for match in re.finditer(r"[A-Za-z]{4,}", text)]
    if not words:
        return text
    word = words[int(rng.random() * len(words))]
    at = word.start() + 1 + int(rng.random() * (len(word.group()) - 2))
    kind = int(rng.random() * 4)
    middle = (
        text[at + 1] + text[at],
        text[at + 1],
        text[at] * 2 + text[at + 1],
        text[at].translate(TOUCHES) + text[at + 1],
    )
    return text[:at] + middle[kind] + text[at + 2 :]
