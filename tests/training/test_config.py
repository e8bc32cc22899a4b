"""YAML and key=value words: what is read, and what is refused with a hint."""

import dataclasses
import re
from operator import attrgetter
from pathlib import Path
from typing import get_type_hints

import pytest

from assistant import UserError
from training.config import CONFIGS, AssistantConfig, DecoderConfig, EncoderConfig
from training.load_config import PRESETS, load_config, presets

NAMES = [name for name in presets() if "stage: recipe" not in (PRESETS / f"{name}.yaml").read_text()]


@pytest.fixture
def yaml(tmp_path: Path) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text("stage: decoder\nencoder: runs/encoder\noutput: runs/decoder\nphotos: [a, b]\nmax_minutes: 5\n")
    return path


def refused(yaml: Path, *overrides: str) -> str:
    with pytest.raises(UserError) as error:
        load_config(str(yaml), list(overrides))
    assert "\n" not in str(error.value), "one line"
    return str(error.value)


def required(kind: type, section: str = "") -> list[str]:
    """The settings without a default, as the command line names them."""
    hints, names = get_type_hints(kind), []
    for field in dataclasses.fields(kind):
        if dataclasses.is_dataclass(hints[field.name]):
            names += required(hints[field.name], f"{field.name}.")
        elif field.default is dataclasses.MISSING:
            names.append(section + field.name)
    return names


@pytest.mark.parametrize("name", NAMES)
def test_every_preset_loads_once_what_it_leaves_open_is_given(name):
    kind = next(kind for stage, kind in CONFIGS.items() if f"stage: {stage}" in (PRESETS / f"{name}.yaml").read_text())
    config = load_config(name, [f"{key}=somewhere" for key in required(kind)])
    assert type(config) is kind and all(attrgetter(key)(config) == "somewhere" for key in required(kind))
    assert config.max_steps > 0 and config.max_minutes > 0 and config.learning_rate > 0
    # The command in the preset's comment is complete.
    lines = (PRESETS / f"{name}.yaml").read_text().splitlines()
    command = next(line for line in lines if "anomaly-assistant train" in line)
    assert f" {name} " in f"{command} "
    given = [key for key in required(kind) if f"{key}=" in command]
    load_config(name, [f"{key}=somewhere" for key in given])


def test_the_presets_of_tiny_fit_together():
    encoder = load_config("tiny/encoder", ["teacher=t"])
    decoder, assistant = load_config("tiny/decoder", []), load_config("tiny/assistant", [])
    assert isinstance(encoder, EncoderConfig) and isinstance(decoder, DecoderConfig)
    assert isinstance(assistant, AssistantConfig)
    assert decoder.encoder == encoder.output == assistant.encoder and assistant.detector == decoder.output


LARGE = ["llava-1.5-7b", "llava-onevision-0.5b", "llava-onevision-7b", "qwen2.5-vl-3b", "qwen2.5-vl-7b", "smolvlm"]


@pytest.mark.parametrize("tuning", ["lora", "qlora"])
@pytest.mark.parametrize("model", LARGE)
def test_the_presets_of_larger_models_need_nothing_more(model, tuning):
    config = load_config(f"{model}/{tuning}", [])
    assert isinstance(config, AssistantConfig) and config.tuning == tuning and config.gradient_checkpointing
    assert config.detector == config.encoder == "tiny" and config.output == f"runs/{model}/{tuning}"
    assert config.init and re.fullmatch(r"(llava-hf|Qwen|HuggingFaceTB)/[\w.-]+", config.init)
    assert config.batch_size * config.accumulation == 32, "the same rows a step, however they fit"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["tuning=lorra", "init=x"],
            "unknown tuning 'lorra': set tuning to one of full, prompt, lora, dora, rslora, qlora",
        ),
        (["tuning=lora"], "tuning=lora needs a model to adapt"),
        (["lora=true"], "unknown key 'lora'"),
        (["tuning=lora", "init=x", "rank=0"], "rank=0 leaves nothing to train"),
    ],
)
def test_a_tuning_that_cannot_be_is_refused(words, message):
    with pytest.raises(UserError, match=message):
        load_config("tiny/assistant", words)


def test_words_on_the_command_line_replace_what_the_file_says(yaml):
    config = load_config(str(yaml), ["max_minutes=7", "photos=c", "seed=3", "resume=false", "init=runs/old"])
    assert config == DecoderConfig(
        encoder="runs/encoder", output="runs/decoder", photos=("c",), max_minutes=7.0, seed=3, resume=False,
        init="runs/old",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("learning_rate=1e-3", 0.001), ("learning_rate=0.5", 0.5), ("learning_rate=1", 1.0), ("init=null", None),
        ("photos=[x, 1]", ("x", "1")), ("photos=[]", ()), ("products='a b'", ("a b",)), ("output=a=b", "a=b"),
    ],
)  # fmt: skip
def test_a_value_becomes_the_type_of_its_field(yaml, word, value):
    found = getattr(load_config(str(yaml), [word]), word.split("=")[0])
    assert found == value and type(found) is type(value)


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("learnig_rate=1", "did you mean 'learning_rate'?"), ("photo=x", "did you mean 'photos'?"),
        ("qqqq=1", "known keys: .*max_steps"), ("teacher=x", "unknown key 'teacher' for stage decoder"),
    ],
)  # fmt: skip
def test_an_unknown_key_names_the_nearest(yaml, word, hint):
    assert re.search(hint, refused(yaml, word))


@pytest.mark.parametrize(
    "word",
    [
        "max_steps=2.5", "max_steps=many", "max_steps=true", "max_minutes=soon", "learning_rate=[1]", "resume=1",
        "resume=maybe", "seed=null", "output=5", "init=[a]", "photos=", "learning_rate=true",
    ],
)  # fmt: skip
def test_a_value_of_the_wrong_type_is_named(yaml, word):
    key = word.split("=")[0]
    assert refused(yaml, word).startswith(f"{key}=") and f"give {key} as" in refused(yaml, word)


@pytest.mark.parametrize("levels", ["[1, a]", "[1.5]", "3", "[true]"])
def test_levels_are_a_list_of_whole_numbers(levels):
    with pytest.raises(UserError, match="teacher_levels.*list of whole numbers"):
        load_config("tiny/encoder", ["teacher=t", f"teacher_levels={levels}"])


def test_what_is_missing_is_named_with_the_word_that_adds_it():
    with pytest.raises(UserError, match="'teacher' is not set: add teacher=VALUE"):
        load_config("tiny/encoder", [])


@pytest.mark.parametrize("word", ["encoder=", "encoder=null", "encoder=''"])
def test_an_empty_value_counts_as_missing(yaml, word):
    assert refused(yaml, word).startswith("'encoder' is not set")


@pytest.mark.parametrize(
    ("word", "message"),
    [("loss=focal", "unknown loss 'focal': set loss to one of focal-dice, anomalygpt"), ("dataa=x", "'data'")],
)
def test_what_a_decoder_cannot_learn_by_is_refused(yaml, word, message):
    assert message in refused(yaml, word)


@pytest.mark.parametrize("word", ["max_minutes", "--max_minutes 3", "photos=[a", "photos={"])
def test_a_word_that_is_no_setting_is_named(yaml, word):
    assert repr(word) in refused(yaml, word)


@pytest.mark.parametrize("stage", ["stage=dekoder", "stage=[decoder]", "stage=null"])
def test_an_unknown_stage_lists_the_known_ones(yaml, stage):
    assert "set stage to one of encoder, decoder, assistant" in refused(yaml, stage)


def test_an_unknown_preset_lists_the_known_ones():
    with pytest.raises(UserError, match="no configuration 'tinny'.*tiny/decoder"):
        load_config("tinny", [])


@pytest.mark.parametrize(
    ("content", "message"),
    [("a: [", "is not valid YAML"), ("- a\n- b\n", "holds no settings"), ("", "holds no settings")],
)
def test_a_file_that_is_no_configuration_is_named(tmp_path, content, message):
    path = tmp_path / "broken.yaml"
    path.write_text(content)
    assert "broken.yaml" in refused(path) and message in refused(path)
