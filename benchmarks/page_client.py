"""A visitor of the page without a browser: the same requests, one conversation."""

import io
import json
import uuid
from typing import Any

import httpx
import numpy as np
from PIL import Image

PATIENCE = httpx.Timeout(600.0)  # seconds: twenty others may be before one in the line
FILE = {"_type": "gradio.FileData"}


class Visitor:
    """One session, that shows a photo and asks about it; `said` is the conversation as the page shows it.

    Args:
        address: of the server.
        config: what the page is made of, fetched where it is not given.
    """

    def __init__(self, address: str, config: dict[str, Any] | None = None) -> None:
        self.web = httpx.Client(base_url=address, timeout=PATIENCE)
        self.config: dict[str, Any] = config or self.web.get("/config").json()
        components = self.config["components"]
        self.numbers = {one["props"]["elem_id"]: one["id"] for one in components if one["props"].get("elem_id")}
        self.session = uuid.uuid4().hex
        self.said: list[tuple[str, str]] = []

    def show(self, photo: np.ndarray, name: str) -> None:
        """Upload a photo (H, W, 3), which is then inspected."""
        png = io.BytesIO()
        Image.fromarray(photo).save(png, "PNG")
        path = self.web.post("/gradio_api/upload", files={"files": (name, png.getvalue(), "image/png")}).json()[0]
        self.event("photo", "change", [{"image": {"path": path, "orig_name": name, "meta": FILE}, "caption": None}])

    def ask(self, question: str) -> None:
        """Ask, and wait for the end of the answer."""
        self.event("ask", "submit", question)

    def event(self, element: str, event: str, value: Any) -> None:
        """What a component does when it gets a value, to its end."""
        number = self.numbers[element]
        dependency = next(
            one
            for one in self.config["dependencies"]
            if one["outputs"] and [number, event] in map(list, one["targets"])
        )
        data = [value if identifier == number else None for identifier in dependency["inputs"]]
        body = {"data": data, "fn_index": dependency["id"], "session_hash": self.session}
        self.web.post("/gradio_api/queue/join", json=body).raise_for_status()
        outcome = self._outcome()
        if not outcome["success"]:
            raise RuntimeError(f"{element}.{event} failed: {outcome['output']}")
        chat = outcome["output"]["data"][dependency["outputs"].index(self.numbers["chat"])]
        if isinstance(chat, list):  # else it did not change
            self.said = [(line["role"], "".join(part.get("text", "") for part in line["content"])) for line in chat]

    def _outcome(self) -> dict[str, Any]:
        with self.web.stream("GET", "/gradio_api/queue/data", params={"session_hash": self.session}) as events:
            for line in events.iter_lines():
                told = json.loads(line.removeprefix("data:")) if line.startswith("data:") else {}
                if told.get("msg") == "process_completed":
                    return dict(told)
        raise RuntimeError("the server left in the middle of an answer")
