"""The Batch and Log tabs without a browser: photos in, rows and reports out, nothing lost, nothing run."""

import csv
import json
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

gr = pytest.importorskip("gradio")

from assistant import UserError  # noqa: E402
from assistant.batch import FAILED, FINISHED, STOPPED, Batch, Batches, Row  # noqa: E402
from assistant.batch_report import COLUMNS, write_csv, write_json, write_page  # noqa: E402
from assistant.calibration import Calibration  # noqa: E402
from assistant.inspection import Inspection  # noqa: E402
from assistant.store import Store  # noqa: E402
from assistant.web.batch_line import Upload  # noqa: E402
from assistant.web.batch_panel import SCREEN, BatchPanel  # noqa: E402
from assistant.web.batch_table import PAGE, View, table  # noqa: E402
from assistant.web.log_lines import row  # noqa: E402
from assistant.web.log_panel import LogPanel, Page  # noqa: E402
from assistant.web.session import Session  # noqa: E402
from assistant.web.workshop import Workshop  # noqa: E402
from data_gen.examples import render  # noqa: E402

EVIL = "=HYPERLINK(1)<img src=x onerror=alert(1)>.png"


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return Workshop("tiny", Store(tmp_path_factory.mktemp("store")))


@pytest.fixture
def panel(workshop: Workshop) -> BatchPanel:
    return BatchPanel(workshop)


@pytest.fixture(scope="module")
def uploads(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """A broken cap, a broken file, a good cap: as the page sends uploads."""
    folder, (photo, references) = tmp_path_factory.mktemp("uploads"), render(1)
    for name, pixels in (("bad", photo), ("fine", references[0])):
        Image.fromarray(pixels).save(folder / f"{name}.png")
    (folder / "torn.png").write_bytes(b"no image")
    names = {"bad": EVIL, "torn": "torn.png", "fine": "+fine.png"}
    return [{"path": str(folder / f"{name}.png"), "orig_name": told} for name, told in names.items()]


@pytest.fixture(scope="module")
def product(workshop: Workshop) -> int:
    made = workshop.store.products.create("Cap <b>")
    for reference in render(1)[1]:
        workshop.store.products.add_normal(made.id, reference)
    return made.id


def event(item: str) -> gr.EventData:
    """A click in a table, as the browser tells it."""
    return gr.EventData(None, {"item": item})


def wait(panel: BatchPanel, name: str) -> Batch:
    deadline = time.monotonic() + 60
    while name in panel.line.jobs:
        assert time.monotonic() < deadline, "the batch does not end"
        time.sleep(0.02)
    return panel.line.open(name)


def run(panel: BatchPanel, uploads: list[dict[str, Any]], product: int | None = None) -> Batch:
    session, view = Session(product=product, who="anna"), View()
    assert len(panel.start(session, view, uploads)) == SCREEN
    return wait(panel, view.batch)


@pytest.fixture
def done(panel: BatchPanel, uploads: list[dict[str, Any]], product: int) -> Batch:
    return run(panel, uploads, product)


def test_each_file_becomes_a_row_and_a_bad_one_stops_nothing(done: Batch, uploads: list[dict[str, Any]]) -> None:
    assert done.about.state == FINISHED and [row.image for row in done.rows] == [EVIL, "torn.png", "+fine.png"]
    bad, torn, fine = done.rows
    assert torn.verdict == FAILED and torn.found.startswith("torn.png is not an image") and "/" not in torn.found
    assert bad.probability is not None and fine.probability is not None and bad.probability > fine.probability
    assert done.about.references == 3 and done.about.product == "Cap <b>" and len(done.about.weights or "") == 64
    assert done.picture(0).is_file() and done.picture(2, small=True).stat().st_size < 10_000
    assert not done.picture(1).exists()


def test_the_verdicts_are_those_of_a_single_inspection_and_go_to_the_log(
    workshop: Workshop, done: Batch, uploads: list[dict[str, Any]], product: int
) -> None:
    references = workshop.store.products.get(product).references
    single = workshop.assistant("tiny").inspect(uploads[0]["path"], references)
    assert done.record(0)["probability"] == pytest.approx(single.probability, abs=1e-3)
    assert [r.to_json() for r in done.inspection(0).regions] == [r.to_json() for r in single.regions]
    logged = workshop.store.log.entries(product, latest=2)
    assert [(entry.event, entry.who, entry.photo) for entry in logged] == [
        ("verdict", "anna", "+fine.png"), ("verdict", "anna", EVIL),
    ]  # fmt: skip


def test_the_reports_hold_every_verdict_and_nothing_that_runs(done: Batch) -> None:
    with (done.folder / "report.csv").open(encoding="utf-8-sig", newline="") as file:
        head, *lines = csv.reader(file)
    assert head == list(COLUMNS) and [line[0] for line in lines] == [f"'{EVIL}", "torn.png", "'+fine.png"]
    assert float(lines[0][2]) == done.record(0)["probability"] and lines[1][1] == FAILED
    told = json.loads((done.folder / "report.json").read_text(encoding="utf-8"))
    assert told["product"] == "Cap <b>" and told["weights"] == done.about.weights and told["who"] == "anna"
    assert told["results"] == list(done.records()) and told["results"][1].keys() == {"image", "error"}
    page = (done.folder / "report.html").read_text(encoding="utf-8")
    assert page.count("data:image/jpeg") == 2 and "Cap &lt;b&gt;" in page and str(done.about.weights) in page
    assert "<img src=x" not in page and "torn.png is not an image" in page


def test_a_batch_can_be_stopped_and_what_was_made_stays(panel: BatchPanel, uploads: list[dict[str, Any]]) -> None:
    view = View()
    panel.start(Session(), view, uploads * 100)
    while not panel.line.jobs[view.batch].batch.rows:
        time.sleep(0.01)
    panel.stop(view)
    batch = wait(panel, view.batch)
    assert batch.about.state == STOPPED and 0 < len(batch.rows) < 300
    assert "It was stopped." in panel.screen(view)[1]
    assert "It was stopped." in (batch.folder / "report.html").read_text(encoding="utf-8")


def test_batches_take_turns_photo_by_photo(panel: BatchPanel, uploads: list[dict[str, Any]]) -> None:
    long, short = View(), View()
    panel.start(Session(), long, uploads * 50)
    panel.start(Session(), short, uploads)
    wait(panel, short.batch)
    assert len(panel.line.open(long.batch).rows) < 20
    panel.stop(long)
    wait(panel, long.batch)


def test_what_a_killed_server_left_is_there(workshop: Workshop, done: Batch) -> None:
    made_with = dict(product="", who="", model="tiny", weights=None, references=0, corrections=0)
    left = workshop.batches.create(datetime.now(UTC), 9, **made_with)
    name, folder = left.about.id, left.folder
    left.add_failure("a.png", "why")
    with (folder / "results.jsonl").open("a") as file:
        file.write('{"image": "b.p')  # torn off
    del left
    later = BatchPanel(Workshop("tiny", workshop.store))
    view = View()
    assert "the server was stopped" in later.show(view, name)[1]
    assert [row.image for row in later.line.open(name).rows] == ["a.png"]
    assert (folder / "report.csv").is_file()
    assert {done.about.id, name} <= {about.id for about in later.workshop.batches.list()}


@pytest.mark.parametrize("name", ["", "..", "../models", "20260101-000000-abcdef"])
def test_only_a_batch_can_be_opened_or_deleted(workshop: Workshop, name: str) -> None:
    for act in (workshop.batches.open, workshop.batches.remove):
        with pytest.raises(UserError, match="no such batch"):
            act(name)


def test_a_deleted_batch_is_gone_for_all_and_its_verdicts_stay(panel: BatchPanel, done: Batch) -> None:
    mine, others = View(batch=done.about.id), View(batch=done.about.id)
    before = len(panel.workshop.store.log.entries())
    panel.delete(mine, False)
    assert done.folder.exists()
    panel.delete(mine, True)
    assert not done.folder.exists() and mine.batch == ""
    assert len(panel.screen(others)) == SCREEN and others.batch == ""
    assert len(panel.workshop.store.log.entries()) == before


def rows() -> list[Row]:
    chances = [0.2, None, 0.9, 0.5]
    verdicts = ["good", FAILED, "defective", "unsure"]
    return [Row(n, f"{'dbca'[n]}.png", verdicts[n], chances[n], "scratch" if n == 2 else "") for n in range(4)]


@pytest.mark.parametrize(
    "presses, order",
    [
        ([], [0, 1, 2, 3]),
        ([("sort", "probability")], [2, 3, 0, 1]),
        ([("sort", "probability")] * 2, [0, 3, 2, 1]),
        ([("sort", "image")], [3, 1, 2, 0]),
        ([("sort", "image")] * 2, [0, 2, 1, 3]),
        ([("verdict", "unsure")], [3]),
        ([("verdict", "unsure"), ("verdict", "")], [0, 1, 2, 3]),
        ([("sort", "__class__"), ("verdict", "x"), ("page", "-1"), ("page", "²"), ("row", "")], [0, 1, 2, 3]),
    ],
)
def test_rows_are_sorted_and_filtered_as_pressed(presses: list[tuple[str, str]], order: list[int]) -> None:
    view = View()
    for press in presses:
        view.press(*press)
    assert [row.number for row in view.choose(rows())] == order
    view.search = "SCRATCH"
    assert [row.number for row in view.choose(rows())] == [2] * (2 in order)


def test_the_table_escapes_names_and_shows_a_page_at_a_time(tmp_path: Path) -> None:
    about = dict(product="", who="", model="tiny", weights=None, references=0, corrections=0)
    batch = Batches(tmp_path).create(datetime.now(UTC), PAGE + 1, **about)
    for number in range(PAGE + 1):
        batch.add_failure(f"{number}<script>", "<i>")
    view = View()
    first = table(batch, view)
    assert first.count("<tr") == PAGE + 1 and "<script>" not in first and "<i>&" not in first
    assert f"1 to {PAGE} of {PAGE + 1}" in first
    view.press("page", "7")  # beyond the last
    assert table(batch, view).count("<tr") == 2 and view.page == 1


def test_thousands_of_rows_are_small_in_memory_and_quick_to_turn(tmp_path: Path) -> None:
    heat = np.zeros((16, 16), np.float32)
    found = Inspection.from_map(heat, probability=0.1, calibration=Calibration(), image="a.png")
    about = dict(product="", who="", model="tiny", weights=None, references=0, corrections=0)
    batch = Batches(tmp_path).create(datetime.now(UTC), 5000, **about)
    line = json.dumps(found.to_json()) + "\n"
    (batch.folder / "results.jsonl").write_text(line * 5000)
    began = time.perf_counter()
    batch = Batches(tmp_path).open(batch.about.id)
    assert len(table(batch, View(sort="probability"))) < 60_000
    for write in (write_csv, write_json, write_page):
        write(batch, tmp_path / "out")
    assert time.perf_counter() - began < 10


def test_nothing_to_inspect_and_a_product_that_is_gone_are_told(
    panel: BatchPanel, uploads: list[dict[str, Any]]
) -> None:
    view = View()
    panel.start(Session(), view, [])
    panel.start(Session(product=99), view, uploads)
    assert view.batch == "" and 'role="alert"' in panel.about(Session(product=99))
    assert len(panel.pick(view, event("row:3"))) == 4 and panel.press(view, event("sort:image"))
    assert panel.search(view, "x") == ""


def test_a_folder_joins_the_files_without_what_is_no_photo(panel: BatchPanel) -> None:
    chosen, folder = [{"path": "/a.png"}], [{"path": "/b.JPG"}, {"path": "/Thumbs.db"}, {"path": "/a.png"}]
    assert panel.gather(chosen, folder) == ["/a.png", "/b.JPG"] and panel.gather(None, None) == []


def test_a_row_is_shown_and_opened_in_the_first_tab(
    panel: BatchPanel, uploads: list[dict[str, Any]], product: int
) -> None:
    batch, session = run(panel, uploads, product), Session(product=product)
    view = View(batch=batch.about.id)
    rows, picture, facts, opened = panel.pick(view, event("row:0"))
    assert 'aria-current="true"' in rows and picture["value"].size == (384, 384) and "<ol><li>" in facts
    assert opened["interactive"] and "&lt;img src=x" in facts
    panel.open(session, view)
    assert session.photo is not None and session.photo.name == EVIL
    assert session.photo.chat.inspection.probability == pytest.approx(batch.record(0)["probability"], abs=1e-3)
    _, picture, facts, _ = panel.pick(view, event("row:1"))
    assert not picture["visible"] and "not an image" in facts
    assert panel.line.upload(view.batch, 7) is None
    panel.line.files[view.batch] = [Upload("/gone.png", "gone.png")]
    assert panel.line.upload(view.batch, 0) is None


def test_the_log_is_turned_filtered_and_saved_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assistant.web.log_panel.PAGE", 3)
    monkeypatch.setattr("assistant.web.log_panel.CHUNK", 2)
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "offered"))
    store = Store(tmp_path / "kept")
    panel, page = LogPanel(store), Page()
    assert "Nothing was decided" in panel.enter(page)[1]
    one, other = (store.products.create(name, "=anna") for name in ("<one>", "two"))
    for number in range(4):
        store.products.add_normal(one.id, np.full((9, 9, 3), number, np.uint8), f"{number}.png")
    first = panel.show(page, 0)
    assert first.count("<tr") == 4 and "&lt;one&gt;" in first and "<one>" not in first and "3.png" in first
    last = store.log.entries()[2].id
    store.products.rename(other.id, "three")  # a new line while pages are turned
    second = panel.press(page, event(f"older:{last}"))
    assert "0.png" in second and "1.png" not in second
    assert panel.press(page, event("newer:")) == panel.table(Page()) and panel.press(page, event("x")) == panel.table(
        Page()
    )
    assert "three" not in panel.show(page, one.id)
    choices, shown = panel.enter(page)
    assert choices["value"] == one.id and shown == panel.show(page, one.id)
    with Path(panel.save(page)["value"]).open(encoding="utf-8-sig", newline="") as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == 5 and lines[-1]["event"] == "product created" and lines[-1]["who"] == "'=anna"
    assert json.loads(lines[0]["details"])["digest"]
    store.products.remove(one.id)
    assert panel.enter(page)[0]["value"] == 0


def test_the_log_says_what_was_corrected_where_and_by_whom(tmp_path: Path) -> None:
    store = Store(tmp_path)
    product = store.products.create("<cap>").id
    photo, mask = np.zeros((40, 100, 3), np.uint8), np.zeros((40, 100), bool)
    mask[:10, :4] = True
    said = {"who": "<anna>", "name": "<7>.png"}
    number = store.corrections.mark_defect(product, photo, mask, "<scar>", **said)
    store.corrections.accept(product, photo, ~mask)
    store.corrections.undo(number, who="bo")
    page = LogPanel(store).show(Page(), product)
    undone, accepted, defect, _ = page.split("<tr>")[2:]
    assert "Correction: defect" in defect and "a defect, &quot;&lt;scar&gt;&quot;: 1.0% of the photo (40 px²)" in defect
    assert "&lt;7&gt;.png" in defect and "&lt;anna&gt;" in defect and "data:image/jpeg" in defect
    assert "this is acceptable: 99.0% of the photo (3,960 px²)" in accepted and "photo without a name" in accepted
    assert "no longer holds: this is a defect, &quot;&lt;scar&gt;&quot;" in undone and "&lt;7&gt;.png" in undone
    assert "<7>" not in page and "<cap>" not in page
    store.products.remove(product)  # what was said stays, its pictures go
    assert "1.0% of the photo" in (left := LogPanel(store).show(Page(), 0)) and "<img" not in left


def test_a_line_from_before_sizes_and_names_were_kept_is_read(tmp_path: Path) -> None:
    store = Store(tmp_path)
    product = store.products.create("cap").id
    number = store.corrections.accept(product, np.zeros((40, 100, 3), np.uint8), np.ones((40, 100), bool))
    entry, held = store.log.entries()[0], {one.id: one for one in store.corrections.list(product)}
    older = replace(entry, details={"correction": number, "kind": "", "area": 400})
    assert "10.0% of the photo (400 px²)" in row(store, older, held) and entry.photo not in row(store, older, held)
    assert "this is acceptable: 400 px²" in row(store, older, {})


def test_a_verdict_in_the_log_names_what_was_found(workshop: Workshop, done: Batch, product: int) -> None:
    lines = LogPanel(workshop.store).show(Page(), product).split("<tr>")
    assert "Inspected: " in lines[2] and "Compared with 3 good parts by tiny" in lines[2] and "+fine.png" in lines[2]
    assert "of the photo" in lines[3] and 'class="mark' in lines[3]
