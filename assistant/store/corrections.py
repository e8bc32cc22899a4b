"""Corrections on disk: made, undone, listed; those that hold now, ready for the assistant."""

from dataclasses import dataclass

import numpy as np

from assistant import UserError
from assistant.corrections import Corrections, Mark
from assistant.images import ImageSource, load_image
from assistant.store.audit import AuditLog, file_name
from assistant.store.database import Database, clean_text, now
from assistant.store.pictures import Picture, Pictures
from assistant.store.products import must_exist

ACCEPTABLE, DEFECT = "acceptable", "defect"
LONGEST_KIND, LONGEST_NOTE = 60, 500


@dataclass(frozen=True)
class StoredCorrection:
    """One correction: `verdict` is "acceptable" or "defect"; `photo` and `mask` are digests; `undone` says when;
    `name` is what the photo's file was called, where that is known."""

    id: int
    product: int
    verdict: str
    photo: str
    mask: str
    kind: str
    note: str
    who: str
    at: str
    undone: str | None
    name: str = ""


class StoredCorrections:
    """What users corrected. Nothing is deleted but with its product; an undone correction only ceases to hold."""

    def __init__(self, database: Database, pictures: Pictures, log: AuditLog) -> None:
        self.database, self.pictures, self.log = database, pictures, log

    def accept(
        self, product: int, photo: ImageSource, mask: np.ndarray, note: str = "", who: str = "", name: str = ""
    ) -> int:
        """This is acceptable. `mask` is (H, W) bool over the photo, `name` that of its file. Returns the number.

        Raises:
            UserError: no such product, an empty mask or one of another size, a photo that cannot be read.
        """
        return self._add(product, ACCEPTABLE, photo, mask, "", (note, who, name))

    def mark_defect(
        self,
        product: int,
        photo: ImageSource,
        mask: np.ndarray,
        kind: str,
        note: str = "",
        who: str = "",
        name: str = "",
    ) -> int:
        """This is a defect of that kind, in the user's own words. Else as `accept`."""
        kind = clean_text(kind, "kind of defect", LONGEST_KIND)
        return self._add(product, DEFECT, photo, mask, kind, (note, who, name))

    def undo(self, correction: int, who: str = "") -> None:
        """It no longer holds; it stays in the list and the log as undone. Raises UserError if it is not there."""
        with self.database.write() as transaction:
            row = transaction.execute(
                "UPDATE corrections SET undone = ? WHERE id = ? AND undone IS NULL RETURNING *",
                (now(), correction),
            ).fetchone()
            if row is None:
                raise UserError("there is no such correction, or it is undone already", "reload the list")
            one = StoredCorrection(*row)
            said = {"correction": one.id, "verdict": one.verdict, "kind": one.kind, "digest": one.photo}
            self.log.add(transaction, "undone", one.product, who, one.name or one.photo, **said)

    def list(self, product: int, undone: bool = False) -> list[StoredCorrection]:
        """The corrections of a product, oldest first: those that hold, or with `undone` all that were ever made."""
        hold = "" if undone else "AND undone IS NULL"
        rows = self.database.read(f"SELECT * FROM corrections WHERE product = ? {hold} ORDER BY id", product)
        return [StoredCorrection(*row) for row in rows]

    def mark(self, correction: StoredCorrection) -> Mark:
        """Its place and kind as the assistant takes them."""
        photo, mask = (self.pictures.path(digest) for digest in (correction.photo, correction.mask))
        return Mark(photo, mask, correction.kind)

    def active(self, product: int) -> Corrections:
        """What holds now, for `Assistant.inspect`."""
        held = self.list(product)
        accepted = tuple(self.mark(one) for one in held if one.verdict == ACCEPTABLE)
        return Corrections(accepted, tuple(self.mark(one) for one in held if one.verdict == DEFECT))

    def _add(
        self, product: int, verdict: str, photo: ImageSource, mask: np.ndarray, kind: str, said: tuple[str, str, str]
    ) -> int:
        """`said` are note, user and name of the photo's file."""
        pixels = load_image(photo)
        if mask.shape != pixels.shape[:2]:
            raise UserError(f"the mask is {mask.shape}, the photo {pixels.shape[:2]}", "mark a place on this photo")
        if not mask.any():
            raise UserError("nothing is marked", "mark a place on the photo")
        pictures = Picture.of(pixels), Picture.of(mask.astype(bool))
        note, who, name = said
        note = clean_text(note, "note", LONGEST_NOTE, empty=True)
        who, name = clean_text(who, "user's name", 80, empty=True), file_name(name)
        with self.database.write() as transaction:
            must_exist(transaction, product)
            digests = [self.pictures.write(picture) for picture in pictures]
            columns = "product, verdict, photo, mask, kind, note, who, at, name"
            inserted = transaction.execute(
                f"INSERT INTO corrections ({columns}) VALUES (?,?,?,?,?,?,?,?,?)",
                (product, verdict, *digests, kind, note, who, now(), name),
            )
            number = inserted.lastrowid
            assert number is not None
            place = {"area": int(mask.sum()), "size": [mask.shape[1], mask.shape[0]], "digest": digests[0]}
            about = {"correction": number, "kind": kind, **place}
            self.log.add(transaction, verdict, product, who, name or digests[0], **about)
        return number
