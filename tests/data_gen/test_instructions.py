"""Dialogues: every claim follows from the facts, phrasings are many and checked on load."""

import itertools
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import yaml

from assistant import UserError
from assistant.boxes import find_box, overlap
from assistant.checking import contradictions, option_holds, right_letter
from assistant.choices import parse_choices
from assistant.claims import claims
from assistant.focus import find_focus, note, together, whole_size, within
from assistant.form import find_form
from assistant.grounding import ground
from assistant.inspection import POSITIONS, VERDICTS, Inspection, severity_of
from assistant.spoken import COUNTS
from assistant.wording import counted, is_at, places
from data_gen import answers, instructions
from data_gen.answers import entry_for, fact_slots
from data_gen.boxes import CLEAR
from data_gen.instructions import INTENTS, questions_for, write_answer, write_dialogue, write_question
from data_gen.invented import random_inspection
from data_gen.phrasings import TEMPLATES, load_asides, load_forms, load_nameless, load_phrasings
from data_gen.questions import FOCUSED, Question
from data_gen.states import BRIEF, Situation, states
from data_gen.typed import SLOT, draw, fill

BENCHMARKS = sorted(
    path
    for path in (Path(__file__).parents[2] / "benchmarks" / "questions").glob("*.yaml")
    if path.stem != "following"  # not about wordings: what goes on about one defect is short ("how big is it?")
)


def asked(intent: str, facts: Inspection, rng: np.random.Generator, *, noise: bool = False) -> tuple[Question, str]:
    """A question of this intent, now and then as a follow-up, and its answer."""
    follow = bool(questions_for(intent, follow=True)) and rng.random() < 0.3
    question = write_question(intent, facts, rng, follow=follow, noise=noise, about=str(rng.choice(BRIEF)))
    return question, write_answer(question, facts, rng)


@pytest.mark.parametrize("intent", INTENTS)
def test_no_answer_contradicts_its_inspection_and_grounding_leaves_it(intent: str) -> None:
    rng = np.random.default_rng(INTENTS.index(intent))
    for i in range(150):
        facts = random_inspection(rng)
        question, answer = asked(intent, facts, rng, noise=i % 2 == 0)
        assert not contradictions(answer, facts, question.text), (question.text, answer, facts)
        if find_form(question.text):
            continue  # told without a model, see tests/assistant/test_form.py
        endings = [""]
        if question.focus and question.focus.sort == "one" and question.focus.regions:  # which one it was
            endings += [f" {it} {places(within(question.focus, facts))}." for it in ("It is", "They are")]
        assert ground(answer, facts, question.text) in [answer + end for end in endings], (question.text, facts)


def test_no_dialogue_contradicts_its_inspection() -> None:
    rng = np.random.default_rng(0)
    for _ in range(800):
        facts = random_inspection(rng)
        for question, answer in zip(*[iter(write_dialogue(facts, rng))] * 2, strict=True):
            assert not contradictions(answer["content"], facts, question["content"]), (question, answer, facts)


def test_two_things_asked_at_once_are_both_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(instructions, "TWO", 1.0)
    rng, kinds = np.random.default_rng(2), {"severity", "count"}
    for _ in range(100):
        facts = random_inspection(rng)
        question, answer = write_dialogue(facts, rng, turns=(1, 1), intents=tuple(kinds))
        said = answer["content"]
        assert not contradictions(said, facts, question["content"]), (question, said)
        assert ground(said, facts, question["content"]) == said, (question, said)
        if facts.verdict != "good":
            assert counted(facts) in said.lower() and facts.regions[0].severity in said.lower(), (question, said)


def test_every_intent_is_drawn() -> None:
    rng = np.random.default_rng(3)
    done: list[str] = []
    drawn: Counter[str] = Counter()
    for i in range(4000):
        done = [] if i % 6 == 0 else done
        done.append(instructions._next_intent(done, INTENTS, rng)[0])
        drawn[done[-1]] += 1
    assert set(drawn) == set(INTENTS) and min(drawn.values()) > 10


def test_every_line_of_the_answers_is_true_in_its_state() -> None:
    """Each is filled for some Inspections of its state, as if it had been drawn."""
    rng, phrasings = np.random.default_rng(4), load_phrasings()
    held = Counter({(entry, state): 0 for entry, table in phrasings.answers.items() for state in table})
    for intent in itertools.islice(itertools.cycle(INTENTS), 30_000):
        facts = random_inspection(rng)
        question, _ = asked(intent, facts, rng, noise=intent in BRIEF)
        entry = entry_for(question, facts)
        state = next(s for s in states(entry, Situation.of(facts)) if s in phrasings.answers[entry])
        if held[entry, state] < 6:
            slots = fact_slots(facts) | answers._own_slots(question, facts)
            for line in phrasings.answers[entry][state]:
                text = fill(line, slots)
                assert "{" not in text and not contradictions(text, facts, question.text), (line, text, question)
            held[entry, state] += 1
        if min(held.values()) > 0:
            break
    assert not [where for where, times in held.items() if times == 0]


@pytest.mark.parametrize("part", ["ask", "follow"])
def test_every_line_of_the_questions_can_be_drawn(part: str) -> None:
    phrasings = load_phrasings()
    rng = np.random.default_rng(5)
    own = {name: ("top left",) for name in FOCUSED} | {
        "box": ("[1, 2, 3, 4]",),
        "number": ("two",),
        "kind": ("a dent",),
    }
    for lines in getattr(phrasings, part).values():
        for line in lines:
            assert "{" not in draw(line, phrasings.slots | own, rng)


def test_boxes_are_read_back_and_never_graze_a_region() -> None:
    rng = np.random.default_rng(6)
    entries: Counter[str] = Counter()
    for _ in range(1200):
        facts = random_inspection(rng)
        question = write_question("box", facts, rng)
        assert question.box is not None and find_box(question.text) == question.box, question.text
        shares = [overlap(region.box, question.box) for region in facts.regions]
        assert all(share == 0 or share >= CLEAR for share in shares)
        entries[entry_for(question, facts)] += 1
    assert min(entries[name] for name in ("box_here", "box_clear", "box_outside")) > 20


@pytest.mark.parametrize(
    "intent", ["cell", "box", "sort", "total", "others", *(name for name in INTENTS if name.startswith("one"))]
)
def test_what_is_singled_out_is_read_back_and_stands_in_the_note(intent: str) -> None:
    rng = np.random.default_rng(INTENTS.index(intent))
    for number in range(400):
        facts = random_inspection(rng)
        follow = bool(rng.random() < 0.3)
        question = write_question(intent, facts, rng, noise=number % 2 == 0, follow=follow)
        focus = find_focus(question.text, facts)
        assert focus is not None and focus == question.focus, (question, focus)
        told = note(focus, facts)
        parts = [f"{region.severity} {region.type or 'unknown kind'}" for region in focus.regions]
        if intent == "total":
            parts = [f"Together: {whole_size(focus)}."] if focus.regions else []
        assert all(part in told for part in parts), told
        if entry_for(question, facts) in ("cell_here", "box_here"):
            assert together(focus.regions, facts) in write_answer(question, facts, rng)


def test_of_the_options_exactly_one_is_true() -> None:
    rng = np.random.default_rng(7)
    letters: Counter[str] = Counter()
    for _ in range(800):
        facts = random_inspection(rng)
        question = write_question("choice", facts, rng)
        assert question.choice is not None
        choices, letter = question.choice
        assert parse_choices(" ".join(question.text.split())) == choices or parse_choices(question.text) is not None
        read = parse_choices(question.text)
        assert read is not None and list(read.options) == list(choices.options) and len(read.options) >= 2
        assert right_letter(read, facts) == letter, (question.text, letter, facts)
        if facts.verdict != "unsure":
            assert [each for each in read.options if option_holds(each, read, facts)] == [letter]
            assert all(option_holds(each, read, facts) is False for each in read.options if each != letter)
        letters[letter] += 1
    assert set(letters) == set("ABCD") and max(letters.values()) < 3 * min(letters["C"], letters["D"])


@pytest.mark.parametrize("verdict", VERDICTS)
def test_a_wrong_letter_is_mended_and_a_right_one_stays(verdict: str) -> None:
    rng = np.random.default_rng(8)
    for _ in range(40):
        facts = random_inspection(rng, verdict)
        question = write_question("choice", facts, rng)
        assert question.choice is not None
        choices, right = question.choice
        for letter, option in choices.options.items():
            for reply in (f"{letter}.", f"The answer is {letter}.", f"{letter}: {option}."):
                mended = ground(reply, facts, question.text)
                assert mended[0] == right or (letter == right and mended == reply), (question.text, reply, mended)
                assert not contradictions(mended, facts, question.text)


def test_what_a_user_claims_is_agreed_with_exactly_when_it_is_true() -> None:
    rng = np.random.default_rng(9)
    met: Counter[bool | None] = Counter()
    for _ in range(800):
        facts = random_inspection(rng)
        question, answer = asked("claimed", facts, rng)
        assert question.claim is not None
        slot, value = question.claim
        right = {
            "cell": any(is_at(region, value) for region in facts.regions),
            "number": len(facts.regions) == COUNTS.index(value) if slot == "number" else None,
            "kind": any(region.type and region.type in value for region in facts.regions),
        }[slot]
        agreed = answer.startswith(("You are right", "I see it the same", "That fits"))
        assert agreed == right, (question.text, answer)
        met[right] += 1
    assert met[True] > 100 and met[False] > 100


def test_corrections_leave_the_verdict_to_the_map_and_the_decision_to_a_person() -> None:
    rng = np.random.default_rng(10)
    for _ in range(300):
        facts = random_inspection(rng, "defective")
        _, answer = asked("correction", facts, rng)
        assert not any(claim.kind == "presence" and claim.value == "good" for claim in claims(answer)), answer
        assert counted(facts) in answer


@pytest.mark.parametrize(
    ("intent", "most"), [("presence", 1), ("location", 30), ("count", 1), ("kind", 30), ("severity", 30)]
)
def test_one_word_is_a_word_and_detail_is_long(intent: str, most: int) -> None:
    rng = np.random.default_rng(11)
    lengths: dict[str, list[int]] = {"brief": [], "": [], "detail": []}
    for _ in range(800):
        facts = random_inspection(rng, "defective")
        if len(facts.regions) == 1:
            question = write_question(intent, facts, rng)
            lengths[question.length].append(len(write_answer(question, facts, rng).split()))
    assert max(lengths["brief"]) <= min(most, 4)
    assert np.mean(lengths["brief"]) < np.mean(lengths[""]) < np.mean(lengths["detail"])


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
        question = write_question(intent, facts, rng)
        answer = write_answer(question, facts, rng)
        assert 1 <= len(answer.split()) <= 110
        assert not contradictions(answer, facts, question.text)


@pytest.mark.parametrize("intent", INTENTS)
def test_every_intent_has_forty_phrasings_or_more(intent: str) -> None:
    questions = {*questions_for(intent), *questions_for(intent, follow=True)}
    assert len(questions) >= (150 if intent == "unrelated" else 40)


@pytest.mark.parametrize("verdict", VERDICTS)
def test_leading_questions_get_the_same_verdict(verdict: str) -> None:
    rng = np.random.default_rng(4)
    for intent in ("leading_good", "leading_bad"):
        for _ in range(60):
            _, answer = asked(intent, random_inspection(rng, verdict), rng)
            said = {claim.value for claim in claims(answer) if claim.kind == "presence"}
            assert said <= {verdict}, answer


def test_noise_leaves_most_of_the_text_and_can_be_turned_off() -> None:
    rng = np.random.default_rng(5)
    facts = random_inspection(rng)
    plain = [write_question("presence", facts, rng, noise=False) for _ in range(50)]
    assert all(question.text == question.plain for question in plain)
    noisy = Counter(write_question("presence", facts, rng).text for _ in range(2000))
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


def test_the_benchmark_asks_otherwise() -> None:
    """What is measured is understanding, not recall: training can make none of the benchmark's wordings."""
    phrasings = load_phrasings()
    own = {
        slot: tuple(word for name, words in phrasings.slots.items() if name.startswith(f"{slot}_") for word in words)
        for slot in ("cell", "one", "sorts")
    }
    own["one_there"] = phrasings.slots["there"]
    ours = {
        plainly(text)
        for table in (phrasings.ask, phrasings.follow)
        for intent, lines in table.items()
        if intent not in ("box", "claimed")
        for line in lines
        for text in every_filling(line, phrasings.slots | own)
    }
    ours |= {plainly(text) for lines in (*load_asides().values(), *load_forms().values()) for text in lines}
    tables = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in BENCHMARKS]
    benchmark = {
        plainly(text.replace("{place}", place))
        for table in tables
        for lines in table.values()
        for text in lines
        for place in POSITIONS
    }
    shared = benchmark & ours
    assert len(tables) == 7 and not shared, sorted(shared)


def plainly(text: str) -> str:
    return re.sub(r"[^a-z0-9 ]", "", text.lower()).strip()


def every_filling(line: str, slots: dict[str, tuple[str, ...]]) -> Iterator[str]:
    parts, names = SLOT.split(line)[0::2], SLOT.split(line)[1::2]
    for words in itertools.product(*({*slots[name[0].lower() + name[1:]]} for name in names)):
        yield "".join(itertools.chain.from_iterable(itertools.zip_longest(parts, words, fillvalue="")))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the templates, as someone makes it to change them."""
    shutil.copytree(TEMPLATES, tmp_path / "templates")
    return tmp_path / "templates"


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        ("questions.yaml", "  follow: |\n    Where?\n", "  later: |\n    Where?\n", "location: not the entries ask"),
        ("questions.yaml", "Is it faulty?", "Is it {odd}?", "unknown slot {odd}"),
        ("questions.yaml", "Is it faulty?", "Is it a {defekt}?", "did you mean {defect}"),
        ("questions.yaml", "Is it faulty?", "IS IT DEFECTIVE?", "stands there twice"),
        ("questions.yaml", "Is it faulty?", "Where is it?", "'Where is it?' stands there and in"),
        ("questions.yaml", "\npresence:", "\npresent:", "unknown entry present: did you mean presence"),
        ("questions.yaml", "Check {box}.", "Check the box.", "'Check the box.' does not say what it is about"),
        ("questions.yaml", "presence:", "presence: [", "not valid YAML"),
        ("slots.yaml", "part: |", "part: 3 #", "not valid YAML"),
        ("slots.yaml", "\nopener: |", "\nopen: |", "no entry opener"),
        ("slots.yaml", "One word: {question}", "One word: {it}", "in_brief: unknown slot {it}"),
        ("choices.yaml", "\nnothing: |", "\nkinds: |", "unknown entry kinds"),
        ("answers.yaml", "\nwhy:", "\nwhere:", "unknown entry where"),
        ("answers.yaml", "It is defective: {listed}.", "It is {shiny}.", "presence, defective: unknown slot {shiny}"),
        (
            "answers.yaml",
            "It looks good; I see no defects.",
            "It is {places}.",
            "presence, good: unknown slot {places}",
        ),
        ("answers.yaml", "  unsure: |\n    Unsure.\n", "", "brief_presence: no state for unsure"),
        ("answers.yaml", "  unsure: |\n    Unsure.\n", "  unsur: |\n    Unsure.\n", "did you mean unsure"),
        ("answers.yaml", "  unsure: |\n    Unsure.\n", "  unsure: |\n", "brief_presence, unsure holds no phrasings"),
        ("answers.yaml", "    Unsure.\n", "    Unsure.\n    unsure.\n", "'unsure.' stands there twice"),
        ("unrelated.yaml", "\nstems: |", "\nstem: |", "no entry stems"),
    ],
)
def test_a_bad_template_says_what_and_how(folder: Path, file: str, old: str, new: str, expected: str) -> None:
    text = (folder / file).read_text()
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1))
    with pytest.raises(UserError, match=re.escape(expected)) as raised:
        load_phrasings(folder)
    assert raised.value.args and str(raised.value).count(":") >= 1  # what is wrong, and how to mend it


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("\nstems: |", "\nstem: |", "nameless.yaml: no entry stems"),
        ("Is it like {one}?", "Is it like {won}?", "nameless.yaml, stems: unknown slot {won}.*did you mean {one}"),
    ],
)
def test_a_bad_line_for_the_reader_says_what_and_how(folder: Path, old: str, new: str, expected: str) -> None:
    path = folder / "nameless.yaml"
    text = path.read_text()
    assert old in text and load_nameless(folder)[0]
    load_nameless.cache_clear()
    path.write_text(text.replace(old, new))
    with pytest.raises(UserError, match=expected):
        load_nameless(folder)


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("asides.yaml", "\ndoubt: |", "\ndoubts: |", "asides.yaml: nothing asks for 'doubts'.*use one of"),
        ("asides.yaml", "\nterm: |", "\nterm: 3\nlimits: |", "asides.yaml"),
        ("forms.yaml", "\nletter: |", "\nletters: |", "forms.yaml: .*letters?"),
        ("forms.yaml", "Y or N, {question}", "Y or N, {questions}", "yes or no: unknown slot {questions}.*{question}"),
    ],
)
def test_a_broken_file_for_the_reader_is_told(folder: Path, file: str, old: str, new: str, message: str) -> None:
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(UserError, match=message):
        (load_asides if file == "asides.yaml" else load_forms)(folder)


@pytest.mark.parametrize("file", ["questions.yaml", "answers.yaml", "slots.yaml", "choices.yaml", "unrelated.yaml"])
def test_a_missing_or_empty_file_is_named(folder: Path, file: str) -> None:
    (folder / file).write_text("# nothing but a remark\n")
    with pytest.raises(UserError, match=f"{file} holds no entries"):
        load_phrasings(folder)
    (folder / file).unlink()
    with pytest.raises(UserError, match=f"{file} is missing"):
        load_phrasings(folder)


def test_a_folder_of_ones_own_is_used(folder: Path) -> None:
    path = folder / "answers.yaml"
    path.write_text(path.read_text().replace("    Defective.\n", "    Scrap.\n"))
    facts = random_inspection(np.random.default_rng(0), "defective")
    rng = np.random.default_rng(1)
    said = [
        message["content"]
        for _ in range(200)
        for message in write_dialogue(facts, rng, intents=("brief", "leading_bad"), folder=folder)
    ]
    assert "Scrap." in said and "Defective." not in said
