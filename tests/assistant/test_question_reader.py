"""The reader of questions: readings of wordings that no template makes, and what it computes."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from assistant.question_reader import (
    ASIDES,
    ASKS,
    BUCKETS,
    COLUMNS,
    FORMS,
    NOTHING,
    READINGS,
    UNRELATED,
    WEIGHTS,
    QuestionReader,
    asked_for,
    hashed,
    is_unrelated,
    singled_out,
)  # fmt: skip
from training.reader_stage import Questions


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


def test_what_is_about_the_part_is_never_taken_for_unrelated() -> None:
    asked = (
        "Is it broken and when was it made?", "Is it good and what's the price?", "Is the carpet cut?",
        "Is the part ok? Also, what's the weather?", "Is my car door dented?", "Is the pizza burnt?",
        "Ist die Oberfläche sauber?", "¿Está dañado?",
        "Is the third pin bent?", "Explain it to a five-year-old.",
    )  # fmt: skip
    assert not any(map(is_unrelated, asked))


def test_named_things_of_the_part_are_no_defects() -> None:
    asked = (
        "Is the third pin bent?", "Is the topmost layer ok?", "What about the other parts?", "Photo #4 please",
        "What is on the far left of the part?", "Anything at the very top?", "3", "What would be the worst case?",
    )  # fmt: skip
    assert [singled_out(question) for question in asked] == [None] * len(asked)


def test_the_shipped_weights_read_what_the_templates_ask() -> None:
    asked, rng = Questions(1, seed=1), np.random.default_rng(77)
    drawn = [asked.draw(rng) for _ in range(1000)]
    named = [(text, name) for text, name, *_ in drawn if name]
    right = sum((singled_out(text) or (UNRELATED if is_unrelated(text) else NOTHING)) == name for text, name in named)
    assert right >= 0.95 * len(named), right  # of what no photo tells, only what is surely so counts
    asks = [(text, name) for text, _, name, _ in drawn if name]
    assert sum(asked_for(text) == name for text, name in asks) >= 0.9 * len(asks)


@pytest.mark.parametrize(
    ("question", "asks"),
    [
        ("Whereabouts on the thing should my eyes go?", "position"),
        ("what portion of the picture does it eat up", "size"),
        ("Is it a grave matter or a trifle?", "severity"),
        ("how many blemishes did you spot all told", "count"),
        ("lighter or darker than what is around it?", "look"),
        ("What do I do with this part now, bin it?", "advice"),
        ("how certain r u about that verdict", "confidence"),
        ("And what is meant by an anomaly map?", "term"),
        ("Do you ever get it wrong?", "limits"),
        ("could this be just a bit of dirt?", "doubt"),
        ("that is only a reflection, do not count it", "dismissal"),
        ("sorry I did not get that, simpler please", "plainer"),
        ("Should I take a sharper picture?", "photo"),
        ("What is the capital of France?", UNRELATED),
        ("", None),
    ],
)
def test_what_is_asked_for_is_read_in_words_of_no_template(question: str, asks: str | None) -> None:
    assert asked_for(question) == asks


def test_weights_made_for_other_readings_are_refused(tmp_path: Path) -> None:
    save_file({"weight": np.zeros((2, 2), np.int8)}, tmp_path / "old.safetensors", {"shape": "other"})
    with pytest.raises(AssertionError, match="train the reader anew"):
        QuestionReader.load(tmp_path / "old.safetensors")


def test_of_a_very_long_question_the_beginning_counts() -> None:
    assert singled_out("How big is the smallest one? " + "x " * 100_000) in ("smallest", None)


def test_case_and_apostrophes_make_no_difference() -> None:
    assert (hashed("What's the LOWEST one?") == hashed("whats the lowest one?")).all()
    buckets = hashed("?")
    assert buckets.size and buckets.min() >= 0 and buckets.max() < BUCKETS and hashed("").size


def test_scores_are_those_of_the_formula() -> None:
    rng = np.random.default_rng(0)
    weight = rng.integers(-127, 128, (BUCKETS, len(COLUMNS))).astype(np.int8)
    scale, bias = rng.random(len(COLUMNS)) / 500, rng.normal(size=len(COLUMNS))
    buckets = hashed("the second one?")
    scores = (weight[buckets].astype(float) * scale).sum(axis=0) / len(buckets) ** 0.5 + bias
    reading = QuestionReader(weight, scale, bias).read("the second one?")
    parts = np.split(scores, np.cumsum([len(READINGS), len(ASKS)]))
    singled, asks, form = (np.exp(part) / np.exp(part).sum() for part in parts)
    assert reading.form == FORMS[int(form.argmax())] and reading.chance_form == pytest.approx(form.max())
    assert reading.singled_out == READINGS[int(singled.argmax())] and reading.chance == pytest.approx(singled.max())
    aside = sum(chance for name, chance in zip(ASKS, asks, strict=True) if name in ASIDES)
    assert reading.asks == ASKS[int(asks.argmax())]
    assert reading.chance_asks == pytest.approx(aside if reading.asks in ASIDES else asks.max())


def test_the_file_is_small() -> None:
    assert WEIGHTS.stat().st_size < 1_900_000
