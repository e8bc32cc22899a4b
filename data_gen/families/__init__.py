"""Product families: what a photo may show. A new one is a function here in a file and a line in `FAMILIES`.

A family takes two generators: `design` fixes colours, layout and texture scale and is the same for every photo
of a product; `instance` draws what differs between two good pieces (pose, grain).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.random import Generator

from data_gen.families import circuits, parts, surfaces

Family = Callable[[Generator, Generator, int], np.ndarray]  # (design, instance, size) -> (size, size, 3) in [0, 1]

FAMILIES: dict[str, Family] = {
    "brushed metal": surfaces.brushed_metal,
    "cast metal": surfaces.cast_metal,
    "woven cloth": surfaces.woven_cloth,
    "leather": surfaces.leather,
    "wood": surfaces.wood,
    "tile": surfaces.tile,
    "concrete": surfaces.concrete,
    "wire mesh": surfaces.wire_mesh,
    "dark uniform": surfaces.dark_uniform,
    "solar cell": surfaces.solar_cell,
    "circuit artwork": circuits.circuit_artwork,
    "circuit board": circuits.circuit_board,
    "label": parts.label,
    "pill": parts.pill,
    "bottle cap": parts.bottle_cap,
    "washer": parts.washer,
    "hex nut": parts.hex_nut,
    "gear": parts.gear,
    "screw": parts.screw,
    "moulded part": parts.moulded_part,
    "glass rim": parts.glass_rim,
}
