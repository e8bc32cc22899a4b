"""Every layout on a small folder of its true shape."""

import csv
import io
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from assistant import UserError
from assistant.evaluation.anomalygpt import AnomalyGptAccuracy
from assistant.evaluation.detection import evaluate_detection
from assistant.evaluation.source import read_source
from assistant.inspection import KINDS
from assistant.layouts import COMBINED, LAYOUTS, Product, read_products
from assistant.layouts.llava import conversations
from data_gen.dataset import generate_dataset
from data_gen.plan import Recipe
from data_gen.shards import read_rows

SHAPE = (20, 30)  # height, width


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache of `datasets` for these tests alone."""
    from datasets import config

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(config, "HF_DATASETS_CACHE", tmp_path_factory.mktemp("cache"))
        yield config.HF_DATASETS_CACHE


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("generated") / "out"
    generate_dataset(Recipe(count=10, size=48, seed=1, references=1), out, workers=1, export=("llava", "mvtec"))
    return out


def photo(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", SHAPE[::-1], (120, 130, 140)).save(path)
    return path


def mask(path: Path, rows: slice = slice(2, 6), columns: slice = slice(3, 9)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    values = np.zeros(SHAPE, np.uint8)
    values[rows, columns] = 255
    Image.fromarray(values).save(path)
    return path


EXPECTED = np.zeros(SHAPE, bool)
EXPECTED[2:6, 3:9] = True


def area(product: Product, shape: tuple[int, int] = SHAPE) -> list[int]:
    return [int(p.mask(shape).sum()) for p in product.photos if p.mask is not None]


def mvtec(root: Path) -> None:
    photo(root / "nut/train/good/0.png")
    photo(root / "nut/test/good/0.png")
    photo(root / "nut/test/bent/0.png")
    mask(root / "nut/ground_truth/bent/0_mask.png")


def loco(root: Path) -> None:
    photo(root / "box/train/good/0.png")
    photo(root / "box/validation/good/0.png")
    photo(root / "box/test/logical_anomalies/7.png")
    mask(root / "box/ground_truth/logical_anomalies/7/0.png", slice(2, 4))
    mask(root / "box/ground_truth/logical_anomalies/7/1.png", slice(4, 6))


def mvtec_ad_2(root: Path) -> None:
    photo(root / "can/train/good/000_regular.png")
    photo(root / "can/validation/good/001_regular.png")
    photo(root / "can/test_public/good/002_regular.png")
    photo(root / "can/test_public/bad/003_shift_1.png")
    mask(root / "can/test_public/ground_truth/bad/003_shift_1_mask.png")
    photo(root / "can/test_private/004_regular.png")  # without labels: not read
    photo(root / "can/test_private_mixed/005_mixed.png")


def btad(root: Path) -> None:
    photo(root / "01/train/ok/0.bmp")
    photo(root / "01/test/ko/3.bmp")
    mask(root / "01/ground_truth/ko/3.bmp")


def btad_masks_as_png(root: Path) -> None:
    photo(root / "BTech_Dataset_transformed/02/train/ok/0000.png")
    photo(root / "BTech_Dataset_transformed/02/test/ok/0001.png")
    photo(root / "BTech_Dataset_transformed/02/test/ko/0002.png")
    mask(root / "BTech_Dataset_transformed/02/ground_truth/ko/0002.png")


def mpdd(root: Path) -> None:
    photo(root / "MPDD/bracket_black/train/good/000.png")
    photo(root / "MPDD/bracket_black/test/good/000.png")
    photo(root / "MPDD/bracket_black/test/scratches/000.png")
    mask(root / "MPDD/bracket_black/ground_truth/scratches/000_mask.png")


def goods_ad(root: Path) -> None:
    photo(root / "cigarette_box/train/good/000_000.jpg")
    photo(root / "cigarette_box/test/good/000_001.jpg")
    photo(root / "cigarette_box/test/opened/000_002.jpg")
    mask(root / "cigarette_box/ground_truth/opened/000_002.png")


def wfdd(root: Path) -> None:
    photo(root / "WFDD/grey_cloth/train/good/000.png")
    photo(root / "WFDD/grey_cloth/test/good/001.png")
    photo(root / "WFDD/grey_cloth/test/line/002.png")
    mask(root / "WFDD/grey_cloth/ground_truth/line/002_mask.png")


def visa_split(root: Path) -> None:
    rows = [
        ("candle", "train", "normal", photo(root / "candle/Data/Images/Normal/0.JPG"), ""),
        ("candle", "test", "anomaly", photo(root / "candle/Data/Images/Anomaly/0.JPG"),
         mask(root / "candle/Data/Masks/Anomaly/0.png")),
    ]  # fmt: skip
    table = root / "split_csv/1cls.csv"
    table.parent.mkdir()
    with table.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["object", "split", "label", "image", "mask"])
        for name, split, label, path, truth in rows:
            writer.writerow([name, split, label, path.relative_to(root), truth and Path(truth).relative_to(root)])


def visa_annotations(root: Path) -> None:
    photo(root / "pcb1/Data/Images/Normal/0.JPG")
    photo(root / "pcb1/Data/Images/Anomaly/0.JPG")
    mask(root / "pcb1/Data/Masks/Anomaly/0.png")
    (root / "pcb1/image_anno.csv").write_text(
        "image,label,mask\npcb1/Data/Images/Normal/0.JPG,normal,\n"
        "pcb1/Data/Images/Anomaly/0.JPG,bent,pcb1/Data/Masks/Anomaly/0.png\n"
    )


def real_iad(root: Path) -> None:
    photo(root / "toy/OK/S1/a.jpg")
    photo(root / "toy/NG/HS/S2/b.jpg")
    mask(root / "toy/NG/HS/S2/b.png")
    good = {"category": "toy", "anomaly_class": "OK", "image_path": "OK/S1/a.jpg", "mask_path": None}
    bad = {"category": "toy", "anomaly_class": "HS", "image_path": "NG/HS/S2/b.jpg", "mask_path": "NG/HS/S2/b.png"}
    (root / "toy.json").write_text(json.dumps({"meta": {"prefix": "toy/"}, "train": [good], "test": [bad]}))


def real_iad_download(root: Path) -> None:
    shot = "toy_0001_{}_C1_20231021153012"
    names = f"OK/S0001/{shot.format('OK')}.jpg", f"NG/HS/S0002/{shot.format('NG_HS')}.jpg"
    truth = f"NG/HS/S0002/{shot.format('NG_HS')}.png"
    for name in names:
        photo(root / "realiad_256/toy" / name)
        photo(root / "realiad_1024/toy" / name)
    mask(root / "realiad_1024/toy" / truth)
    good = {"category": "toy", "anomaly_class": "OK", "image_path": names[0], "mask_path": None}
    bad = {"category": "toy", "anomaly_class": "HS", "image_path": names[1], "mask_path": truth}
    meta = {"normal_class": "OK", "prefix": "toy/", "pre_transform": {}}
    for split in ("realiad_jsons", "realiad_jsons_sv"):  # multi-view, and single-view beside it
        table = root / "realiad_jsons" / split / "toy.json"
        table.parent.mkdir(parents=True)
        table.write_text(json.dumps({"meta": meta, "train": [good], "test": [bad]}))


def coco(root: Path) -> None:
    for name in ("good.png", "box.png", "ring.png", "runs.png"):
        photo(root / "images" / name)
    images = [
        {"id": i, "file_name": name, "width": SHAPE[1], "height": SHAPE[0]}
        for i, name in enumerate(("good.png", "box.png", "ring.png", "runs.png"))
    ]
    flat = EXPECTED.T.ravel()
    edges = np.flatnonzero(np.diff(np.r_[False, flat, False]))
    counts = np.diff(np.r_[0, edges, flat.size]).tolist()
    marks = [
        {"image_id": 1, "category_id": 5, "bbox": [3, 2, 5, 3]},
        {"image_id": 2, "category_id": 5, "segmentation": [[3, 2, 8, 2, 8, 5, 3, 5]]},
        {"image_id": 3, "category_id": 5, "segmentation": {"size": list(SHAPE), "counts": counts}},
    ]
    values = {"images": images, "annotations": marks, "categories": [{"id": 5, "name": "scratch"}]}
    (root / "annotations.json").write_text(json.dumps(values))


def yolo(root: Path) -> None:
    photo(root / "images/train/a.png")
    photo(root / "images/train/b.png")
    label = root / "labels/train/b.txt"
    label.parent.mkdir(parents=True)
    label.write_text(f"1 {5.5 / 30} {3.5 / 20} {5 / 30} {3 / 20}\n")
    (root / "data.yaml").write_text("names: [hole, crack]\n")


def yolo_of_roboflow(root: Path) -> None:
    photo(root / "train/images/a.png")
    photo(root / "valid/images/b.png")
    for split, text in (("train", ""), ("valid", f"1 {5.5 / 30} {3.5 / 20} {5 / 30} {3 / 20}\n")):
        (root / split / "labels").mkdir(parents=True)
        (root / split / "labels" / f"{'a' if split == 'train' else 'b'}.txt").write_text(text)
    (root / "data.yaml").write_text("names: [hole, crack]\n")


def talk(image: Any, *said: str) -> dict[str, Any]:
    turns = [{"from": ("human", "gpt")[place % 2], "value": text} for place, text in enumerate(said)]
    return {"id": "0", "image": image, "conversations": turns}


def llava(root: Path) -> None:
    entries = [
        talk("a.png", "<image>\nIs it fine?", "Yes.", "What is at [1, 1, 5, 5]?", "Nothing unusual in the box."),
        talk(["b.png", "a.png"], "<image>\n<image>\nWhere is the defect?", "There is a crack at [3, 2, 9, 6]."),
        talk("c.png", "<image>\nWhat color is it?", "It is gray."),
    ]
    for name in ("images/a.png", "b.png", "c.png"):
        photo(root / name)
    (root / "conversations.json").write_text(json.dumps(entries))


def encoded(path: Path) -> dict[str, Any]:
    data = path.read_bytes()
    path.unlink()
    return {"bytes": data, "path": path.name}


def class_labels(root: Path) -> Any:
    """Two photos as `datasets` holds them, with a mask and classes by name."""
    from datasets import ClassLabel, Dataset, Features, Image, Value

    shown, truth = encoded(photo(root / "a.png")), encoded(mask(root / "m.png"))
    rows = {
        "picture": [shown] * 3,
        "caption": ["ok then", "a nut", "?"],
        "class": [1, 0, -1],
        "mask": [None, truth, None],
    }
    classes = ClassLabel(names=["crack", "good"])
    return Dataset.from_dict(
        rows, Features({"picture": Image(), "caption": Value("string"), "class": classes, "mask": Image()})
    )


def datasets_parquet(root: Path) -> None:
    class_labels(root).to_parquet(root / "data.parquet")


def datasets_saved(root: Path) -> None:
    class_labels(root).save_to_disk(root)


def datasets_paths_on_disk(root: Path) -> None:
    """A table of paths instead of pixels, with a flag and a list of kinds."""
    from datasets import Dataset, Features, Image, List, Value

    rows = {"image": [str(photo(root / "pixels/a.png")), str(photo(root / "pixels/b.png"))], "anomaly": [0, 1],
            "ground_truth": [None, str(mask(root / "pixels/m.png"))], "kinds": [[], ["hole", "hole"]]}  # fmt: skip
    features = {"image": Image(), "anomaly": Value("int8"), "ground_truth": Image(), "kinds": List(Value("string"))}
    Dataset.from_dict(rows, Features(features)).save_to_disk(root)


def parquet_without_features(root: Path) -> None:
    """As other tools write it: text for a label, a struct for the picture."""
    import pyarrow as pa
    from pyarrow import parquet

    shown, truth = encoded(photo(root / "a.png")), encoded(mask(root / "m.png"))
    table = {"image": [shown, shown], "note": ["ok", "rust"], "state": ["OK", "NG"], "mask": [None, truth]}
    (root / "data").mkdir()
    parquet.write_table(pa.table(table), root / "data/train-00000-of-00001.parquet")


def good_bad(root: Path) -> None:
    photo(root / "OK/a.png")
    photo(root / "NG/crack/b.png")
    mask(root / "masks/crack/b.png")


def masks_beside(root: Path) -> None:
    photo(root / "a.png")
    photo(root / "b.png")
    mask(root / "b_mask.png")


def masks_of_the_same_name(root: Path) -> None:
    photo(root / "a.jpg")
    photo(root / "b.jpg")
    mask(root / "b.png")


def masks_in_a_folder(root: Path) -> None:
    photo(root / "images/a.png")
    photo(root / "images/b.png")
    mask(root / "masks/b_GT.png")
    Image.new("L", SHAPE[::-1]).save(root / "masks/a_GT.png")


def good_only(root: Path) -> None:
    photo(root / "a.png")
    photo(root / "more/b.jpg")


# maker -> layout that must be recognised, good photos, bad photos, kind of the first bad one
CASES = {
    mvtec: ("mvtec", 2, 1, "bent"), loco: ("mvtec", 2, 1, "logical_anomalies"), mvtec_ad_2: ("mvtec", 3, 1, "bad"),
    btad: ("mvtec", 1, 1, "ko"), btad_masks_as_png: ("mvtec", 2, 1, "ko"), mpdd: ("mvtec", 2, 1, "scratches"),
    goods_ad: ("mvtec", 2, 1, "opened"), wfdd: ("mvtec", 2, 1, "line"), visa_split: ("visa", 1, 1, None),
    visa_annotations: ("visa", 1, 1, "bent"), real_iad: ("real-iad", 1, 1, "HS"),
    real_iad_download: ("real-iad", 1, 1, "HS"), coco: ("coco", 1, 3, "scratch"), yolo: ("yolo", 1, 1, "crack"),
    yolo_of_roboflow: ("yolo", 1, 1, "crack"), masks_of_the_same_name: ("masks-beside", 1, 1, None),
    masks_in_a_folder: ("masks-beside", 1, 1, None),
    datasets_parquet: ("datasets", 1, 1, "crack"), datasets_saved: ("datasets", 1, 1, "crack"),
    datasets_paths_on_disk: ("datasets", 1, 1, "hole"), parquet_without_features: ("datasets", 1, 1, None),
    llava: ("llava", 1, 1, "crack"),
    good_bad: ("good-bad", 1, 1, "crack"), masks_beside: ("masks-beside", 1, 1, None),
    good_only: ("good-only", 2, 0, None),
}  # fmt: skip


@pytest.mark.parametrize("make", CASES, ids=lambda make: make.__name__)
def test_recognised_and_read(make, tmp_path):
    layout, good, bad, kind = CASES[make]
    make(tmp_path)
    name, (product,) = read_products(tmp_path)
    assert name == layout
    assert (len(product.good()), len(product.bad())) == (good, bad)
    assert all(p.path.is_file() for p in product.photos)
    if bad:
        assert product.bad()[0].kind == kind
        assert all(p.mask is not None and np.array_equal(p.mask(SHAPE), EXPECTED) for p in product.bad())
    # a mask of another size than its photo is brought to it
    assert all(0.8 < 4 * part / whole < 5 for part, whole in zip(area(product), area(product, (40, 60)), strict=True))


def test_every_layout_is_tried():
    assert {case[0] for case in CASES.values()} == set(LAYOUTS)


def test_splits(tmp_path):
    mvtec(tmp_path)
    _, (product,) = read_products(tmp_path / "nut")
    assert (len(product.good("train")), len(product.good("test")), len(product.bad("test"))) == (1, 1, 1)
    assert product.name == "nut"


def test_products_in_the_folder_of_their_archive(tmp_path):
    mpdd(tmp_path)
    mvtec(tmp_path / "more")
    assert [product.name for product in read_products(tmp_path)[1]] == ["MPDD_bracket_black", "more_nut"]
    assert [product.name for product in read_products(tmp_path / "MPDD")[1]] == ["bracket_black"]


def test_two_products(tmp_path):
    good_bad(tmp_path / "one")
    good_bad(tmp_path / "two")
    _, products = read_products(tmp_path)
    assert [product.name for product in products] == ["one", "two"]


def test_bad_input(tmp_path):
    with pytest.raises(UserError, match="not a folder"):
        read_products(tmp_path / "none")
    with pytest.raises(UserError, match="holds no photos"):
        read_products(tmp_path)
    with pytest.raises(UserError, match="unknown layout"):
        read_products(tmp_path, "mvtek")
    yolo(tmp_path)
    (tmp_path / "labels/train/b.txt").write_text("1 a b c d\n")
    with pytest.raises(UserError, match="line 1 is no YOLO label"):
        read_products(tmp_path)


@pytest.mark.parametrize(
    "folders", [("bad",), ("test", "ground_truth"), ("good", "cut", "poke"), ("gut", "schlecht"), ("images", "labels")]
)
def test_what_may_not_be_good_is_not_taken_for_it(folders, tmp_path):
    for folder in folders:
        photo(tmp_path / folder / "a.png")
    with pytest.raises(UserError, match="nothing tells that they show good parts"):
        read_products(tmp_path)


def test_damaged_annotations(tmp_path):
    coco(tmp_path)
    (table,) = tmp_path.rglob("*.json")
    whole = table.read_text()
    table.write_text(whole[:-9])
    with pytest.raises(UserError, match="is no JSON"):
        read_products(tmp_path)
    table.write_text(whole.replace('"bbox": [', '"bbox": ["x", '))
    with pytest.raises(UserError, match="is no COCO table"):
        read_products(tmp_path)
    (tmp_path / "yolo").mkdir()
    yolo(tmp_path / "yolo")
    (tmp_path / "yolo/labels/train/b.txt").write_text("0 50 60 40 40\n")
    with pytest.raises(UserError, match="is no YOLO label"):
        read_products(tmp_path / "yolo")


def test_a_mask_of_another_shape_is_none(tmp_path):
    masks_beside(tmp_path)
    _, (product,) = read_products(tmp_path)
    (bad,) = product.bad()
    with pytest.raises(UserError, match="the mask .*b_mask.png is 30 x 20 pixels"):
        bad.mask((30, 30))


def test_llava_export_says_the_truth(generated):
    truth = {row["images"][0]["path"]: row for row in read_rows(sorted(generated.glob("data/*.parquet")))}
    layout, (product,) = read_products(generated / "llava")
    assert layout == "llava" and len(product.photos) >= 8 and product.good() and product.bad()
    for photo in product.photos:
        row = truth[photo.path.name]
        assert photo.defective == row["defective"] and photo.path.read_bytes() == row["images"][0]["bytes"]
        kinds = set(row["kinds"])
        assert photo.kind in {None, *kinds} or photo.kind == COMBINED and len(kinds) > 1


def told(root: Path, *said: str, image: Any = "a.png") -> tuple[bool, str | None, list[list[int]] | None]:
    """What one conversation tells of a photo: defective, kind, and the corners of the mask."""
    (root / "talk.json").write_text(json.dumps([talk(image, *said)]))
    _, (product,) = read_products(root)
    (only,) = product.photos
    marked = None if only.mask is None else np.argwhere(only.mask(SHAPE))
    return only.defective, only.kind, None if marked is None else [marked.min(0).tolist(), marked.max(0).tolist()]


def test_what_answers_tell(tmp_path):
    photo(tmp_path / "a.png")
    assert told(tmp_path, "Is the part good?\nA) Yes\nB) No", "B.") == (True, None, None)
    assert told(tmp_path, "Which defect is it?\nA: A hole\nB: A crack", "B: A crack.") == (True, "crack", None)
    assert told(tmp_path, "Which defects?", "I see a hole and a crack.") == (True, COMBINED, None)
    assert told(tmp_path, "At [0, 0, 4, 4]?", "Nothing unusual in the box.", "Fine?", "No.") == (True, None, None)
    boxes = "There is a dent at [1, 2, 4, 5] and [20, 10, 30, 20]. I see nothing at [0, 0, 30, 20]."
    assert told(tmp_path, "Where is the damage?", boxes) == (True, "dent", [[2, 1], [19, 29]])
    # fractions, and boxes of a larger photo, are no pixels of this one
    assert told(tmp_path, "Where is the hole?", "The hole is at [0.1, 0.2, 0.4, 0.5].")[1:] == ("hole", None)
    assert told(tmp_path, "Where is the hole?", "The hole is at [100, 200, 400, 500].")[1:] == ("hole", None)


def test_boxes_are_of_the_upright_photo(tmp_path):
    turned = Image.new("RGB", SHAPE, "gray")  # lies on its side: SHAPE is height, width
    exif = turned.getexif()
    exif[0x0112] = 6
    turned.save(tmp_path / "a.jpg", exif=exif)
    assert told(tmp_path, "Where is the hole?", "A hole at [3, 2, 30, 6].", image="a.jpg")[2] == [[2, 3], [5, 29]]


def test_conversations_that_cannot_be_read(tmp_path, capsys):
    llava(tmp_path)
    assert conversations(tmp_path) == tmp_path / "conversations.json" and conversations(tmp_path / "images") is None
    read_products(tmp_path)
    assert "left out: 1 of 3 photos, since no answer" in capsys.readouterr().err
    (tmp_path / "b.png").unlink()
    read_products(tmp_path)
    assert "left out: 1 of 3 photos, named in" in capsys.readouterr().err
    table = tmp_path / "conversations.json"
    table.with_name("more.json").write_text(table.read_text())
    with pytest.raises(UserError, match="several files of conversations: conversations.json, more.json"):
        read_products(tmp_path)
    table.with_name("more.json").unlink()
    table.write_text(table.read_text()[:-1])
    with pytest.raises(UserError, match="no whole JSON"):
        read_products(tmp_path)
    for image, why in (("c.png", "tells of a photo"), ("d.png", "is there")):
        table.write_text(json.dumps([talk(image, "What color is it?", "It is gray.")]))
        with pytest.raises(UserError, match=why):
            read_products(tmp_path)


def test_generated_folder_says_the_truth(generated, cache, capsys):
    before = sorted(generated.rglob("*"))
    layout, products = read_products(generated)  # not its exports, which lie in it too
    assert layout == "datasets" and "once" in capsys.readouterr().err
    rows = list(read_rows(sorted(generated.glob("data/*.parquet"))))
    assert {product.name for product in products} == {row["group"] for row in rows}
    photos = [photo for product in products for photo in product.photos]
    assert len(photos) == len(rows)
    for photo, row in zip(sorted(photos, key=lambda photo: photo.path), rows, strict=True):
        assert photo.path.is_relative_to(cache) and photo.path.read_bytes() == row["images"][0]["bytes"]
        assert photo.defective == row["defective"] and photo.split is None
        assert photo.kind in ({None} if not row["defective"] else {*KINDS, COMBINED})
        if row["defective"]:
            truth = np.asarray(Image.open(io.BytesIO(row["mask"]["bytes"]))) > 0
            assert photo.mask is not None and np.array_equal(photo.mask(truth.shape), truth)
    assert read_products(generated)[1] == products and "once" not in capsys.readouterr().err
    assert sorted(generated.rglob("*")) == before, "something was written into the user's folder"


def test_generated_folder_is_evaluated(generated, stub, tmp_path):
    report = evaluate_detection(generated, shots=0, seed=0, model="stub", out=tmp_path / "out", assistant=stub())
    assert report["skipped"] == [] and report["mean"]["pixel_auroc"] is not None
    with (tmp_path / "out" / "per_image.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    asked = AnomalyGptAccuracy(read_source(generated), shots=0).rows()
    assert len(rows) == len(asked) == 10
    assert all((generated / name).is_file() for name in [row["path"] for row in rows] + [row["image"] for row in asked])


def test_splits_and_left_out_rows(tmp_path, capsys):
    from datasets import DatasetDict

    rows = class_labels(tmp_path)
    DatasetDict({"train": rows, "test": rows.select([1])}).save_to_disk(tmp_path)
    _, (product,) = read_products(tmp_path)
    assert "left out: 1 rows" in capsys.readouterr().err  # without a class
    assert (len(product.good("train")), len(product.bad("train")), len(product.bad("test"))) == (1, 1, 1)


@pytest.mark.parametrize("column, values", [
    ("label", [0, 2]), ("label", ["cat", "dog"]), ("state", ["ok", "rusty"]), ("state", ["ok", "ok"]), ("good", [1, 0]),
    ("caption", ["good", "bad " * 20]),
])  # fmt: skip
def test_parquet_without_labels_is_none_of_ours(column, values, tmp_path):
    import pyarrow as pa
    from pyarrow import parquet

    shown = encoded(photo(tmp_path / "a.png"))
    parquet.write_table(pa.table({"image": [shown, shown], column: values}), tmp_path / "rows.parquet")
    with pytest.raises(UserError, match="holds no photos"):
        read_products(tmp_path)


def test_stray_or_damaged_parquet(tmp_path, cache, capsys):
    (tmp_path / "features.parquet").write_bytes(b"PAR1")
    with pytest.raises(UserError, match="holds no photos"):
        read_products(tmp_path)
    assert "does not open" in capsys.readouterr().err
    good_bad(tmp_path)
    assert read_products(tmp_path)[0] == "good-bad"


def test_extraction_is_whole_or_absent(tmp_path, cache, monkeypatch):
    datasets_parquet(tmp_path)
    whole = Path.write_bytes

    def fail_late(path: Path, data: bytes) -> int:
        whole(path, data)
        raise OSError(28, "disk full")

    monkeypatch.setattr(Path, "write_bytes", fail_late)
    with pytest.raises(UserError, match="cannot be taken out.*full"):
        read_products(tmp_path)
    monkeypatch.undo()
    assert not list(cache.glob("anomaly-assistant/*.part"))
    _, (product,) = read_products(tmp_path)
    assert len(product.photos) == 2


def _photos(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8)).save(root / name)


@pytest.mark.parametrize(
    ("names", "text", "says"),
    [
        (("Data/Images/Normal/1.png", "Data/Images/Anomaly/2.png", "Data/Masks/Anomaly/2.png"), {}, "Images/"),
        (("photos/good/1.png", "photos/scratch/2.png"), {}, "scratch/"),
        (("1.png", "2.png", "damaged/3.png"), {}, "damaged/"),
        (("1.png", "dents/3.png"), {}, "dents/"),
        (("good/1.png", "good/bad/2.png"), {}, "bad/"),
        (("NIO/1.png", "NIO/2.png"), {}, "NIO/"),
        (("1.png", "2.png"), {"1.txt": "0 0.5 0.5 0.1 0.1"}, "1.txt labels a photo"),
        (("1.png", "2.png"), {"labels.csv": "file,label\n1.png,ng"}, "labels.csv names photos"),
        (("ok_1.png", "ng_2.png"), {}, "ng_2.png speaks of a defect"),
        (("part_1.png", "part_1_msk.png"), {}, "part_1_msk.png speaks of"),
        (("good/1.png", "bad/2.png", "bad/2_seg.png"), {}, "bad/2_seg.png is named like a mask"),
    ],
)
def test_nothing_that_speaks_of_defects_is_read_as_good(
    tmp_path: Path, names: tuple[str, ...], text: dict[str, str], says: str
) -> None:
    _photos(tmp_path, *names)
    for name, words in text.items():
        (tmp_path / name).write_text(words)
    with pytest.raises(UserError, match=re.escape(says)):
        read_products(tmp_path)


def test_a_name_that_is_no_text_is_told(tmp_path: Path) -> None:
    _photos(tmp_path, "1.png", "2.png")
    os.rename(tmp_path / "2.png", os.fsencode(tmp_path) + b"/caf\xe9.png")
    with pytest.raises(UserError, match=r"caf\\udce9.png is not UTF-8: rename it"):
        read_products(tmp_path)


def test_a_word_that_all_photos_bear_is_the_name_of_the_product(tmp_path: Path) -> None:
    _photos(tmp_path, "mask holder 1.png", "mask holder 2.png")
    (tmp_path / "settings.csv").write_text("exposure,3")
    (tmp_path / "readme.txt").write_text("Photos of the mask holder.")
    layout, (product,) = read_products(tmp_path)
    assert layout == "good-only" and len(product.good()) == 2
