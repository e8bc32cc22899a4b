"""How many visitors the server remembers."""

from gradio.state_holder import StateHolder


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
