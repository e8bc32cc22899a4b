"""Patch features of every family of vision models, from tiny random ones; and what is no vision model."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from transformers import (
    AutoModelForImageTextToText,
    CLIPVisionConfig,
    CLIPVisionModel,
    Dinov2Config,
    Dinov2Model,
    DINOv3ViTConfig,
    DINOv3ViTModel,
    LlamaConfig,
    LlamaModel,
    MobileNetV2Config,
    MobileNetV2Model,
    PreTrainedModel,
    SiglipVisionConfig,
    SiglipVisionModel,
)

from assistant import UserError
from assistant.compact_encoder import CompactEncoderConfig, CompactEncoderModel
from assistant.encoder import ImageEncoder, PatchFeatures
from assistant.lvlm import AnomalyLvlmForConditionalGeneration, AnomalyLvlmProcessor
from tests.assistant.lvlm_families import FAMILIES

SIZES = {"hidden_size": 16, "num_hidden_layers": 8, "num_attention_heads": 2}
VISION = {**SIZES, "intermediate_size": 16, "image_size": 32, "patch_size": 8}
TRANSFORMER = [(16, 4, 4)] * 4  # four depths of the same grid


def llava() -> PreTrainedModel:
    return AutoModelForImageTextToText.from_config(FAMILIES["llava"]()[0])


def compact() -> PreTrainedModel:
    return CompactEncoderModel(
        CompactEncoderConfig(
            widths=(8, 8, 16, 16), depths=(1, 1, 1, 1), level_channels=(4, 5, 6, 7, 8), image_size=64, token_grid=2
        )
    )


# name -> (the model, (C, h, w) of every level)
MODELS: dict[str, tuple[Callable[[], PreTrainedModel], list[tuple[int, int, int]]]] = {
    "clip": (lambda: CLIPVisionModel(CLIPVisionConfig(**VISION)), TRANSFORMER),
    "siglip": (lambda: SiglipVisionModel(SiglipVisionConfig(**VISION)), TRANSFORMER),
    "dinov2": (lambda: Dinov2Model(Dinov2Config(**SIZES, mlp_ratio=1, image_size=32, patch_size=8)), TRANSFORMER),
    "dinov3": (lambda: DINOv3ViTModel(DINOv3ViTConfig(**VISION, num_register_tokens=4)), TRANSFORMER),
    "mobilenet_v2": (
        lambda: MobileNetV2Model(MobileNetV2Config(image_size=64, depth_multiplier=0.35)),
        [(8, 16, 16), (16, 8, 8), (32, 4, 4), (112, 2, 2)],
    ),
    "llava": (llava, [(16, 2, 2)] * 4),
    "compact": (compact, [(4, 16, 16), (5, 8, 8), (6, 4, 4), (7, 4, 4), (8, 2, 2)]),
}
NORMALISATION = {"image_mean": [0.1, 0.2, 0.3], "image_std": [0.4, 0.5, 0.6]}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every model saved by transformers, without a word about its normalisation."""
    torch.manual_seed(0)
    found = {}
    for name, (build, _) in MODELS.items():
        found[name] = tmp_path_factory.mktemp(name)
        build().save_pretrained(found[name])
    return found


@pytest.fixture(params=MODELS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def photos(encoder: ImageEncoder, batch: int = 2) -> torch.Tensor:
    side = encoder.image_size
    return torch.rand(batch, 3, side, side, generator=torch.Generator().manual_seed(1))


def same(one: PatchFeatures, other: PatchFeatures) -> bool:
    return all(torch.allclose(a, b, atol=1e-5) for a, b in zip(one.levels, other.levels, strict=True))


def test_every_level_is_a_map_on_its_own_grid(folders, name):
    encoder = ImageEncoder.from_pretrained(folders[name])
    features = encoder(photos(encoder))
    assert [level.shape for level in features.levels] == [(2, *shape) for shape in MODELS[name][1]]
    assert all(level.dtype == torch.float32 and torch.isfinite(level).all() for level in features.levels)
    assert not any(weight.requires_grad for weight in encoder.parameters())


def test_a_changed_patch_changes_the_features_there(folders, name):
    """Class and register tokens are left out, rows are rows and columns are columns."""
    encoder = ImageEncoder.from_pretrained(folders[name])
    before = torch.full((1, 3, encoder.image_size, encoder.image_size), 0.5)
    after = before.clone()
    cell = encoder.image_size // 4
    after[:, :, cell * 2 : cell * 3, cell : cell * 2] = torch.rand(3, cell, cell)
    change = (encoder(after).levels[0] - encoder(before).levels[0]).norm(dim=1)[0]
    side = change.shape[0]
    row, column = divmod(int(change.argmax()), side)
    grid = min(4, side)  # the tower of the small LLaVA has two patches a side
    assert (row * grid // side, column * grid // side) == (2 * grid // 4, grid // 4)


def test_a_photo_has_the_same_features_alone_and_in_a_batch(folders, name):
    encoder = ImageEncoder.from_pretrained(folders[name])
    batch = photos(encoder)
    together = encoder(batch)
    assert together.batch == 2
    assert same(together.select(slice(1, 2)), encoder(batch[1:]))
    assert same(together, PatchFeatures.join([encoder(batch[:1]), encoder(batch[1:])]))


def test_saved_and_opened_again_it_sees_the_same(folders, name, tmp_path):
    (folders[name] / "preprocessor_config.json").write_text(json.dumps(NORMALISATION))
    encoder = ImageEncoder.from_pretrained(folders[name])
    (folders[name] / "preprocessor_config.json").unlink()
    encoder.save(tmp_path)
    assert same(encoder(photos(encoder)), ImageEncoder.from_pretrained(tmp_path)(photos(encoder)))


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("preprocessor_config.json", NORMALISATION),
        ("processor_config.json", {"processor_class": "LlavaProcessor", "image_processor": NORMALISATION}),
    ],
)
def test_the_normalisation_comes_from_the_image_processor(folders, tmp_path, file, content):
    encoder = ImageEncoder.from_pretrained(folders["clip"])
    encoder.backbone.save_pretrained(tmp_path)
    (tmp_path / file).write_text(json.dumps(content))
    found = ImageEncoder.from_pretrained(tmp_path)
    assert torch.allclose(found.mean.flatten(), torch.tensor(NORMALISATION["image_mean"]))
    assert torch.allclose(found.std.flatten(), torch.tensor(NORMALISATION["image_std"]))
    assert not same(found(photos(found)), encoder(photos(found)))


@pytest.mark.parametrize("family", FAMILIES)
def test_of_an_assistants_checkpoint_the_tower_alone_is_read(family, tmp_path):
    config, base = FAMILIES[family]()
    processor = AnomalyLvlmProcessor.from_base(base)
    model = AnomalyLvlmForConditionalGeneration.from_base(
        AutoModelForImageTextToText.from_config(config), anomaly_token_id=processor.anomaly_token_id
    )
    plain, ours = tmp_path / "plain", tmp_path / "ours"
    model.lvlm.save_pretrained(plain)
    model.save_pretrained(ours)
    processor.save_pretrained(ours)
    processor.base.save_pretrained(plain)
    if family == "qwen2_5_vl":
        for folder in (plain, ours):
            with pytest.raises(UserError, match="packed patches.*name another vision model"):
                ImageEncoder.from_pretrained(folder)
        return
    whole, tower = ImageEncoder.from_pretrained(plain), ImageEncoder.from_pretrained(ours)
    assert same(whole(photos(whole)), tower(photos(whole)))
    assert sum(weight.numel() for weight in tower.parameters()) < sum(weight.numel() for weight in model.parameters())


def test_smoothed_features_are_unit_vectors_no_finer_than_asked(folders):
    encoder = ImageEncoder.from_pretrained(folders["compact"])
    levels = encoder(photos(encoder)).unit(8)
    assert [level.shape[-1] for level in levels] == [8, 8, 4, 4, 2]
    assert all(torch.allclose(level.norm(dim=1), torch.ones(1), atol=1e-5) for level in levels)


def empty(folder: Path, _: Path) -> None:
    pass


def not_json(folder: Path, _: Path) -> None:
    (folder / "config.json").write_text("{nonsense")


def unknown_family(folder: Path, _: Path) -> None:
    (folder / "config.json").write_text('{"model_type": "nonsense"}')


def half_a_checkpoint(folder: Path, _: Path) -> None:
    (folder / "config.json").write_text('{"model_type": "anomaly_lvlm"}')


def text_model(folder: Path, _: Path) -> None:
    LlamaModel(LlamaConfig(**SIZES, intermediate_size=16, vocab_size=20)).save_pretrained(folder)


def truncated_weights(folder: Path, model: Path) -> None:
    for file in model.iterdir():
        (folder / file.name).write_bytes(file.read_bytes()[: 900 if file.suffix == ".safetensors" else None])


def broken_preprocessing(folder: Path, model: Path) -> None:
    for file in model.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    (folder / "preprocessor_config.json").write_text("{nonsense")


@pytest.mark.parametrize(
    "damage", [empty, not_json, unknown_family, half_a_checkpoint, text_model, truncated_weights, broken_preprocessing]
)
def test_what_is_no_vision_model_is_refused_by_name(damage, folders, tmp_path):
    damage(tmp_path, folders["clip"])
    with pytest.raises(UserError, match=f"{tmp_path.name}.*give a folder or hub id"):
        ImageEncoder.from_pretrained(tmp_path)
