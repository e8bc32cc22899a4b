"""A click that arrives just as the stream of results closes still gets its answer."""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

PAUSE = 0.06  # seconds: longer than the last message of a stream takes to be read


class UnhurriedJoin:
    """Confirms Gradio's events a moment after they were taken in; they are worked on meanwhile.

    Gradio's server closes a page's stream when nothing is pending. Its page opens a new one only if it knows that when
    an event is confirmed: confirmed sooner, the event's results would be read only after the next click.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def later(message: Message) -> None:
            if message["type"] == "http.response.start":
                await asyncio.sleep(PAUSE)
            await send(message)

        joins = scope["type"] == "http" and scope["path"].endswith("/queue/join")
        await self.app(scope, receive, later if joins else send)
