"""Every layout on a small folder of its true shape."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from assistant import UserError
from assistant.layouts import LAYOUTS, Product, read_products

SHAPE = (20, 30)  # height, width


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


def good_bad(root: Path) -> None:
    photo(root / "OK/a.png")
    photo(root / "NG/crack/b.png")
    mask(root / "masks/crack/b.png")


def masks_beside(root: Path) -> None:
    photo(root / "a.png")
    photo(root / "b.png")
    mask(root / "b_mask.png")


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
