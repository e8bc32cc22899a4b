"""Where a benchmark comes from: a folder of photos, or a file of JSON read once so that its kind can be told."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from assistant import UserError

ENDINGS = (".jsonl", ".json")


@dataclass(frozen=True)
class Source:
    """A folder (nothing read), one JSON object (`table`), or a list (`entries`: number -> value, None for no JSON)."""

    path: Path
    table: dict[str, Any] | None = None
    entries: dict[int, Any] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        return self.path if self.path.is_dir() else self.path.parent

    def any_entry(self, *keys: str) -> bool:
        """Does an entry hold all these keys?"""
        return any(isinstance(entry, dict) and set(keys) <= entry.keys() for entry in self.entries.values())


def read_source(path: Path) -> Source:
    """Read a file of questions: one JSON value, or one a line. Blank lines count in the numbers, nowhere else.

    Raises:
        UserError: no such file or folder, not JSON by its ending, or not UTF-8.
    """
    if path.is_dir():
        return Source(path)
    if path.suffix.lower() not in ENDINGS:
        raise UserError(
            f"{path} is not a file of questions", f"name one that ends in {' or '.join(ENDINGS)}, or a folder"
        )
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} cannot be read", "name a file of questions in UTF-8") from error
    if path.suffix.lower() == ".json":
        try:
            value = json.loads(text)
        except ValueError:
            pass  # one object a line, under the other ending
        else:
            is_table = isinstance(value, dict)
            entries = dict(enumerate(value if isinstance(value, list) else [value], start=1))
            return Source(path, value if is_table else None, {} if is_table else entries)
    return Source(path, None, dict(_lines(text)))


def _lines(text: str) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                yield number, json.loads(line)
            except ValueError:
                yield number, None
