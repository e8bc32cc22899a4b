"""The web page: what is built in `assistant/web`, put together and served."""

import functools
import sys
from collections.abc import Callable

import gradio as gr

from assistant import UserError
from assistant.store import Store
from assistant.web.batch_panel import build_batch_panel
from assistant.web.inspect_layout import Tool, build_inspect_panel
from assistant.web.log_panel import build_log_panel
from assistant.web.marking import build_marking
from assistant.web.session import Session
from assistant.web.style import STYLE, TITLE
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


def build_app(workshop: Workshop) -> gr.Blocks:
    """The page around a workshop; `serve` shows it in its own style."""
    with gr.Blocks(title="Anomaly assistant", analytics_enabled=False, fill_width=True, delete_cache=KEPT) as app:
        session = gr.State(Session(model=workshop.default))
        gr.HTML(TITLE)
        with gr.Tabs():
            for name, build in TABS.items():
                with gr.Tab(name):
                    build(workshop, session)
    return app


def serve(model: str = "tiny", host: str = "127.0.0.1", port: int = 7860) -> None:
    """Load the model and show the page until interrupted.

    Raises:
        UserError: no such model, or the port is taken.
    """
    app = build_app(Workshop(model, Store()))
    try:
        app.launch(server_name=host, server_port=port, share=False, footer_links=[], ssr_mode=False, **STYLE)
    except OSError as error:
        raise UserError(f"cannot listen on {host}:{port}", "choose another --port or --host") from error


if __name__ == "__main__":
    from assistant.cli import main

    main(["serve", *sys.argv[1:]])  # the same flags, messages and exit codes
