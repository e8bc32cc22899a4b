"""What compares, picks or measures defects is worked out of the Inspection, exactly, and nothing else is."""

from dataclasses import replace

import numpy as np
import pytest

from assistant.agreement import against
from assistant.following import completed
from assistant.grounding import contradictions, ground, known_answer
from assistant.inspection import Inspection, Region
from assistant.worked_out import worked_out
from assistant.worked_out.explaining import TERMS
from data_gen.invented import random_inspection


def region(box: tuple[int, int, int, int], place: str, area: float, severity: str, tone: str, shape: str) -> Region:
    return Region(
        box=box, area_px=round(area * 40_000), area_fraction=area, position=place, peak=0.9, severity=severity,
        tone=tone, shape=shape,
    )  # fmt: skip


BIG = region((80, 80, 120, 90), "center", 0.03, "severe", "darker", "thin")
MID = region((10, 0, 30, 30), "upper left", 0.01, "moderate", "darker", "compact")
SMALL = region((150, 160, 155, 180), "lower right", 0.002, "minor", "brighter", "compact")
THREE = Inspection("photo", (200, 200), "defective", 0.95, (BIG, MID, SMALL), references=4)
TWO = replace(THREE, regions=(BIG, replace(SMALL, severity="severe", type="hole")))
GOOD = Inspection("photo", (200, 200), "good", 0.05)

COMPARED = {
    "Is the smallest bigger than the second?": (
        "No: the smallest covers about 0.2% of the photo, the second about 1%; the second is about 5 times as large."
    ),
    "is the second worse than the smallest one": "Yes: the second is moderate, the smallest minor.",
    "2nd vs 3rd, severity?": "The second is moderate, the third minor.",
    "Is the first as dark as the second?": "Yes: the first is darker than the surroundings, and so is the second.",
    "does the smallest have the same shape as the second one?": "Yes: the smallest is compact, and so is the second.",
    "Is the one in the upper left higher up than the one in the center?": (
        "Yes: the one in the upper left lies 80 pixels further left and 70 pixels higher than the one in the center, "
        "midpoint to midpoint."
    ),
    "how far is the first from the second": (
        "The first and the second are 106 pixels apart, midpoint to midpoint, on a photo of 200 x 200."
    ),
    "Do they all have the same size?": (
        "No: the defects cover about 3% in the center, about 1% in the upper left, and about 0.2% in the lower right."
    ),
    "rank them by severity": (
        "From worst to mildest: severe in the center, moderate in the upper left, minor in the lower right."
    ),
    "Are they connected?": (
        "I count them separately: the closest two are 100 pixels apart and the furthest 204 pixels, midpoint to "
        "midpoint, on a photo of 200 x 200."
    ),
    "is the main one the same type as the second?": "I cannot name the kind of either.",
    "Is the biggest worse than the first?": "That is one and the same: a severe defect of unknown kind in the center.",
}  # fmt: skip
PICKED = {
    "Which ones are severe?": "One of them is severe: the one in the center.",
    "how many are dark": "Two of them are darker than the surroundings: those in the center and upper left.",
    "Are any of them moderate?": "Yes: one of them is moderate: the one in the upper left.",
    "are all of them minor?": "No: one of them is minor: the one in the lower right.",
    "show me only the irregular ones": (
        "None of them is irregular; the defects look thin and darker in the center, compact and darker in the upper "
        "left, and compact and brighter in the lower right."
    ),
    "the bright one, what is it": (
        "The brighter one is a minor defect of unknown kind in the lower right, about 0.2% of the photo."
    ),
}  # fmt: skip
MEASURED = {
    "how wide is the second one in pixels": "It is 20 pixels wide and 30 high (about 1%), of a photo of 200 x 200.",
    "Does the smallest one run vertically?": "It runs vertically (5 pixels wide and 20 high).",
    "does the second touch the edge?": "Yes: it touches the edge of the photo.",
    "is the biggest one near the edge": "No: it ends 80 pixels from the edge of the photo.",
    "How far is the biggest one from the edge?": "It ends 80 pixels from the edge of the photo.",
    "Where does the first one start and end?": (
        "It reaches from x = 80 to 120 and from y = 80 to 90, in pixels of a photo of 200 x 200."
    ),
    "How many pixels does the first one cover?": "It covers 1200 pixels, of the 200 x 200 of the photo.",
}  # fmt: skip
PROCEDURE = {
    "where did you look?": (
        "I looked at the whole photo, and the map shows what stands out. It is defective: I see three defects in the "
        "center, upper left and lower right."
    ),
    "Would a few more references help?": (
        "I compared it with four references; that is enough. I take it that they show good parts."
    ),
    "Do you ever make mistakes?": (
        "I can be wrong: here I am 95% sure. I may miss what is very small or faint, and I see neither what lies "
        "beneath the surface nor how the part works. How often I err differs by product: try me on parts that you know."
    ),
    "list them biggest first": (
        "From largest to smallest: about 3% in the center, about 1% in the upper left, about 0.2% in the lower right."
    ),
    "give me x and y of the smallest": (
        "It reaches from x = 150 to 155 and from y = 160 to 180, in pixels of a photo of 200 x 200."
    ),
    "Is the smallest one closer to the left or to the right?": (
        "It lies 52 pixels further right than the photo's midline."
    ),
    "where are they, top or bottom half?": (
        "The one in the center lies 15 pixels higher than the photo's midline, the one in the upper left lies 85 "
        "pixels higher than the photo's midline and the one in the lower right lies 70 pixels lower than the photo's "
        "midline."
    ),
    "could you be wrong?": (
        "I can be wrong: here I am 95% sure. I may miss what is very small or faint, and I see neither what lies "
        "beneath the surface nor how the part works. How often I err differs by product: try me on parts that you know."
    ),
    "how close was it?": (
        "Here the chance of a defect is 95%, and the line is at one half. What weighs most is a severe defect of "
        "unknown kind in the center."
    ),
    "Rate it from 1 to 10 please": (
        "I have no such scale, only three steps of severity. The defects are severe in the center, moderate in the "
        "upper left, and minor in the lower right."
    ),
    "What does severity mean?": (
        "Severity has three steps, by the size of a place times how much it stands out there. The defects are severe "
        "in the center, moderate in the upper left, and minor in the lower right."
    ),
    "what is the difference between an anomaly and a defect": (
        "An anomaly is whatever looks different from good parts; only what spoils the part is called a defect. I find "
        "what differs; whether it matters is for your acceptance limits."
    ),
    "what's an inclusion?": (
        "That word I cannot explain. Ask me what the colors of the map, a reference, severity, an unknown kind or "
        "the chance of a defect mean."
    ),
    "could it be just dust?": (
        "A photo does not settle that. I see a severe defect of unknown kind in the center, a moderate defect of "
        "unknown kind in the upper left and a minor defect of unknown kind in the lower right; if one of them is "
        'harmless, say "ignore the one in the center", and I judge the rest.'
    ),
    "I do not understand you, say it simpler": (
        "The part is defective. Look in the center, upper left and lower right: there it does not look as it should."
    ),
}


@pytest.mark.parametrize(("question", "answer"), (COMPARED | PICKED | MEASURED | PROCEDURE).items())
def test_the_answer_is_exact_whatever_the_language_model_says(question: str, answer: str) -> None:
    assert worked_out(question, THREE) == answer
    assert ground("It is defective: I see nine defects.", THREE, question) == answer == known_answer(THREE, question)
    assert not contradictions(answer, THREE, question)


@pytest.mark.parametrize(
    "question",
    [
        "Is it darker than the surroundings?", "Does it look the same as on the good photo?", "Is it bigger than 2%?",
        "Are there more than two defects?", "Is it worse than the last part?", "Which one is the biggest?",
        "How big is the smallest one?", "Is the largest in the upper left?", "Is the smallest dark or bright?",
        "How severe is it?", "Is it severe?", "Is the main one minor?", "How long have you worked here?",
        "How long will it last, in years?", "Describe it at length.", "Would one see it from arm's length?",
        "What is the depth in mm?",
        "Is the second shift better than the first shift?", "Is it on the left or on the right?",
        "Which is worse? A: the first B: the second", "Is it good?", "What is the most severe one?",
        "Which one is further up than the others?", "So I think the first one is clear, but what is the second?",
    ],
)  # fmt: skip
def test_all_else_is_left_to_the_language_model(question: str) -> None:
    assert worked_out(question, THREE) is None


@pytest.mark.parametrize("question", [*COMPARED, *PICKED, *MEASURED])
def test_a_good_part_has_nothing_to_work_out(question: str) -> None:
    assert worked_out(question, GOOD) is None


def test_one_alone_compares_with_nothing() -> None:
    alone = replace(THREE, regions=(BIG,))
    for question in ("Is the second bigger than the first?", "how far apart are they?"):
        assert worked_out(question, alone) == "There is only one: a severe defect of unknown kind in the center."
    assert worked_out("Do they look alike?", alone) is None


def test_of_the_two_both_are_meant() -> None:
    assert worked_out("are the two equally bad?", TWO) == "Yes: the defects are both severe."
    assert worked_out("Are the two of the same kind?", TWO) == (
        "I can name the kind of one only: a severe hole in the lower right."
    )
    assert worked_out("Are both severe?", TWO) == "Yes: both are severe, in the center and lower right."


@pytest.mark.parametrize(
    ("thread", "question", "begins"),
    [
        (["What about the smallest one?"], "Is it worse than the first?", "No: the smallest is minor, the first sev"),
        (["What about the smallest one?", "Rank them by size"], "is it worse than the second?", "No: the smallest is"),
        (["The smallest?", "is it bigger than the first?"], "and is it near the edge", "No: it ends 20 pixels"),
        (["And the second one?"], "how wide is it, in pixels?", "It is 20 pixels wide"),
        (["The smallest?"], "Which ones are severe?", "One of them is severe"),
    ],
)
def test_it_is_the_one_that_was_spoken_of(thread: list[str], question: str, begins: str) -> None:
    answer = worked_out(completed(question, thread, THREE), THREE)
    assert answer is not None and answer.startswith(begins)


@pytest.mark.parametrize("question", [*COMPARED, *PICKED, *MEASURED, "How do they compare?", "do both look alike?"])
def test_no_such_answer_contradicts_its_inspection(question: str) -> None:
    rng = np.random.default_rng(5)
    for facts in (random_inspection(rng) for _ in range(60)):
        answer = worked_out(question, facts)
        assert answer is None or not against(answer, facts), (answer, facts)


def test_a_flood_of_words_is_none_of_these() -> None:
    for word in ("than ", "is it near ", "the one that is "):
        assert worked_out(word * 3000, THREE) is None
        assert completed(word * 3000, ["The smallest?", word * 3000], THREE)


def test_beside_the_meaning_of_a_word_claims_are_checked() -> None:
    question = "what is the difference between an anomaly and a defect"
    answer = worked_out(question, GOOD)
    assert answer is not None and not contradictions(answer, GOOD, question)
    assert contradictions("It is defective.", GOOD, question)


def test_a_claim_asks_for_no_meaning() -> None:
    assert worked_out("Definately a bad one, can I throw it in the red bin?", GOOD) is None


@pytest.mark.parametrize("term", TERMS)
def test_every_term_is_explained_for_every_verdict(term: str) -> None:
    names = {
        "difference": "an anomaly and a defect, is there a difference",
        "map": "the heatmap",
        "kind": "unknown kind",
    }
    rng = np.random.default_rng(3)
    for _ in range(30):
        inspection = random_inspection(rng)
        question = f"What does {names.get(term, term)} mean?"
        answer = worked_out(question, inspection)
        assert answer is not None and not contradictions(answer, inspection, question), (question, answer)


def test_what_is_told_of_the_verdict_holds_for_every_inspection() -> None:
    rng = np.random.default_rng(8)
    asked = ("Do you make mistakes?", "How close was it?", "Is the photo sharp enough?", "could it be just dust?",
             "Explain the principle behind the inspection.", "Rate it from 1 to 10.", "Simpler, please")  # fmt: skip
    for _ in range(100):
        inspection = random_inspection(rng)
        for question in asked:
            answer = worked_out(question, inspection)
            assert answer is not None and not against(answer, inspection), (question, answer)


def test_a_new_photo_is_worth_it_where_the_call_was_close() -> None:
    close = replace(GOOD, probability=0.4)
    assert "may help" in (worked_out("Would a sharper photo help?", close) or "")
    assert "hardly change" in (worked_out("Would a sharper photo help?", GOOD) or "")
