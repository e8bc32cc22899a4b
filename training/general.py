"""General visual instructions (LLaVA-JSON), mixed in so that a large model keeps its general skill.

As AnomalyGPT (Gu et al., AAAI 2024, sec. 4.1) does with PandaGPT's data, our dialogues and these take turns.
"""

import json
import logging
from collections import defaultdict
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from torch.utils.data import Dataset

from assistant import UserError
from assistant.images import load_image
from training.by_length import Measured, text_length

MARK = "<image>"  # where a picture stands in the text of LLaVA-JSON
ROLES = {"human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant"}
LONGEST = 6000  # characters of one row, about 1,500 tokens; turns beyond are left out
NAMED = 3  # bad rows named for each reason
TRIES = 100  # rows tried in the place of one whose picture cannot be read

log = logging.getLogger(__name__)


class BadRow(Exception):
    """Why a row cannot be used, in a few words that are the same for all rows with that fault."""


class GeneralRows:
    """The usable rows of a LLaVA-JSON, drawn in a new random order each time round.

    Bad rows are skipped, counted by reason in `skipped`, and the first of each reason named. Rows without a
    picture are among them: processes that train together must all use their vision tower.

    Args:
        path: a JSON list of {"image": PATH or list, "conversations": [{"from": "human" | "gpt", "value": TEXT}]}.
        images: folder that the pictures' paths are relative to.
        seed: of the order.

    Raises:
        UserError: no such file, no such JSON, or no usable row.
    """

    def __init__(self, path: Path, images: Path, seed: int) -> None:
        self.seed = seed
        self.skipped: dict[str, list[str]] = defaultdict(list)
        self.rows: list[tuple[tuple[str, ...], list[dict[str, Any]]]] = []
        for number, row in enumerate(_read(path)):
            try:
                self.rows.append(_parse(row, images))
            except BadRow as bad:
                name = row.get("id", number) if isinstance(row, dict) else number
                self.skipped[str(bad)].append(str(name))
        for reason, names in self.skipped.items():
            log.warning("%s: %d rows skipped, %s: %s", path, len(names), reason, ", ".join(names[:NAMED]))
        if not self.rows:
            why = "; ".join(f"{len(names)} rows: {reason}" for reason, names in self.skipped.items()) or "it is empty"
            raise UserError(f"no usable row in {path} ({why})", "check the file, and general_images=FOLDER")

    def draw(self, index: int) -> dict[str, Any]:
        """Row `index` of the endless stream; where its picture cannot be read, a later one."""
        for place in range(index, index + TRIES):
            paths, messages = self._at(place)
            try:
                photos = [Image.fromarray(load_image(path)) for path in paths]
            except UserError as error:
                _warn_once(str(error))
                continue
            return {"messages": messages, "images": photos, "anomaly_maps": []}
        raise UserError(f"{TRIES} pictures of the general data in a row cannot be read", "check general_images")

    def length(self, index: int) -> int:
        """Characters of row `index`, whether or not its picture can be read."""
        return text_length(self._at(index)[1])

    def _at(self, place: int) -> tuple[tuple[str, ...], list[dict[str, Any]]]:
        count = len(self.rows)
        return self.rows[_order(count, self.seed, place // count)[place % count]]


class Mixture(Dataset):
    """Our dialogues and general rows in turn: of every n rows, n * share are general, evenly spread."""

    def __init__(self, ours: Measured, general: GeneralRows, share: float) -> None:
        self.ours, self.general, self.share = ours, general, share

    def __len__(self) -> int:
        return len(self.ours)

    def __getitem__(self, index: int) -> dict[str, Any]:
        place = self._general_place(index)
        return self.ours[index] if place is None else self.general.draw(place)

    def length(self, index: int) -> int:
        """Characters of row `index`."""
        place = self._general_place(index)
        return self.ours.length(index) if place is None else self.general.length(place)

    def _general_place(self, index: int) -> int | None:
        """Which general row row `index` is; None for one of ours."""
        before, after = int(index * self.share), int((index + 1) * self.share)
        return before if after > before else None


def _read(path: Path) -> list[Any]:
    """A JSON list, or one JSON object per line."""
    try:
        text = path.read_text(encoding="utf-8")
        rows = json.loads(text) if text.lstrip().startswith("[") else [json.loads(x) for x in text.splitlines() if x]
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}", "name a LLaVA-JSON file") from error
    except ValueError as error:
        raise UserError(f"{path} is not valid JSON: {error}", "name a LLaVA-JSON file") from error
    return rows


def _parse(row: Any, images: Path) -> tuple[tuple[str, ...], list[dict[str, Any]]]:
    """Paths of the pictures, and messages in the convention of transformers."""
    if not isinstance(row, dict) or not isinstance(row.get("conversations"), list):
        raise BadRow("no conversations")
    named = row.get("image") or []
    paths = tuple(str(images / str(name)) for name in ([named] if isinstance(named, str) else named))
    if not paths:
        raise BadRow("no picture")
    messages = _messages(row["conversations"])
    if sum(item["type"] == "image" for message in messages for item in message["content"]) != len(paths):
        raise BadRow(f"not one {MARK} for each picture")
    if not all(Path(path).is_file() for path in paths):
        raise BadRow("a picture is missing")
    return paths, messages


def _messages(turns: list[Any]) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = []
    length = 0
    for question, answer in zip(turns[0::2], turns[1::2], strict=False):
        said = [_turn(question, "user"), _turn(answer, "assistant")]
        length += len(question["value"]) + len(answer["value"])
        if length > LONGEST:
            break
        messages += said
    if not messages:
        raise BadRow("no question with an answer, or too long")
    return messages


def _turn(turn: Any, role: str) -> dict[str, Any]:
    """One message; `<image>` in a question becomes an image item."""
    if not isinstance(turn, dict) or not isinstance(turn.get("value"), str) or ROLES.get(turn.get("from", "")) != role:
        raise BadRow("turns are not of human and gpt by turns")
    if role == "assistant":
        if not turn["value"].strip():
            raise BadRow("an empty answer")
        return {"role": role, "content": [{"type": "text", "text": turn["value"].strip()}]}
    content: list[dict[str, Any]] = []
    for number, text in enumerate(turn["value"].split(MARK)):
        content += [{"type": "image"}] if number else []
        content += [{"type": "text", "text": text.strip()}] if text.strip() else []
    return {"role": role, "content": content}


@lru_cache(maxsize=2)
def _order(count: int, seed: int, round_: int) -> np.ndarray:
    return np.random.default_rng((seed, round_)).permutation(count)


@lru_cache(maxsize=1000)
def _warn_once(message: str) -> None:
    log.warning("general data: %s; another row is taken", message)
