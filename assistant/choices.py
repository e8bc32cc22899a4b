"""Multiple choice: a question with lettered options, and the letter that an answer names."""

import re
from dataclasses import dataclass

# "A: ...", "A. ...", "A) ...", "(a) ..." at the start of a line or after a blank.
MARK = re.compile(r"(?:^|(?<=\s))(?:\((?P<round>[A-Ha-h])\)|(?P<half>[A-Ha-h])\)|(?P<plain>[A-H])[.:](?=\s))\s*")
INSTRUCTION = re.compile(
    r"(?:^|(?<=[.;!?\s]))\s*(?:please )?(?:answer|reply|respond|choose|pick|select|give|just|only|one letter)\b.*$",
    re.I | re.S,
)
NAMED = re.compile(
    r"^\W*\(?(?P<first>[A-H])(?:[).:,;!]|\s*$|\s*\()|"
    r"\b(?:answer|option|choice|letter)(?: is| would be)?:? *\(?(?P<said>[A-H])\b(?!')",
)


@dataclass(frozen=True)
class Choices:
    """What is asked, and the options: letter -> text."""

    stem: str
    options: dict[str, str]

    def ask(self) -> str:
        """Stem and options in one line, as they are read best."""
        return " ".join([self.stem, *(f"{letter}: {option}" for letter, option in self.options.items())])

    def reply(self, letter: str) -> str:
        """The plain answer: "B: upper left."."""
        return f"{letter}: {self.options[letter].rstrip('.')}."


def parse_choices(question: str) -> Choices | None:
    """The options of a question if it has two or more, lettered A, B, ... in order; line breaks do not matter."""
    marks: list[re.Match[str]] = []
    for mark in MARK.finditer(question):
        if _letter(mark) == chr(ord("A") + len(marks)):
            marks.append(mark)
    if len(marks) < 2:
        return None
    ends = [*(mark.start() for mark in marks[1:]), len(question)]
    texts = [question[mark.end() : end].strip(" \n\t,;") for mark, end in zip(marks, ends, strict=True)]
    texts[-1] = INSTRUCTION.sub("", texts[-1].split("\n")[0]).strip() or texts[-1]
    if not all(texts):
        return None
    return Choices(
        question[: marks[0].start()].strip(), {_letter(m): text for m, text in zip(marks, texts, strict=True)}
    )


def _letter(mark: re.Match[str]) -> str:
    return str(mark["round"] or mark["half"] or mark["plain"]).upper()


def named_letter(text: str, choices: Choices) -> str | None:
    """The option that an answer settles on, by its letter or by repeating its text; None if by neither."""
    if match := NAMED.search(text):
        letter = match["first"] or match["said"]
        return letter if letter in choices.options else None
    bare = _plain(text)
    return next((letter for letter, option in choices.options.items() if _plain(option) == bare), None)


def own_words(text: str, choices: Choices) -> str:
    """The answer without letters and without the options it repeats: those are the asker's words."""
    for letter, option in choices.options.items():
        text = re.sub(rf"\(?\b{letter}[).:]+\s*{re.escape(option.rstrip('.'))}(?!\w)", " ", text, flags=re.I)
    own = re.sub(r"^\W*\(?[A-H](?:[).:,;!]+|\s*$)", "", text)
    repeats = own == text and _plain(text) in map(_plain, choices.options.values())
    return "" if repeats else own.strip(" ;,.")


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9%]+", " ", text.lower()).strip()
