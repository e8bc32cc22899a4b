"""Marking places and correcting in a real browser, with mouse and keyboard."""

import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.browser import SOON

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")


@pytest.fixture(scope="module")
def cap(page: Any) -> Any:
    """The page with a broken cap on it, and a product for its corrections."""
    page.get_by_role("button", name="Broken cap").click()
    page.locator("#verdict .meter").wait_for()
    page.get_by_text("New product, rename, remove").click()
    page.get_by_label("Name of the product").fill("caps")
    page.get_by_role("button", name="Create", exact=True).click()
    playwright.expect(page.locator("#product-name input")).to_have_value("caps", timeout=SOON)
    return page


def place(page: Any, name: str) -> None:
    page.locator("#place").get_by_label(name).check()
    page.locator("#ask-place").wait_for()


def drag(page: Any, x0: float, y0: float, x1: float, y1: float) -> None:
    """Over the photo that is drawn on, in parts of its sides."""
    canvas = page.locator("#surface .canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + x0 * box["width"], box["y"] + y0 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + x1 * box["width"], box["y"] + y1 * box["height"], steps=4)
    page.mouse.up()


def hears(page: Any, words: str) -> None:
    playwright.expect(page.locator("#chat .message-content").last).to_contain_text(words, timeout=SOON)


def shown(page: Any, where: str, words: str) -> None:
    playwright.expect(page.locator(where)).to_contain_text(words, timeout=SOON)


def test_a_drawn_box_is_asked_about_and_ignored(cap: Any) -> None:
    place(cap, "Draw a place")
    playwright.expect(cap.locator("#result")).to_be_hidden()
    cap.wait_for_function("document.querySelector('#surface .backdrop').naturalWidth > 100")
    drag(cap, 0.5, 0.3, 0.98, 0.9)
    shown(cap, "#surface .said", "Box from 50 %, 30 %")
    cap.locator("#ask-place").click()
    hears(cap, "In the box you drew:")
    cap.locator("#ignore").click()
    shown(cap, "#verdict", "Judged: everything except the box you drew")
    playwright.expect(cap.locator("#result img")).to_be_visible(timeout=SOON)
    cap.locator("#whole").click()
    hears(cap, "I judge the whole photo again.")
    playwright.expect(cap.locator("#verdict .scope")).to_have_count(0, timeout=SOON)
    playwright.expect(cap.locator("#whole")).to_be_hidden()


def test_a_box_by_keyboard_and_a_brush(cap: Any) -> None:
    place(cap, "Draw a place")
    cap.locator("#surface .surface").focus()
    for key in ("ArrowLeft", "ArrowLeft", "Shift+ArrowDown"):
        cap.keyboard.press(key)
    shown(cap, "#surface .said", "Box from 34 %, 38 % to 59 %, 65 %")
    cap.keyboard.press("Escape")
    playwright.expect(cap.locator("#surface .clear")).to_be_disabled()
    cap.get_by_role("button", name="Brush", exact=True).click()
    drag(cap, 0.2, 0.2, 0.6, 0.25)
    shown(cap, "#surface .said", "1 stroke")
    cap.locator("#judge-only").focus()
    cap.keyboard.press("Enter")
    shown(cap, "#verdict", "Judged: only the area you marked")
    cap.locator("#whole").click()
    playwright.expect(cap.locator("#verdict .scope")).to_have_count(0, timeout=SOON)


def test_a_correction_takes_effect_and_is_undone(cap: Any) -> None:
    before = cap.locator("#verdict .card > div").inner_text()
    place(cap, "1 ·")
    cap.locator("#accept").click()
    shown(cap, "#correction .good", "this is acceptable")  # and checked
    playwright.expect(cap.locator("#verdict .card > div")).not_to_have_text(before, timeout=SOON)
    cap.get_by_text("Corrections of this product").click()
    cap.locator("#corrections").get_by_role("button", name="Undo: Acceptable").click()
    shown(cap, "#corrections", "undone")
    shown(cap, "#correction .good", "Undone")
    playwright.expect(cap.locator("#verdict .card > div")).to_have_text(before, use_inner_text=True, timeout=SOON)


def test_a_hidden_defect_is_told_and_feedback_exported(cap: Any, tmp_path: Path) -> None:
    place(cap, "1 ·")
    cap.locator("#kind input").fill("broken edge")
    cap.keyboard.press("Tab")
    cap.locator("#defect").click()
    shown(cap, "#corrections", "Defect: broken edge")
    place(cap, "Draw a place")
    drag(cap, 0.5, 0.3, 0.98, 0.9)
    cap.locator("#accept").click()
    shown(cap, "#correction [role=alert]", "broken edge")
    hears(cap, "Careful: 1 of 1 known defect would no longer be found")
    cap.locator("#undo-last").click()
    shown(cap, "#correction", "Checked: 1 known defect, none is lost.")
    cap.locator("#export").click()
    with cap.expect_download() as download:
        cap.locator("#download").click()
    download.value.save_as(tmp_path / "feedback.zip")
    names = zipfile.ZipFile(tmp_path / "feedback.zip").namelist()
    assert any(name.startswith("caps/bad/broken_edge/") for name in names)


def test_no_script_failed(cap: Any, log: dict[str, list[str]]) -> None:
    assert log["failed"] == []
