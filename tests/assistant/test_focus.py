"""What a question singles out: found in words, told to the language model, and what answers are held against."""

import pytest

from assistant.checking import contradictions
from assistant.focus import find_focus, listed, note, one_of, tell_focus, within
from assistant.focus_words import ONES
from assistant.grounding import ground
from assistant.inspection import Inspection, Region


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
GOOD = Inspection("photo", (100, 100), "good", 0.02, references=1)

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
        ("What is at [0, 0, 5, 5]?", "box", (HOLE, CRACK, SPOT, TINY)),
    ],
)
def test_it_is_found_in_many_words(question: str, name: str, regions: tuple[Region, ...]) -> None:
    focus = find_focus(question, MANY)
    assert focus is not None and (focus.name, focus.regions) == (name, regions)


@pytest.mark.parametrize(
    "question",
    [
        "Is it defective?", "Is it on the left or on the right?", "Edge or centre?", "First of all, is it good?",
        "What is the smallest defect you can find?", "Is it like the others?", "Is it bigger than a coin?",
        "What about the second photo?", "Where is it? A: center B: upper left", "What is your biggest concern?",
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
        ("The fifth one?", "Fifth: none."), ("Dents?", "Dent: none."),
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
        ("And the second one?", "I see six defects.", SECOND),
        ("How big is the worst?", "It covers about 0.7% of the photo.", None),
        ("How big is the worst?", "It covers about 0.2% of the photo.", MAIN),
        ("The sixth one?", "I see four defects.", None),
        ("Is the upper left clean?", "Yes.", UPPER_LEFT),
        ("Is the lower left clean?", "Yes.", None),
        ("Is the lower left clean?", "In the lower left, I see a defect.", "I see nothing unusual in the lower left."),
        ("Is the lower left clean?", "Nothing unusual there; the defects are in the center and upper left.", None),
        ("What about the center right?", "In the center right, I see a minor defect.", CENTER_RIGHT),
        ("What about the center right?", "The defects are in the upper left and lower center.", CENTER_RIGHT),
        ("How big is the one in the upper left?", "It covers about 2% of the photo.", UPPER_LEFT),
        ("How big is the one in the upper left?", "It covers about 0.5% of the photo.", None),
        ("How many are in the upper left?", "I see four defects.", UPPER_LEFT),
        ("How many are in the upper left?", "I see one defect in the upper left.", None),
        ("What about the upper left?", "It looks good.", UPPER_LEFT),
    ],
)  # fmt: skip
def test_answers_are_held_against_what_is_meant(question: str, answer: str, mended: str | None) -> None:
    assert ground(answer, MANY, question) == (mended or answer)


@pytest.mark.parametrize("name", ONES)
@pytest.mark.parametrize("inspection", [MANY, GOOD, Inspection("photo", (9, 9), "unsure", 0.5, (SPOT,))])
def test_what_is_told_of_it_holds(name: str, inspection: Inspection) -> None:
    focus = one_of(name, inspection)
    assert not contradictions(tell_focus(focus, inspection), inspection, f"What about the {name} one?")
    assert within(focus, inspection).regions == focus.regions


def test_what_looks_alike_is_counted() -> None:
    two = (TINY, region("lower left", 0.0001, "minor", "hole"))
    assert listed((SPOT, *two), MANY) == "a minor defect of unknown kind and two minor holes"
