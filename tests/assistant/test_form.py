"""The form that a question wants its answer in."""

import numpy as np
import pytest

from assistant.checking import contradictions
from assistant.form import find_form
from assistant.grounding import ground, known_answer
from assistant.inspection import Inspection, Region
from data_gen.invented import random_inspection

SCRATCH = Region(
    (60, 5, 80, 20), 300, 0.012, "upper right", 0.9, "moderate", ("upper right",), "darker", "thin", "scratch"
)
SPOT = Region((5, 70, 12, 80), 70, 0.003, "lower left", 0.6, "minor", ("lower left",), "brighter", "compact", None)
BAD = Inspection("cap.png", (90, 90), "defective", 0.93, (SCRATCH, SPOT), references=2)
GOOD = Inspection("cap.png", (90, 90), "good", 0.04, references=2)
UNSURE = Inspection("cap.png", (90, 90), "unsure", 0.5, (SPOT,))
LINE = (
    "it is defective, 95% sure: a moderate scratch in the upper right and a minor defect of unknown kind in the lower "
    "left."
)


@pytest.mark.parametrize(
    ("question", "bad", "good"),
    [
        ("Is it safe to ship? Yes or no only.", "No.", "Yes."),
        ("yes/no please: is the part broken", f"Yes, {LINE}", "No, it looks good, 95% sure: no defects."),
        ("One word: where?", "Upper right and lower left.", "Nowhere."),
        ("How severe is the main one? One word.", "Moderate.", "None."),
        ("ship or hold, one word", "Hold.", "Ship."),
        ("Left or right half? Just one word please.", "Left and right.", "Nowhere."),
        ("How many defects? Number only", "2", "0"),
        ("how sure are you? just the number", "95% sure", "95% sure"),
        ("Summarize it in one sentence.", f"I{LINE[1:]}", "It looks good, 95% sure: no defects."),
        ("as bullet points: verdict, confidence, location",
         "- Verdict: defective\n- 95% sure\n- In the upper right\n- In the lower left",
         "- Verdict: good\n- 95% sure\n- Defects: none"),
        ("Please write an e-mail to the supplier about it.",
         "Subject: Inspection of cap.png: a defective part\n\nHello,\n\n"
         "It is defective, 95% sure: I see two defects.\n\n"
         "- A moderate scratch in the upper right, about 1% of the photo\n"
         "- A minor defect of unknown kind in the lower left, about 0.3% of the photo\n\nKind regards",
         "Subject: Inspection of cap.png: no defects found\n\nHello,\n\nIt looks good, 95% sure: no defects.\n\n"
         "Kind regards"),
    ],
)  # fmt: skip
def test_the_answer_has_the_form_that_is_wished_for(question: str, bad: str, good: str) -> None:
    for inspection, answer in ((BAD, bad), (GOOD, good)):
        assert ground("It is in the center.", inspection, question) == answer  # whatever the model says
        assert known_answer(inspection, question) == answer
        assert not contradictions(answer, inspection, question)


def test_an_answer_in_words_is_cut_to_its_first_sentence() -> None:
    words = "It is defective. I see a scratch in the upper right."
    assert ground(words, BAD, "Anything suspicious? Short answer please.") == "It is defective."
    assert ground("Yes, there is one. It is thin.", BAD, "Any scratch, yes or no only?") == "Yes."


def test_where_nobody_knows_no_yes_or_no_is_made_up() -> None:
    assert known_answer(UNSURE, "Is it broken, yes or no only?").startswith("I am unsure")
    assert known_answer(UNSURE, "accept or reject? one word") == "Unsure."


@pytest.mark.parametrize(
    "question",
    [
        "In one word?",
        "Where is it?",
        "Is there an email address on the label?",
        "Do you know this list?",
        "How many words?",
    ],
)
def test_no_form_is_wished_for(question: str) -> None:
    assert find_form(question) is None


def test_what_is_put_into_a_form_never_contradicts() -> None:
    rng = np.random.default_rng(4)
    wishes = ("One word: {}", "{} Yes or no only.", "{} As bullet points.", "{} In one sentence.", "{} Number only.")
    asked = ("Is it defective?", "Where is it?", "How big is it?", "How bad is it?", "What kind is it?", "How many?")
    for _ in range(60):
        inspection = random_inspection(rng)
        for question in (wish.format(each) for wish in wishes for each in asked):
            said = known_answer(inspection, question)
            assert said and not contradictions(said, inspection, question), (question, said)
