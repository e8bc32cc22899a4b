"""Real defects in scenes: what is read of a labelled folder, and what the loss makes of it."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from assistant import UserError
from assistant.detectors.fused import FusionHead
from assistant.encoder import ImageEncoder
from assistant.inspection import KINDS
from tests.small_models import CHANNELS, small_encoder
from training.config import DecoderConfig
from training.decoder_stage import DecoderTraining, collate, small_mask, train_decoder
from training.real_photos import UNKNOWN, UNNAMED, kind_number, read_defect, read_real
from training.scenes import Scene, Scenes

SIDE = 64


def write(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """One product in MVTec's layout: a scratch and a "glue" with masks, a "bent" without; grey good photos."""
    root, rng = tmp_path / "data" / "cap", np.random.default_rng(0)
    for i in range(3):
        write(root / "train" / "good" / f"{i}.png", rng.integers(90, 110, (60, 80, 3), dtype=np.uint8))
    write(root / "test" / "good" / "0.png", np.full((60, 80, 3), 250, np.uint8))
    for kind in ("scratch_long", "glue", "bent"):
        photo, mask = rng.integers(90, 110, (60, 80, 3), dtype=np.uint8), np.zeros((30, 40), np.uint8)
        photo[20:40, 40:60] = 20
        mask[10:20, 20:30] = 255  # of half the photo's size
        write(root / "test" / kind / "0.png", photo)
        if kind != "bent":
            write(root / "ground_truth" / kind / "0_mask.png", mask)
    return root.parent


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("scratch", "scratch"), ("Scratches_large", "scratch"), ("bent", "deformation"),
        ("missing-cap", "missing part"), ("break", "break"),
        ("color change", "color change"), ("glue", None), ("bad", None), (None, None), ("", None),
        ("crack and hole", None),
    ],
)  # fmt: skip
def test_the_words_of_the_data_become_kinds_where_they_are_known(word, kind):
    assert kind_number(word) == (UNNAMED if kind is None else 1 + KINDS.index(kind))


def test_a_product_is_read_with_its_good_photos_for_training_and_all_defects(data):
    (product,) = read_real([str(data)])
    assert [path.parent.parent.name for path in product.good] == ["train"] * 3
    kinds = {photo.kind: read_defect(photo, SIDE)[1] for photo in product.bad}
    rows, columns = np.nonzero(kinds["scratch_long"] == 1 + KINDS.index("scratch"))
    # the mask's [20, 30) of 40 and [10, 20) of 30, on the photo's square
    assert (columns.min(), columns.max()) == (32, 47) and 20 <= rows.min() <= 22 and 41 <= rows.max() <= 43
    assert set(np.unique(kinds["glue"])) == {0, UNNAMED} and set(np.unique(kinds["bent"])) == {UNKNOWN}


def test_a_folder_that_holds_nothing_labelled_is_named(tmp_path):
    with pytest.raises(UserError, match="holds no photos in a layout that is known"):
        Scenes([], [], SIDE, 1, seed=0, data=[str(tmp_path)])


def test_real_and_synthetic_scenes_are_mixed_and_the_mask_stays_with_its_defect(data):
    scenes = Scenes([], [], SIDE, 2, seed=0, data=[str(data)], real_share=0.5)
    drawn = [scenes[i] for i in range(60)]
    named = [scene for scene in drawn if scene.kinds.max() in (UNNAMED, UNKNOWN)]
    assert 5 < len(named) < 30 and {UNNAMED, UNKNOWN} <= {int(scene.kinds.max()) for scene in named}
    for scene in named:
        assert scene.defective and scene.photo.shape == (SIDE, SIDE, 3)
        if scene.kinds.max() == UNNAMED:  # turned and mirrored alike
            dark = scene.photo.mean(axis=2) < 60
            assert np.count_nonzero(dark & (scene.kinds > 0)) > 0.8 * np.count_nonzero(dark)
    for scene in drawn:  # the test split's white photo is nobody's reference
        assert all(reference.mean() < 240 for reference in scene.references)
    again = Scenes([], [], SIDE, 2, seed=0, data=[str(data)], real_share=0.5)
    assert all(np.array_equal(again[i].photo, drawn[i].photo) for i in (7, 3))
    calm = Scenes([], [], SIDE, 2, seed=0, data=[str(data)], real_share=0)
    assert all(calm[i].kinds.max() <= len(KINDS) for i in range(20))


def test_without_data_the_scenes_are_as_before(data):
    one, other = Scenes([], [], SIDE, 2, seed=0), Scenes([], [], SIDE, 2, seed=0, real_share=0.9)
    assert all(np.array_equal(one[i].photo, other[i].photo) for i in range(4))


def test_a_defect_too_fine_for_the_cells_of_the_loss_still_counts():
    kinds = np.zeros((256, 256), np.uint8)
    kinds[100, 30] = 3
    assert small_mask(kinds).unique().tolist() == [0, 3]


@pytest.fixture
def training() -> DecoderTraining:
    torch.manual_seed(0)
    encoder = ImageEncoder.from_backbone(small_encoder(SIDE))
    return DecoderTraining(encoder, FusionHead(CHANNELS, dim=16, width=16))


def scene_of(kind: int) -> Scene:
    rng = np.random.default_rng(1)
    photo, kinds = rng.integers(0, 255, (SIDE, SIDE, 3), dtype=np.uint8), np.zeros((SIDE, SIDE), np.uint8)
    kinds[:, : SIDE if kind == UNKNOWN else SIDE // 2] = kind
    return Scene(photo, kinds, ())


def loss_of(training: DecoderTraining, *kinds: int) -> dict[str, torch.Tensor]:
    torch.manual_seed(1)  # the wording of the prompts is drawn
    training.zero_grad()
    out = training(**collate([scene_of(kind) for kind in kinds]))
    out["loss"].backward()
    return out


def test_a_photo_without_mask_counts_as_a_whole_alone(training):
    out = loss_of(training, UNKNOWN)
    top = out["logits"].flatten(1).topk(round(0.01 * out["logits"].numel()), dim=1).values.mean()
    assert 0 < out["loss"] < 3 and torch.isfinite(out["loss"])
    # 1.5 times the loss of the whole photo, judged alone both times since there is no reference
    torch.testing.assert_close(out["loss"], 1.5 * 0.3 * torch.nn.functional.softplus(-top))
    assert training.head.body[0].weight.grad.abs().sum() > 0
    for name, weight in training.head.named_parameters():  # processes that train together wait for every part
        assert weight.grad is not None or "residuals" in name, name


def test_beside_others_a_photo_without_mask_changes_no_pixels_target(training):
    both, alone = loss_of(training, 1, UNKNOWN)["loss"], loss_of(training, 1)["loss"]
    whole = loss_of(training, UNKNOWN)["loss"]
    # pixel and kind losses of the first stay; the losses of whole photos are averaged over two
    out = loss_of(training, 1)["logits"]
    top = out.flatten(1).topk(round(0.01 * out.numel()), dim=1).values.mean()
    own = 1.5 * 0.3 * torch.nn.functional.softplus(-top)
    torch.testing.assert_close(both, alone - own + (own + whole) / 2)


def test_a_defect_without_a_name_teaches_the_map_and_no_kind(training):
    named, unnamed = loss_of(training, 1)["loss"], loss_of(training, UNNAMED)["loss"]
    assert named > unnamed, "the kind's loss is missing"
    assert unnamed > loss_of(training, UNKNOWN)["loss"], "the map's is there"


@pytest.mark.parametrize("loss", ["focal-dice", "anomalygpt"])
def test_the_stage_trains_on_real_defects_with_either_loss(data, tmp_path, loss):
    small_encoder(SIDE).save_pretrained(tmp_path / "encoder")
    train_decoder(
        DecoderConfig(
            encoder=str(tmp_path / "encoder"),
            output=str(tmp_path / "out"),
            data=(str(data),),
            loss=loss,
            max_steps=2,
            batch_size=4,
            warmup_steps=0,
            workers=0,
            calibration_scenes=8,
        )  # fmt: skip
    )
    assert any(weight != 0 for weight in FusionHead.load(tmp_path / "out").calibration.weights)
