"""A line of the audit log in words for people: what was decided, of which photo, and where on it."""

import html
from pathlib import Path
from typing import Any

from PIL import Image

from assistant import UserError
from assistant.store import Store
from assistant.store.audit import Entry
from assistant.store.corrections import ACCEPTABLE, DEFECT, StoredCorrection
from assistant.store.pictures import DIGEST
from assistant.web.corrections_list import describe, said, thumbnail
from assistant.web.facts import VERDICTS, percent
from assistant.web.strip import stored_thumbnail

EVENTS = {
    ACCEPTABLE: "Correction: acceptable", DEFECT: "Correction: defect", "undone": "Correction undone",
    "reference added": "Good part added", "reference removed": "Good part removed",
    "training accepted": "Model taught", "training refused": "New model refused",
    "training stopped": "Teaching stopped", "training failed": "Teaching failed",
}  # fmt: skip
WORDS = {"init": "begun from", "before": "before:"}  # of details whose own names say little
NAMED = 3  # regions in a line, the heaviest; the CSV has all
UNNAMED_PHOTO = "photo without a name"  # of corrections from before their names were kept


def event(entry: Entry) -> str:
    """What happened: "Inspected: Defective, 93.1%", "Correction: defect", ..."""
    if entry.event == "verdict":
        verdict, probability = entry.details.get("verdict", ""), entry.details.get("probability")
        chance = "" if probability is None else f", {probability:.1%}"
        return f"Inspected: {VERDICTS.get(verdict, ('', verdict))[1]}{chance}"
    return EVENTS.get(entry.event, entry.event.capitalize())


def photo_name(entry: Entry) -> str:
    """What the photo's file was called."""
    return UNNAMED_PHOTO if DIGEST.fullmatch(entry.photo) else entry.photo


def words(entry: Entry, one: StoredCorrection | None = None, size: tuple[int, int] | None = None) -> str:
    """What was found, corrected or changed.

    Args:
        one: the correction that the line is about, where it is still there.
        size: (width, height) of its photo, where the line, an older one, does not say it.
    """
    details = entry.details
    if entry.event == "verdict":
        return _found(details)
    if entry.event in (ACCEPTABLE, DEFECT):
        return f"{said(entry.event, str(details.get('kind', '')))}: {_area(details, size)}"
    if entry.event == "undone":
        meant = describe(one) if one else said(str(details.get("verdict", "")), str(details.get("kind", "")))
        return f"no longer holds: {meant}"
    told = {key: value for key, value in details.items() if key != "digest" and value not in ("", None)}
    return ", ".join(f"{WORDS.get(key, key)} {value}" for key, value in told.items())


def row(store: Store, entry: Entry, corrections: dict[int, StoredCorrection]) -> str:
    """The line as a row of a table."""
    sign, one = "", corrections.get(entry.details.get("correction", 0))
    if entry.event == "verdict" and (verdict := str(entry.details.get("verdict"))) in VERDICTS:
        sign = f'<i class="mark {verdict}" aria-hidden="true">{VERDICTS[verdict][0]}</i>'
    picture, size = _picture(store, entry, one), None if one is None else _size(store.pictures.path(one.mask))
    seen = f'<img src="{picture}" alt="" loading="lazy">' if picture else ""
    name = html.escape(photo_name(entry)) if entry.photo else ""
    told = f'<span class="event">{sign}<b>{html.escape(event(entry))}</b></span>'
    when = f'<time datetime="{html.escape(entry.at)}">{html.escape(f"{entry.at[:10]} {entry.at[11:16]}")}</time>'
    what = f"{told}<p>{html.escape(words(entry, one, size))}</p>"
    photo = f'<span class="photo">{seen}<span>{name}</span></span>' if seen or name else ""
    cells = when, html.escape(entry.who), what, photo, html.escape(entry.name)
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _found(details: dict[str, Any]) -> str:
    regions = details.get("regions") or []
    named = [
        f"{region.get('type') or 'unknown kind'}, {region.get('position', '')}, "
        f"{percent(float(region.get('area_fraction', 0)))} of the photo"
        for region in regions[:NAMED]
    ]
    more = [f"{len(regions) - NAMED} more"] * (len(regions) > NAMED)
    count = details.get("references", 0)
    compared = f"{count} good part{'s' * (count != 1)}" if count else "nothing"
    return f"{'; '.join([*named, *more]) or 'no defect'}. Compared with {compared} by {details.get('model', 'a model')}"


def _area(details: dict[str, Any], size: tuple[int, int] | None) -> str:
    """How much was marked; with the share of the photo where its size is known."""
    area, size = int(details.get("area", 0)), details.get("size") or size
    pixels = f"{area:,} px²"
    return f"{percent(area / (size[0] * size[1]))} of the photo ({pixels})" if size else pixels


def _picture(store: Store, entry: Entry, one: StoredCorrection | None) -> str:
    """The place that was corrected, or the good part, as a data URI.

    Empty where it is gone with its product, or was never kept: photos that were inspected are not.
    """
    if one is not None:
        return thumbnail(store.corrections.mark(one))
    try:
        added = entry.event == "reference added"
        return stored_thumbnail(store.pictures.path(str(entry.details.get("digest", "")))) if added else ""
    except UserError:
        return ""


def _size(picture: Path) -> tuple[int, int] | None:
    try:
        with Image.open(picture) as opened:  # its head alone is read
            return opened.size
    except OSError:
        return None
