"""A conversation as OpenAI's clients send it -> what is inspected, what was said, what is asked."""

import base64
import binascii
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from assistant import UserError
from assistant.images import load_image
from assistant.serving.limits import MAX_FILE, MAX_QUESTION, MAX_REFERENCES, MEGABYTE

ANSWERED_ANYWAY = ("system", "developer")  # roles whose messages change nothing: what it does is fixed
INLINE = "send the picture itself, as data:image/jpeg;base64,..."


@dataclass(frozen=True)
class Asked:
    """`photo` (H, W, 3) compared with `references` (H, W, 3); the turns said about it before; what is asked now."""

    photo: np.ndarray
    references: tuple[np.ndarray, ...]
    turns: tuple[tuple[str, str], ...]
    question: str


def read_messages(messages: Any) -> Asked:
    """Messages of the chat completions API, with pictures as data URLs.

    The last picture of a message is the photo to inspect, those before it in the same message are good parts to
    compare with. A later message with pictures brings a new photo, and what was said of the one before is forgotten.
    The question is the text behind the last picture, or, where there is none, all text of the message.

    Raises:
        UserError: malformed, without a photo or without a question; too many pictures or one that cannot be read.
    """
    if not isinstance(messages, list) or not all(isinstance(message, dict) for message in messages):
        raise UserError("'messages' is not a list of messages", "send [{'role': 'user', 'content': [...]}]")
    pictures: list[str] = []
    turns: list[tuple[str, str]] = []
    waiting: list[str] = []  # what was asked and not answered yet
    for message in messages:
        role, content = message.get("role"), message.get("content")
        if role == "user":
            shown, text = _read_content(content)
            if shown:
                pictures, turns, waiting = shown, [], []
            waiting += [text] if text else []
        elif role == "assistant":
            if waiting and (said := _read_content(content)[1]):
                turns.append((" ".join(waiting), said))
            waiting = []
        elif role not in ANSWERED_ANYWAY:
            raise UserError(f"messages of the role {role!r} are not understood", "use user and assistant")
    if not pictures:
        raise UserError("no photo was sent", "put an image_url with a data URL into a message")
    if not waiting:
        raise UserError("no question was asked", "end with a message of the user, with text")
    if len(pictures) > 1 + MAX_REFERENCES:
        raise UserError(f"there are {len(pictures) - 1} good parts", f"send at most {MAX_REFERENCES} before the photo")
    *references, photo = map(decode, pictures)
    return Asked(photo, tuple(references), tuple(turns), check_question(" ".join(waiting)))


def check_question(question: str) -> str:
    """The question, trimmed. Raises UserError for one that is empty or too long."""
    question = question.strip()
    if not question:
        raise UserError("the question is empty", "ask for instance 'Is there a defect, and where?'")
    if len(question) > MAX_QUESTION:
        raise UserError("the question is too long", f"use at most {MAX_QUESTION} characters")
    return question


def decode(url: str) -> np.ndarray:
    """The picture (H, W, 3) inside a data URL; what kind it is says its content, not its label.

    Raises:
        UserError: a URL of another kind (nothing is fetched, from the network or the disk), damaged or too large.
    """
    head, comma, data = url.partition(",")
    if not head.startswith("data:") or not head.endswith(";base64") or not comma:
        raise UserError(f"pictures are not fetched from elsewhere ({head[:40]!r})", INLINE)
    if len(data) > MAX_FILE * 4 / 3 + 4:
        raise UserError("a picture is too large", f"send at most {MAX_FILE // MEGABYTE} MB")
    try:
        return load_image(base64.b64decode(data, validate=True))
    except binascii.Error as error:
        raise UserError("a picture is not valid base64", INLINE) from error


def _read_content(content: Any) -> tuple[list[str], str]:
    """The URLs of the pictures of one message, and its text."""
    shown: list[str] = []
    before, after = list[str](), list[str]()
    for kind, value in _items(content):
        if kind == "picture":
            shown.append(value)
            before, after = before + after, []
        else:
            after.append(value)
    text = " ".join(after).strip() if shown else " ".join(before + after).strip()
    return shown, text or " ".join(before).strip()


def _items(content: Any) -> Iterator[tuple[str, str]]:
    if isinstance(content, str) or content is None:
        yield "text", content or ""
        return
    items: Sequence[Any] = content if isinstance(content, list) else [content]
    for item in items:
        kind = item.get("type") if isinstance(item, dict) else None
        url = item.get("image_url") if kind == "image_url" else None
        url = url.get("url") if isinstance(url, dict) else url
        if kind == "text" and isinstance(item.get("text"), str):
            yield "text", item["text"]
        elif isinstance(url, str):
            yield "picture", url
        else:
            raise UserError("a message holds something other than text and image_url", INLINE)
