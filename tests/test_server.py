"""The server around the page, over loopback: what programs ask, who may come in, what is refused."""

import asyncio
import base64
import contextlib
import http.client
import io
import json
import socket
import threading
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import numpy as np
import pytest
import uvicorn
from PIL import Image

from app import build_app
from assistant import UserError
from assistant.serving.accounts import TOKEN, USERS, Accounts
from assistant.serving.application import Server, build_application, run
from assistant.serving.conversations import read_messages
from assistant.serving.limits import MAX_BODY, MAX_FILE, MAX_REFERENCES, Bucket
from assistant.serving.line import AT_ONCE, Line
from assistant.serving.memory import keep_small
from assistant.serving.sessions import Sessions
from assistant.serving.uploads import guard
from assistant.store import Store
from assistant.web.workshop import Workshop
from data_gen.examples import render

openai = pytest.importorskip("openai", reason="the openai client is not installed")

ACCOUNTS = Accounts({"ann": "correct horse", "bob": "battery staple"}, "a-token-for-programs")
WAIT = 60  # seconds


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    """One model for all; uploads lie in a folder of this module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(tmp_path_factory.mktemp("uploads")))
        yield Workshop("tiny", Store(tmp_path_factory.mktemp("store")))


@contextlib.contextmanager
def served(workshop: Workshop, accounts: Accounts | None = None, rate: Bucket | None = None) -> Iterator[str]:
    """The page and its application behind a real server on a free port; its address."""
    page = build_app(workshop)
    application = build_application(page, workshop, accounts)
    application.rate = rate or application.rate
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        settings = uvicorn.Config(application, log_level="warning", timeout_graceful_shutdown=1)
        server = Server(settings, page)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            time.sleep(0.05)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join(timeout=20)
        assert not thread.is_alive()


@pytest.fixture(scope="module")
def address(workshop: Workshop) -> Iterator[str]:
    with served(workshop) as url:
        yield url


@pytest.fixture(scope="module")
def guarded(workshop: Workshop) -> Iterator[str]:
    """The same with a login."""
    with served(workshop, ACCOUNTS) as url:
        yield url


@pytest.fixture
def web(address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address, timeout=WAIT) as client:
        yield client


@pytest.fixture(scope="module")
def parts() -> list[np.ndarray]:
    """A broken part, and two good ones."""
    photo, references = render(1)
    return [photo, *references[:2]]


def data_url(pixels: np.ndarray) -> str:
    png = io.BytesIO()
    Image.fromarray(pixels).save(png, "PNG")
    return f"data:image/png;base64,{base64.b64encode(png.getvalue()).decode()}"


def item(pixels: np.ndarray) -> dict[str, Any]:
    return item_at(data_url(pixels))


def item_at(url: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url}}


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def user(*content: Any) -> dict[str, Any]:
    return {"role": "user", "content": list(content)}


def reply(words: str) -> dict[str, Any]:
    return {"role": "assistant", "content": words}


# What programs ask


def test_a_conversation_with_the_openai_client_is_that_of_a_chat(
    address: str, workshop: Workshop, parts: list[np.ndarray]
) -> None:
    client = openai.OpenAI(base_url=f"{address}/v1", api_key="none is needed", max_retries=0)
    assert [model.id for model in client.models.list()] == ["tiny"]
    chat = workshop.assistant("tiny").start_chat(parts[0], references=parts[1:])
    messages: list[Any] = [{"role": "system", "content": "You are a pirate."}]
    questions = ("Is there a defect, and where?", "Only the upper half.", "How sure are you?")
    for number, question in enumerate(questions):
        pictures = [item(pixels) for pixels in (*parts[1:], parts[0])] if number == 0 else []
        messages.append(user(*pictures, text(question)))
        whole = client.chat.completions.create(model="tiny", messages=messages)
        stream = client.chat.completions.create(model="tiny", messages=messages, stream=True, temperature=0)
        chunks = list(stream)
        said = whole.choices[0].message.content
        assert said == chat.ask(question)
        assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks).strip() == said
        assert [chunk.choices[0].finish_reason for chunk in chunks] == [None] * (len(chunks) - 1) + ["stop"]
        found, expected = whole.model_extra["inspection"], chat.inspection.to_json()
        for timing in ("seconds", "image"):
            assert found.pop(timing) and expected.pop(timing)
        assert found == expected and chunks[-1].model_extra["inspection"]["area"] == found["area"]
        assert whole.choices[0].finish_reason == "stop" and whole.usage is None
        messages.append(reply(said))
    assert found["area"] is not None and found["references"] == 2  # "only the upper half" still holds


def test_the_last_picture_of_a_message_is_the_photo(parts: list[np.ndarray]) -> None:
    photo, *good = parts
    asked = read_messages([user(text("Look. Good ones:"), item(good[0]), text("And:"), item(photo), text("Where?"))])
    assert (asked.photo == photo).all() and len(asked.references) == 1 and asked.question == "Where?"
    assert read_messages([user(text("Is it fine?"), item(photo))]).question == "Is it fine?"
    talk = [user(item(photo), text("Fine?")), reply("No."), user(text("Sure?"))]
    assert read_messages(talk).turns == (("Fine?", "No."),)
    later = read_messages([*talk, reply("Yes."), user(item(good[1]), text("And this?"))])
    assert (later.photo == good[1]).all() and later.references == () and later.turns == ()
    split = read_messages([user(item(photo)), user(text("Where?"))])
    assert (split.photo == photo).all() and split.question == "Where?"


BAD = [  # what is sent in place of the messages, or beside them; status; part of the message
    ({"messages": "hello"}, 400, "list of messages"),
    ({"messages": []}, 400, "no photo"),
    ({"messages": [{"role": "tool", "content": "x"}]}, 400, "role 'tool'"),
    ({"messages": [user(text("hello"))]}, 400, "no photo"),
    ({"messages": [user({"type": "input_audio"})]}, 400, "other than text and image_url"),
    ({"messages": [user(item_at("https://a.org/b.png"))]}, 400, "no question"),
    ({"messages": [user(item_at("https://a.org/b.png"), text("?"))]}, 400, "fetched"),
    ({"messages": [user(item_at("file:///etc/passwd"), text("?"))]}, 400, "fetched"),
    ({"messages": [user(item_at("/etc/passwd"), text("?"))]}, 400, "fetched"),
    ({"messages": [user(item_at("data:image/png;base64,%%"), text("?"))]}, 400, "base64"),
    ({"messages": [user(item_at("data:image/png;base64,AAAA"), text("?"))]}, 400, "not an image"),
    ({"product": "gasket"}, 400, "no product 'gasket'"),
    ({"product": 7}, 400, "not a text"),
    ({"model": "gpt-4o"}, 404, "no model"),
    ({"model": "../../etc"}, 404, "no model"),
    ({"n": 2}, 400, "not supported"),
    ({"tools": [{"type": "function"}]}, 400, "not supported"),
    ({"logprobs": True, "stream": True}, 400, "not supported"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "status", "told"), BAD, ids=lambda value: str(value)[:60])
def test_a_bad_request_is_told_in_openais_form(
    web: httpx.Client, parts: list[np.ndarray], changes: dict[str, Any], status: int, told: str
) -> None:
    body = {"model": "tiny", "messages": [user(item(parts[0]), text("Where?"))]} | changes
    response = web.post("/v1/chat/completions", json=body)
    error = response.json()["error"]
    assert response.status_code == status and told in error["message"] and error["type"] == "invalid_request_error"
    assert error["code"] and set(error) == {"message", "type", "param", "code"}


def test_what_is_too_much_is_refused(web: httpx.Client, parts: list[np.ndarray]) -> None:
    many = [item(parts[1])] * (MAX_REFERENCES + 1)
    response = web.post("/v1/chat/completions", json={"messages": [user(*many, item(parts[0]), text("Where?"))]})
    assert response.status_code == 400 and "at most 4" in response.text
    response = web.post("/v1/chat/completions", json={"messages": [user(item(parts[0]), text("why " * 1000))]})
    assert response.status_code == 400 and "too long" in response.text
    large = b" " * (MAX_BODY + 1)
    assert web.post("/v1/chat/completions", content=large).status_code == 413
    assert web.post("/v1/chat/completions", content=iter([b"{}"])).status_code == 411
    files = [("files", ("large.png", b"0" * (MAX_FILE + 1), "image/png"))]
    assert web.post("/gradio_api/upload", files=files).status_code == 413
    assert web.post("/v1/chat/completions", content=b"\xff{").status_code == 400


def test_a_stored_product_brings_its_good_parts(web: httpx.Client, workshop: Workshop, parts: list[np.ndarray]) -> None:
    product = workshop.store.products.create("Cap <b>7</b>")
    workshop.store.products.add_normal(product.id, parts[1])
    body = {"messages": [user(item(parts[0]), text("Where?"))], "product": "cap <B>7</b>"}
    assert web.post("/v1/chat/completions", json=body).json()["inspection"]["references"] == 1
    workshop.store.products.remove(product.id)


def test_gradios_api_has_two_functions_and_says_what_they_do(
    address: str, parts: list[np.ndarray], tmp_path: Path
) -> None:
    from gradio_client import Client, handle_file

    paths = [tmp_path / f"{number}.png" for number in range(len(parts))]
    for path, pixels in zip(paths, parts, strict=True):
        Image.fromarray(pixels).save(path)
    client = Client(address, verbose=False)
    assert set(client.view_api(return_format="dict")["named_endpoints"]) == {"/inspect", "/ask"}
    files = [handle_file(path) for path in paths]
    found = client.predict(photo=files[0], references=files[1:], api_name="/inspect")
    assert found["references"] == 2 and found["verdict"] in ("defective", "good", "unsure")
    said, beside = client.predict(photo=files[0], question="Where?", references=files[1:], api_name="/ask")
    assert said and beside["probability"] == found["probability"]
    with pytest.raises(Exception, match="no product 'x'"):
        client.predict(photo=files[0], product="x", api_name="/inspect")
    paths[0].write_bytes(b"this is no image")
    with pytest.raises(Exception, match="the image data is not an image"):
        client.predict(photo=handle_file(paths[0]), api_name="/inspect")


@contextlib.asynccontextmanager
async def mcp_session(address: str, **headers: str) -> AsyncIterator[Any]:
    """A client's session with the MCP server, initialised."""
    from mcp import ClientSession
    from mcp.client.streamable_http import streamable_http_client

    async with (
        httpx.AsyncClient(headers=headers, timeout=WAIT) as http,
        streamable_http_client(f"{address}/gradio_api/mcp/", http_client=http) as (read, write, _),
        ClientSession(read, write) as session,
    ):
        await session.initialize()
        yield session


def test_the_same_two_are_tools_of_the_mcp_server(
    web: httpx.Client, address: str, parts: list[np.ndarray], photo_path: Path
) -> None:
    path = web.post("/gradio_api/upload", files={"files": photo_path.read_bytes()}).json()[0]
    own, foreign = f"{address}/gradio_api/file={path}", f"{address}/gradio_api/file={photo_path}"

    async def talk() -> tuple[dict[str, Any], Any, list[bool]]:
        async with mcp_session(address) as session:
            tools = {tool.name: tool for tool in (await session.list_tools()).tools}
            arguments = {"photo": data_url(parts[0]), "question": "Where?", "references": [data_url(parts[1])]}
            answer = await session.call_tool("ask", arguments)
            others = [{"photo": url, "references": [url]} for url in (own, foreign, "https://example.org/a.png")]
            others.append({"photo": own, "references": [foreign]})
            return tools, answer, [(await session.call_tool("inspect", one)).isError for one in others]

    tools, answer, refused = asyncio.run(talk())
    assert refused == [False, True, True, True]
    assert set(tools) == {"inspect", "ask"} and tools["ask"].inputSchema["required"] == ["photo", "question"]
    assert "verdict" in tools["inspect"].description
    assert not answer.isError and "'references': 1" in answer.content[0].text


# Many users


def test_a_slow_model_holds_up_nothing_else(
    web: httpx.Client, address: str, workshop: Workshop, parts: list[np.ndarray]
) -> None:
    body = {"messages": [user(item(parts[0]), text("Is it defective?"))]}
    statuses: list[int] = []

    def ask() -> None:
        statuses.append(httpx.post(f"{address}/v1/chat/completions", json=body, timeout=WAIT).status_code)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    with workshop.assistant("tiny").speaking():  # as if somebody's answer took minutes
        for thread in threads:
            thread.start()
        time.sleep(0.5)
        start = time.monotonic()
        assert web.get("/healthz").json()["status"] == "ok" and web.get("/").status_code == 200
        assert web.get("/config").status_code == 200 and web.get("/v1/models").status_code == 200
        assert time.monotonic() - start < 5 and statuses == []
    for thread in threads:
        thread.join(WAIT)
    assert statuses == [200] * 8


def test_a_full_line_says_so_and_who_leaves_makes_room() -> None:
    line, hold = Line(longest=1), threading.Event()

    def work() -> Iterator[int]:
        yield 1
        hold.wait(WAIT)
        yield 2

    async def scene() -> None:
        runs = [line.run(work) for _ in range(AT_ONCE)]
        assert [await anext(one) for one in runs] == [1] * AT_ONCE
        last = line.run(work)
        waiting = asyncio.ensure_future(anext(last))
        await asyncio.sleep(0)
        with pytest.raises(Exception, match="too many are waiting"):
            await anext(line.run(work))
        waiting.cancel()  # the one that waits goes away, and its place is free
        await asyncio.gather(waiting, return_exceptions=True)
        another = asyncio.ensure_future(anext(line.run(work)))
        hold.set()
        assert await another == 1
        for one in runs:
            assert [rest async for rest in one] == [2]

    asyncio.run(scene())


def test_whoever_leaves_a_stream_stops_the_answer(address: str, workshop: Workshop, parts: list[np.ndarray]) -> None:
    body = {"messages": [user(item(parts[0]), text("Describe it."))], "stream": True}
    with httpx.stream("POST", f"{address}/v1/chat/completions", json=body, timeout=WAIT) as response:
        assert next(response.iter_lines()).startswith("data: ")
    start = time.monotonic()
    with workshop.assistant("tiny").speaking():
        assert time.monotonic() - start < 10


@pytest.mark.parametrize("streaming", [True, False])
def test_whoever_leaves_before_the_first_words_stops_the_answer_at_its_next_token(
    address: str, workshop: Workshop, parts: list[np.ndarray], monkeypatch: pytest.MonkeyPatch, streaming: bool
) -> None:
    assistant, begun = workshop.assistant("tiny"), threading.Event()

    def say(messages: Any, photo: Any, anomaly_map: Any, stop: threading.Event, varied: bool) -> Iterator[str]:
        begun.set()
        while not stop.wait(0.01):
            yield "and "  # no sentence ends, so nothing of it is sent

    monkeypatch.setattr(assistant, "say", say)
    body = {"messages": [user(item(parts[0]), text("Describe it."))], "stream": streaming}
    client = http.client.HTTPConnection(address.removeprefix("http://"))
    client.request("POST", "/v1/chat/completions", json.dumps(body), {"content-type": "application/json"})
    assert begun.wait(WAIT)
    client.close()
    assert assistant._speaking.acquire(timeout=WAIT)
    assistant._speaking.release()


def test_a_visitor_who_asks_without_end_is_told_to_wait(workshop: Workshop) -> None:
    now = [0.0]
    bucket = Bucket(rate=2, burst=3, clock=lambda: now[0])
    assert [bucket.wait("ann") for _ in range(4)] == [0, 0, 0, 0.5] and bucket.wait("bob") == 0
    now[0] = 0.5
    assert bucket.wait("ann") == 0 and bucket.wait("ann") > 0
    with served(workshop, rate=Bucket(rate=0.01, burst=1)) as url:
        answers = [httpx.post(f"{url}/v1/chat/completions", json={}) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [400, 429]
        assert answers[1].headers["retry-after"] == "100" and "too many requests" in answers[1].json()["detail"]
        assert answers[1].json()["error"]["code"] == "rate_limit_exceeded"
        assert httpx.get(f"{url}/healthz").status_code == 200


def test_visitors_who_are_away_are_forgotten_and_programs_push_none_out(workshop: Workshop) -> None:
    page = build_app(workshop)
    gate = build_application(page, workshop)
    holder = gate.app.routes[-1].app.state_holder  # type: ignore[attr-defined]
    assert isinstance(holder, Sessions) and holder is page.state_holder and page.app is gate.app.routes[-1].app  # type: ignore[attr-defined]
    holder.visitors, holder.programs = 2, 1
    number = next(number for number, block in page.blocks.items() if block.stateful)
    for name in ("ann", "bob", "cleo", "ann"):
        assert holder[name][number] is not None
    for program in ("one", "two", "three"):
        assert holder[program]
    assert list(holder.session_data) == ["cleo", "ann", "three"]


def test_a_session_keeps_one_component_and_its_files_for_each_output(workshop: Workshop) -> None:
    page = build_app(workshop)
    build_application(page, workshop)
    number = next(number for number, block in page.blocks.items() if block.elem_id == "result")
    session = page.state_holder["ann"]
    kinds, files = (
        {key: type(block) for key, block in session.blocks_config.blocks.items()},
        page.blocks[number].temp_files,
    )
    for _ in range(3):  # as Gradio does for a change, then for a plain value
        session[number] = type(page.blocks[number])(render=False)
        changed = session[number]
        assert changed._id == number and changed.temp_files is files and changed._id in session
    assert {key: type(block) for key, block in session.blocks_config.blocks.items()} == kinds
    assert session.blocks_config.blocks[number] is not page.blocks[number]


def test_free_memory_goes_back_where_the_c_library_can(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[Any, ...]] = []
    trimmed = threading.Event()

    def trim(pad: int) -> None:
        trimmed.set()
        raise SystemExit  # ends the thread, which else goes on for ever

    def option(*given: int) -> int:
        calls.append(given)
        return 1

    monkeypatch.setattr("assistant.serving.memory.PAUSE", 0)
    for library in (SimpleNamespace(), SimpleNamespace(malloc_trim=trim, mallopt=option)):  # musl; glibc
        monkeypatch.setattr("assistant.serving.memory.ctypes.CDLL", lambda name, library=library: library)
        keep_small()
    assert trimmed.wait(WAIT) and calls == [(-8, 2)]
    monkeypatch.setattr("sys.platform", "win32")
    keep_small()
    assert len(calls) == 1


def test_a_user_is_counted_by_name_others_by_address(workshop: Workshop) -> None:
    with (
        served(workshop, ACCOUNTS, Bucket(rate=0.001, burst=1)) as url,
        httpx.Client(base_url=url, timeout=WAIT) as ann,
        httpx.Client(base_url=url, timeout=WAIT) as bob,
    ):
        ann.post("/login", data={"username": "ann", "password": "correct horse"})
        bob.post("/login", data={"username": "bob", "password": "battery staple"})
        answers = [client.post("/gradio_api/queue/join", json={}) for client in (ann, ann, bob, bob)]
        assert [answer.status_code for answer in answers] == [422, 429, 422, 429]
        assert httpx.post(f"{url}/gradio_api/queue/join", json={}).status_code == 401


# What is refused


def call(web: httpx.Client, element: str, event: str, data: list[Any]) -> dict[str, Any]:
    """One event of the page as a browser sends it, with other data; what comes of it."""
    config = web.get("/config").json()
    number = next(one["id"] for one in config["components"] if one["props"].get("elem_id") == element)
    dependency = next(
        one for one in config["dependencies"] if one["outputs"] and [number, event] in map(list, one["targets"])
    )
    inputs = [data.pop(0) if identifier == number else None for identifier in dependency["inputs"]]
    session = uuid.uuid4().hex
    body = {"data": inputs, "fn_index": dependency["id"], "session_hash": session}
    assert web.post("/gradio_api/queue/join", json=body).status_code == 200
    with web.stream("GET", f"/gradio_api/queue/data?session_hash={session}") as events:
        for line in events.iter_lines():
            told = json.loads(line.removeprefix("data:")) if line.startswith("data:") else {}
            if told.get("msg") == "process_completed":
                return told
    raise AssertionError("the event did not end")


@pytest.mark.parametrize("mark", [{}, {"meta": {"_type": "gradio.FileData"}}, {"meta": {"_type": "other"}}])
def test_no_event_opens_a_file_that_was_not_uploaded(web: httpx.Client, photo_path: Path, mark: dict[str, Any]) -> None:
    for path in (str(photo_path), "/etc/passwd", f"{address}/healthz", "https://example.org/a.png", "a\0b"):
        told = call(web, "photo", "change", [{"path": path, **mark}])
        assert told["success"] is False and "not an uploaded file" in told["output"]["error"]


def test_links_out_of_the_uploads_lead_nowhere(
    tmp_path: Path, photo_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "uploads"
    folder.mkdir()
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(folder))
    (folder / "own.png").write_bytes(photo_path.read_bytes())
    (folder / "out.png").symlink_to(photo_path)
    (folder / "in.png").symlink_to(folder / "own.png")
    own = str((folder / "own.png").resolve())
    assert guard([{"path": str(folder / "in.png")}, {"path": None}, "text"]) == [{"path": own}, {"path": None}, "text"]
    assert guard({"a": {"path": f"http://here/gradio_api/file={own}"}}) == {"a": {"path": own}}
    for path in (folder / "out.png", folder / ".." / "part.png", folder, folder / "absent.png", 7):
        with pytest.raises(Exception, match="not an uploaded file"):
            guard([{"image": {"path": path if path == 7 else str(path)}}])


def test_no_file_of_the_machine_or_the_store_is_served(web: httpx.Client, workshop: Workshop) -> None:
    paths = ["/etc/passwd", "%2e%2e/%2e%2e/etc/passwd", "app.py", str(workshop.store.database.path)]
    uploads = Path(
        web.post("/gradio_api/upload", files={"files": ("../../<b>.html", b"<script>", "text/html")}).json()[0]
    )
    link = uploads.parent / "link.png"
    link.symlink_to("/etc/passwd")
    paths += [str(link), f"{uploads.parent}/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd"]
    answers = [web.get(f"/gradio_api/file={path}") for path in paths]
    assert [answer.status_code for answer in answers] == [403] * len(paths)
    assert web.get("/gradio_api/file=https://example.org/").status_code == 403  # nothing is fetched, either
    page = web.get(f"/gradio_api/file={uploads}")  # what was uploaded is handed out, but never as a page
    assert page.headers["content-disposition"].startswith("attachment")
    assert page.headers["content-type"] == "application/octet-stream"
    assert page.headers["x-content-type-options"] == "nosniff"
    assert uploads.parent.parent.name.startswith("uploads") and "/" not in uploads.name


def test_a_page_of_another_site_cannot_act_here(web: httpx.Client) -> None:
    for origin, status in (("https://evil.example", 403), ("null", 403), (str(web.base_url).rstrip("/"), 400)):
        assert web.post("/v1/chat/completions", json={}, headers={"origin": origin}).status_code == status
    assert (
        "access-control-allow-origin" not in web.get("/v1/models", headers={"origin": "https://evil.example"}).headers
    )


def test_with_a_login_nothing_but_health_is_open(guarded: str, parts: list[np.ndarray]) -> None:
    with httpx.Client(base_url=guarded, timeout=WAIT) as web:
        assert web.get("/healthz").status_code == 200
        closed = ("/config", "/gradio_api/info", "/gradio_api/file=/etc/passwd", "/v1/models", "/gradio_api/mcp/",
                  "/gradio_api/mcp/sse", "/gradio_api/mcp/schema", "/gradio_api/openapi.json")  # fmt: skip
        assert {path: web.get(path).status_code for path in closed} == dict.fromkeys(closed, 401)
        assert web.get("//gradio_api/mcp/schema").status_code == 404
        assert web.post("/gradio_api/queue/join", json={"data": [], "fn_index": 0}).status_code == 401
        assert web.post("/gradio_api/upload", files={"files": ("a.png", b"a")}).status_code == 401
        for name, password in (("ann", "wrong"), ("nobody", ""), ("", ""), ("bob", "correct horse")):
            assert web.post("/login", data={"username": name, "password": password}).status_code >= 400
        assert web.get("/config").status_code == 401
        assert web.post("/login", data={"username": "ann", "password": "correct horse"}).status_code == 200
        assert web.get("/config").status_code == 200
        assert web.get("/v1/models").status_code == 401  # a cookie does not open what is for programs
        for token, status in (("a-token-for-programs", 200), ("correct horse", 401), ("x", 401)):
            assert web.get("/v1/models", headers={"authorization": f"Bearer {token}"}).status_code == status


def test_tools_work_behind_a_login(guarded: str, parts: list[np.ndarray]) -> None:
    """Whatever host the request names: the tools are called on this machine."""

    async def talk() -> Any:
        async with mcp_session(guarded, authorization="Bearer a-token-for-programs", host="other.invalid") as session:
            return await session.call_tool("inspect", {"photo": data_url(parts[0])})

    found = asyncio.run(talk())
    assert not found.isError and "'verdict'" in found.content[0].text, found.content[0].text


def test_guessing_passwords_is_slow(workshop: Workshop) -> None:
    with served(workshop, ACCOUNTS) as url:
        guesses = [httpx.post(f"{url}/login", data={"username": "ann", "password": str(n)}) for n in range(11)]
        assert [guess.status_code for guess in guesses] == [400] * 10 + [429]


def test_accounts_come_from_the_environment_and_are_not_shown() -> None:
    accounts = Accounts.from_environment({USERS: "ann:secret:word, bob:12345678", TOKEN: "0123456789"})
    assert accounts.admits("ann", "secret:word") and accounts.admits("bob", "12345678")
    assert not accounts.admits("ann", "12345678") and not accounts.admits("eve", "")
    assert accounts.opens("0123456789") and not accounts.opens("")
    assert "secret" not in repr(accounts) and "0123" not in repr(accounts)
    assert not Accounts.from_environment({USERS: "ann:secret-word"}).opens("")
    for wrong in ({}, {USERS: "ann"}, {USERS: "ann:short"}, {USERS: ":password123"}, {TOKEN: "short"}):
        with pytest.raises(UserError) as raised:
            Accounts.from_environment(wrong)
        assert "short" not in str(raised.value).replace("too short", "")


def test_a_port_that_is_taken_is_told(workshop: Workshop) -> None:
    page = build_app(workshop)
    application = build_application(page, workshop)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(UserError, match="cannot listen"):
            run(application, page, "127.0.0.1", other.getsockname()[1])
        with pytest.raises(UserError, match="cannot listen"):
            run(application, page, "no.such.host.invalid", 0)
