"""The list of a product's corrections as HTML: what was said of which place, by whom and when, each with its undo."""

import base64
import functools
import html
import io
from datetime import datetime
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps
from scipy import ndimage

from assistant import UserError
from assistant.area import bounds
from assistant.corrections import Mark
from assistant.store import Store
from assistant.store.corrections import ACCEPTABLE, StoredCorrection
from assistant.web.picture import window

SIDE = 64  # pixels of a thumbnail on the page
RIM = (94, 234, 212)  # around the marked place
UNNAMED = "defect"  # its kind, where nobody says
MOST = 100  # corrections in the list, the newest


def describe(correction: StoredCorrection) -> str:
    """What was said: 'this is acceptable', 'this is a defect, "scratch"'."""
    return said(correction.verdict, correction.kind)


def said(verdict: str, kind: str) -> str:
    """The same of a verdict and a kind."""
    if verdict == ACCEPTABLE:
        return "this is acceptable"
    return "this is a defect" + (f', "{kind}"' if kind not in (UNNAMED, "") else "")


def correction_list(store: Store, product: int) -> str:
    """All corrections, newest first; those that are undone stay, without their button."""
    made = store.corrections.list(product, undone=True)
    if not made:
        return "<p>No corrections yet.</p>"
    rows = "".join(_row(store, one) for one in reversed(made[-MOST:]))
    more = f"<p>The newest {MOST} of {len(made)}.</p>" if len(made) > MOST else ""
    return f'<ul class="corrections">{rows}</ul>{more}'


def _row(store: Store, one: StoredCorrection) -> str:
    kind = "Defect" if one.kind == UNNAMED else f"Defect: {one.kind}"
    words = html.escape("Acceptable" if one.verdict == ACCEPTABLE else kind)
    about = html.escape(" · ".join(filter(None, (one.name, one.who, _time(one.at)))))
    if one.undone is None:
        click = f'data-do="delete" data-item="{one.id}"'
        end = f'<button type="button" {click} aria-label="Undo: {words}, {about}">Undo</button>'
    else:
        end = f"<em>undone {html.escape(_time(one.undone))}</em>"
    picture = f'<img src="{thumbnail(store.corrections.mark(one))}" alt="" width="{SIDE}" height="{SIDE}">'
    style = ' class="undone"' if one.undone else ""
    return f"<li{style}>{picture}<span><b>{words}</b><small>{about}</small></span>{end}</li>"


def thumbnail(mark: Mark) -> str:
    """The marked place with what is around it, as an address that needs no file; empty where a picture is missing."""
    return _thumbnail(str(mark.photo), str(mark.mask))


@functools.lru_cache(maxsize=512)  # 5 KB each; the files are named by their content, so none ever changes
def _thumbnail(photo: str, mask: str) -> str:
    try:
        pixels, place = Mark(Path(photo), Path(mask)).load()
    except UserError:
        return ""
    height, width = place.shape
    x0, y0, x1, y1 = window(bounds(place), (width, height))
    pixels, place = pixels[y0:y1, x0:x1], place[y0:y1, x0:x1]
    rim = ndimage.binary_dilation(place, iterations=max(1, max(place.shape) // SIDE)) & ~place
    pixels = np.where(rim[..., None], np.array(RIM, np.uint8), pixels)
    cut = Image.fromarray(pixels)
    data = io.BytesIO()
    ImageOps.pad(cut, (2 * SIDE, 2 * SIDE), color=(128, 128, 128)).save(data, "JPEG", quality=80)
    return "data:image/jpeg;base64," + base64.b64encode(data.getvalue()).decode()


def _time(stored: str) -> str:
    """As the server's clock shows it, without seconds."""
    return datetime.fromisoformat(stored).astimezone().strftime("%Y-%m-%d %H:%M")
