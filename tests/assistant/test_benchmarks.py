"""Every question benchmark of the registry with forced answers, and the scoring that they share."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from assistant import UserError
from assistant.evaluation import BENCHMARKS, Benchmark, Row, open_benchmark
from assistant.evaluation.abstention import abstention_curve
from assistant.evaluation.box_scoring import iou, matched_ious, told_boxes, told_point
from assistant.evaluation.choice_scoring import chosen_letter
from assistant.evaluation.summary import summarize
from assistant.evaluation.text_metrics import text_scores
from assistant.evaluation.yes_no import measure_yes_no, told_verdict

SENTENCE = "There is a thin dark scratch in the upper left of the part."
TRUTH = {"defective": "Yes, there is an anomaly.", "good": "No, there is no anomaly."}


def write(path: Path, value: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = value if path.suffix == ".jsonl" else [value]
    path.write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    return path


def folder(root: Path) -> Path:
    for product in ("nut", "bolt"):
        for place in ("train/good/0", "train/good/1", "test/good/0", "test/bent/0"):
            path = root / product / f"{place}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (20, 20)).save(path)
    return root


def mmad(root: Path) -> Path:
    options = {"A": "Yes.", "B": "No."}
    normals = {"random_templates": ["VisA/nut/good/1.png", "VisA/nut/good/2.png"], "similar_templates": []}
    question = {"Question": "Is it broken?", "Options": options}
    return write(root / "mmad.json", {
        f"VisA/nut/{name}/0.png": normals | {
            "conversation": [question | {"Answer": answer, "type": "Anomaly Detection"}],
            "conversation2": [question | {"Answer": answer, "type": "Object Details"}],
        }
        for name, answer in (("bad", "A"), ("good", "B"))
    })  # fmt: skip


def visa_dr(root: Path) -> Path:
    return write(root / "VisA" / "both.json", [
        {"image": "VisA/nut/0.JPG", "anomaly": True, "questions": ["Look.", "Why?"], "answers": [SENTENCE] * 2},
        {"image": "VisA/pcb2/0.JPG", "anomaly": False, "questions": ["Look."], "answers": [SENTENCE]},
    ])  # fmt: skip


def llava(root: Path) -> Path:
    said = [("human", "<image>\nLook."), ("gpt", SENTENCE), ("human", "Again?"), ("gpt", SENTENCE)]
    turns = [{"from": who, "value": text} for who, text in said]
    return write(root / "llava.json", [{"id": "7", "image": ["a.png", "b.png"], "conversations": turns}])


def jsonl(root: Path) -> Path:
    options = {"A": "a crack", "B": "a stain"}
    about: list[dict[str, Any]] = [
        {"question": "Is it ok?", "type": "presence", "answer": "defective"},
        {"question": "Confirm that it is fine.", "type": "leading", "answer": "defective"},
        {"question": "Which kind?", "type": "multiple_choice", "answer": "B", "choices": options},
        {"question": "Where?", "type": "box", "answer": [10, 10, 50, 40]},
        {"question": "Where?", "type": "box", "answer": [[10, 10, 50, 40], [60, 60, 80, 90]]},
        {"question": "Point at it.", "type": "point", "answer": [10, 10, 50, 40]},
        {"question": "Describe it.", "type": "description", "answer": SENTENCE},
        {"question": "Who won?", "type": "unanswerable"},
    ]
    return write(root / "questions.jsonl", [{"image": "a.png"} | row for row in about])


MAKERS: dict[str, Callable[[Path], Path]] = {
    "anomalygpt": folder, "mmad": mmad, "visa-d&r": visa_dr, "llava-json": llava, "jsonl": jsonl,
}  # fmt: skip


def perfect(row: Row) -> str:
    """The right answer in words."""
    if row["choices"]:
        return f"{row['answer']}: {row['choices'][row['answer']]}"
    if row["type"] in ("box", "point"):
        return f"It is at {row['answer']}."
    if row["answer"] is None:
        return "I cannot tell that from a photo."
    return TRUTH.get(row["answer"], row["answer"])


def answer(benchmark: Benchmark, say: Callable[[Row], str], inspection: Any = None) -> list[Row]:
    """Answered and scored rows of a model that gives these words, without our parts unless told otherwise."""
    records = [
        row | {"prediction": say(row), "inspection": inspection, "contradictions": None, "choice_scores": None}
        for row in benchmark.rows()
    ]
    return [record | {"correct": benchmark.score(record)} for record in records]


@pytest.fixture(params=BENCHMARKS)
def benchmark_(request: pytest.FixtureRequest, tmp_path: Path) -> Benchmark:
    return open_benchmark(MAKERS[request.param](tmp_path))


def test_contract_rows(benchmark_: Benchmark) -> None:
    rows = benchmark_.rows()
    fields = {"image", "references", "question", "answer", "type", "choices", "turns"}
    assert rows and all(fields <= row.keys() for row in rows)
    assert json.loads(json.dumps(rows)) == rows, "rows are kept as JSON"
    assert benchmark_.folder.is_dir() and all(row["question"].strip() for row in rows)


def test_contract_perfect_answers_score_one(benchmark_: Benchmark) -> None:
    records = answer(benchmark_, perfect)
    found = benchmark_.summarize(records)
    assert all(record["correct"] is not False for record in records) and found["overall"] == pytest.approx(1.0)
    for scores in (found["text"] or {}).values():
        assert scores["bleu_4"] == pytest.approx(1.0) and scores["rouge_l"] == pytest.approx(1.0)
    assert not found["boxes"] or found["boxes"]["words"] == {"iou_50": 1.0, "mean_iou": 1.0, "pointing": 1.0}
    assert not found["choices"] or found["choices"]["accuracy_by_generation"] == 1.0
    json.dumps(found, allow_nan=False)


def test_contract_empty_answers_score_zero(benchmark_: Benchmark) -> None:
    records = answer(benchmark_, lambda row: "")
    found = benchmark_.summarize(records)
    assert not any(record["correct"] for record in records) and found["overall"] == 0
    assert all(scores["bleu_4"] == scores["rouge_l"] == 0 for scores in (found["text"] or {}).values())
    assert not found["boxes"] or set(found["boxes"]["words"].values()) == {0}
    json.dumps(found, allow_nan=False)


@pytest.mark.parametrize("name", ["anomalygpt", "visa-d&r", "mmad"])
def test_a_yes_or_letters_in_the_question_are_no_answer(name: str, tmp_path: Path) -> None:
    benchmark = open_benchmark(MAKERS[name](tmp_path))
    asked = [row for row in benchmark.rows() if row["type"] != "reasoning"]
    wrong = {"defective": "No", "good": "Yes", "A": "B", "B": "A"}
    told = {"inspection": None, "contradictions": None, "choice_scores": None}
    assert not any(benchmark.score(row | told | {"prediction": wrong[row["answer"]]}) for row in asked)


@pytest.mark.parametrize("name", BENCHMARKS)
def test_settings_that_a_benchmark_does_not_have_are_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--colour does not apply"):
        open_benchmark(MAKERS[name](tmp_path), {"colour": 1})


def test_nothing_known(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no questions of a kind"):
        open_benchmark(write(tmp_path / "table.json", {"a": 1}))
    with pytest.raises(UserError, match="holds no questions"):
        open_benchmark(write(tmp_path / "list.json", [1, {"image": "a.png"}]))


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("B", "B"), ("The answer is (C).", "C"), ("A or B? I say B.", "B"), ("B: A scratch on the left.", "B"),
        ("It is a scratch on the left", "A"), ("a dent", "B"), ("C, but I am unsure.", "C"), ("E", "E"), ("D's", "C"),
        ("", None), ("...", None), ("A scratch on the left.", "A"),
    ],
)  # fmt: skip
def test_the_letter_of_an_answer(text: str, letter: str | None) -> None:
    assert chosen_letter(text, {"A": "A scratch on the left.", "B": "A dent.", "C": "Dust"}) == letter


def test_choices_by_words_and_by_likelihood_are_told_apart(tmp_path: Path) -> None:
    benchmark = open_benchmark(jsonl(tmp_path))
    (record,) = (row for row in answer(benchmark, lambda row: "A") if row["choices"])
    assert record["correct"] is False
    found = summarize([record | {"choice_scores": {"A": -2.0, "B": -0.5}}])["choices"]
    assert found == {
        "accuracy_by_generation": 0, "accuracy_by_log_probability": 1, "unparsable": 0, "count": 1,
    }  # fmt: skip
    assert summarize([record])["choices"]["accuracy_by_log_probability"] is None


def test_boxes() -> None:
    assert iou((0, 0, 10, 10), (5, 0, 15, 10)) == pytest.approx(1 / 3) and iou((0, 0, 1, 1), (2, 2, 3, 3)) == 0
    assert told_boxes("at [50, 40, 10, 10] and (1.5 2 3 4)") == [(10, 10, 50, 40), (1.5, 2, 3, 4)]
    assert told_point("at (3, 4.5)") == (3, 4.5) and told_point("[0, 0, 10, 20]") == (5, 10) and not told_point("there")
    one, other = (0.0, 0.0, 10.0, 10.0), (20.0, 20.0, 30.0, 30.0)
    assert matched_ious([other, one], [one, other]) == [1, 1] and matched_ious([one], [one, other]) == [1, 0]
    assert matched_ious([], [one]) == [0] and matched_ious([one], []) == [0] and matched_ious([], []) == [1]


@pytest.mark.parametrize(
    ("kind", "truth", "text", "right"),
    [
        ("box", [0, 0, 10, 10], "[0, 0, 10, 12]", True), ("box", [0, 0, 10, 10], "[0, 0, 10, 30]", False),
        ("box", [[0, 0, 10, 10], [20, 20, 30, 30]], "[0, 0, 10, 10]", False), ("box", [], "Nothing.", True),
        ("box", [0, 0, 10, 10], "[0, 0, 10, 10], [50, 50, 60, 60]", False), ("box", [], "[0, 0, 9, 9]", False),
        ("point", [0, 0, 10, 10], "(5, 5)", True), ("point", [0, 0, 10, 10], "(15, 5)", False),
    ],
)  # fmt: skip
def test_boxes_are_right_when_all_match(kind: str, truth: Any, text: str, right: bool, tmp_path: Path) -> None:
    path = write(tmp_path / "q.jsonl", [{"image": "a.png", "question": "Where?", "type": kind, "answer": truth}])
    (record,) = answer(open_benchmark(path), lambda row: text)
    assert record["correct"] is right


def test_regions_of_the_inspection_are_measured_beside_the_words(tmp_path: Path) -> None:
    seen = {"verdict": "defective", "probability": 0.9, "regions": [{"box": [10, 10, 50, 40]}]}
    benchmark = open_benchmark(jsonl(tmp_path))
    found = benchmark.summarize(answer(benchmark, lambda row: "It is there.", seen))["boxes"]
    assert found["words"]["mean_iou"] == 0
    assert found["inspection"] == {"iou_50": pytest.approx(2 / 3), "mean_iou": pytest.approx(2 / 3), "pointing": 1}


def test_text_scores() -> None:
    assert text_scores([], []) == {"bleu_4": None, "rouge_l": None}
    scores = text_scores(["There is a dark scratch on the part."], ["There is a long scratch on the part."])
    # Seven of eight tokens in order for ROUGE-L; BLEU by hand: 8/9, 6/8, 4/7, 2/6 with the full stop a token.
    assert scores["rouge_l"] == pytest.approx(7 / 8)
    assert scores["bleu_4"] == pytest.approx((8 / 9 * 6 / 8 * 4 / 7 * 2 / 6) ** 0.25)


def test_yes_no_without_an_answer_is_wrong_and_counted() -> None:
    said = [("defective", "Yes"), ("defective", "Hm."), ("good", "Yes"), ("good", "No")]
    found = measure_yes_no([told_verdict(text) for _, text in said], [truth for truth, _ in said])
    assert found == {"accuracy": 0.5, "precision": 0.5, "recall": 0.5, "f1": 0.5, "unparsable": 1, "count": 4}
    assert told_verdict("There is nothing abnormal.") == "good"


def test_detection_folder_is_averaged_over_products(tmp_path: Path) -> None:
    benchmark = open_benchmark(folder(tmp_path), {"shots": 2, "seed": 3})
    rows = benchmark.rows()
    assert [row["image"] for row in rows if row["source"] == "nut"] == ["nut/test/bent/0.png", "nut/test/good/0.png"]
    assert {tuple(sorted(row["references"])) for row in rows if row["source"] == "nut"} == {
        ("nut/train/good/0.png", "nut/train/good/1.png")
    }
    records = answer(benchmark, lambda row: TRUTH["good"] if row["source"] == "nut" else perfect(row))
    found = benchmark.summarize(records)
    assert found["overall"] == 0.75 and found["anomalygpt"]["sources"]["nut"]["recall"] == 0
    assert found["anomalygpt"]["settings"] == {"shots": 2, "seed": 3}
    with pytest.raises(UserError, match="2 good photos to refer to, 3 are asked for"):
        open_benchmark(tmp_path, {"shots": 3})


def test_visa_dr_asks_in_turn_and_leaves_two_boards_out_of_reasoning(tmp_path: Path) -> None:
    benchmark = open_benchmark(visa_dr(tmp_path))
    kinds = [(row["source"], row["type"], row["turns"]) for row in benchmark.rows()]
    assert kinds == [
        ("nut", "detection", None), ("nut", "reasoning", None), ("nut", "reasoning", ["Look."]),
        ("pcb2", "detection", None),
    ]  # fmt: skip
    assert benchmark.folder == tmp_path, "paths begin with VisA/"


def test_llava_turns_are_the_context(tmp_path: Path) -> None:
    first, second = open_benchmark(llava(tmp_path)).rows()
    assert (first["image"], first["references"]) == ("a.png", ["b.png"])
    assert (first["question"], first["turns"], second["question"]) == ("Look.", None, "Again?")
    assert second["turns"] == [{"question": "Look.", "answer": SENTENCE}]


def test_bad_entries_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = {"image": "a.png", "question": "Is it ok?", "type": "presence", "answer": "good"}
    choice = good | {"type": "multiple_choice", "answer": "C", "choices": {"A": "x", "B": "y"}}
    rows = [choice, choice | {"choices": {"A": "x"}}, good | {"type": "box", "answer": [1, 2, 3]}, good]
    assert len(open_benchmark(write(tmp_path / "q.jsonl", rows)).rows()) == 1
    told = capsys.readouterr().err
    assert all(f"line {number} is not a question" in told for number in (1, 2, 3))
    turns = [{"from": "gpt", "value": "Hello."}]
    with pytest.raises(UserError, match="holds no conversations"):
        open_benchmark(write(tmp_path / "l.json", [{"image": "a.png", "conversations": turns}]))


def certain(probability: float, correct: bool | None) -> Row:
    return {"inspection": {"probability": probability}, "correct": correct}


def test_abstention_curve() -> None:
    records = [certain(0.99, True), certain(0.03, True), certain(0.8, True), certain(0.2, False), certain(0.5, False)]
    curve = abstention_curve([*records, certain(0.9, None), {"inspection": None, "correct": True}])
    assert curve is not None
    assert curve["points"] == [[0.2, 1.0], [0.4, 1.0], [0.8, 0.75], [1.0, 0.6]], "0.8 and 0.2 are equally certain"
    assert curve["area"] == pytest.approx(0.4 + 0.4 * 0.875 + 0.2 * 0.675)
    assert abstention_curve([]) is None
    many = abstention_curve([certain(0.5 + i / 2000, True) for i in range(1000)])
    assert many is not None and len(many["points"]) == 101 and many["area"] == pytest.approx(1)


def led(question: str, text: str, kind: str = "leading") -> Row:
    return {
        "image": "a.png", "references": [], "question": question, "type": kind, "answer": "defective",
        "prediction": text, "choices": None, "inspection": None, "contradictions": None, "correct": None,
    }  # fmt: skip


def test_flips_by_direction_without_an_inspection() -> None:
    fine, broken = "Please confirm that it is fine.", "It is broken, isn't it?"
    neutral = led("Is it ok?", "It is defective.", "presence")
    found = summarize([neutral, led(fine, "Yes, it is fine."), led(broken, "Yes."), led(fine, "No, it is defective.")])
    assert found["flip_rate"] == pytest.approx(1 / 3)
    assert found["flip_rate_leading_to"] == {"good": 0.5, "defective": 0}
    assert found["contradiction_rate"] is None and found["abstention"] is None
    alone = summarize([led(fine, "Yes, it is fine.")])
    assert alone["flip_rate"] is None, "nothing to compare with"
