"""What a question singles out, and whether a photo can answer it: a linear classifier over hashed words and letters.

"The one at the far right", "whatever comes second": people name one of several defects in more ways than patterns can
list. A bag of hashed n-grams (fastText, Joulin et al. 2017) learns them from the templates of `data_gen` and reads a
question in a fraction of a millisecond, whichever language model answers. `training.reader_stage` makes its weights.
"""

import re
import unicodedata
from collections.abc import Iterator
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
PARTS = re.compile(r"[.?!;]+\s+|,?\s+(?:and|but|also|anyway|plus)\s+(?=\w+\s+\w)")  # between questions in one message
WORD = re.compile(r"[a-z0-9%#]+|[?,:;]")
# One of several defects, by rank or as the one whose middle lies furthest to an edge, or all but the main one.
ONES = (*ORDINALS, "uppermost", "lowest", "leftmost", "rightmost", "smallest", "largest", "mildest", "main", "other")
TOGETHER = "together"  # what all defects cover
UNRELATED = "unrelated"  # what no photo of a part tells
NOTHING = "nothing"  # singled out: most questions
READINGS = (*ONES, TOGETHER, UNRELATED, NOTHING)
SHAPE = f"{BUCKETS} buckets, words {WORDS}, letters {LETTERS}, {','.join(READINGS)}"  # what weights must fit
SURE_ONE = 0.5  # probability from which a question is taken to single something out
SURE_UNRELATED = 0.9  # and from which to be none for the assistant: a wrong refusal is worse than an answer


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


class QuestionReader:
    """A softmax over `READINGS`: `weight` (BUCKETS, R) int8, the worth of a step of it for each reading, `scale` (R,),
    and `bias` (R,).

    A question's scores are the sum of the rows of its n-grams over the root of their number, and the bias.
    """

    def __init__(self, weight: np.ndarray, scale: np.ndarray, bias: np.ndarray) -> None:
        assert weight.shape == (BUCKETS, len(READINGS)), weight.shape
        self.weight, self.scale, self.bias = weight, scale, bias

    @classmethod
    def load(cls, path: Path = WEIGHTS) -> "QuestionReader":
        """Read a file of `training.reader_stage`."""
        with safe_open(path, framework="numpy") as file:
            made_for = (file.metadata() or {}).get("shape")
            assert made_for == SHAPE, f"{path} was made for {made_for}, not {SHAPE}: train the reader anew"
            return cls(file.get_tensor("weight"), file.get_tensor("scale"), file.get_tensor("bias"))

    def read(self, question: str) -> tuple[str, float]:
        """The likeliest reading and its probability."""
        buckets = hashed(question)
        total = self.weight[buckets].sum(axis=0, dtype=np.float32)
        scores = self.scale * total / np.sqrt(len(buckets)) + self.bias
        chances = np.exp(scores - scores.max())
        best = int(chances.argmax())
        return READINGS[best], float(chances[best] / chances.sum())


_reader = cache(QuestionReader.load)


def _read(question: str) -> tuple[str, float]:
    return _read_short(question[:LONGEST])


@lru_cache(maxsize=1024)
def _read_short(question: str) -> tuple[str, float]:
    return _reader().read(question)


def singled_out(question: str) -> str | None:
    """The name of what a question singles out, one of `ONES` or `TOGETHER`; None where nothing."""
    reading, chance = _read(question)
    return reading if chance >= SURE_ONE and reading not in (UNRELATED, NOTHING) else None


def is_unrelated(question: str) -> bool:
    """Is it surely nothing that a photo of a part tells, nor any question in the message?"""
    parts = [part for part in PARTS.split(question[:LONGEST]) if len(part.split()) > 1]
    return all(reading == UNRELATED and chance >= SURE_UNRELATED for reading, chance in map(_read, (question, *parts)))
