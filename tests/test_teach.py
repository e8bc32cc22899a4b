"""The Teach tab without a browser: synthetic samples; a training started, watched and stopped; models chosen."""

import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

gr = pytest.importorskip("gradio")

from assistant import UserError  # noqa: E402
from assistant.product import Product  # noqa: E402
from assistant.store import Store  # noqa: E402
from assistant.web.inspecting import good_parts, refresh  # noqa: E402
from assistant.web.model_panel import ModelPanel  # noqa: E402
from assistant.web.session import Session  # noqa: E402
from assistant.web.teach_panel import SAMPLES, TeachPanel, outlined  # noqa: E402
from assistant.web.tethered import ORPHANED  # noqa: E402
from assistant.web.training_run import ACCEPTED, FAILED, REFUSED, RUNNING, STOPPED, Taught, Trainings  # noqa: E402
from assistant.web.workshop import Workshop  # noqa: E402
from data_gen.procedural import Product as Rendered  # noqa: E402


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return Workshop("tiny", Store(tmp_path_factory.mktemp("store")))


@pytest.fixture
def panel(workshop: Workshop) -> TeachPanel:
    return TeachPanel(workshop)


@pytest.fixture
def trainings(panel: TeachPanel) -> Trainings:
    return panel.trainings


def product(workshop: Workshop, name: str, photos: int) -> int:
    """A stored product with rendered photos of good parts."""
    made, rendered = workshop.store.products.create(name), Rendered("bottle cap", 5)
    for number in range(photos):
        workshop.store.products.add_normal(made.id, rendered.photo(np.random.default_rng(number), 96), f"{number}.png")
    return made.id


@pytest.fixture(scope="module")
def cap(workshop: Workshop) -> int:
    return product(workshop, "Cap <5>", 6)


def taught(workshop: Workshop, checkpoint: Path, name: str, number: int) -> Taught:
    """Put a copy of `tiny` where a training would have left it."""
    folder, trainings = workshop.trained / name, Trainings(workshop)
    shutil.copytree(checkpoint, folder / "model")
    normals = [np.full((224, 224, 3), value, np.uint8) for value in (90, 110)]
    Product(name, normals, workshop.assistant("tiny").head.calibration).save(folder / "model")
    about = Taught(number, "Cap", "tiny", 4, "anna", "2026-01-01T00:00:00+00:00", ACCEPTED)
    trainings._write(name, about)
    return about


def test_samples_are_made_of_the_products_own_photos(panel: TeachPanel, cap: int) -> None:
    steps = list(panel.samples(Session(product=cap), []))
    pictures = [step[0]["value"] for step in steps]
    assert len(pictures[-1]) == SAMPLES and "12 synthetic defects" in steps[-1][1]
    assert [len(picture) for picture in pictures] == [SAMPLES] * len(steps)  # one list that grows
    assert all(picture.size == (96, 96) and caption for picture, caption in pictures[-1])
    ((*_, (only, _)),) = [list(panel.samples(Session(product=cap), ["scratch"]))]
    assert {caption for _, caption in only["value"]} == {"scratch"}


def test_without_a_product_or_photos_it_says_what_is_missing(panel: TeachPanel, workshop: Workshop) -> None:
    assert "Choose a product" in panel.about(Session()) and "Choose a product" in panel.about(Session(product=99))
    empty = product(workshop, "empty", 0)
    ((_, said),) = panel.samples(Session(product=empty), [])
    assert "at least one photo" in said and "Add at least 5 more" in panel.about(Session(product=empty))
    few = product(workshop, "few", 4)
    assert "Add at least 1 more" in panel.about(Session(product=few))
    with pytest.raises(UserError, match="few has 4 photos of good parts"):
        panel.trainings.start(few, "tiny", 2, "")
    assert panel.trainings.running == "" and not (workshop.trained / "few").exists()


def test_more_photos_join_the_product_and_bad_ones_are_told(
    panel: TeachPanel, workshop: Workshop, tmp_path: Path
) -> None:
    number, files = product(workshop, "joined", 1), []
    for name in ("a.png", "torn.png"):
        files.append({"path": str(tmp_path / name), "orig_name": f"<{name}>"})
    Image.fromarray(np.zeros((40, 40, 3), np.uint8)).save(tmp_path / "a.png")
    (tmp_path / "torn.png").write_bytes(b"x")
    with pytest.warns(UserWarning, match="&lt;torn.png&gt; is not an image"):
        assert panel.add(Session(product=number), files)[0] is None
    assert [normal.name for normal in workshop.store.products.get(number).normals] == ["0.png", "<a.png>"]


def test_a_training_is_started_once_stopped_and_can_go_on(panel: TeachPanel, workshop: Workshop, cap: int) -> None:
    session, trainings = Session(product=cap, who="anna"), panel.trainings
    screen = panel.start(session, "tiny", 2)
    name = trainings.running
    assert name == "cap-5" and "Cap &lt;5&gt;" in screen[0] and "<progress" in screen[0]
    assert screen[3].active and not screen[4]["interactive"] and screen[5]["interactive"]
    assert trainings.taught(name) == Taught(cap, "Cap <5>", "tiny", 2, "anna", trainings.taught(name).started)  # type: ignore[union-attr]
    assert len(list((workshop.trained / name / "photos" / "cap-5" / "good").iterdir())) == 6
    with pytest.raises(UserError, match="cap-5 is being taught"):
        trainings.start(cap, "tiny", 2, "")
    process = trainings._process
    panel.stop()
    deadline = time.monotonic() + 60
    while trainings.running:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert process is not None and process.poll() is not None
    screen = panel.tick(session)
    assert "goes on from where it was" in screen[0] and not screen[3].active and screen[4]["interactive"]
    assert [entry.event for entry in workshop.store.log.entries(cap, latest=1)] == ["training stopped"]
    assert trainings.name_for(cap) == name and "cap-5" not in workshop.models


def test_the_process_ends_with_the_page(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "assistant.web.tethered", "train", "tiny/encoder", f"output={tmp_path}"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdin is not None
    process.stdin.close()  # as a kill of the page's process does
    assert process.wait(60) == ORPHANED


@pytest.mark.parametrize(
    "said, code, state, reason",
    [
        ("", 0, ACCEPTED, ""),
        ("x\nanomaly-assistant: error: the model before stays, for A: read F/r.html\n", 2, REFUSED, "A"),
        ("Traceback\n", 1, FAILED, "the training ended with code 1"),
        ("anomaly-assistant: error: disk full: free some\n", 2, FAILED, "disk full: free some"),
        ("", -9, FAILED, "code -9"),
    ],
)
def test_how_it_ended_is_told_in_words(trainings: Trainings, said: str, code: int, state: str, reason: str) -> None:
    folder = trainings.folder("ended")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "log.txt").write_text(said.replace("F/", f"{folder}/"))
    told = trainings._outcome("ended", code)
    assert told[0] == state and reason in told[1] and str(folder) not in told[1]


LOG = """gasket was read as 'good-only'
breaking good photos:   0%|  | 0/100 [00:00<?, ?it/s]\rbreaking good photos:  50%|##| 50/100 [00:10<00:31,  2.38it/s]
the model before: 100%|####| 95/95 [00:15<00:00,  6.26it/s]
inspecting:  50%|##  | 60/120 [00:29<00:00,  4.08it/s]
Loading weights: 100%|####| 143/143 [00:00<00:00, 5806.08it/s]
step 7 of 10000, 0.7 of 1.4 min
20 steps done, loss 0.3044, learning rate 5e-06
Writing model shards: 100%|####| 1/1 [00:00<00:00, 101.75it/s]
gasket: 100%|####| 35/35 [00:06<00:00,  5.71photo/s]
Loading weights: 100%|####| 143/143 [00:00<00:00, 6326.32it/s]
 50%|##  | 58/116 [00:09<00:00, 11.94question/s]
"""


def test_the_bar_only_grows_and_says_what_is_done(trainings: Trainings) -> None:
    trainings.folder("bar").mkdir(parents=True, exist_ok=True)
    shares, words = [], []
    for end in [*(number + 1 for number, letter in enumerate(LOG) if letter in "\r\n")]:
        (trainings.folder("bar") / "log.txt").write_bytes(LOG[:end].encode())
        share, said, _ = trainings.progress("bar")
        shares.append(share)
        words.append(said)
    assert shares == sorted(shares) and shares[0] == 0 and 0.7 < shares[-1] < 0.85
    assert words[0] == "Opening the model" and "Teaching the language model" in words and "before" in words[-1]


def test_a_training_that_a_killed_server_left_can_be_started_again(workshop: Workshop, cap: int) -> None:
    left = Trainings(workshop)
    left.folder("left").mkdir(parents=True)
    left._write("left", Taught(cap, "Cap", "tiny", 4, "", "2026-01-01T00:00:00+00:00", RUNNING))
    found = Trainings(workshop).taught("left")
    assert found is not None and found.state == STOPPED and "server was stopped" in found.reason
    shutil.rmtree(left.folder("left"))


@pytest.mark.parametrize("name, model", [("Tiny", "tiny-{}"), ("../x", "x"), ("№ 1 / Ω", "1"), ("垫片", "product")])
def test_a_models_name_is_plain_whatever_the_products_is(
    workshop: Workshop, trainings: Trainings, name: str, model: str
) -> None:
    number = product(workshop, name, 0)
    assert trainings.name_for(number) == model.format(number)


def test_a_taught_model_needs_no_good_parts_of_its_product_alone(
    panel: TeachPanel, workshop: Workshop, cap: int, tiny_checkpoint: Path
) -> None:
    other = product(workshop, "other", 2)
    taught(workshop, tiny_checkpoint, "learnt", cap)
    assert workshop.models == ["tiny", "learnt"] and workshop.assistant("learnt").name == "learnt"
    assert good_parts(workshop, "learnt", cap) == {} and len(good_parts(workshop, "learnt", other)) == 2
    assert len(good_parts(workshop, "tiny", cap)) == 6
    session = Session(product=cap)
    models = ModelPanel(workshop, panel.trainings)
    assert "was taught Cap" in models.use(session, "learnt")[1] and session.model == "learnt"
    assert 'role="alert"' in models.use(session, "../../etc")[3] and session.model == "learnt"
    assert workshop.weights("learnt") and workshop.weights("tiny") and workshop.taught("tiny") is None
    before = workshop.assistant("learnt")
    assert workshop.assistant("learnt") is before
    (workshop.trained / "learnt" / "model" / "again").write_text("taught anew")
    assert workshop.assistant("learnt") is not before


def test_the_report_is_shown_without_paths_and_cannot_run_scripts(
    panel: TeachPanel, workshop: Workshop, tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    number = product(workshop, "reported", 1)
    taught(workshop, tiny_checkpoint, "reported", number)
    folder = workshop.trained / "reported"
    (folder / "report.html").write_text(f'<p class="x">Compared with {folder}/model</p><script>1</script>')
    screen: Any = panel.screen(Session(product=number))
    assert "new model is better" in screen[0] and "sandbox srcdoc" in screen[1] and str(folder) not in screen[1]
    assert "<script" not in screen[1] and Path(screen[6]["value"]).name == "reported-before-after.html"
    assert "reported" in screen[8]["choices"] and screen[8]["value"] == "tiny"
    shutil.rmtree(folder)
    assert "Nothing was taught" in panel.screen(Session(product=number))[0]


def test_a_taught_model_is_deleted_after_a_question_and_its_users_go_back(
    panel: TeachPanel, workshop: Workshop, cap: int, tiny_checkpoint: Path
) -> None:
    taught(workshop, tiny_checkpoint, "gone", cap)
    models, session, other = ModelPanel(workshop, panel.trainings), Session(product=cap, who="anna"), Session()
    other.model = "gone"
    assert not models.shown(session)[2]["visible"] and "was not trained here" in models.ask(session)[3]
    assert models.use(session, "gone")[2]["visible"] and models.ask(session)[4]["visible"]
    assert not models.shown(session)[4]["visible"] and "gone" in workshop.models  # "Keep it"
    assert models.delete(session)[0] == {"__type__": "update", "choices": workshop.models, "value": "tiny"}
    assert not (workshop.trained / "gone").exists() and not list(workshop.store.folder.glob("deleted-*"))
    assert session.model == "tiny" and "gone" not in workshop.models and refresh(workshop, other)
    assert other.model == "tiny"
    (entry,) = workshop.store.log.entries(cap, latest=1)
    assert (entry.event, entry.who, entry.details) == ("model deleted", "anna", {"model": "gone"})


@pytest.mark.parametrize("name", ["tiny", "absent", "..", "needed"])
def test_what_must_stay_is_not_deleted(
    panel: TeachPanel, workshop: Workshop, cap: int, tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    trainings, logged = panel.trainings, workshop.store.log.entries(latest=1)
    if name == "needed":  # a training that began with it is running
        taught(workshop, tiny_checkpoint, name, cap)
        trainings.folder("next").mkdir(parents=True)
        trainings._write("next", Taught(cap, "Cap", name, 4, "", "2026-01-01T00:00:00+00:00", RUNNING))
        monkeypatch.setattr(trainings, "_name", "next")
    with pytest.raises(UserError, match="needed by the training" if name == "needed" else "not trained here"):
        trainings.delete(name, "anna")
    assert workshop.store.log.entries(latest=1) == logged and workshop.assistant("tiny")
    for folder in ("needed", "next"):
        shutil.rmtree(trainings.folder(folder), ignore_errors=True)


def test_outlines_leave_the_defect_itself_visible() -> None:
    photo, mask = np.full((60, 60, 3), 100, np.uint8), np.zeros((60, 60), bool)
    mask[25:30, 25:30] = True
    picture = np.asarray(outlined(photo, mask))
    assert (picture[mask] == 100).all() and (picture != 100).any() and (picture[0] == 100).all()
