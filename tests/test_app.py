"""The page without a browser: what each event does, and the pieces it shows."""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

gr = pytest.importorskip("gradio")

from app import build_app  # noqa: E402
from assistant.area import Area  # noqa: E402
from assistant.calibration import Calibration  # noqa: E402
from assistant.inspection import Inspection  # noqa: E402
from assistant.store import Store  # noqa: E402
from assistant.web import session as session_module  # noqa: E402
from assistant.web.facts import details, verdict  # noqa: E402
from assistant.web.inspect_panel import HINT, InspectPanel  # noqa: E402
from assistant.web.inspecting import reinspect  # noqa: E402
from assistant.web.picture import SCREEN, VIEWS, draw, window  # noqa: E402
from assistant.web.results import Results  # noqa: E402
from assistant.web.session import Look, Session  # noqa: E402
from assistant.web.suggestions import suggest  # noqa: E402
from assistant.web.transcript import messages, plain, typed  # noqa: E402
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


def named(outputs: tuple[Any, ...]) -> dict[str, Any]:
    """What an event gives the components of `Results`, by name."""
    names = [field.name for field in fields(Results)]
    return dict(zip(names, outputs[-len(names) :], strict=True))


def add(page: InspectPanel, session: Session, *files: dict[str, Any]) -> dict[str, Any]:
    """Drop photos on the page; what is shown after the last."""
    *_, last = page.add(session, [{"image": file, "caption": None} for file in files])
    return named(last)


def ask(page: InspectPanel, session: Session, question: str) -> dict[str, Any]:
    *_, last = page.answer(session, question)
    return named(last)


def click(item: object) -> Any:
    return gr.EventData(None, {"item": str(item)})


def texts(session: Session) -> list[str]:
    return [message["content"] for message in messages(session)]


def inspection(photo: np.ndarray, probability: float, **about: Any) -> Inspection:
    heat = np.zeros(photo.shape[:2], np.float32)
    heat[: len(heat) // 4, : len(heat) // 4] = 0.9
    return Inspection.from_map(
        heat, probability=probability, calibration=Calibration(), photo=photo, image="part", **about
    )


def test_a_photo_is_inspected_and_opens_a_conversation(page: InspectPanel, uploads: list[dict[str, Any]]) -> None:
    session = Session()
    shown = add(page, session, uploads[0])
    assert session.inspection is not None
    assert f'class="card {session.inspection.verdict}"' in shown["badge"]
    assert shown["picture"]["value"].size == (384, 384) and shown["beside"]["visible"] is False
    assert "without references" in shown["details"]
    assert [message["role"] for message in shown["chatbot"]] == ["assistant"]
    entry = page.workshop.store.log.entries(latest=1)[0]
    assert (entry.event, entry.photo) == ("verdict", "part 0.png")


def test_several_photos_keep_their_own_turns_in_one_transcript(
    page: InspectPanel, uploads: list[dict[str, Any]]
) -> None:
    session = Session()
    shown = add(page, session, uploads[0], uploads[1])
    assert session.photo is session.photos[0] and shown["photos"].count("<li>") == 2
    ask(page, session, "Is it defective?")
    page.select(session, click(2))
    assert session.photo is session.photos[1]
    ask(page, session, "Where?")
    assert [[turn.question for turn in photo.chat.turns] for photo in session.photos] == [
        ["Is it defective?"],
        ["Where?"],
    ]
    said = texts(session)
    assert [text for text in said if "about" in text] == [
        f'<div class="about">Photo {number} · part {number - 1}.png</div>' for number in (1, 2, 1, 2)
    ]
    assert said.index("Is it defective?") < said.index("Where?")
    page.select(session, click("no such photo"))
    assert session.photo is session.photos[1]


def test_a_photo_is_compared_with_its_own_good_parts_when_it_is_returned_to(
    page: InspectPanel, uploads: list[dict[str, Any]]
) -> None:
    session = Session()
    for index in (2, 1):
        page.example(session, index)
    board, cap = (set(photo.references) for photo in session.photos)
    page.select(session, click(1))
    page.refresh(session)
    assert set(session.references) == board != cap and session.chat is not None and session.photo is not None
    assert session.photo.past[-1].answer.count("Inspected again") == 0
    session.references = {}
    add(page, session, uploads[0])
    session.references = dict(session.photos[1].references)  # chosen while the photo without any is shown
    page.select(session, click(2))
    page.select(session, click(3))
    assert set(session.references) == cap


def test_what_opens_the_page_or_the_tab_waits_in_one_line_with_answers(page: InspectPanel) -> None:
    """Else what was gathered before an answer, and arrives after it, wipes it from the page."""
    blocks = build_app(page.workshop)
    chat = next(block for block in blocks.blocks.values() if block.elem_id == "chat")
    events = [(fn, name) for fn in blocks.fns.values() if chat in fn.outputs for _, name in fn.targets]
    lines = {name: fn.concurrency_id for fn, name in events if name in ("load", "submit", "retry")}
    assert lines == dict.fromkeys(("load", "submit", "retry"), "model")
    tab = next(block for block in blocks.blocks.values() if isinstance(block, gr.Tab) and block.label == "Inspect")
    chosen = [fn for fn, name in events if name == "select" and (tab._id, "select") in fn.targets]
    assert len(chosen) == 1 and chosen[0].concurrency_id == "model"


def test_looking_closer_leaves_the_conversation_alone(page: InspectPanel, uploads: list[dict[str, Any]]) -> None:
    session = Session()
    add(page, session, uploads[0])
    for closer in (page.zoom(session, click(1)), page.redraw(session, "colors", "Grey")):
        assert all(update == gr.skip() for name, update in named(closer).items() if name in ("chatbot", "stop"))
    assert named(page.zoom(session, click(1)))["picture"]["value"] is not None


def test_a_photo_can_be_taken_out(page: InspectPanel, uploads: list[dict[str, Any]]) -> None:
    session = Session()
    add(page, session, uploads[0], uploads[1])
    page.remove(session, click(1))
    assert [photo.name for photo in session.photos] == ["part 1.png"] and session.photo is session.photos[0]
    shown = named(page.remove(session, click(2)))
    assert session.photo is None and shown["chatbot"] == [] and "example" in shown["badge"]


def test_old_photos_leave_when_there_are_too_many(
    page: InspectPanel, uploads: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_module, "MOST_PIXELS", 2 * 384 * 384)
    session = Session()
    add(page, session, *uploads[:3])
    assert [photo.number for photo in session.photos] == [2, 3] and session.photo in session.photos


def test_another_photo_is_asked_about_or_compared_with(page: InspectPanel, uploads: list[dict[str, Any]]) -> None:
    session = Session()
    add(page, session, *uploads[:3])
    ask(page, session, "Compare it with the last one")
    assert "**Photo 1**" in texts(session)[-1] and "**Photo 3**" in texts(session)[-1]
    assert session.photo is session.photos[0]
    shown = ask(page, session, "and photo 2?")
    assert session.photo is session.photos[1] and 'data-item="2" aria-pressed="true"' in shown["photos"]
    ask(page, session, "Where is the first one?")  # of the regions
    assert session.photo is session.photos[1]


def test_turns_keep_the_thread(page: InspectPanel, uploads: list[dict[str, Any]]) -> None:
    session = Session()
    add(page, session, uploads[0])
    for question in ("Is it defective?", "Where?"):
        ask(page, session, question)
    assert [message["role"] for message in messages(session)] == ["assistant"] + ["user", "assistant"] * 2
    assert all(texts(session))


def test_an_answer_is_streamed_and_empties_the_question(page: InspectPanel, uploads: list[dict[str, Any]]) -> None:
    session = Session()
    add(page, session, uploads[0])
    steps = list(page.answer(session, "  Describe it.  "))
    first, last = named(steps[0]), named(steps[-1])
    assert [message["content"] for message in first["chatbot"][-2:]] == ["Describe it.", "…"] and steps[0][0] == ""
    assert first["stop"]["interactive"] and not last["stop"]["interactive"]
    assert "Answered in" in steps[-1][1] and "data-do" in last["suggestions"]
    lengths = [len(named(step)["chatbot"][-1]["content"]) for step in steps[1:]]
    assert len(steps) > 2 and lengths[:-1] == sorted(lengths[:-1])  # the last is the kept turn, trimmed


def test_an_answer_about_a_removed_photo_goes_nowhere(page: InspectPanel, uploads: list[dict[str, Any]]) -> None:
    session = Session()
    add(page, session, uploads[0], uploads[1])
    steps = page.answer(session, "Describe it.")
    next(steps)
    page.remove(session, click(1))
    assert list(steps) == [] and len(messages(session)) == 1


def test_stop_ends_the_answer_and_the_next_one_is_whole(page: InspectPanel, uploads: list[dict[str, Any]]) -> None:
    session = Session()
    add(page, session, uploads[0])
    ask(page, session, "Describe it.")
    whole = texts(session)
    steps = page.answer(session, "Describe it.")
    next(steps), next(steps)
    page.stop(session)
    *_, last = steps
    assert not named(last)["stop"]["interactive"] and len(texts(session)) == 5
    ask(page, session, "Is it defective?")
    assert len(texts(session)[-1]) > 5 and whole == texts(session)[:3]


def test_what_happens_meanwhile_loses_no_answer(page: InspectPanel, uploads: list[dict[str, Any]]) -> None:
    session = Session()
    add(page, session, uploads[0], uploads[1])
    steps = page.answer(session, "Describe it.")
    next(steps)
    shown = named(page.select(session, click(2)))
    assert shown["chatbot"][-2]["content"] == "Describe it." and shown["stop"]["interactive"]
    list(steps)
    assert session.pending is None and session.photos[0].chat.turns[-1].answer
    steps = page.answer(session, "Where?")
    next(steps), next(steps)
    page.restart(session)
    list(steps)
    assert len(messages(session)) == 1
    assert session.chat is not None and session.chat.turns == []


def test_an_edited_question_replaces_what_followed_it(page: InspectPanel, uploads: list[dict[str, Any]]) -> None:
    session = Session()
    add(page, session, uploads[0])
    for question in ("Only the left half.", "Where is it?"):
        ask(page, session, question)
    assert session.inspection is not None and session.inspection.area is not None
    edit = gr.EditData(None, {"index": 1, "previous_value": "Only the left half.", "value": "Is it &lt;b>good?"})
    list(page.edit(session, edit))
    assert session.chat is not None and [turn.question for turn in session.chat.turns] == ["Is it <b>good?"]
    assert session.inspection.area is None  # as it was before the edited question
    nowhere = gr.EditData(None, {"index": 99, "previous_value": "", "value": "What?"})
    list(page.edit(session, nowhere))
    assert len(session.chat.turns) == 1


def test_a_retried_question_keeps_its_place(page: InspectPanel, uploads: list[dict[str, Any]]) -> None:
    session = Session()
    add(page, session, uploads[0])
    for question in ("Is it defective?", "Where?"):
        ask(page, session, question)
    list(page.again(session, gr.RetryData(None, {"index": 3, "value": "Where?"})))
    assert session.chat is not None
    assert [turn.question for turn in session.chat.turns] == ["Is it defective?", "Where?"]
    assert session.chat.turns[-1].answer


def test_restart_forgets_all_but_the_photo(page: InspectPanel, uploads: list[dict[str, Any]]) -> None:
    session = Session()
    add(page, session, uploads[1], uploads[0])
    ask(page, session, "Where?")
    shown = named(page.restart(session))
    assert len(shown["chatbot"]) == 1 and "new conversation" in shown["chatbot"][0]["content"]
    assert [photo.name for photo in session.photos] == ["part 1.png"]
    assert session.chat is not None and session.chat.turns == []


def test_without_a_photo_there_is_a_hint(page: InspectPanel) -> None:
    session = Session()
    assert ask(page, session, "Is it fine?")["chatbot"][-1] == {"role": "assistant", "content": HINT}
    assert named(page.redraw(session, "view", "Map"))["picture"]["value"] is None
    page.stop(session)
    assert named(page.restart(session))["chatbot"] == []
    assert named(page.shown(session))["details"] == ""


def test_a_bad_upload_is_one_clear_message(page: InspectPanel, uploads: list[dict[str, Any]], tmp_path: Path) -> None:
    session, path = Session(), tmp_path / "0123abcd.png"
    path.write_bytes(b"this is no image")
    shown = add(page, session, {"path": str(path), "orig_name": "<b>holiday</b>.png"})
    assert 'role="alert"' in shown["badge"] and "&lt;b&gt;holiday" in shown["badge"]
    assert str(tmp_path) not in shown["badge"] and session.photo is None
    shown = add(page, session, uploads[0])
    assert 'role="alert"' not in shown["badge"] and session.photo is not None


def test_two_visitors_do_not_meet(page: InspectPanel, uploads: list[dict[str, Any]]) -> None:
    one, other = Session(), Session()
    add(page, one, uploads[0])
    add(page, other, uploads[1])
    ask(page, one, "Where?")
    assert len(messages(one)) == 3 and len(messages(other)) == 1


def test_a_change_of_what_holds_keeps_what_was_said(page: InspectPanel, uploads: list[dict[str, Any]]) -> None:
    session = Session()
    add(page, session, uploads[0])
    ask(page, session, "Where?")
    assert session.photo is not None and session.chat is not None
    session.chat.restrict(Area.from_box((384, 384), (0, 0, 384, 200)))
    assert not reinspect(page.workshop, session)
    before, session.references = texts(session), {"digest": render(1)[1][0]}
    assert reinspect(page.workshop, session, "Now with one.")
    assert session.inspection is not None and session.inspection.references == 1 and session.inspection.area
    assert texts(session)[:-1] == before and texts(session)[-1].startswith("Now with one.")
    assert session.chat.turns == []


def test_an_enlarged_region_is_shown_and_left(page: InspectPanel) -> None:
    session = Session()
    whole = named(page.example(session, 1))
    assert session.photo is not None and session.inspection is not None and session.inspection.regions
    near = named(page.zoom(session, click(1)))
    assert session.photo.zoomed == 1 and near["picture"]["value"].size == (600, 600) != whole["picture"]["value"].size
    assert "Show the whole photo" in near["details"]
    for item in (99, "x", "²", 0):
        page.zoom(session, click(item))
        assert session.photo.zoomed in (0, 1)
    assert session.photo.zoomed == 0
    x0, y0, x1, y1 = session.inspection.regions[0].box
    for place, number in (((0, 0), 0), (((x0 + x1) / 2, (y0 + y1) / 2), 1), ((5, 5), 0)):
        page.point(session, gr.SelectData(None, {"index": list(place), "value": None}))
        assert session.photo.zoomed == number
    session.photo.zoomed = len(session.inspection.regions)
    session.photo.chat.restrict(Area.from_box((384, 384), (0, 0, 40, 40)))  # where there is nothing
    assert named(page.shown(session))["picture"]["value"].size == whole["picture"]["value"].size


def test_the_window_of_a_region_lies_in_the_photo() -> None:
    assert window((0, 0, 10, 10), (800, 400)) == (0, 0, 100, 50)
    assert window((700, 300, 800, 400), (800, 400)) == (400, 200, 800, 400)
    assert window((0, 0, 20, 20), (20, 20)) == (0, 0, 20, 20)


def test_names_and_words_are_no_html(page: InspectPanel, uploads: list[dict[str, Any]]) -> None:
    session = Session()
    shown = add(page, session, uploads[0], {**uploads[1], "orig_name": '"><img src=x>.png\n'})
    assert "<img src=x" not in shown["photos"] and "<img src=x" not in "".join(texts(session))
    said = "![x](http://example.org/a.png) <script>1</script> and a < b"
    assert "<script" not in plain(said) and "![" not in plain(said) and "a < b" in plain(said)
    assert typed(plain(said)) == said


def test_suggestions_follow_what_was_found_and_asked(photo: np.ndarray) -> None:
    bad, good = inspection(photo, 0.9), inspection(photo, 0.01, references=2)
    assert "How large is it?" in suggest(bad, []) and "Can I let it pass?" in suggest(good, [])
    assert "How large is it?" not in suggest(bad, ["What size is the defect?"])
    assert not set(suggest(bad, [])) & {"How does it differ from the good parts?", "Can I let it pass?"}
    asked: list[str] = []
    while after := suggest(bad, asked):
        assert len(set(after)) == len(after)
        asked.append(after[0])
    assert len(asked) >= 6


def test_views_differ_and_a_large_photo_is_reduced(photo: np.ndarray) -> None:
    large = np.kron(photo, np.ones((20, 20, 1), np.uint8))  # 1920 x 2560
    found = inspection(large, 0.9)
    pictures = {view: np.asarray(draw(large, found, Look(view))) for view in VIEWS}
    assert all(max(picture.shape) == SCREEN for picture in pictures.values())
    assert (pictures["Side by side"] == pictures["Overlay"]).all()  # the slider's half that is not the photo
    assert len({picture.tobytes() for picture in pictures.values()}) == len(VIEWS) - 1
    assert (np.asarray(draw(large, found, Look(opacity=0))) != pictures["Overlay"]).any()
    assert (np.asarray(draw(large, found, Look("Map", colors="Grey"))) != pictures["Map"]).any()


@pytest.mark.parametrize(
    "probability, word, chance",
    [(0.001, "Good", "under 1%"), (0.5, "Unsure", "50%"), (0.93, "Defective", "93%"), (0.999, "Defective", "over 99%")],
)
def test_the_badge_says_the_verdict_in_words(photo: np.ndarray, probability: float, word: str, chance: str) -> None:
    badge = verdict(inspection(photo, probability))
    assert f"<b>{word}</b>" in badge and f">{chance} probability" in badge and 'role="status"' in badge


def test_details_list_regions_and_escape_remarks(photo: np.ndarray) -> None:
    text = details(inspection(photo, 0.9, notes=("<script>",)), extra=["and more"])
    assert text.count("<tr") == 2 and "upper left" in text and "without references" in text
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
    for name in ("Photos of the part", "Good parts", "Your question", "Opacity", "Colors", "Stop", "New conversation"):
        assert name in config
