"""What the page shows of a session, and the components that show it: any panel that changes a session ends with it."""

import html
from dataclasses import dataclass, fields
from typing import Any

import gradio as gr

from assistant.web.facts import VERDICTS as SIGNS
from assistant.web.facts import WELCOME, card, details, legend, verdict
from assistant.web.inspecting import MOST_REFERENCES
from assistant.web.picture import draw
from assistant.web.session import Look, Session
from assistant.web.strip import Thumb, stored_thumbnail, strip, thumbnail
from assistant.web.suggestions import suggest
from assistant.web.transcript import messages
from assistant.web.workshop import Workshop

NO_PRODUCT = 0  # in the list of products, whose numbers begin with 1
MOST_THUMBS = 40  # good parts that are shown


@dataclass(frozen=True)
class Results:
    """The components that show a session; `show` gives their values."""

    photos: gr.HTML
    product: gr.Dropdown
    good: gr.HTML
    badge: gr.HTML
    picture: gr.Image
    beside: gr.ImageSlider
    legend: gr.HTML
    details: gr.HTML
    chatbot: gr.Chatbot
    suggestions: gr.HTML
    stop: gr.Button

    @property
    def components(self) -> list[Any]:
        """As outputs of an event."""
        return [getattr(self, field.name) for field in fields(self)]


def updates(**changes: Any) -> tuple[Any, ...]:
    """For `Results.components`: these change, by name, the others stay."""
    return tuple(changes.get(field.name, gr.skip()) for field in fields(Results))


def show(workshop: Workshop, session: Session) -> tuple[Any, ...]:
    """The values of `Results.components` now."""
    return updates(**_photo(workshop, session), **_talk(session))


def seen(workshop: Workshop, session: Session) -> tuple[Any, ...]:
    """The same where the conversation stays: an answer may be written while somebody looks closer."""
    return updates(**_photo(workshop, session))


def drawn(session: Session) -> tuple[Any, ...]:
    """The same where only the look changed."""
    return updates(**_drawn(session))


def talk(session: Session) -> tuple[Any, ...]:
    """The same where only the conversation changed."""
    return updates(**_talk(session))


def _photo(workshop: Workshop, session: Session) -> dict[str, Any]:
    _leave_removed_product(workshop, session)
    photo, inspection = session.photo, session.inspection
    if session.message:
        badge = card("problem", html.escape(session.message), role="alert")
    else:
        badge = card("", WELCOME) if inspection is None else verdict(inspection)
    facts = ""
    if photo is not None and inspection is not None:
        facts = details(inspection, _left_out(workshop, session), zoomed=photo.enlarged)
    return {
        "photos": _photos(session), "product": _products(workshop, session), "good": _good(workshop, session),
        "badge": badge, "details": facts, **_drawn(session),
    }  # fmt: skip


def _drawn(session: Session) -> dict[str, Any]:
    picture, beside = _pictures(session)
    colors = "" if session.photo is None else legend(session.look.colors)
    return {"picture": picture, "beside": beside, "legend": colors}


def _talk(session: Session) -> dict[str, Any]:
    busy = gr.update(interactive=session.pending is not None)
    return {"chatbot": messages(session), "suggestions": _suggestions(session), "stop": busy}


def _leave_removed_product(workshop: Workshop, session: Session) -> None:
    """Another visitor may have removed the product that this one has chosen."""
    if session.product not in (None, *(product.id for product in workshop.store.products.list())):
        session.product, session.references = None, {}
        session.message = "The product was removed, so photos are inspected without it. Choose another one."


def _pictures(session: Session) -> tuple[Any, Any]:
    """What the picture and the slider show: one of them is hidden."""
    photo, look = session.photo, session.look
    if photo is None:
        return gr.update(value=None, visible=True), gr.update(value=None, visible=False)
    picture = draw(photo.chat.photo, photo.chat.inspection, look, photo.enlarged)
    if look.view != "Side by side":
        return gr.update(value=picture, visible=True), gr.update(visible=False)
    plain = draw(photo.chat.photo, photo.chat.inspection, Look("Photo"), photo.enlarged)
    return gr.update(visible=False), gr.update(value=(plain, picture), visible=True)


def _photos(session: Session) -> str:
    """The photos of the conversation, each with its verdict."""
    thumbs = []
    for photo in session.photos:
        sign, word = SIGNS[photo.chat.inspection.verdict]
        mark = f'<span class="mark {photo.chat.inspection.verdict}" aria-hidden="true">{sign}</span>'
        name = f"photo {photo.number}, {photo.name}: {word.lower()}"
        thumbs.append(Thumb(str(photo.number), name, photo.thumbnail, mark, photo is session.photo))
    return strip(thumbs, "Photos of this conversation", select=True, remove="Remove")


def _products(workshop: Workshop, session: Session) -> Any:
    """The list of products with the chosen one."""
    choices = [("No product", NO_PRODUCT), *((one.name, one.id) for one in workshop.store.products.list())]
    return gr.update(choices=choices, value=session.product or NO_PRODUCT)


def _good(workshop: Workshop, session: Session) -> str:
    """The good parts that photos are compared with."""
    if session.product is None:
        thumbs = [
            Thumb(digest, f"good part {number}", thumbnail(pixels))
            for number, (digest, pixels) in enumerate(session.references.items(), start=1)
        ]
        return strip(thumbs, "Good parts", select=False, remove="Remove")
    normals = workshop.store.products.get(session.product).normals
    thumbs = [
        Thumb(normal.photo, f"good part {number}, {normal.name}", stored_thumbnail(normal.path))
        for number, normal in enumerate(normals[:MOST_THUMBS], start=1)
    ]
    return strip(thumbs, "Good parts of the product", select=False, remove="Remove")


def _left_out(workshop: Workshop, session: Session) -> list[str]:
    """A remark where not all good parts of the product are compared with."""
    stored = next((one for one in workshop.store.products.list() if one.id == session.product), None)
    if stored is None or len(stored.normals) <= MOST_REFERENCES or not session.references:
        return []
    return [f"Compared with the first {MOST_REFERENCES} of the product's {len(stored.normals)} good parts."]


def _suggestions(session: Session) -> str:
    """Questions that go on from here, as buttons."""
    photo = session.photo
    if photo is None:
        return ""
    asked = [turn.question for turn in (*photo.past, *photo.chat.turns)]
    buttons = "".join(
        f'<button type="button" data-do="select" data-item="{html.escape(text)}">{html.escape(text)}</button>'
        for text in suggest(photo.chat.inspection, asked)
    )
    return f'<div class="suggestions" role="group" aria-label="Suggested questions">{buttons}</div>'
