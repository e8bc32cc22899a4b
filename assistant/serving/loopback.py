"""How the MCP server comes to the tools: by way of HTTP, as a visitor of this very server who is logged in."""

import secrets
from typing import Any

from gradio_client import Client

NAME = "programs"  # as the log calls those who come by MCP


def let_tools_in(pages: Any, page: Any) -> None:
    """Give the client in Gradio's MCP server a session of its own; without one it would be asked to log in.

    Whoever uses it has shown the token at the gate. The session never leaves this machine: the client calls the address
    that this server listens on, `page.local_url`, and not what a request names as its host.
    """
    secret, server = secrets.token_urlsafe(32), page.mcp_server_obj
    pages.tokens[secret] = NAME
    headers = {"x-gradio-user": "mcp", "cookie": f"access-token-unsecure-{pages.cookie_id}={secret}"}

    def client() -> Client:
        if server._client_instance is None:
            server._client_instance = Client(
                page.local_url, headers=headers, download_files=False, verbose=False, analytics_enabled=False,
                _skip_components=False,
            )  # fmt: skip
        return server._client_instance

    server._get_or_create_client = client
