"""The page in a real browser: one server and one headless Chromium for the whole file."""

from pathlib import Path
from typing import Any

import pytest

from tests.browser import SOON

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")


def choose_example(page: Any, name: str) -> None:
    """Click an example that is not the one shown, and wait until it has been inspected."""
    picture = page.locator("#result img")
    before = picture.get_attribute("src") if picture.count() else ""
    page.get_by_role("button", name=name).click()
    playwright.expect(picture).not_to_have_attribute("src", before, timeout=SOON)
    wait_for_messages(page, 1)


def messages(page: Any) -> list[str]:
    return page.locator("#chat .message-content").all_inner_texts()


def wait_for_messages(page: Any, count: int) -> list[str]:
    """All messages, once there are `count` and the last answer has ended."""
    said = page.locator("#chat .message-content")
    playwright.expect(said).to_have_count(count, timeout=SOON)
    playwright.expect(said.last).not_to_have_text("…", timeout=SOON)
    playwright.expect(page.locator("#stop")).to_be_disabled(timeout=SOON)
    return messages(page)


def test_a_question_without_a_photo_gets_a_hint(page: Any) -> None:
    page.get_by_role("button", name="Where?").click()
    playwright.expect(page.locator("#chat")).to_contain_text("I need a photo first", timeout=SOON)


def test_a_bad_file_is_explained_and_a_good_one_then_works(page: Any, tmp_path: Path, photo_path: Path) -> None:
    bad = tmp_path / "broken.png"
    bad.write_bytes(b"this is no image")
    page.locator("#photo input[type=file]").set_input_files(bad)
    alert = page.locator("#verdict [role=alert]")
    playwright.expect(alert).to_contain_text("broken.png is not an image", timeout=SOON)
    assert "/" not in alert.inner_text()  # no path of the server
    page.get_by_role("button", name="Remove Image").click()
    playwright.expect(page.locator("#verdict")).to_contain_text("click an example", timeout=SOON)
    page.locator("#photo input[type=file]").set_input_files(photo_path)
    page.locator("#verdict .meter").wait_for()
    assert "without references" in page.locator("#details").inner_text()


def test_an_example_is_inspected_and_talked_about(page: Any) -> None:
    choose_example(page, "Broken cap")
    assert "compared with 3 good parts" in page.locator("#details").inner_text()
    assert any(word in page.locator("#verdict").inner_text() for word in ("Good", "Defective", "Unsure"))
    assert "probability of a defect" in page.locator("#verdict").inner_text()
    page.get_by_role("button", name="Is it defective?").click()
    first = wait_for_messages(page, 3)
    page.locator("#ask textarea").fill("And where exactly?")
    page.keyboard.press("Enter")
    both = wait_for_messages(page, 5)
    assert both[:3] == first and both[3] == "And where exactly?" and len(both[4]) > 5
    assert page.locator("#ask textarea").input_value() == ""
    choose_example(page, "Good board")
    assert "so this is a new conversation" in messages(page)[0]


def test_the_overlay_follows_its_controls(page: Any) -> None:
    choose_example(page, "Broken cap")
    picture = page.locator("#result img")
    seen = [picture.get_attribute("src")]

    def changed() -> None:
        playwright.expect(picture).not_to_have_attribute("src", seen[-1], timeout=SOON)
        seen.append(picture.get_attribute("src"))

    page.locator("#opacity input[type=range]").fill("0")
    changed()
    page.get_by_label("Map").check()
    changed()
    page.get_by_label("Photo", exact=True).check()
    changed()
    assert len(set(seen)) == 4


def test_an_answer_can_be_stopped_and_the_next_one_comes(page: Any) -> None:
    choose_example(page, "Scratched nut")
    # Pressed by the page itself: an answer may end before a driver's click arrives.
    page.evaluate("""() => { const timer = setInterval(() => {
        const button = document.querySelector("#stop");
        if (!button.disabled) { button.click(); window.stopped = true; clearInterval(timer) } }, 5) }""")
    page.locator("#ask textarea").fill("Describe everything you see.")
    page.keyboard.press("Enter")
    page.wait_for_function("window.stopped")
    wait_for_messages(page, 3)
    page.get_by_role("button", name="How sure are you?").click()
    assert len(wait_for_messages(page, 5)[-1]) > 5


def test_nothing_is_fetched_elsewhere_and_no_script_fails(page: Any, server: str, log: dict[str, list[str]]) -> None:
    assert [url for url in log["fetched"] if not url.startswith((server, "data:", "blob:"))] == []
    assert log["failed"] == []
