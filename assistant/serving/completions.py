"""OpenAI's chat completions, answered by the assistant: `/v1/chat/completions` and `/v1/models`."""

import asyncio
import json
import threading
import time
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from assistant import UserError
from assistant.conversation import Chat
from assistant.inspection import Inspection
from assistant.serving.conversations import Asked, read_messages
from assistant.serving.gate import Refused, refusal
from assistant.serving.line import Line
from assistant.serving.subjects import open_chat
from assistant.web.workshop import Workshop

# What asks for an answer of another form, and the values that do not. All else (temperature, seed, max_tokens, ...)
# changes nothing: answers are short, and always the likeliest.
FORMS: dict[str, tuple[Any, ...]] = {
    "n": (None, 1), "logprobs": (None, False), "top_logprobs": (None, 0), "tools": (None, []),
    "functions": (None, []), "response_format": (None, {"type": "text"}), "modalities": (None, ["text"]),
    "audio": (None,), "stop": (None, []),
}  # fmt: skip
LEFT = 499  # the status, which nobody reads, of an answer whose client has left; nginx's word for it


class Unsupported(UserError):
    """A setting that would need an answer of another form; `param` is its name."""

    def __init__(self, param: str) -> None:
        super().__init__(f"{param!r} is not supported", "leave it out")
        self.param = param


@dataclass(frozen=True)
class Completions:
    """The two routes; each request is a conversation of its own, for nothing of it is kept."""

    workshop: Workshop
    line: Line

    def router(self) -> APIRouter:
        router = APIRouter(prefix="/v1")
        router.add_api_route("/models", self.models, methods=["GET"], response_model=None)
        router.add_api_route("/chat/completions", self.complete, methods=["POST"], response_model=None)
        return router

    async def models(self) -> dict[str, Any]:
        """What `model` may be."""
        return {"object": "list", "data": [_model(name) for name in self.workshop.models]}

    async def complete(self, request: Request) -> Response:
        """One answer, whole or (`stream`) as server-sent events."""
        try:
            body = await _read_body(request)
            model, product, streaming = _text(body, "model"), _text(body, "product"), body.get("stream") is True
            if model and model not in self.workshop.models:
                known = ", ".join(self.workshop.models)
                return refusal(404, "model_not_found", f"there is no model {model!r}; use one of {known}", 0, "model")
            answer = _Answer(model or self.workshop.default)
            return await _unless_left(request, self._respond(answer, body, product, streaming))
        except Unsupported as error:
            return refusal(400, "unsupported_parameter", str(error), param=error.param)
        except UserError as error:
            return refusal(400, "invalid_request", str(error))
        except Refused as no:
            return refusal(no.status, no.code, no.message, no.wait)

    async def _respond(self, answer: "_Answer", body: dict[str, Any], product: str, streaming: bool) -> Response:
        chats, left = list[Chat](), threading.Event()

        def begin(chat: Chat) -> bool:
            chats.append(chat)
            return not left.is_set()

        def stop() -> None:
            left.set()
            for chat in chats:
                chat.stop()

        pieces = self.line.run(lambda: self._work(body, answer.model, product, begin), stop)
        first = await anext(pieces, None)  # before the status is sent: most errors come here
        if streaming:
            return StreamingResponse(answer.events(first, pieces), media_type="text/event-stream")
        return JSONResponse(await answer.whole(first, pieces))

    def _work(
        self, body: dict[str, Any], model: str, product: str, begin: Callable[[Chat], bool]
    ) -> Iterator[str | Inspection]:
        """The words of the answer, and at last what they rest on; runs in the line, pictures are decoded there too.

        Args:
            begin: is told who is about to answer, and says whether anybody still listens.
        """
        asked: Asked = read_messages(body.get("messages"))
        chat = open_chat(self.workshop, asked.photo, asked.references, product, model, first=not asked.turns)
        for question, said in asked.turns:
            chat.replay(question, said)
        if begin(chat):
            yield from chat.stream(asked.question)
            yield chat.inspection


async def _unless_left(request: Request, answer: Coroutine[Any, Any, Response]) -> Response:
    """The answer; its work is cancelled where the client leaves before. The body has been read."""

    async def leave() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    answering, leaving = asyncio.ensure_future(answer), asyncio.ensure_future(leave())
    try:
        await asyncio.wait({answering, leaving}, return_when=asyncio.FIRST_COMPLETED)
        return answering.result() if answering.done() else Response(status_code=LEFT)
    finally:
        for task in (answering, leaving):
            task.cancel()
        await asyncio.gather(answering, leaving, return_exceptions=True)


class _Answer:
    """One answer in OpenAI's form; `inspection` beside the choices is ours."""

    def __init__(self, model: str) -> None:
        self.model, self.id, self.created = model, f"chatcmpl-{uuid.uuid4().hex}", int(time.time())

    async def whole(self, first: str | Inspection | None, rest: AsyncIterator[Any]) -> dict[str, Any]:
        items = [first, *[item async for item in rest]]
        said = "".join(item for item in items if isinstance(item, str)).strip()
        message = {"role": "assistant", "content": said, "refusal": None}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
        return self._object("chat.completion", [choice], items[-1])

    async def events(self, first: str | Inspection | None, rest: AsyncGenerator[Any]) -> AsyncIterator[str]:
        yield self._event({"role": "assistant", "content": ""})
        try:
            async with aclosing(rest):
                item = first
                while item is not None:
                    if isinstance(item, str):
                        yield self._event({"content": item})
                    else:
                        yield self._event({}, "stop", item)
                    item = await anext(rest, None)
            yield "data: [DONE]\n\n"
        except UserError as error:  # in the middle of the answer, when the status has long been sent
            told = {"message": str(error), "type": "server_error", "param": None, "code": None}
            yield f"data: {json.dumps({'error': told})}\n\n"

    def _event(self, delta: dict[str, Any], reason: str | None = None, found: Any = None) -> str:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        return f"data: {json.dumps(self._object('chat.completion.chunk', [choice], found))}\n\n"

    def _object(self, kind: str, choices: list[Any], found: Any) -> dict[str, Any]:
        about = {"id": self.id, "object": kind, "created": self.created, "model": self.model, "choices": choices}
        return about | ({"inspection": found.to_json()} if isinstance(found, Inspection) else {})


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "anomaly-assistant"}


async def _read_body(request: Request) -> dict[str, Any]:
    try:
        body = await request.json()
    except ValueError as error:  # JSON, or its encoding
        raise UserError("the body is not JSON", "send a JSON object, as OpenAI's clients do") from error
    if not isinstance(body, dict):
        raise UserError("the body is not a JSON object", "send one, as OpenAI's clients do")
    for name, harmless in FORMS.items():
        if body.get(name) not in harmless:
            raise Unsupported(name)
    return body


def _text(body: dict[str, Any], name: str) -> str:
    value = body.get(name) or ""
    if not isinstance(value, str):
        raise UserError(f"{name!r} is not a text", "send a name")
    return value
