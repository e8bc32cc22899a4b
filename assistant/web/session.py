"""What belongs to one visitor: the photos of the conversation, the references, the chosen product, the look."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from assistant.area import Area
from assistant.conversation import Chat, Turn
from assistant.inspection import Inspection

MOST_PHOTOS = 24  # in one conversation
MOST_PIXELS = 60_000_000  # of all its photos: with their maps 7 bytes a pixel, so at most 0.4 GB a visitor


@dataclass(frozen=True)
class Look:
    """How the result is shown: one of `VIEWS`, the overlay's opacity in percent, a scale of `COLORS`."""

    view: str = "Overlay"
    opacity: float = 50
    colors: str = "Heat"


@dataclass(eq=False)
class Photo:
    """One photo of the conversation, with what is said about it.

    `thumbnail` is a data URI; `number` counts the photos of the conversation from 1; `past` holds notes (turns without
    a question) and the turns of earlier chats, before the references or the model changed; `drawn` is the place that
    questions and corrections are about, None for all that is judged; `zoomed` is the number of the region that is shown
    enlarged, 0 for none; `settings` is what the chat's inspection rests on, `product` and `references` what of it a
    visitor chose.
    """

    name: str
    chat: Chat
    thumbnail: str = ""
    number: int = 0
    past: list[Turn] = field(default_factory=list)
    drawn: Area | None = None
    zoomed: int = 0
    settings: object = None
    product: int | None = None
    references: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def enlarged(self) -> int:
        """`zoomed` where there is still such a region: another area or correction may have left fewer."""
        return self.zoomed if self.zoomed <= len(self.chat.inspection.regions) else 0

    def note(self, text: str) -> None:
        """The assistant says something that nobody asked."""
        self.past.append(Turn("", text))

    def renew(self, chat: Chat) -> None:
        """Go on with another chat, whose inspection rests on other references, corrections or another model."""
        self.chat.stop()
        self.past += self.chat.turns
        self.chat, self.drawn, self.zoomed = chat, None, 0


@dataclass(eq=False)
class Pending:
    """A question that is being answered, and the words so far."""

    photo: Photo
    question: str
    said: str = "…"


@dataclass
class Session:
    """One visitor's conversation; nothing of it is seen by others.

    `photos` are those of the conversation, `photo` the one shown, which questions are about; `references` are photos
    of good parts (H, W, 3) that all of them are compared with, by their digests; `product` is the number of the
    stored product, None without one; `model` is the name of the chosen model; `who` is the name given at login, for
    the audit log; `message` says why something could not be done; `pending` is the turn being answered.
    """

    photos: list[Photo] = field(default_factory=list)
    photo: Photo | None = None
    references: dict[str, np.ndarray] = field(default_factory=dict)
    product: int | None = None
    model: str = "tiny"
    who: str = field(default="", compare=False)
    look: Look = Look()
    message: str = ""
    pending: Pending | None = None

    @property
    def chat(self) -> Chat | None:
        """The chat about the photo that is shown."""
        return None if self.photo is None else self.photo.chat

    @property
    def inspection(self) -> Inspection | None:
        """The current Inspection of the photo that is shown."""
        return None if self.photo is None else self.photo.chat.inspection

    def add(self, photo: Photo) -> bool:
        """Another photo, shown from now on; the oldest leave where they become too many: says whether any did."""
        photo.number = max((one.number for one in self.photos), default=0) + 1
        self.photos.append(photo)
        self.photo = photo
        before = len(self.photos)
        while len(self.photos) > 1 and not self._fits():
            self.remove(self.photos[0])
        return len(self.photos) < before

    def _fits(self) -> bool:
        pixels = sum(photo.chat.photo.shape[0] * photo.chat.photo.shape[1] for photo in self.photos)
        return len(self.photos) <= MOST_PHOTOS and pixels <= MOST_PIXELS

    def turn_to(self, photo: Photo) -> None:
        """Show a photo, and compare from now on with what it was compared with: it may be another product.

        What was chosen since stays if it adds to that: a product or good parts where the photo had none.
        """
        self.photo = photo
        if photo.product is not None or not photo.references.keys() <= self.references.keys():
            self.product, self.references = photo.product, dict(photo.references)

    def remove(self, photo: Photo) -> None:
        """Forget a photo and what was said about it; its neighbour is shown then."""
        place = self.photos.index(photo)
        photo.chat.stop()
        del self.photos[place]
        if photo is self.photo:
            self.photo = None
            if self.photos:
                self.turn_to(self.photos[min(place, len(self.photos) - 1)])

    def numbered(self, number: int) -> Photo | None:
        """The photo of that number, None where it is gone."""
        return next((photo for photo in self.photos if photo.number == number), None)

    def set_look(self, **changes: Any) -> None:
        """Show results otherwise."""
        self.look = replace(self.look, **changes)

    def stop(self) -> None:
        """End any answer being written."""
        for photo in self.photos:
            photo.chat.stop()
