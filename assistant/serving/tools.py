"""What programs call by name: `inspect` and `ask`, in Gradio's API and as tools of its MCP server."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import gradio as gr
import numpy as np

from assistant import UserError
from assistant.conversation import Chat
from assistant.images import load_image
from assistant.serving.conversations import check_question, decode
from assistant.serving.limits import MAX_REFERENCES
from assistant.serving.subjects import open_chat
from assistant.serving.uploads import SERVED, guard
from assistant.web.workshop import Workshop

T = TypeVar("T")


def build_tools(workshop: Workshop) -> None:
    """The functions, inside the page that is being built."""

    def inspect(photo: gr.FileData, references: list[gr.FileData] = [], product: str = "") -> dict:  # noqa: B006
        """Find defects on a photo of a part: verdict, calibrated probability, regions with place, size and kind.

        Args:
            photo: The photo of the part.
            references: One to four photos of good parts of the same product, to compare with.
            product: The name of a stored product, instead of references.

        Returns:
            The inspection: "verdict" (defective, good or unsure), "probability" of a defect in [0, 1], "regions".
        """
        return _told(lambda: _open(workshop, photo, references, product).inspection.to_json())

    def ask(
        photo: gr.FileData,
        question: str,
        references: list[gr.FileData] = [],  # noqa: B006
        product: str = "",
    ) -> tuple[str, dict]:
        """Ask a question about a photo of a part; the answer never contradicts the inspection beside it.

        Args:
            photo: The photo of the part.
            question: For instance "Is there a defect, and where?"
            references: One to four photos of good parts of the same product, to compare with.
            product: The name of a stored product, instead of references.

        Returns:
            The answer in words, and the inspection that it rests on.
        """

        def answer() -> tuple[str, dict[str, Any]]:
            asked = check_question(question)
            chat = _open(workshop, photo, references, product)
            return chat.ask(asked), chat.inspection.to_json()

        return _told(answer)

    for function in (inspect, ask):
        gr.api(function, api_name=function.__name__, concurrency_id="model")


def _open(workshop: Workshop, photo: Any, references: Any, product: str) -> Chat:
    if len(references) > MAX_REFERENCES:
        raise UserError(f"there are {len(references)} references", f"give at most {MAX_REFERENCES}")
    return open_chat(workshop, _picture(photo), [_picture(one) for one in references], product)


def _picture(file: Any) -> np.ndarray:
    """Pixels (H, W, 3) of an upload, of the address that this server gave it, or of a data URL."""
    if isinstance(file, str) and SERVED in file:  # one of several, which Gradio leaves as an MCP client sent it
        file = guard({"path": file})
    if isinstance(file, str):
        return decode(file)
    if not isinstance(file, dict) or not isinstance(file.get("path"), str):
        raise UserError("this is not a photo", "upload one, as Gradio's clients do, or send a data URL")
    return load_image(Path(file["path"]).read_bytes())  # a complaint then names no path of this machine


def _told(work: Callable[[], T]) -> T:
    try:
        return work()
    except UserError as error:
        raise gr.Error(str(error), print_exception=False) from error
