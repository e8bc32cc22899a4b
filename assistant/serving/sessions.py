"""How many visitors the server remembers, and what of each."""

from typing import Any

from gradio.blocks import Block
from gradio.state_holder import SessionState, StateHolder


class Visitor(SessionState):
    """One session, in which a component that was changed takes the place of the one before.

    For every change, also one that says "as it is", Gradio makes a new component with a number and a list of files of
    its own. By the number it was then kept beside the old one, at the next plain value of the same output: four more
    components a question. And files in such lists were never deleted.
    """

    def __setitem__(self, key: int, value: Any) -> None:
        before = self.blocks_config.blocks.get(key)
        if isinstance(value, Block) and before is not None:
            value._id, value.temp_files = key, before.temp_files
        super().__setitem__(key, value)


class Sessions(StateHolder):
    """Forgets those who were away for longest, visitors of the page apart from programs.

    Each call of a program may be a session of its own, and must not push out a visitor with photos. A closed page is
    forgotten by Gradio itself after an hour.

    Args:
        visitors, programs: how many of each are remembered.
    """

    def __init__(self, visitors: int, programs: int) -> None:
        super().__init__()
        self.visitors, self.programs = visitors, programs

    def __getitem__(self, session_id: str) -> SessionState:
        if session_id not in self.session_data:
            self.session_data[session_id] = Visitor(self.blocks)
        return super().__getitem__(session_id)

    def update(self, session_id: str) -> None:
        """This one is there now."""
        with self.lock:
            if session_id in self.session_data:
                self.session_data.move_to_end(session_id)
            known = self.session_data.items()
            visitors = [name for name, session in known if session.state_data]
            programs = [name for name, session in known if not session.state_data]
            for name in visitors[: -self.visitors] + programs[: -self.programs]:
                del self.session_data[name]
                self.time_last_used.pop(name, None)
