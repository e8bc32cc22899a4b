"""What a question singles out, what it asks for and in which form, and whether a photo can answer it: three linear
classifiers over the same hashed words and letters.

"The one at the far right", "whatever comes second": people name one of several defects in more ways than patterns can
list. A bag of hashed n-grams (fastText, Joulin et al. 2017) learns them from the templates of `data_gen` and reads a
question in a fraction of a millisecond, whichever language model answers. `training.reader_stage` makes its weights.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from zlib import crc32

import numpy as np
from safetensors import safe_open

from assistant.spoken import ORDINALS

WEIGHTS = Path(__file__).resolve().parent / "checkpoints" / "question_reader.safetensors"
BUCKETS = 2**15
WORDS, LETTERS = (1, 2, 3), (3, 4, 5)  # lengths of the n-grams
LONGEST = 1000  # characters of a question that are read
PARTS = re.compile(
    r"[.?!;]+\s+|\s\+\s|,?\s+(?:and|but|also|anyway|plus)\s+(?=\w+\s+\w)"
)  # between questions in one message
WORD = re.compile(r"[a-z0-9%#]+|[?,:;]")
# One of several defects, by rank or as the one whose middle lies furthest to an edge, or all but the main one.
ONES = (*ORDINALS, "uppermost", "lowest", "leftmost", "rightmost", "smallest", "largest", "mildest", "main", "other")
TOGETHER = "together"  # what all defects cover
UNRELATED = "unrelated"  # what no photo of a part tells
NOTHING = "nothing"  # singled out: most questions
READINGS = (*ONES, TOGETHER, UNRELATED, NOTHING)
# What a question asks for, whatever it singles out.
ASIDES = ("term", "workings", "limits", "margin", "photo", "doubt", "dismissal", "plainer")  # beside the part's state
ASKS = (
    "presence", "position", "count", "size", "severity", "type", "look", "confidence", "confidence of the kind",
    "references", "comparison", "advice", "report", "reason", "anything else", "the main one", "agreement", "talk",
    "units", *ASIDES, UNRELATED,
)  # fmt: skip
FIRST_ASIDE, LAST_ASIDE = ASKS.index(ASIDES[0]), ASKS.index(ASIDES[-1]) + 1
NO_FORM = "any form"
FORMS = ("yes or no", "word", "number", "sentence", "list", "letter", "long", NO_FORM)  # that an answer is wished in
COLUMNS = (*READINGS, *ASKS, *FORMS)
SHAPE = f"{BUCKETS} buckets, words {WORDS}, letters {LETTERS}, {','.join(COLUMNS)}"  # what weights must fit
SURE_ONE = 0.5  # probability from which a question is taken to single something out
SURE_ASKED = 0.7  # to ask for something, and to wish for a form
SURE_ASIDE = 0.5  # to ask for one of `ASIDES`: what else is answered without a model comes before them
SURE_UNRELATED = 0.9  # to be none for the assistant: a wrong refusal is worse than an answer


def hashed(question: str) -> np.ndarray:
    """The buckets of its n-grams, (N,) ints in [0, BUCKETS), each as often as it stands there."""
    plain = unicodedata.normalize("NFKD", question.lower()).encode("ascii", "ignore").decode()  # without accents
    low = plain.replace("one's ", "one is ").replace("'", "")
    return np.array([crc32(gram.encode()) % BUCKETS for gram in _grams(["<", *WORD.findall(low), ">"])])


def _grams(words: list[str]) -> Iterator[str]:
    for length in WORDS:
        yield from (" ".join(words[i : i + length]) for i in range(len(words) - length + 1))
    for word in words[1:-1]:
        spelled = f"_{word}_"
        for length in LETTERS:
            yield from (spelled[i : i + length] for i in range(len(spelled) - length + 1))


@dataclass(frozen=True)
class Reading:
    """The likeliest of `READINGS`, of `ASKS` and of `FORMS` with their probabilities; of `ASIDES`, which lie close
    together, the probability that it is any of them."""

    singled_out: str
    chance: float
    asks: str
    chance_asks: float
    form: str
    chance_form: float


class QuestionReader:
    """A softmax over `READINGS`, one over `ASKS` and one over `FORMS`: `weight` (BUCKETS, C) int8, the worth of
    a step of it for each of `COLUMNS`, `scale` (C,), and `bias` (C,).

    A question's scores are the sum of the rows of its n-grams over the root of their number, and the bias.
    """

    def __init__(self, weight: np.ndarray, scale: np.ndarray, bias: np.ndarray) -> None:
        assert weight.shape == (BUCKETS, len(COLUMNS)), weight.shape
        self.weight, self.scale, self.bias = weight, scale, bias

    @classmethod
    def load(cls, path: Path = WEIGHTS) -> "QuestionReader":
        """Read a file of `training.reader_stage`."""
        with safe_open(path, framework="numpy") as file:
            made_for = (file.metadata() or {}).get("shape")
            assert made_for == SHAPE, f"{path} was made for {made_for}, not {SHAPE}: train the reader anew"
            return cls(file.get_tensor("weight"), file.get_tensor("scale"), file.get_tensor("bias"))

    def read(self, question: str) -> Reading:
        """What the question singles out, what it asks for and in which form."""
        buckets = hashed(question)
        total = self.weight[buckets].sum(axis=0, dtype=np.float32)
        scores = self.scale * total / np.sqrt(len(buckets)) + self.bias
        singled, asks, form = map(_chances, np.split(scores, np.cumsum([len(READINGS), len(ASKS)])))
        one, other, last = int(singled.argmax()), int(asks.argmax()), int(form.argmax())
        likely = asks[FIRST_ASIDE:LAST_ASIDE].sum() if ASKS[other] in ASIDES else asks[other]
        return Reading(READINGS[one], float(singled[one]), ASKS[other], float(likely), FORMS[last], float(form[last]))


def _chances(scores: np.ndarray) -> np.ndarray:
    chances = np.exp(scores - scores.max())
    return chances / chances.sum()


_reader = cache(QuestionReader.load)


def _read(question: str) -> Reading:
    return _read_short(question[:LONGEST])


@lru_cache(maxsize=1024)
def _read_short(question: str) -> Reading:
    return _reader().read(question)


def asked_for(question: str) -> str | None:
    """What a message surely asks for, one of `ASKS`; None where that is open, or several things are."""
    if not WORD.search(question.lower()):
        return None
    reading = _read(question)
    sure = SURE_ASIDE if reading.asks in ASIDES else SURE_ASKED
    return reading.asks if reading.chance_asks >= sure and not asks_several(question) else None


def asks_several(message: str) -> bool:
    """Do the questions in a message surely ask for several things, not all of them `ASIDES`?"""
    parts = {reading.asks for reading in map(_read, _parts(message)) if reading.chance_asks >= SURE_ASKED}
    return len(parts) > 1 and not parts <= set(ASIDES)


def wished_form(question: str) -> str | None:
    """The form that a question surely wants its answer in, one of `FORMS`; None where it may have any."""
    reading = _read(question)
    return reading.form if reading.form != NO_FORM and reading.chance_form >= SURE_ASKED else None


def singled_out(question: str) -> str | None:
    """The name of what a question singles out, one of `ONES` or `TOGETHER`; None where nothing."""
    name, parts = _read(question).singled_out, _parts(question)
    readings = [_read(question)] if len(parts) < 2 else [_read(question), *map(_read, parts)]
    sure = [reading.singled_out == name and reading.chance >= SURE_ONE for reading in readings]
    if name not in (UNRELATED, NOTHING) and sure[0] and any(sure[1:] or sure):  # the message, and one of its questions
        return name
    return "main" if asked_for(question) == "the main one" else None


def is_unrelated(question: str) -> bool:
    """Is it surely nothing that a photo of a part tells, nor any question in the message?"""
    return all(map(_surely_unrelated, map(_read, (question, *_parts(question)))))


def _surely_unrelated(reading: Reading) -> bool:
    also = reading.chance_asks if reading.asks == UNRELATED else 0.0
    return reading.singled_out == UNRELATED and max(reading.chance, also) >= SURE_UNRELATED


def _parts(message: str) -> list[str]:
    """The questions in one message."""
    return [part for part in PARTS.split(message[:LONGEST]) if len(part.split()) > 1]
