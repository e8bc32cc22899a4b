"""The prompt of a model that has no map: a role, references and photo as pictures, the questions as they are.

The order is that of MMAD (Jiang et al., ICLR 2025): task, normal samples announced as such, photo, question.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from assistant.evaluation import Row
from assistant.images import load_image

ROLE = "You are an industrial inspector. Look at the photo of a part and answer briefly."
NORMAL = "Good parts of this product:"
PHOTO = "The photo to inspect:"
MAX_NEW_TOKENS = 128  # as MMAD gives every model
Photos = list[Image.Image]  # the references first, the photo last


def build_messages(
    pictures: Sequence[dict[str, Any]], questions: Sequence[str], replies: Sequence[str], instruction: str | None = None
) -> list[Any]:
    """Messages in the convention of transformers and of OpenAI alike.

    Args:
        pictures: content items, the references first and the photo last.
        questions: the first question carries the pictures.
        replies: as many as there are questions, or one less where the last is to be answered.
        instruction: what stands first; the benchmark's own where it has one.
    """
    *references, photo = pictures
    opening = [_text(instruction or ROLE), *([_text(NORMAL), *references] if references else []), _text(PHOTO), photo]
    messages: list[Any] = []
    for i, question in enumerate(questions):
        messages.append({"role": "user", "content": [*([] if i else opening), _text(question)]})
        if i < len(replies):
            messages.append({"role": "assistant", "content": [_text(replies[i])]})
    return messages


def _text(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def open_photos(row: Row, folder: Path) -> Photos:
    """The references of a row and its photo.

    Raises:
        UserError: one of them cannot be read.
    """
    return [Image.fromarray(load_image(folder / path)) for path in (*row["references"], row["image"])]
