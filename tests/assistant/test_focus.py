"""What a question singles out: found in words, told to the language model, and what answers are held against."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from assistant.checking import contradictions
from assistant.focus import find_focus, note, tell_focus, together
from assistant.grounding import ground
from assistant.inspection import POSITIONS, Inspection, Region
from assistant.question_reader import ONES
from data_gen.invented import random_inspection


def region(place: str, fraction: float, severity: str, kind: str | None = None, *cells: str) -> Region:
    return Region(
        box=(0, 0, 9, 9), area_px=81, area_fraction=fraction, position=place, peak=0.9, severity=severity,
        cells=(place, *cells), tone="darker", shape="thin", type=kind,
    )  # fmt: skip


HOLE = region("center", 0.007, "moderate", "hole", "center right")
SPOT = region("center right", 0.0003, "minor")
CRACK = region("upper left", 0.005, "moderate", "crack")
TINY = region("lower center", 0.0001, "minor", "hole")
MANY = Inspection("photo", (100, 100), "defective", 0.98, (HOLE, CRACK, SPOT, TINY), references=4)
LEFT, RIGHT = replace(CRACK, box=(5, 60, 9, 70)), replace(TINY, box=(80, 10, 90, 20))
APART = replace(MANY, regions=(replace(HOLE, box=(40, 40, 60, 60)), LEFT, RIGHT))
GOOD = Inspection("photo", (100, 100), "good", 0.02, references=1)

FOUR = "I see four defects in the center, upper left, center right and lower center."
HOLES = "I see a moderate hole in the center and a minor hole in the lower center."
SMALLEST = "The smallest is a minor hole in the lower center, under 0.1% of the photo."
SECOND = "The second is a moderate crack in the upper left, about 0.5% of the photo."
MAIN = "The main one is a moderate hole in the center, about 0.7% of the photo."
UPPER_LEFT = "I see a moderate crack in the upper left, about 0.5% of the photo."
CENTER_RIGHT = "I see a moderate hole and a minor defect of unknown kind in the center right."


@pytest.mark.parametrize(
    ("question", "name", "regions"),
    [
        ("the smallest one?", "smallest", (TINY,)),
        ("Which of them is the tiniest?", "smallest", (TINY,)),
        ("And the second one?", "second", (CRACK,)),
        ("what is the next worst", "second", (CRACK,)),
        ("How severe is the 3rd defect?", "third", (SPOT,)),
        ("Describe the sixth.", "sixth", ()),
        ("defect #2, how big?", "second", (CRACK,)),
        ("And number 3?", "third", (SPOT,)),
        ("the biggest one - where and how big?", "largest", (HOLE,)),
        ("which one is the least severe?", "mildest", (TINY,)),
        ("and the others?", "other", (CRACK, SPOT, TINY)),
        ("What's the type of the worst?", "main", (HOLE,)),
        ("What about the lower left?", "lower left", ()),
        ("Is the top row clean?", "upper", (CRACK,)),
        ("how big is the one in the centre right?", "center right", (HOLE, SPOT)),
        ("any in the lower left or lower right?", "lower left and lower right", ()),
        ("How many holes are there?", "hole", (HOLE, TINY)),
        ("Any scratches?", "scratch", ()),
        ("Which one lies furthest to the left?", "leftmost", (LEFT,)),
        ("the right-most one", "rightmost", (RIGHT,)),
        ("Where is the topmost defect?", "uppermost", (RIGHT,)),
        ("Which one is closest to the left edge?", "leftmost", (LEFT,)),
        ("what is furthest down?", "lowest", (LEFT,)),
        ("Describe the rest of them.", "other", (CRACK, SPOT, TINY)),
        ("The runner-up?", "second", (CRACK,)),
        ("What is your biggest concern?", "main", (HOLE,)),
        ("What is the biggest defect on the left?", "left", (CRACK,)),
        ("Is the main one a hole or a dent?", "main", (HOLE,)),
        ("what sits all the way up at the top?", "uppermost", (RIGHT,)),
        ("How much of the photo do they cover in total?", "together", MANY.regions),
        ("What is at [0, 0, 5, 5]?", "box", (HOLE, CRACK, SPOT, TINY)),
    ],
)
def test_it_is_found_in_many_words(question: str, name: str, regions: tuple[Region, ...]) -> None:
    focus = find_focus(question, APART if {LEFT, RIGHT} & {*regions} else MANY)
    assert focus is not None and (focus.name, focus.regions) == (name, regions)


@pytest.mark.parametrize(
    "question",
    [
        "Is it defective?", "Is it on the left or on the right?", "Edge or centre?", "First of all, is it good?",
        "What is the smallest defect you can find?", "Is it like the others?", "Is it bigger than a coin?",
        "What about the second photo?", "Sample #1, is it good?", "Here is the next one, it looks good.",
        "Is the main board ok?", "List all, worst first.", "Is the first bigger than the second?",
        "The third largest?", "Apart from the upper left, is it good?",
        "What is below the center?", "Is the label in the right position?", "Is it only in the center?",
        "I'm in the middle of an audit, is this ok?",
        "How sure are you overall, in percent?", "Is the surface good overall?", "Does the size add up?",
        "Put together a report with the size of each defect.", "How large is the crack in total?", "Any damage left?",
        "Is the defect at least big enough to reject?", "Is most surface unaffected?", "Leftmost vs rightmost?",
        "Is the leftmost bigger than the rightmost?", "What is next to the rightmost one?", "Is it most up to date?",
        "What is the most right answer?", "Are all remaining areas good?", "How many are there in total?",
        "Is the rest of the part fine?", "Is it darker than the rest?",
        "How long is the crack?", "Where is it? A: center B: upper left", 
    ],
)  # fmt: skip
def test_most_questions_single_nothing_out(question: str) -> None:
    assert find_focus(question, MANY) is None


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("The smallest?", "Smallest: minor hole, lower center, under 0.1%, thin, darker."),
        (
            "What about the center right?",
            "Center right: two: moderate hole, center, 0.7%, thin, darker; minor unknown kind, center right, "
            "under 0.1%, thin, darker.",
        ),
        ("The lower left?", "Lower left: nothing unusual."),
        ("The fifth one?", "Fifth: none."), ("Dents?", "Dent: none."), ("Total area?", "Together: 1%."),
    ],
)  # fmt: skip
def test_the_language_model_is_told_what_is_there(question: str, told: str) -> None:
    focus = find_focus(question, MANY)
    assert focus is not None and note(focus, MANY) == told


@pytest.mark.parametrize(
    ("question", "answer", "mended"),
    [
        ("Which is the smallest?", "The main one is a moderate hole in the center.", SMALLEST),
        ("Which is the smallest?", "The smallest is a minor hole in the lower center.", None),
        ("What is the worst?", "A moderate hole in the center. I also see a moderate crack in the upper left.", None),
        ("Describe the fifth one.", "The fifth is a moderate hole in the center.", FOUR),
        ("What about the lower left?", "I see a defect.", "I see nothing unusual in the lower left."),
        ("Is there anything in the upper left?", "No.", UPPER_LEFT),
        ("Is there a minor defect in the center right?", "Yes, a minor defect of unknown kind.", None),
        ("Is the lower left free of defects?", "Yes.", None),
        ("The smallest?", "I see four defects.", SMALLEST),
        ("How bad is the second?", "It is moderate.", "It is moderate. It is in the upper left."),
        ("How bad is the second?", "Moderate.", None),
        ("How big is it altogether?", "It covers about 0.7% of the photo.", "Together they cover 1% of the photo."),
        ("How big is it altogether?", "About 1% in all.", None),
        ("How big is it altogether?", "The main one covers 0.7% and together they cover 1%.", None),
        (
            "How big is it altogether?", "The main one covers 0.7% and together they cover 0.5%.",
            "Together they cover 1% of the photo.",
        ),
        (
            "How big is it altogether?", "0.7% in the center, 0.5% in the upper left.",
            "0.7% in the center, 0.5% in the upper left. Together they cover 1% of the photo.",
        ),
        ("How many holes are there?", "Two.", None), ("How many holes are there?", "Five.", HOLES),
        ("Any holes?", "No.", HOLES), ("Any holes?", "Yes.", None),
        ("And the second one?", "I see six defects.", SECOND),
        (
            "How big is the worst?", "It covers about 0.7% of the photo.",
            "It covers about 0.7% of the photo. It is in the center.",
        ),
        ("How big is the worst?", "It covers about 0.2% of the photo.", MAIN),
        ("The sixth one?", "I see four defects.", None),
        ("Is the upper left clean?", "Yes.", UPPER_LEFT),
        ("Is the lower left clean?", "Yes.", None),
        ("Is the lower left clean?", "In the lower left, I see a defect.", "I see nothing unusual in the lower left."),
        ("Is the lower left clean?", "Nothing unusual there; the defects are in the center, among others.", None),
        ("What about the center right?", "In the center right, I see a minor defect.", CENTER_RIGHT),
        ("What about the center right?", "The defects are in the upper left and lower center.", CENTER_RIGHT),
        ("How big is the one in the upper left?", "It covers about 2% of the photo.", UPPER_LEFT),
        ("How big is the one in the upper left?", "It covers about 0.5% of the photo.", None),
        ("How many are in the upper left?", "I see four defects.", "I see one defect in the upper left."),
        ("How many are in the upper left?", "I see one defect in the upper left.", None),
        ("What about the upper left?", "It looks good.", UPPER_LEFT),
    ],
)  # fmt: skip
def test_answers_are_held_against_what_is_meant(question: str, answer: str, mended: str | None) -> None:
    assert ground(answer, MANY, question) == (mended or answer)


QUESTIONS = (
    *(f"What about the {name} one?" for name in ONES), *(f"What about the {place}?" for place in POSITIONS),
    *(f"Anything in the {one} or the {other}?" for one, other in itertools.combinations(POSITIONS, 2)),
    "Is the left side ok?", "Is the top and the left side ok?", "Any holes?", "How many cracks?",
)  # fmt: skip


def test_what_is_told_of_it_holds() -> None:
    rng = np.random.default_rng(0)
    for question in QUESTIONS:
        for inspection in (MANY, GOOD, *(random_inspection(rng) for _ in range(4))):
            focus = find_focus(question, inspection)
            assert focus is not None, question
            told = tell_focus(focus, inspection)
            assert not contradictions(told, inspection, question), (question, told)
            assert ground(told, inspection, question) == told


def test_what_looks_alike_is_counted() -> None:
    two = (TINY, region("lower left", 0.0001, "minor", "hole"))
    assert together((SPOT, *two), MANY) == "a minor defect of unknown kind and two minor holes"
