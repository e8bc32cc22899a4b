"""The Inspection as HTML: badge, regions, remarks."""

import html
from collections.abc import Sequence

from assistant.inspection import Inspection
from assistant.report import COLORS

TONES = {"darker": "darker", "brighter": "brighter", "similar": "same tone"}
VERDICTS = {"good": ("✓", "Good"), "defective": ("✕", "Defective"), "unsure": ("?", "Unsure")}
WELCOME = "Drop a photo of a part, or click an example."
HEADS = ("#", "Kind", "Severity", "Size", "Place", "Look")


def legend(colors: str) -> str:
    """What the colors of a scale of `COLORS` mean."""
    table = COLORS[colors]
    stops = ", ".join(f"rgb({red} {green} {blue})" for red, green, blue in table[:: len(table) // 17])
    return (
        f'<div class="scale" aria-hidden="true" style="--map-colors:{stops}"></div>'
        '<div class="ends"><span>normal</span><span>as likely as not</span><span>anomalous</span></div>'
    )


def card(style: str, body: str, role: str = "status") -> str:
    """A framed message; `body` is HTML, `role` says how a screen reader announces it."""
    return f'<section class="card {style}" role="{role}">{body}</section>'


def verdict(inspection: Inspection) -> str:
    """The badge: verdict in words, sign and color, with its probability."""
    sign, word = VERDICTS[inspection.verdict]
    share = f"{inspection.probability:.0%}"
    chance = {"0%": "under 1%", "100%": "over 99%"}.get(share, share)  # nothing is that certain
    scope = f'<p class="scope">Judged: {html.escape(inspection.area.scope)}</p>' if inspection.area else ""
    return card(
        inspection.verdict,
        f'<div><span class="mark" aria-hidden="true">{sign}</span><b>{word}</b>'
        f"<span>{chance} probability of a defect</span></div>"
        f'<span class="meter" aria-hidden="true"><i style="width:{share}"></i></span>{scope}',
    )


def percent(fraction: float) -> str:
    """One decimal, and never a bare zero for something that is there."""
    return f"{fraction:.1%}" if fraction >= 0.001 else "< 0.1%"


def regions(inspection: Inspection, zoomed: int = 0) -> str:
    """A row a region; a click on one enlarges it, on the enlarged one shows the whole photo again."""
    rows = ""
    for number, region in enumerate(inspection.regions, start=1):
        x0, y0, x1, y1 = region.box
        here = number == zoomed
        action = "Show the whole photo" if here else f"Enlarge region {number}"
        click = f'data-do="select" data-item="{0 if here else number}"'
        pressed = str(here).lower()
        button = f'<button type="button" {click} aria-pressed="{pressed}" aria-label="{action}">{number}</button>'
        cells = (
            region.type or "unknown",
            region.severity,
            f"{percent(region.area_fraction)}, {x1 - x0} × {y1 - y0} px",
            region.position,
            f"{region.shape}, {TONES[region.tone]}",
        )
        columns = "".join(f"<td>{html.escape(cell)}</td>" for cell in cells)
        rows += f'<tr {click} title="{action}"><td>{button}</td>{columns}</tr>'
    heads = "".join(f'<th scope="col">{head}</th>' for head in HEADS)
    table = f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
    return f'<div class="regions">{table}</div>' if rows else ""


def details(inspection: Inspection, extra: Sequence[str] = (), *, zoomed: int = 0) -> str:
    """Under the picture: the regions, the remarks, how long it took."""
    notes = "".join(f"<li>{html.escape(note)}</li>" for note in (*inspection.notes, *extra))
    count = inspection.references
    compared = f"compared with {count} good part{'s' * (count != 1)}" if count else "without references"
    time = f"<p>Inspected in {inspection.seconds:.2f} s, {compared}.</p>"
    return regions(inspection, zoomed) + f"<ul>{notes}</ul>" * bool(notes) + time
