"""Product families: what a photo may show. A new one is a function here in a file and a line in `FAMILIES`.

A family takes two generators: `design` fixes colours, layout and texture scale and is the same for every photo
of a product; `instance` draws what differs between two good pieces (pose, light, grain). Lengths are in images or
half images, never in pixels: a product looks the same at every size.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.random import Generator

from data_gen.families import cables, circuits, food, glass, hardware, pills, plastics, printed, surfaces, textiles

Family = Callable[[Generator, Generator, int], np.ndarray]  # (design, instance, size) -> (size, size, 3) in [0, 1]

FAMILIES: dict[str, Family] = {
    "brushed metal": surfaces.brushed_metal,
    "cast metal": surfaces.cast_metal,
    "painted sheet": surfaces.painted_sheet,
    "wood": surfaces.wood,
    "tile": surfaces.tile,
    "concrete": surfaces.concrete,
    "wire mesh": surfaces.wire_mesh,
    "solar cell": surfaces.solar_cell,
    "woven cloth": textiles.woven_cloth,
    "knitted cloth": textiles.knitted_cloth,
    "carpet": textiles.carpet,
    "leather": textiles.leather,
    "zipper": plastics.zipper,
    "ribbon cable": cables.ribbon_cable,
    "cable": cables.cable,
    "rope": cables.rope,
    "circuit artwork": circuits.circuit_artwork,
    "circuit board": circuits.circuit_board,
    "transistor": circuits.transistor,
    "label": printed.label,
    "printed box": printed.printed_box,
    "pill": pills.pill,
    "tablets": pills.tablets,
    "blister pack": pills.blister_pack,
    "washer": hardware.washer,
    "hex nut": hardware.hex_nut,
    "gear": hardware.gear,
    "screw": hardware.screw,
    "bottle cap": plastics.bottle_cap,
    "moulded part": plastics.moulded_part,
    "toothbrush": plastics.toothbrush,
    "bottle mouth": glass.bottle_mouth,
    "biscuit": food.biscuit,
    "chocolate": food.chocolate,
    "bread": food.bread,
    "hazelnut": food.hazelnut,
    "almond": food.almond,
}
