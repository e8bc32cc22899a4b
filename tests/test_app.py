"""The page without a browser: what each event does, and the pieces it shows."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("gradio")

from app import build_app  # noqa: E402
from assistant.calibration import Calibration  # noqa: E402
from assistant.inspection import Inspection  # noqa: E402
from assistant.store import Store  # noqa: E402
from assistant.web.facts import details, verdict  # noqa: E402
from assistant.web.inspect_panel import HINT, InspectPanel, messages  # noqa: E402
from assistant.web.picture import SCREEN, VIEWS, draw  # noqa: E402
from assistant.web.session import Session  # noqa: E402
from assistant.web.workshop import Workshop  # noqa: E402
from data_gen.examples import EXAMPLES, render  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> InspectPanel:
    return InspectPanel(Workshop("tiny", Store(tmp_path_factory.mktemp("store"))))


@pytest.fixture(scope="module")
def uploads(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """A photo with a broken piece and three good parts, as the page sends uploads."""
    folder, (photo, references) = tmp_path_factory.mktemp("uploads"), render(1)
    files = []
    for number, pixels in enumerate([photo, *references]):
        path = folder / f"{number}.png"
        Image.fromarray(pixels).save(path)
        files.append({"path": str(path), "orig_name": f"part {number}.png"})
    return files


def inspect(page: InspectPanel, session: Session, photo: Any, references: list[dict[str, Any]]) -> tuple[Any, ...]:
    return page.inspect(session, photo, [{"image": file, "caption": None} for file in references], "Overlay", 50)


def inspection(photo: np.ndarray, probability: float, **about: Any) -> Inspection:
    heat = np.zeros(photo.shape[:2], np.float32)
    heat[: len(heat) // 4, : len(heat) // 4] = 0.9
    return Inspection.from_map(
        heat, probability=probability, calibration=Calibration(), photo=photo, image="part", **about
    )


def test_a_photo_is_inspected_and_opens_a_conversation(page: InspectPanel, uploads: list[dict[str, Any]]) -> None:
    session = Session()
    badge, picture, facts, said, _ = inspect(page, session, uploads[0], uploads[1:])
    assert session.chat is not None
    assert f'class="card {session.chat.inspection.verdict}"' in badge
    assert picture.size == (384, 384)
    assert "compared with 3 good parts" in facts
    assert [message["role"] for message in said] == ["assistant"]
    assert "new conversation" not in said[0]["content"]


def test_the_same_files_are_not_inspected_twice(page: InspectPanel, uploads: list[dict[str, Any]]) -> None:
    session = Session()
    inspect(page, session, uploads[0], uploads[1:])
    chat = session.chat
    inspect(page, session, uploads[0], uploads[1:])
    assert session.chat is chat


def test_turns_keep_the_thread_until_the_references_change(page: InspectPanel, uploads: list[dict[str, Any]]) -> None:
    session = Session()
    inspect(page, session, uploads[0], uploads[1:])
    for question in ("Is it defective?", "Where?"):
        *_, (said, _, _) = page.answer(session, question)
    assert [message["role"] for message in said] == ["assistant"] + ["user", "assistant"] * 2
    assert all(message["content"] for message in said)
    *_, said, _ = inspect(page, session, uploads[0], uploads[1:2])
    assert len(said) == 1 and said[0]["content"].startswith("New references")
    list(page.answer(session, "Where?"))
    *_, said, _ = inspect(page, session, uploads[1], uploads[2:3])
    assert len(said) == 1 and said[0]["content"].startswith("New photo")


def test_an_answer_is_streamed_and_empties_the_question(page: InspectPanel, uploads: list[dict[str, Any]]) -> None:
    session = Session()
    inspect(page, session, uploads[0], [])
    steps = list(page.answer(session, "  Describe it.  "))
    assert [message["content"] for message in steps[0][0][-2:]] == ["Describe it.", "…"] and steps[0][1] == ""
    assert steps[0][2]["interactive"] and not steps[-1][2]["interactive"]
    lengths = [len(step[0][-1]["content"]) for step in steps[1:]]
    assert len(steps) > 2 and lengths[:-1] == sorted(lengths[:-1])  # the last is the kept turn, trimmed


def test_an_answer_about_a_replaced_photo_goes_nowhere(page: InspectPanel, uploads: list[dict[str, Any]]) -> None:
    session = Session()
    inspect(page, session, uploads[0], [])
    steps = page.answer(session, "Describe it.")
    next(steps)
    inspect(page, session, uploads[1], [])
    assert list(steps) == [] and len(messages(session)) == 1


def test_stop_ends_the_answer_and_the_next_one_is_whole(page: InspectPanel, uploads: list[dict[str, Any]]) -> None:
    session = Session()
    inspect(page, session, uploads[0], uploads[1:])
    *_, (whole, _, _) = page.answer(session, "Describe it.")
    steps = page.answer(session, "Describe it.")
    next(steps), next(steps)
    page.stop(session)
    *_, (said, _, button) = steps
    assert not button["interactive"] and len(said) == 5
    *_, (said, _, _) = page.answer(session, "Is it defective?")
    assert len(said[-1]["content"]) > 5 and whole == said[:3]


def test_restart_forgets_the_turns_but_not_the_photo(page: InspectPanel, uploads: list[dict[str, Any]]) -> None:
    session = Session()
    inspect(page, session, uploads[0], [])
    list(page.answer(session, "Where?"))
    said, _ = page.restart(session)
    assert len(said) == 1 and "new conversation" in said[0]["content"]
    assert session.chat is not None and session.chat.turns == []


def test_without_a_photo_there_is_a_hint(page: InspectPanel, uploads: list[dict[str, Any]]) -> None:
    session = Session()
    ((said, _, _),) = page.answer(session, "Is it fine?")
    assert said[-1] == {"role": "assistant", "content": HINT}
    assert page.redraw(session, "Overlay", 50) is None
    page.stop(session)
    assert page.restart(session)[0] == []
    inspect(page, session, uploads[0], [])
    badge, picture, facts, said, _ = inspect(page, session, None, [])  # the photo is taken away again
    assert picture is None and facts == "" and said == [] and session.chat is None and "example" in badge


@pytest.mark.parametrize("bad", [0, 1])
def test_a_bad_upload_is_one_clear_message(
    page: InspectPanel, uploads: list[dict[str, Any]], tmp_path: Path, bad: int
) -> None:
    session, path = Session(), tmp_path / "0123abcd.png"
    path.write_bytes(b"this is no image")
    files = list(uploads)
    files[bad] = {"path": str(path), "orig_name": "<b>holiday</b>.png"}
    badge, picture, facts, said, _ = inspect(page, session, files[0], files[1:])
    assert 'role="alert"' in badge and "&lt;b&gt;holiday" in badge and str(tmp_path) not in badge
    assert picture is None and facts == "" and said == [] and session.chat is None
    assert inspect(page, session, uploads[0], uploads[1:])[1] is not None  # and the page goes on


def test_more_references_than_fit_are_said_to_be_left_out(page: InspectPanel, uploads: list[dict[str, Any]]) -> None:
    session = Session()
    facts = inspect(page, session, uploads[0], [*uploads[1:], *uploads[1:]])[2]
    assert session.chat is not None and session.chat.inspection.references == 4 and "first 4" in facts


def test_two_visitors_do_not_meet(page: InspectPanel, uploads: list[dict[str, Any]]) -> None:
    one, other = Session(), Session()
    inspect(page, one, uploads[0], [])
    inspect(page, other, uploads[1], [])
    list(page.answer(one, "Where?"))
    assert len(messages(one)) == 3 and len(messages(other)) == 1


def test_views_differ_and_a_large_photo_is_reduced(photo: np.ndarray) -> None:
    large = np.kron(photo, np.ones((20, 20, 1), np.uint8))  # 1920 x 2560
    found = inspection(large, 0.9)
    pictures = [np.asarray(draw(large, found, view, 50)) for view in VIEWS]
    assert all(max(picture.shape) <= SCREEN for picture in pictures)
    assert len({picture.tobytes() for picture in pictures}) == len(VIEWS)
    assert (np.asarray(draw(large, found, "Overlay", 0)) != pictures[0]).any()


@pytest.mark.parametrize(
    "probability, word, chance",
    [(0.001, "Good", "under 1%"), (0.5, "Unsure", "50%"), (0.93, "Defective", "93%"), (0.999, "Defective", "over 99%")],
)
def test_the_badge_says_the_verdict_in_words(photo: np.ndarray, probability: float, word: str, chance: str) -> None:
    badge = verdict(inspection(photo, probability))
    assert f"<b>{word}</b>" in badge and f">{chance} probability" in badge and 'role="status"' in badge


def test_details_list_regions_and_escape_remarks(photo: np.ndarray) -> None:
    text = details(inspection(photo, 0.9, notes=("<script>",)), extra=["and more"])
    assert text.count("<tr>") == 2 and "upper left" in text and "without references" in text
    assert "&lt;script&gt;" in text and "and more" in text
    assert "<table>" not in details(inspection(photo, 0.01))


def test_examples_are_quick_repeatable_and_show_their_defect() -> None:
    for index, (_, _, _, _, kind) in enumerate(EXAMPLES):
        photo, references = render(index)
        assert len(references) == 3 and photo.shape == references[0].shape
        render.cache_clear()
        assert (render(index)[0] == photo).all()
        assert (kind is None) == (index == 2)


def test_the_page_has_names_for_its_controls(page: InspectPanel) -> None:
    config = json.dumps(build_app(page.workshop).config, default=str)
    for name in ("Photo of the part", "Good parts", "Your question", "Opacity", "Stop", "New conversation"):
        assert name in config
