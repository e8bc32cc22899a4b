"""Rows of small pictures with buttons, as HTML: photos of the conversation, good parts; and how their clicks arrive."""

import base64
import functools
import html
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
from PIL import Image

from assistant.images import load_image

SIDE = 120  # pixels: sharp at 60 on a dense screen
# A click on anything with `data-do="EVENT" data-item="..."` becomes that event of the component, with the item.
CLICKS = Path(__file__).with_name("clicks.js").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Thumb:
    """One picture: `item` is what its clicks tell, `name` what a screen reader says; `mark` is a badge (HTML)."""

    item: str
    name: str
    source: str
    mark: str = ""
    pressed: bool = False


def strip(thumbs: Sequence[Thumb], label: str, *, select: bool, remove: str = "") -> str:
    """A list of pictures that can be chosen, with `select`, or removed, by buttons called `remove` NAME."""
    items = ""
    for thumb in thumbs:
        name = html.escape(thumb.name)
        picture = f'<img src="{thumb.source}" alt="" draggable="false">{thumb.mark}'
        if select:
            pressed = str(thumb.pressed).lower()
            picture = (
                f'<button type="button" data-do="select" data-item="{thumb.item}" aria-pressed="{pressed}" '
                f'aria-label="Show {name}" title="{name}">{picture}</button>'
            )
        else:
            picture = f'<span class="still" role="img" aria-label="{name}" title="{name}">{picture}</span>'
        if remove:
            picture += (
                f'<button type="button" class="remove" data-do="delete" data-item="{thumb.item}" '
                f'aria-label="{remove} {name}" title="{remove}">×</button>'
            )
        items += f"<li>{picture}</li>"
    return f'<ul class="strip" aria-label="{html.escape(label)}">{items}</ul>' if items else ""


def clickable(**about: Any) -> gr.HTML:
    """An HTML component whose buttons are events."""
    return gr.HTML(js_on_load=CLICKS, **about)


def clicked(event: gr.EventData) -> str:
    """The `data-item` of what was clicked; it comes from the browser, so it may be anything."""
    return str(getattr(event, "item", ""))


def thumbnail(pixels: np.ndarray) -> str:
    """A photo (H, W, 3), small, as a data URI."""
    step = max(1, min(pixels.shape[:2]) // SIDE)
    small = Image.fromarray(pixels[::step, ::step] if step > 8 else pixels)  # a quick first cut of a large photo
    small.thumbnail((2 * SIDE, SIDE))
    data = io.BytesIO()
    small.save(data, "WEBP", quality=80)
    return f"data:image/webp;base64,{base64.b64encode(data.getvalue()).decode()}"


@functools.lru_cache(maxsize=512)
def stored_thumbnail(path: Path) -> str:
    """The same of a picture in the store, which never changes."""
    return thumbnail(load_image(path))
