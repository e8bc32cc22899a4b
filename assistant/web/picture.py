"""The result as a picture: photo, map or both, with the regions drawn and numbered, or one of them enlarged."""

from dataclasses import replace

import numpy as np
from PIL import Image

from assistant.inspection import Inspection, Region
from assistant.report import colorize, overlay
from assistant.web.session import Look

VIEWS = ("Overlay", "Map", "Photo", "Side by side")
SCREEN = 1200  # pixels a side that a screen shows; a larger photo only makes the slider slow
ENLARGED = 600  # pixels that the longer side of an enlarged region has at least, so that frame and number stay thin
Box = tuple[int, int, int, int]


def draw(photo: np.ndarray, inspection: Inspection, look: Look, zoomed: int = 0) -> Image.Image:
    """The photo, the map or both, no larger than a screen shows; "Side by side" gives what lies beside the photo.

    Args:
        photo: (H, W, 3) uint8.
        inspection: with its map.
        look: what of them is shown, and how.
        zoomed: the number of the region to enlarge; 0 for the whole photo.
    """
    assert look.view in VIEWS and inspection.anomaly_map is not None, look.view
    regions, first = inspection.regions, 1
    heat, opacity = inspection.anomaly_map, look.opacity
    if zoomed:
        first, region = zoomed, inspection.regions[zoomed - 1]
        x0, y0, x1, y1 = window(region.box, inspection.size)
        photo, heat = photo[y0:y1, x0:x1], heat[y0:y1, x0:x1]
        regions = (replace(region, box=_moved(region.box, x0, y0)),)
    scale = _scale(max(photo.shape[:2]), zoomed=bool(zoomed))
    size = tuple(max(1, round(side * scale)) for side in (photo.shape[1], photo.shape[0]))
    photo, heat = (np.asarray(Image.fromarray(array).resize(size, reducing_gap=2.0)) for array in (photo, heat))
    if look.view == "Photo":
        return Image.fromarray(photo)
    if look.view == "Map":
        photo, opacity = colorize(heat, look.colors), 0
    boxes = [_scaled(region, scale, size) for region in regions]
    return overlay(photo, heat, opacity=opacity / 100, regions=boxes, first=first, colors=look.colors)


def region_at(inspection: Inspection, x: float, y: float) -> int:
    """The number of the smallest region at a pixel of what `draw` gives for the whole photo; 0 for none."""
    scale = _scale(max(inspection.size), zoomed=False)
    x, y = x / scale, y / scale
    here = [
        (region.area_px, number)
        for number, region in enumerate(inspection.regions, start=1)
        if region.box[0] <= x < region.box[2] and region.box[1] <= y < region.box[3]
    ]
    return min(here)[1] if here else 0


def window(box: Box, size: tuple[int, int]) -> Box:
    """What is shown of a photo (width, height) where a region is enlarged: a cut of the photo's shape, twice as wide or
    as high as the region, and no less than an eighth of the photo's sides."""
    share = max(2 * (box[2] - box[0]) / size[0], 2 * (box[3] - box[1]) / size[1], 1 / 8)
    sides = []
    for start, end, whole in ((box[0], box[2], size[0]), (box[1], box[3], size[1])):
        room = min(whole, max(1, round(share * whole)))
        begin = min(max(0, (start + end - room) // 2), whole - room)
        sides.append((begin, begin + room))
    (x0, x1), (y0, y1) = sides
    return x0, y0, x1, y1


def _scale(side: int, *, zoomed: bool) -> float:
    if side > SCREEN:
        return SCREEN / side
    return max(1.0, ENLARGED / side) if zoomed else 1.0


def _moved(box: Box, x: int, y: int) -> Box:
    return box[0] - x, box[1] - y, box[2] - x, box[3] - y


def _scaled(region: Region, scale: float, size: tuple[int, ...]) -> Region:
    x0, y0, x1, y1 = (round(edge * scale) for edge in region.box)
    return replace(region, box=(x0, y0, min(max(x1, x0 + 1), size[0]), min(max(y1, y0 + 1), size[1])))
