"""Map -> regions, verdict and words: known maps give known answers, in pixels of the photo."""

import json

import numpy as np
import pytest

from assistant.calibration import Calibration
from assistant.inspection import (
    ANALYSIS_SIDE,
    KINDS,
    MAX_REGIONS,
    POSITIONS,
    SEVERITIES,
    VERDICTS,
    Inspection,
    Region,
    cells_of,
    find_regions,
    severity_of,
)

HEIGHT, WIDTH = 90, 120


def boxes(*rectangles: tuple[int, int, int, int], level: float = 0.9, shape=(HEIGHT, WIDTH)) -> np.ndarray:
    """A map of `level` inside the rectangles [x0, y0, x1, y1], 0.05 elsewhere."""
    anomaly_map = np.full(shape, 0.05, np.float32)
    for x0, y0, x1, y1 in rectangles:
        anomaly_map[y0:y1, x0:x1] = level
    return anomaly_map


def inspect(anomaly_map: np.ndarray, probability: float = 0.9, **about: object) -> Inspection:
    return Inspection.from_map(anomaly_map, probability=probability, calibration=Calibration(), image="p.png", **about)


# ---- regions


def test_a_rectangle_comes_back_as_its_box_and_area():
    (region,) = find_regions(boxes((30, 40, 50, 46)))
    assert region.box == (30, 40, 50, 46)
    assert region.area_px == 20 * 6 and region.area_fraction == pytest.approx(120 / (HEIGHT * WIDTH))
    assert region.peak == pytest.approx(0.9)


@pytest.mark.parametrize("index", range(9))
def test_each_cell_of_the_grid_has_its_name(index):
    row, column = divmod(index, 3)
    x, y = column * WIDTH // 3 + 15, row * HEIGHT // 3 + 10
    (region,) = find_regions(boxes((x, y, x + 10, y + 10)))
    assert region.position == POSITIONS[index] and region.cells == (POSITIONS[index],)
    found = inspect(boxes((x, y, x + 10, y + 10)))
    assert [cell for cell in POSITIONS if found.regions_in(cell)] == [POSITIONS[index]]


def test_a_region_over_several_cells_names_its_own_first_and_leaves_out_slivers():
    (region,) = find_regions(boxes((2, 35, 70, 55)))  # 38 px in the left column, 30 px in the middle one
    assert region.position == "center left" and region.cells == ("center left", "center")
    (region,) = find_regions(boxes((42, 35, 84, 55)))  # 4 of 42 px in the right column: under 15 %
    assert region.cells == ("center",)


def test_the_cell_of_a_ring_is_where_its_middle_is():
    y, x = np.mgrid[:90, :90]
    radius = np.hypot(x - 44.5, y - 44.5)
    assert cells_of((radius > 30) & (radius < 40))[0] == "center"


def test_the_heaviest_region_comes_first_and_specks_are_left_out():
    anomaly_map = boxes((10, 10, 20, 20), (70, 50, 110, 80), (100, 5, 101, 6))
    assert [region.position for region in find_regions(anomaly_map)] == ["lower right", "upper left"]
    faint = boxes((90, 65, 110, 85), level=0.55)
    faint[10:28, 10:28] = 1.0  # smaller, but it stands out more
    assert [region.position for region in find_regions(faint)] == ["upper left", "lower right"]


def test_touching_corners_are_one_region_and_a_gap_makes_two():
    assert len(find_regions(boxes((10, 10, 20, 20), (20, 20, 30, 30)))) == 1
    assert len(find_regions(boxes((10, 10, 20, 20), (21, 21, 30, 30)))) == 2


def test_of_many_islands_the_heaviest_are_kept():
    spots = [(10 * i + 2, 40, 10 * i + 6, 44 + i) for i in range(10)]
    found = find_regions(boxes(*spots))
    assert len(found) == MAX_REGIONS
    assert {region.box for region in found} == set(spots[-MAX_REGIONS:])


def test_a_map_below_the_level_still_names_its_strongest_place():
    (region,) = find_regions(boxes((80, 10, 100, 20), level=0.3))
    assert region.box == (80, 10, 100, 20) and region.peak == pytest.approx(0.3)


@pytest.mark.parametrize("value", [0.0, 0.3, 1.0])
def test_a_flat_map_is_one_region_over_everything(value):
    (region,) = find_regions(np.full((HEIGHT, WIDTH), value, np.float32))
    assert region.box == (0, 0, WIDTH, HEIGHT) and region.area_fraction == 1.0 and region.position == "center"


def test_a_large_photo_has_its_boxes_in_its_own_pixels():
    shape = (ANALYSIS_SIDE * 4, ANALYSIS_SIDE * 6)
    (region,) = find_regions(boxes((600, 300, 900, 420), shape=shape))
    assert np.abs(np.array(region.box) - (600, 300, 900, 420)).max() <= 6  # one step of the analysis grid
    assert region.area_px == pytest.approx(300 * 120, rel=0.05)
    (region,) = find_regions(boxes((shape[1] - 5, shape[0] - 5, shape[1], shape[0]), level=1.0, shape=shape) * 0.9)
    assert region.box[2] <= shape[1] and region.box[3] <= shape[0]


def test_a_moved_map_has_moved_boxes():
    anomaly_map = boxes((20, 20, 35, 30))
    (before,), (after,) = find_regions(anomaly_map), find_regions(np.roll(anomaly_map, (25, 40), axis=(0, 1)))
    assert np.subtract(after.box, before.box).tolist() == [40, 25, 40, 25]
    assert after.area_px == before.area_px and after.severity == before.severity


# ---- what a region looks like


@pytest.mark.parametrize(("grey", "tone"), [(60, "darker"), (180, "brighter"), (122, "similar")])
def test_the_tone_is_told_against_the_surroundings(grey, tone):
    photo = np.full((HEIGHT, WIDTH, 3), 120, np.uint8)
    photo[40:50, 30:50] = grey
    (region,) = find_regions(boxes((30, 40, 50, 50)), photo=photo)
    assert region.tone == tone


def test_without_surroundings_or_photo_there_is_no_tone():
    assert find_regions(boxes((0, 0, WIDTH, HEIGHT)), photo=np.zeros((HEIGHT, WIDTH, 3), np.uint8))[0].tone == "similar"
    assert find_regions(boxes((30, 40, 50, 50)))[0].tone == "similar"


def shape_of(mask: np.ndarray) -> str:
    return find_regions(np.where(mask, 0.9, 0.05).astype(np.float32))[0].shape


def test_a_line_is_thin_a_disk_compact_and_a_comb_irregular():
    y, x = np.mgrid[:90, :120]
    assert shape_of((np.abs(y - 45) < 2) & (np.abs(x - 60) < 30)) == "thin"
    assert shape_of(np.abs(x - y - 15) < 3) == "thin"
    assert shape_of(np.hypot(x - 60, y - 45) < 12) == "compact"
    assert shape_of((np.abs(x - 60) < 15) & (np.abs(y - 45) < 15)) == "compact"
    ring = (np.hypot(x - 60, y - 45) < 25) & (np.hypot(x - 60, y - 45) > 20)
    assert shape_of(ring) == "irregular"
    assert shape_of((x == 60) & (y == 45)) == "compact"


def test_a_kind_is_named_only_where_it_stands_out():
    anomaly_map = boxes((10, 10, 30, 30), (80, 60, 110, 85))
    kind_map = np.full((len(KINDS), 9, 12), 0.02)
    kind_map[KINDS.index("stain"), 5:, 6:] = 0.8
    stain, other = find_regions(anomaly_map, kind_map=kind_map)
    assert stain.type == "stain" and stain.type_probability == pytest.approx(0.8)
    assert other.type is None and other.type_probability is None
    assert find_regions(anomaly_map)[0].type is None


# ---- severity


def test_severity_never_falls_as_area_or_peak_grow():
    steps = np.linspace(0.0, 1.0, 41)
    rank = np.array([[SEVERITIES.index(severity_of(float(area), float(peak))) for peak in steps] for area in steps])
    assert (np.diff(rank, axis=0) >= 0).all() and (np.diff(rank, axis=1) >= 0).all()
    assert set(rank.flatten()) == {0, 1, 2}


def test_severity_follows_size():
    sides = (4, 16, 50)
    found = [find_regions(boxes((40, 20, 40 + side, 20 + side)))[0].severity for side in sides]
    assert found == ["minor", "moderate", "severe"]


# ---- verdict


@pytest.mark.parametrize("probability", [0.0, 0.2, 0.4699, 0.5, 0.5301, 0.8, 1.0])
def test_verdict_and_regions_never_disagree(probability):
    for anomaly_map in (boxes((30, 40, 50, 50)), boxes((30, 40, 50, 50), level=0.2), boxes()):
        found = inspect(anomaly_map, probability)
        assert found.verdict in VERDICTS
        assert (found.verdict == "good") == (found.regions == ()) == (probability <= 0.47)
        assert found.probability == probability and found.size == (WIDTH, HEIGHT)


def test_the_verdict_rises_with_the_probability():
    rank = {"good": 0, "unsure": 1, "defective": 2}
    calibration = Calibration(unsure=(0.3, 0.6))
    verdicts = [rank[calibration.verdict(p)] for p in np.linspace(0, 1, 101)]
    assert verdicts == sorted(verdicts) and set(verdicts) == {0, 1, 2}


def test_calibration_is_monotone_bounded_and_comes_back_from_json():
    calibration = Calibration((2.0, -1.0), 0.5, (0.4, 0.55))
    probabilities = [calibration.probability(np.array([x, 0.0])) for x in (-1e6, -2.0, 0.0, 2.0, 1e6)]
    assert probabilities == sorted(probabilities) and 0 <= probabilities[0] < 1e-9 and 1 - 1e-9 < probabilities[-1] <= 1
    assert calibration.probability(np.array([0.0, 0.5])) == pytest.approx(0.5)
    assert Calibration.from_json(json.loads(json.dumps(calibration.to_json()))) == calibration


def region(**changes: object) -> Region:
    values = {
        "box": (1, 2, 3, 4), "area_px": 4, "area_fraction": 0.01, "position": "center", "peak": 0.7,
        "severity": "minor",
    }  # fmt: skip
    return Region(**{**values, **changes})


@pytest.mark.parametrize(
    "wrong",
    [
        {"box": (3, 2, 3, 4)}, {"box": (1, 4, 3, 2)}, {"box": (-1, 2, 3, 4)}, {"position": "middle"},
        {"severity": "bad"}, {"tone": "red"}, {"shape": "round"}, {"type": "rust"},
    ],
)  # fmt: skip
def test_a_region_that_cannot_be_is_not_built(wrong):
    with pytest.raises(AssertionError):
        region(**wrong)
    assert region().cells == ("center",)


@pytest.mark.parametrize(
    "wrong",
    [{"verdict": "good", "regions": (region(),)}, {"verdict": "defective"}, {"verdict": "unsure"}, {"verdict": "bad"},
     {"verdict": "good", "probability": 1.5}],
)  # fmt: skip
def test_an_inspection_that_contradicts_itself_is_not_built(wrong):
    with pytest.raises(AssertionError):
        Inspection(**{"image": "p.png", "size": (8, 8), "probability": 0.5, **wrong})


# ---- the JSON contract


def test_the_json_has_the_keys_that_others_read():
    kind_map = np.zeros((len(KINDS), 9, 12))
    kind_map[0] = 1.0
    found = inspect(
        boxes((30, 40, 50, 50)), 0.876543, kind_map=kind_map, references=2, model="tiny", seconds=0.1, notes=("a note",)
    ).with_map_path("out/p_map.png")
    values = json.loads(json.dumps(found.to_json()))
    assert {"image", "verdict", "probability", "regions", "references", "map", "model", "seconds"} <= values.keys()
    (one,) = values["regions"]
    assert {"box", "area_px", "area_fraction", "position", "peak", "type", "type_probability", "severity"} <= one.keys()
    assert one["box"] == [30, 40, 50, 50] and one["type"] == "crack" and one["type_probability"] == 1.0
    assert (values["image"], values["verdict"], values["references"]) == ("p.png", "defective", 2)
    assert values["map"] == "out/p_map.png" and values["notes"] == ["a note"] and values["size"] == [WIDTH, HEIGHT]
    assert values["probability"] == pytest.approx(0.8765)


def test_a_good_part_in_json_has_no_regions_and_no_map_path():
    values = json.loads(json.dumps(inspect(boxes(), 0.1).to_json()))
    assert values["verdict"] == "good" and values["regions"] == [] and values["map"] is None
