"""For eyes: an inspection in words and in colors over the photo; files finished or absent."""

import io
import itertools
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from assistant import UserError

if TYPE_CHECKING:
    from assistant.inspection import Inspection, Region

# Cool below 0.5, where a pixel is likelier normal, warm above it: the color alone says on which side a
# place is. Each stop is (score, red, green, blue); lightness rises to the middle, hue carries the rest.
SCALE = (
    (0.00, 24, 28, 66), (0.15, 33, 66, 134), (0.30, 38, 118, 176), (0.42, 66, 176, 176),
    (0.50, 205, 218, 116), (0.58, 250, 204, 60), (0.70, 251, 146, 40), (0.85, 231, 74, 40),
    (1.00, 200, 20, 44),
)  # fmt: skip
# Told apart by lightness alone, so also by the color blind and in a grey print; nine colors of matplotlib's (CC0).
VIRIDIS = (
    (0.000, 68, 1, 84), (0.125, 71, 44, 122), (0.250, 59, 81, 139), (0.375, 44, 113, 142), (0.500, 33, 144, 141),
    (0.625, 39, 173, 129), (0.750, 92, 200, 99), (0.875, 170, 220, 50), (1.000, 253, 231, 37),
)  # fmt: skip
FLOOR = 0.1  # scores below it leave the photo untouched: no map of a clean part is exactly zero
FULL = 0.6  # from here on the heat is at full opacity: a likely defect must show on a busy texture
MIN_LABEL_SIDE = 48  # on a smaller photo a number of readable size would hide the part
ENDINGS = ("_overlay.png", "_map.png")
_INK, _PAPER = (17, 20, 30), (255, 255, 255)


def _table(scale: Sequence[tuple[float, int, int, int]]) -> np.ndarray:
    """(256, 3) uint8: a scale read off at 256 scores."""
    stops = np.array(scale, dtype=np.float64)
    scores = np.linspace(0.0, 1.0, 256)
    channels = [np.interp(scores, stops[:, 0], stops[:, channel]) for channel in (1, 2, 3)]
    return np.rint(np.stack(channels, axis=1)).astype(np.uint8)


# Each (256, 3) uint8: the colors of 256 scores from 0 to 1. The first is the one of files and reports.
COLORS = {"Heat": _table(SCALE), "Viridis": _table(VIRIDIS), "Grey": _table(((0.0, 0, 0, 0), (1.0, 255, 255, 255)))}


def colorize(anomaly_map: np.ndarray, colors: str = "Heat") -> np.ndarray:
    """(H, W) scores in [0, 1] -> (H, W, 3) uint8 on one fixed scale of `COLORS`, so that a clean part looks clean."""
    return COLORS[colors][_to_bytes(anomaly_map)]


def overlay(
    photo: np.ndarray,
    anomaly_map: np.ndarray,
    *,
    opacity: float = 0.5,
    regions: Sequence["Region"] = (),
    first: int = 1,
    colors: str = "Heat",
) -> Image.Image:
    """The photo with heat where the map is high and a numbered box around each region.

    Args:
        photo: (H, W, 3) uint8.
        anomaly_map: (H, W) in [0, 1], the photo's geometry.
        opacity: of the heat from `FULL` up, in [0, 1]; below, it falls in proportion to nothing at `FLOOR`.
        regions: boxes to draw, numbered from `first` in this order.
        colors: one of `COLORS`.

    Returns:
        RGB image of the photo's size; equal to the photo where the map is below `FLOOR`.
    """
    assert photo.shape[:2] == anomaly_map.shape, f"photo {photo.shape}, map {anomaly_map.shape}"
    picture = Image.fromarray(photo)
    strength = np.clip((np.asarray(anomaly_map, dtype=np.float32) - FLOOR) / (FULL - FLOOR), 0.0, 1.0)
    picture.paste(Image.fromarray(colorize(anomaly_map, colors)), mask=Image.fromarray(_to_bytes(opacity * strength)))
    _draw_boxes(picture, [region.box for region in regions], first)
    return picture


def _to_bytes(values: np.ndarray) -> np.ndarray:
    """[0, 1] -> uint8, clipped; not-a-number counts as 0."""
    return np.rint(np.nan_to_num(np.clip(values, 0.0, 1.0), nan=0.0) * 255.0).astype(np.uint8)


def _draw_boxes(picture: Image.Image, boxes: Sequence[tuple[int, int, int, int]], first: int) -> None:
    """White frames with a dark rim, seen on any photo, all drawn before the numbers so none is crossed out."""
    side = min(picture.size)
    line = max(1, round(side / 220))
    draw = ImageDraw.Draw(picture)
    for x0, y0, x1, y1 in boxes:
        frame = (x0 - line, y0 - line, x1 - 1 + line, y1 - 1 + line)
        rim = max(1, line // 2)
        outer = (frame[0] - rim, frame[1] - rim, frame[2] + rim, frame[3] + rim)
        draw.rectangle(outer, outline=_INK, width=line + 2 * rim)
        draw.rectangle(frame, outline=_PAPER, width=line)
    if side < MIN_LABEL_SIDE:
        return
    taken: list[tuple[int, int, int, int]] = []
    for number, box in enumerate(boxes, start=first):
        tag = _tag(str(number), max(11, round(side / 26)))
        place = _place(box, tag.size, picture.size, taken, gap=2 * line + 1)
        picture.paste(tag, place[:2], mask=tag)
        taken.append(place)


def _tag(text: str, height: int) -> Image.Image:
    """A dark pill with a white number, `height` pixels high text, as RGBA."""
    scale = 4  # drawn larger and shrunk: Pillow's curves are not antialiased
    font = ImageFont.load_default(size=height * scale)
    left, top, right, bottom = font.getbbox(text)
    tall = round(1.45 * height) * scale
    wide = max(tall, round(right - left) + round(0.7 * height) * scale)
    tag = Image.new("RGBA", (wide, tall), (*_INK, 0))
    draw = ImageDraw.Draw(tag)
    draw.rounded_rectangle((0, 0, wide - 1, tall - 1), radius=tall // 3, fill=(*_PAPER, 255))
    edge = max(scale, tall // 18)
    inner = (edge, edge, wide - 1 - edge, tall - 1 - edge)
    draw.rounded_rectangle(inner, radius=tall // 3 - edge, fill=(*_INK, 255))
    position = ((wide - right - left) / 2, (tall - bottom - top) / 2)
    draw.text(position, text, font=font, fill=(*_PAPER, 255), stroke_width=scale / 4, stroke_fill=(*_PAPER, 255))
    return tag.resize((wide // scale, tall // scale), Image.Resampling.LANCZOS)


def _place(
    box: tuple[int, int, int, int],
    size: tuple[int, int],
    canvas: tuple[int, int],
    taken: Sequence[tuple[int, int, int, int]],
    gap: int,
) -> tuple[int, int, int, int]:
    """Where a tag goes: outside its box, so the defect stays visible, in the photo and on no other tag."""
    (x0, y0, x1, y1), (wide, tall) = box, size
    above, below = y0 - gap - tall, y1 + gap
    corners = [
        (x0 - gap, above), (x1 + gap - wide, above), (x0 - gap, below), (x1 + gap - wide, below),
        (x0 - gap - wide, y0), (x1 + gap, y0), (x0, y0),
    ]  # fmt: skip
    last = (0, 0, wide, tall)
    for left, top in corners:
        # Sliding along the edge is fine, sliding into the box is not: only sideways for above and below.
        left = min(max(left, 0), canvas[0] - wide) if top in (above, below) else left
        last = (left, top, left + wide, top + tall)
        inside = left >= 0 and top >= 0 and last[2] <= canvas[0] and last[3] <= canvas[1]
        if inside and not any(_overlap(last, other) for other in taken):
            return last
    left, top = min(max(x0, 0), max(0, canvas[0] - wide)), min(max(y0, 0), max(0, canvas[1] - tall))
    return left, top, left + wide, top + tall


def _overlap(a: tuple[int, int, int, int], b: tuple[int, int, int, int]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def save_map(path: str | os.PathLike[str], anomaly_map: np.ndarray) -> None:
    """Write an (H, W) map in [0, 1] as a 16-bit grey PNG of the photo's geometry (65535 is 1).

    Raises:
        UserError: the file cannot be written (no space, no permission, no such folder).
    """
    values = np.nan_to_num(np.clip(anomaly_map, 0.0, 1.0), nan=0.0)
    save_image(path, Image.fromarray(np.rint(values * 65535.0).astype(np.uint16)))


def load_map(path: str | os.PathLike[str]) -> np.ndarray:
    """(H, W) float32 in [0, 1] from a file written by `save_map`.

    Raises:
        UserError: missing, unreadable, or not a 16-bit grey PNG.
    """
    try:
        with Image.open(path, formats=("PNG",)) as image:
            values, deep = np.asarray(image), image.mode == "I;16"
    except Exception as error:  # Pillow's decoders raise a dozen types over damaged files
        raise UserError(f"{path} cannot be read as an anomaly map", "name a map file written with --out") from error
    if not deep:
        raise UserError(f"{path} is not a 16-bit grey PNG", "name a map file written with --out")
    return values.astype(np.float32) / np.float32(65535.0)


def save_image(path: str | os.PathLike[str], image: Image.Image) -> None:
    """Write a PNG that is finished or absent: beside its place first, then renamed.

    Raises:
        UserError: the file cannot be written.
    """
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", compress_level=3)  # 3: a third of the default's time, a tenth larger
    target = Path(path)
    beside = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        try:
            beside.write_bytes(buffer.getbuffer())
            beside.replace(target)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        why = error.strerror or str(error)
        raise UserError(f"{target} cannot be written ({why})", "free some space or choose another folder") from error


def make_folder(path: Path) -> Path:
    """Make a folder for results before the work that fills it; raises UserError if it cannot be made."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{path} cannot be made a folder ({error.strerror})", "choose another folder") from error
    return path


def output_stems(images: Sequence[str], folder: Path) -> list[Path]:
    """One path stem in `folder` per image: its own, or with a number where two would write the same file."""
    taken = {os.path.realpath(image).casefold() for image in images}  # nor may a result replace a photo
    stems = []
    for image in images:
        names = itertools.chain([Path(image).stem], (f"{Path(image).stem}_{n}" for n in itertools.count(2)))
        for name in names:
            files = {os.path.realpath(folder / f"{name}{ending}").casefold() for ending in ENDINGS}
            if not files & taken:
                break
        taken |= files
        stems.append(folder / name)
    return stems


def save_inspection(inspection: "Inspection", photo: np.ndarray, stem: Path) -> "Inspection":
    """Write STEM_overlay.png and STEM_map.png; gives the inspection that knows the map's path.

    Raises:
        UserError: a file cannot be written.
    """
    assert inspection.anomaly_map is not None, "an inspection without its map"
    overlay_path, map_path = (stem.with_name(stem.name + ending) for ending in ENDINGS)
    save_image(overlay_path, overlay(photo, inspection.anomaly_map, regions=inspection.regions))
    save_map(map_path, inspection.anomaly_map)
    return inspection.with_map_path(str(map_path))


def describe(inspection: "Inspection") -> str:
    """An inspection for the terminal: a line for the verdict, one per region, one per remark."""
    head = f"{inspection.image}: {inspection.verdict.upper()}, probability of a defect {inspection.probability:.2f}"
    lines = [f"{head} ({inspection.seconds:.2f} s)"]
    lines += [f"  area: {inspection.area.scope}"] if inspection.area else []
    for number, region in enumerate(inspection.regions, start=1):
        x0, y0, x1, y1 = region.box
        lines.append(
            f"  {number}  {region.position}: {region.severity} {region.type or 'anomaly'}, "
            f"{region.area_fraction:.2%} of the photo, box {x0},{y0} to {x1},{y1}"
        )
    lines += [f"  note: {note}" for note in inspection.notes]
    if inspection.map:
        lines.append(f"  map: {inspection.map}")
    return "\n".join(lines)
