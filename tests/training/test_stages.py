"""Every training stage for a few steps on a handful of small pictures, into checkpoints that open again."""

import dataclasses
import json
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from transformers import (
    CLIPConfig,
    CLIPModel,
    CLIPVisionConfig,
    CLIPVisionModel,
    Dinov2Config,
    Dinov2Model,
    MobileNetV2Config,
    MobileNetV2Model,
    ResNetConfig,
    ResNetModel,
)

from assistant import UserError
from assistant.assistant import ENCODER, Assistant
from assistant.compact_encoder import CompactEncoderConfig
from assistant.detectors.fused import STATISTICS, FusionHead
from assistant.encoder import ImageEncoder
from assistant.inspection import KINDS
from assistant.lvlm.checkpoint import load
from tests.small_models import CHANNELS, small_encoder
from training import assistant_stage, encoder_stage, tokenizer
from training.assistant_stage import train_assistant
from training.by_length import ByLength
from training.config import AssistantConfig, DecoderConfig, EncoderConfig
from training.decoder_stage import DecoderTraining, _kind_loss, calibrate, collate, fit_calibration, train_decoder
from training.dialogues import Collator, Dialogues, Example, inspect_scenes
from training.encoder_stage import choose_levels, open_teacher, train_encoder
from training.joint import join
from training.pictures import find_pictures
from training.scenes import Scene, Scenes
from training.tiny import build_tiny_model
from training.trainer import Budget

SIDE = 64
QUICK = {"max_steps": 2, "batch_size": 2, "save_steps": 1, "warmup_steps": 0, "workers": 0, "max_minutes": 10.0}


@pytest.fixture(scope="module")
def encoder_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("encoder")
    small_encoder(SIDE).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def detector_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("detector")
    torch.manual_seed(0)
    FusionHead(CHANNELS, dim=16, width=16).save(folder)
    return folder


def steps_logged(output: Path) -> list[int]:
    folders = (output / "checkpoints").glob("checkpoint-*")
    return sorted(int(folder.name.removeprefix("checkpoint-")) for folder in folders)


# ---- stage 1


@pytest.fixture
def encoder_config(photos, encoder_folder, tmp_path) -> EncoderConfig:
    teacher = CLIPVisionModel(
        CLIPVisionConfig(
            hidden_size=16, intermediate_size=16, num_hidden_layers=4, num_attention_heads=2, image_size=SIDE,
            patch_size=16,
        )
    )  # fmt: skip
    teacher.save_pretrained(tmp_path / "teacher")
    return EncoderConfig(
        **QUICK, output=str(tmp_path / "out"), photos=(str(photos),), init=str(encoder_folder),
        teacher=str(tmp_path / "teacher"), teacher_levels=(1, 2, 3, 4), procedural_share=0.0,
    )  # fmt: skip


def test_the_encoder_stage_writes_an_encoder(encoder_config, encoder_folder):
    train_encoder(encoder_config)
    before, after = ImageEncoder.from_pretrained(encoder_folder), ImageEncoder.from_pretrained(encoder_config.output)
    pixels = torch.rand(1, 3, SIDE, SIDE)
    found = after(pixels).levels
    assert [level.shape for level in found] == [level.shape for level in before(pixels).levels]
    assert not torch.allclose(found[0], before(pixels).levels[0], atol=1e-3), "nothing was learnt"
    assert steps_logged(Path(encoder_config.output)) == [1, 2]


def test_a_missing_teacher_is_named(encoder_config, tmp_path):
    with pytest.raises(UserError, match="no usable vision model.*nowhere"):
        train_encoder(dataclasses.replace(encoder_config, teacher=str(tmp_path / "nowhere")))


TEACHERS = {
    "transformer": lambda: Dinov2Model(Dinov2Config(
        hidden_size=24, num_hidden_layers=4, num_attention_heads=2, image_size=28, patch_size=14)),
    "with a text side": lambda: CLIPModel(CLIPConfig(
        text_config={"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16},
        vision_config={"hidden_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 16,
                       "image_size": 32, "patch_size": 8})),
    "convolutional": lambda: ResNetModel(ResNetConfig(
        embedding_size=8, hidden_sizes=[8, 12, 16, 20], depths=[1, 1, 1, 1], layer_type="basic")),
    "convolutional, one hidden state a block": lambda: MobileNetV2Model(MobileNetV2Config(depth_multiplier=0.25)),
}  # fmt: skip


@pytest.mark.parametrize("family", TEACHERS)
def test_any_vision_model_can_teach_a_new_student(family, photos, tmp_path, monkeypatch):
    config = CompactEncoderConfig(widths=(16, 16, 16, 16), depths=(1, 1, 1, 1), image_size=SIDE, token_grid=2)
    monkeypatch.setattr(encoder_stage, "CompactEncoderConfig", lambda: config)
    torch.manual_seed(0)
    TEACHERS[family]().save_pretrained(tmp_path / "teacher")
    train_encoder(
        EncoderConfig(**QUICK, output=str(tmp_path / "out"), photos=(str(photos),), teacher=str(tmp_path / "teacher"))
    )
    levels = ImageEncoder.from_pretrained(tmp_path / "out")(torch.rand(1, 3, SIDE, SIDE)).levels
    assert [level.shape[-1] for level in levels] == [16, 8, 4, 4, 2]
    teacher = open_teacher(EncoderConfig(output="", teacher=str(tmp_path / "teacher")), [4, 8, 16, 16, 32], SIDE)
    taught = teacher(torch.rand(1, 3, teacher.image_size, teacher.image_size)).levels
    assert [level.shape[1] for level in levels] == [level.shape[1] for level in taught]


def test_the_levels_chosen_of_a_teacher():
    blocks = [(1, 8, 64 // s, 64 // s) for s in (4, 4, 8, 8, 8, 16, 16, 16, 16, 16, 16, 16, 32, 32)]
    assert choose_levels(blocks, 64, [4, 8, 16, 16, 32]) == (1, 4, 8, 11, 13)
    assert choose_levels([(1, 17, 8)] * 13, 64, [4, 8, 16, 16, 32]) == (2, 5, 7, 10, 12)
    assert choose_levels([(1, 8, 32, 32), (1, 8, 16, 16), (1, 8, 8, 8)], 64, [4, 8, 16, 16, 32]) == (1, 2, 2, 2, 2)


@pytest.mark.parametrize("levels", [(1, 2, 3), (1, 2, 3, 9), (1, 2, 3, -6)])
def test_levels_that_the_teacher_has_not_are_named(encoder_config, levels):
    with pytest.raises(UserError, match="do not fit.*5 hidden states: give 4 indices from 0 to 4"):
        train_encoder(dataclasses.replace(encoder_config, teacher_levels=levels))


def test_a_student_of_another_teacher_is_refused(encoder_config, tmp_path):
    TEACHERS["transformer"]().save_pretrained(tmp_path / "other")
    with pytest.raises(UserError, match="was taught by another model.*leave out init"):
        train_encoder(dataclasses.replace(encoder_config, teacher=str(tmp_path / "other")))


# ---- what the stages share: resume and budget


@pytest.fixture
def decoder_config(photos, encoder_folder, tmp_path) -> DecoderConfig:
    return DecoderConfig(
        **QUICK, output=str(tmp_path / "out"), photos=(str(photos),), encoder=str(encoder_folder),
        calibration_scenes=8,
    )  # fmt: skip


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Which scenes were asked for, in order; the loader may run one batch ahead of training."""
    indices: list[int] = []
    original = Scenes.__getitem__

    def note(self: Scenes, index: int) -> Scene:
        indices.append(index)
        return original(self, index)

    monkeypatch.setattr(Scenes, "__getitem__", note)
    return indices


def test_a_stopped_stage_goes_on_at_the_saved_step(decoder_config, asked):
    train_decoder(decoder_config)
    assert asked[:4] == [0, 1, 2, 3]
    output = Path(decoder_config.output)
    state = json.loads((output / "checkpoints" / "checkpoint-2" / "trainer_state.json").read_text())
    assert state["global_step"] == 2

    # Killed while it wrote the third checkpoint: that one is passed over.
    (output / "checkpoints" / "checkpoint-3").mkdir()
    asked.clear()
    train_decoder(dataclasses.replace(decoder_config, max_steps=4))
    assert asked[:4] == [4, 5, 6, 7]
    assert steps_logged(output)[-1] == 4
    used = [json.loads((output / "checkpoints" / f"checkpoint-{n}" / "minutes.json").read_text()) for n in (3, 4)]
    assert 0 < used[0] < used[1]


def test_without_resume_it_starts_anew(decoder_config, asked):
    train_decoder(decoder_config)
    asked.clear()
    train_decoder(dataclasses.replace(decoder_config, resume=False))
    assert asked[:4] == [0, 1, 2, 3]


def test_the_time_budget_ends_training(decoder_config, asked):
    train_decoder(dataclasses.replace(decoder_config, max_steps=1000, max_minutes=1e-4))
    assert 0 < len([i for i in asked if i < 1000]) < 20
    FusionHead.load(decoder_config.output)


# ---- stage 2


def test_the_decoder_stage_writes_a_calibrated_detector(decoder_config, encoder_folder, photos):
    train_decoder(decoder_config)
    head = FusionHead.load(decoder_config.output)
    assert any(weight != 0 for weight in head.calibration.weights)
    assert head.image_decoder.prompts.norm(dim=1).allclose(torch.ones(2 + len(KINDS)), atol=1e-2)
    found = Assistant(ImageEncoder.from_pretrained(encoder_folder), head).inspect(photos / "0.png", [photos / "1.png"])
    assert 0 < found.probability < 1


def test_calibration_scenes_are_never_trained_on(decoder_config, asked):
    train_decoder(decoder_config)
    calibrated = asked[-decoder_config.calibration_scenes :]
    assert min(calibrated) > 1_000_000 > max(asked[: -decoder_config.calibration_scenes])


def test_the_encoder_learns_on_and_travels_along(decoder_config):
    config = dataclasses.replace(decoder_config, tune_encoder=True, learning_rate=0.01)
    train_decoder(config)
    before = ImageEncoder.from_pretrained(config.encoder).backbone.state_dict()
    after = ImageEncoder.from_pretrained(Path(config.output) / ENCODER).backbone.state_dict()
    moved = {name for name, weight in before.items() if not torch.allclose(weight, after[name], atol=2e-3)}
    assert any(name.endswith("weight") for name in moved)
    assert not any("running" in name for name in moved), "batch statistics are those of photos"
    head = FusionHead.load(config.output)
    assert (
        0
        < Assistant(ImageEncoder.from_pretrained(Path(config.output) / ENCODER), head).inspect(good_photo()).probability
        < 1
    )


def good_photo() -> np.ndarray:
    return np.full((SIDE, SIDE, 3), 120, np.uint8)


def test_a_small_defect_counts_as_much_as_a_large_one_in_the_loss_of_kinds():
    kinds = torch.zeros(1, 8, 8, dtype=torch.long)
    kinds[0, :4], kinds[0, 7, 7] = 1, 2  # 32 pixels of one kind, one of another
    right_large, right_small = (torch.zeros(1, len(KINDS), 8, 8) for _ in range(2))
    right_large[:, 0], right_small[:, 1] = 5.0, 5.0
    assert float(_kind_loss(right_large, kinds)) == pytest.approx(float(_kind_loss(right_small, kinds)), rel=1e-4)
    assert float(_kind_loss(right_large, torch.zeros_like(kinds))) == 0.0


def test_the_loss_falls_on_a_fixed_batch(photos, encoder_folder):
    scenes = Scenes([str(photos)], [], SIDE, 2, seed=0)
    batch = collate([scenes[i] for i in range(6)])
    assert batch["pictures"].shape[0] == 6 + 2 * batch["counts"].sum()  # references also in a mirror
    torch.manual_seed(0)
    model = DecoderTraining(ImageEncoder.from_pretrained(encoder_folder), FusionHead(CHANNELS, dim=16, width=16))
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    losses = []
    for _ in range(12):
        loss = model(**batch)["loss"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert np.mean(losses[-3:]) < 0.95 * np.mean(losses[:3])


def test_a_batch_of_good_photos_has_a_loss(photos, encoder_folder):
    scenes = Scenes([str(photos)], [], SIDE, 2, seed=0)
    good = [scene for i in range(20) if not (scene := scenes[i]).defective]
    model = DecoderTraining(ImageEncoder.from_pretrained(encoder_folder), FusionHead(CHANNELS, dim=16, width=16))
    loss = model(**collate(good[:2]))["loss"]
    loss.backward()
    assert torch.isfinite(loss)


WAYS = ("one reference", "several", "alone")


def made_up(count: int, way: str, rng: np.random.Generator, apart: float) -> tuple[np.ndarray, np.ndarray]:
    """Made-up statistics of good and defective scenes, whose evidence lies `apart` standard deviations apart."""
    labels = np.arange(count) % 2 == 1
    rows = np.zeros((count, len(STATISTICS)))
    for column, name in enumerate(STATISTICS):
        if name.endswith(way):
            scale = {"logit": 1, "deep distance": 10, "contrast": 0.1}.get(name.split(",")[0])
            rows[:, column] = 1 if scale is None else scale * (rng.normal(size=count) + apart * labels)
    return rows, labels


@pytest.mark.parametrize("apart", [3.0, 30.0])
def test_the_calibration_tells_good_from_defective_with_and_without_references(apart):
    rng = np.random.default_rng(0)
    ways = [made_up(200, way, rng, apart) for way in WAYS]
    calibration = calibrate(np.concatenate([rows for rows, _ in ways]), np.concatenate([labels for _, labels in ways]))
    for rows, labels in ways:
        probabilities = np.array([calibration.probability(row) for row in rows])
        assert np.mean((probabilities > 0.5) == labels) > 0.9
        worse = [calibration.probability(row * 1.1) >= calibration.probability(row) for row in rows[labels]]
        assert np.mean(worse) > 0.9


@pytest.mark.parametrize("way", WAYS)
def test_without_scenes_of_the_other_ways_one_is_calibrated_all_the_same(way):
    rows, labels = made_up(100, way, np.random.default_rng(0), 3.0)
    calibration = calibrate(rows, labels)
    assert np.isfinite([*calibration.weights, calibration.bias]).all()
    probabilities = np.array([calibration.probability(row) for row in rows])
    assert np.mean((probabilities > 0.5) == labels) > 0.9


def test_scenes_of_one_class_alone_do_not_fail(encoder_folder, photos, monkeypatch):
    """As a slip in `products` can cause: all scenes are good."""
    monkeypatch.setattr(Scenes, "_finish", lambda self, photo, references, rng: whole(photo, references))
    model = DecoderTraining(ImageEncoder.from_pretrained(encoder_folder), FusionHead(CHANNELS, dim=16, width=16))
    found = fit_calibration(model.eval(), Scenes([str(photos)], [], SIDE, 1, seed=0), 4)
    assert np.isfinite([*found.weights, found.bias]).all()


def whole(photo, references):
    return Scene(photo, np.zeros(photo.shape[:2], np.uint8), tuple(references))


# ---- stage 3


@pytest.fixture(scope="module")
def narrow() -> Iterator[None]:
    """A new language model is narrower, and its vocabulary learnt from fewer dialogues."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tokenizer, "CORPUS", 100)
        sizes = {"hidden_size": 64, "num_layers": 2, "num_heads": 2}
        patch.setattr(assistant_stage, "build_tiny_model", partial(build_tiny_model, **sizes))
        yield


@pytest.fixture(scope="module")
def trained(photos, encoder_folder, detector_folder, tmp_path_factory, narrow) -> AssistantConfig:
    """The stage was run; its output is a checkpoint folder that the other tests start from."""
    config = AssistantConfig(
        **QUICK, output=str(tmp_path_factory.mktemp("trained")), photos=(str(photos),), encoder=str(encoder_folder),
        detector=str(detector_folder), scenes=2, vocabulary=600,
    )  # fmt: skip
    train_assistant(config)
    return config


@pytest.fixture
def again(trained, tmp_path) -> AssistantConfig:
    """The settings to go on from what `trained` wrote, in another folder."""
    return dataclasses.replace(trained, init=trained.output, output=str(tmp_path / "again"))


def weights_of(folder: Path) -> dict[str, torch.Tensor]:
    return {name: weight for file in folder.glob("*.safetensors") for name, weight in load_file(file).items()}


def test_the_assistant_stage_writes_a_folder_that_opens_alone(trained, photos, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(trained.output, copy, ignore=shutil.ignore_patterns("checkpoints", "tokenizer"))
    assistant = Assistant.from_pretrained(str(copy))
    assert not (copy / "encoder").exists(), "the model sees the map with its own eyes"
    # The tower came through training as it was, batch norm included: the detector knows no other.
    pixels = torch.rand(1, 3, SIDE, SIDE)
    before = ImageEncoder.from_pretrained(trained.encoder)(pixels).levels
    assert all(torch.allclose(a, b, atol=2e-2) for a, b in zip(assistant.encoder(pixels).levels, before, strict=True))
    chat = assistant.start_chat(photos / "0.png", [photos / "1.png"])
    assert isinstance(chat.ask("Is there a defect?"), str)


@pytest.mark.parametrize(("tuning", "decoder_loss"), [("full", 0), ("lora", 0), ("full", 1), ("lora", 1)])
def test_a_stopped_assistant_stage_goes_on_with_the_weights_it_had(again, tuning, decoder_loss, monkeypatch):
    asked, began, original = [], [], ByLength.__getitem__
    monkeypatch.setattr(ByLength, "__getitem__", lambda self, i: asked.append(i) or original(self, i))

    def note(self: Budget, *_: object, model: torch.nn.Module, **__: object) -> None:
        began.append({name: weight.clone() for name, weight in model.named_parameters() if weight.requires_grad})

    monkeypatch.setattr(Budget, "on_train_begin", note)
    config = dataclasses.replace(
        again, tuning=tuning, learning_rate=0.05, decoder_loss=decoder_loss, calibration_scenes=4
    )
    train_assistant(dataclasses.replace(config, max_steps=1))
    saved = weights_of(Path(config.output) / "checkpoints" / "checkpoint-1")
    asked.clear()
    train_assistant(config)
    assert asked[:2] == [2, 3]
    fresh, resumed = began
    for name, weight in resumed.items():  # saved under other names, so found by its values
        assert weight.dtype == torch.float32, f"{name} would be trained in half precision"
        assert any(torch.equal(weight, stored) for stored in saved.values() if stored.shape == weight.shape), name
    assert any(not torch.equal(weight, fresh[name]) for name, weight in resumed.items())


def test_adapters_are_trained_on_a_given_model_and_merged(again):
    train_assistant(dataclasses.replace(again, tuning="lora", learning_rate=0.05))
    old, new = weights_of(Path(again.init)), weights_of(Path(again.output))
    changed = {name for name in old if not torch.equal(old[name], new[name])}
    assert old.keys() == new.keys()
    assert any("q_proj" in name for name in changed) and any("prompt_learner" in name for name in changed)
    assert not any("vision_tower" in name or "embed_tokens" in name for name in changed)


def test_the_prompt_learner_alone_is_trained(again):
    train_assistant(dataclasses.replace(again, tuning="prompt", learning_rate=0.05))
    old, new = weights_of(Path(again.init)), weights_of(Path(again.output))
    changed = {name for name in old if not torch.equal(old[name], new[name])}
    assert changed and all("prompt_learner" in name for name in changed)


def test_a_model_taught_on_sees_with_the_new_encoder(again, tmp_path):
    encoder = ImageEncoder.from_pretrained(again.encoder)
    with torch.no_grad():
        next(encoder.backbone.parameters()).mul_(1.5)
    encoder.save(tmp_path / "distilled")
    train_assistant(dataclasses.replace(again, encoder=str(tmp_path / "distilled"), max_steps=1))
    assert not (Path(again.output) / "encoder").exists(), "one look serves the map and the words"


def test_another_vision_model_as_encoder_travels_along(again, tmp_path):
    """A language model with a vision tower of its own, and a detector that looks through another one."""
    small_encoder(SIDE, seed=9).save_pretrained(tmp_path / "other")
    train_assistant(dataclasses.replace(again, tuning="lora", encoder=str(tmp_path / "other")))
    pixels = torch.rand(1, 3, SIDE, SIDE)
    found = Assistant.from_pretrained(again.output, language=False).encoder(pixels).levels
    wanted = ImageEncoder.from_pretrained(tmp_path / "other")(pixels).levels
    assert all(torch.allclose(a, b, atol=1e-3) for a, b in zip(found, wanted, strict=True))


def test_dialogue_i_is_the_same_whatever_the_order(encoder_folder, detector_folder, photos):
    inspector = Assistant(ImageEncoder.from_pretrained(encoder_folder), FusionHead.load(detector_folder))
    photo = Scenes([str(photos)], [], SIDE, 1, seed=0)[0].photo
    examples = [Example(photo, inspector.inspect(photo))]
    one, other = (Dialogues(examples, (3, 8), seed=3) for _ in range(2))
    forth, back = [one[i] for i in range(6)], [other[i] for i in reversed(range(6))][::-1]
    for a, b in zip(forth, back, strict=True):
        assert a["messages"] == b["messages"] and np.array_equal(a["anomaly_maps"], b["anomaly_maps"])
        assert a["anomaly_maps"][0].shape == photo.shape[:2], "inspected and invented maps are of one size"
    assert len({str(row["messages"]) for row in forth}) == 6


# ---- stage 3, with the detector


@pytest.fixture
def together(again) -> AssistantConfig:
    return dataclasses.replace(again, decoder_loss=1.0, calibration_scenes=8, learning_rate=0.01)


def dialogues_with_scenes(config: AssistantConfig, photos: Path) -> tuple[ImageEncoder, FusionHead, Dialogues]:
    encoder, head = ImageEncoder.from_pretrained(config.encoder), FusionHead.load(config.detector)
    scenes = Scenes([str(photos)], [], SIDE, 2, seed=0)
    examples = inspect_scenes(Assistant(encoder, head), scenes, 3, keep=True)
    return encoder, head, Dialogues(examples, (3, 4), seed=0)


def test_the_maps_of_inspected_photos_carry_a_gradient_and_invented_ones_stay(together, photos):
    encoder, head, dialogues = dialogues_with_scenes(together, photos)
    model, processor = load(together.init)
    model = join(model, DecoderTraining(encoder, head.requires_grad_(True)), weight=0.0).train()
    seen: list[torch.Tensor] = []
    model.prompt_learner.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    rows = [dialogues[i] for i in range(8)]
    batch = Collator(processor)(rows)
    inspected = batch["inspected"]
    assert 0 < inspected.sum() < len(rows)
    out = model(**batch, num_items_in_batch=(batch["labels"][:, 1:] >= 0).sum())
    out.loss.backward()
    # the maps' own loss counts nothing here, so what the head learns comes from the answers
    assert head.body[0].weight.grad.abs().sum() > 0
    for own, row, drawn in zip(inspected, rows, seen[0].detach().numpy(), strict=True):
        given = row["anomaly_maps"][0]
        wanted = (Assistant(encoder, head).inspect(row["scene"].photo, list(row["scene"].references)).anomaly_map
                  if own else given)  # fmt: skip
        assert np.allclose(drawn, wanted, atol=1e-4), "as serving draws it" if own else "left as invented"


def test_the_loss_of_the_maps_is_added_by_its_weight_and_share_of_tokens(together, photos):
    encoder, head, dialogues = dialogues_with_scenes(together, photos)
    model, processor = load(together.init)
    decoder = DecoderTraining(encoder, head)
    batch = Collator(processor)([dialogues[i] for i in range(4)])
    tokens = (batch["labels"][:, 1:] >= 0).sum()
    torch.manual_seed(0)  # the prompts' wording is drawn
    alone = decoder(**batch["scenes"])["loss"]
    losses = []
    for weight in (0.0, 2.0):
        torch.manual_seed(0)
        losses.append(join(model, decoder, weight).eval()(**batch, num_items_in_batch=2 * tokens).loss)
    torch.testing.assert_close(losses[1] - losses[0], alone)


def test_a_batch_without_maps_trains_the_language_model_alone(together, photos):
    encoder, head, _ = dialogues_with_scenes(together, photos)
    model, processor = load(together.init)
    words = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "What is it?"}]}]
    row = {"messages": [*words, {"role": "assistant", "content": "A cap."}], "images": [Image.new("RGB", (64, 64))]}
    batch = Collator(processor)([{**row, "anomaly_maps": []}])
    plain = model(**batch).loss
    model = join(model, DecoderTraining(encoder, head.requires_grad_(True)), 1.0)
    loss = model(**batch).loss
    loss.backward()
    torch.testing.assert_close(loss, plain)
    assert head.body[0].weight.grad is not None, "processes that train together wait for every part"


@pytest.mark.parametrize("tuning", ["full", "lora"])
def test_the_detector_is_trained_along_and_the_folder_opens_alone(together, photos, tuning):
    train_assistant(dataclasses.replace(together, tuning=tuning))
    before, after = FusionHead.load(together.detector), FusionHead.load(together.output)
    moved = [not torch.equal(a, b) for a, b in zip(before.parameters(), after.parameters(), strict=True)]
    assert np.mean(moved) > 0.9 and any(weight != 0 for weight in after.calibration.weights)
    assert not any("joint_decoder" in name for name in weights_of(Path(together.output)))
    assistant = Assistant.from_pretrained(together.output)
    assert isinstance(assistant.start_chat(photos / "0.png").ask("Is there a defect?"), str)
    assert "head" not in json.loads((Path(together.output) / "config.json").read_text())


# ---- scenes


@pytest.fixture(scope="module")
def scenes(photos) -> Scenes:
    return Scenes([str(photos)], [str(photos)], SIDE, 4, seed=1)


def test_scene_i_is_the_same_whatever_the_order(scenes, photos):
    again = Scenes([str(photos)], [str(photos)], SIDE, 4, seed=1)
    forth, back = [scenes[i] for i in range(6)], [again[i] for i in reversed(range(6))][::-1]
    for a, b in zip(forth, back, strict=True):
        assert np.array_equal(a.photo, b.photo) and np.array_equal(a.kinds, b.kinds)
        assert len(a.references) == len(b.references)
        assert all(map(np.array_equal, a.references, b.references))


def test_half_of_the_scenes_are_good_and_references_are_few(scenes):
    drawn = [scenes[i] for i in range(60)]
    assert 0.3 < np.mean([scene.defective for scene in drawn]) < 0.7
    assert {len(scene.references) for scene in drawn} == {0, 1, 2, 3, 4}
    for scene in drawn:
        assert scene.photo.shape == (SIDE, SIDE, 3) and scene.kinds.shape == (SIDE, SIDE)
        assert all(reference.shape == scene.photo.shape for reference in scene.references)
        assert scene.kinds.max() <= len(KINDS)


def test_another_seed_draws_other_scenes(scenes, photos):
    other = Scenes([str(photos)], [str(photos)], SIDE, 4, seed=2)
    assert not np.array_equal(scenes[0].photo, other[0].photo)


def test_an_empty_folder_is_named(tmp_path):
    with pytest.raises(UserError, match=f"{tmp_path}.*name a folder that holds photos"):
        find_pictures([str(tmp_path)])
