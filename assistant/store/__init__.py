"""What users tell the assistant about their products, kept on disk: reference photos, corrections, and who said what.

    FOLDER/store.sqlite   products, corrections, audit log
    FOLDER/pictures/      photos and masks, each under the hash of its pixels

The database is Python's own `sqlite3`: one file, transactions that survive a kill and a power cut, nothing to install
or to keep running; and a few tables need no object mapper.
"""

import os
from pathlib import Path

from assistant.store.audit import AuditLog
from assistant.store.corrections import StoredCorrections
from assistant.store.database import Database
from assistant.store.pictures import Pictures
from assistant.store.products import Products


class Store:
    """Everything kept under one folder. Any number of threads may use one `Store`, any number of processes one folder.

    Args:
        folder: made where it is missing; without it, the user's own data folder.

    Raises:
        UserError: the folder cannot be written, is damaged, or was written by a newer version.
    """

    def __init__(self, folder: str | Path | None = None) -> None:
        self.folder = default_folder() if folder is None else Path(folder)
        self.database = Database(self.folder / "store.sqlite")
        self.pictures = Pictures(self.folder / "pictures", self.database)
        self.log = AuditLog(self.database)
        self.products = Products(self.database, self.pictures, self.log)
        self.corrections = StoredCorrections(self.database, self.pictures, self.log)
        self.pictures.clean()

    def close(self) -> None:
        """Let go of the database's file; nothing is lost where this is never called."""
        self.database.close()


def default_folder() -> Path:
    """The user's data folder by the XDG Base Directory Specification."""
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "anomaly-assistant"
