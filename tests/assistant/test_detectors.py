"""One contract for every registered detector, and what is particular to each; on a tiny random encoder."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from assistant import UserError
from assistant.calibration import Calibration
from assistant.detectors import DETECTORS, Detector, load_detector
from assistant.detectors.drawn_defects import another_view, draw_defect
from assistant.detectors.fused import (
    DISTANCE,
    MOST_OF_ONE,
    ONE,
    SEVERAL,
    STATISTICS,
    FusedDetector,
    FusionHead,
    View,
    top_logit,
)
from assistant.detectors.marks import Marks, marked_patches
from assistant.detectors.memory_bank import GRID, MemoryBank
from assistant.detectors.text_prompts import prompt_features
from assistant.encoder import ImageEncoder, PatchFeatures
from assistant.inspection import KINDS
from tests.small_models import CHANNELS, small_encoder

SIDE, SPOT = 128, 24  # of the photo and of a pasted defect, in pixels


def good_photo(seed: int) -> np.ndarray:
    """(SIDE, SIDE, 3) in [0, 1]: stripes with camera noise."""
    rng = np.random.default_rng(seed)
    stripes = 0.5 + 0.15 * np.sin(np.arange(SIDE) * 2 * np.pi / 16)
    return np.clip(stripes[None, :, None] + rng.normal(0, 0.02, (SIDE, SIDE, 3)), 0, 1)


def with_defect(photo: np.ndarray, row: int, column: int, seed: int = 0) -> np.ndarray:
    """The photo with a square of another texture whose upper left corner is at (row, column)."""
    out = photo.copy()
    out[row : row + SPOT, column : column + SPOT] = np.random.default_rng(seed).uniform(0, 1, (SPOT, SPOT, 3))
    return out


def pixels(*photos: np.ndarray) -> Tensor:
    return torch.from_numpy(np.stack(photos)).float().permute(0, 3, 1, 2)


@pytest.fixture(scope="module")
def encoder() -> ImageEncoder:
    return ImageEncoder.from_backbone(small_encoder(SIDE))


@pytest.fixture(scope="module")
def references(encoder) -> PatchFeatures:
    return encoder(pixels(*(good_photo(seed) for seed in range(4))))


@pytest.fixture(scope="module")
def head(encoder, references) -> FusionHead:
    """A fusion head that has learnt, in a second, what `with_defect` does to a photo."""
    torch.manual_seed(0)
    head = FusionHead(CHANNELS, dim=16, width=16)
    rng = np.random.default_rng(0)
    photos, target = [], torch.zeros(8, 1, SIDE, SIDE)
    for i in range(8):
        photos.append(good_photo(100 + i))
        if i % 2:
            row, column = (int(v) for v in rng.integers(0, SIDE - SPOT, 2))
            photos[i] = with_defect(photos[i], row, column, seed=i)
            target[i, :, row : row + SPOT, column : column + SPOT] = 1
    target = F.interpolate(target, size=SIDE // 4, mode="area")
    features, bank = encoder(pixels(*photos)), MemoryBank(references)
    found = [bank.nearest(features.select(slice(i, i + 1))) if i < 4 else None for i in range(8)]
    prompts = torch.randn(2 + len(KINDS), 16, requires_grad=True)
    optimizer = torch.optim.AdamW([*head.parameters(), prompts], lr=1e-2)
    for _ in range(30):
        head.image_decoder.prompts = F.normalize(prompts, dim=1)
        logits, _ = head(features, found)
        similarity = head.image_decoder.match(head.image_decoder.embed(features, SIDE // 8))
        text = F.interpolate(similarity[:, 1:2] - similarity[:, :1], size=logits.shape[-1], mode="bilinear")
        both = torch.cat([logits, text], dim=1)
        loss = F.binary_cross_entropy_with_logits(both, target.expand_as(both))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    head.image_decoder.prompts = head.image_decoder.prompts.detach()
    return head.eval().requires_grad_(False)


# A new detector is tested by a line here; the first contract test fails until it has one.
BUILD: dict[str, Callable[[FusionHead, PatchFeatures], Detector]] = {
    "memory_bank": lambda head, references: MemoryBank(references),
    "image_decoder": lambda head, references: head.image_decoder,
    "fused": FusedDetector,
}


@pytest.fixture(params=DETECTORS)
def detector(request: pytest.FixtureRequest, head, references) -> Detector:
    return BUILD[request.param](head, references)


# ---- the contract


def test_every_registered_detector_is_under_contract(head, references):
    assert BUILD.keys() == DETECTORS.keys()
    for name, build in BUILD.items():
        assert isinstance(build(head, references), load_detector(name))


def test_scores_are_a_square_map_of_numbers_between_0_and_1(detector, encoder):
    rng = np.random.default_rng(5)
    extremes = [np.zeros((SIDE, SIDE, 3)), np.ones((SIDE, SIDE, 3)), rng.uniform(0, 1, (SIDE, SIDE, 3))]
    scores = detector.score(encoder(pixels(good_photo(9), *extremes)))
    assert scores.dim() == 3 and scores.shape[0] == 4 and scores.shape[1] == scores.shape[2]
    assert scores.dtype == torch.float32 and torch.isfinite(scores).all()
    assert scores.min() >= 0 and scores.max() <= 1


def test_a_photo_scores_the_same_alone_and_in_a_batch(detector, encoder):
    photos = pixels(good_photo(9), with_defect(good_photo(10), 40, 64))
    together = detector.score(encoder(photos))
    for i in range(2):
        assert torch.allclose(together[i], detector.score(encoder(photos[i : i + 1]))[0], atol=1e-4)


@pytest.mark.parametrize(("row", "column"), [(16, 80), (88, 8), (52, 52)])
def test_higher_is_worse_where_the_defect_is(detector, encoder, row, column):
    photo = good_photo(20)
    before, after = detector.score(encoder(pixels(photo, with_defect(photo, row, column, seed=77))))
    cell = SIDE // len(before)
    inside = torch.zeros_like(before, dtype=torch.bool)
    inside[row // cell : (row + SPOT) // cell, column // cell : (column + SPOT) // cell] = True
    assert after[inside].mean() > before[inside].mean() + 0.02
    assert after[inside].mean() > after[~inside].mean() + 0.02


def test_a_shifted_photo_shifts_the_map(detector, encoder):
    """The stripes repeat every 16 pixels, so that the shifted photo is as good as the first but for the defect."""
    good, down, right = good_photo(30), 48, 32
    bad = with_defect(good, 32, 24, seed=78)
    photos = [good, bad, *(np.roll(photo, (down, right), axis=(0, 1)) for photo in (good, bad))]
    before, first, before_moved, second = detector.score(encoder(pixels(*photos)))
    cell = SIDE // len(first)
    (y0, x0), (y1, x1) = centre(first - before), centre(second - before_moved)
    assert abs((y1 - y0) * cell - down) <= 8 and abs((x1 - x0) * cell - right) <= 8
    # Far from the borders, where the network sees padding, the maps agree cell by cell.
    back = torch.roll(second, (-down // cell, -right // cell), dims=(0, 1))
    inner = slice(32 // cell, 72 // cell)
    assert np.corrcoef(first[inner, inner].flatten(), back[inner, inner].flatten())[0, 1] > 0.9


def centre(rise: Tensor) -> tuple[float, float]:
    """Centre of gravity of what rises by more than half of the most, in cells."""
    weight = np.clip(rise.numpy() - rise.max().item() / 2, 0, None)
    y, x = np.mgrid[: len(rise), : len(rise)]
    return float((y * weight).sum() / weight.sum()), float((x * weight).sum() / weight.sum())


# ---- the memory bank


def made_up(photos: int, seed: int, spread: float = 1.0) -> PatchFeatures:
    """Features around one common direction per level; `spread` says how far apart the patches lie."""
    generator = torch.Generator().manual_seed(seed)
    shapes = [(12, 32), (20, 8)]
    return PatchFeatures(
        tuple(torch.ones(1, c, 1, 1) + spread * torch.randn(photos, c, s, s, generator=generator) for c, s in shapes)
    )


def test_a_reference_itself_has_no_distance(encoder, references):
    again = MemoryBank(references).nearest(encoder(pixels(good_photo(2))))
    assert all(distance.max() < 5e-3 for distance in again.distances)
    assert all(residual.abs().max() < 5e-3 for residual in again.residuals)
    assert MemoryBank(references).score(references).max() < 5e-3


def test_one_matrix_product_finds_what_brute_force_finds():
    stored, query = made_up(3, seed=1), made_up(2, seed=2)
    found = MemoryBank(stored).nearest(query)
    for level, (mine, theirs) in enumerate(zip(query.unit(GRID), stored.unit(GRID), strict=True)):
        side, channels = mine.shape[-1], mine.shape[1]
        bank = theirs.permute(0, 2, 3, 1).reshape(-1, channels)
        for photo in range(2):
            patches = mine[photo].flatten(1).T
            distances, index = torch.cdist(patches, bank, compute_mode="donot_use_mm_for_euclid_dist").min(dim=1)
            assert torch.allclose(found.distances[level][photo].flatten(), distances, atol=1e-4)
            residual = (patches - bank[index]).T.unflatten(1, (side, side))
            assert torch.allclose(found.residuals[level][photo], residual, atol=1e-5)
    for mine, theirs, distances in zip(query.deep(), stored.deep(), found.deep, strict=True):
        bank, patches = (level.movedim(1, -1).flatten(0, -2) for level in (theirs, mine))
        wanted = torch.cdist(patches, bank, compute_mode="donot_use_mm_for_euclid_dist").min(dim=1).values
        assert torch.allclose(distances.flatten(), wanted, atol=1e-4)


def test_more_references_never_increase_a_distance():
    references, query = made_up(4, seed=3), made_up(1, seed=4)
    banks = [MemoryBank(references.select(slice(0, n))).nearest(query).distances for n in (1, 2, 4)]
    for few, more in zip(banks, banks[1:], strict=False):
        assert all((b <= a + 1e-5).all() for a, b in zip(few, more, strict=True))
        assert any((b < a - 1e-3).any() for a, b in zip(few, more, strict=True))


def test_a_photo_of_the_bank_is_judged_by_the_others():
    references = made_up(3, seed=7)
    bank, others = MemoryBank(references), MemoryBank(references.select(slice(1, 3)))
    first = references.select(slice(0, 1))
    without, fewer = bank.nearest(first, without=0), others.nearest(first)
    assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(without.distances, fewer.distances, strict=True))
    assert all(d.max() < 5e-3 for d in bank.nearest(first).distances)
    assert all(d.min() > 0.01 for d in without.distances)


def test_a_bank_knows_its_photos_in_the_mirror_too():
    photos, mirrored = made_up(3, seed=7), made_up(3, seed=8)
    bank, rest = MemoryBank(photos, mirrored), [features.select(slice(1, 3)) for features in (photos, mirrored)]
    seen, first = mirrored.select(slice(0, 1)), photos.select(slice(0, 1))
    assert all(d.max() < 5e-3 for d in bank.nearest(seen).distances), "a mirrored photo is as good as the photo"
    without, fewer = bank.nearest(seen, without=0), MemoryBank(*rest).nearest(seen)
    assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(without.distances, fewer.distances, strict=True))
    assert all(d.min() > 0.01 for d in without.distances), "both views of the photo are left out"
    assert bank.photos == 3 and all((d < 5e-3).all() for d in bank.nearest(first).distances)


def test_a_bank_knows_its_photos_turned_where_a_photo_is_judged_as_a_whole():
    photos, turned = made_up(3, seed=7), PatchFeatures.join([made_up(3, seed=8), made_up(3, seed=9)])
    bank, upright = MemoryBank(photos, turned=turned), MemoryBank(photos)
    seen = turned.select(slice(4, 5))  # the second pose of the second photo
    near, far = bank.nearest(seen), upright.nearest(seen)
    assert all(d.max() < 5e-3 for d in near.deep) and all(d.min() > 0.01 for d in bank.nearest(seen, without=1).deep)
    assert all(torch.equal(a, b) for a, b in zip(near.distances, far.distances, strict=True)), "the map is as before"


def test_half_precision_around_it_changes_no_distance():
    references, query = made_up(2, seed=5), made_up(1, seed=6)
    wanted = MemoryBank(references).nearest(query).distances
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = MemoryBank(references).nearest(query).distances
    assert all(torch.equal(a, b) for a, b in zip(wanted, found, strict=True))


def test_the_distance_of_a_defect_stands_out_in_units_of_the_product(encoder, references):
    bank, photo = MemoryBank(references), good_photo(40)
    good, bad = (bank.nearest(encoder(pixels(p))).excess(0.01) for p in (photo, with_defect(photo, 40, 40)))
    assert bad > good + 0.2


def test_the_same_photo_twice_leaves_a_scale_to_divide_by(references):
    one = references.select(slice(0, 1))
    bank = MemoryBank(PatchFeatures.join([one, one]))
    assert (bank.scale > 0).all()
    assert torch.isfinite(bank.nearest(one).excess(0.01))


# ---- the image decoder and its prompts


def test_prompts_are_computed_once(head, encoder, monkeypatch):
    def forbidden(*_: object) -> None:
        raise AssertionError("the text encoder was asked again")

    monkeypatch.setattr(type(head.image_decoder.text_encoder), "forward", forbidden)
    features = encoder(pixels(good_photo(0)))
    head.image_decoder.score(features)
    FusedDetector(head, features).detect(features)


def test_remembered_prompts_are_those_of_the_text_encoder():
    decoder = FusionHead(CHANNELS, dim=16, width=16).image_decoder
    decoder.remember_prompts()
    assert decoder.prompts.shape == (2 + len(KINDS), 16)
    assert torch.equal(decoder.prompts, prompt_features(decoder.text_encoder))
    assert torch.allclose(decoder.prompts.norm(dim=1), torch.ones(2 + len(KINDS)), atol=1e-5)


def test_any_wording_gets_a_vector_of_its_own(head):
    vectors = head.image_decoder.text_encoder(["a scratch", "A scratch!", "ein Kratzer", "", "汚れ"])
    assert torch.isfinite(vectors).all()
    assert torch.allclose(vectors[0], vectors[1]) and not torch.allclose(vectors[0], vectors[2], atol=1e-2)


# ---- the fusion


def test_the_same_weights_serve_any_number_of_references(head, encoder, references):
    weights = {name: weight.clone() for name, weight in head.state_dict().items()}
    query = encoder(pixels(with_defect(good_photo(50), 40, 40)))
    chosen = [None, references.select(slice(0, 1)), references]
    maps = [FusedDetector(head, normals).score(query) for normals in chosen]
    assert len({scores.shape for scores in maps}) == 1
    assert not torch.allclose(maps[0], maps[1], atol=1e-3) and not torch.allclose(maps[1], maps[2], atol=1e-5)
    assert all(torch.equal(weights[name], weight) for name, weight in head.state_dict().items())


def test_the_order_of_the_references_does_not_matter(head, encoder, references):
    query = encoder(pixels(good_photo(51)))
    turned = PatchFeatures(tuple(level.flip(0) for level in references.levels))
    one, other = (FusedDetector(head, normals).detect(query) for normals in (references, turned))
    assert np.allclose(one.scores, other.scores, atol=1e-4)
    assert np.allclose(one.statistics, other.statistics, atol=1e-3)


def test_a_mixed_batch_is_judged_photo_by_photo(head, encoder, references):
    query = encoder(pixels(good_photo(52), good_photo(53)))
    found = MemoryBank(references).nearest(query.select(slice(0, 1)))
    together = head(query, [found, None])[0]
    assert torch.allclose(together[:1], head(query.select(slice(0, 1)), [found])[0], atol=1e-4)
    assert torch.allclose(together[1:], head(query.select(slice(1, 2)), [None])[0], atol=1e-4)


@pytest.mark.parametrize("count", [0, 1, 4])
def test_a_detection_says_all_of_one_photo(head, encoder, references, count):
    query = encoder(pixels(with_defect(good_photo(54), 60, 20)))
    detector = FusedDetector(head, references.select(slice(0, count)) if count else None)
    found = detector.detect(query)
    assert np.allclose(found.scores, detector.score(query)[0].numpy(), atol=1e-5)
    assert found.kinds.shape == (len(KINDS), SIDE // 8, SIDE // 8) and np.allclose(
        found.kinds.sum(axis=0), 1, atol=1e-4
    )
    assert found.statistics.shape == (len(STATISTICS),) and np.isfinite(found.statistics).all()
    assert 0 <= head.calibration.probability(found.statistics) <= 1
    assert found.foreign in (True, False) and (count or not found.foreign)


@pytest.mark.parametrize("count", [0, 1, 4])
def test_a_defect_raises_the_evidence(head, encoder, references, count):
    detector = FusedDetector(head, references.select(slice(0, count)) if count else None)
    photo = good_photo(55)
    good, bad = (detector.detect(encoder(pixels(p))).statistics for p in (photo, with_defect(photo, 60, 20)))
    way = {0: "alone", 1: "one reference", 4: "several"}[count]
    for name, before, after in zip(STATISTICS, good, bad, strict=True):
        evidence = name.endswith(way) and not name.startswith("flag")
        assert after > before if evidence else after == before, name


def test_where_good_photos_differ_among_one_another_less_is_made_of_it(head, encoder, references):
    photo = encoder(pixels(good_photo(55)))
    alike = references.select(slice(0, 4))
    odd = encoder(pixels(with_defect(good_photo(56), 30, 40)))
    mixed = PatchFeatures.join([references.select(slice(0, 3)), odd])
    narrow, wide = FusedDetector(head, alike), FusedDetector(head, mixed)
    logit, distance, _ = wide.among - narrow.among
    assert logit > 0 and distance + (wide.bank.scale / narrow.bank.scale).log().mean() > 0, "in the same unit"
    assert not FusedDetector(head, references.select(slice(0, 1))).among.any()
    assert wide.detect(photo).statistics[SEVERAL] < narrow.detect(photo).statistics[SEVERAL]


def test_references_of_another_product_are_remarked(head):
    def piece(product: int, seed: int) -> PatchFeatures:
        generator = torch.Generator().manual_seed(seed)
        look = torch.randn(16, generator=torch.Generator().manual_seed(product))
        noise = (torch.randn(1, 16, side, side, generator=generator) for side in (32, 16, 8, 4))
        return PatchFeatures(tuple(look.view(1, 16, 1, 1) + 0.3 * level for level in noise))

    one, another, opposite = piece(0, 1), piece(0, 2), piece(0, 3)
    opposite = PatchFeatures(tuple(-level for level in opposite.levels))
    assert not FusedDetector(head, one).detect(another).foreign
    assert FusedDetector(head, opposite).detect(another).foreign
    mixed = PatchFeatures.join([opposite, one])
    assert not FusedDetector(head, mixed).detect(another).foreign, "one of the references is of this product"


def test_a_photo_is_as_bad_as_its_worst_hundredth():
    logits = torch.zeros(2, 1, 20, 20)
    logits[1, 0, 3, :4] = torch.tensor([8.0, 4.0, 2.0, 2.0])
    assert top_logit(logits).tolist() == [0.0, 4.0]


def test_saved_and_loaded_it_judges_the_same(head, encoder, references, tmp_path):
    head.calibration = Calibration(tuple(0.1 * i for i in range(len(STATISTICS))), -1.0, (0.4, 0.6))
    head.save(tmp_path / "a")
    loaded = FusionHead.load(tmp_path / "a")
    query = encoder(pixels(with_defect(good_photo(56), 30, 30)))
    for normals in (None, references):
        one, other = (FusedDetector(h, normals).detect(query) for h in (head, loaded))
        assert np.abs(one.scores - other.scores).max() < 0.02  # weights are kept in half precision
    assert loaded.calibration == head.calibration
    assert not any(weight.requires_grad for weight in loaded.parameters())
    loaded.save(tmp_path / "b")
    for file in (tmp_path / "a").iterdir():
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes()


def no_folder(folder: Path) -> None:
    for file in folder.iterdir():
        file.unlink()


def no_weights(folder: Path) -> None:
    (folder / "detector.safetensors").unlink()


def truncated_weights(folder: Path) -> None:
    file = folder / "detector.safetensors"
    file.write_bytes(file.read_bytes()[:-100])


def settings_are_no_json(folder: Path) -> None:
    (folder / "detector.json").write_text('{"channels": [16,')


def changed(key: str, value: object) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        file = folder / "detector.json"
        settings = json.loads(file.read_text())
        settings[key] = value
        file.write_text(json.dumps(settings))

    return change


@pytest.mark.parametrize(
    "damage",
    [
        no_folder, no_weights, truncated_weights, settings_are_no_json, changed("width", 24), changed("channels", [8]),
        changed("calibration", None), changed("calibration", {"weights": [1.0], "bias": 0.0, "unsure": [0.4, 0.6]}),
    ],
)  # fmt: skip
def test_a_damaged_detector_is_named(damage, head, tmp_path):
    head.save(tmp_path)
    damage(tmp_path)
    with pytest.raises(UserError, match=f"{tmp_path.name} is missing or damaged.*copy the checkpoint again"):
        FusionHead.load(tmp_path)


# ---- the line of a set of references


@pytest.mark.parametrize("count", [1, 4])
def test_the_line_lies_between_good_photos_and_drawn_defects(head, encoder, references, count):
    shown = references.select(slice(0, count))
    views = [
        View(
            i % count,
            encoder(pixels(with_defect(good_photo(40 + i), 40, 20 + 8 * i, i))),
            encoder(pixels(good_photo(i))),
        )
        for i in range(6)
    ]
    before = Calibration((0.5, 1.0, 0.1, 9.0) * 2 + (1.0, 0.0))  # all is far beyond its line
    plain = FusedDetector(head, shown, calibration=before)
    settled = plain.settled(views)
    chance = [
        [d.calibration.probability(d.detect(seen).statistics) for seen in (views[0].good, views[0].broken)]
        for d in (plain, settled)
    ]
    assert min(chance[0]) > 0.5, "before, both are called defective"
    assert chance[1][0] < 0.5 < chance[1][1]
    assert plain.calibration is before, "another set of references has a line of its own"


def test_how_far_a_photo_lies_from_one_reference_is_not_the_whole_of_it(head, encoder, references):
    plain, defect = good_photo(8), with_defect(good_photo(9), 40, 40)
    view = View(0, encoder(pixels(defect)), encoder(pixels(plain)))
    strange = encoder(pixels(np.random.default_rng(1).uniform(0, 1, (SIDE, SIDE, 3))))  # nothing of it is known
    calibration = Calibration((0.5, 1.0, 0.1, 0.0) * 2 + (1.0, 0.0))
    for count, start in ((1, ONE), (4, SEVERAL)):
        shown = references.select(slice(0, count))
        settled = FusedDetector(head, shown, calibration=calibration).settled([view])
        counted = settled.detect(strange).statistics[start + DISTANCE]
        beyond = settled.evidence(strange)[DISTANCE] - settled.line[DISTANCE]
        assert beyond > MOST_OF_ONE
        assert np.isclose(counted, MOST_OF_ONE if count == 1 else beyond)


def test_another_view_and_a_drawn_defect_are_photos_and_repeat(head):
    photo = good_photo(3).astype(np.float32)
    for change in (another_view, draw_defect):
        first, second = (change(photo, np.random.default_rng(5)) for _ in range(2))
        assert np.array_equal(first, second) and first.dtype == np.float32 and first.shape == photo.shape
        assert first.min() >= 0 and first.max() <= 1 and np.abs(first - photo).max() > 0.05


def test_what_is_accepted_lies_no_farther_than_the_rest(encoder, references):
    photo = with_defect(good_photo(50), 40, 40)
    features = encoder(pixels(photo))
    mask = np.zeros((SIDE, SIDE), bool)
    mask[36:68, 36:68] = True
    near = MemoryBank(references).nearest(features)
    marks = Marks([marked_patches(features, mask)], (), references)
    logits, kinds = torch.zeros(1, 1, SIDE // 4, SIDE // 4), torch.full((len(KINDS), 16, 16), 1 / len(KINDS))
    _, _, after, _ = marks.judge(features, logits, kinds, near)
    assert float(after.excess(0.01)) < float(near.excess(0.01))
