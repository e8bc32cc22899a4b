"""Places on the page: drawn, asked about, restricted to, ignored, corrected, undone, listed, exported."""

import json
import re
import zipfile
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest

gr = pytest.importorskip("gradio")

from assistant import UserError  # noqa: E402
from assistant.area import Area  # noqa: E402
from assistant.evaluation.stated import stated_verdict  # noqa: E402
from assistant.layouts import read_products  # noqa: E402
from assistant.store import Store  # noqa: E402
from assistant.store.pictures import digest_of  # noqa: E402
from assistant.web.correct_panel import LEAST_GOOD, CorrectPanel  # noqa: E402
from assistant.web.drawing import LONGEST, drawn_piece  # noqa: E402
from assistant.web.inspect_panel import InspectPanel  # noqa: E402
from assistant.web.inspecting import add_photo  # noqa: E402
from assistant.web.place_panel import DRAWN, WHOLE, PlacePanel, choices, marked, picked  # noqa: E402
from assistant.web.results import Results, updates  # noqa: E402
from assistant.web.session import Session  # noqa: E402
from assistant.web.steer_panel import SteerPanel  # noqa: E402
from assistant.web.transcript import messages  # noqa: E402
from assistant.web.workshop import Workshop  # noqa: E402
from data_gen.examples import render  # noqa: E402
from training import own_photos  # noqa: E402
from training.config import DataConfig  # noqa: E402

SIZE = (200, 100)
RIGHT = json.dumps({"box": [0.55, 0.3, 0.95, 0.85]})  # around the broken piece of the example
LEFT = json.dumps({"box": [0, 0, 0.3, 1]})


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return Workshop("tiny", Store(tmp_path_factory.mktemp("store")))


@pytest.fixture
def session(workshop: Workshop) -> Session:
    """A visitor who has a broken cap inspected, without a product."""
    photo, references = render(1)
    session = Session(references={digest_of(one): one for one in references}, who="Ada")
    add_photo(workshop, session, photo, "cap.png")
    return session


@pytest.fixture
def known(workshop: Workshop, session: Session, request: pytest.FixtureRequest) -> Session:
    """The same with a product of the test's own, whose photos are the references."""
    session.product = workshop.store.products.create(request.node.name).id
    for reference in session.references.values():
        workshop.store.products.add_normal(session.product, reference, "good")
    return session


def draw(session: Session, drawing: str) -> None:
    PlacePanel().choose(session, DRAWN, drawing)


def said(session: Session) -> str:
    return messages(session)[-1]["content"]


def test_a_box_and_strokes_are_pixels_of_the_photo() -> None:
    box = drawn_piece('{"box": [0.5, 0.9, 0.25, 0.1]}', SIZE)
    assert box is not None and box.boxes == ((50, 10, 100, 90),)
    strokes = drawn_piece('{"strokes": [{"width": 0.1, "points": [[0.2, 0.5], [0.8, 0.5]]}]}', SIZE)
    assert strokes is not None
    mask = Area(SIZE, only=(strokes,)).mask
    assert mask[50, 40:160].all() and mask[42:58, 100].all() and not mask[:38].any() and not mask[62:].any()
    edge = drawn_piece('{"box": [1, 1, 1, 1]}', SIZE)
    assert edge is not None and edge.boxes == ((199, 99, 200, 100),)
    wide = drawn_piece('{"strokes": [{"width": 1, "points": [[0.5, 0.5]]}]}', SIZE)
    assert wide is not None and Area(SIZE, only=(wide,)).mask.mean() < 0.05
    assert drawn_piece("", SIZE) is None


@pytest.mark.parametrize(
    "drawing",
    [
        "[",
        "3",
        "{}",
        '{"box": [1, 2]}',
        '{"box": [0, 0, NaN, 1]}',
        '{"strokes": 4}',
        '{"box": null}',
        " " * LONGEST + "{}",
    ],
)
def test_what_no_browser_draws_is_refused(drawing: str) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        drawn_piece(drawing, SIZE)


def test_strokes_scale_with_the_photo() -> None:
    drawing = '{"strokes": [{"width": 0.05, "points": [[0.5, 0.5]]}]}'
    shares = [Area(size, only=(drawn_piece(drawing, size),)).mask.mean() for size in ((800, 400), (4000, 2000))]  # type: ignore[arg-type]
    assert shares[1] == pytest.approx(shares[0], rel=0.15)


def test_regions_and_drawing_are_offered_and_choosing_points(session: Session) -> None:
    assert session.inspection is not None and session.photo is not None
    offered = choices(session.inspection)
    assert len(offered) == len(session.inspection.regions) + 2 and "center right" in offered[1][0]
    PlacePanel().choose(session, 1, "")
    region, mask = session.inspection.regions[0], marked(session, 1)
    assert session.photo.drawn is not None and session.photo.drawn.touches(region.box) and mask.any()
    assert not (mask & ~session.photo.drawn.mask).any()
    PlacePanel().choose(session, WHOLE, "")
    assert session.photo.drawn is None
    with pytest.raises(UserError, match="no place"):
        marked(session, WHOLE)
    PlacePanel().choose(session, DRAWN, RIGHT)
    assert marked(session, DRAWN).any()
    PlacePanel().offer(session)  # another inspection has other regions
    assert session.photo.drawn is None and PlacePanel().offer(session) == picked()
    with pytest.raises(UserError, match="no place"):
        marked(session, DRAWN)


def test_a_region_that_is_enlarged_is_chosen(session: Session) -> None:
    panel = PlacePanel()
    assert session.photo is not None
    panel.offer(session)
    session.photo.zoomed = 1
    assert panel.offer(session)[0] == 1 and session.photo.drawn is not None and panel.offer(session) == picked()
    session.photo.zoomed = 0
    assert panel.offer(session)[0] == WHOLE and session.photo.drawn is None


def test_a_drawn_place_is_asked_about_alone(workshop: Workshop, session: Session) -> None:
    draw(session, RIGHT)
    before = session.inspection
    steps = list(SteerPanel(workshop).ask(session))
    assert len(steps) > 1 and all(len(step) == len(updates()) for step in steps)
    assert said(session).startswith("In the box you drew: ") and "defect" in said(session)
    assert messages(session)[-2] == {"role": "user", "content": "Is this a defect?"}
    draw(session, LEFT)
    list(SteerPanel(workshop).ask(session))
    assert stated_verdict(said(session), "Is this a defect?") == "good" and session.inspection is before


def test_the_verdict_follows_the_area_and_comes_back(workshop: Workshop, session: Session) -> None:
    panel, whole = SteerPanel(workshop), session.inspection
    assert whole is not None and whole.verdict == "defective"
    draw(session, RIGHT)
    panel.ignore(session)
    left = session.inspection
    assert left is not None and left.probability < whole.probability and left.verdict != "defective"
    assert left.anomaly_map is not None and left.anomaly_map[marked_box(RIGHT, left.size)].max() == 0
    assert said(session).startswith("I judge everything except the box you drew from now on.")
    panel.whole(session)
    assert session.inspection is whole and said(session).startswith("I judge the whole photo again.")
    draw(session, RIGHT)
    panel.judge_only(session)
    only = session.inspection
    assert only is not None and only.area is not None and only.area.scope == "only the box you drew"
    assert only.regions and said(session).startswith("I judge only the box you drew")
    draw(session, json.dumps({"box": [0, 0, 1, 1]}))
    panel.ignore(session)  # nothing would be left
    assert session.inspection is only


def marked_box(drawing: str, size: tuple[int, int]) -> np.ndarray:
    piece = drawn_piece(drawing, size)
    assert piece is not None
    return Area(size, only=(piece,)).mask


def test_words_mean_what_is_drawn(workshop: Workshop, session: Session) -> None:
    draw(session, RIGHT)
    panel = InspectPanel(workshop)
    *_, last = panel.answer(session, "Look only here.")
    assert session.inspection is not None and session.inspection.area is not None
    assert session.inspection.area.scope == "only the box you drew"
    badge = last[2 + [field.name for field in fields(Results)].index("badge")]
    assert "Judged: only the box you drew" in badge  # the results follow words, too
    list(panel.answer(session, "The whole part again, please."))
    assert session.inspection.area is None


def test_without_a_place_or_photo_nothing_happens(workshop: Workshop, session: Session) -> None:
    panel, empty = SteerPanel(workshop), Session()
    before = len(messages(session))
    for event in (panel.judge_only, panel.ignore, panel.whole):
        assert event(session) == updates() and event(empty) == updates()
    assert list(panel.ask(session)) == [updates()] and list(panel.ask(empty)) == [updates()]
    assert len(messages(session)) == before
    assert "no photo" in CorrectPanel(workshop).accept(empty, 1)[1]


def test_corrections_need_a_product(workshop: Workshop, session: Session) -> None:
    change, message, *_ = CorrectPanel(workshop).accept(session, 1)
    assert change is None and "product" in message and 'role="alert"' in message


def test_what_is_accepted_holds_at_once_and_undo_brings_it_back(workshop: Workshop, known: Session) -> None:
    panel, before = CorrectPanel(workshop), known.inspection
    list(InspectPanel(workshop).answer(known, "Where is it?"))
    assert before is not None
    change, message, *_ = panel.accept(known, 1)
    after = known.inspection
    assert after is not None and after.probability < before.probability
    assert "this is acceptable" in message and "Defective (" in message
    talk = [one["content"] for one in messages(known)]
    assert "Where is it?" in talk and talk[-1].startswith("Noted: this is acceptable.")
    listed = panel.listed(known)
    assert "Acceptable" in listed and "Ada" in listed and "data-item" in listed and "data:image" in listed
    panel.undo_last(known, change)
    assert known.inspection is not None and known.inspection.probability == before.probability
    assert "undone" in panel.listed(known) and "data-item" not in panel.listed(known)
    assert "undone already" in panel.undo_last(known, change)[1]


def test_a_defect_is_stored_under_its_name(workshop: Workshop, known: Session) -> None:
    panel = CorrectPanel(workshop)
    draw(known, LEFT)
    assert "kind of defect" in panel.mark_defect(known, DRAWN, "  ")[1]
    change, message, *_ = panel.mark_defect(known, DRAWN, "<b>Lunker</b> [x](http://x)")
    assert "\\[x\\](" in said(known)  # no link in the conversation
    assert "&lt;b&gt;Lunker" in message and "<b>Lunker" not in message
    assert "&lt;b&gt;Lunker" in panel.listed(known) and "<b>Lunker" not in panel.listed(known)
    assert known.inspection is not None and known.inspection.verdict == "defective"
    (*_, last) = panel.check(known, change)
    assert "Lunker" in last[0] and "Careful" not in last[0]


def test_a_correction_that_hides_a_known_defect_is_told(workshop: Workshop, known: Session) -> None:
    panel = CorrectPanel(workshop)
    panel.mark_defect(known, 1, "broken edge")
    assert known.inspection is not None
    draw(known, RIGHT)
    change, *_ = panel.accept(known, DRAWN)
    *_, (message, *rest) = panel.check(known, change)
    assert "Careful" in message and "broken edge" in message and 'role="alert"' in message and "data:image" in message
    assert said(known).startswith("Careful:") and any(rest)
    _, message, *_ = panel.undo_last(known, change)
    assert "Undone" in message


def test_corrections_of_another_product_are_not_undone(workshop: Workshop, known: Session) -> None:
    panel = CorrectPanel(workshop)
    change, *_ = panel.accept(known, 1)
    number = workshop.store.corrections.list(known.product or 0)[0].id
    stranger = Session(product=workshop.store.products.create("another one").id)
    assert "no such correction" in panel.undo(stranger, number)[1]
    assert "no such correction" in panel.undo_last(stranger, change)[1]
    assert workshop.store.corrections.list(known.product or 0)[0].undone is None
    assert list(panel.check(stranger, change))[-1][1:] == updates()


def test_feedback_is_exported_as_a_zip(workshop: Workshop, known: Session, tmp_path: Path) -> None:
    panel = CorrectPanel(workshop)
    panel.mark_defect(known, 1, "broken edge")
    download, told = panel.export(known)
    assert "3 good photos, 1 defective photo" in told
    name = re.search(r"data\.root=(\w+)", told)
    assert name is not None
    with zipfile.ZipFile(download["value"]) as packed:
        packed.extractall(tmp_path)
    layout, (product,) = read_products(tmp_path / name[1])
    assert layout == "good-bad" and len(product.good()) == 3 and product.bad()[0].kind == "broken_edge"
    assert "needs 5 good ones" in told and LEAST_GOOD == own_photos.LEAST_GOOD
    empty = Session(product=workshop.store.products.create("empty").id)
    assert "neither photos" in panel.export(empty)[1]
    assert "product" in panel.export(Session())[1]


def test_training_reads_the_export(workshop: Workshop, known: Session, tmp_path: Path) -> None:
    assert known.product is not None
    rng = np.random.default_rng(0)
    for number in range(5):
        workshop.store.products.add_normal(known.product, rng.integers(0, 256, (64, 64, 3), np.uint8), f"good {number}")
    CorrectPanel(workshop).mark_defect(known, 1, "scratch")
    download, told = CorrectPanel(workshop).export(known)
    with zipfile.ZipFile(download["value"]) as packed:
        packed.extractall(tmp_path)
    (folder,) = tmp_path.iterdir()
    assert "needs" not in told and folder.name in told
    read = own_photos.read_own_photos(DataConfig(root=str(folder)))
    assert len(read.good) + len(read.held_good) == 8 and len(read.bad) + len(read.held_bad) == 1


def test_controls_have_names(workshop: Workshop) -> None:
    from app import build_app

    config = json.dumps(build_app(workshop).config, default=str)
    named: list[Any] = ["Ask about", "Kind of defect", "This is acceptable", "Photo to mark"]
    assert [name for name in named if name not in config] == []


@pytest.mark.parametrize("choice", [99, "1", None, [1], -7])
def test_a_choice_of_another_inspection_is_no_place(workshop: Workshop, known: Session, choice: Any) -> None:
    panel = CorrectPanel(workshop)
    assert "No place is chosen" in panel.accept(known, choice)[1]
    PlacePanel().choose(known, choice, "")
    assert known.photo is not None and known.photo.drawn is None
