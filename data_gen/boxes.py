"""Boxes to ask about: around a defect, beside all of them, now and then outside the photo."""

import numpy as np

from assistant.boxes import Box, overlap
from assistant.inspection import Inspection

CLEAR = 0.3  # share of the smaller box in common from which on nobody would call it beside the other
TRIES = 12


def draw_box(inspection: Inspection, rng: np.random.Generator) -> Box:
    """[x0, y0, x1, y1] in pixels, half of them on a region; never one that only grazes a region's box."""
    if rng.random() < 0.03:
        return _outside(inspection, rng)
    region = None
    if inspection.regions and rng.random() < 0.5:
        region = inspection.regions[int(rng.random() * len(inspection.regions))]
    for _ in range(TRIES):
        box = _around(region.box, inspection, rng) if region else _anywhere(inspection, rng)
        shares = [overlap(each.box, box) for each in inspection.regions]
        if all(share == 0 or share >= CLEAR for share in shares):
            return box
    return 0, 0, *inspection.size  # regions all over: the whole photo holds them all


def _anywhere(inspection: Inspection, rng: np.random.Generator) -> Box:
    sizes = [max(2, int(side * rng.uniform(0.06, 0.4))) for side in inspection.size]
    x0, y0 = (int(rng.random() * (side - size + 1)) for side, size in zip(inspection.size, sizes, strict=True))
    return x0, y0, x0 + sizes[0], y0 + sizes[1]


def _around(box: Box, inspection: Inspection, rng: np.random.Generator) -> Box:
    """As someone draws it: a fifth of the box off on every side, or somewhat too large."""
    wide, high = box[2] - box[0], box[3] - box[1]
    x0, y0, x1, y1 = (
        round(edge + side * float(rng.uniform(-0.2, 0.1)) * sign + sign * -3 * float(rng.random()))
        for edge, side, sign in zip(box, (wide, high, wide, high), (1, 1, -1, -1), strict=True)
    )
    x0, y0 = max(0, x0), max(0, y0)
    return x0, y0, max(x0 + 1, min(x1, inspection.size[0])), max(y0 + 1, min(y1, inspection.size[1]))


def _outside(inspection: Inspection, rng: np.random.Generator) -> Box:
    width, height = inspection.size
    x0, y0 = width + int(rng.random() * width), int(rng.random() * height)
    return x0, y0, x0 + max(2, width // 8), y0 + max(2, height // 8)
