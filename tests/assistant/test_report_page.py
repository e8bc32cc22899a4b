"""The report pages: what stands in them, that nothing is smuggled in, their size, and how they open in a browser."""

import base64
import io
import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from assistant.evaluation.cases import GROUPS, MAX_BYTES, SIDE, CaseKeeper, choose, thumbnail
from assistant.evaluation.detection import evaluate_detection
from assistant.evaluation.provenance import hash_data
from assistant.evaluation.qa_report import write_qa_report
from assistant.evaluation.report_page import Section, gallery, table, write_report
from assistant.evaluation.seeds import evaluate_seeds
from tests.assistant.test_detection import RednessAssistant, save, save_mask

EVIL = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two categories with every sort of case: found, missed, passed, false alarm, unsure."""
    root = tmp_path_factory.mktemp("data")
    for name in ("bolt", "nut & co"):
        for i in range(6):
            save(root / name / "train" / "good" / f"{i}.png", grey=100 + i)
            save(root / name / "test" / "good" / f"{i}.png", box=(2, 2, 9, 9) if i == 0 else None)
            save(root / name / "test" / "cut" / f"{i}.png", box=(5, 5 + i, 15, 20) if i > 1 else None)
        save(root / name / "test" / "cut" / "6.png", grey=200)
        save_mask(root / name / "ground_truth" / "cut" / "3_mask.png", box=(5, 8, 15, 20))
    return root


class TalkingAssistant(RednessAssistant):
    """Has a language model that always says the same."""

    language = object()

    def start_chat(self, image: Any, references: Any = ()) -> Any:
        return type("Chat", (), {"ask": lambda self, question: f"I looked at {Path(image).name}."})()


def evaluate(data: Path, out: Path, assistant: Any) -> str:
    evaluate_detection(data, shots=1, seed=0, model="stub", out=out, assistant=assistant)
    return (out / "report.html").read_text(encoding="utf-8")


def test_a_detection_page_tells_all(data: Path, tmp_path: Path) -> None:
    page = evaluate(data, tmp_path, RednessAssistant())
    assert (
        "Of 14 defective photos it caught 8 and passed 4 as good; of 12 good photos it stopped 2 wrongly; 2 it" in page
    )
    assert "nut &amp; co" in page and "nut & co" not in page
    for heading in (
        "Curves",
        "Probabilities",
        "By kind of defect",
        "Missed defects",
        "False alarms",
        "Found",
        "Passed",
    ):
        assert f"<h2>{heading}</h2>" in page, heading
    assert "57.1 %" in page and "4 of 7" in page, "recall of the kind `cut`"
    assert page.count("<img ") == 2 * 2 * 7, "of each category 2 missed, 2 found and one of each other sort"
    assert "not known which photos this model was trained on" in page
    assert "--shots 1" in page and json.loads((tmp_path / "metrics.json").read_text())["provenance"]["seed"] == 0


def test_dialogues_where_there_is_language(data: Path, tmp_path: Path) -> None:
    page = evaluate(data, tmp_path, TalkingAssistant())
    assert "Is there a defect, and where?" in page and "I looked at 6.png." in page


def test_several_seeds_have_a_page(data: Path, tmp_path: Path) -> None:
    evaluate_seeds(data, shots=1, seeds=(0, 1), model="stub", out=tmp_path, assistant=RednessAssistant())
    page = (tmp_path / "report.html").read_text()
    for link in re.findall(r'href="([^"]+)"', page):
        assert (tmp_path / link).is_file()
    assert "seed_1/report.html" in page and "Over 2 draws" in page


def test_the_size_is_bounded_whatever_the_photos(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (700, 900, 3), dtype=np.uint8)
    picture = thumbnail(Image.fromarray(noise))
    decoded = base64.b64decode(picture.partition(",")[2])
    assert len(decoded) <= MAX_BYTES and max(Image.open(io.BytesIO(decoded)).size) == SIDE
    assert sum(most for _, most in GROUPS.values()) * 2 * MAX_BYTES * 4 / 3 < 6_000_000


def test_the_worst_are_kept(data: Path) -> None:
    keeper, model = CaseKeeper(), RednessAssistant()
    rng = np.random.default_rng(0)
    for i, brightness in enumerate(rng.permutation(30)):
        photo = np.full((20, 20, 3), 40, dtype=np.uint8)
        photo[5:9, 5:9, 0] = 200 + brightness
        path = data.parent / f"{i}.png"
        Image.fromarray(photo).save(path)
        keeper.offer(path, str(brightness), "good", False, model.inspect(path))
    kept = keeper.cases(model, [])  # type: ignore[arg-type]
    wanted = [f"{value}" for value in (29, 28, 27)]
    assert [case.title for case in kept if case.group == "false alarm"] == wanted
    assert [case.title for case in choose(kept * 9)["false alarm"]][:9] == ["29"] * 9


def test_names_and_texts_are_escaped(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    write_report(
        path, title=EVIL, headline=EVIL, warnings=[EVIL], origin={EVIL: {EVIL: EVIL}},
        sections=[Section(EVIL, table([EVIL], [[EVIL], [None]]) + gallery([]), EVIL)],
    )  # fmt: skip
    page = path.read_text()
    assert "<img" not in page and page.count("&lt;img") >= 8 and "none" in page


def answer(kind: str, correct: bool | None, image: str, **changes: Any) -> dict[str, Any]:
    row = {
        "image": image, "references": [], "question": f"{kind}? {EVIL}", "answer": ["upper left"], "type": kind,
        "choices": None, "turns": ["before?"], "earlier": ["yes."], "prediction": f"{EVIL} {'x' * 2000}",
        "contradictions": [], "correct": correct, "inspection": RednessAssistant().inspect(image_of(image)).to_json(),
    }  # fmt: skip
    return row | changes


def image_of(name: str) -> np.ndarray:
    pixels = np.full((60, 80, 3), 90, dtype=np.uint8)
    pixels[10:20, 30:50, 0] = 255 if name != "good.png" else 90
    return pixels


QA = {
    "overall": 0.5, "by_type": {"presence": 0.9, "location": 0.2, EVIL: None}, "contradiction_rate": 0.0,
    "counts": {"presence": 10, "location": 10, EVIL: 1}, "flip_rate": None, "refusal_rate": 0.1, "model": "tiny 1",
    "abstention": {"points": [[0.2, 1.0], [1.0, 0.5]], "area": 0.8}, "skipped": ["torn.png"],
    "leaks": {"training_photos": 3, "found": ["part.png"]}, "provenance": {"seed": None},
}  # fmt: skip


@pytest.fixture
def qa_page(tmp_path: Path) -> Path:
    for name in ("part.png", "other.png", "good.png"):
        Image.fromarray(image_of(name)).save(tmp_path / name)
    rows = [answer("location", False, "part.png") for _ in range(5)] + [answer("location", False, "other.png")]
    rows += [answer("presence", True, "good.png"), answer("size", None, "part.png")]
    rows += [answer("presence", False, "gone.png", inspection=None, contradictions=None, answer=None)]
    write_qa_report(tmp_path, rows, QA, tmp_path)
    return tmp_path / "report.html"


def test_a_page_of_answers(qa_page: Path) -> None:
    page = qa_page.read_text()
    assert "It answered 21 questions, and 50.0 % of those with a known answer rightly; none of its answers" in page
    assert page.index("location") < page.index("presence"), "the worst type comes first"
    assert "Abstention" in page and "trained on 1 of these photos" in page and "torn.png" in page
    assert page.count('<article class="case">') == 4, "each photo once a type: two places, one presence, one right"
    assert page.count('<img src="data:') == 5, "photo and boxes; of a good one the photo; of a lost one nothing"
    assert EVIL not in page and "x" * 1000 not in page


def test_maps_of_answers_where_the_assistant_is_at_hand(tmp_path: Path) -> None:
    Image.fromarray(image_of("part.png")).save(tmp_path / "part.png")
    asked = []

    def inspect(photo: Path, references: Any) -> Any:
        asked.append((photo, list(references)))
        return RednessAssistant().inspect(photo)

    rows = [answer("location", False, "part.png", references=["good.png"])]
    write_qa_report(tmp_path, rows, QA, tmp_path, inspect)
    assert asked == [(tmp_path / "part.png", [tmp_path / "good.png"])]


def test_data_are_known_by_their_content(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"1")
    first = hash_data([tmp_path / "a"], tmp_path)
    assert first == hash_data([tmp_path / "a", tmp_path / "a"], tmp_path) and first["files"] == 1
    (tmp_path / "a").write_bytes(b"2")
    assert hash_data([tmp_path / "a"], tmp_path)["sha256"] != first["sha256"]
    assert hash_data([tmp_path / "a", tmp_path / "gone"], tmp_path)["files"] == 2


def test_pages_open_offline_in_a_browser(data: Path, qa_page: Path, tmp_path: Path) -> None:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    binary = shutil.which("chromium") or shutil.which("google-chrome")
    if binary is None:
        pytest.skip("no Chromium is installed")
    evaluate(data, tmp_path / "detection", RednessAssistant())
    fetched: list[str] = []
    failed: list[str] = []
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=binary, args=["--no-sandbox", "--disable-gpu"])
        for path in (tmp_path / "detection" / "report.html", qa_page):
            for scheme, width in (("light", 1280), ("dark", 1280), ("light", 420)):
                page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
                page.on("request", lambda request: fetched.append(request.url))
                page.on("console", lambda message: failed.append(message.text))
                page.goto(path.as_uri())
                assert page.evaluate("document.documentElement.scrollWidth") <= width, "no sideways scrolling"
                assert page.evaluate("[...document.images].every(i => i.complete && i.naturalWidth > 0)")
                dark = page.evaluate("parseInt(getComputedStyle(document.body).backgroundColor.slice(4))") < 100
                assert dark == (scheme == "dark")
                page.close()
        browser.close()
    assert failed == [] and [url for url in fetched if not url.startswith(("file:", "data:"))] == []
