"""The store: products, corrections and log come back as they were told, after kills and from several threads."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from assistant import UserError
from assistant.calibration import Calibration
from assistant.images import load_image
from assistant.inspection import Inspection
from assistant.layouts import read_products
from assistant.store import Store, default_folder
from assistant.store.database import MIGRATIONS
from assistant.store.export import export_feedback


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "kept")


@pytest.fixture
def mask(photo: np.ndarray) -> np.ndarray:
    mask = np.zeros(photo.shape[:2], bool)
    mask[10:30, 40:50] = True
    return mask


def picture(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (24, 32, 3), np.uint8)


def files(store: Store) -> set[str]:
    return {path.stem for path in store.pictures.folder.iterdir()}


def test_products_come_back_in_another_process(store, photo_path, tmp_path):
    product = store.products.create("  Łącznik\n №1 🔩 ")
    digest = store.products.add_normal(product.id, photo_path)
    store.close()
    script = "import sys; from assistant.store import Store; p, = Store(sys.argv[1]).products.list(); "
    script += "print(ascii(p.name), p.normals[0].photo, p.normals[0].name)"
    told = subprocess.run([sys.executable, "-c", script, tmp_path / "kept"], capture_output=True, text=True, check=True)
    assert told.stdout.split("' ") == [ascii("Łącznik №1 🔩")[:-1], f"{digest} part.png\n"]


def test_the_same_pixels_are_kept_once(store, photo, photo_path):
    one, other = store.products.create("a"), store.products.create("b")
    for product in (one, other):
        for source in (photo, photo_path, Image.fromarray(photo)):
            store.products.add_normal(product.id, source)
    (normal,) = store.products.get(one.id).normals
    assert len(files(store)) == 1 and np.array_equal(load_image(normal.path), photo)
    store.products.remove_normal(one.id, normal.photo)
    assert len(files(store)) == 1  # the other product still has it
    store.products.remove(other.id)
    assert not files(store) and [product.name for product in store.products.list()] == ["a"]


def test_normals_keep_their_order(store):
    product = store.products.create("a").id
    digests = [store.products.add_normal(product, picture(seed)) for seed in range(6)]
    assert [normal.photo for normal in store.products.get(product).normals] == digests


@pytest.mark.parametrize("name", ["", " \t\n", "x" * 81, "a\x00b", "a\ud800"])
def test_names_that_cannot_be(store, name):
    with pytest.raises(UserError, match="name"):
        store.products.create(name)
    assert not store.products.list()


@pytest.mark.parametrize("twin", ["strasse", "STRASSE", " Straße ", "ＳＴＲＡＳＳＥ"])
def test_names_are_unique_whatever_their_capitals(store, twin):
    store.products.create("Straße")
    other = store.products.create("other")
    with pytest.raises(UserError, match="already a product"):
        store.products.create(twin)
    with pytest.raises(UserError, match="already a product"):
        store.products.rename(other.id, twin)
    assert [product.name for product in store.products.list()] == ["other", "Straße"]


def test_a_product_may_change_its_own_capitals(store):
    product = store.products.create("gasket")
    store.products.rename(product.id, "Gasket")
    assert store.products.get(product.id).name == "Gasket"


def test_what_is_gone_is_named(store, photo, mask):
    for change in (
        lambda: store.products.rename(7, "x"),
        lambda: store.products.remove(7),
        lambda: store.products.add_normal(7, photo),
        lambda: store.corrections.accept(7, photo, mask),
    ):
        with pytest.raises(UserError, match="no such product"):
            change()
    store.pictures.clean()
    assert not files(store) and not store.log.entries()  # a change that failed leaves nothing behind


def test_no_path_leads_out_of_the_store(store, photo):
    for name in ("../store", "/etc/passwd", "a" * 63, "A" * 64, f"../{'a' * 61}", "a" * 64 + "\n"):
        with pytest.raises(UserError, match="name of a picture"):
            store.pictures.path(name)


def test_corrections_hold_until_they_are_undone(store, photo, mask):
    product = store.products.create("gasket").id
    fine = store.corrections.accept(product, photo, mask, who="Ada")
    bad = store.corrections.mark_defect(product, photo, ~mask, "bent pin", note="line 3", who="Bo")
    held = store.corrections.active(product)
    assert [mark.kind for mark in held.defects] == ["bent pin"]
    loaded_photo, loaded_mask = held.accepted[0].load()
    assert np.array_equal(loaded_photo, photo) and np.array_equal(loaded_mask, mask)
    store.corrections.undo(fine, who="Cy")
    assert not store.corrections.active(product).accepted
    assert [(c.id, c.undone is None) for c in store.corrections.list(product, undone=True)] == [
        (fine, False),
        (bad, True),
    ]
    with pytest.raises(UserError, match="undone already"):
        store.corrections.undo(fine)
    told = [(entry.event, entry.who) for entry in store.log.entries(product)]
    assert told == [("undone", "Cy"), ("defect", "Bo"), ("acceptable", "Ada"), ("product created", "")]


@pytest.mark.parametrize("wrong", ["empty", "size", "kind"])
def test_corrections_that_say_nothing(store, photo, mask, wrong):
    product = store.products.create("gasket").id
    mask = {"empty": mask & False, "size": mask[:-1], "kind": mask}[wrong]
    with pytest.raises(UserError):
        store.corrections.mark_defect(product, photo, mask, " " if wrong == "kind" else "scratch")
    assert not store.corrections.list(product, undone=True)


def test_the_log_outlives_its_product(store):
    inspection = Inspection.from_map(
        np.zeros((8, 8), np.float32), probability=0.1, calibration=Calibration(), image="/secret/place/part\n7.png"
    )
    product = store.products.create("gasket").id
    store.log.add_verdict(inspection, product, who="Ada")
    store.products.remove(product)
    removed, verdict, _ = store.log.entries(product)
    assert (verdict.event, verdict.name, verdict.photo, verdict.who) == ("verdict", "gasket", "part?7.png", "Ada")
    assert verdict.details["verdict"] == "good" and removed.event == "product removed"
    assert store.log.entries(latest=1) == [removed]


WRITER = """
import sys, itertools, numpy as np
from assistant.store import Store
store = Store(sys.argv[1])
product = store.products.list()[0].id
for seed in itertools.count():
    photo = np.random.default_rng(seed).integers(0, 256, (200, 300, 3), np.uint8)
    mask = photo[:, :, 0] > 128
    normal = store.products.add_normal(product, photo)
    print("normal", normal, flush=True)
    print("correction", store.corrections.mark_defect(product, photo, mask, "scratch"), flush=True)
    if seed % 3 == 0:
        store.products.remove_normal(product, normal)
        print("removed", normal, flush=True)
"""


def test_a_kill_loses_nothing_that_was_confirmed(store, tmp_path):
    product = store.products.create("gasket").id
    confirmed: list[list[str]] = []
    for lines in (1, 4, 7):  # killed while the next line is in the making
        script = [sys.executable, "-c", WRITER, str(store.folder)]
        with subprocess.Popen(script, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            confirmed += [writer.stdout.readline().split() for _ in range(lines)]
            os.kill(writer.pid, signal.SIGKILL)
            confirmed += [line.split() for line in writer.stdout if line.endswith("\n")]
        store.close()
        store = Store(store.folder)
        assert store.database.read("PRAGMA integrity_check")[0][0] == "ok"
        assert not store.database.read("PRAGMA foreign_key_check")
        corrections = store.corrections.list(product)
        assert {int(number) for what, number in confirmed if what == "correction"} <= {c.id for c in corrections}
        normals = store.products.get(product).normals
        last = {digest: what for what, digest in confirmed if what != "correction"}
        lost = {digest for digest, what in last.items() if what == "normal"} - {normal.photo for normal in normals}
        assert len(lost) <= 1  # one may have been removed without our hearing of it
        named = {normal.photo for normal in normals} | {d for c in corrections for d in (c.photo, c.mask)}
        assert files(store) == named  # every row has its file, every file its row, nothing half-written
        assert all(mark.load()[1].any() for mark in store.corrections.active(product).defects)


def test_what_a_kill_left_behind_is_cleaned(store, photo):
    kept = store.products.add_normal(store.products.create("gasket").id, photo)
    for name in ("0" * 64 + ".png", "1" * 64 + ".part"):
        (store.pictures.folder / name).write_bytes(b"half")
    assert files(Store(store.folder)) == {kept}


def test_threads_and_stores_share_a_folder(store):
    product, second = store.products.create("gasket").id, Store(store.folder)
    failures: list[Exception] = []

    def work(own: Store, start: int) -> None:
        try:
            for seed in range(start, start + 12):
                number = own.corrections.accept(product, picture(seed % 8), np.ones((24, 32), bool), who=f"user {seed}")
                own.products.add_normal(product, picture(seed))
                assert number in {c.id for c in own.corrections.list(product)}
                own.pictures.clean()  # never deletes what another thread or process is about to name
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=a) for a in ((store, 0), (store, 12), (second, 24))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert {c.who for c in store.corrections.list(product)} == {f"user {seed}" for seed in range(36)}
    assert {normal.photo for normal in store.products.get(product).normals} <= files(store)
    assert all(path.exists() for path in store.products.get(product).references)


def test_an_older_file_is_brought_up_to_date(store, monkeypatch):
    store.products.create("gasket")
    store.close()
    step = ("ALTER TABLE products ADD COLUMN color TEXT NOT NULL DEFAULT 'grey'",)
    monkeypatch.setattr("assistant.store.database.MIGRATIONS", (*MIGRATIONS, step))
    newer = Store(store.folder)
    assert tuple(newer.database.read("SELECT name, color FROM products")[0]) == ("gasket", "grey")
    newer.close()
    monkeypatch.undo()
    with pytest.raises(UserError, match="newer version"):
        Store(store.folder)


def test_a_migration_that_fails_changes_nothing(store, monkeypatch):
    store.close()
    step = ("ALTER TABLE products ADD COLUMN color TEXT", "ALTER TABLE nothing ADD COLUMN color TEXT")
    monkeypatch.setattr("assistant.store.database.MIGRATIONS", (*MIGRATIONS, step))
    with pytest.raises(UserError, match="cannot be used"):
        Store(store.folder)
    columns = [row[1] for row in sqlite3.connect(store.folder / "store.sqlite").execute("PRAGMA table_info(products)")]
    assert "color" not in columns


@pytest.mark.parametrize("damage", ["file", "folder"])
def test_trouble_on_disk_is_one_line(tmp_path, damage):
    if damage == "file":
        (tmp_path / "store.sqlite").write_bytes(b"not a database" * 100)
    else:
        tmp_path = tmp_path / "file"
        tmp_path.write_text("in the way")
    with pytest.raises(UserError, match="damaged|cannot be used"):
        Store(tmp_path)


def test_the_default_folder_is_the_users_own(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert default_folder() == tmp_path / "anomaly-assistant"


def test_feedback_is_exported_as_a_labelled_folder(store, photo, mask, tmp_path):
    product = store.products.create("gasket").id
    store.products.add_normal(product, picture(1))
    flipped = photo[::-1].copy()
    store.corrections.mark_defect(product, photo, mask, "Bent pin/..")
    store.corrections.mark_defect(product, photo, np.roll(mask, 40, axis=0), "Bent pin/..")
    store.corrections.accept(product, photo, ~mask)
    store.corrections.accept(product, flipped, mask)
    store.corrections.undo(store.corrections.mark_defect(product, picture(2), np.ones((24, 32), bool), "none"))
    written = export_feedback(store, product, tmp_path / "out")
    layout, (read,) = read_products(tmp_path / "out")
    assert layout == "good-bad" and (written.good, written.bad) == (len(read.good()), len(read.bad())) == (2, 1)
    (bad,) = read.bad()
    assert bad.kind == "bent_pin" and bad.mask is not None
    assert np.array_equal(bad.mask(mask.shape), mask | np.roll(mask, 40, axis=0))
    assert np.array_equal(load_image(bad.path), photo)
    assert any(np.array_equal(load_image(good.path), flipped) for good in read.good())
    with pytest.raises(UserError, match="there already"):
        export_feedback(store, product, tmp_path / "out")


def test_a_product_without_defects_is_exported_as_good_only(store, photo, tmp_path):
    product = store.products.create("gasket").id
    with pytest.raises(UserError, match="neither"):
        export_feedback(store, product, tmp_path / "out")
    store.products.add_normal(product, photo)
    export_feedback(store, product, tmp_path / "out")
    assert read_products(tmp_path / "out")[0] == "good-only"
