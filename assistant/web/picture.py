"""The result as a picture: photo, map or both, with the regions drawn and numbered."""

from dataclasses import replace

import numpy as np
from PIL import Image

from assistant.inspection import Inspection, Region
from assistant.report import colorize, overlay

VIEWS = ("Overlay", "Map", "Photo")
SCREEN = 1200  # pixels a side that a screen shows; a larger photo only makes the slider slow


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
