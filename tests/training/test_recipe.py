"""A recipe: what its stages share, and what is skipped, continued, started anew or refused when it is run again."""

import dataclasses
import json
from pathlib import Path

import pytest

from assistant import UserError
from assistant.detectors.fused import FusionHead
from assistant.encoder import ImageEncoder
from tests.small_models import small_encoder
from training import run
from training.config import AssistantConfig, DecoderConfig, EncoderConfig, RecipeConfig
from training.load_config import load_config
from training.recipe import MARK

SIDE = 64


def recipe(*words: str) -> RecipeConfig:
    config = load_config("tiny", ["teacher=t", *words])
    assert isinstance(config, RecipeConfig)
    return config


# ---- reading


def test_tiny_is_its_three_stages():
    encoder, decoder, assistant = recipe().stages
    assert isinstance(encoder, EncoderConfig) and isinstance(decoder, DecoderConfig)
    assert isinstance(assistant, AssistantConfig)
    wanted = [
        load_config("tiny/encoder", ["teacher=t"]),
        *(load_config(f"tiny/{s}", []) for s in ("decoder", "assistant")),
    ]
    assert [encoder, decoder, assistant] == wanted


def test_shared_settings_reach_the_stages_that_know_them():
    encoder, decoder, assistant = recipe("photos=[a, b]", "products=c", "seed=5", "scenes=7", "loss=anomalygpt").stages
    assert all(stage.photos == ("a", "b") and stage.seed == 5 for stage in (encoder, decoder, assistant))
    assert decoder.products == assistant.products == ("c",) and assistant.scenes == 7 and decoder.loss == "anomalygpt"


def test_one_output_holds_all_stages_and_they_find_each_other():
    encoder, decoder, assistant = recipe("output=/out").stages
    assert (encoder.output, decoder.output, assistant.output) == ("/out/encoder", "/out/decoder", "/out/assistant")
    assert decoder.encoder == assistant.encoder == encoder.output and assistant.detector == decoder.output


@pytest.mark.parametrize("minutes", [9.0, 900.0])
def test_the_minutes_are_shared_in_proportion(minutes):
    plain, bounded = recipe().stages, recipe(f"max_minutes={minutes}").stages
    assert sum(stage.max_minutes for stage in bounded) == pytest.approx(minutes)
    ratios = [b.max_minutes / p.max_minutes for p, b in zip(plain, bounded, strict=True)]
    assert ratios == pytest.approx([ratios[0]] * 3)


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("photoos=x", "unknown key 'photoos' for recipe: did you mean 'photos'?"), ("init=x", "unknown key 'init'"),
        ("stages=[]", "'stages' is not set: list the presets"), ("stages=[tiny/e]", "no configuration 'tiny/e'"),
        ("stages=[tiny]", "unknown stage 'recipe'"), ("max_minutes=soon", "max_minutes='soon' is not a valid float"),
        ("scenes=many", "scenes='many'"), ("loss=none", "unknown loss 'none'"),
    ],
)  # fmt: skip
def test_what_no_stage_understands_is_refused(word, message):
    with pytest.raises(UserError) as error:
        recipe(word)
    assert message in str(error.value)


def test_what_is_missing_of_a_stage_is_named():
    with pytest.raises(UserError, match="'teacher' is not set: add teacher=VALUE"):
        load_config("tiny", [])


# ---- running: two small decoders, the second upon the first


@pytest.fixture
def pair(tmp_path: Path) -> RecipeConfig:
    small_encoder(SIDE).save_pretrained(tmp_path / "encoder")
    first = DecoderConfig(
        encoder=str(tmp_path / "encoder"), output=str(tmp_path / "first"), calibration_scenes=4, max_steps=1,
        batch_size=2, save_steps=1, warmup_steps=0, workers=0,
    )  # fmt: skip
    second = dataclasses.replace(first, init=first.output, output=str(tmp_path / "second"), max_steps=2)
    return RecipeConfig(("one", "two"), (first, second))


def steps_of(stage: DecoderConfig) -> list[int]:
    folders = (Path(stage.output) / "checkpoints").glob("checkpoint-*")
    return sorted(int(folder.name.removeprefix("checkpoint-")) for folder in folders)


def changed(config: RecipeConfig, number: int, **values: object) -> RecipeConfig:
    stages = list(config.stages)
    stages[number] = dataclasses.replace(stages[number], **values)
    return dataclasses.replace(config, stages=tuple(stages))


def test_finished_stages_are_skipped_and_more_time_is_passed_on(pair, capfd):
    run(pair)
    first, second = pair.stages
    assert steps_of(first) == [1] and steps_of(second) == [1, 2]
    FusionHead.load(second.output)
    made = {stage: (Path(stage.output) / "detector.safetensors").stat().st_mtime_ns for stage in pair.stages}
    capfd.readouterr()
    run(pair)
    assert capfd.readouterr().err.count("finished before") == 2
    assert all((Path(s.output) / "detector.safetensors").stat().st_mtime_ns == made[s] for s in pair.stages)

    (Path(second.output) / "checkpoints" / "of the old first").mkdir()
    run(changed(pair, 0, max_steps=3))  # goes on from step 1; the second was built on what is no more
    assert steps_of(first) == [2, 3] and steps_of(second) == [1, 2]
    assert not (Path(second.output) / "checkpoints" / "of the old first").exists()


def test_an_interrupted_stage_goes_on_and_the_one_before_is_left_alone(pair, monkeypatch, capfd):
    with monkeypatch.context() as patch:
        patch.setattr("training.decoder_stage.calibrate_head", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        first = pair.stages[0]
        with pytest.raises(KeyboardInterrupt):
            run(pair)
    assert steps_of(first) == [1] and not json.loads((Path(first.output) / MARK).read_text())["finished"]
    saved = Path(first.output) / "checkpoints" / "checkpoint-1" / "model.safetensors"
    written = saved.stat().st_mtime_ns
    run(pair)
    assert saved.stat().st_mtime_ns == written, "its first step was not taken again"
    assert "finished before" not in capfd.readouterr().err
    assert all(json.loads((Path(stage.output) / MARK).read_text())["finished"] for stage in pair.stages)


def test_other_settings_are_refused_rather_than_mixed_and_resume_false_starts_anew(pair):
    run(pair)
    other = changed(pair, 1, seed=9)
    with pytest.raises(UserError, match="second was trained with seed=0, not 9: give another output=FOLDER, or resume"):
        run(other)
    assert steps_of(pair.stages[1]) == [1, 2], "nothing was touched"
    anew = changed(changed(other, 1, resume=False, max_steps=1), 0, resume=False)
    run(anew)
    assert steps_of(pair.stages[1]) == [1]


def test_a_damaged_mark_is_named(pair):
    Path(pair.stages[0].output).mkdir()
    (Path(pair.stages[0].output) / MARK).write_text("{")
    with pytest.raises(UserError, match="stage.json is damaged: give another output"):
        run(pair)


def test_tiny_from_one_command(tmp_path, monkeypatch):
    """All three stages, in small, chained by the recipe alone."""
    from functools import partial

    from transformers import CLIPVisionConfig, CLIPVisionModel

    from assistant.assistant import Assistant
    from training import assistant_stage, encoder_stage, tokenizer
    from training.tiny import build_tiny_model

    monkeypatch.setattr(tokenizer, "CORPUS", 100)
    sizes = {"hidden_size": 64, "num_layers": 2, "num_heads": 2}
    monkeypatch.setattr(assistant_stage, "build_tiny_model", partial(build_tiny_model, **sizes))
    config = small_encoder(SIDE).config
    monkeypatch.setattr(encoder_stage, "CompactEncoderConfig", lambda: config)
    vision = CLIPVisionConfig(
        hidden_size=16, intermediate_size=16, num_hidden_layers=4, num_attention_heads=2, image_size=SIDE, patch_size=16
    )
    CLIPVisionModel(vision).save_pretrained(tmp_path / "teacher")
    words = [
        f"teacher={tmp_path / 'teacher'}", "teacher_levels=[1, 2, 3, 4]", f"output={tmp_path / 'out'}", "max_steps=1",
        "batch_size=2", "workers=0", "calibration_scenes=4", "scenes=2", "vocabulary=600", "max_minutes=9",
    ]  # fmt: skip
    run(load_config("tiny", words))
    assistant = Assistant.from_pretrained(str(tmp_path / "out" / "assistant"))
    assert isinstance(assistant.encoder, ImageEncoder) and assistant.language is not None
    marks = sorted((tmp_path / "out").glob(f"*/{MARK}"))
    assert len(marks) == 3 and all(json.loads(mark.read_text())["finished"] for mark in marks)
