"""Products and the photos of good parts that belong to each."""

import contextlib
import sqlite3
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from assistant import UserError
from assistant.images import ImageSource, load_image
from assistant.store.audit import AuditLog
from assistant.store.database import Database, clean_text, now
from assistant.store.pictures import Picture, Pictures

LONGEST_NAME = 80


@dataclass(frozen=True)
class Normal:
    """A stored photo of a good part: its digest, what its file was called, and where it lies."""

    photo: str
    name: str
    path: Path


@dataclass(frozen=True)
class StoredProduct:
    """A product with its photos of good parts, in the order in which they were added."""

    id: int
    name: str
    created: str
    normals: tuple[Normal, ...]

    @property
    def references(self) -> list[Path]:
        """What `Assistant.inspect` compares with."""
        return [normal.path for normal in self.normals]


class Products:
    """Make, name, list and remove products. All changes raise UserError for a product that is gone."""

    def __init__(self, database: Database, pictures: Pictures, log: AuditLog) -> None:
        self.database, self.pictures, self.log = database, pictures, log

    def create(self, name: str, who: str = "") -> StoredProduct:
        """A new product without photos. Raises UserError for a name that is taken, empty or too long."""
        name = clean_text(name, "product's name", LONGEST_NAME)
        with self.database.write() as transaction:
            values = (name, _folded(name), now())
            with _unique(name):
                inserted = transaction.execute("INSERT INTO products (name, folded, created) VALUES (?, ?, ?)", values)
            number = inserted.lastrowid
            assert number is not None
            self.log.add(transaction, "product created", number, who)
        return self.get(number)

    def rename(self, product: int, name: str, who: str = "") -> None:
        """Another name. Raises UserError for one that is taken, empty or too long."""
        name = clean_text(name, "product's name", LONGEST_NAME)
        with self.database.write() as transaction:
            before = must_exist(transaction, product)
            with _unique(name):
                values = (name, _folded(name), product)
                transaction.execute("UPDATE products SET name = ?, folded = ? WHERE id = ?", values)
            self.log.add(transaction, "product renamed", product, who, before=before)

    def remove(self, product: int, who: str = "") -> None:
        """Forget a product with its photos and corrections; the log keeps what was decided."""
        with self.database.write() as transaction:
            must_exist(transaction, product)
            self.log.add(transaction, "product removed", product, who)
            transaction.execute("DELETE FROM products WHERE id = ?", (product,))
        self.pictures.clean()

    def add_normal(self, product: int, image: ImageSource, name: str = "", who: str = "") -> str:
        """Keep a photo of a good part; once more is no change. Returns its digest; UserError if it cannot be read."""
        picture = Picture.of(load_image(image))
        name = clean_text(name or (Path(image).name if isinstance(image, str | Path) else "photo"), "photo's name", 200)
        with self.database.write() as transaction:
            must_exist(transaction, product)
            self.pictures.write(picture)
            values = (product, picture.digest, name, now())
            inserted = transaction.execute("INSERT OR IGNORE INTO normals VALUES (?, ?, ?, ?)", values)
            if inserted.rowcount:
                self.log.add(transaction, "reference added", product, who, photo=name, digest=picture.digest)
        return picture.digest

    def remove_normal(self, product: int, photo: str, who: str = "") -> None:
        """Forget a photo of a good part, by its digest."""
        with self.database.write() as transaction:
            must_exist(transaction, product)
            values = (product, photo)
            row = transaction.execute("SELECT name FROM normals WHERE product = ? AND photo = ?", values).fetchone()
            if row is None:
                raise UserError("the product has no such photo", "reload the list of its photos")
            transaction.execute("DELETE FROM normals WHERE product = ? AND photo = ?", values)
            self.log.add(transaction, "reference removed", product, who, photo=row[0], digest=photo)
        self.pictures.clean()

    def get(self, product: int) -> StoredProduct:
        """One product by its number. Raises UserError where there is none."""
        found = next((one for one in self.list() if one.id == product), None)
        if found is None:
            raise gone()
        return found

    def list(self) -> list[StoredProduct]:
        """All products by name."""
        photos: dict[int, list[Normal]] = {}
        for row in self.database.read("SELECT product, photo, name FROM normals ORDER BY rowid"):
            photo = Normal(row["photo"], row["name"], self.pictures.path(row["photo"]))
            photos.setdefault(row["product"], []).append(photo)
        rows = self.database.read("SELECT id, name, created FROM products ORDER BY folded")
        return [StoredProduct(row["id"], row["name"], row["created"], tuple(photos.get(row["id"], ()))) for row in rows]


def must_exist(transaction: sqlite3.Connection, product: int) -> str:
    """The name of a product, within a transaction that is about to change it. Raises UserError where there is none."""
    row = transaction.execute("SELECT name FROM products WHERE id = ?", (product,)).fetchone()
    if row is None:
        raise gone()
    return str(row[0])


def gone() -> UserError:
    return UserError("there is no such product", "reload the list of products; someone may have removed it")


def _folded(name: str) -> str:
    """What two names must not share: compatibility forms and capitals count as equal."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


@contextlib.contextmanager
def _unique(name: str) -> Iterator[None]:
    try:
        yield
    except sqlite3.IntegrityError as error:
        raise UserError(f"there is already a product called {name!r}", "choose another name") from error
