"""Labels and backgrounds are found on photos, and leaving them out changes what is judged."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from assistant import Assistant
from assistant.area import Area
from assistant.labels import find_labels
from assistant.things import find_thing

PAPER = (70, 40, 150, 90)  # left, upper, right, lower
WITH_ROOM = (70 - 14, 40 - 12, 150 + 14, 90 + 12)  # on a photo of 224 x 192, where the map has faded


def labelled(photo: np.ndarray, tone: tuple[int, int, int] = (245, 245, 240)) -> np.ndarray:
    """The photo with a label of two lines stuck on it at `PAPER`."""
    image = Image.fromarray(photo)
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(14)
    ink = "black" if sum(tone) > 380 else "white"
    draw.rectangle((PAPER[0], PAPER[1], PAPER[2] - 1, PAPER[3] - 1), fill=tone)
    for line, text in enumerate(("TYPE 7A-31", "SN 0042 19")):
        draw.text((PAPER[0] + 5, PAPER[1] + 6 + 20 * line), text, fill=ink, font=font)
    return np.asarray(image)


def overlap(mask: np.ndarray, box: tuple[int, int, int, int]) -> float:
    truth = np.zeros_like(mask)
    truth[box[1] : box[3], box[0] : box[2]] = True
    return float((mask & truth).sum() / (mask | truth).sum())


@pytest.fixture(scope="module")
def surface() -> np.ndarray:
    """Rough metal, no part outlined against a ground."""
    rng = np.random.default_rng(0)
    return np.clip(rng.normal(110, 6, (192, 224, 1)) + rng.normal(0, 2, (192, 224, 3)), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("tone", [(245, 245, 240), (240, 220, 60), (25, 30, 60)])
@pytest.mark.parametrize("turned", [0, 1])
def test_a_label_is_found_by_its_paper_and_ink(surface: np.ndarray, tone: tuple[int, int, int], turned: int) -> None:
    photo = np.ascontiguousarray(np.rot90(labelled(surface, tone), turned))
    (found,) = find_labels(photo)
    assert overlap(np.rot90(found, -turned), PAPER) > 0.8


def test_where_no_label_is_none_is_found(surface: np.ndarray) -> None:
    assert find_labels(surface) == []
    blank = surface.copy()
    blank[40:90, 70:150] = 240  # a patch without ink
    assert find_labels(blank) == []
    assert find_thing("label", blank) is None


def test_names_of_things() -> None:
    rng = np.random.default_rng(3)
    photo = labelled(np.full((192, 224, 3), 110, np.uint8) + rng.integers(0, 9, (192, 224, 3), np.uint8))
    for name in ("label", "white sticker", "barcode", "type plate", "labels"):
        piece = find_thing(name, photo)
        assert piece is not None and piece.name == f"the {name}"
        assert overlap(Area((224, 192), only=(piece,)).mask, WITH_ROOM) > 0.8
    assert find_thing("connector", photo) is None


def test_the_background_is_what_is_not_the_part() -> None:
    ground = np.full((120, 160, 3), 200, np.uint8)
    ground[30:90, 40:120] = (60, 90, 140)
    piece = find_thing("dark background", ground)
    assert piece is not None
    assert overlap(~Area((160, 120), only=(piece,)).mask, (40, 30, 120, 90)) > 0.85


def test_a_texture_has_no_background() -> None:
    assert find_thing("background", np.random.default_rng(0).integers(0, 255, (120, 160, 3), np.uint8)) is None


def test_ignoring_the_label_judges_the_rest_anew(surface: np.ndarray) -> None:
    """A part like its references but for a label, which the references do not bear."""
    good = [np.roll(surface, shift, axis=1) for shift in (31, 77)]
    chat = Assistant.from_pretrained("tiny", language=False).start_chat(labelled(surface), good)
    before = chat.inspection
    assert before.verdict == "defective"
    answer = chat.ask("Ignore the label.")
    assert chat.inspection.area is not None and chat.inspection.area.scope == "everything except the label"
    assert overlap(~chat.inspection.area.mask, WITH_ROOM) > 0.8
    assert answer.startswith("Leaving out the label: ")
    assert chat.inspection.probability < before.probability - 0.3
    chat.ask("the whole part again")
    assert chat.inspection == before
