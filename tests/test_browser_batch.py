"""Batch, Teach and Log in a real browser, as a person uses them."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from data_gen.examples import render
from tests.browser import SOON

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A broken cap, two good ones, and a torn file."""
    folder, (photo, references) = tmp_path_factory.mktemp("line"), render(1)
    paths = [folder / f"{name}.png" for name in ("broken", "good 1", "good 2", "torn")]
    for path, pixels in zip(paths, (photo, *references), strict=False):
        Image.fromarray(pixels).save(path)
    paths[-1].write_bytes(b"no image")
    return paths


def open_tab(page: Any, name: str) -> None:
    page.get_by_role("tab", name=name, exact=True).click()


def names(page: Any) -> list[str]:
    return page.locator("#batch-rows .row").all_inner_texts()


@pytest.fixture(scope="module")
def batch(page: Any, photos: list[Path]) -> Any:
    """The page after a batch was inspected."""
    page.locator("#examples").get_by_role("button", name="Broken cap").click()  # for its good parts
    page.locator("#verdict .meter").wait_for()
    open_tab(page, "Batch")
    playwright.expect(page.locator("#batch-about")).to_contain_text("compared with 3 good parts", timeout=SOON)
    page.locator("#batch-files input[type=file]").set_input_files(photos)
    playwright.expect(page.locator("#batch-files")).to_contain_text("png", timeout=SOON)
    page.get_by_role("button", name="Inspect all").click()
    playwright.expect(page.locator("#batch-progress")).to_contain_text("4 of 4 photos inspected.", timeout=SOON)
    playwright.expect(page.locator("#batch-html")).to_be_enabled(timeout=SOON)
    return page


def test_a_batch_is_sorted_filtered_and_looked_at(batch: Any) -> None:
    assert names(batch) == ["broken.png", "good 1.png", "good 2.png", "torn.png"]
    batch.get_by_role("button", name="Probability").click()
    playwright.expect(batch.locator('th[aria-sort="descending"]')).to_contain_text("Probability", timeout=SOON)
    assert names(batch)[0] == "broken.png" and names(batch)[-1] == "torn.png"
    batch.get_by_role("button", name="Failed 1").click()
    playwright.expect(batch.locator("#batch-rows .row")).to_have_count(1, timeout=SOON)
    assert "torn.png is not an image" in batch.locator("#batch-rows").inner_text()
    batch.get_by_role("button", name="All 4").click()
    playwright.expect(batch.locator("#batch-rows .row")).to_have_count(4, timeout=SOON)
    batch.locator("#batch-find input, #batch-find textarea").first.fill("good 2")
    playwright.expect(batch.locator("#batch-rows .row")).to_have_count(1, timeout=SOON)
    batch.locator("#batch-find input, #batch-find textarea").first.fill("")
    playwright.expect(batch.locator("#batch-rows .row")).to_have_count(4, timeout=SOON)


def test_a_row_is_opened_by_keyboard_and_talked_about_on_the_first_tab(batch: Any) -> None:
    batch.get_by_role("button", name="Show broken.png").focus()
    batch.keyboard.press("Enter")
    playwright.expect(batch.locator("#batch-facts h3")).to_have_text("broken.png", timeout=SOON)
    batch.locator("#batch-photo img").wait_for()
    assert "probability of a defect" in batch.locator("#batch-facts").inner_text()
    batch.get_by_role("button", name="Open in Inspect").click()
    inspect = batch.get_by_role("tab", name="Inspect", exact=True)
    playwright.expect(inspect).to_have_attribute("aria-selected", "true", timeout=SOON)
    batch.locator('#photos button[aria-label*="broken.png"]').first.wait_for()
    open_tab(batch, "Batch")


def test_the_reports_can_be_taken_away_and_open_offline(batch: Any, tmp_path: Path) -> None:
    kept = {}
    for kind in ("csv", "json", "html"):
        with batch.expect_download(timeout=SOON) as download:
            batch.locator(f"#batch-{kind}").click()
        assert download.value.suggested_filename.endswith(f".{kind}")
        kept[kind] = tmp_path / download.value.suggested_filename
        download.value.save_as(kept[kind])
    results = json.loads(kept["json"].read_text(encoding="utf-8"))["results"]
    assert [result["image"] for result in results] == ["broken.png", "good 1.png", "good 2.png", "torn.png"]
    assert kept["csv"].read_text(encoding="utf-8-sig").count("\n") == 5
    context = batch.context.browser.new_context(offline=True)
    other = context.new_page()
    fetched: list[str] = []
    other.on("request", lambda request: fetched.append(request.url))
    other.goto(kept["html"].as_uri())
    assert other.get_by_role("row").filter(has_text="broken.png").count() == 1
    assert other.locator("img").evaluate_all("all => all.every(one => one.naturalWidth > 0)")
    assert [url for url in fetched if not url.startswith(("file:", "data:"))] == []
    pictures, printed = other.locator("img").count(), other.pdf(format="A4")
    assert printed.startswith(b"%PDF") and printed.count(b"/Subtype /Image") >= pictures == 3
    other.emulate_media(media="print")
    other.set_viewport_size({"width": 700, "height": 900})  # an A4 sheet within its margins
    assert other.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert set(other.locator("tr, .tile").evaluate_all("all => all.map(one => getComputedStyle(one).breakInside)")) == {
        "avoid"
    }
    context.close()


def test_the_log_has_the_verdicts(batch: Any) -> None:
    open_tab(batch, "Log")
    row = batch.locator("#log-rows tr").filter(has_text="good 2.png")
    playwright.expect(row).to_contain_text("Inspected: ", timeout=SOON)
    batch.get_by_role("button", name="Prepare CSV").click()
    with batch.expect_download(timeout=SOON) as download:
        batch.get_by_role("button", name="Download CSV").click()
    assert download.value.suggested_filename.startswith("audit-log-")


def test_a_product_is_named_looked_at_and_its_photos_are_broken(batch: Any, photos: list[Path]) -> None:
    open_tab(batch, "Teach")
    playwright.expect(batch.locator("#teach-about")).to_contain_text("Choose a product", timeout=SOON)
    open_tab(batch, "Inspect")
    name = batch.get_by_label("Name of the product")
    if not name.is_visible():
        batch.get_by_text("New product, rename, remove").click()
    name.fill("Caps")
    batch.get_by_role("button", name="Create").click()
    playwright.expect(batch.locator("#product-name input")).to_have_value("Caps", timeout=SOON)
    open_tab(batch, "Teach")
    playwright.expect(batch.locator("#teach-about")).to_contain_text("Caps", timeout=SOON)
    batch.locator("#teach-photos input[type=file]").set_input_files(photos[1])
    playwright.expect(batch.locator("#teach-about")).to_contain_text("Add at least", timeout=SOON)
    batch.get_by_role("button", name="Make samples").click()
    playwright.expect(batch.locator("#teach-gallery img").first).to_be_visible(timeout=SOON)


def test_a_model_is_chosen_and_deleted(batch: Any, server_folder: Path, tiny_checkpoint: Path) -> None:
    taught = server_folder / "data" / "anomaly-assistant" / "models" / "cap"
    shutil.copytree(tiny_checkpoint, taught / "model")
    open_tab(batch, "Log")
    open_tab(batch, "Teach")
    model, delete = batch.locator("#teach-model input"), batch.locator("#model-delete")
    playwright.expect(delete).to_be_hidden(timeout=SOON)  # `tiny` stays
    batch.wait_for_timeout(1500)  # the list is filled after the tab is shown
    model.click()
    batch.get_by_role("option", name="cap").click()
    delete.click()
    batch.locator("#model-keep").click()
    playwright.expect(batch.locator("#model-gone")).to_be_hidden(timeout=SOON)
    assert taught.is_dir()
    delete.click()
    batch.locator("#model-gone").click()
    playwright.expect(model).to_have_value("tiny", timeout=SOON)
    playwright.expect(delete).to_be_hidden(timeout=SOON)
    assert not taught.exists()
    open_tab(batch, "Log")
    playwright.expect(batch.locator("#log-rows tr").nth(1)).to_contain_text("Model deleted", timeout=SOON)


def test_no_script_of_the_page_fails(batch: Any, log: dict[str, list[str]]) -> None:
    assert log["failed"] == []
