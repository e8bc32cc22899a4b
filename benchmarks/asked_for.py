"""Does the reader of questions know what is asked for, and in which form?

    python benchmarks/asked_for.py

Labelled wordings of somebody who had seen nothing of this: what they ask for, and wishes for the form of the answer
beside messages that only sound like one. A reading that is not sure leaves the answer to the language model; one that
is surely wrong spoils it.
"""

from pathlib import Path

from dev_questions import load_phrasings

from assistant.form import find_form
from assistant.question_reader import NO_FORM, asked_for

QUESTIONS = Path(__file__).resolve().parent / "questions"


def main() -> None:
    """Print a row for everything that is asked for, and for every form."""
    print("| asked for | right | open | wrong | of |\n| --- | --- | --- | --- | --- |")
    _table({label: [(asked_for(text), label) for text in texts] for label, texts in _labelled("asked_for").items()})
    print("\n| form | right | open | wrong | of |\n| --- | --- | --- | --- | --- |")
    forms = {label: [_form(text) for text in texts] for label, texts in _labelled("forms").items()}
    _table({label: [(form, label) for form in found] for label, found in forms.items()})


def _labelled(name: str) -> dict[str, list[str]]:
    return load_phrasings(QUESTIONS / f"{name}.yaml")


def _form(text: str) -> str:
    form = find_form(text)
    return form.name if form else NO_FORM


def _table(rows: dict[str, list[tuple[str | None, str]]]) -> None:
    total = [0, 0, 0, 0]
    for label, found in rows.items():
        right, left_open = sum(read == meant for read, meant in found), sum(read is None for read, _ in found)
        row = [right, left_open, len(found) - right - left_open, len(found)]
        total = [one + other for one, other in zip(total, row, strict=True)]
        print(f"| {label} | {' | '.join(map(str, row))} |")
    print(f"| **all** | {' | '.join(map(str, total))} |")


if __name__ == "__main__":
    main()
