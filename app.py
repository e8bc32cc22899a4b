"""The web page: what is built in `assistant/web`, put together and served."""

import functools
import sys
from collections.abc import Callable

import gradio as gr

from assistant.serving.accounts import Accounts
from assistant.serving.application import build_application, run
from assistant.serving.memory import keep_small
from assistant.serving.tools import build_tools
from assistant.serving.uploads import GuardedBlocks
from assistant.store import Store
from assistant.web.batch_panel import build_batch_panel
from assistant.web.inspect_layout import Tool, build_inspect_panel
from assistant.web.log_panel import build_log_panel
from assistant.web.marking import build_marking
from assistant.web.session import Session
from assistant.web.style import QUIET, TITLE
from assistant.web.teach_panel import build_teach_panel
from assistant.web.workshop import Workshop

KEPT = (3600, 14400)  # seconds: every hour, uploads and pictures older than four hours are deleted


Builder = Callable[[Workshop, gr.State], object]
# What is built beneath the picture of the first tab, from the workshop, the visitor's session and the results.
TOOLS: tuple[Tool, ...] = (build_marking,)
TABS: dict[str, Builder] = {
    "Inspect": functools.partial(build_inspect_panel, tools=TOOLS),
    "Batch": build_batch_panel,
    "Teach": build_teach_panel,
    "Log": build_log_panel,
}


def build_app(workshop: Workshop) -> GuardedBlocks:
    """The page around a workshop, with what programs call; `serve` shows it in its own style."""
    with GuardedBlocks(title="Anomaly assistant", analytics_enabled=False, fill_width=True, delete_cache=KEPT) as app:
        build_tools(workshop)  # first, so that no event of the page takes their names
        session = gr.State(Session(model=workshop.default))
        gr.HTML(TITLE)
        with gr.Tabs():
            for name, build in TABS.items():
                with gr.Tab(name):
                    build(workshop, session)
        app.load(_sign, session, None, **QUIET)
    return app


def _sign(session: Session, request: gr.Request) -> None:
    """What a visitor does goes into the audit log under the name given at login."""
    session.who = request.username or ""


def serve(model: str = "tiny", host: str = "127.0.0.1", port: int = 7860, auth: bool = False) -> None:
    """Load the model; show the page and answer programs until interrupted.

    Args:
        auth: ask for a name and a password, or the token; they come from the environment.

    Raises:
        UserError: no such model, the port is taken, or nobody could come in.
    """
    accounts = Accounts.from_environment() if auth else None
    keep_small()
    workshop = Workshop(model, Store())
    page = build_app(workshop)
    run(build_application(page, workshop, accounts), page, host, port)


if __name__ == "__main__":
    from assistant.cli import main

    main(["serve", *sys.argv[1:]])  # the same flags, messages and exit codes
