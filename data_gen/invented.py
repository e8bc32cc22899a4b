"""Plausible random Inspections without a photo, to widen what the dialogues are about beyond real maps."""

import numpy as np

from assistant.inspection import KINDS, POSITIONS, SHAPES, TONES, VERDICTS, Inspection, Region, severity_of

UNSURE = (0.49, 0.51)  # the default band of `Calibration`
CLOSE_CALLS = 0.15  # share of verdicts that are hardly surer than "unsure": advice about these is another
REGION_COUNTS = (0.50, 0.24, 0.12, 0.07, 0.04, 0.03)  # 1..6 regions: one is what most real defects are
REFERENCES = (0.35, 0.25, 0.15, 0.05, 0.2)  # 0..4: zero-shot, 1, 2 and 4 shots are what benchmarks use


def random_inspection(rng: np.random.Generator, verdict: str | None = None) -> Inspection:
    """An Inspection whose position, cells, box, area, severity and verdict agree as they do on real maps.

    Kinds are unknown on one Inspection in four, as with a model that has no kind head, and sometimes on a
    single region. `verdict` fixes the verdict; without it 45 % are defective, 40 % good, 15 % unsure.
    """
    verdict = verdict or str(rng.choice(VERDICTS, p=(0.45, 0.40, 0.15)))
    side = int(rng.choice((256, 512, 900, 1024)))
    sure = float(rng.beta(3.0, 0.7)) * (1 - UNSURE[1])  # most real verdicts are clear
    if rng.random() < CLOSE_CALLS:
        sure = float(rng.uniform(0, 0.4)) * (1 - UNSURE[1])
    probability = {
        "defective": UNSURE[1] + sure, "good": UNSURE[0] - sure * UNSURE[0] / (1 - UNSURE[1]),
        "unsure": rng.uniform(*UNSURE),
    }[verdict]  # fmt: skip
    count = 0 if verdict == "good" else int(rng.choice(len(REGION_COUNTS), p=REGION_COUNTS)) + 1
    known = 0.0 if rng.random() < 0.25 else 0.9
    regions = [_random_region(rng, side, known) for _ in range(count)]
    regions.sort(key=lambda region: -region.area_fraction * region.peak**2)
    return Inspection(
        image="random.png", size=(side, side), verdict=verdict, probability=float(np.clip(probability, 0.0, 1.0)),
        regions=tuple(regions), references=int(rng.choice(len(REFERENCES), p=REFERENCES)),
    )  # fmt: skip


def _random_region(rng: np.random.Generator, side: int, known: float) -> Region:
    """One region; `known` is the chance that its kind is named."""
    fraction = float(np.clip(10 ** rng.normal(-2.1, 0.65), 0.0003, 0.55))
    stretch = float(rng.uniform(3.0, 8.0)) if (thin := rng.random() < 0.3) else float(rng.uniform(1.0, 2.0))
    fill = 0.75 if not thin else 0.5  # share of its box that a region covers
    width = min(0.98, np.sqrt(fraction / fill * stretch))
    height = min(0.98, fraction / fill / width)
    if rng.random() < 0.5:
        width, height = height, width
    x0, y0 = rng.uniform(0, 1 - width), rng.uniform(0, 1 - height)
    cells = _cells(x0, y0, x0 + width, y0 + height)
    peak = float(rng.uniform(0.5, 1.0))
    kind = str(rng.choice(KINDS)) if rng.random() < known else None
    left, top = int(x0 * side), int(y0 * side)
    return Region(
        box=(left, top, max(left + 1, int((x0 + width) * side)), max(top + 1, int((y0 + height) * side))),
        area_px=max(1, round(fraction * side * side)), area_fraction=fraction, position=cells[0], cells=cells,
        peak=peak, severity=severity_of(fraction, peak), tone=str(rng.choice(TONES)),
        shape="thin" if thin else str(rng.choice(SHAPES[1:])),
        type=kind, type_probability=None if kind is None else float(rng.uniform(0.35, 1.0)),
    )  # fmt: skip


def _cells(x0: float, y0: float, x1: float, y1: float) -> tuple[str, ...]:
    """The 3x3 cells of a box in [0, 1]: its middle's first, then all that hold >= 15 % of it."""
    thirds = np.arange(3) / 3
    across = np.clip(np.minimum(x1, thirds + 1 / 3) - np.maximum(x0, thirds), 0, None) / (x1 - x0)
    down = np.clip(np.minimum(y1, thirds + 1 / 3) - np.maximum(y0, thirds), 0, None) / (y1 - y0)
    share = np.outer(down, across).ravel()
    own = int((y0 + y1) / 2 * 3) * 3 + int((x0 + x1) / 2 * 3)
    others = [int(i) for i in np.argsort(-share) if share[i] >= 0.15 and i != own]
    return tuple(POSITIONS[i] for i in [own, *others])
