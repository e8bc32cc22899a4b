"""The page, the API and the gate in one application, and the server that runs it."""

import logging
import os
import socket
import sys
from typing import Any

import gradio as gr
import uvicorn
from fastapi import FastAPI
from starlette.requests import HTTPConnection

from assistant import UserError, __version__
from assistant.serving.accounts import TOKEN, USERS, Accounts
from assistant.serving.completions import Completions
from assistant.serving.gate import Gate
from assistant.serving.joining import UnhurriedJoin
from assistant.serving.limits import MAX_FILE, PROGRAMS, QUEUE, VISITORS
from assistant.serving.line import Line
from assistant.serving.loopback import let_tools_in
from assistant.serving.sessions import Sessions
from assistant.web.style import STYLE
from assistant.web.workshop import Workshop

LOOPBACK = ("127.0.0.1", "::1", "localhost")
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}
FAREWELL = 3  # seconds that answers under way have to end when the server stops


def build_application(page: gr.Blocks, workshop: Workshop, accounts: Accounts | None = None) -> Gate:
    """Everything one address serves: the page at `/`, `/v1`, `/healthz`, Gradio's API and its MCP server."""
    line = Line()
    application = FastAPI(title="Anomaly assistant", version=__version__, openapi_url=None)
    application.add_middleware(UnhurriedJoin)
    application.include_router(Completions(workshop, line).router())

    @application.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok", "version": __version__, "model": workshop.default}

    page.queue(max_size=QUEUE)
    gr.mount_gradio_app(
        application, page, path="/", auth=accounts.admits if accounts else None, footer_links=["api"],
        run_history=False, show_error=False, enable_monitoring=False, max_file_size=MAX_FILE, mcp_server=True,
        ssr_mode=False, blocked_paths=[str(workshop.store.folder.resolve())], **STYLE,
    )  # fmt: skip
    page.has_launched = True  # `mount_gradio_app` forgets it, and Gradio then takes any path for an upload's
    mounted: Any = application.routes[-1]
    pages = page.app = mounted.app  # until now the page had one that nobody is served by
    pages.state_holder = Sessions(VISITORS, PROGRAMS)
    pages.state_holder.set_blocks(page)
    let_tools_in(pages, page)

    def signed_in(request: HTTPConnection) -> str | None:
        cookies = (request.cookies.get(f"access-token-{kind}{pages.cookie_id}") for kind in ("", "unsecure-"))
        return next((pages.tokens[cookie] for cookie in cookies if cookie in pages.tokens), None)

    return Gate(application, accounts, signed_in)


class Server(uvicorn.Server):
    """Tells its page where it is reached, and that it stops, so that nobody who has it open is waited for."""

    def __init__(self, settings: uvicorn.Config, page: gr.Blocks) -> None:
        super().__init__(settings)
        self.page = page

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        assert sockets, "the listening socket is made by the caller"
        host, port = sockets[0].getsockname()[:2]
        self.page.local_url = f"http://{_url_host(EVERYWHERE.get(host, host))}:{port}/"
        await super().startup(sockets)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.page.app.stop_event.set()
        logging.getLogger("uvicorn.error").setLevel(
            logging.CRITICAL
        )  # it would log a traceback for each answer cut off
        await super().shutdown(sockets)


def run(application: Gate, page: gr.Blocks, host: str, port: int) -> None:
    """Serve `page` within its application until interrupted.

    Raises:
        UserError: the port is taken, or there is no such host.
    """
    if application.accounts is None and (host not in LOOPBACK or {USERS, TOKEN} & os.environ.keys()):
        print(f"warning: everybody who reaches {host}:{port} may come in; --auth asks who it is", file=sys.stderr)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except (OSError, OverflowError) as error:
            raise UserError(f"cannot listen on {host}:{port}", "choose another --port or --host") from error
        print(f"Anomaly assistant at http://{_url_host(host)}:{listener.getsockname()[1]}", flush=True)
        settings = uvicorn.Config(application, log_level="warning", timeout_graceful_shutdown=FAREWELL)
        Server(settings, page).run(sockets=[listener])


def _url_host(host: str) -> str:
    return f"[{host}]" if ":" in host else host
