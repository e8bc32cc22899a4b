"""Question and answer phrasings from `templates/*.yaml`, checked on load."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from assistant import UserError
from assistant.focus import SIDES
from assistant.inspection import KINDS, POSITIONS
from assistant.question_reader import ASKS, FORMS, ONES
from data_gen.states import ENTRIES, allowed_slots, situations, states
from data_gen.typed import SLOT, slots_of

TEMPLATES = Path(__file__).parent / "templates"
ASKED = (  # intents of questions.yaml; "choice" and "unrelated" have a file each
    "presence", "location", "count", "size", "severity", "kind", "look", "confidence", "cell", "box", "comparison",
    "references", "advice", "report", "detail", "brief", "why", "else", "main", "leading_good", "leading_bad",
    "claimed", "correction", "greeting", "thanks", "identity", "unanswerable", "units", "one", "one_location",
    "one_size", "one_severity", "one_kind", "one_look", "one_count", "sort", "total", "kind_sure",
    "others",
)  # fmt: skip
SUBTASKS = ("presence", "location", "kind", "look", "severity", "count")  # of a multiple choice
OWN_SLOTS = {  # slots that the writer fills by itself, and that a phrasing of the intent may or must hold
    "cell": frozenset(("cell",)), "one": frozenset(("one",)), "one_location": frozenset(("one",)),
    **dict.fromkeys(("one_size", "one_severity", "one_kind", "one_look"), frozenset(("one", "one_there"))),
    "one_count": frozenset(("cell",)), "sort": frozenset(("sorts",)), "box": frozenset(("box",)),
    "claimed": frozenset(("cell", "number", "kind")),
}  # fmt: skip
WORDS = (  # entries of slots.yaml that the writer uses by name
    "opener", "closer", "in_brief", "in_detail", "instruction", "there",
    *(f"cell_{cell.replace(' ', '_')}" for cell in (*POSITIONS, *SIDES)),
    *(f"one_{name.replace(' ', '_')}" for name in ONES), *(f"sorts_{kind.replace(' ', '_')}" for kind in KINDS),
)  # fmt: skip

Table = dict[str, tuple[str, ...]]
Frames = tuple[tuple[str, ...], Table]  # questions with slots, and what fills them


@dataclass(frozen=True)
class Phrasings:
    """All templates: intent -> questions (standing alone, following on), answers by state, choices, slot words."""

    ask: Table
    follow: Table
    answers: dict[str, Table]
    choices: Table
    slots: Table


def _read(path: Path) -> dict[str, Any]:
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path} is missing", "restore it or point to a folder that has it") from None
    except UnicodeDecodeError:
        raise UserError(f"{path} is not UTF-8", "save it in that encoding") from None
    except yaml.YAMLError as error:
        place = getattr(error, "problem_mark", None)
        line = f", line {place.line + 1}" if place else ""
        raise UserError(f"{path}{line} is not valid YAML", "mend the indentation there") from None
    if not isinstance(values, dict) or not values:
        raise UserError(f"{path} holds no entries", "write NAME: | with one phrasing a line under it")
    return values


def _lines(value: Any, where: str, *, repeats: bool = False) -> tuple[str, ...]:
    lines = tuple(line.strip() for line in value.splitlines() if line.strip()) if isinstance(value, str) else ()
    if not lines:
        raise UserError(f"{where} holds no phrasings", "write them one a line under a bar: NAME: |")
    if not repeats:
        _check_unique(lines, where)
    return lines


def _check_unique(lines: Iterable[str], where: str, seen: dict[str, str] | None = None) -> None:
    """No line stands twice, nor in `seen` (line in lower case -> where it stands), which grows by these."""
    seen = {} if seen is None else seen
    for line in lines:
        if first := seen.get(line.lower()):
            too = "twice" if first == where else f"and in {first} too"
            raise UserError(f"{where}: the phrasing {line!r} stands there {too}", "delete one of them")
        seen[line.lower()] = where


def _check_slots(lines: tuple[str, ...], known: frozenset[str], where: str) -> None:
    for line in lines:
        for name in SLOT.findall(line):
            if name not in known and name[:1].lower() + name[1:] not in known:
                near = difflib.get_close_matches(name, known, n=1)
                hint = f"did you mean {{{near[0]}}}?" if near else f"use one of {', '.join(sorted(known))}"
                raise UserError(f"{where}: unknown slot {{{name}}} in {line!r}", hint)


def _check_names(found: Iterable[str], needed: Iterable[str], where: str) -> None:
    """Every name that is needed is there, and no other."""
    found, needed = set(found), set(needed)
    for name in sorted(found - needed):
        near = difflib.get_close_matches(name, needed, n=1)
        hint = f"did you mean {near[0]}?" if near else f"use one of {', '.join(sorted(needed))}"
        raise UserError(f"{where}: unknown entry {name}", hint)
    for name in sorted(needed - found):
        raise UserError(f"{where}: no entry {name}", f"add {name}: | with one phrasing a line under it")


@cache
def load_phrasings(folder: Path = TEMPLATES) -> Phrasings:
    """Read and check the YAML files of a folder but those for the reader alone; what they hold is told on top of each.

    Raises:
        UserError: a file, an entry, a state or a slot is missing or unknown, an entry is empty or a phrasing
            stands twice; it names file and entry, and how to mend it.
    """
    words = {name: _lines(v, f"slots.yaml, {name}", repeats=True) for name, v in _read(folder / "slots.yaml").items()}
    for name in set(WORDS) - words.keys():
        raise UserError(f"slots.yaml: no entry {name}", f"add {name}: | with one phrasing a line under it")
    for name in ("in_brief", "in_detail"):
        _check_slots(words[name], frozenset(("question",)), f"slots.yaml, {name}")
    ask, follow = _questions(folder, frozenset(words))
    ask["unrelated"], unrelated = _frames(folder, "unrelated.yaml")
    _check_unique(ask["unrelated"], "unrelated.yaml, stems")
    _check_slots(ask["unrelated"], frozenset(unrelated), "unrelated.yaml, stems")
    for name in unrelated.keys() & words.keys():
        raise UserError(f"{name} is both in slots.yaml and unrelated.yaml", "rename one of them")
    choices = _choices(folder, frozenset(words))
    ask["choice"] = tuple(line for subtask in SUBTASKS for line in choices[subtask])
    return Phrasings(ask, follow, _answers(folder), choices, words | unrelated)


def _frames(folder: Path, file: str) -> Frames:
    """The `stems` of a file, and the lists that fill them."""
    lists = {name: _lines(value, f"{file}, {name}", repeats=True) for name, value in _read(folder / file).items()}
    if "stems" not in lists:
        raise UserError(f"{file}: no entry stems", "list the questions there, one a line")
    return lists.pop("stems"), lists


@cache
def load_nameless(folder: Path = TEMPLATES) -> Frames:
    """The questions of `nameless.yaml`, which the reader alone sees, and the lists that fill them.

    Raises:
        UserError: as `load_phrasings`.
    """
    stems, lists = _frames(folder, "nameless.yaml")
    known = frozenset((*lists, "one", "other", "cell", "kind", "presence", "beyond"))
    _check_slots(stems, known, "nameless.yaml, stems")
    return stems, lists


@cache
def load_asides(folder: Path = TEMPLATES) -> Table:
    """The questions of `asides.yaml`, which the reader alone sees, by what of `ASKS` they ask for.

    Raises:
        UserError: as `load_phrasings`.
    """
    entries = _read(folder / "asides.yaml")
    for name in entries.keys() - set(ASKS):
        raise UserError(f"asides.yaml: nothing asks for {name!r}", f"use one of {', '.join(ASKS)}")
    return {name: _lines(entry, f"asides.yaml, {name}") for name, entry in entries.items()}


@cache
def load_forms(folder: Path = TEMPLATES) -> Table:
    """The wishes of `forms.yaml`, which the reader alone sees, by the form of `FORMS`: around a {question}, or whole.

    Raises:
        UserError: as `load_phrasings`.
    """
    entries = _read(folder / "forms.yaml")
    _check_names(entries, FORMS, "forms.yaml")
    wishes = {name: _lines(entry, f"forms.yaml, {name}") for name, entry in entries.items()}
    for name, lines in wishes.items():
        _check_slots(lines, frozenset(("question",)), f"forms.yaml, {name}")
    return wishes


def _questions(folder: Path, words: frozenset[str]) -> tuple[Table, Table]:
    ask: Table = {}
    follow: Table = {}
    seen: dict[str, str] = {}
    entries = _read(folder / "questions.yaml")
    _check_names(entries, ASKED, "questions.yaml")
    for intent, entry in entries.items():
        if not isinstance(entry, dict) or set(entry) != {"ask", "follow"}:
            raise UserError(f"questions.yaml, {intent}: not the entries ask and follow", "give it both")
        own = OWN_SLOTS.get(intent, frozenset())
        for part, table in (("ask", ask), ("follow", follow)):
            where = f"questions.yaml, {intent}, {part}"
            table[intent] = _lines(entry[part], where)
            _check_slots(table[intent], words | own, where)
            _check_unique(table[intent], where, seen)
            for line in table[intent]:
                if own and len(own & set(slots_of(line))) != 1:
                    raise UserError(
                        f"{where}: {line!r} does not say what it is about", f"use {{{'} or {'.join(sorted(own))}}} once"
                    )
    return ask, follow


def _choices(folder: Path, words: frozenset[str]) -> Table:
    entries = _read(folder / "choices.yaml")
    _check_names(entries, (*SUBTASKS, "nothing"), "choices.yaml")
    table = {name: _lines(value, f"choices.yaml, {name}") for name, value in entries.items()}
    for subtask in SUBTASKS:
        _check_slots(table[subtask], words, f"choices.yaml, {subtask}")
    return table


def _answers(folder: Path) -> dict[str, Table]:
    answers: dict[str, Table] = {}
    entries = _read(folder / "answers.yaml")
    _check_names(entries, ENTRIES, "answers.yaml")
    for entry, table in entries.items():
        if not isinstance(table, dict) or not table:
            raise UserError(f"answers.yaml, {entry}: no states", "write any: | above its phrasings")
        possible = [(situation.verdict, states(entry, situation)) for situation in situations(entry)]
        known = {state for _, row in possible for state in row}
        for state in table.keys() - known:
            near = difflib.get_close_matches(str(state), known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"use one of {', '.join(sorted(known))}"
            raise UserError(f"answers.yaml, {entry}: unknown state {state}", hint)
        for verdict, row in possible:
            if not table.keys() & set(row):
                raise UserError(f"answers.yaml, {entry}: no state for {verdict}", f"add {verdict}: | or any: |")
        answers[entry] = {state: _lines(value, f"answers.yaml, {entry}, {state}") for state, value in table.items()}
        for state, lines in answers[entry].items():
            _check_slots(lines, allowed_slots(entry, state), f"answers.yaml, {entry}, {state}")
    return answers
