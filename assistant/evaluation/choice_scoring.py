"""Multiple choice: the letter that an answer gives, by its words and by the likelihood of the letters."""

import difflib
import re
from collections.abc import Iterable
from typing import Any

from assistant.evaluation import Row
from assistant.evaluation.metrics import mean

LETTER = re.compile(r"(?<![\w'])([A-E])(?![\w'])")


def chosen_letter(text: str, choices: dict[str, str]) -> str | None:
    """The last stand-alone letter A to E, else the option whose text is nearest; None where neither is there.

    MMAD's rule (Jiang et al., ICLR 2025), with one care: an option that is repeated word for word is taken out
    first, so that the article in "B: A scratch." is not a letter.
    """
    own = text
    for option in sorted(choices.values(), key=len, reverse=True):
        if len(words := option.strip(" .").split()) > 1:
            own = re.sub(r"\s+".join(map(re.escape, words)), " ", own)
    if letters := LETTER.findall(own):
        return str(letters[-1])
    nearness = {letter: _nearness(text, option) for letter, option in choices.items()}
    best = max(nearness, key=lambda letter: nearness[letter], default=None)
    return best if best is not None and nearness[best] > 0 else None


def _nearness(text: str, option: str) -> float:
    said, asked = (" ".join(re.findall(r"\w+", words.lower())) for words in (text, option))
    if not said or not asked:
        return 0.0
    if f" {asked} " in f" {said} ":  # told whole, within a sentence: the longest such option is the nearest
        return 1.0 + len(asked)
    return difflib.SequenceMatcher(None, said, asked, autojunk=False).ratio()


def likeliest_letter(scores: dict[str, float] | None) -> str | None:
    """The letter of highest log-probability; None where the model cannot tell."""
    return max(scores, key=lambda letter: scores[letter]) if scores else None


def chose_right(record: Row) -> bool:
    """Is the letter in the words the right one?"""
    return chosen_letter(record["prediction"], record["choices"]) == right_letter(record)


def right_letter(row: Row) -> str | None:
    """The letter of the row's answer, which may be given as the option's text; None where it is no option."""
    answer = str(row["answer"]).strip()
    if answer in row["choices"]:
        return answer
    return next((letter for letter, option in row["choices"].items() if option.strip() == answer), None)


def are_choices(value: object) -> bool:
    """Letter -> text, two or more?"""
    if not isinstance(value, dict) or len(value) < 2:
        return False
    return all(key in tuple("ABCDE") and isinstance(text, str) for key, text in value.items())


def summarize_choices(records: Iterable[Row]) -> dict[str, Any] | None:
    """Accuracy by the letter in the words and by log-probability, and the words without a letter; None for no rows.

    The accuracy by log-probability is over the rows where the model gave it, and None without any.
    """
    found = [
        (chosen_letter(record["prediction"], record["choices"]), likeliest_letter(record.get("choice_scores")),
         right_letter(record))
        for record in records
        if record["choices"]
    ]  # fmt: skip
    if not found:
        return None
    return {
        "accuracy_by_generation": mean([told == right for told, _, right in found]),
        "accuracy_by_log_probability": mean(
            [None if likely is None else likely == right for _, likely, right in found]
        ),
        "unparsable": sum(told is None for told, _, _ in found),
        "count": len(found),
    }
