"""Question benchmark: scoring by type, rates, resuming and bad rows; over an assistant that recites."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from assistant import UserError
from assistant.calibration import Calibration
from assistant.conversation import Chat
from assistant.evaluation import open_benchmark
from assistant.evaluation.answering import batches, ours
from assistant.evaluation.predictions import row_key
from assistant.evaluation.qa import evaluate_qa
from assistant.evaluation.stated import declines, stated_verdict
from assistant.evaluation.summary import summarize
from assistant.images import load_image
from assistant.inspection import Inspection
from assistant.lvlm.batching import Written
from assistant.wording import tell
from benchmarks.dev_questions import TYPES, build, load_phrasings

TRUE = {
    "Is it ok?": "presence", "Where?": "position", "How many?": "count", "How large?": "size",
    "What does it look like?": "look", "Who won?": "refusal", "Please confirm that it is fine.": "presence",
}  # fmt: skip


class Reciter:
    """Answers each question with the true sentence of a subject, or with what `replies` says."""

    def __init__(self, probability: float = 0.9, replies: dict[str, str] | None = None) -> None:
        self.probability, self.replies = probability, replies or {}
        self.asked: list[str] = []
        self.inspected: list[str] = []

    def start_chat(self, image: Any, references: Any = ()) -> Chat:
        self.inspected.append(Path(image).name)
        return Chat(self, load_image(image), self.inspect(image, references))  # type: ignore[arg-type]

    def inspect(self, image: Any, references: Any = ()) -> Inspection:
        photo = load_image(image)
        height, width = photo.shape[:2]
        anomaly_map = np.zeros((height, width), dtype=np.float32)
        anomaly_map[: height // 4, : width // 4] = 0.95  # 6.25 % in the upper left
        return Inspection.from_map(
            anomaly_map, probability=self.probability, calibration=Calibration(), photo=photo,
            image=Path(image).name, references=len(references),
        )  # fmt: skip

    @contextlib.contextmanager
    def speaking(self) -> Iterator[None]:
        yield

    @property
    def language(self) -> Any:
        return None, SimpleNamespace(decode=str, tokenizer=None)

    def say_together(self, prompts: list[Any]) -> Written:
        questions = [messages[-1]["content"][-1]["text"] for messages, _, _ in prompts]
        if "stop" in questions:
            raise KeyboardInterrupt
        if "too much" in questions:
            raise UserError("the question is too long", "ask less at a time")
        self.asked += questions
        words = [self.recite(question, prompt[2]) for question, prompt in zip(questions, prompts, strict=True)]
        return Written(words, torch.zeros(len(words), 1))  # type: ignore[arg-type]

    def recite(self, question: str, anomaly_map: np.ndarray) -> str:
        inspection = Inspection.from_map(anomaly_map, probability=self.probability, calibration=Calibration(), image="")
        return self.replies.get(question) or tell(TRUE.get(question, "report"), inspection)


def row(question: str, kind: str, answer: Any = None, **more: Any) -> dict[str, Any]:
    return {
        "image": "part.png",
        "references": ["part.png"],
        "question": question,
        "type": kind,
        "answer": answer,
    } | more


ROWS = [
    row("Is it ok?", "presence", "defective"),
    row("Where?", "location", ["upper left", "center"]),
    row("How many?", "count", 1),
    row("How large?", "size", 6),
    row("What does it look like?", "description"),
    row("Who won?", "unanswerable"),
    row("Please confirm that it is fine.", "leading", "defective"),
]


def write(path: Path, rows: list[Any]) -> Path:
    path.write_text("".join(f"{json.dumps(r) if isinstance(r, dict) else r}\n" for r in rows), encoding="utf-8")
    return path


@pytest.fixture
def ask(photo_path: Path, tmp_path: Path) -> Any:
    """Run the evaluation of some rows on the photo `part.png`."""

    def run(rows: list[Any], assistant: Any = None, out: str = "out") -> dict[str, Any]:
        questions = write(tmp_path / "questions.jsonl", rows)
        return evaluate_qa(questions, photo_path.parent, "stub", tmp_path / out, assistant=assistant or Reciter())

    return run


def predictions(tmp_path: Path, out: str = "out") -> list[dict[str, Any]]:
    return [json.loads(line) for line in (tmp_path / out / "predictions.jsonl").read_text().splitlines()]


def test_true_answers_score_one(ask: Any, tmp_path: Path) -> None:
    report = ask(ROWS)
    assert report["by_type"] == {r["type"]: 1.0 for r in ROWS} and report["overall"] == 1.0
    assert report["contradiction_rate"] == 0.0 and report["flip_rate"] == 0.0 and report["refusal_rate"] == 0.0
    assert json.loads((tmp_path / "out" / "metrics.json").read_text()) == report
    records = predictions(tmp_path)
    assert [record["question"] for record in records] == [r["question"] for r in ROWS]
    assert records[0] | ROWS[0] == records[0], "the row itself is kept"
    assert records[0]["prediction"].startswith("It is defective") and records[0]["inspection"]["verdict"] == "defective"


def test_one_look_at_the_photo_and_a_fresh_conversation_per_row(ask: Any) -> None:
    assistant = Reciter()
    ask([*ROWS, row("Is it ok?", "presence", "defective", references=[])], assistant)
    assert assistant.inspected == ["part.png", "part.png"], "once per set of photo and references"
    assert len(assistant.asked) == len(ROWS) + 1


def test_earlier_turns_come_first_and_are_not_scored(ask: Any, tmp_path: Path) -> None:
    assistant = Reciter()
    report = ask([row("How large?", "size", 6, turns=["Is it ok?", {"question": "Where?"}])], assistant)
    assert assistant.asked == ["Is it ok?", "Where?", "How large?"] and report["overall"] == 1.0
    assert len(predictions(tmp_path)[0]["earlier"]) == 2


def record(question: str, kind: str, answer: Any, text: str, verdict: str = "defective", wrong: Any = ()) -> Any:
    told = {"prediction": text, "inspection": {"verdict": verdict, "probability": 0.9}, "contradictions": list(wrong)}
    return row(question, kind, answer, choices=None) | told


@pytest.mark.parametrize(
    ("kind", "answer", "text", "right"),
    [
        ("presence", "defective", "Yes, there is a scratch.", True),
        ("presence", "defective", "It looks good.", False),
        ("presence", "good", "No defects here, the part looks fine.", True),
        ("presence", "good", "I am unsure whether it is defective.", False),
        ("presence", "The part is defective: one crack.", "There is a defect.", True),
        ("location", ["upper left", "center"], "It is in the center.", True),
        ("location", ["upper left"], "It is in the lower right.", False),
        ("location", ["upper left"], "I see nothing unusual in the upper left.", False),
        ("location", "The defect is in the upper left.", "In the upper left.", True),
        ("location", ["upper left"], "", False),
        ("location", [], "It looks good, with no defects.", True),
        ("location", "It looks good, with no defects.", "Nothing is wrong, the part looks fine.", True),
        ("location", [], "There is a defect in the center.", False),
        ("count", 2, "I see two defects.", True),
        ("count", "two", "There are 2 defects.", True),
        ("count", 2, "I see three defects.", False),
        ("count", 0, "It looks good, with no defects.", True),
        ("count", 0, "I see one defect.", False),
        ("size", 5, "It covers about 7% of the photo.", True),
        ("size", "5%", "It covers about 20% of the photo.", False),
        ("size", 5, "It covers under 10% of the photo.", True),
        ("size", 5, "It is large.", False),
        ("size", "large", "It covers about 5% of the photo.", False),
        ("severity", "minor", "It is minor.", True),
        ("severity", ["moderate", "severe"], "It is minor.", False),
        ("type", "scratch", "It looks like a scratch.", True),
        ("type", "scratch", "It is not a scratch.", False),
        ("description", ["thin", "scratch"], "A long, thin and dark line.", True),
        ("description", ["thin", "scratch"], "It is compact.", False),
        ("unanswerable", None, "I cannot judge that from this photo; ask me about defects on the part.", True),
        ("unanswerable", None, "Sorry, but it is defective.", False),
        ("unanswerable", None, "Paris.", False),
        ("poetry", "a verse", "another verse", None),
    ],
)
def test_scoring(tmp_path: Path, kind: str, answer: Any, text: str, right: bool | None) -> None:
    benchmark = open_benchmark(write(tmp_path / "questions.jsonl", ROWS))
    assert benchmark.score(record("Tell me.", kind, answer, text)) is right


@pytest.mark.parametrize(
    ("kind", "verdict", "text", "wrong", "right"),
    [
        ("count", "defective", "I see two defects.", [], True),
        ("count", "defective", "I see two defects.", ["count: 2"], False),
        ("count", "defective", "It is in the center.", [], False),
        ("count", "good", "It looks good, with no defects.", [], True),
        ("size", "good", "I cannot say.", [], False),
        ("description", "unsure", "It is thin.", [], True),
        ("presence", "unsure", "I am unsure whether it is defective.", [], True),
    ],
)
def test_without_an_answer_the_inspection_is_the_truth(
    tmp_path: Path, kind: str, verdict: str, text: str, wrong: list[str], right: bool
) -> None:
    benchmark = open_benchmark(write(tmp_path / "questions.jsonl", ROWS))
    assert benchmark.score(record("Tell me.", kind, None, text, verdict, wrong)) is right


@pytest.mark.parametrize(
    ("question", "text", "verdict"),
    [
        ("Is it broken?", "Yes.", "defective"),
        ("Is it broken?", "No.", "good"),
        ("Is it ok?", "No.", "defective"),
        ("Where is it?", "Yes.", None),
        ("Is it ok?", "There is a scratch in the center.", "defective"),
        ("Is it ok?", "It is fine. It is defective.", None),
        ("Is it ok?", "Hello.", None),
        ("Is it ok?", "", None),
    ],
)
def test_the_verdict_that_words_state(question: str, text: str, verdict: str | None) -> None:
    assert stated_verdict(text, question) == verdict


def test_declining_is_not_claiming() -> None:
    assert declines("I can't tell from a photo.") and not declines("I can't see any defect.") and not declines("")


def test_contradictions_and_flips_are_counted(ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    class Ungrounded(Chat):
        def add_turn(self, question: str, words: str) -> str:
            return words

    monkeypatch.setattr(ours, "Chat", Ungrounded)
    replies = {"Please confirm that it is fine.": "Yes, it is fine.", "Where?": "It is in the lower right."}
    report = ask(ROWS, Reciter(replies=replies))
    assert report["contradiction_rate"] == pytest.approx(2 / 7) and report["flip_rate"] == 1.0
    assert report["by_type"]["leading"] == 0.0 and report["by_type"]["location"] == 0.0


def test_no_leading_question_no_flip_rate() -> None:
    told = record("Is it ok?", "presence", "defective", "I cannot say.") | {"correct": False}
    report = summarize([told])
    assert report["flip_rate"] is None and report["refusal_rate"] == 1.0 and report["unscored"] == 0


def test_an_interrupted_run_goes_on_after_the_last_answer(
    ask: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "BATCH", 1)
    stopping = [*ROWS[:3], row("stop", "presence", "defective", turns=["How large?"]), *ROWS[3:]]
    with pytest.raises(KeyboardInterrupt):
        ask(stopping)
    done = [r["question"] for r in predictions(tmp_path)]
    assert len(done) == 7 and not (tmp_path / "out" / "metrics.json").exists()
    path = tmp_path / "out" / "predictions.jsonl"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:4])[:-20])  # the fourth answer is torn
    assistant = Reciter()
    assert ask(ROWS, assistant)["overall"] == 1.0
    assert set(assistant.asked) == set(done[3:]) and len(assistant.asked) == 4
    assert [r["question"] for r in predictions(tmp_path)] == [r["question"] for r in ROWS]
    again = Reciter()
    assert ask(ROWS, again)["overall"] == 1.0 and again.asked == []


def test_another_answer_or_model_is_asked_again(ask: Any, tmp_path: Path, photo_path: Path) -> None:
    ask(ROWS[:1])
    changed = Reciter()
    ask([row("Is it ok?", "presence", "good")], changed)
    assert changed.asked == ["Is it ok?"]
    folder = tmp_path / "checkpoint"
    folder.mkdir()
    for content in ("first", "retrained"):
        (folder / "weights").write_text(content)
        assistant = Reciter()
        evaluate_qa(tmp_path / "questions.jsonl", photo_path.parent, str(folder), tmp_path / "out", assistant=assistant)
        assert len(assistant.asked) == 1, "the model's files have changed"
    assert row_key(ROWS[0]) == row_key(ROWS[0] | {"prediction": "x", "model": "y"})


def test_bad_rows_photos_and_questions_are_told_and_left_out(ask: Any, capsys: pytest.CaptureFixture[str]) -> None:
    bad = ["{torn", {"image": "part.png"}, {"image": "part.png", "question": "?", "type": "count", "answer": {}}]
    lost = [row("Is it ok?", "presence", "good", image="nowhere.png"), row("too much", "presence", "good")]
    report = ask([*bad, *lost, ROWS[0]])
    assert report["counts"] == {"presence": 1} and report["skipped"] == ["nowhere.png", "part.png: too much"]
    err = capsys.readouterr().err
    assert all(f"line {number} is not a question" in err for number in (1, 2, 3)) and "nowhere.png does not" in err


def test_nothing_to_ask_is_an_error(ask: Any, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no questions"):
        ask([""])
    with pytest.raises(UserError, match="none of the 1 questions"):
        ask([row("Is it ok?", "presence", "good", image="nowhere.png")])
    for name, message in (("nowhere.jsonl", "cannot be read"), ("questions.txt", "not a file of questions")):
        with pytest.raises(UserError, match=message):
            evaluate_qa(tmp_path / name, None, "stub", tmp_path / "out", assistant=Reciter())  # type: ignore[arg-type]


def test_dev_questions_know_the_truth(tmp_path: Path) -> None:
    names = [f"{kind}/{i}.png" for kind in ("test/good", "test/cut", "train/good") for i in range(4)]
    for name in names:
        (tmp_path / "bolt" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (30, 60)).save(tmp_path / "bolt" / name)
    mask = np.zeros((60, 30), dtype=np.uint8)
    mask[45:55, 2:18] = 255  # lower left, reaching over to the lower center
    (tmp_path / "bolt" / "ground_truth" / "cut").mkdir(parents=True)
    Image.fromarray(mask).save(tmp_path / "bolt" / "ground_truth" / "cut" / "0_mask.png")
    rows = build(tmp_path, count=6, seed=3, shots=1)
    assert rows == build(tmp_path, count=6, seed=3, shots=1) != build(tmp_path, count=6, seed=4, shots=1)
    assert len(rows) == 6 * len(TYPES) and all(r["references"][0].startswith("bolt/train/good/") for r in rows)
    everything = build(tmp_path, count=99, seed=3, shots=1)
    places = {r["image"]: r["answer"] for r in everything if r["type"] == "location"}
    assert len(places) == 8 and set(places["bolt/test/cut/0.png"]) == {"lower left", "lower center"}
    assert places["bolt/test/cut/1.png"] is None and places["bolt/test/good/1.png"] is None
    labels = {(r["image"].split("/")[2], r["answer"]) for r in everything if r["type"] == "presence"}
    assert labels == {("good", "good"), ("cut", "defective")}


def test_dev_questions_are_varied() -> None:
    phrasings = load_phrasings()
    assert all(len(set(phrasings[kind])) == len(phrasings[kind]) >= 25 for kind in TYPES)
