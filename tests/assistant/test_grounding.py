"""Words never contradict facts: what is said can be read back, what is wrong is caught and mended."""

import numpy as np
import pytest

from assistant.boxes import find_box
from assistant.choices import Choices, named_letter, own_words, parse_choices
from assistant.conversation import build_messages
from assistant.focus import in_box, note, tell_focus
from assistant.grounding import (
    SPOKEN_TOKENS,
    Claim,
    claims,
    contradictions,
    ground,
    ground_stream,
    known_answer,
    say,
    summarize,
    tell,
)
from assistant.inspection import KINDS, POSITIONS, SEVERITIES, SHAPES, TONES, VERDICTS, Inspection, Region
from assistant.spoken import CHANCE_LADDER, SIZE_LADDER, spoken_chance, spoken_size
from assistant.wording import REFUSAL, SUBJECTS
from data_gen.invented import random_inspection

FACTS = (
    *(Claim("presence", verdict) for verdict in VERDICTS),
    *(Claim("count", number) for number in range(1, 7)),
    *(Claim("position", place, negated) for place in POSITIONS for negated in (False, True)),
    *(Claim("size", percent) for percent in SIZE_LADDER),
    Claim("size", 0.1, bound="under"),
    *(Claim("severity", severity, negated) for severity in SEVERITIES for negated in (False, True)),
    *(Claim("type", kind, negated) for kind in KINDS for negated in (False, True)),
    *(Claim("tone", tone) for tone in TONES),
    *(Claim("shape", shape) for shape in SHAPES),
    *(Claim(kind, percent) for kind in ("confidence", "probability") for percent in CHANCE_LADDER),
    *(Claim("references", number) for number in range(7)),
)


def region(position: str, kind: str | None, severity: str, fraction: float, tone: str, shape: str) -> Region:
    return Region(
        box=(0, 0, 9, 9), area_px=81, area_fraction=fraction, position=position, peak=0.9, severity=severity,
        tone=tone, shape=shape, type=kind,
    )  # fmt: skip


def inspection(verdict: str, probability: float, *regions: Region, references: int = 2) -> Inspection:
    return Inspection("x.png", (256, 256), verdict, probability, regions, references)


BAD = inspection(
    "defective", 0.95,
    region("center", "stain", "severe", 0.07, "brighter", "compact"),
    region("upper left", "scratch", "minor", 0.005, "darker", "thin"),
)  # fmt: skip
GOOD = inspection("good", 0.05)
UNSURE = inspection("unsure", 0.5, region("lower right", None, "minor", 0.002, "similar", "irregular"))


@pytest.mark.parametrize("fact", FACTS, ids=str)
def test_what_is_said_is_read_back(fact: Claim) -> None:
    assert claims(say(fact)) == (fact,)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("No visible damage.", [Claim("presence", "good")]),
        ("It isn't damaged.", [Claim("presence", "good")]),
        ("The part isn't good.", [Claim("presence", "defective")]),
        ("The part cannot be considered good.", [Claim("presence", "defective")]),
        ("None of the areas are damaged.", [Claim("presence", "good")]),
        ("Everything looks normal to me.", [Claim("presence", "good")]),
        ("There is no flaw in the bottom-left corner.", [Claim("position", "lower left", True)]),
        ("The top right looks clean.", [Claim("position", "upper right", True)]),
        ("A crack runs along the middle right.", [Claim("type", "crack"), Claim("position", "center right")]),
        ("I found a total of 4 anomalies.", [Claim("presence", "defective"), Claim("count", 4)]),
        ("The anomaly covers roughly 2.5 percent of the image.", [Claim("presence", "defective"), Claim("size", 2.5)]),
        ("The probability that it is good is 90%.", [Claim("probability", 10)]),
        ("It may be defective.", [Claim("presence", "unsure")]),
        ("It is not a scratch but a crack.", [Claim("type", "scratch", True), Claim("type", "crack")]),
        ("See the lower left.", [Claim("position", "lower left")]),
        ("Look first in the upper left: a scratch.", [Claim("position", "upper left"), Claim("type", "scratch")]),
        ("Look at the upper right corner of the part.", [Claim("position", "upper right")]),
        ("Please check by hand in the lower center.", [Claim("position", "lower center")]),
        ("Have someone check it in the lower right.", [Claim("position", "lower right")]),
        ("Is it defective?", []),
        ("If it is defective, you should scrap it.", []),
        ("You could ask about the lower left.", []),
        ("The image shows a gear in the center of a grey table.", []),
        ("I can't confirm that it is fine.", []),
        ("The weather is not something I can judge from this photo.", []),
    ],
)
def test_claims_in_free_text(text: str, expected: list[Claim]) -> None:
    assert list(claims(text)) == expected


WRONG = [
    (BAD, "It looks good.", "It is defective"),
    (BAD, "I see three defects.", "two defects"),
    (BAD, "It is in the lower right.", "upper left"),
    (BAD, "The scratch is in the center.", "scratch in the upper left"),
    (BAD, "It is a crack.", "scratch"),
    (BAD, "The stain is minor.", "severe stain"),
    (BAD, "It is moderate.", "severe in the center"),
    (BAD, "It covers 40% of the photo.", "7%"),
    (BAD, "The center is clean.", "severe stain in the center"),
    (BAD, "I am 60% sure.", "95%"),
    (BAD, "I compared it with five references.", "two references"),
    (BAD, "Look first in the lower left: one scratch.", "upper left"),
    (BAD, "Have someone check it in the lower right.", "upper left"),
    (BAD, "The stain is in the center and center.", "severe stain in the center"),
    (BAD, "Look in the center, center.", "center"),
    (BAD, "I see defects in the upper left and upper left.", "center"),
    (GOOD, "Please look closer in the center.", "looks good"),
    (GOOD, "It is defective, with a scratch in the upper left.", "looks good"),
    (GOOD, "The damage is severe.", "looks good"),
    (UNSURE, "It is defective.", "unsure"),
    (UNSURE, "It looks good.", "unsure"),
    (UNSURE, "It is a scratch.", "cannot name the kind"),
]


@pytest.mark.parametrize(("facts", "text", "expected"), WRONG)
def test_a_wrong_sentence_is_caught_and_mended(facts: Inspection, text: str, expected: str) -> None:
    assert contradictions(text, facts)
    mended = ground(text, facts)
    assert expected in mended
    assert not contradictions(mended, facts)


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        (BAD, "The weather is not something I can judge from this photo."),
        (BAD, "Hello! Ask me about the part in your photo. For example, is the lower right good?"),
        (BAD, "The scratch in the upper left is thin, and the stain in the center is severe.\nNothing else."),
        (BAD, "There is a stain covering 7.0% of the image, e.g. in the middle."),
        (BAD, "I see a minor scratch and a severe stain."),
        (GOOD, "No defects; I am 95% sure. The chance of a defect is 5%."),
        (UNSURE, "It may be defective. It could be a scratch in the lower right."),
        (GOOD, "  Odd   blanks\n\nstay.  "),
    ],
)
def test_true_and_harmless_text_is_left_alone(facts: Inspection, text: str) -> None:
    assert ground(text, facts) == text


def test_canonical_sentences_hold_on_any_inspection() -> None:
    rng = np.random.default_rng(3)
    for _ in range(150):
        facts = random_inspection(rng)
        for subject in SUBJECTS:
            text = tell(subject, facts, cell=str(rng.choice(POSITIONS)))
            assert not contradictions(text, facts), (text, summarize(facts))


@pytest.mark.parametrize("answer", ["Yes, I confirm it is fine.", "Yes.", "It is fine."])
def test_leading_words_do_not_bend_the_verdict(answer: str) -> None:
    mended = ground(answer, BAD, "Confirm that it is fine.")
    assert mended.startswith("I can't confirm that. It is defective")


@pytest.mark.parametrize("facts", [BAD, GOOD, UNSURE])
def test_both_leading_directions_get_the_same_verdict(facts: Inspection) -> None:
    said = {
        next(claim.value for claim in claims(ground(answer, facts, question)) if claim.kind == "presence")
        for question, answer in (
            ("Confirm that it is fine.", "Yes, it is fine."),
            ("Confirm that it is broken.", "Yes, it is broken."),
        )
    }
    assert said == {facts.verdict}


def test_stream_and_batch_agree_however_the_text_is_cut() -> None:
    rng = np.random.default_rng(5)
    text = "Looking at the photo, I see three dents. It covers 0.5% of it! Hold it back; it is good.\nAll is well. "
    whole = ground(text, BAD)
    for _ in range(200):
        cuts = sorted(int(cut) for cut in rng.integers(0, len(text), size=8))
        pieces = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
        assert "".join(ground_stream(pieces, BAD)) == whole


def test_first_words_come_before_the_sentence_ends() -> None:
    pieces = iter(["Looking at ", "the photo, ", "I see ", "two ", "defects."])
    assert next(ground_stream(pieces, BAD)) == "Looking at the photo,"
    assert next(pieces) == "I see "  # nothing further was needed for it


def test_the_verdict_comes_before_what_follows_its_colon() -> None:
    pieces = iter(["It is ", "defective: ", "I see ", "two ", "defects."])
    assert next(ground_stream(pieces, BAD)) == "It is defective:"
    assert next(pieces) == "I see "
    assert ground("It is good: I see no defects.", BAD) == tell("presence", BAD)
    assert ground("It is defective: I see five defects.", GOOD) == tell("presence", GOOD)
    kept = "It is defective: a stain in the center."
    assert ground(kept, BAD) == kept


def test_a_correction_is_given_once() -> None:
    text = ground("It is fine. It looks good. No defects at all.", BAD)
    assert text.count("It is defective") == 1


def test_facts_line_is_compact_and_uses_spoken_values() -> None:
    line = summarize(BAD)
    assert line.startswith("Facts: defective, 95% sure, two defects, two references. First: stain, center,")
    assert len(line.split()) <= 40
    assert all(word.strip(".,") in SPOKEN_TOKENS for word in line.split() if "%" in word)
    assert summarize(GOOD) == "Facts: good, 95% sure, no defects, two references."


def test_ladders_round_to_the_nearest_rung() -> None:
    assert [spoken_size(value) for value in (0.0004, 0.0011, 0.0062, 0.013, 1.0)] == [
        "under 0.1%", "0.1%", "0.7%", "1%", "90%",
    ]  # fmt: skip
    assert [spoken_chance(value) for value in (0.0, 0.044, 0.5, 0.974, 1.0)] == ["1%", "5%", "50%", "98%", "99%"]


@pytest.mark.parametrize(
    ("question", "subject"),
    [
        ("Is it okay?", "presence"), ("Where is the defect?", "position"), ("is this part damaged", "presence"),
        ("Is the casting good?", "presence"),
    ],
)  # fmt: skip
def test_a_question_about_the_part_is_not_refused(question: str, subject: str) -> None:
    inspection = random_inspection(np.random.default_rng(0), verdict="defective")
    refusal = "I can't say. I can tell you about defects in this photo."
    assert ground(refusal, inspection, question) == tell(subject, inspection)
    assert ground(refusal, inspection, "Will it rain?") == refusal


ALL_OF_IT = "It is defective: I see two defects in the upper left and lower right."


@pytest.mark.parametrize(
    ("said", "mended"),
    [
        ("I see two defects in the upper left.", ALL_OF_IT),
        ("The defects are in the upper left.", ALL_OF_IT),
        ("The defects are in the upper left, among others.", None),
        ("I see two defects in the upper left and lower right.", None),
        ("I see one defect in the upper left.", None),
    ],
)
def test_no_place_is_left_out_where_all_are_told(said: str, mended: str | None) -> None:
    assert ground(said, BOXED) == (mended or said)


def test_what_is_measured_is_a_claim() -> None:
    size = claims("I measure about 3% in the center.")
    assert ("size", 3) in [(claim.kind, claim.value) for claim in size]
    assert claims("I measure the area in percent of the photo.") == ()


@pytest.mark.parametrize(
    "wish",
    ["inspect plz", "Could you check the photo, please?", "examine this one", "What is your opinion of this nut?"],
)
def test_a_wish_to_inspect_gets_the_verdict(wish: str) -> None:
    for beside in (
        "I am an AI assistant for visual inspection. You can ask where a defect is.",
        "I can't help with that.",
        "Hello! Shall I check the part?",
    ):
        assert ground(beside, BAD, wish) == tell("presence", BAD)
    about = "I am an AI assistant for visual inspection."
    assert ground(about, BAD, "What are you?") == about


def test_what_is_said_of_both_holds_for_each() -> None:
    two = inspection(
        "defective", 0.95,
        region("center", "stain", "severe", 0.07, "brighter", "compact"),
        region("upper left", "scratch", "minor", 0.005, "darker", "thin"),
    )  # fmt: skip
    assert contradictions("They look both compact and brighter.", two)
    assert contradictions("All are severe.", two)
    assert not contradictions("I see both a brighter stain in the center and a thin scratch in the upper left.", two)


@pytest.mark.parametrize("place", ["in the lower left", "in the center right", "on the left side"])
def test_a_clean_place_that_is_asked_about_is_called_so(place: str) -> None:
    one = inspection("defective", 0.95, region("upper center", "stain", "severe", 0.07, "brighter", "compact"))
    said = ground(f"I see a severe stain {place}.", one, f"Is there anything {place}?")
    assert said == f"I see nothing unusual {place}."


def test_what_is_true_is_not_denied() -> None:
    assert ground("I can't confirm that: it looks good.", GOOD, "no damage at all, you say?") == tell("presence", GOOD)
    kept = "I can't confirm that: it looks good, with no defects."
    assert ground(kept, GOOD, "Surely it is broken?") == kept


def test_no_opening_clause_is_left_hanging() -> None:
    one = inspection("defective", 0.95, region("center", "stain", "severe", 0.07, "brighter", "compact"))
    text = ground("I see a minor stain. Severity: minor.", one)
    assert not text.rstrip().endswith(":") and not contradictions(text, one)


def test_the_same_place_may_be_named_of_two_defects() -> None:
    both = inspection(
        "defective", 0.95,
        region("center", "stain", "severe", 0.07, "brighter", "compact"),
        region("center", "scratch", "minor", 0.005, "darker", "thin"),
    )  # fmt: skip
    text = "I see a severe stain in the center and a minor scratch in the center."
    assert not contradictions(text, both) and ground(text, both) == text


@pytest.mark.parametrize("thanks", ["thx", "Thanks!", "ok, ty", "Great, thank you so much.", "cheers mate"])
def test_thanks_are_answered_as_thanks(thanks: str) -> None:
    assert ground("It is defective. Check it again.", BAD, thanks) == "You are welcome."
    assert ground("Glad to help.", BAD, thanks) == "Glad to help."
    assert ground("It is defective.", BAD, f"{thanks} And is it defective?").startswith("It is defective")


@pytest.mark.parametrize("question", ["Can you book me a hotel in Rome?", "What's the capital of Peru?"])
def test_what_is_said_of_the_part_answers_no_other_question(question: str) -> None:
    assert ground("It is defective. Check it again.", BAD, question) == REFUSAL
    assert ground("I only inspect parts.", BAD, question) == "I only inspect parts."


@pytest.mark.parametrize(
    "question",
    [
        "Who damaged it?", "What caused the damage?", "When did the defect happen?", "Whose fault is it?",
        "Do you know a good song for the road?", "Is order 1200 out yet?",
    ],
)  # fmt: skip
def test_what_no_photo_tells_may_be_refused(question: str) -> None:
    refusal = "I can't know that from a photo. Ask me about defects you can see."
    assert ground(refusal, BAD, question) == refusal


@pytest.mark.parametrize(
    ("question", "answer", "right"),
    [
        ("How many defects?", "Two.", True),
        ("How many defects?", "3", False),
        ("How many references?", "Three.", True),
        ("Count the defects.", "None.", False),
        ("Is it broken? In one word.", "Defective.", True),
        ("Is it severe?", "No.", True),
    ],
)
def test_one_word_is_read_with_its_question(question: str, answer: str, right: bool) -> None:
    assert (ground(answer, BAD, question) == answer) == right


BOXED = Inspection(
    "x.png", (200, 100), "defective", 0.95,
    (
        Region(box=(10, 10, 40, 30), area_px=300, area_fraction=0.015, position="upper left", peak=0.9,
               severity="moderate", type="scratch", shape="thin", tone="darker"),
        Region(box=(150, 70, 160, 80), area_px=80, area_fraction=0.004, position="lower right", peak=0.9,
               severity="minor", type="dent"),
    ), references=2,
)  # fmt: skip


@pytest.mark.parametrize(
    ("question", "box"),
    [
        ("What is at [120, 40, 180, 90]?", (120, 40, 180, 90)),
        ("box (180 90 120 40) ok", (120, 40, 180, 90)),
        ("What is at [12.6, 4, 12.6, 4]?", (12, 4, 13, 5)),
        ("Is [1, 2] fine?", None),
        ("Is it OK?", None),
    ],
)
def test_boxes_are_found_in_questions(question: str, box: tuple[int, ...] | None) -> None:
    assert find_box(question) == box


@pytest.mark.parametrize(
    ("question", "answer", "mended"),
    [
        ("What is at [0, 0, 50, 50]?", "I see a moderate scratch in the box.", None),
        (
            "What is at [0, 0, 50, 50]?",
            "I see a minor dent in the box.",
            "I see a moderate scratch in the box, about 2% of the photo.",
        ),
        (
            "What is at [0, 0, 50, 50]?",
            "Nothing unusual in the box.",
            "I see a moderate scratch in the box, about 2% of the photo.",
        ),
        ("Is this box OK: [0, 0, 50, 50]?", "Yes.", "I see a moderate scratch in the box, about 2% of the photo."),
        ("Is this box OK: [0, 0, 50, 50]?", "No.", None),
        ("Is this box OK: [60, 40, 90, 90]?", "Yes, it looks good.", None),
        ("Is this box OK: [60, 40, 90, 90]?", "It is defective.", "I see nothing unusual in the box."),
        ("Check [60, 40, 90, 90].", "Nothing unusual in the box; the dent is in the lower right.", None),
        ("Check [60, 40, 90, 90].", "I see a dent there.", "I see nothing unusual in the box."),
        ("Check [60, 40, 90, 90].", "I am 95% sure that it is fine there.", None),
        ("Check [60, 40, 90, 90].", "I can't say.", "I see nothing unusual in the box."),
        ("Check [160, 80, 190, 95].", "I see nothing unusual in the box.", None),
        ("Check [900, 80, 990, 95].", "I can't help with that.", "That box is outside the photo."),
    ],
)
def test_words_about_a_box_are_held_against_what_it_holds(question: str, answer: str, mended: str | None) -> None:
    assert ground(answer, BOXED, question) == (mended or answer)
    assert bool(contradictions(answer, BOXED, question)) == (mended is not None and "can't" not in answer)


def test_a_question_with_a_box_carries_what_was_found_there() -> None:
    messages = build_messages(BOXED, ["Is it OK?", "What is at\n[0, 0, 50, 50]?"], ["No."])
    assert [item["text"] for item in messages[-1]["content"]] == [
        "Box: moderate scratch, upper left, 2%, thin, darker.", "What is at [0, 0, 50, 50]?",
    ]  # fmt: skip
    assert len(messages[0]["content"]) == 4
    assert note(in_box((900, 0, 950, 9), BOXED), BOXED) == "Box: outside the photo."
    assert tell_focus(in_box((60, 40, 90, 90), BOXED), BOXED) == "I see nothing unusual in the box."


WHERE = "Where is the defect? A: Upper left. B: Lower left. C: Center right. D: There is no defect."


@pytest.mark.parametrize(
    "question",
    [
        "Where is it?\nA: top left\nB: center",
        "Where is it? A) top left B) center",
        "Where is it? (a) top left; (b) center",
        "Where is it? A. top left. B. center. Answer with the letter.",
        "Where is it? Please answer with the option's letter.\nA: top left\nB: center\nAnswer:",
    ],
)
def test_options_are_parsed(question: str) -> None:
    choices = parse_choices(question)
    assert choices is not None and choices.stem.startswith("Where is it?")
    assert {letter: option.rstrip(".") for letter, option in choices.options.items()} == {
        "A": "top left",
        "B": "center",
    }


@pytest.mark.parametrize("question", ["Where is it?", "Is vitamin A: good?", "B: this A: that", "A: only one"])
def test_what_is_no_multiple_choice(question: str) -> None:
    assert parse_choices(question) is None


def test_the_letter_and_the_own_words_of_an_answer() -> None:
    choices = parse_choices(WHERE)
    assert isinstance(choices, Choices)
    for text, letter, own in (
        ("B.", "B", ""), ("The answer is C.", "C", "The answer is C"), ("lower left", "B", ""),
        ("A: Upper left.", "A", ""), ("A crack is in the center.", None, "A crack is in the center"),
        ("D, but I am unsure.", "D", "but I am unsure"), ("H.", None, "H"),
    ):  # fmt: skip
        assert named_letter(text, choices) == letter
        assert own_words(text, choices).removesuffix(".") in (own, "") or letter is None


@pytest.mark.parametrize(
    ("facts", "question", "answer", "mended"),
    [
        (BAD, WHERE, "A.", None),
        (BAD, WHERE, "A: Upper left.", None),
        (BAD, WHERE, "B: Lower left.", "A: Upper left."),
        (BAD, WHERE, "A: Lower left.", "A: Upper left."),
        (BAD, WHERE, "It is hard to say.", "A: Upper left."),
        (BAD, WHERE, "A: Upper left. B: Lower left. C: Center right. The answer is A.", None),
        (GOOD, WHERE, "A.", "D: There is no defect."),
        (BAD, "Is there any defect in the object? A: Yes. B: No.", "B.", "A: Yes."),
        (GOOD, "Is there any defect in the object? A: Yes. B: No.", "A: Yes.", "B: No."),
        (UNSURE, "Is there any defect? A: Yes. B: No.", "B.", "A, but I am unsure."),
        (UNSURE, "Is there any defect? A: Yes. B: No.", "A, but I am unsure.", None),
        (BAD, "How many defects are there? A: One. B: Two. C: None.", "A.", "B: Two."),
        (BAD, "What is the object? A: a bottle. B: a screw with a hole.", "B.", None),
        (BAD, "What kind of defect is it? A: crack B: hole C: paint run", "A.", "I must choose: A."),
        (BAD, "What kind of defect is it? A: crack B: hole C: paint run", "C.", None),
        (
            GOOD,
            "What kind of defect is it? A: crack B: hole",
            "A.",
            "it looks good, with no defects. If I must choose: A.",
        ),
    ],
)
def test_the_letter_must_fit_the_inspection(facts: Inspection, question: str, answer: str, mended: str | None) -> None:
    said = ground(answer, facts, question)
    assert said == answer if mended is None else said.endswith(mended)
    assert not contradictions(said, facts, question)
    assert "".join(ground_stream(iter(answer), facts, question)) == said


def test_a_silent_model_is_answered_for() -> None:
    assert known_answer(BAD, WHERE) == "A: Upper left."
    assert (
        known_answer(BOXED, "What is at [0, 0, 50, 50]?")
        == "I see a moderate scratch in the box, about 2% of the photo."
    )
    assert known_answer(GOOD, "Is it OK?") == tell("presence", GOOD)


FOLD = inspection(
    "defective", 0.9,
    region("center right", None, "moderate", 0.02, "brighter", "compact"),
    region("center right", None, "minor", 0.003, "brighter", "compact"),
    region("upper left", None, "minor", 0.001, "darker", "thin"),
)  # fmt: skip
CLOSE = inspection("good", 0.47)


@pytest.mark.parametrize(
    ("words", "facts", "question", "answer"),
    [
        # The same place twice is no list: what was asked, the number, is told.
        (
            "I see three defects, in the center right, center right and upper left.", FOLD, "How many spots?",
            "I see three defects, in the center right and upper left.",
        ),
        (
            "It is defective: I see three defects in the center right, center right and upper left.", FOLD, "Well?",
            "It is defective: I see a moderate defect of unknown kind in the center right, a minor defect of unknown "
            "kind in the center right and a minor defect of unknown kind in the upper left.",
        ),
        (
            "You may be right, please check: the defects are in the center right and upper left.", FOLD,
            "ok and what is wrong with it", "The defects are in the center right and upper left.",
        ),
        (
            "I can't help with that; ask me about the part in the photo.", FOLD, "I think it is only a fold",
            "You may be right; the map still shows a moderate defect of unknown kind in the center right, a minor "
            "defect of unknown kind in the center right and a minor defect of unknown kind in the upper left.",
        ),
        (
            "I can't say.", FOLD, "tell me about nr 3",
            "The third is a minor defect of unknown kind in the upper left, about 0.1% of the photo.",
        ),
        (
            "I can't know that from a photo.", FOLD, "Tell me whether it may be released to the customer.",
            "Hold it back for a manual check: I see three defects in the center right and upper left.",
        ),
        (
            "The first is a minor defect of unknown kind in the upper left.", FOLD, "the smallest one?",
            "The smallest is a minor defect of unknown kind in the upper left, about 0.1% of the photo.",
        ),
        (
            "You can let it pass; it looks good.", CLOSE, "Should somebody check it?",
            "It looks good, but I am only 55% sure; have someone check it.",
        ),
        (
            "You are right, they look like a stain and a scratch.", BAD, "The upper left one is a crack, isn't it?",
            "I can't confirm that. The defects look like a stain in the center, and a scratch in the upper left.",
        ),
        (
            "I see it differently: I see three defects.", FOLD, "i see three things marked, right?",
            "I see three defects.",
        ),
        (
            "I count three.", FOLD, "how many are in the center right?",
            "I see two defects in the center right.",
        ),
        ("You can let it pass; it looks good.", GOOD, "Can I use it?", "You can let it pass; it looks good."),
    ],
)  # fmt: skip
def test_what_an_outsider_found_wrong(words: str, facts: Inspection, question: str, answer: str) -> None:
    assert ground(words, facts, question) == answer


def test_which_ones_lie_there_names_no_others() -> None:
    said = "The defects are in the center right and upper left."
    assert contradictions(said, FOLD, "which defects are on the right side?")
    assert not contradictions("Two, in the center right.", FOLD, "which defects are on the right side?")


STAINED = inspection("defective", 0.95, region("center", "stain", "severe", 0.07, "similar", "compact"))


@pytest.mark.parametrize(
    ("question", "words", "answer"),
    [
        ("How big is it?", "It is defective.", "The defect covers about 7% of the photo."),
        ("How big is it?", "It covers about 7% of the photo.", None),
        (
            "How big is it?",
            "It is defective: I see a stain in the center.",
            "The defect covers about 7% of the photo.",
        ),
        (
            "what color does it have?",
            "It is in the center.",
            "The defect looks compact and similar in tone to the surroundings.",
        ),
        (
            "What should I do with this one?",
            "It is in the center.",
            "Set it aside and do not use it: I see one defect in the center.",
        ),
        ("What should I do with this one?", "Set it aside; it is defective.", None),
        ("How sure are you?", "It is in the center.", "I am 95% sure that it is defective."),
    ],
)
def test_the_answer_tells_what_was_asked_for(question: str, words: str, answer: str | None) -> None:
    assert ground(words, STAINED, question) == (answer or words)
