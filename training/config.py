"""YAML file + `key=value` words -> a frozen dataclass; an unknown key is an error that names the nearest."""

import contextlib
import dataclasses
import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_type_hints

import yaml

from assistant import UserError

PRESETS = Path(__file__).resolve().parent.parent / "configs"
POSITIVE = ("max_steps", "max_minutes", "batch_size", "accumulation", "learning_rate", "save_steps")
TUNINGS = ("full", "lora", "dora", "rslora", "qlora")
MAP_LOSSES = ("focal-dice", "anomalygpt")  # of `training.losses`, which needs torch


@dataclass(frozen=True, kw_only=True)
class StageConfig:
    """What every stage needs.

    Training ends at `max_steps` or after `max_minutes`, whichever is first; the learning rate falls to
    zero towards that end. `photos` are folders searched for pictures; `init` is a checkpoint to start
    from. With `resume` the newest checkpoint under `output` is continued. One step sees `batch_size` rows
    on each process, `accumulation` times.
    """

    stage: str
    output: str
    photos: tuple[str, ...] = ()
    init: str | None = None
    seed: int = 0
    max_steps: int = 10_000
    max_minutes: float = 60.0
    batch_size: int = 16
    accumulation: int = 1
    learning_rate: float = 1e-3
    warmup_steps: int = 100
    save_steps: int = 200
    workers: int = 1
    resume: bool = True


@dataclass(frozen=True, kw_only=True)
class EncoderConfig(StageConfig):
    """Distillation of the compact encoder; `teacher` is any transformers vision model (folder or hub id).

    `teacher_levels` are indices into its hidden states, one per level of the student, or none to have them chosen;
    `procedural_share` in [0, 1] of the pictures are rendered instead of read from `photos`.
    """

    stage: str = "encoder"
    teacher: str
    teacher_levels: tuple[int, ...] = ()
    procedural_share: float = 0.3


@dataclass(frozen=True, kw_only=True)
class DecoderConfig(StageConfig):
    """Image decoder on synthetic anomalies; `encoder` is any vision model (checkpoint folder or hub id).

    `products` are folders that each hold good photos of one product; `data` are folders of labelled photos in any
    layout of `assistant.layouts`, whose defective ones are trained on too, with their masks where they have any;
    `loss` is one of `MAP_LOSSES`; `calibration_scenes` scenes, never trained on, fit the calibration at the end.
    """

    stage: str = "decoder"
    encoder: str
    products: tuple[str, ...] = ()
    data: tuple[str, ...] = ()
    loss: str = "focal-dice"
    max_references: int = 4
    calibration_scenes: int = 600

    def __post_init__(self) -> None:
        if self.loss not in MAP_LOSSES:
            raise UserError(f"unknown loss {self.loss!r}", f"set loss to one of {', '.join(MAP_LOSSES)}")


@dataclass(frozen=True, kw_only=True)
class AssistantConfig(StageConfig):
    """Projector, prompt learner and language model on dialogues about synthetic anomalies.

    `encoder` and `detector` are the checkpoint folders of the stages before, or `tiny`, the embedded one;
    `scenes` is how many photos are inspected once and then talked about again and again; `vocabulary` is
    the size of a new tokenizer. Unless `tuning` is "full", only adapters of `rank` and the prompt learner of
    `init` are trained; "qlora" keeps the frozen rest in 4 bits.

    With a `decoder_loss` above 0 the detector's head learns on: its map goes into the prompt with its gradient, and the
    second stage's loss counts that much beside the answers'; `calibration_scenes` then fit the calibration anew.

    `general` is a LLaVA-JSON of general visual instructions, mixed in at `general_share` of the rows, so that
    a large model keeps what it could before; its pictures lie under `general_images`, or beside the file.
    """

    stage: str = "assistant"
    encoder: str
    detector: str
    products: tuple[str, ...] = ()
    scenes: int = 1500
    vocabulary: int = 2048
    tuning: str = "full"
    rank: int = 16
    gradient_checkpointing: bool = False
    decoder_loss: float = 0.0
    calibration_scenes: int = 600
    general: str | None = None
    general_images: str | None = None
    general_share: float = 0.5

    def __post_init__(self) -> None:
        if self.tuning not in TUNINGS:
            raise UserError(f"unknown tuning {self.tuning!r}", f"set tuning to one of {', '.join(TUNINGS)}")
        if self.tuning != "full" and self.init is None:
            raise UserError(f"tuning={self.tuning} needs a model to adapt", "add init=HUB_ID or init=FOLDER")
        if self.rank < 1:
            raise UserError(f"rank={self.rank} leaves nothing to train", "give a rank of 1 or more, 16 for example")
        if self.decoder_loss < 0:
            raise UserError(
                f"decoder_loss={self.decoder_loss} is no weight", "give 0 to leave it out, or 1 for example"
            )
        if not 0 < self.general_share < 1:
            raise UserError(f"general_share={self.general_share} is no share", "give a number between 0 and 1")


@dataclass(frozen=True)
class RecipeConfig:
    """Stages that are trained one after the other, each with its own settings.

    `presets` are the names the stages were read from. See `load_recipe` for what they share.
    """

    presets: tuple[str, ...]
    stages: tuple[StageConfig, ...]
    stage: str = "recipe"

    @property
    def output(self) -> str:
        """Where the last stage, and so the whole, comes to lie."""
        return self.stages[-1].output


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """One's own photos: `root` is a folder in any layout of `assistant.layouts`, which is recognised unless `layout`
    names it; `product` says which one is meant where there are several."""

    root: str
    layout: str | None = None
    product: str | None = None


@dataclass(frozen=True, kw_only=True)
class CustomConfig(StageConfig):
    """Fine-tuning of `init` on one's own photos of a product; see `training.custom`.

    `max_minutes` is for everything; `rank` is that of the language model's adapters. A model that `output` holds
    already is the one to beat, else `init` is.
    """

    stage: str = "custom"
    data: DataConfig
    init: str | None = "tiny"
    rank: int = 16


CONFIGS: dict[str, type[StageConfig]] = {
    "encoder": EncoderConfig, "decoder": DecoderConfig, "assistant": AssistantConfig, "custom": CustomConfig,
}  # fmt: skip


def load_config(name: str, overrides: list[str]) -> StageConfig | RecipeConfig:
    """Read a YAML file, or a preset of that name under `configs/`, and apply `key=value` words.

    Raises:
        UserError: no such file, not a mapping, unknown stage or key, or a value of the wrong type.
    """
    values = _read_yaml(name)
    for word in overrides:
        key, equals, text = word.partition("=")
        if not equals:
            raise UserError(f"{word!r} is not of the form key=value", "write for example max_minutes=30")
        section, _, name_in_it = key.rpartition(".")
        place = values.setdefault(section, {}) if section else values
        if not isinstance(place, dict):
            raise UserError(f"{section!r} is no section, so {word!r} means nothing", "write key=value")
        try:
            place[name_in_it] = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise UserError(f"the value of {word!r} is not valid YAML", "quote it, or close its brackets") from error
    return load_recipe(values) if values.get("stage") == "recipe" else _build(_kind_of(values, name), values)


def _kind_of(values: dict[str, Any], name: str) -> type[StageConfig]:
    stage = values.get("stage")
    if not isinstance(stage, str) or stage not in CONFIGS:
        raise UserError(f"unknown stage {stage!r} in {name}", f"set stage to one of {', '.join(CONFIGS)}")
    return CONFIGS[stage]


def load_recipe(values: dict[str, Any]) -> RecipeConfig:
    """The stages named under `stages`, each with those of the other settings that it knows.

    Two settings are the recipe's own: `output` holds a folder for each stage, to which the later stages' settings
    follow, and `max_minutes` is shared among the stages in proportion to their own.

    Raises:
        UserError: no stages, a stage that is no preset or file, or a setting that no stage knows.
    """
    names = _coerce("stages", values.get("stages") or [], tuple[str, ...])
    if not names:
        raise UserError("'stages' is not set", "list the presets to train, as stages: [tiny/encoder, tiny/decoder]")
    shared = {key: value for key, value in values.items() if key not in ("stage", "stages", "output", "max_minutes")}
    read = [_read_yaml(name) for name in names]
    kinds = [_kind_of(stage, name) for stage, name in zip(read, names, strict=True)]
    known = {field.name for kind in kinds for field in dataclasses.fields(kind)} - {"stage", "init"}
    for key in shared:
        if key not in known:
            raise _unknown(key, "recipe", sorted(known))
    stages = []
    for stage, kind in zip(read, kinds, strict=True):
        fields = {field.name for field in dataclasses.fields(kind)}
        stages.append(_build(kind, stage | {key: value for key, value in shared.items() if key in fields}))
    if "output" in values:
        stages = _moved(stages, Path(_coerce("output", values["output"], str)))
    if "max_minutes" in values:
        factor = _coerce("max_minutes", values["max_minutes"], float) / sum(stage.max_minutes for stage in stages)
        stages = [dataclasses.replace(stage, max_minutes=stage.max_minutes * factor) for stage in stages]
    return RecipeConfig(names, tuple(stages))


def _moved(stages: list[StageConfig], folder: Path) -> list[StageConfig]:
    """The stages with outputs of their own below `folder`, and every mention of the former ones changed."""
    places = {stage.output: str(folder / stage.stage) for stage in stages}
    moved = []
    for stage in stages:
        said: dict[str, Any] = {field.name: getattr(stage, field.name) for field in dataclasses.fields(stage)}
        mentions = {key: places[value] for key, value in said.items() if isinstance(value, str) and value in places}
        moved.append(type(stage)(**said | mentions))
    return moved


def presets() -> list[str]:
    """The names under `configs/`, but for accelerate's own files there."""
    paths = (p for p in PRESETS.rglob("*.yaml") if p.parent.name != "accelerate")
    return sorted(str(p.relative_to(PRESETS).with_suffix("")) for p in paths)


def _read_yaml(name: str) -> dict[str, Any]:
    candidates = [Path(name), PRESETS / f"{name}.yaml"]
    path = next((p for p in candidates if p.is_file()), None)
    if path is None:
        raise UserError(f"no configuration {name!r}", f"give a YAML file or one of {', '.join(presets())}")
    try:
        values = yaml.safe_load(path.read_text())
    except yaml.YAMLError as error:
        raise UserError(f"{path} is not valid YAML", str(error).replace("\n", " ")) from error
    if not isinstance(values, dict):
        raise UserError(f"{path} holds no settings", "write one 'key: value' per line")
    return values


def _build(kind: type[Any], values: dict[str, Any], section: str = "") -> Any:
    """A dataclass from its values; those of a section are a dataclass of their own."""
    fields, hints = {f.name: f for f in dataclasses.fields(kind)}, get_type_hints(kind)
    for key in values:
        if key not in fields:
            raise _unknown(key, section or f"stage {values['stage']}", fields)
    values = values | {name: values.get(name) or {} for name in fields if dataclasses.is_dataclass(hints[name])}
    missing = [
        name for name, f in fields.items() if f.default is dataclasses.MISSING and values.get(name) in (None, "")
    ]
    if missing:
        name = f"{section}.{missing[0]}" if section else missing[0]
        raise UserError(f"{name!r} is not set", f"add {name}=VALUE to the command")
    config = kind(**{key: _coerce(key, value, hints[key]) for key, value in values.items()})
    for key in set(POSITIVE) & set(fields):
        if not getattr(config, key) > 0:  # so written, it catches nan
            raise UserError(f"{key}={getattr(config, key)} is not above 0", f"give {key} a positive value")
    return config


def _unknown(key: str, what: str, known: Iterable[str]) -> UserError:
    near = difflib.get_close_matches(key, known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"known keys: {', '.join(known)}"
    return UserError(f"unknown key {key!r} for {what}", hint)


def _coerce(key: str, value: Any, hint: Any) -> Any:
    """The value as the field's type; a single word stands for a list of one."""
    if isinstance(hint, type) and dataclasses.is_dataclass(hint) and isinstance(value, dict):
        return _build(hint, value, key)
    if hint == tuple[str, ...] and value is not None:
        return tuple(map(str, value)) if isinstance(value, list) else (str(value),)
    if hint == tuple[int, ...] and isinstance(value, list) and all(type(v) is int for v in value):
        return tuple(value)
    if hint is float and type(value) in (int, float, str):
        with contextlib.suppress(ValueError):
            return float(value)  # YAML 1.1 reads 1e-3, which has no point, as text
    if hint in (int, bool, str) and type(value) is hint:
        return value
    if hint == str | None and (value is None or isinstance(value, str)):
        return value
    wanted = {tuple[str, ...]: "list of words", tuple[int, ...]: "list of whole numbers"}.get(hint)
    wanted = wanted or getattr(hint, "__name__", str(hint))
    raise UserError(f"{key}={value!r} is not a valid {wanted}", f"give {key} as {wanted}")
