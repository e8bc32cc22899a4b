"""Dialogues: every claim follows from the facts, phrasings are many and checked on load."""

import shutil
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from assistant import UserError
from assistant.grounding import claims, contradictions
from assistant.inspection import VERDICTS, severity_of
from data_gen.facts import random_inspection
from data_gen.instructions import INTENTS, questions_for, write_answer, write_dialogue, write_question
from data_gen.phrasings import TEMPLATES, load_phrasings


def test_no_answer_contradicts_its_inspection() -> None:
    rng = np.random.default_rng(0)
    for _ in range(3000):
        facts = random_inspection(rng)
        for message in write_dialogue(facts, rng):
            if message["role"] == "assistant":
                assert not contradictions(message["content"], facts), (message["content"], facts)


def test_turns_alternate_and_are_as_many_as_asked() -> None:
    rng = np.random.default_rng(1)
    for _ in range(200):
        messages = write_dialogue(random_inspection(rng), rng, turns=(2, 3))
        assert len(messages) in (4, 6)
        assert [message["role"] for message in messages] == ["user", "assistant"] * (len(messages) // 2)
        assert all(message["content"].strip() and "{" not in message["content"] for message in messages)


def test_same_seed_same_dialogue() -> None:
    first, second = (
        write_dialogue(random_inspection(rng), rng) for rng in (np.random.default_rng(7), np.random.default_rng(7))
    )
    assert first == second


@pytest.mark.parametrize("verdict", VERDICTS)
@pytest.mark.parametrize("intent", INTENTS)
def test_every_intent_has_an_answer_for_every_verdict(intent: str, verdict: str) -> None:
    rng = np.random.default_rng(2)
    for _ in range(10):
        facts = random_inspection(rng, verdict)
        question = write_question(intent, rng)
        answer = write_answer(question, facts, rng)
        assert 1 <= len(answer.split()) <= 110
        assert not contradictions(answer, facts)


@pytest.mark.parametrize("intent", INTENTS)
def test_every_intent_has_forty_phrasings_or_more(intent: str) -> None:
    questions = {*questions_for(intent), *questions_for(intent, follow=True)}
    assert len(questions) >= (150 if intent == "unrelated" else 40)


@pytest.mark.parametrize("verdict", VERDICTS)
def test_leading_questions_get_the_same_verdict(verdict: str) -> None:
    rng = np.random.default_rng(4)
    for intent in ("leading_good", "leading_bad"):
        for _ in range(60):
            answer = write_answer(write_question(intent, rng), random_inspection(rng, verdict), rng)
            said = {claim.value for claim in claims(answer) if claim.kind == "presence"}
            assert said <= {verdict}, answer


def test_noise_leaves_most_of_the_text_and_can_be_turned_off() -> None:
    rng = np.random.default_rng(5)
    plain = [write_question("presence", rng, noise=False) for _ in range(50)]
    assert all(question.text == question.plain for question in plain)
    noisy = Counter(write_question("presence", rng).text for _ in range(2000))
    assert len(noisy) > 1200  # wide: rarely the same twice


def test_random_inspections_are_plausible() -> None:
    rng = np.random.default_rng(6)
    counts: Counter[str] = Counter()
    for _ in range(300):
        facts = random_inspection(rng)
        counts[facts.verdict] += 1
        for region in facts.regions:
            assert region.cells[0] == region.position
            assert region.severity == severity_of(region.area_fraction, region.peak)
            assert region.box[2] <= facts.size[0] and region.box[3] <= facts.size[1]
    assert set(counts) == set(VERDICTS)


def test_writing_is_fast() -> None:
    rng = np.random.default_rng(8)
    facts = [random_inspection(rng) for _ in range(200)]
    load_phrasings()
    started = time.perf_counter()
    for inspection in facts:
        write_dialogue(inspection, rng)
    assert (time.perf_counter() - started) / len(facts) < 0.005  # about 0.6 ms; slack for a loaded machine


@pytest.mark.parametrize(
    ("file", "text", "expected"),
    [
        ("questions.yaml", "presence:\n  ask: |\n    Is it OK?\n", "ask and follow"),
        ("questions.yaml", "presence:\n  ask: |\n    Is it {odd}?\n  follow: |\n    OK?\n", "unknown slot {odd}"),
        ("questions.yaml", "presence: [\n", "not valid YAML"),
        ("slots.yaml", "part: 3\n", "holds no phrasings"),
        ("answers.yaml", "presence: It is fine.\n", "no states"),
        ("answers.yaml", "presence:\n  good: |\n    It is {shiny}.\n", "unknown slot {shiny}"),
        ("unrelated.yaml", "city: |\n  Paris\n", "no entry stems"),
        ("answers.yaml", "", "holds no entries"),
    ],
)
def test_a_bad_template_says_what_and_how(tmp_path: Path, file: str, text: str, expected: str) -> None:
    folder = tmp_path / "templates"
    shutil.copytree(TEMPLATES, folder)
    (folder / file).write_text(text)
    with pytest.raises(UserError, match=expected.replace("{", r"\{").replace("}", r"\}")):
        load_phrasings(folder)


def test_a_missing_template_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="slots.yaml is missing"):
        load_phrasings(tmp_path)
