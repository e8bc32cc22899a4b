"""Files to take away: copied to where the page may hand them out, and where they are deleted after some hours."""

import hashlib
import shutil
from pathlib import Path

from gradio.utils import get_upload_folder

from assistant import UserError


def offer(source: Path, name: str) -> str:
    """A copy of a file under a name for people; only this copy can be fetched, never the store.

    Raises:
        UserError: it cannot be copied.
    """
    about = source.stat()
    key = hashlib.sha256(f"{source} {about.st_size} {about.st_mtime_ns}".encode()).hexdigest()[:32]
    path = Path(get_upload_folder()) / key / "".join(c if c.isalnum() or c in "-_." else "-" for c in name)[-100:]
    if not path.is_file():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_suffix(".part")
            shutil.copyfile(source, part)
            part.replace(path)
        except OSError as error:
            raise UserError(f"{name} cannot be prepared ({error.strerror})", "free some space and try again") from error
    return str(path)
