"""YAML file + `key=value` words -> a frozen dataclass; an unknown key is an error that names the nearest."""

import contextlib
import dataclasses
import difflib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, get_type_hints

import yaml

from assistant import UserError
from training.config import CONFIGS, RecipeConfig, StageConfig

PRESETS = Path(__file__).resolve().parent.parent / "configs"
POSITIVE = ("max_steps", "max_minutes", "batch_size", "accumulation", "learning_rate", "save_steps")


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
