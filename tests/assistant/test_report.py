"""Pictures for people, and files that are finished or absent."""

import errno
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from assistant import UserError
from assistant.calibration import Calibration
from assistant.inspection import Inspection
from assistant.report import (
    COLORS,
    FLOOR,
    colorize,
    describe,
    load_map,
    make_folder,
    output_stems,
    overlay,
    save_inspection,
    save_map,
)


def test_the_color_scale_is_fixed_and_says_the_side_of_one_half() -> None:
    ramp = np.linspace(0, 1, 101)[None]
    colors = colorize(ramp).astype(int)
    assert colors.shape == (1, 101, 3)
    np.testing.assert_array_equal(colorize(ramp[:, :50])[0], colors[0, :50])  # no scaling by the map's own maximum
    red, blue = colors[0, :, 0], colors[0, :, 2]
    assert (blue[:40] > red[:40]).all() and (red[52:] > blue[52:]).all()
    assert len(np.unique(colors[0], axis=0)) == 101, "every percent has its own color"


def test_a_clean_photo_stays_as_it_was(photo: np.ndarray) -> None:
    noise = np.random.default_rng(0).uniform(0, FLOOR, photo.shape[:2])
    np.testing.assert_array_equal(np.asarray(overlay(photo, noise)), photo)
    assert photo[0, 0].tolist() == [40, 60, 200], "the photo itself is not painted on"


def test_heat_covers_the_defect_only(photo: np.ndarray) -> None:
    scores = np.zeros(photo.shape[:2], dtype=np.float32)
    scores[20:40, 30:60] = 1
    changed = (np.asarray(overlay(photo, scores)) != photo).any(axis=2)
    np.testing.assert_array_equal(changed, scores == 1)
    np.testing.assert_array_equal(np.asarray(overlay(photo, scores, opacity=0.0)), photo)


@pytest.mark.parametrize("shape", [(8, 8), (40, 60), (64, 64), (100, 900), (700, 500)])
def test_numbered_boxes_at_any_size(shape: tuple[int, int]) -> None:
    height, width = shape
    boxes = [(0, 0, width // 2, height // 2), (width // 2, height // 2, width, height), (0, 0, width, height)]
    regions = [SimpleNamespace(box=box) for box in boxes]
    photo = np.full((*shape, 3), 120, dtype=np.uint8)
    picture = overlay(photo, np.zeros(shape), regions=regions)
    assert picture.size == (width, height)
    pixels = np.asarray(picture)
    assert (pixels == 255).all(axis=2).any(), "a white frame"
    assert (pixels.max(axis=2) < 60).any(), "with a dark rim"


def test_map_round_trip(tmp_path: Path) -> None:
    scores = np.random.default_rng(0).random((37, 53)).astype(np.float32)
    save_map(tmp_path / "map.png", scores)
    np.testing.assert_allclose(load_map(tmp_path / "map.png"), scores, atol=0.51 / 65535)
    assert [path.name for path in tmp_path.iterdir()] == ["map.png"]


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "map.png"
    save_map(path, np.zeros((8, 8)))
    before = path.read_bytes()

    def half_written(self: Path, data: bytes) -> int:
        with self.open("wb") as stream:
            stream.write(data[:10])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", half_written)
    with pytest.raises(UserError, match="No space left"):
        save_map(path, np.ones((8, 8)))
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


def test_a_map_must_be_a_map(tmp_path: Path, photo_path: Path) -> None:
    with pytest.raises(UserError, match="16-bit"):
        load_map(photo_path)
    with pytest.raises(UserError, match="cannot be read"):
        load_map(tmp_path / "none.png")
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(UserError, match="cannot be read"):
        load_map(tmp_path / "text.png")


def test_a_file_where_the_folder_should_be(photo_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be made"):
        make_folder(photo_path)


def test_output_names_are_distinct_and_spare_the_photos(tmp_path: Path) -> None:
    images = ["a/x.png", "b/x.jpg", "c/X.png", "x_2.png", str(tmp_path / "y.png"), str(tmp_path / "y_map.png")]
    stems = output_stems(images, tmp_path)
    assert len({str(stem).casefold() for stem in stems}) == len(images)
    assert stems[0].name == "x" and stems[1].name == "x_2"
    assert stems[4].name == "y_2", "y_map.png is one of the photos"


def test_describe_and_save(tmp_path: Path, photo: np.ndarray) -> None:
    scores = np.zeros((96, 128), dtype=np.float32)
    scores[10:30, 10:30] = 0.8
    inspection = Inspection.from_map(
        scores, probability=0.93, calibration=Calibration(), image="part.png", notes=("odd reference",)
    )
    saved = save_inspection(inspection, photo, tmp_path / "part")
    assert saved.map == str(tmp_path / "part_map.png")
    with Image.open(tmp_path / "part_overlay.png") as picture:
        assert picture.size == (128, 96)
    lines = describe(saved).splitlines()
    assert lines[0].startswith("part.png: DEFECTIVE") and "0.93" in lines[0]
    assert "upper left" in lines[1] and "10,10 to 30,30" in lines[1]
    assert lines[2:] == ["  note: odd reference", f"  map: {saved.map}"]


def test_every_scale_tells_scores_apart_and_boxes_keep_their_numbers(photo: np.ndarray) -> None:
    ramp = np.linspace(0, 1, 256)[None]
    for name in COLORS:
        colors = colorize(ramp, name)[0].astype(int)
        assert len(np.unique(colors, axis=0)) > 200, name
    lightness = colorize(ramp, "Viridis")[0] @ (0.299, 0.587, 0.114)
    assert (np.diff(lightness) >= -1).all(), "a grey print tells the same"
    assert len({colorize(ramp, name).tobytes() for name in COLORS}) == len(COLORS)
    box, scores = [SimpleNamespace(box=(20, 20, 80, 80))], np.zeros(photo.shape[:2])
    pictures = {overlay(photo, scores, regions=box, first=number).tobytes() for number in (1, 2)}
    assert len(pictures) == 2
