"""Who decided what, and when: lines are added and never changed."""

import json
import sqlite3
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from assistant.inspection import Inspection
from assistant.store.database import Database, clean_text, now

LONGEST_NAME = 200  # of a photo's file; systems allow 255 bytes


@dataclass(frozen=True)
class Entry:
    """One line: `product` is its number, None for a verdict without one, and `name` what it was called then."""

    id: int
    at: str
    who: str
    event: str
    product: int | None
    name: str
    photo: str
    details: dict[str, Any]


class AuditLog:
    """The log of verdicts, corrections and changes of products."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def add_verdict(self, inspection: Inspection, product: int | None = None, who: str = "") -> None:
        """Note what was found on a photo, under the name of its file."""
        found = inspection.to_json()
        details = {key: found[key] for key in ("verdict", "probability", "regions", "references", "model")}
        with self.database.write() as transaction:
            self.add(transaction, "verdict", product, who, photo=PurePath(inspection.image).name, **details)

    def add(
        self,
        transaction: sqlite3.Connection,
        event: str,
        product: int | None,
        who: str,
        photo: str = "",
        **details: Any,
    ) -> None:
        """Note an event in the transaction that does it, so that neither can be kept without the other."""
        row = transaction.execute("SELECT name FROM products WHERE id = ?", (product,)).fetchone()
        values = (now(), clean_text(who, "name of the user", 80, empty=True), event, product, row[0] if row else "")
        transaction.execute(
            "INSERT INTO log (at, who, event, product, name, photo, details) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (*values, file_name(photo), json.dumps(details, ensure_ascii=False)),
        )

    def entries(self, product: int | None = None, latest: int | None = None, before: int | None = None) -> list[Entry]:
        """The lines of one product or of all, newest first; only the `latest` few, and only those that are older than
        line `before`, where numbers are given."""
        wanted = [(text, value) for text, value in (("product = ?", product), ("id < ?", before)) if value is not None]
        where = f"WHERE {' AND '.join(text for text, _ in wanted)}" if wanted else ""
        values = [value for _, value in wanted]
        rows = self.database.read(f"SELECT * FROM log {where} ORDER BY id DESC LIMIT ?", *values, latest or -1)
        return [Entry(**{**row, "details": json.loads(row["details"])}) for row in map(dict, rows)]


def file_name(name: str) -> str:
    """The name of a photo's file as it is kept: nothing of it is refused, and nothing of it can act."""
    return "".join(c if c.isprintable() else "?" for c in name)[-LONGEST_NAME:]
