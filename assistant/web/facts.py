"""The Inspection as HTML: badge, regions, remarks."""

import html
from collections.abc import Sequence

from assistant.inspection import Inspection

TONES = {"darker": "darker", "brighter": "brighter", "similar": "same tone"}
VERDICTS = {"good": ("✓", "Good"), "defective": ("✕", "Defective"), "unsure": ("?", "Unsure")}
WELCOME = "Drop a photo of a part, or click an example."
LEGEND = (
    '<div class="scale" aria-hidden="true"></div>'
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
