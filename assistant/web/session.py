"""What belongs to one visitor."""

from dataclasses import dataclass, field

from assistant.conversation import Chat


@dataclass
class Session:
    """One visitor's conversation; nothing of it is seen by others.

    `files` are the photo and the references it is about; `product` is the number of the stored product, None without
    one; `model` is the name of the chosen model; `who` is the name given at login, for the audit log.
    """

    chat: Chat | None = None
    files: tuple[str, ...] = ()
    opening: str = ""
    product: int | None = None
    model: str = "tiny"
    who: str = field(default="", compare=False)

    def leave(self) -> None:
        """End the conversation and any answer being written."""
        if self.chat is not None:
            self.chat.stop()
        self.chat, self.opening = None, ""
