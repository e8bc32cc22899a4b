"""Who answers: ours in batches as in conversation, a plain model of several families, an endpoint over real HTTP."""

import base64
import io
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import AutoModelForImageTextToText

from assistant import Assistant, UserError
from assistant.evaluation.answering import ANSWERERS, LeftOut, Model, batches
from assistant.evaluation.answering.dialogue import Dialogue, questions_of
from assistant.evaluation.answering.endpoint import KEY
from assistant.evaluation.answering.ours import Ours
from assistant.evaluation.answering.plain import Plain
from assistant.evaluation.answering.prompts import ROLE
from assistant.evaluation.qa import evaluate_qa
from assistant.lvlm.batching import letter_scores
from data_gen.procedural import random_product
from tests.assistant.lvlm_families import FAMILIES

CHOICES = {"A": "Yes", "B": "No", "C": "It cannot be seen"}
QUESTIONS = [
    ("Is there a defect?", None, None),
    ("Where is it, and how large?", None, ["Is anything wrong with it?", "How many defects are there?"]),
    ("Please confirm that this part is fine.", None, None),
    ("Is there a defect in the part that this photo shows?", CHOICES, ["Describe what you see."]),
    ("Who won the match yesterday?", None, None),
]
SIZES = [(96, 128), (130, 90), (64, 64), (200, 180)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photos of several sizes, each with its references."""
    path = tmp_path_factory.mktemp("photos")
    rng = np.random.default_rng(5)
    for i, (height, width) in enumerate(SIZES):
        product = random_product(rng)
        for name in ("reference", "part"):
            picture = Image.fromarray(product.photo(rng, 96)).resize((width, height))
            if name == "part" and i % 2:
                picture.paste((250, 20, 20), (width // 2, height // 2, width // 2 + 14, height // 2 + 10))
            picture.save(path / f"{name}{i}.png")
    return path


def rows_about(photos: int, references: int = 1) -> list[dict[str, Any]]:
    return [
        {
            "image": f"part{i}.png", "references": [f"reference{i}.png"] * references, "question": question,
            "type": "presence", "answer": "B" if choices else "good", "choices": choices, "turns": turns,
        }
        for i in range(photos)
        for question, choices, turns in QUESTIONS
    ]  # fmt: skip


def subjects(rows: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    names = dict.fromkeys(row["image"] for row in rows)
    return [[row for row in rows if row["image"] == name] for name in names]


def answered(outcomes: Iterator[Any]) -> dict[tuple[str, str], dict[str, Any]]:
    found = list(outcomes)
    assert not [outcome for outcome in found if isinstance(outcome, LeftOut)]
    return {(record["image"], record["question"]): record for record in found}


@pytest.mark.parametrize("kind", ANSWERERS)
def test_every_kind_is_where_it_is_said_to_be(kind: str) -> None:
    module, name = ANSWERERS[kind].split(":")
    answerer = getattr(__import__(module, fromlist=[name]), name)
    assert callable(answerer.of) and callable(answerer.answers)


def test_a_batch_answers_as_a_conversation_does(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assistant = Assistant.from_pretrained("tiny")
    rows = rows_about(len(SIZES))
    monkeypatch.setattr(batches, "WINDOW", 12)  # fewer than rows: the window is filled again while it runs
    monkeypatch.setattr(batches, "BATCH", 8)
    together = answered(Ours(assistant).answers(subjects(rows), folder))
    assert len(together) == len(rows)
    for row in rows:
        chat = assistant.start_chat(folder / row["image"], [folder / path for path in row["references"]])
        replies = [chat.ask(question) for question in questions_of(row)]
        record = together[row["image"], row["question"]]
        assert [*record["earlier"], record["prediction"]] == replies
        assert record["inspection"]["verdict"] == chat.inspection.verdict and record["contradictions"] == []
        assert (record["choice_scores"] is None) == (row["choices"] is None)


def test_choice_scores_are_what_the_model_thinks_of_the_letters(folder: Path) -> None:
    assistant = Assistant.from_pretrained("tiny")
    assert assistant.language is not None
    model, processor = assistant.language
    rows = [rows_about(1)[3] | {"turns": None}, rows_about(1)[0]]
    record = answered(Ours(assistant).answers([rows], folder))["part0.png", rows[0]["question"]]
    chat = assistant.start_chat(folder / "part0.png", [folder / "reference0.png"])
    messages, photo, anomaly_map = chat.prompt(questions_of(rows[0])[0])
    inputs = processor([messages], [Image.fromarray(photo)], [anomaly_map])
    with torch.no_grad():
        first = model(**inputs).logits[0, -1].log_softmax(dim=-1)
    vocabulary = processor.tokenizer.get_vocab()
    for letter in CHOICES:
        ids = [vocabulary[form] for form in (letter, f"▁{letter}") if form in vocabulary]
        assert record["choice_scores"][letter] == pytest.approx(float(first[ids].logsumexp(0)), abs=1e-3)
    assert letter_scores(first, processor.tokenizer, ["\N{SNOWMAN}"]) is None


def test_a_batch_that_fails_is_halved_until_the_culprit_is_alone() -> None:
    tried = []

    def step(batch: Any) -> None:
        tried.append(len(batch))
        if len(batch) > 2:
            raise torch.OutOfMemoryError("too many")
        if any(dialogue.row["question"] == "bad" for dialogue in batch):
            raise UserError("it is bad", "ask another one")
        for dialogue in batch:
            dialogue.replies.append("fine")

    rows = [{"image": "a", "question": question, "type": "presence"} for question in ("x", "y", "bad", "z", "w")]
    outcomes = list(batches.in_batches([Dialogue(row, None, 1) for row in rows], step))
    assert sorted(o.row["question"] for o in outcomes if isinstance(o, Dialogue)) == ["w", "x", "y", "z"]
    assert [o.name for o in outcomes if isinstance(o, LeftOut)] == ["a: bad"] and max(tried) == 5


def test_few_photos_are_open_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "PIXELS", 300)
    opened, most = set[int](), 0

    def dialogues() -> Iterator[Dialogue[int]]:
        for i in range(40):
            opened.add(i // 2)
            yield Dialogue({"image": str(i // 2), "question": f"{i}?", "type": "presence"}, i, 100)

    def step(batch: Any) -> None:
        nonlocal most
        most = max(most, len({dialogue.row["image"] for dialogue in batch}))
        for dialogue in batch:
            dialogue.replies.append("fine")

    assert len(list(batches.in_batches(dialogues(), step))) == 40 and most == 3


# ---- a plain model


@pytest.fixture(scope="module")
def base_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    path = tmp_path_factory.mktemp("bases")

    def build(family: str) -> Path:
        if not (path / family).is_dir():
            config, processor = FAMILIES[family]()
            torch.manual_seed(0)
            AutoModelForImageTextToText.from_config(config).save_pretrained(path / family)
            processor.save_pretrained(path / family)
        return path / family

    return build


@pytest.mark.parametrize("family", ["llava", "llava_onevision", "qwen2_5_vl", "smolvlm"])
def test_a_plain_model_answers_in_a_batch_as_alone(
    family: str, base_of: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assistant.evaluation.answering.plain.MAX_NEW_TOKENS", 5)
    rows = rows_about(2, references=2)
    plain = Model.of(str(base_of(family)), plain=True).open()
    assert isinstance(plain, Plain)
    together = answered(plain.answers(subjects(rows), folder))
    monkeypatch.setattr(batches, "BATCH", 1)
    alone = answered(plain.answers(subjects(rows), folder))
    for key, record in together.items():
        assert record["prediction"] == alone[key]["prediction"] and record["earlier"] == alone[key]["earlier"]
        assert record["inspection"] is None and record["contradictions"] is None
        assert "inspector" not in record["prediction"] and record["question"] not in record["prediction"]
        if record["choices"]:
            assert record["choice_scores"] == pytest.approx(alone[key]["choice_scores"], abs=1e-3)


@pytest.mark.parametrize("forced", ["No.", "Yes, it is defective."])
def test_only_new_tokens_are_read(forced: str, base_of: Any, folder: Path) -> None:
    """The prompt itself says yes and no; what the model is made to say is all that may count."""
    plain = Model.of(str(base_of("llava")), plain=True).open()
    assert isinstance(plain, Plain)
    tokenizer = plain.processor.tokenizer
    answer = torch.tensor([*tokenizer(forced, add_special_tokens=False).input_ids, tokenizer.eos_token_id])
    said = 0

    def force(module: Any, given: Any, kwargs: dict[str, Any], output: Any) -> Any:
        nonlocal said
        said = 0 if kwargs["input_ids"].shape[1] > 1 else said + 1  # the prompt comes first, then token by token
        output.logits[:, -1] = -100.0
        output.logits[:, -1, answer[said]] = 100.0
        return output

    plain.model.register_forward_hook(force, with_kwargs=True, prepend=True)
    question = {"question": "Yes or no: is it defective? Yes. No.", "choices": None, "turns": ["Yes? No?"]}
    rows = [rows_about(1)[0] | question, rows_about(1)[0]]
    records = list(plain.answers([rows], folder))
    assert len(records) == 2
    for record in records:
        assert not isinstance(record, LeftOut)
        assert record["prediction"] == forced and all(reply == forced for reply in record["earlier"])


def test_a_model_that_is_not_plain_or_not_there_is_told(tmp_path: Path, tiny_checkpoint: Path) -> None:
    with pytest.raises(UserError, match="with our parts"):
        Model.of(str(tiny_checkpoint), plain=True).open()
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(UserError, match="no usable vision-language model"):
        Model.of(str(tmp_path), plain=True).open()
    with pytest.raises(UserError, match="not both"):
        Model.of("gpt", plain=True, endpoint="http://localhost")


# ---- an endpoint


class Server:
    """Speaks the protocol on a port of this machine; `plan` says how it treats the coming requests."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.plan: list[tuple[int, dict[str, Any]]] = []
        self.at_once = self.most = 0
        server, lock = self, threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with lock:
                    server.at_once += 1
                    server.most = max(server.most, server.at_once)
                    server.requests.append(body)
                    server.headers.append(dict(self.headers))
                    status, answer = server.plan.pop(0) if server.plan else (200, server.reply(body))
                data = json.dumps(answer).encode()
                with lock:
                    server.at_once -= 1
                self.send_response(status if self.path == "/v1/chat/completions" else 404)
                self.send_header("Content-Length", str(len(data)))
                self.send_header("Retry-After", "0")
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: Any) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}/v1"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    @staticmethod
    def reply(body: dict[str, Any]) -> dict[str, Any]:
        """Says how many pictures it was shown and what it was asked last."""
        items = [item for message in body["messages"] for item in message["content"]]
        pictures = sum(item["type"] == "image_url" for item in items)
        choice: dict[str, Any] = {"message": {"content": f" {pictures} pictures; {items[-1]['text']}"}}
        if body.get("logprobs"):
            likely = [{"token": " A", "logprob": -0.2}, {"token": "A", "logprob": -3.0}, {"token": "B", "logprob": -2}]
            choice["logprobs"] = {"content": [{"top_logprobs": likely}, {"top_logprobs": []}]}
        return {"choices": [choice]}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv(KEY, "sk-secret")
    running = Server()
    yield running
    running.http.shutdown()
    running.http.server_close()


def test_an_endpoint_is_shown_pictures_and_asked_step_by_step(server: Server, folder: Path) -> None:
    rows = [*rows_about(2), rows_about(1)[0] | {"question": "Alone?", "instruction": "You are an expert on leather."}]
    records = answered(Model.of("vlm", endpoint=server.url).open().answers(subjects(rows), folder))
    assert len(records) == len(rows) and server.most <= 4
    for record in records.values():
        assert record["prediction"].startswith(f"2 pictures; {record['question']}")
        assert len(record["earlier"]) == len(record["turns"] or ())
        assert record["inspection"] is None and record["contradictions"] is None
        assert record["choice_scores"] == ({"A": -0.2, "B": -2.0} if record["choices"] else None)
    opening = [body["messages"][0]["content"][0]["text"] for body in server.requests]
    assert opening.count("You are an expert on leather.") == 1 and set(opening) > {ROLE}
    request = next(body for body in server.requests if len(body["messages"]) == 5)
    assert [message["role"] for message in request["messages"]] == ["user", "assistant"] * 2 + ["user"]
    assert request["model"] == "vlm" and request["temperature"] == 0
    urls = [item["image_url"]["url"] for item in request["messages"][0]["content"] if item["type"] == "image_url"]
    head, _, data = urls[-1].partition(",")
    assert head == "data:image/jpeg;base64"
    sizes = {Image.open(folder / f"part{i}.png").size for i in range(2)}
    assert Image.open(io.BytesIO(base64.b64decode(data))).size in sizes
    assert all(headers["Authorization"] == "Bearer sk-secret" for headers in server.headers)


def test_what_passes_is_tried_again(server: Server, folder: Path) -> None:
    server.plan = [(429, {}), (503, {}), (500, {})]
    rows = rows_about(1)[:1]
    assert len(answered(Model.of("vlm", endpoint=server.url).open().answers([rows], folder))) == 1
    assert len(server.requests) == 4


def test_a_setting_that_the_server_does_not_know_is_left_out(server: Server, folder: Path) -> None:
    def refuse(name: str) -> tuple[int, dict[str, Any]]:
        return 400, {"error": {"code": "unsupported_parameter", "param": name, "message": f"no {name}"}}

    server.plan = [refuse("max_tokens"), refuse("temperature"), refuse("logprobs")]
    row = rows_about(1)[3] | {"turns": None}
    (record,) = answered(Model.of("vlm", endpoint=server.url).open().answers([[row]], folder)).values()
    assert record["choice_scores"] is None and len(server.requests) == 4
    assert server.requests[-1].keys() == {"model", "messages"}


@pytest.mark.parametrize(("status", "message"), [(401, "refuses the key"), (404, "no model"), (503, "does not answer")])
def test_what_does_not_pass_ends_it_and_the_key_is_never_told(
    server: Server, folder: Path, tmp_path: Path, status: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    server.plan = [(status, {"error": {"message": "with sk-secret"}})] * 100
    questions = tmp_path / "questions.jsonl"
    questions.write_text("".join(f"{json.dumps(row)}\n" for row in rows_about(1)))
    with pytest.raises(UserError, match=message) as told:
        evaluate_qa(questions, folder, "vlm", tmp_path / "out", endpoint=server.url)
    server.plan = []
    report = evaluate_qa(questions, folder, "vlm", tmp_path / "out", endpoint=server.url)
    assert report["counts"] == {"presence": len(QUESTIONS)} and report["model"].startswith("vlm at http://127.0.0.1")
    written = "".join(path.read_text() for path in (tmp_path / "out").iterdir())
    assert "sk-secret" not in f"{told.value}{written}{capsys.readouterr()}"


def test_one_refused_question_or_lost_photo_is_left_out(server: Server, folder: Path) -> None:
    server.plan = [(400, {"error": {"message": "content policy, sk-secret"}})]
    rows = [rows_about(1)[0], rows_about(1)[0] | {"image": "nowhere.png"}, rows_about(1)[2]]
    outcomes = list(Model.of("vlm", endpoint=server.url).open().answers([[row] for row in rows], folder))
    out = [outcome for outcome in outcomes if isinstance(outcome, LeftOut)]
    assert len(outcomes) == 3 and len(out) == 2 and "sk-secret" not in str([one.why for one in out])


def test_an_endpoint_that_is_none(server: Server, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match="no URL"):
        Model.of("vlm", endpoint="localhost:8000").open()
    with pytest.raises(UserError, match="no model"):
        list(Model.of("vlm", endpoint=server.url[:-3]).open().answers([rows_about(1)], folder))
    server.plan = [(200, {"hello": "world"})] * 9
    with pytest.raises(UserError, match="not of OpenAI's form"):
        list(Model.of("vlm", endpoint=server.url).open().answers([rows_about(1)], folder))
    monkeypatch.setattr("assistant.evaluation.answering.endpoint.ATTEMPTS", 1)
    with pytest.raises(UserError, match="does not answer"):
        list(Model.of("vlm", endpoint="http://127.0.0.1:1/v1").open().answers([rows_about(1)], folder))
    assert Model.of("vlm", endpoint="http://user:word@host/v1").key == "vlm at host/v1"
