"""The one SQLite file: opened, brought up to date, shared by threads."""

import contextlib
import sqlite3
import threading
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from assistant import UserError

# Step n brings a file of version n to n + 1. A step that was released is never edited: add one below.
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE products (
            id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, folded TEXT NOT NULL UNIQUE, created TEXT NOT NULL
        )""",
        """CREATE TABLE normals (
            product INTEGER NOT NULL REFERENCES products ON DELETE CASCADE,
            photo TEXT NOT NULL, name TEXT NOT NULL, added TEXT NOT NULL, PRIMARY KEY (product, photo)
        )""",
        """CREATE TABLE corrections (
            id INTEGER PRIMARY KEY AUTOINCREMENT, product INTEGER NOT NULL REFERENCES products ON DELETE CASCADE,
            verdict TEXT NOT NULL CHECK (verdict IN ('acceptable', 'defect')), photo TEXT NOT NULL, mask TEXT NOT NULL,
            kind TEXT NOT NULL, note TEXT NOT NULL, who TEXT NOT NULL, at TEXT NOT NULL, undone TEXT
        )""",
        "CREATE INDEX corrections_of_product ON corrections (product)",
        # No reference to `products`: what was said outlives the product it was said of.
        """CREATE TABLE log (
            id INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, who TEXT NOT NULL, event TEXT NOT NULL,
            product INTEGER, name TEXT NOT NULL, photo TEXT NOT NULL, details TEXT NOT NULL
        )""",
        "CREATE INDEX log_of_product ON log (product)",
    ),
    ("ALTER TABLE corrections ADD COLUMN name TEXT NOT NULL DEFAULT ''",),  # of the photo's file
)
PATIENCE = 30.0  # seconds to wait for another process that is writing


class Database:
    """One connection behind a lock: every transaction here takes milliseconds, so threads may as well take turns.

    Args:
        path: made where it is missing.

    Raises:
        UserError: it cannot be opened, is damaged, or is of a later version.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        with self._mended():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._connection = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
            self._connection.row_factory = sqlite3.Row
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")  # a power cut loses nothing that was confirmed
            self._connection.execute("PRAGMA foreign_keys = ON")
        with self.write() as transaction:
            self._migrate(transaction)

    @contextlib.contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """A transaction, alone on the file (also among processes): all of it is kept, or nothing."""
        with self._lock, self._mended():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def read(self, query: str, *values: Any) -> list[sqlite3.Row]:
        """The rows of one query."""
        with self._lock, self._mended():
            return self._connection.execute(query, values).fetchall()

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def _migrate(self, transaction: sqlite3.Connection) -> None:
        version = transaction.execute("PRAGMA user_version").fetchone()[0]
        if version > len(MIGRATIONS):
            raise UserError(f"{self.path} was written by a newer version", "update anomaly-assistant")
        for step in MIGRATIONS[version:]:
            for statement in step:
                transaction.execute(statement)
        transaction.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")

    @contextlib.contextmanager
    def _mended(self) -> Iterator[None]:
        """Trouble with the file, the folder or the disk becomes one line."""
        try:
            yield
        except sqlite3.IntegrityError:
            raise  # a rule of ours was broken, which the caller words
        except (sqlite3.OperationalError, OSError) as error:  # full disk, no permission, locked for too long
            raise UserError(
                f"{self.path} cannot be used ({error})", "check the disk's free space and the folder's permissions"
            ) from error
        except sqlite3.DatabaseError as error:
            raise UserError(f"{self.path} is damaged ({error})", "restore it from a backup or move it away") from error


def now() -> str:
    """Time as it is kept: UTC, ISO 8601, milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def clean_text(text: str, what: str, longest: int, empty: bool = False) -> str:
    """Free text as it is kept: composed, in one line, trimmed.

    Raises:
        UserError: too long, empty though it may not be, or with characters that no text holds.
    """
    line = " ".join(unicodedata.normalize("NFC", text).split())
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in line):
        raise UserError(f"the {what} holds control characters", "use letters, digits and signs")
    if len(line) > longest:
        raise UserError(f"the {what} is too long ({len(line)} characters)", f"use at most {longest}")
    if not line and not empty:
        raise UserError(f"the {what} is empty", "write at least one letter")
    return line
