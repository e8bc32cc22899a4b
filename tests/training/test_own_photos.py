"""One's own photos: which are learnt from, which are held out, what is left out and what is refused."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from assistant import UserError
from training.config import DataConfig
from training.own_photos import LONGEST, read_own_photos


def write(path: Path, seed: int, size: tuple[int, int] = (40, 32)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    Image.fromarray(rng.integers(0, 255, (*size, 3), dtype=np.uint8)).save(path)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(10):
        write(tmp_path / "gasket" / "good" / f"{number}.png", number)
    for number in range(4):
        write(tmp_path / "gasket" / "bad" / "scratch" / f"{number}.png", 100 + number)
    return tmp_path / "gasket"


def test_some_of_each_sort_are_held_out_and_none_is_lost(folder):
    photos = read_own_photos(DataConfig(root=str(folder)))
    assert (len(photos.good), len(photos.held_good), len(photos.bad), len(photos.held_bad)) == (8, 2, 2, 2)
    paths = {shot.path for part in (photos.good, photos.held_good, photos.bad, photos.held_bad) for shot in part}
    assert len(paths) == 14 and photos.name == "gasket" and photos.layout == "good-bad"
    assert {shot.kind for shot in (*photos.bad, *photos.held_bad)} == {"scratch"}


def test_what_is_held_out_hangs_on_content_not_on_names(folder):
    before = read_own_photos(DataConfig(root=str(folder)))
    held = {shot.image.tobytes() for shot in before.held_good}
    for number, path in enumerate(sorted((folder / "good").iterdir(), reverse=True)):
        path.rename(path.with_name(f"renamed{number:02d}.png"))
    after = read_own_photos(DataConfig(root=str(folder)))
    assert {shot.image.tobytes() for shot in after.held_good} == held


def test_a_benchmark_keeps_its_own_split(tmp_path):
    for number in range(6):
        write(tmp_path / "tile" / "train" / "good" / f"{number}.png", number)
    write(tmp_path / "tile" / "test" / "good" / "0.png", 50)
    write(tmp_path / "tile" / "test" / "crack" / "0.png", 51)
    photos = read_own_photos(DataConfig(root=str(tmp_path)))
    assert (len(photos.good), len(photos.held_good), len(photos.bad), len(photos.held_bad)) == (6, 1, 0, 1)


def test_unreadable_photos_and_copies_are_told_and_left_out(folder, capsys):
    (folder / "good" / "broken.png").write_bytes(b"not a photo")
    (folder / "good" / "copy.png").write_bytes((folder / "good" / "0.png").read_bytes())
    photos = read_own_photos(DataConfig(root=str(folder)))
    assert len(photos.good) + len(photos.held_good) == 10
    told = capsys.readouterr().err
    assert "broken.png" in told and "copy.png is a copy of" in told


def test_photos_of_any_size_and_mode_are_taken(folder):
    write(folder / "good" / "large.png", 7, size=(700, 900))
    Image.new("RGBA", (50, 60), (10, 20, 30, 40)).save(folder / "good" / "alpha.png")
    Image.fromarray(np.arange(2500, dtype=np.uint16).reshape(50, 50)).save(folder / "good" / "deep.png")
    photos = read_own_photos(DataConfig(root=str(folder)))
    shots = (*photos.good, *photos.held_good)
    assert len(shots) == 13
    assert all(s.image.dtype == np.uint8 and s.image.shape[2] == 3 and max(s.image.shape) <= LONGEST for s in shots)


def test_masks_come_in_the_photos_size(folder):
    for path in (folder / "bad" / "scratch").iterdir():
        mask = np.zeros((20, 16), np.uint8)  # half the photo's size
        mask[:10] = 255
        (folder / "masks").mkdir(exist_ok=True)
        Image.fromarray(mask).save(folder / "masks" / path.name)
    photos = read_own_photos(DataConfig(root=str(folder)))
    for shot in (*photos.bad, *photos.held_bad):
        assert (
            shot.mask is not None and shot.mask.shape == (40, 32) and shot.mask[:20].all() and not shot.mask[20:].any()
        )


@pytest.mark.parametrize("good", [0, 1, 4])
def test_too_few_good_photos_are_refused(tmp_path, good):
    for number in range(good):
        write(tmp_path / "good" / f"{number}.png", number)
    write(tmp_path / "bad" / "0.png", 60)
    with pytest.raises(UserError, match="good photos|holds no photos|recogn|layout"):
        read_own_photos(DataConfig(root=str(tmp_path)))


def test_of_several_products_one_must_be_named(folder):
    for number in range(10):
        write(folder.parent / "valve" / "good" / f"{number}.png", 200 + number)
    write(folder.parent / "valve" / "bad" / "0.png", 300)
    with pytest.raises(UserError, match="2 products.*data.product=NAME, one of gasket, valve"):
        read_own_photos(DataConfig(root=str(folder.parent)))
    assert read_own_photos(DataConfig(root=str(folder.parent), product="valve")).name == "valve"
    with pytest.raises(UserError, match="no product 'pump'"):
        read_own_photos(DataConfig(root=str(folder.parent), product="pump"))


def test_one_photo_cannot_be_good_and_bad(folder):
    (folder / "bad" / "scratch" / "same.png").write_bytes((folder / "good" / "0.png").read_bytes())
    with pytest.raises(UserError, match="same photo"):
        read_own_photos(DataConfig(root=str(folder)))
