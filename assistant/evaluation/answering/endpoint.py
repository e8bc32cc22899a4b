"""A model behind an OpenAI-compatible endpoint: a server of one's own (vLLM, llama.cpp, Ollama) or a service."""

import base64
import io
import os
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
from PIL import Image

from assistant import UserError
from assistant.evaluation import Row
from assistant.evaluation.answering import LeftOut, Model
from assistant.evaluation.answering.dialogue import Dialogue
from assistant.evaluation.answering.prompts import MAX_NEW_TOKENS, build_messages, open_photos

KEY = "OPENAI_API_KEY"
AT_ONCE = 4  # requests under way
ATTEMPTS = 6  # per request; with waits of 1, 2, 4, 8 and 16 seconds in between, unless the server asks for more
LONGEST_WAIT = 60.0  # seconds
TIMEOUT = httpx.Timeout(120.0, connect=10.0)  # seconds: a large model on a slow machine may think for a while
LONGEST_SIDE = 2048  # pixels: what the services themselves shrink a picture to
LIKELIEST = 20  # tokens whose log-probability is asked for, the most that the interface allows
Settings = dict[str, Any]


class _Refused(UserError):
    """What is wrong with one request alone; others may go well."""


class Endpoint:
    """Asks row by row, a few at a time, in the order of the rows.

    Args:
        url: base URL, up to and with the version.
        model: the name that the server knows.
        key: sent as bearer token if there is one; never told.
    """

    def __init__(self, url: str, model: str, key: str | None = None) -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self.model, self.key = model, key
        try:
            self.client = httpx.Client(base_url=url.rstrip("/") + "/", headers=headers, timeout=TIMEOUT)
        except (httpx.InvalidURL, ValueError) as error:
            raise UserError(f"{url!r} is no URL ({error})", "give one such as http://localhost:8000/v1") from None
        if self.client.base_url.scheme not in ("http", "https"):
            raise UserError(f"{url!r} is no URL of a web server", "give one such as http://localhost:8000/v1")
        # What a server says it does not know is left out from then on; reasoning models refuse a temperature.
        self.settings: Settings = {"temperature": 0, "max_tokens": MAX_NEW_TOKENS}
        self.scoring: Settings = {"logprobs": True, "top_logprobs": LIKELIEST}
        self._over = threading.Event()  # one request failed for good, or nobody wants the answers: stop waiting

    @classmethod
    def of(cls, chosen: Model) -> "Endpoint":
        assert chosen.url is not None
        return cls(chosen.url, chosen.name, os.environ.get(KEY))

    def answers(self, subjects: Iterable[list[Row]], folder: Path) -> Iterator[Row | LeftOut]:
        """See `Answerer`."""
        rows = (row for about in subjects for row in about)
        self._over.clear()
        waiting: deque[Future[Row | LeftOut]] = deque()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            try:
                for row in rows:
                    waiting.append(pool.submit(self._answer, row, folder))
                    if len(waiting) >= 2 * AT_ONCE:  # so that pictures in memory are few, whatever the number of rows
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            finally:
                self._over.set()
                pool.shutdown(wait=False, cancel_futures=True)

    def _answer(self, row: Row, folder: Path) -> Row | LeftOut:
        try:
            photos = [_data_url(photo) for photo in open_photos(row, folder)]
        except UserError as error:
            return LeftOut(row["image"], error)
        dialogue = Dialogue(row, photos, 0)
        pictures = [{"type": "image_url", "image_url": {"url": photo}} for photo in photos]
        try:
            while not dialogue.done:
                prompt = build_messages(pictures, dialogue.asked, dialogue.replies, row.get("instruction"))
                self._step(dialogue, prompt)
        except _Refused as error:
            return LeftOut(f"{row['image']}: {row['question']}", error)
        return dialogue.record()

    def _step(self, dialogue: Dialogue[list[str]], messages: list[Any]) -> None:
        letters = dialogue.letters
        reply = self._post({"messages": messages}, self.scoring if letters else {})
        try:
            choice = reply["choices"][0]
            text = choice["message"]["content"] or ""
            likely = ((choice.get("logprobs") or {}).get("content") or [{}])[0].get("top_logprobs") or []
            scores = _letter_scores(likely, letters)
        except (KeyError, IndexError, TypeError, AttributeError) as error:
            raise UserError("the endpoint's answer is not of OpenAI's form", "check the URL: it ends in /v1") from error
        dialogue.scores = scores
        dialogue.replies.append(text.strip())

    def _post(self, body: Settings, scoring: Settings) -> Any:
        """The answer as JSON; what passes is tried again, and what the server does not know left out."""
        for attempt in range(ATTEMPTS):
            try:
                sent = {"model": self.model, **body, **self.settings, **scoring}
                response = self.client.post("chat/completions", json=sent)
                trouble = f"HTTP {response.status_code}"
            except httpx.TransportError as error:
                response, trouble = None, f"{type(error).__name__}: {error}"
            if response is not None and response.is_success:
                return _json(response)
            if response is not None and response.status_code != 429 and response.status_code < 500:
                if self._drop_unknown(response, sent):
                    return self._post(body, scoring)
                raise self._refusal(response)
            if attempt == ATTEMPTS - 1 or self._over.wait(_wait(response, attempt)):
                break
        raise UserError(
            f"the endpoint {self.client.base_url.host} does not answer ({trouble})",
            "see that it is up, then run the same command: it goes on after the last answer",
        )

    def _drop_unknown(self, response: httpx.Response, sent: Settings) -> bool:
        """Was a setting refused? Then it is not sent again."""
        error = _json(response).get("error")
        if not isinstance(error, dict) or not str(error.get("code")).startswith("unsupported"):
            return False
        name = str(error.get("param"))
        known = [settings for settings in (self.settings, self.scoring) if name in settings]
        for settings in known:
            del settings[name]
        if name == "logprobs":
            self.scoring.clear()
        return name in sent and name not in ("model", "messages")

    def _refusal(self, response: httpx.Response) -> UserError:
        status = response.status_code
        if status in (401, 403):
            return UserError(f"the endpoint refuses the key (HTTP {status})", f"put a valid one into {KEY}")
        told = " ".join(response.text.split())[:200]
        told = told.replace(self.key, "***") if self.key else told
        if status in (404, 405):
            return UserError(f"no model {self.model!r} at this endpoint (HTTP {status}: {told})", "check both names")
        return _Refused(f"the endpoint refuses the question (HTTP {status}: {told})", "ask it otherwise")


def _json(response: httpx.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return {}


def _wait(response: httpx.Response | None, attempt: int) -> float:
    """Seconds before the next attempt: what the server asks for, else twice as long each time."""
    try:
        return min(float(response.headers["retry-after"]), LONGEST_WAIT) if response else 2.0**attempt
    except (KeyError, ValueError):
        return 2.0**attempt


def _letter_scores(likely: list[Any], letters: Iterable[str]) -> dict[str, float] | None:
    """The likeliest spelling of each letter (bare, or after a blank); a letter that is not listed is left out."""
    found: dict[str, float] = {}
    for token in likely:
        letter = str(token["token"]).strip()
        if letter in letters:
            found[letter] = max(float(token["logprob"]), found.get(letter, float("-inf")))
    return found or None


def _data_url(photo: Image.Image) -> str:
    photo.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    data = io.BytesIO()
    photo.save(data, "JPEG", quality=95)
    return f"data:image/jpeg;base64,{base64.b64encode(data.getvalue()).decode()}"
