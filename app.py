"""The web page: what is built in `assistant/web`, put together and served."""

import sys

import gradio as gr

from assistant.serving.accounts import Accounts
from assistant.serving.application import build_application, run
from assistant.serving.tools import build_tools
from assistant.serving.uploads import GuardedBlocks
from assistant.store import Store
from assistant.web.inspect_panel import build_inspect_panel
from assistant.web.session import Session
from assistant.web.style import TITLE
from assistant.web.workshop import Workshop

KEPT = (3600, 14400)  # seconds: every hour, uploads and pictures older than four hours are deleted


def build_app(workshop: Workshop) -> GuardedBlocks:
    """The page around a workshop, with what programs call; `serve` shows it in its own style."""
    with GuardedBlocks(title="Anomaly assistant", analytics_enabled=False, fill_width=True, delete_cache=KEPT) as app:
        build_tools(workshop)  # first, so that no event of the page takes their names
        session = gr.State(Session(model=workshop.default))
        gr.HTML(TITLE)
        build_inspect_panel(workshop, session)
    return app


def serve(model: str = "tiny", host: str = "127.0.0.1", port: int = 7860, auth: bool = False) -> None:
    """Load the model; show the page and answer programs until interrupted.

    Args:
        auth: ask for a name and a password, or the token; they come from the environment.

    Raises:
        UserError: no such model, the port is taken, or nobody could come in.
    """
    accounts = Accounts.from_environment() if auth else None
    workshop = Workshop(model, Store())
    page = build_app(workshop)
    run(build_application(page, workshop, accounts), page, host, port)


if __name__ == "__main__":
    from assistant.cli import main

    main(["serve", *sys.argv[1:]])  # the same flags, messages and exit codes
