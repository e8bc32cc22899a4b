"""A photo to draw on in the browser, and what was drawn on it."""

import base64
import io
import json
import math
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
from PIL import Image, ImageDraw

from assistant import UserError
from assistant.area import Area, Piece

TEMPLATE = Path(__file__).with_name("drawing.html").read_text(encoding="utf-8")
SCRIPT = Path(__file__).with_name("drawing.js").read_text(encoding="utf-8")
SHOWN = 800  # pixels a side of the copy that is drawn on
LONGEST = 400_000  # characters of a drawing: some twenty thousand points
WIDEST = 0.12  # of the photo's width: the broadest brush
MASK_SIDE = 1024  # pixels a side at which strokes are drawn; finer than a hand and than the map


def drawing_surface(elem_id: str) -> gr.HTML:
    """The component: `picture` is what it shows (see `backdrop`), its value what was drawn (see `drawn_piece`)."""
    return gr.HTML(
        "", label="Photo to mark a place on", html_template=TEMPLATE, js_on_load=SCRIPT, picture="", elem_id=elem_id,
        apply_default_css=False,
    )  # fmt: skip


def backdrop(picture: Image.Image) -> str:
    """A small copy of a picture as an address that needs no file."""
    small = picture.convert("RGB")
    small.thumbnail((SHOWN, SHOWN))
    data = io.BytesIO()
    small.save(data, "JPEG", quality=85)
    return "data:image/jpeg;base64," + base64.b64encode(data.getvalue()).decode()


def drawn_piece(drawing: str, size: tuple[int, int]) -> Piece | None:
    """What was drawn on a photo of `size` (width, height), or None where nothing is.

    Args:
        drawing: JSON, positions in parts of the photo's sides: {"box": [x0, y0, x1, y1]}, or {"strokes": [{"width": w,
            "points": [[x, y], ...]}, ...]}; empty for nothing.

    Raises:
        UserError: it is neither, as nobody's browser would send it.
    """
    if not drawing:
        return None
    try:
        if len(drawing) > LONGEST:
            raise ValueError("too long")
        said = json.loads(drawing)
        return _box(said["box"], size) if "box" in said else _strokes(said["strokes"], size)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise UserError("what was drawn cannot be read", "clear it and draw again") from error


def _box(edges: Any, size: tuple[int, int]) -> Piece:
    x0, y0, x1, y1 = (_part(edge) for edge in edges)
    width, height = size
    left, top = min(x0 * width, width - 1), min(y0 * height, height - 1)  # a line along the edge is a row of pixels
    return Area.from_box(size, (round(left), round(top), round(x1 * width), round(y1 * height))).only[0]


def _strokes(strokes: Any, size: tuple[int, int]) -> Piece:
    scale = min(1.0, MASK_SIDE / max(size))
    width, height = (max(1, round(side * scale)) for side in size)
    mask = Image.new("1", (width, height))
    pen = ImageDraw.Draw(mask)
    for stroke in strokes:
        radius = max(0.5, min(WIDEST, _part(stroke["width"])) * width / 2)
        points = [(_part(x) * width, _part(y) * height) for x, y in stroke["points"]]
        if len(points) > 1:
            pen.line(points, fill=1, width=max(1, round(2 * radius)))
        for x, y in points:  # round ends and joints
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=1)
    return Area.from_brush(np.asarray(mask.resize(size, Image.Resampling.NEAREST))).only[0]


def _part(number: Any) -> float:
    """A part of a side, in [0, 1]."""
    value = float(number)
    if not math.isfinite(value):
        raise ValueError("not a number")
    return min(1.0, max(0.0, value))
