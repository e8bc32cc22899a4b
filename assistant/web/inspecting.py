"""Photos in, chats out: every inspection that a visitor asks for, with what the product's users have said."""

from collections.abc import Hashable
from dataclasses import replace

import numpy as np

from assistant.conversation import Chat
from assistant.corrections import NO_CORRECTIONS, Corrections
from assistant.images import load_image
from assistant.inspection import Inspection
from assistant.web.session import Photo, Session
from assistant.web.workshop import Workshop
from assistant.wording import tell


def corrections_of(workshop: Workshop, session: Session) -> Corrections:
    """What holds now for the visitor's product."""
    return NO_CORRECTIONS if session.product is None else workshop.store.corrections.active(session.product)


def refresh(workshop: Workshop, session: Session) -> Hashable:
    """Read the product's photos of good parts again where they changed; gives what an inspection now rests on.

    Raises:
        UserError: the product is gone, or a photo cannot be read.
    """
    if session.product is not None:
        files = tuple(str(path) for path in workshop.store.products.get(session.product).references)
        if files != session.files:
            session.references, session.files = [load_image(file) for file in files], files
    return session.model, session.files, corrections_of(workshop, session).key


def add_photo(workshop: Workshop, session: Session, pixels: np.ndarray, name: str) -> None:
    """Inspect one more photo (H, W, 3) of the conversation and show it. Raises UserError as `refresh`."""
    settings = refresh(workshop, session)
    chat = _chat(workshop, session, pixels, name)
    photo = Photo(name, chat, settings=settings)
    photo.note(f"{tell('presence', chat.inspection)} What would you like to know?")
    session.add(photo)


def reinspect(workshop: Workshop, session: Session, why: str = "") -> None:
    """Inspect the photo that is shown again, if references, corrections or model changed since; `why` is said then.

    Raises:
        UserError: as `refresh`.
    """
    photo = session.photo
    if photo is None or photo.settings == (settings := refresh(workshop, session)):
        return
    chat = _chat(workshop, session, photo.chat.photo, photo.name)
    chat.restrict(photo.chat.inspection.area)
    photo.renew(chat)
    photo.settings = settings
    photo.note(f"{why or 'Inspected again.'} {tell('presence', photo.chat.inspection)}")


def _chat(workshop: Workshop, session: Session, pixels: np.ndarray, name: str) -> Chat:
    """A chat about a photo; its verdict goes to the audit log."""
    assistant, corrections = workshop.assistant(session.model), corrections_of(workshop, session)
    references = session.references
    inspection: Inspection = replace(assistant.inspect(pixels, references, corrections=corrections), image=name)
    workshop.store.log.add_verdict(inspection, session.product, session.who)
    return Chat(assistant, pixels, inspection, references, corrections)
