"""Products on the page: made, chosen, filled, removed; what is kept is what a visitor after a restart sees."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

gr = pytest.importorskip("gradio")

from assistant.store import Store  # noqa: E402
from assistant.web.inspect_panel import InspectPanel  # noqa: E402
from assistant.web.inspecting import MOST_REFERENCES  # noqa: E402
from assistant.web.products_panel import ProductsPanel  # noqa: E402
from assistant.web.results import NO_PRODUCT, Results  # noqa: E402
from assistant.web.session import Session  # noqa: E402
from assistant.web.workshop import Workshop  # noqa: E402
from data_gen.examples import render  # noqa: E402
from data_gen.procedural import Product  # noqa: E402


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return Workshop("tiny", Store(tmp_path_factory.mktemp("store")))


@pytest.fixture
def products(workshop: Workshop, tmp_path: Path) -> ProductsPanel:
    """The panel over an empty store; the model is loaded once."""
    workshop.store = Store(tmp_path / "store")
    return ProductsPanel(workshop)


@pytest.fixture(scope="module")
def uploads(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """Good parts, as the page sends uploads."""
    import numpy as np

    folder = tmp_path_factory.mktemp("good")
    files = []
    for number in range(MOST_REFERENCES + 1):
        path = folder / f"{number}.png"
        Image.fromarray(Product("bottle cap", 5).photo(np.random.default_rng(number), 96)).save(path)
        files.append({"image": {"path": str(path), "orig_name": f"good {number}.png"}})
    return files


def named(outputs: tuple[Any, ...]) -> dict[str, Any]:
    names = [field.name for field in fields(Results)]
    return dict(zip(names, outputs[-len(names) :], strict=True))


def click(item: str) -> Any:
    return gr.EventData(None, {"item": item})


def test_a_product_is_made_of_what_is_shown_and_survives(products: ProductsPanel, uploads: list[Any]) -> None:
    session = Session(who="ann")
    shown = named(products.add(session, uploads[:2]))
    assert shown["good"].count("<li>") == 2 and products.workshop.store.products.list() == []
    emptied, *rest = products.create(session, "Cap <5>")
    assert emptied == "" and named(tuple(rest))["product"]["value"] == session.product
    products.add(session, uploads[2:3])
    products.workshop.store.close()
    products.workshop.store = Store(products.workshop.store.folder)  # as after a restart
    (stored,) = products.workshop.store.products.list()
    assert stored.name == "Cap <5>" and len(stored.normals) == 3 and stored.normals[2].name == "good 2.png"
    later = Session()
    shown = named(products.choose(later, stored.id))
    assert shown["good"].count("<li>") == 3 and ("Cap <5>", stored.id) in shown["product"]["choices"]
    assert {entry.who for entry in products.workshop.store.log.entries()} == {"ann"}


def test_the_open_photo_follows_the_product(products: ProductsPanel, uploads: list[Any]) -> None:
    session, inspect = Session(), InspectPanel(products.workshop)
    products.create(session, "Cap")
    inspect.example(session, 1)
    assert session.product is None and session.inspection is not None and session.inspection.references == 3
    stored = products.workshop.store.products.list()[0]
    products.choose(session, stored.id)
    assert session.inspection.references == 0
    products.add(session, uploads[:1])
    assert session.inspection.references == 1
    entry = products.workshop.store.log.entries(latest=1)[0]
    assert (entry.event, entry.product, entry.photo) == ("verdict", stored.id, "Broken cap")
    digest = products.workshop.store.products.get(stored.id).normals[0].photo
    products.remove_good(session, click(digest))
    assert session.inspection.references == 0 and products.workshop.store.products.get(stored.id).normals == ()
    assert "no good parts of Cap now" in session.photo.past[-1].answer  # type: ignore[union-attr]


def test_a_mark_on_the_product_holds_for_the_next_photo(products: ProductsPanel) -> None:
    session, inspect = Session(), InspectPanel(products.workshop)
    inspect.example(session, 1)
    products.create(session, "Cap")
    assert session.inspection is not None and session.inspection.regions
    photo, _ = render(1)
    before = session.inspection.probability
    store = products.workshop.store
    assert session.product is not None and session.inspection.anomaly_map is not None
    store.corrections.accept(session.product, photo, session.inspection.anomaly_map > 0.2)
    inspect.refresh(session)
    assert session.inspection.probability < before


def test_no_more_good_parts_are_compared_with_than_are_useful(products: ProductsPanel, uploads: list[Any]) -> None:
    session = Session()
    shown = named(products.add(session, uploads))
    assert len(session.references) == MOST_REFERENCES and "at most" in shown["badge"]
    products.create(session, "Cap")
    products.add(session, uploads[-1:])
    list(InspectPanel(products.workshop).add(session, uploads[:1]))
    assert session.inspection is not None and session.inspection.references == MOST_REFERENCES
    assert (
        f"first {MOST_REFERENCES} of the product&#x27;s 9"
        in named(InspectPanel(products.workshop).shown(session))["details"]
    )


def test_names_are_checked_and_a_bad_file_is_explained(
    products: ProductsPanel, uploads: list[Any], tmp_path: Path
) -> None:
    session, path = Session(), tmp_path / "x.png"
    products.create(session, "Cap")
    kept, *rest = products.create(session, "CAP")
    assert "already a product" in named(tuple(rest))["badge"] and kept != ""
    assert "empty" in named(products.rename(session, "  "))["badge"]
    products.rename(session, "Cap 2")
    assert products.workshop.store.products.list()[0].name == "Cap 2"
    path.write_bytes(b"no image")
    bad = {"image": {"path": str(path), "orig_name": "holiday.png"}}
    shown = named(products.add(session, [bad, uploads[0]]))
    assert "holiday.png is not an image" in shown["badge"] and shown["good"].count("<li>") == 1


def test_a_product_is_removed_after_a_question(products: ProductsPanel, uploads: list[Any]) -> None:
    session, other = Session(), Session()
    assert "no product is chosen" in products.ask_to_remove(session)[0]
    products.create(session, "A*b")
    products.add(session, uploads[:1])
    products.choose(other, session.product)
    question, buttons = products.ask_to_remove(session)
    assert r"A\*b with its 1 good part" in question and buttons["visible"]
    products.remove(session)
    assert session.product is None and products.workshop.store.products.list() == []
    shown = named(InspectPanel(products.workshop).shown(other))  # who still has it chosen
    assert "was removed" in shown["badge"] and shown["product"]["value"] == NO_PRODUCT and other.product is None
    assert named(products.add(other, uploads[:1]))["good"].count("<li>") == 1
