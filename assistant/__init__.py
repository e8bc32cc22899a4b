"""Anomaly assistant: a photo of a part in, an anomaly map and a conversation out.

This module is a lazy table of contents: importing it loads neither torch nor transformers.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from assistant.assistant import Assistant
    from assistant.conversation import Chat
    from assistant.inspection import Inspection, Region

__version__ = "0.1.0"

_HOMES = {
    "Assistant": "assistant.assistant",
    "Chat": "assistant.conversation",
    "Inspection": "assistant.inspection",
    "Region": "assistant.inspection",
}
__all__ = ["Assistant", "Chat", "Inspection", "Region", "UserError"]


class UserError(Exception):
    """Something the user gave or set up is wrong; the message is one line and says how to mend it.

    Args:
        what: what is wrong, naming the thing.
        how: what to do about it.
    """

    def __init__(self, what: str, how: str) -> None:
        super().__init__(f"{what}: {how}")
        self.what, self.how = what, how

    def __reduce__(self) -> tuple[type["UserError"], tuple[str, str]]:
        """Between processes it travels as its two parts; by default an exception is rebuilt from its message alone."""
        return type(self), (self.what, self.how)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'assistant' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
