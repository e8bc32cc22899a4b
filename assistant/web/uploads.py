"""Files as the page sends them."""

from pathlib import Path
from typing import Any

import numpy as np

from assistant import UserError
from assistant.images import load_image

File = dict[str, Any]  # "path" on the server, "orig_name" on the visitor's machine
Uploads = list[dict[str, File]]  # the value of a gallery


def files_of(uploads: Uploads | None) -> list[File]:
    """The files in a gallery's value."""
    return [item.get("image") or item["video"] for item in uploads or []]


def name_of(file: File) -> str:
    """What the visitor calls a file."""
    return "".join(c if c.isprintable() else "?" for c in file.get("orig_name") or "photo")


def opened(file: File) -> np.ndarray:
    """Pixels of an uploaded file; a complaint names it as the visitor knows it."""
    path = Path(file["path"])
    try:
        return load_image(path)
    except UserError as error:
        raise UserError(error.what.replace(str(path), name_of(file)), error.how) from error
