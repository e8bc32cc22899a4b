"""Photos and masks on disk, each once, under the hash of its pixels."""

import hashlib
import io
import os
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from assistant import UserError
from assistant.store.database import Database

DIGEST = re.compile(r"[0-9a-f]{64}")
IN_USE = """SELECT photo FROM normals UNION SELECT photo FROM corrections UNION SELECT mask FROM corrections"""


@dataclass(frozen=True)
class Picture:
    """A picture ready to be written: SHA-256 of its pixels, and a PNG of them."""

    digest: str
    png: bytes

    @classmethod
    def of(cls, pixels: np.ndarray) -> "Picture":
        """From a photo (H, W, 3) uint8 or a mask (H, W) bool.

        What is kept is drawn anew from pixels, so nothing else of an uploaded file (a place in its EXIF data, a script
        behind its end) reaches the disk, and one photo in two formats is one picture.
        """
        png = io.BytesIO()
        Image.fromarray(pixels).save(png, "PNG", compress_level=1)  # 12 MP in half a second; the default takes three
        return cls(digest_of(pixels), png.getvalue())


def digest_of(pixels: np.ndarray) -> str:
    """The name of a picture: SHA-256 of its pixels, type and size, whatever file they came from."""
    return hashlib.sha256(f"{pixels.dtype} {pixels.shape}\n".encode() + pixels.tobytes()).hexdigest()


class Pictures:
    """The folder of pictures. A file is written before the row that names it, inside the row's transaction.

    Whoever writes is alone, so a file that no row names is left over from a kill and may go.
    """

    def __init__(self, folder: Path, database: Database) -> None:
        self.folder, self.database = folder, database
        try:
            folder.mkdir(exist_ok=True, mode=0o700)
        except OSError as error:
            raise UserError(f"{folder} cannot be made ({error.strerror})", "check the folder's permissions") from error

    def path(self, digest: str) -> Path:
        """Where a picture lies. Raises UserError for what is no hash, such as a path that leads elsewhere."""
        if not DIGEST.fullmatch(digest):
            raise UserError("that is not the name of a picture", "take one from the store's own lists")
        return self.folder / f"{digest}.png"

    def write(self, picture: Picture) -> str:
        """Put a picture there unless it is; call it inside a transaction that names it. Returns its digest."""
        path = self.path(picture.digest)
        if not path.exists():
            part = path.with_suffix(".part")
            with part.open("wb") as file:
                file.write(picture.png)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
            _sync(self.folder)
        return picture.digest

    def clean(self) -> None:
        """Delete what no row names."""
        with self.database.write() as transaction:
            used = {f"{row[0]}.png" for row in transaction.execute(IN_USE)}
            for file in self.folder.iterdir():
                if file.name not in used and file.suffix in (".png", ".part"):
                    file.unlink()


def _sync(folder: Path) -> None:
    """Make the names in a folder survive a power cut, where the system lets one."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
