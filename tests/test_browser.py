"""The page in a real browser, as a visitor uses the first tab; what browser tests share is in `browser.py`."""

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

from tests.browser import SOON  # noqa: E402


def example(page: Any, name: str) -> Any:
    return page.locator("#examples").get_by_role("button", name=name)


def choose_example(page: Any, name: str) -> None:
    """Begin a new conversation about an example."""
    count = page.locator("#strip li").count()
    example(page, name).click()
    playwright.expect(page.locator("#strip li")).to_have_count(count + 1, timeout=SOON)
    page.wait_for_timeout(500)  # nobody is quicker
    page.locator("#restart").press("Enter")
    playwright.expect(page.locator("#strip li")).to_have_count(1, timeout=SOON)
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


def answered(page: Any, act: Callable[[], None]) -> list[str]:
    """All messages once the answer to what `act` does has ended, also where there are as many as before."""
    page.evaluate(
        """() => { window.changed = false; new MutationObserver(() => { window.changed = true })
        .observe(document.querySelector("#took"), { childList: true, subtree: true, characterData: true }) }"""
    )
    act()
    page.wait_for_function("() => window.changed && document.querySelector('#took').innerText.includes('Answered')")
    return messages(page)


def test_a_question_without_a_photo_gets_a_hint(page: Any) -> None:
    assert not page.locator("#surface").is_visible() and page.locator("#result").is_visible()
    page.locator("#ask textarea").fill("Where?")
    page.keyboard.press("Enter")
    playwright.expect(page.locator("#chat")).to_contain_text("I need a photo first", timeout=SOON)


def test_a_bad_file_is_explained_and_a_good_one_then_works(page: Any, tmp_path: Path, photo_path: Path) -> None:
    bad = tmp_path / "broken.png"
    bad.write_bytes(b"this is no image")
    page.locator("#photo input[type=file]").set_input_files(bad)
    alert = page.locator("#verdict [role=alert]")
    playwright.expect(alert).to_contain_text("broken.png is not an image", timeout=SOON)
    assert "/" not in alert.inner_text()  # no path of the server
    page.locator("#photo input[type=file]").set_input_files(photo_path)
    page.locator("#verdict .meter").wait_for()
    assert "without references" in page.locator("#details").inner_text()


def test_first_visit_to_first_answer(page: Any) -> None:
    choose_example(page, "Broken cap")
    assert "compared with 3 good parts" in page.locator("#details").inner_text()
    assert any(word in page.locator("#verdict").inner_text() for word in ("Good", "Defective", "Unsure"))
    assert "probability of a defect" in page.locator("#verdict").inner_text()
    suggested = page.locator("#questions button")
    question = suggested.first.inner_text()
    suggested.first.click()
    first = wait_for_messages(page, 3)
    assert first[1] == question and "Answered in" in page.locator("#took").inner_text()
    assert question not in suggested.all_inner_texts()
    page.locator("#ask textarea").fill("And where exactly?")
    page.keyboard.press("Enter")
    both = wait_for_messages(page, 5)
    assert both[:3] == first and both[3] == "And where exactly?" and len(both[4]) > 5
    assert page.locator("#ask textarea").input_value() == ""


def test_a_question_is_asked_again_and_edited(page: Any) -> None:
    said = answered(page, page.get_by_role("button", name="Retry").last.click)
    assert len(said) == 5 and said[3] == "And where exactly?"
    page.get_by_role("button", name="Edit").first.click()
    page.locator("#chat textarea").fill("Is it <b>good</b>?")
    page.locator("#chat").get_by_role("button", name="Submit").click()
    said = wait_for_messages(page, 3)
    assert said[1] == "Is it <b>good</b>?" and len(said[2]) > 5


def test_several_photos_are_pasted_and_returned_to(page: Any, photo_path: Path) -> None:
    choose_example(page, "Broken cap")
    encoded = base64.b64encode(photo_path.read_bytes()).decode()
    page.evaluate(
        """(encoded) => { const bytes = Uint8Array.from(atob(encoded), (c) => c.charCodeAt(0));
        const clipboardData = new DataTransfer();
        clipboardData.items.add(new File([bytes], "pasted.png", { type: "image/png" }));
        document.dispatchEvent(new ClipboardEvent("paste", { clipboardData })) }""",
        encoded,
    )
    playwright.expect(page.locator("#strip li")).to_have_count(2, timeout=SOON)
    said = wait_for_messages(page, 4)
    assert said[0].startswith("Photo 1") and said[2] == "Photo 2 · pasted.png"
    first = page.get_by_role("button", name="Show photo 1")
    first.press("Enter")
    playwright.expect(first).to_have_attribute("aria-pressed", "true", timeout=SOON)
    playwright.expect(first).to_be_focused()  # although the strip was rendered anew
    page.get_by_role("button", name="Remove photo 2").click()
    playwright.expect(page.locator("#strip li")).to_have_count(1, timeout=SOON)


def test_a_photo_is_taken_with_the_camera(page: Any) -> None:
    count = page.locator("#strip li").count()
    page.locator("#photo").get_by_role("button", name="Capture from camera").click()
    page.locator("#photo").get_by_text("Click to Access Webcam").click()
    page.wait_for_function("document.querySelector('#photo video')?.readyState > 2")
    page.locator("#photo").get_by_role("button", name="capture photo").click()
    playwright.expect(page.locator("#strip li")).to_have_count(count + 1, timeout=SOON)
    page.locator("#photo").get_by_role("button", name="Upload file").click()
    page.locator("#photo input[type=file]").wait_for(state="attached")


def test_the_picture_follows_its_controls(page: Any) -> None:
    choose_example(page, "Scratched nut")
    picture = page.locator("#result img")
    seen = [picture.get_attribute("src")]

    def changed() -> None:
        playwright.expect(picture).not_to_have_attribute("src", seen[-1], timeout=SOON)
        seen.append(picture.get_attribute("src"))

    page.locator("#opacity input[type=range]").fill("0")
    changed()
    page.get_by_label("Map", exact=True).check()
    changed()
    page.get_by_label("Colors").click()
    page.get_by_role("option", name="Viridis").click()
    changed()
    page.get_by_role("button", name="Enlarge region 1").click()
    changed()
    page.get_by_role("button", name="Show the whole photo").click()
    changed()
    assert len(set(seen[:-1])) == 5 and seen[-1] == seen[3]
    page.get_by_label("Side by side").check()
    page.locator("#beside img").first.wait_for()
    assert not picture.is_visible()
    page.get_by_label("Overlay").check()
    picture.wait_for()


def test_a_product_keeps_its_good_parts(page: Any, server: str, photo_path: Path) -> None:
    choose_example(page, "Broken cap")
    page.get_by_role("button", name="New product, rename, remove").click()
    page.get_by_label("Name of the product").fill("Cap & <co>")
    page.get_by_role("button", name="Create").click()
    product = page.get_by_label("Product", exact=True)
    playwright.expect(product).to_have_value("Cap & <co>", timeout=SOON)
    page.locator("#references input[type=file]").set_input_files(photo_path)
    playwright.expect(page.locator("#good li")).to_have_count(4, timeout=SOON)
    page.reload()
    example(page, "Broken cap").wait_for()
    playwright.expect(page.locator("#good li")).to_have_count(0)
    product.click()
    page.get_by_role("option", name="Cap & <co>").click()
    playwright.expect(page.locator("#good li")).to_have_count(4, timeout=SOON)
    page.get_by_role("button", name="Remove good part 4").click()
    playwright.expect(page.locator("#good li")).to_have_count(3, timeout=SOON)
    page.locator("#photo input[type=file]").set_input_files(photo_path)
    playwright.expect(page.locator("#details")).to_contain_text("compared with 3 good parts", timeout=SOON)
    page.get_by_role("button", name="New product, rename, remove").click()
    page.get_by_role("button", name="Remove", exact=True).click()
    page.get_by_role("button", name="Yes, remove it").click()
    playwright.expect(product).to_have_value("No product", timeout=SOON)


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


def test_by_keyboard_alone(page: Any) -> None:
    page.reload()
    board = example(page, "Good board")
    board.wait_for()
    for _ in range(30):
        page.keyboard.press("Tab")
        if board.evaluate("button => button === document.activeElement"):
            break
    page.keyboard.press("Enter")
    page.locator("#verdict .meter").wait_for()
    question = page.locator("#questions button").first
    for _ in range(40):
        page.keyboard.press("Tab")
        if question.evaluate("button => button === document.activeElement"):
            break
    page.keyboard.press("Enter")
    assert len(wait_for_messages(page, 3)[2]) > 5


@pytest.mark.parametrize("width, height", [(390, 844), (820, 1180), (1366, 768)])
def test_nothing_sticks_out_and_everything_has_a_name(page: Any, width: int, height: int) -> None:
    page.set_viewport_size({"width": width, "height": height})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    nameless = """() => [...document.querySelectorAll("button, input, textarea, select, a[href]")].filter((one) =>
        one.offsetParent && one.type !== "file" && !one.getAttribute("aria-label") && !one.labels?.length &&
        !one.innerText.trim() && !one.title && !one.querySelector('[aria-label], [title], [alt]:not([alt=""])')
        ).map((one) => one.outerHTML)"""
    assert page.evaluate(nameless) == []


@pytest.mark.parametrize("width", [360, 390, 820, 1200, 1366])
def test_the_regions_never_scroll_sideways(page: Any, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    if not page.locator("#details .regions").is_visible():
        choose_example(page, "Scratched nut")
    assert page.locator("#details .regions").evaluate("one => one.scrollWidth <= one.clientWidth")


def test_nothing_is_fetched_elsewhere_and_no_script_fails(page: Any, server: str, log: dict[str, list[str]]) -> None:
    assert [url for url in log["fetched"] if not url.startswith((server, "data:", "blob:"))] == []
    assert log["failed"] == []
