"""What every request passes first: origin, token, rate and size; and the headers every answer leaves with."""

import math
from collections.abc import Callable, Sequence

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assistant.serving.accounts import TOKEN, Accounts
from assistant.serving.limits import MAX_BODY, MAX_UPLOAD, MEGABYTE, Bucket

FOR_PROGRAMS = ("/v1", "/gradio_api/mcp")  # opened by the token; all else has Gradio's own login
UPLOAD, LOGIN = "/gradio_api/upload", "/login"
FETCHING = ("/gradio_api/file=http", "/gradio_api/file/http", "/gradio_api/proxy=")  # this server fetches for nobody
SAFE = ("GET", "HEAD", "OPTIONS")
HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "content-security-policy": "frame-ancestors 'self'",
}


class Refused(Exception):
    """A request that goes no further; `code` is the word for it in OpenAI's errors."""

    def __init__(self, status: int, code: str, message: str, wait: float = 0.0) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.wait = status, code, message, wait


def refusal(status: int, code: str, message: str, wait: float = 0.0, param: str | None = None) -> JSONResponse:
    """An error as OpenAI words it, and as Gradio does ("detail"), with the seconds to wait where that helps."""
    kind = "invalid_request_error" if status < 500 and status != 429 else code
    error = {"message": message, "type": kind, "param": param, "code": code}
    headers = {"retry-after": str(math.ceil(wait))} if wait else None
    return JSONResponse({"error": error, "detail": message}, status, headers)


class Gate:
    """Around the whole application.

    Args:
        accounts: None where everybody may come in.
        signed_in: the name of a visitor who has logged in, None for others.
    """

    def __init__(
        self, app: ASGIApp, accounts: Accounts | None, signed_in: Callable[[HTTPConnection], str | None]
    ) -> None:
        self.app, self.accounts, self.signed_in = app, accounts, signed_in
        self.rate = Bucket(rate=20, burst=200)  # a person at a slider comes to ten a second for a moment
        self.logins = Bucket(rate=0.1, burst=10)  # what nobody who guesses passwords gets far with

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            self.check(scope)
        except Refused as no:
            response = refusal(no.status, no.code, no.message, no.wait)
            await response(scope, receive, send_safely)
            return
        await self.app(scope, receive, send_safely)

    def check(self, scope: Scope) -> None:
        """Raises Refused for a request that may not go on."""
        request = HTTPConnection(scope)
        path, headers = scope["path"], request.headers
        if scope["method"] not in SAFE:
            _check_origin(headers)
            _check_rate(self.logins if path.startswith(LOGIN) else self.rate, self.visitor(request))
            _check_size(headers, MAX_UPLOAD if path.startswith(UPLOAD) else MAX_BODY)
        if path.startswith(FETCHING):
            raise Refused(403, "remote_file", "files of other servers are not fetched")
        if self.accounts is not None and _among(path, FOR_PROGRAMS):
            scheme, _, token = headers.get("authorization", "").partition(" ")
            if scheme.lower() != "bearer" or not self.accounts.opens(token.strip()):
                raise Refused(401, "invalid_api_key", f"send the token of this server ({TOKEN}) as bearer token")

    def visitor(self, request: HTTPConnection) -> str:
        """Whose requests are counted together: those of a user, else of an address."""
        if self.accounts is not None and (name := self.signed_in(request)) is not None:
            return f"user {name}"
        return request.client.host if request.client else ""


def _among(path: str, prefixes: Sequence[str]) -> bool:
    return any(path == prefix or path.startswith(f"{prefix}/") for prefix in prefixes)


def _check_origin(headers: Headers) -> None:
    """A page of another site may not make a visitor's browser act here."""
    origin = headers.get("origin")
    hosts = [headers.get("host"), headers.get("x-forwarded-host")]
    if origin is not None and origin.partition("://")[2] not in hosts:
        raise Refused(403, "foreign_origin", "this comes from another site; behind a proxy, pass the Host header on")


def _check_rate(bucket: Bucket, visitor: str) -> None:
    if seconds := bucket.wait(visitor):
        wait = math.ceil(seconds)
        raise Refused(429, "rate_limit_exceeded", f"too many requests; try again in {wait} s", wait)


def _check_size(headers: Headers, most: int) -> None:
    if "transfer-encoding" in headers:
        raise Refused(411, "length_required", "say the length of the body (Content-Length)")
    if int(headers.get("content-length", 0)) > most:  # digits alone: the server in front has seen to it
        raise Refused(413, "too_large", f"the request is too large; send at most {most // MEGABYTE} MB")
