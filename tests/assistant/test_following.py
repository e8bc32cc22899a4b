"""What a question leaves unsaid is taken from the ones before it, and nothing else is."""

import pytest

from assistant.focus import find_focus
from assistant.following import completed
from assistant.question_reader import ONES
from tests.assistant.test_focus import APART, CRACK, GOOD, HOLE, MANY, SPOT, TINY


@pytest.mark.parametrize(
    ("thread", "question", "regions"),
    [
        (["Is it defective?", "What about the smallest one?"], "How big is it?", (TINY,)),
        (["The smallest?"], "and how severe", (TINY,)),
        (["What about the upper left?"], "What does it look like?", (CRACK,)),
        (["What about the upper left?", "How big is it?"], "Where exactly is that?", (CRACK,)),
        (["And the second one?", "Size?"], "What kind?", (CRACK,)),
        (["And the second one?", "Size?"], "And the others?", (HOLE, SPOT, TINY)),
        (["The smallest?", "dark or bright?"], "Tell me about the rest of them.", (HOLE, CRACK, SPOT)),
        (["What's the worst?"], "And the others?", (CRACK, SPOT, TINY)),
        (["And the second one?"], "How much of the part does it cover?", (CRACK,)),
        (["And the second one?"], "Is it in the corner?", (CRACK,)),
    ],
)
def test_it_is_the_defect_that_was_spoken_of(thread: list[str], question: str, regions: tuple[object, ...]) -> None:
    focus = find_focus(completed(question, thread, MANY), MANY)
    assert focus is not None and focus.regions == regions


@pytest.mark.parametrize(
    ("thread", "question"),
    [
        ([], "How big is it?"), (["Is it defective?"], "How big is it?"), (["The smallest?"], "Is it defective?"),
        (["The smallest?"], "How sure are you?"), (["The smallest?"], "Where is the main one?"),
        (["The smallest?"], "How many are there?"), (["The smallest?"], "How large are all the defects?"),
        (["The lower left?"], "How big is it?"), (["The smallest?", "Is the part ok?"], "How bad is it?"),
        (["The smallest?"], "How big is it? A: 1% B: 5%"), (["Is it big?"], "Any scratches?"),
    ],
)  # fmt: skip
def test_other_questions_stay_as_they_are(thread: list[str], question: str) -> None:
    assert completed(question, thread, MANY) == question
    assert completed(question, thread, GOOD) == question


def test_every_name_is_read_back() -> None:
    for name in ONES:
        before = f"What about the {name} one?"
        meant = find_focus(before, APART)
        assert meant is not None
        for question in (
            "How big is it?",
            "and how bad",
            "What does it look like?",
            "Where is it?",
            "What kind is that?",
        ):
            focus = find_focus(completed(question, [before], APART), APART)
            assert not meant.regions or focus == meant, (question, name)
