"""Photos in, chats out: every inspection that a visitor asks for, with what the product's users have said."""

import functools
from collections.abc import Hashable
from dataclasses import replace
from pathlib import Path

import numpy as np

from assistant.area import scoped
from assistant.conversation import Chat
from assistant.corrections import NO_CORRECTIONS, Corrections
from assistant.images import load_image
from assistant.web.session import Photo, Session
from assistant.web.strip import thumbnail
from assistant.web.workshop import Workshop
from assistant.wording import tell

# Good parts that a photo is compared with: twice as many take twice as long, and 16 found no more than 8 did.
MOST_REFERENCES = 8


def corrections_of(workshop: Workshop, session: Session) -> Corrections:
    """What holds now for the visitor's product."""
    return NO_CORRECTIONS if session.product is None else workshop.store.corrections.active(session.product)


def model_of(workshop: Workshop, session: Session) -> str:
    """The visitor's model; the server's own where somebody has deleted it."""
    if session.model not in workshop.models:
        session.model = workshop.default
    return session.model


def refresh(workshop: Workshop, session: Session) -> Hashable:
    """Read the product's photos of good parts again where they changed; gives what an inspection now rests on.

    Raises:
        UserError: the product is gone, or a photo cannot be read.
    """
    model = model_of(workshop, session)
    if session.product is not None:
        session.references = good_parts(workshop, model, session.product)
    return model, tuple(session.references), corrections_of(workshop, session).key


def good_parts(workshop: Workshop, model: str, product: int) -> dict[str, np.ndarray]:
    """The good parts that photos of a product are compared with, by digest; none where the model was taught it.

    Raises:
        UserError: as `refresh`.
    """
    normals = workshop.store.products.get(product).normals[:MOST_REFERENCES]
    if workshop.taught(model) == product:
        return {}
    return {normal.photo: _stored(normal.path) for normal in normals}


@functools.lru_cache(maxsize=4 * MOST_REFERENCES)
def _stored(path: Path) -> np.ndarray:
    """A picture of the store, shared by all visitors: its name is the hash of its pixels, so it never changes."""
    pixels = load_image(path)
    pixels.flags.writeable = False
    return pixels


def add_photo(workshop: Workshop, session: Session, pixels: np.ndarray, name: str) -> bool:
    """Inspect one more photo (H, W, 3) of the conversation and show it; says whether older ones had to leave.

    Raises:
        UserError: as `refresh`.
    """
    settings = refresh(workshop, session)
    chat = _chat(workshop, session, pixels, name)
    photo = Photo(
        name, chat, thumbnail(pixels), settings=settings, product=session.product, references=dict(session.references)
    )
    photo.note(tell("presence", chat.inspection) + " What would you like to know?" * (not session.photos))
    return session.add(photo)


def reinspect(workshop: Workshop, session: Session, why: str = "") -> bool:
    """Inspect the photo that is shown again, if references, corrections or model changed since; `why` is said then.

    Raises:
        UserError: as `refresh`.
    """
    photo = session.photo
    if photo is None or photo.settings == (settings := refresh(workshop, session)):
        return False
    chat = _chat(workshop, session, photo.chat.photo, photo.name)
    chat.restrict(photo.chat.inspection.area)
    photo.renew(chat)
    photo.settings, photo.product, photo.references = settings, session.product, dict(session.references)
    photo.note(f"{why or 'Inspected again.'} {scoped(tell('presence', chat.inspection), chat.inspection.area)}")
    return True


def _chat(workshop: Workshop, session: Session, pixels: np.ndarray, name: str) -> Chat:
    """A chat about a photo; its verdict goes to the audit log."""
    assistant, corrections = workshop.assistant(session.model), corrections_of(workshop, session)
    references = list(session.references.values())
    inspection = replace(assistant.inspect(pixels, references, corrections=corrections), image=name)
    workshop.store.log.add_verdict(inspection, session.product, session.who)
    return Chat(assistant, pixels, inspection, references, corrections)
