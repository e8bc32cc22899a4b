"""Question and answer phrasings from `templates/*.yaml`, checked on load; and the noise of real typing."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from assistant import UserError

TEMPLATES = Path(__file__).parent / "templates"
SLOT = re.compile(r"\{(\w+)\}")
ANSWER_SLOTS = frozenset((
    "sure", "chance", "counted", "the", "is", "places", "sizes", "severities", "kinds", "looks", "listed", "first",
    "first_place", "first_named", "worst", "refs", "cover", "look", "it", "them", "noun", "found", "where",
))  # fmt: skip # every one may also be written with a capital
TOUCHES = str.maketrans({"e": "w", "r": "t", "i": "o", "o": "p", "a": "s", "n": "m", "l": "k", "c": "v"})


@dataclass(frozen=True)
class Phrasings:
    """All templates: intent -> questions (standing alone, following on), answers by state, slot words."""

    ask: dict[str, tuple[str, ...]]
    follow: dict[str, tuple[str, ...]]
    answers: dict[str, dict[str, tuple[str, ...]]]
    slots: dict[str, tuple[str, ...]]


def _read(path: Path) -> dict[str, Any]:
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path} is missing", "restore it or point to a folder that has it") from None
    except yaml.YAMLError as error:
        place = getattr(error, "problem_mark", None)
        line = f", line {place.line + 1}" if place else ""
        raise UserError(f"{path}{line} is not valid YAML", "mend the indentation there") from None
    if not isinstance(values, dict) or not values:
        raise UserError(f"{path} holds no entries", "write NAME: | with one phrasing a line under it")
    return values


def _lines(value: Any, where: str) -> tuple[str, ...]:
    lines = tuple(line.strip() for line in value.splitlines() if line.strip()) if isinstance(value, str) else ()
    if not lines:
        raise UserError(f"{where} holds no phrasings", "write them one a line under a bar: NAME: |")
    return lines


def _check(lines: tuple[str, ...], known: frozenset[str], where: str) -> None:
    for line in lines:
        unknown = [
            name for name in SLOT.findall(line) if name not in known and name[:1].lower() + name[1:] not in known
        ]
        if unknown:
            raise UserError(
                f"{where}: unknown slot {{{unknown[0]}}} in {line!r}", f"use one of {', '.join(sorted(known))}"
            )


@cache
def load_phrasings(folder: Path = TEMPLATES) -> Phrasings:
    """Read and check `questions.yaml`, `unrelated.yaml`, `answers.yaml` and `slots.yaml` of a folder.

    Raises:
        UserError: a file, an entry or a slot is missing or unknown, naming it.
    """
    words = {name: _lines(value, f"slots.yaml, {name}") for name, value in _read(folder / "slots.yaml").items()}
    ask: dict[str, tuple[str, ...]] = {}
    follow: dict[str, tuple[str, ...]] = {}
    for intent, entry in _read(folder / "questions.yaml").items():
        if not isinstance(entry, dict) or set(entry) != {"ask", "follow"}:
            raise UserError(f"questions.yaml, {intent}: not the entries ask and follow", "give it both")
        for part, table in (("ask", ask), ("follow", follow)):
            table[intent] = _lines(entry[part], f"questions.yaml, {intent}, {part}")
            _check(table[intent], frozenset({*words, "cell"}), f"questions.yaml, {intent}")
    unrelated = {
        name: _lines(value, f"unrelated.yaml, {name}") for name, value in _read(folder / "unrelated.yaml").items()
    }
    if "stems" not in unrelated:
        raise UserError("unrelated.yaml: no entry stems", "list the questions there, one a line")
    ask["unrelated"] = unrelated.pop("stems")
    _check(ask["unrelated"], frozenset(unrelated), "unrelated.yaml")
    for name in unrelated.keys() & words.keys():
        raise UserError(f"{name} is both in slots.yaml and unrelated.yaml", "rename one of them")
    return Phrasings(ask, follow, _answers(folder), words | unrelated)


def _answers(folder: Path) -> dict[str, dict[str, tuple[str, ...]]]:
    answers: dict[str, dict[str, tuple[str, ...]]] = {}
    for intent, states in _read(folder / "answers.yaml").items():
        if not isinstance(states, dict):
            raise UserError(f"answers.yaml, {intent}: no states", "write any: | above its phrasings")
        answers[intent] = {state: _lines(value, f"answers.yaml, {intent}, {state}") for state, value in states.items()}
        for state, lines in answers[intent].items():
            _check(lines, ANSWER_SLOTS, f"answers.yaml, {intent}, {state}")
    return answers


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
        head = question if re.match(r"I\b|QC|OK", question) else question[:1].lower() + question[1:]
        question = f"{choose(slots['opener'], rng)} {head}"
    if question[-1:] in "?." and rng.random() < 0.15:
        comma = "," if rng.random() < 0.6 else ""
        question = f"{question[:-1]}{comma} {choose(slots['closer'], rng)}{question[-1]}"
    return question


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
