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

VIEWS = ("Overlay", "Map", "Photo")
TONES = {"darker": "darker", "brighter": "brighter", "similar": "same tone"}
SCREEN = 1200  # pixels a side that a screen shows; a larger photo only makes the slider slow
VERDICTS = {"good": ("✓", "Good"), "defective": ("✕", "Defective"), "unsure": ("?", "Unsure")}
STOPS = ", ".join(f"rgb({red} {green} {blue}) {score:.0%}" for score, red, green, blue in SCALE)
TITLE = '<div id="title"><h1>Anomaly assistant</h1><span>Is this part good? Show it, and ask.</span></div>'
WELCOME = "Drop a photo of a part, or click an example."
CSS = """
.gradio-container main.fillable { max-width: 1680px !important; margin: 0 auto; padding: 8px 20px !important }
.gradio-container .html-container { padding: 0 !important }
.gradio-container .column { gap: 10px }
#title { display: flex; align-items: baseline; gap: 12px; flex-wrap: wrap }
#title h1 { font-size: 1.3rem; margin: 0 } #title span { opacity: .75 }
h2 { font-size: .92rem !important; font-weight: 600; margin: 0 0 -4px } h2 small { font-weight: 400; opacity: .7 }
#photo, #references, #result, #chat { border-radius: 10px }
#references > label { display: none }
#examples { gap: 8px; align-items: stretch }
#examples button { flex-direction: column; justify-content: flex-start; gap: 6px; padding: 6px; font-size: .85rem }
#examples button { font-weight: 500 }
#examples img { width: 100%; height: auto; max-width: 130px; border-radius: 6px; margin: 0 }
#result { height: clamp(300px, calc(100vh - 330px), 620px) !important }
#chat { height: clamp(280px, calc(100vh - 290px), 760px) !important }
@media (max-width: 1120px) { #result, #chat { height: 400px !important } }
#result img { width: 100%; height: 100%; object-fit: contain }
#view .wrap { flex-wrap: nowrap; gap: 6px } #view label { padding: 7px 9px; flex: 1 }
#opacity .tab-like-container { display: none }
.grid-container { grid-template-columns: repeat(var(--grid-cols), minmax(0, 1fr)) !important }
.card { border-radius: 10px; border: 1px solid var(--border-color-primary); border-left: 6px solid var(--tone, #94a3b8);
  padding: 8px 14px; background: color-mix(in srgb, var(--tone, #94a3b8) 12%, var(--background-fill-primary)) }
.good { --tone: #16a34a } .defective { --tone: #dc2626 } .unsure, .problem { --tone: #d97706 }
.card b { font-size: 1.3rem; flex: 1 } .card div { display: flex; align-items: center; gap: 10px }
.mark { width: 1.7rem; height: 1.7rem; border-radius: 50%; background: var(--tone); color: #fff; display: grid;
  place-items: center; font-weight: 700; flex: none }
.meter { display: block; height: 6px; border-radius: 3px; background: var(--border-color-primary); margin-top: 6px }
.meter i { display: block; height: 100%; border-radius: 3px; background: var(--tone) }
.scale { height: 8px; border-radius: 4px; background: linear-gradient(90deg, STOPS) }
.ends { display: flex; justify-content: space-between; font-size: .78rem; opacity: .8 }
#details table { width: 100%; border-collapse: collapse; border: 0; margin: 8px 0 0; font-size: .86rem }
#details tr { border: 0 } #details td:nth-child(2), #details td:nth-child(3) { white-space: nowrap }
#details th, #details td { padding: 5px 8px 5px 2px; border: 0; border-bottom: 1px solid var(--border-color-primary);
  text-align: left; vertical-align: top }
#details ul { margin: 8px 0 0; padding-left: 18px; font-size: .88rem }
#details p { font-size: .8rem; opacity: .75; margin: 8px 0 0 }
#ask .submit-button { background: var(--primary-600); color: #fff }
#stop:disabled { background: var(--button-secondary-background-fill); color: inherit }
#questions { gap: 6px } #questions button { flex: 0 1 auto; min-width: 0; border-radius: 999px }
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
    share = f"{inspection.probability:.0%}"
    chance = {"0%": "under 1%", "100%": "over 99%"}.get(share, share)  # nothing is that certain
    return card(
        inspection.verdict,
        f'<div><span class="mark" aria-hidden="true">{sign}</span><b>{word}</b>'
        f"<span>{chance} probability of a defect</span></div>"
        f'<span class="meter" aria-hidden="true"><i style="width:{share}"></i></span>',
    )


def _percent(fraction: float) -> str:
    """One decimal, and never a bare zero for something that is there."""
    return f"{fraction:.1%}" if fraction >= 0.001 else "< 0.1%"


def details(inspection: Inspection, extra: Sequence[str] = ()) -> str:
    """Under the picture: the regions, the remarks, how long it took."""
    rows = ""
    for number, region in enumerate(inspection.regions, start=1):
        x0, y0, x1, y1 = region.box
        size = f"{_percent(region.area_fraction)}, {x1 - x0} × {y1 - y0} px"
        cells = (
            number,
            region.position,
            size,
            region.severity,
            region.type or "unknown",
            f"{region.shape}, {TONES[region.tone]}",
        )
        rows += "<tr>" + "".join(f"<td>{html.escape(str(cell))}</td>" for cell in cells) + "</tr>"
    heads = "".join(f'<th scope="col">{head}</th>' for head in ("#", "Place", "Size", "Severity", "Kind", "Look"))
    table = f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
    notes = "".join(f"<li>{html.escape(note)}</li>" for note in (*inspection.notes, *extra))
    count = inspection.references
    compared = f"compared with {count} good part{'s' * (count != 1)}" if count else "without references"
    time = f"<p>Inspected in {inspection.seconds:.2f} s, {compared}.</p>"
    return LEGEND + table * bool(rows) + f"<ul>{notes}</ul>" * bool(notes) + time
