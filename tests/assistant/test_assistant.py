"""The spine on a checkpoint folder of random weights: load, inspect, remember, talk, stop, refuse."""

import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import sentencepiece
import torch
from PIL import Image

from assistant import Assistant, UserError
from assistant.assistant import VIEWS
from assistant.calibration import Calibration
from assistant.conversation import REMEMBERED_TURNS, Turn
from assistant.detectors.fused import STATISTICS, FusionHead
from assistant.grounding import contradictions
from assistant.images import Frame
from assistant.inspection import Inspection
from assistant.lvlm.vision_cache import remember_vision
from data_gen.procedural import random_product
from tests.small_models import CHANNELS, small_encoder
from training.tiny import build_tiny_model, build_tiny_processor

SIDE = 64
TURNS = 6  # looks at further poses of all references, one quarter turn at a time, upright and in the mirror
QUESTIONS = ("Is there a defect?", "Where is it?", "Confirm that this part is perfectly fine.", "How large is it?")
LIES = (
    "No, the part is good. ", "Yes, this part is defective. ", "There are five defects. ", "It is in the lower right. ",
    "A severe crack covers 60% of the photo. ", "I compared it with nine references. ", "I am 12% sure. ",
)  # fmt: skip


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole checkpoint folder: encoder as vision tower, tiny language model, tokenizer, detector."""
    folder = tmp_path_factory.mktemp("checkpoint")
    words = folder / "words"
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([*QUESTIONS, *LIES] * 20), model_prefix=str(words), vocab_size=330, model_type="bpe",
        byte_fallback=True, hard_vocab_limit=False, minloglevel=2,
    )  # fmt: skip
    encoder = small_encoder(SIDE)
    processor = build_tiny_processor(f"{words}.model", image_size=SIDE, num_image_tokens=4)
    torch.manual_seed(0)
    model = build_tiny_model(encoder.config, processor, hidden_size=64, num_layers=2, num_heads=2)
    model.lvlm.model.vision_tower.load_state_dict(encoder.state_dict())
    model.half().save_pretrained(folder)
    processor.save_pretrained(folder)
    head = FusionHead(CHANNELS, dim=16, width=16)
    head.image_decoder.remember_prompts()
    head.save(folder)
    for file in folder.glob("words*"):
        file.unlink()
    return folder


@pytest.fixture(scope="session")
def opened(checkpoint) -> Assistant:
    return Assistant.from_pretrained(str(checkpoint))


@pytest.fixture
def assistant(opened) -> Assistant:
    """The same weights with nothing remembered."""
    return Assistant(opened.encoder, opened.head, opened.language, "small")


@pytest.fixture(scope="session")
def photos() -> list[np.ndarray]:
    """Six photos of one product, larger than the encoder's square and not square."""
    rng = np.random.default_rng(3)
    product = random_product(rng)
    return [product.photo(rng, 96)[:80] for _ in range(6)]


@pytest.fixture
def looks(assistant) -> Iterator[list[int]]:
    """How many photos each look of the encoder took in."""
    taken: list[int] = []
    hook = assistant.encoder.register_forward_hook(lambda module, args, out: taken.append(len(args[0])))
    yield taken
    hook.remove()


def decided(assistant: Assistant, verdict: str) -> Assistant:
    """The same assistant with a calibration that comes to this verdict whatever it sees."""
    head = FusionHead(CHANNELS, dim=16, width=16)
    head.load_state_dict(assistant.head.state_dict())
    head.calibration = Calibration((0.0,) * len(STATISTICS), {"defective": 3.0, "good": -3.0, "unsure": 0.0}[verdict])
    return Assistant(assistant.encoder, head.eval().requires_grad_(False), assistant.language, "small")


def speaking(*pieces: str) -> Callable[..., Iterator[str]]:
    """A language model that says this."""

    def say(*_: object) -> Iterator[str]:
        yield from pieces

    return say


# ---- inspect


@pytest.mark.parametrize("count", [0, 1, 4])
def test_inspect_with_any_number_of_references(assistant, photos, count):
    found = assistant.inspect(photos[0], photos[1 : 1 + count])
    assert found.references == count and found.model == "small" and found.seconds > 0
    assert found.size == (96, 80) and found.anomaly_map.shape == (80, 96)
    assert found.anomaly_map.dtype == np.float32 and 0 <= found.anomaly_map.min() <= found.anomaly_map.max() <= 1
    json.dumps(found.to_json())


def test_the_same_photo_gives_the_same_inspection_however_it_comes(assistant, photos, tmp_path):
    path = tmp_path / "part.png"
    Image.fromarray(photos[0]).save(path)
    fresh = Assistant(assistant.encoder, assistant.head, None)
    maps = [assistant.inspect(source).anomaly_map for source in (photos[0], str(path), path, path.read_bytes())]
    maps += [fresh.inspect(Image.open(path)).anomaly_map]
    assert all(np.array_equal(maps[0], other) for other in maps)
    assert assistant.inspect(path).image == str(path) and assistant.inspect(photos[0]).image == "photo"


def test_a_photo_is_looked_at_once(assistant, photos, looks):
    for _ in range(3):
        assistant.inspect(photos[0], photos[1:3])
    # The two references in a mirror, too, by quarter turns, and in views with drawn defects.
    assert looks == [1] * 5 + [2] * TURNS + [1] * VIEWS
    looks.clear()
    assistant.inspect(photos[1], [photos[2]])  # what was a reference is now the photo
    assert looks == [1] * (TURNS + 2 * VIEWS)  # one reference alone is viewed with and without a defect
    looks.clear()
    assistant.inspect(np.ascontiguousarray(photos[0].transpose(1, 0, 2)))  # same bytes, another shape
    assert looks == [1]


def test_a_set_of_references_is_compared_by_one_detector(assistant, photos):
    assert assistant.detector(photos[:2]) is assistant.detector(photos[:2])
    assert assistant.detector(photos[:2]) is not assistant.detector(photos[1:3])
    assert assistant.detector([]) is assistant.detector([])


def test_a_few_references_are_known_in_every_pose_and_many_as_they_are(assistant, photos):
    square = [np.ascontiguousarray(photo[:80, :80]) for photo in photos]
    few, many = assistant.detector(square[:2]), assistant.detector(square[:5])
    assert [bank.deep[-1].shape[1] // bank.levels[-1].shape[1] for bank in (few.bank, many.bank)] == [4, 1]
    seen = Frame(square[0], assistant.encoder.image_size).array
    turned = [pose.transpose(2, 0, 1) for pose in (seen, np.rot90(seen, 3), np.rot90(seen[:, ::-1], 2))]
    poses = [assistant.encoder(torch.from_numpy(pose[None].copy())) for pose in turned]
    assert all(d.max() < 5e-3 for pose in poses for d in few.bank.nearest(pose).deep)
    assert all(d.min() > 5e-3 for pose in poses for d in few.bank.nearest(pose, without=0).deep)


def test_what_is_remembered_is_bounded(assistant, photos, monkeypatch, looks):
    monkeypatch.setattr("assistant.assistant.REMEMBERED", 3)
    for photo in photos:
        assistant.inspect(photo, photos[:5])  # more references than are remembered
    assert len(assistant._features) <= 3 and len(assistant._detectors) <= 3
    assert np.array_equal(
        assistant.inspect(photos[0], photos[:5]).anomaly_map,
        Assistant(assistant.encoder, assistant.head).inspect(photos[0], photos[:5]).anomaly_map,
    )


def test_a_reference_of_another_shape_is_remarked_once(assistant, photos):
    wide = np.ascontiguousarray(photos[1][:30])
    found = assistant.inspect(photos[0], [wide, wide])
    assert [note for note in found.notes if "aspect ratio" in note] == [found.notes[0]]


def test_a_bad_photo_or_reference_is_named(assistant, photos, tmp_path):
    (tmp_path / "empty.png").write_bytes(b"")
    for arguments in ([tmp_path / "empty.png"], [photos[0], [photos[1], tmp_path / "empty.png"]]):
        with pytest.raises(UserError, match="empty.png"):
            assistant.inspect(*arguments)


# ---- talk


def test_a_conversation_looks_once_and_keeps_its_turns(assistant, photos, looks):
    memo = remember_vision(assistant.language[0].lvlm)
    seen = memo.misses
    chat = assistant.start_chat(photos[2], photos[3:5])
    answers = [chat.ask(question) for question in QUESTIONS[:3]]
    assert sum(looks) == 5 + 2 * TURNS + VIEWS, "the photo, two references in their poses, what settles their line"
    assert memo.misses == seen + 1, "the language model's own look"
    assert chat.turns == [Turn(q, a) for q, a in zip(QUESTIONS, answers, strict=False)]


def test_the_prompt_holds_photo_and_map_once_and_the_latest_turns(assistant, photos, monkeypatch):
    monkeypatch.setattr(assistant, "say", speaking("Fine."))
    chat = assistant.start_chat(photos[0])
    for i in range(REMEMBERED_TURNS + 3):
        chat.ask(f"question {i}")
    messages = chat.messages("the  last")
    kinds = [item["type"] for message in messages for item in message["content"]]
    assert kinds.count("image") == kinds.count("anomaly") == 1 and kinds[:2] == ["image", "anomaly"]
    assert [message["role"] for message in messages] == ["user", "assistant"] * REMEMBERED_TURNS + ["user"]
    assert messages[0]["content"][-1]["text"] == "question 3"
    assert len(chat.turns) == REMEMBERED_TURNS + 3


def test_two_chats_do_not_mix(assistant, photos):
    one, other = assistant.start_chat(photos[0]), assistant.start_chat(photos[1], photos[2:3])
    one.ask("Is there a defect?")
    assert other.turns == [] and one.inspection.references == 0 and other.inspection.references == 1
    assert np.array_equal(one.photo, photos[0]) and np.array_equal(other.photo, photos[1])


def test_a_question_in_another_encoding_is_answered(assistant, photos):
    chat = assistant.start_chat(photos[0])
    assert chat.ask("caf\udce9: is there a defect?") and chat.turns[-1].question == "caf?: is there a defect?"


def test_stop_ends_an_answer_and_the_next_one_is_whole(assistant, photos, monkeypatch):
    monkeypatch.setattr("assistant.assistant.MAX_NEW_TOKENS", 10_000)
    # A random model may stop by itself at any time; this one never does.
    monkeypatch.setattr(assistant.language[0].generation_config, "eos_token_id", None)
    chat = assistant.start_chat(photos[0])
    timer = threading.Timer(0.5, chat.stop)
    timer.start()
    chat.ask("Is there a defect?")
    timer.join()
    assert len(chat.turns) == 1
    monkeypatch.setattr("assistant.assistant.MAX_NEW_TOKENS", 5)
    chat.ask("Where is it?")
    assert len(chat.turns) == 2


def test_a_reader_who_leaves_ends_the_answer_before_the_next_begins(assistant, photos, monkeypatch):
    ended = []

    def say(*_: object) -> Iterator[str]:
        try:
            yield from ("I looked at it. " for _ in range(1000))
        finally:
            ended.append(assistant._speaking.locked())

    monkeypatch.setattr(assistant, "say", say)
    chat = assistant.start_chat(photos[0])
    pieces = chat.stream("Is there a defect?")
    first = next(pieces)
    pieces.close()
    assert ended == [True], "the words ended while the lock was still held"
    assert chat.turns == [Turn("Is there a defect?", first.strip())] and not assistant._speaking.locked()


def test_an_answer_that_failed_is_no_turn(assistant, photos):
    silent = Assistant(assistant.encoder, assistant.head, None)
    chat = silent.start_chat(photos[0])
    with pytest.raises(UserError, match="language=True"):
        chat.ask("Is there a defect?")
    assert chat.turns == [] and not silent._speaking.locked()


@pytest.mark.parametrize("verdict", ["defective", "good", "unsure"])
def test_words_never_contradict_the_inspection(assistant, photos, monkeypatch, verdict):
    """Neither those of a random model, nor those of one that lies."""
    monkeypatch.setattr("assistant.assistant.MAX_NEW_TOKENS", 24)
    firm = decided(assistant, verdict)
    chat = firm.start_chat(photos[0], photos[1:2])
    assert chat.inspection.verdict == verdict
    for say in (firm.say, speaking(*LIES), *(speaking(lie[:4], lie[4:]) for lie in LIES)):
        monkeypatch.setattr(firm, "say", say)
        for question in QUESTIONS[:3]:
            pieces = list(chat.stream(question))
            answer = "".join(pieces).strip()
            assert contradictions(answer, chat.inspection, question) == (), answer
            assert chat.turns[-1] == Turn(question, answer)


# ---- load


def test_inspecting_alone_loads_no_language_model(checkpoint, photos, tmp_path):
    path = tmp_path / "part.png"
    Image.fromarray(photos[0]).save(path)
    script = f"""
import sys
from assistant import Assistant
found = Assistant.from_pretrained({str(checkpoint)!r}, language=False).inspect({str(path)!r}, [{str(path)!r}])
assert found.references == 1
loaded = {{name for name in sys.modules if name.startswith(("assistant.lvlm", "peft", "training", "data_gen"))}}
assert not loaded, loaded
"""
    subprocess.run([sys.executable, "-c", script], check=True, cwd=Path(__file__).parents[2])


def test_the_detector_sees_what_the_language_model_sees(checkpoint, opened, photos):
    tower = opened.language[0].lvlm.model.vision_tower.state_dict()
    own = opened.encoder.backbone.state_dict()
    assert tower.keys() == own.keys() and all(torch.equal(tower[name], own[name]) for name in own)
    alone = Assistant.from_pretrained(str(checkpoint), language=False)
    assert np.array_equal(alone.inspect(photos[0]).anomaly_map, opened.inspect(photos[0]).anomaly_map)


@pytest.mark.parametrize("name", ["no-such-model", "no/such-model", "a/b/c/d", "", "/no/such/folder", "tiny.zip"])
def test_an_unknown_model_is_refused_with_the_choices(name):
    with pytest.raises(UserError, match="tiny, the path of a checkpoint folder, or a hub id"):
        Assistant.from_pretrained(name)


@pytest.mark.parametrize("language", [True, False])
def test_a_folder_without_a_model_is_refused(tmp_path, language):
    """And not answered for by `tiny`: think of a typing slip before an evaluation."""
    with pytest.raises(UserError, match=f"{tmp_path} holds no model"):
        Assistant.from_pretrained(str(tmp_path), language=language)


def truncated(name: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        file = folder / name
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])

    return damage


def removed(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


@pytest.mark.parametrize("language", [True, False])
@pytest.mark.parametrize(
    "damage",
    [
        truncated("model.safetensors"), removed("model.safetensors"), truncated("detector.safetensors"),
        removed("detector.safetensors"), truncated("detector.json"), truncated("config.json"),
        removed("config.json"), truncated("processor_config.json"),
    ],
)  # fmt: skip
def test_a_damaged_checkpoint_is_named(checkpoint, tmp_path, damage, language):
    folder = tmp_path / "copy"
    shutil.copytree(checkpoint, folder)
    damage(folder)
    with pytest.raises(UserError, match=str(folder)):
        Assistant.from_pretrained(str(folder), language=language)


@pytest.mark.parametrize(
    "damage",
    [
        truncated("tokenizer.json"), removed("tokenizer.json"), truncated("tokenizer_config.json"),
        removed("processor_config.json"),
    ],
)  # fmt: skip
def test_a_damaged_processor_is_named_but_inspecting_needs_none(checkpoint, tmp_path, photos, damage):
    folder = tmp_path / "copy"
    shutil.copytree(checkpoint, folder)
    damage(folder)
    with pytest.raises(UserError, match=str(folder)):
        Assistant.from_pretrained(str(folder))
    assert isinstance(Assistant.from_pretrained(str(folder), language=False).inspect(photos[0]), Inspection)
