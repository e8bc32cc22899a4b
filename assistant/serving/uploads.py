"""Which files a visitor's request may name: their uploads and this server's own pictures, nothing else of the disk."""

from pathlib import Path
from typing import Any

import gradio as gr
from gradio.utils import get_upload_folder

SERVED = "/gradio_api/file="  # in the address of a file that this server itself hands out


class GuardedBlocks(gr.Blocks):
    """A page whose events take no path from outside the folder of uploads.

    Gradio sees to that for files that are marked as such; one without the mark would reach an event as it is, and
    one with an address would be fetched.
    """

    async def preprocess_data(
        self, block_fn: Any, inputs: list[Any], state: Any, explicit_call: bool = False
    ) -> list[Any]:
        checked = inputs if explicit_call else guard(inputs)
        return await super().preprocess_data(block_fn, checked, state, explicit_call)


def guard(value: Any) -> Any:
    """The same JSON, with each "path" resolved. Raises gr.Error for one that is not in the folder of uploads."""
    if isinstance(value, list):
        return [guard(item) for item in value]
    if not isinstance(value, dict):
        return value
    checked = {key: guard(item) for key, item in value.items()}
    if checked.get("path") is not None:
        checked["path"] = _uploaded(checked["path"])
    return checked


def _uploaded(path: Any) -> str:
    """The real path of an upload, whatever links lead there."""
    named = str(path)
    if SERVED in named:
        named = named.partition(SERVED)[2]
    folder = Path(get_upload_folder()).resolve()
    try:
        found = Path(named).resolve(strict=True)
    except (OSError, ValueError, RuntimeError):  # not there; a zero byte in it; a link to itself
        found = None
    if found is None or not found.is_relative_to(folder) or not found.is_file():
        raise gr.Error("This is not an uploaded file: upload the photo first.", print_exception=False)
    return str(found)
