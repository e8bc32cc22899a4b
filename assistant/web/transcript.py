"""The conversation as the page shows it: what was said of all its photos, in the order in which it was said."""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass

from assistant.conversation import Turn
from assistant.web.session import Photo, Session

Message = dict[str, str]
TAG = re.compile(r"<(?=[a-zA-Z/!?])")  # the start of what a browser takes for HTML; "a < b" stays as it is


@dataclass(frozen=True)
class Line:
    """One message, and where it comes from: the photo, and the place of its turn in the photo's chat (-1: a note)."""

    role: str
    text: str
    photo: Photo | None = None
    turn: int = -1


def lines(session: Session) -> list[Line]:
    """Every message so far, oldest first; where the conversation turns to another photo, a line names it."""
    found, before = list[Line](), None
    for _, photo, number, turn in sorted(_spoken(session), key=lambda one: one[0]):
        if photo is not before and len(session.photos) > 1:
            found.append(Line("assistant", heading(photo)))
        if turn.question:
            found.append(Line("user", plain(turn.question), photo, number))
        found.append(Line("assistant", plain(turn.answer or "(stopped)"), photo, number))
        before = photo
    return found


def _spoken(session: Session) -> Iterator[tuple[float, Photo, int, Turn]]:
    """When, about which photo, the place in its chat (-1: none any more), what."""
    for photo in session.photos:
        yield from ((turn.at, photo, -1, turn) for turn in photo.past)
        yield from ((turn.at, photo, number, turn) for number, turn in enumerate(photo.chat.turns))


def messages(session: Session) -> list[Message]:
    """The conversation so far, with the turn that is being answered."""
    spoken, pending = lines(session), session.pending
    if pending is not None and pending.photo in session.photos:
        last = next((line.photo for line in reversed(spoken) if line.photo), None)
        if pending.photo is not last and len(session.photos) > 1:
            spoken.append(Line("assistant", heading(pending.photo)))
        spoken += [Line("user", plain(pending.question)), Line("assistant", plain(pending.said))]
    return [{"role": line.role, "content": line.text} for line in spoken]


def plain(text: str) -> str:
    """Words that the page renders as markdown: no HTML of theirs is rendered, and no picture is fetched for them."""
    return TAG.sub("&lt;", text).replace("![", "!\\[")


def literal(name: str) -> str:
    """A name inside words that are rendered as markdown, so that it stays as it is; `plain` does the rest."""
    return re.sub(r"([\\`*_\[\]#|~])", r"\\\1", name)


def typed(text: str) -> str:
    """The words that `plain` was given."""
    return text.replace("!\\[", "![").replace("&lt;", "<")


def heading(photo: Photo) -> str:
    """Which photo the following is about; HTML that markdown leaves alone."""
    return f'<div class="about">Photo {photo.number} · {html.escape(photo.name)}</div>'
