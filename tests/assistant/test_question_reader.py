"""The reader of questions: readings of wordings that no template makes, and what it computes."""

from pathlib import Path

import numpy as np
import pytest

from assistant.question_reader import BUCKETS, READINGS, QuestionReader, hashed, is_unrelated, singled_out


@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("Hmm, and whatever sits closest to the left border, is that a scratch?", "leftmost"),
        ("whats goin on with the thing at the extreme right", "rightmost"),
        ("could u measure the highest one for me", "uppermost"),
        ("the one down by the bottom rim, what would you call it?", "lowest"),
        ("Out of all of them, how big is the tiniest?", "smallest"),
        ("which one could I live with most easily, the least bad one, where is it", "mildest"),
        ("then the runner up pls, how severe", "second"),
        ("What did you spot apart from the main thing?", "other"),
        ("taken together, what percentage of the surface do the flaws eat up", "together"),
        ("Is it broken?", None),
        ("Anything on the left?", None),
        ("How many did you count in all?", None),
        ("Is the rest of the housing alright?", None),
        ("Tell me the overall verdict.", None),
    ],
)
def test_what_is_singled_out_is_read_from_words_of_many_kinds(question: str, name: str | None) -> None:
    assert singled_out(question) == name


def test_what_no_photo_tells_is_known_from_what_one_does() -> None:
    beyond = ("Can you book me a hotel in Rome?", "What's the capital of Peru?", "Which supplier delivered this part?")
    assert all(map(is_unrelated, beyond))
    inside = ("Is it ok?", "Where's the scratch?", "How sure are you?", "What would you do with this part?", "Hello")
    assert not any(map(is_unrelated, inside))


def test_case_and_apostrophes_make_no_difference() -> None:
    assert (hashed("What's the LOWEST one?") == hashed("whats the lowest one?")).all()
    buckets = hashed("?")
    assert buckets.size and buckets.min() >= 0 and buckets.max() < BUCKETS and not hashed("").size < 1


def test_scores_are_those_of_the_formula() -> None:
    rng = np.random.default_rng(0)
    weight = rng.integers(-127, 128, (BUCKETS, len(READINGS))).astype(np.int8)
    scale, bias = rng.random(len(READINGS)) / 500, rng.normal(size=len(READINGS))
    buckets = hashed("the second one?")
    scores = (weight[buckets].astype(float) * scale).sum(axis=0) / len(buckets) ** 0.5 + bias
    chances = np.exp(scores) / np.exp(scores).sum()
    reading, chance = QuestionReader(weight, scale, bias).read("the second one?")
    assert reading == READINGS[int(chances.argmax())] and chance == pytest.approx(chances.max())


def test_the_file_is_small() -> None:
    assert (Path(QuestionReader.load.__globals__["WEIGHTS"])).stat().st_size < 700_000
