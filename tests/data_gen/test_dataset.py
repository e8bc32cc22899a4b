"""Data sets on disk: repeatable, resumable, loadable, true; small enough to be quick."""

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from assistant import UserError
from assistant.evaluation.categories import find_categories
from assistant.layouts import photos_in
from data_gen import dataset, workers
from data_gen import plan as plans
from data_gen.dataset import generate_dataset
from data_gen.plan import Plan, Recipe
from data_gen.procedural import Product
from data_gen.rendered import Rendered
from data_gen.sample import make_row
from data_gen.shards import read_rows

ROOT = Path(__file__).resolve().parents[2]
ROWS = 12  # of a shard, so that few samples make several
COUNT = 44
# The same call from a process of its own: folder of normals, output, workers, bytes a file may have (0: any).
SCRIPT = f"""
import resource, sys
from pathlib import Path
from assistant import cli
from data_gen import plan
if __name__ == "__main__":
    plan.LEAST_ROWS = {ROWS}
    normals, out, workers, limit = sys.argv[1:]
    if int(limit):
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))
    cli.main(["generate", "--normals", normals, "--out", out, "--count", "{COUNT}", "--size", "64", "--seed", "3",
              "--references", "2", "--workers", workers, "--export", "llava,mvtec"])
"""


@pytest.fixture(scope="module", autouse=True)
def quick() -> Iterator[None]:
    """Small shards; and one worker process for all calls that ask for one, since starting it takes longest."""
    with pytest.MonkeyPatch.context() as patch, workers.open_pool(1) as pool:
        opened = {1: lambda: nullcontext(pool)}
        patch.setattr(plans, "LEAST_ROWS", ROWS)
        patch.setattr(dataset, "open_pool", lambda count: opened.get(count, lambda: workers.open_pool(count))())
        yield


@pytest.fixture(scope="module")
def normals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven good photos of one part, of different sizes, the last in a subfolder's company of one."""
    folder = tmp_path_factory.mktemp("normals")
    product, rng = Product("hex nut", 3), np.random.default_rng(0)
    for number in range(6):
        photo = product.photo(rng, 80 + 8 * number)
        Image.fromarray(photo[: 76 + 4 * number]).save(folder / f"{number}.png")
    (folder / "other").mkdir()
    Image.fromarray(Product("leather", 1).photo(rng, 70)).save(folder / "other" / "0.jpg")
    (folder / "LICENSE.txt").write_text("CC0 for everyone\n")
    return folder


def recipe(normals: Path) -> Recipe:
    return Recipe(normals=normals, count=COUNT, size=64, seed=3, references=2)


@pytest.fixture(scope="module")
def whole(normals: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data set that every way of making it must give."""
    out = tmp_path_factory.mktemp("whole") / "out"
    generate_dataset(recipe(normals), out, workers=1, export=("llava", "mvtec"))
    return out


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def shards(folder: Path) -> list[Path]:
    return sorted((folder / "data").glob("*.parquet"))


def test_what_lies_there(whole: Path) -> None:
    assert [path.name for path in shards(whole)] == [f"train-{number:05d}-of-00004.parquet" for number in range(4)]
    left = {path.name for path in whole.iterdir()}
    assert left == {"data", "README.md", "contact_sheet.png", "llava", "mvtec", "manifest.json"}
    manifest = json.loads((whole / "manifest.json").read_text())
    assert manifest["samples"] == COUNT and len(manifest["files"]) == 4
    card = (whole / "README.md").read_text()
    assert "CC0 for everyone" in card and f"{COUNT} samples" in card and str(whole.parent) not in card
    with Image.open(whole / "contact_sheet.png") as sheet:
        assert sheet.width > 1000 and sheet.height > 500


def test_rows_are_true(whole: Path) -> None:
    rows = list(read_rows(shards(whole)))
    assert [row["id"] for row in rows] == list(range(COUNT))
    assert 0 < sum(row["defective"] for row in rows) < COUNT
    for row in rows:
        numbers = np.asarray(Image.open(io.BytesIO(row["mask"]["bytes"])))
        facts, inspection = json.loads(row["facts"]), json.loads(row["inspection"])
        assert set(np.unique(numbers)) - {0} == set(range(1, len(facts) + 1))
        assert [int((numbers == 1 + k).sum()) for k in range(len(facts))] == [fact["area_px"] for fact in facts]
        assert row["kinds"] == [fact["kind"] for fact in facts] and row["defective"] == bool(facts)
        assert inspection["verdict"] == ("defective" if facts else "good")
        assert len(row["images"]) == 1 + len(row["references"]) == 1 + inspection["references"]
        content = row["messages"][0]["content"]
        assert [part["type"] for part in content].count("image") == len(row["images"])
        roles = [message["role"] for message in row["messages"]]
        assert roles == ["user", "assistant"] * (len(roles) // 2) and roles
        alone = row["normal"].startswith("other/")
        assert alone == (row["normal"] in row["references"]) and (row["varied"] or not alone)
        assert len({name.rpartition("/")[0] for name in [row["normal"], *row["references"]]}) == 1


def test_workers_change_nothing(normals: Path, whole: Path, tmp_path: Path) -> None:
    generate_dataset(recipe(normals), tmp_path / "out", workers=2, export=("llava", "mvtec"))
    assert files(tmp_path / "out") == files(whole)


def test_a_sample_depends_on_its_number_alone() -> None:
    big, small = (Plan.of(Recipe(count=count, size=48), Rendered(0, 48)) for count in (10_000, 30))
    assert make_row(big, 29) == make_row(small, 29)
    other = Plan.of(Recipe(count=30, size=48, seed=1), Rendered(1, 48))
    assert make_row(other, 29)["images"] != make_row(small, 29)["images"]


def test_killed_and_resumed(normals: Path, whole: Path, tmp_path: Path) -> None:
    out, script = tmp_path / "out", tmp_path / "run.py"
    script.write_text(SCRIPT)
    command = [sys.executable, str(script), str(normals), str(out), "2", "0"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:
        end = time.monotonic() + 60
        while not (out / "data").is_dir() or not shards(out):
            assert process.poll() is None and time.monotonic() < end, "it was to be killed at work"
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    assert not (out / "manifest.json").exists()
    time.sleep(0.5)  # the workers notice that their parent is gone
    there = files(out / "data")
    time.sleep(0.3)
    assert files(out / "data") == there, "a worker outlives its parent"
    expected = files(whole / "data")
    assert all(expected[name] == data for name, data in there.items() if name.endswith(".parquet"))
    (out / "data" / ".train-00003-of-00004.parquet.1.part").write_bytes(b"torn")
    generate_dataset(recipe(normals), out, workers=1, export=("llava", "mvtec"))
    assert files(out) == files(whole)


def test_parts_make_the_whole(normals: Path, whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(3):
        assert generate_dataset(recipe(normals), tmp_path / str(number), workers=1, part=(number, 3)) is None
    assert [len(shards(tmp_path / str(number))) for number in range(3)] == [2, 1, 1]
    merged = tmp_path / "merged"
    shutil.copytree(tmp_path / "0" / "data", merged / "data")
    for path in [*shards(tmp_path / "1"), *shards(tmp_path / "2")]:
        shutil.copy(path, merged / "data")
    torn = merged / "data" / "train-00001-of-00004.parquet"
    torn.write_bytes(torn.read_bytes()[:1000])
    generate_dataset(recipe(normals), merged, workers=1, export=("llava", "mvtec"))
    assert files(merged) == files(whole)
    assert "3 of 4 shards are there already" in capsys.readouterr().err


def test_another_data_set_is_not_mixed_in(normals: Path, whole: Path, tmp_path: Path) -> None:
    before = files(whole)
    for other in (
        Recipe(normals=normals, count=COUNT, size=64, seed=4, references=2),
        Recipe(normals=normals, count=COUNT + 40, size=64, seed=3, references=2),
        Recipe(count=COUNT, size=64, seed=3, references=2),
    ):
        with pytest.raises(UserError, match="belongs to another data set"):
            generate_dataset(other, whole, workers=1)
    (tmp_path / "README.md").write_text("# my own project")
    with pytest.raises(UserError, match="would be overwritten"):
        generate_dataset(recipe(normals), tmp_path, workers=1)
    with pytest.raises(UserError, match="lies inside"):
        generate_dataset(recipe(normals), normals / "out", workers=1)
    shutil.rmtree(whole / ".normals", ignore_errors=True)
    assert files(whole) == before and not (normals / "out").exists()


def test_a_full_disk_is_one_line(normals: Path, tmp_path: Path) -> None:
    """A limit on the size of files stands for it: writing fails in the middle of a shard."""
    out, script = tmp_path / "out", tmp_path / "run.py"
    script.write_text(SCRIPT)
    command = [sys.executable, str(script), str(normals), str(out), "1", "60000"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 2 and "Traceback" not in result.stderr
    assert "cannot be written or read (File too large)" in result.stderr.splitlines()[-1]
    assert not list((out / "data").iterdir()), "a torn file is left"


def test_datasets_loads_it_as_it_is(whole: Path, tmp_path: Path) -> None:
    from datasets import load_dataset

    rows = load_dataset(str(whole), split="train", cache_dir=str(tmp_path))
    assert len(rows) == COUNT and set(rows.column_names) >= {"images", "messages", "mask", "facts", "inspection"}
    row = rows[5]
    assert all(isinstance(image, Image.Image) and image.mode == "RGB" for image in row["images"])
    assert row["mask"].size == row["images"][0].size and row["messages"][0]["content"][0]["type"] == "image"
    files_of = {"train": [str(path) for path in shards(whole)]}
    streamed = next(iter(load_dataset("parquet", data_files=files_of, split="train", streaming=True)))
    assert streamed["id"] == 0 and isinstance(streamed["images"][0], Image.Image)


def test_a_shared_reference_is_stored_once(whole: Path) -> None:
    rows = list(read_rows(shards(whole)[:1]))
    stored = [picture["bytes"] for row in rows for picture in row["images"]]
    assert len(set(stored)) < 0.8 * len(stored)
    distinct = sum(len(data) for data in set(stored))
    assert shards(whole)[0].stat().st_size < distinct + 40_000  # dialogues, facts and masks


def test_llava_export(whole: Path) -> None:
    records = json.loads((whole / "llava" / "llava.json").read_text())
    assert len(records) == COUNT
    for record, row in zip(records, read_rows(shards(whole)), strict=True):
        names = record["image"] if isinstance(record["image"], list) else [record["image"]]
        assert [(whole / "llava" / name).read_bytes() for name in names] == [p["bytes"] for p in row["images"]]
        first, second = record["conversations"][:2]
        assert first["value"].count("<image>") == len(names)
        assert (first["from"], second["from"]) == ("human", "gpt")
        assert len(record["conversations"]) == len(row["messages"])


def test_mvtec_export(whole: Path) -> None:
    """Read back as a benchmark; no photo that may serve as a reference was broken for the test."""
    categories = find_categories(whole / "mvtec", shots=2, seed=0)
    by_id = {row["id"]: row for row in read_rows(shards(whole))}
    training = {path.read_bytes() for path in photos_in(whole / "mvtec" / "photos" / "train" / "good")}
    pictures = {row["normal"]: data for row in by_id.values() for data in [_reference(row["normal"], by_id)]}
    assert [category.name for category in categories] == ["photos"] and len(training) == 3
    assert 5 < len(categories[0].tests) < COUNT
    for photo in categories[0].tests:
        row = by_id[int(photo.path.stem)]
        assert photo.path.read_bytes() == row["images"][0]["bytes"]
        assert pictures[row["normal"]] not in training
        assert photo.defective == row["defective"] == (photo.mask is not None)
        if photo.mask is not None:
            with Image.open(photo.path) as image:
                mask = photo.mask((image.height, image.width))
            assert mask.sum() == sum(fact["area_px"] for fact in json.loads(row["facts"]))


def _reference(name: str, rows: dict[int, Any]) -> bytes | None:
    """A normal photo as it is, from a row that refers to it."""
    for row in rows.values():
        if name in row["references"]:
            return row["images"][1 + row["references"].index(name)]["bytes"]
    return None


def test_bad_normals_are_named_and_skipped(normals: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "normals"
    shutil.copytree(normals, folder)
    data = (folder / "0.png").read_bytes()
    (folder / "half.png").write_bytes(data[: len(data) // 2])
    (folder / "text.jpg").write_text("no image")
    (folder / "empty.png").write_bytes(b"")
    (folder / "folder.png").mkdir()
    Image.new("RGB", (900, 20)).save(folder / "strip.png")
    bad = {"half.png", "text.jpg", "empty.png", "folder.png", "strip.png"}
    generate_dataset(Recipe(normals=folder, count=6, size=64), tmp_path / "out", workers=1)
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    card, told = (tmp_path / "out" / "README.md").read_text(), capsys.readouterr().err
    assert set(manifest["skipped"]) == bad
    assert all(f"`{name}`" in card and name in told for name in bad) and "5 of 12 photos" in told
    assert str(tmp_path) not in card


def test_rendered_products_need_no_photos(tmp_path: Path) -> None:
    summary = generate_dataset(
        Recipe(count=30, size=48, kinds=("scratch", "missing part"), difficulty="easy", good_share=0.0, references=0),
        tmp_path, workers=1, export=("mvtec",),
    )  # fmt: skip
    assert summary and summary.samples == 30 and summary.defective > 25 and len(summary.groups) == 2
    assert set(summary.kinds) == {"scratch", "missing part"}
    categories = find_categories(tmp_path / "mvtec", shots=0, seed=0)
    assert sum(len(category.tests) for category in categories) == 30
    assert "Apache-2.0" in (tmp_path / "README.md").read_text()


def test_min_quality_drops() -> None:
    plain, choosy = (
        Plan.of(Recipe(count=12, size=48, good_share=0.0, min_quality=least), Rendered(0, 48)) for least in (1e-6, 0.6)
    )
    asked, kept = ([make_row(plan, index) for index in range(12)] for plan in (plain, choosy))
    assert sum(row["dropped"] for row in kept) > sum(row["dropped"] for row in asked)
    assert any(row["defective"] for row in kept)
    assert all(row["quality"] >= 0.6 for row in kept if row["defective"])
    assert any(row["quality"] < 0.6 for row in asked if row["defective"])


def test_ray_writes_the_same(normals: Path, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ray", reason="Ray is not installed (extra 'ray'): its local cluster is not tried")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))  # for the workers of the cluster
    generate_dataset(recipe(normals), tmp_path / "out", workers=1, export=("llava", "mvtec"), ray=True)
    assert files(tmp_path / "out") == files(whole)
