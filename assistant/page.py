"""What the web page shows, as HTML and pictures: badge, regions, remarks, overlay; and its style.

Small and pure, apart from the page itself, so that each piece is tested without a browser.
"""

import html
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from PIL import Image

from assistant.inspection import Inspection, Region
from assistant.report import SCALE, colorize, overlay
from assistant.wording import look

VIEWS = ("Overlay", "Map", "Photo")
SCREEN = 1200  # pixels a side that a screen shows; a larger photo only makes the slider slow
VERDICTS = {"good": ("✓", "Good"), "defective": ("✕", "Defective"), "unsure": ("?", "Unsure")}
STOPS = ", ".join(f"rgb({red} {green} {blue}) {score:.0%}" for score, red, green, blue in SCALE)
CSS = """
.gradio-container { max-width: 1560px !important; padding: 10px 18px !important }
#title { display: flex; align-items: baseline; gap: 12px; flex-wrap: wrap }
#title h1 { font-size: 1.35rem; margin: 0 } #title span { opacity: .75 }
.card { border-radius: 10px; border: 1px solid var(--border-color-primary); border-left: 6px solid var(--tone, #94a3b8);
  padding: 10px 14px; background: color-mix(in srgb, var(--tone, #94a3b8) 12%, var(--background-fill-primary)) }
.good { --tone: #16a34a } .defective { --tone: #dc2626 } .unsure, .problem { --tone: #d97706 }
.card b { font-size: 1.3rem } .card p { margin: 2px 0 0 } .card .row { display: flex; align-items: center; gap: 10px }
.mark { width: 1.7rem; height: 1.7rem; border-radius: 50%; background: var(--tone); color: #fff; display: grid;
  place-items: center; font-weight: 700; flex: none }
.meter { flex: 1; min-width: 60px; height: 8px; border-radius: 4px; background: var(--border-color-primary) }
.meter i { display: block; height: 100%; border-radius: 4px; background: var(--tone) }
.scale { height: 8px; border-radius: 4px; background: linear-gradient(90deg, STOPS) }
.ends { display: flex; justify-content: space-between; font-size: .78rem; opacity: .8 }
.regions { width: 100%; border-collapse: collapse; margin-top: 8px; font-size: .88rem }
.regions th { text-align: left; font-weight: 600; opacity: .75 }
.regions th, .regions td { padding: 4px 8px 4px 0; border-bottom: 1px solid var(--border-color-primary) }
.notes { margin: 8px 0 0; padding-left: 18px; font-size: .88rem }
.time { font-size: .8rem; opacity: .7; margin-top: 6px }
#questions button { flex: 0 1 auto; min-width: 0; border-radius: 999px }
""".replace("STOPS", STOPS)
LEGEND = (
    '<div class="scale" aria-hidden="true"></div>'
    '<div class="ends"><span>normal</span><span>as likely as not</span><span>anomalous</span></div>'
)


def draw(photo: np.ndarray, inspection: Inspection, view: str, opacity: float) -> Image.Image:
    """The photo, the map or both, no larger than a screen shows.

    Args:
        photo: (H, W, 3) uint8.
        inspection: with its map.
        view: one of `VIEWS`.
        opacity: of the overlay, in percent.
    """
    assert view in VIEWS and inspection.anomaly_map is not None, view
    step = -(-max(inspection.size) // SCREEN)
    photo = np.asarray(Image.fromarray(photo).reduce(step))
    heat = np.asarray(Image.fromarray(inspection.anomaly_map).reduce(step))
    if view == "Photo":
        return Image.fromarray(photo)
    if view == "Map":
        photo, opacity = colorize(heat), 0
    regions = [_reduced(region, step) for region in inspection.regions]
    return overlay(photo, heat, opacity=opacity / 100, regions=regions)


def _reduced(region: Region, step: int) -> Region:
    x0, y0, x1, y1 = region.box
    return replace(region, box=(x0 // step, y0 // step, -(-x1 // step), -(-y1 // step)))


def card(style: str, body: str, role: str = "status") -> str:
    """A framed message; `body` is HTML, `role` says how a screen reader announces it."""
    return f'<section class="card {style}" role="{role}">{body}</section>'


def verdict(inspection: Inspection) -> str:
    """The badge: verdict in words, sign and color, with its probability."""
    sign, word = VERDICTS[inspection.verdict]
    percent = f"{inspection.probability:.0%}"
    return card(
        inspection.verdict,
        f'<div class="row"><span class="mark" aria-hidden="true">{sign}</span><b>{word}</b>'
        f'<span class="meter" aria-hidden="true"><i style="width:{percent}"></i></span>'
        f"<span>{percent} probability of a defect</span></div>",
    )


def details(inspection: Inspection, extra: Sequence[str] = ()) -> str:
    """Under the picture: the regions, the remarks, how long it took."""
    rows = ""
    for number, region in enumerate(inspection.regions, start=1):
        x0, y0, x1, y1 = region.box
        size = f"{region.area_fraction:.1%} of the photo, {x1 - x0} × {y1 - y0} px"
        cells = (number, region.position, size, region.severity, region.type or "unknown", look(region))
        rows += "<tr>" + "".join(f"<td>{html.escape(str(cell))}</td>" for cell in cells) + "</tr>"
    heads = "".join(f'<th scope="col">{head}</th>' for head in ("#", "Place", "Size", "Severity", "Kind", "Look"))
    table = f'<table class="regions"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>'
    notes = "".join(f"<li>{html.escape(note)}</li>" for note in (*inspection.notes, *extra))
    count = inspection.references
    compared = f"compared with {count} good part{'s' * (count != 1)}" if count else "without references"
    time = f'<p class="time">Inspected in {inspection.seconds:.2f} s, {compared}.</p>'
    return LEGEND + table * bool(rows) + f'<ul class="notes">{notes}</ul>' * bool(notes) + time
