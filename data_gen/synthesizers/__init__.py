"""Defect synthesizers: plug-ins that put one defect into a photo of a good piece and know where it is.

A new one is a file here and a line in `SYNTHESIZERS`. Names are picked by users; the kind is the word the
assistant will say. Techniques follow CutPaste (Li et al. 2021), DRAEM (Zavrtanik et al. 2021) and NSA
(Schlüter et al. 2022); the drawn kinds (crack, scratch, dent, ...) imitate what inspectors see.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, cast

import numpy as np
from numpy.random import Generator

from assistant.foreground import foreground as find_foreground
from assistant.inspection import KINDS

SYNTHESIZERS: dict[str, str] = {
    "crack": "data_gen.synthesizers.lines:crack",
    "scratch": "data_gen.synthesizers.lines:scratch",
    "stain": "data_gen.synthesizers.spots:stain",
    "liquid": "data_gen.synthesizers.spots:liquid",
    "blur patch": "data_gen.synthesizers.texture:blur_patch",
    "hole": "data_gen.synthesizers.spots:hole",
    "particle": "data_gen.synthesizers.matter:particle",
    "dust": "data_gen.synthesizers.matter:dust",
    "fibre": "data_gen.synthesizers.matter:fibre",
    "dent": "data_gen.synthesizers.relief:dent",
    "break": "data_gen.synthesizers.structure:break_off",
    "missing part": "data_gen.synthesizers.structure:missing_part",
    "misplaced part": "data_gen.synthesizers.structure:misplaced_part",
    "duplicated part": "data_gen.synthesizers.structure:duplicated_part",
    "color change": "data_gen.synthesizers.texture:color_change",
    "deformation": "data_gen.synthesizers.deformation:deformation",
    "misprint": "data_gen.synthesizers.print:misprint",
    "cut paste": "data_gen.synthesizers.cut_paste:cut_paste",
    "scar": "data_gen.synthesizers.cut_paste:scar",
    "poisson patch": "data_gen.synthesizers.poisson:poisson_patch",
    "perlin texture stain": "data_gen.synthesizers.perlin:texture_stain",
    "perlin texture contamination": "data_gen.synthesizers.perlin:texture_contamination",
    "perlin structure": "data_gen.synthesizers.perlin:structure",
}

# which synthesizers make a kind; the first is the usual one
MAKERS: dict[str, tuple[str, ...]] = {kind: (kind,) for kind in KINDS} | {
    "stain": ("stain", "liquid", "blur patch", "perlin texture stain"),
    "contamination": ("particle", "dust", "fibre", "perlin texture contamination"),
    "misplaced part": ("misplaced part", "duplicated part", "cut paste", "perlin structure"),
    "scratch": ("scratch", "scar"),
    "deformation": ("deformation", "poisson patch"),
}


class NothingVisible(Exception):
    """This kind of defect cannot be made to show on this photo (a dent in black-and-white artwork)."""


@dataclass(frozen=True)
class Defect:
    """One defect in a photo."""

    image: np.ndarray  # (H, W, 3) uint8, with the defect
    mask: np.ndarray  # (H, W) bool, the pixels that visibly changed; never empty
    kind: str  # one of KINDS


@dataclass(frozen=True)
class Sample:
    """A photo with its defects, in the order they were made."""

    image: np.ndarray  # (H, W, 3) uint8
    defects: tuple[tuple[str, np.ndarray], ...]  # (kind, (H, W) bool), masks do not overlap
    makers: tuple[str, ...] = ()  # name in `SYNTHESIZERS` of each defect's synthesizer

    @property
    def mask(self) -> np.ndarray:
        """Union of the defects' masks, (H, W) bool."""
        union = np.zeros(self.image.shape[:2], bool)
        for _, mask in self.defects:
            union |= mask
        return union

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kind of each defect, in order."""
        return tuple(kind for kind, _ in self.defects)


class Synthesizer(Protocol):
    """Puts one defect into an image (H, W, 3) uint8 and leaves its input alone.

    `foreground` (H, W) bool is where a defect may lie, estimated from the photo when None. `difficulty` in [0, 1]
    sets size and contrast relative to the photo's own texture, noise and brightness: 0 is large and clear, 1 is
    barely visible; None draws it uniformly. `size` overrules the wished area (a fraction of the image). `sources`
    are other normal photos, (h, w, 3) uint8 each, to take patches from. Raises NothingVisible when no try shows.
    """

    def __call__(
        self,
        image: np.ndarray,
        rng: Generator,
        *,
        foreground: np.ndarray | None = None,
        difficulty: float | None = None,
        size: float | None = None,
        sources: Sequence[np.ndarray] = (),
    ) -> Defect: ...


def load_synthesizer(name: str) -> Synthesizer:
    """The synthesizer registered as `name`; KeyError names the known ones."""
    if name not in SYNTHESIZERS:
        raise KeyError(f"no synthesizer {name!r}; known: {', '.join(SYNTHESIZERS)}")
    module, attribute = SYNTHESIZERS[name].split(":")
    return cast(Synthesizer, getattr(importlib.import_module(module), attribute))


def synthesize(
    image: np.ndarray,
    rng: Generator,
    kinds: Sequence[str] | None = None,
    count: int = 1,
    foreground: np.ndarray | None = None,
    difficulty: float | None = None,
    sources: Sequence[np.ndarray] = (),
) -> Sample:
    """`count` defects that do not overlap, of kinds drawn evenly from `kinds` (default: all of KINDS).

    `foreground`, `difficulty` and `sources` as in `Synthesizer`; a difficulty of None is drawn for each defect.
    A kind that does not show on this photo gives way to another, so fewer than `count` defects come back only
    when the photo is full; NothingVisible when there is none at all.
    """
    wanted = tuple(kinds) if kinds is not None else KINDS
    unknown = sorted(set(wanted) - set(KINDS))
    if unknown:
        raise ValueError(f"unknown kinds {unknown}; known: {', '.join(KINDS)}")
    assert difficulty is None or 0 <= difficulty <= 1, f"difficulty {difficulty} is outside [0, 1]"
    where = find_foreground(image) if foreground is None else foreground
    made: list[tuple[str, np.ndarray]] = []
    makers: list[str] = []
    taken = np.zeros(image.shape[:2], bool)
    for _ in range(count):
        found = _one_more(image, rng, wanted, taken, where, difficulty, sources)
        if found is None:
            break
        name, defect = found
        image, taken = defect.image, taken | defect.mask
        made.append((defect.kind, defect.mask))
        makers.append(name)
    if not made:
        raise NothingVisible(f"none of {', '.join(wanted)} shows on this photo")
    return Sample(image, tuple(made), tuple(makers))


def _one_more(
    image: np.ndarray,
    rng: Generator,
    kinds: tuple[str, ...],
    taken: np.ndarray,
    foreground: np.ndarray,
    difficulty: float | None,
    sources: Sequence[np.ndarray],
) -> tuple[str, Defect] | None:
    """The first defect, over random orders of kinds, that shows and stays clear of `taken`; with its maker."""
    for _ in range(3):
        for kind in rng.permutation(kinds):
            name = str(rng.choice(MAKERS[str(kind)]))
            make = load_synthesizer(name)
            try:
                defect = make(image, rng, foreground=foreground, difficulty=difficulty, sources=sources)
            except NothingVisible:
                continue
            if not (defect.mask & taken).any():
                return name, defect
    return None
