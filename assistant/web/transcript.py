"""The conversation as the page shows it: what was said of all its photos, in the order in which it was said."""

import html
from collections.abc import Iterator
from dataclasses import dataclass

from assistant.conversation import Turn
from assistant.web.session import Photo, Session

Message = dict[str, str]


@dataclass(frozen=True)
class Line:
    """One message, and where it comes from: the photo, and the place of its turn in the photo's chat (-1: a note)."""

    role: str
    text: str
    photo: Photo | None = None
    turn: int = -1


def lines(session: Session) -> list[Line]:
    """Every message so far, oldest first."""
    found, before = list[Line](), None
    for _, photo, number, turn in sorted(_spoken(session), key=lambda one: one[0]):
        about = _about(session, photo) if photo is not before and len(session.photos) > 1 else ""
        if turn.question:
            found.append(Line("user", about + plain(turn.question), photo, number))
            about = ""
        found.append(Line("assistant", about + plain(turn.answer or "(stopped)"), photo, number))
        before = photo
    return found


def _spoken(session: Session) -> Iterator[tuple[float, Photo, int, Turn]]:
    """When, about which photo, the place in its chat (-1: none any more), what."""
    for photo in session.photos:
        yield from ((turn.at, photo, -1, turn) for turn in photo.past)
        yield from ((turn.at, photo, number, turn) for number, turn in enumerate(photo.chat.turns))


def messages(session: Session, question: str = "", said: str = "") -> list[Message]:
    """The conversation so far, and the turn that is being answered."""
    spoken = [(line.role, line.text) for line in lines(session)]
    spoken += [("user", plain(question)), ("assistant", plain(said))]
    return [{"role": role, "content": text} for role, text in spoken if text]


def plain(text: str) -> str:
    """Words that the page renders as markdown: no HTML of theirs is rendered, and no picture is fetched for them."""
    return html.escape(text, quote=False).replace("![", "!\\[")


def _about(session: Session, photo: Photo) -> str:
    """Which photo a part of the conversation is about; HTML that markdown leaves alone."""
    number = session.photos.index(photo) + 1
    return f'<div class="about">Photo {number} · {html.escape(photo.name)}</div>\n\n'
