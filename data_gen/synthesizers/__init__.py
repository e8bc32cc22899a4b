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

from assistant.inspection import KINDS
from data_gen.procedural import foreground as find_foreground

SYNTHESIZERS: dict[str, str] = {
    "crack": "data_gen.synthesizers.lines:crack",
    "scratch": "data_gen.synthesizers.lines:scratch",
    "stain": "data_gen.synthesizers.spots:stain",
    "hole": "data_gen.synthesizers.spots:hole",
    "contamination": "data_gen.synthesizers.spots:contamination",
    "dent": "data_gen.synthesizers.relief:dent",
    "break": "data_gen.synthesizers.structure:break_off",
    "missing part": "data_gen.synthesizers.structure:missing_part",
    "misplaced part": "data_gen.synthesizers.structure:misplaced_part",
    "color change": "data_gen.synthesizers.texture:color_change",
    "cut paste": "data_gen.synthesizers.texture:cut_paste",
    "texture stain": "data_gen.synthesizers.texture:texture_stain",
    "texture contamination": "data_gen.synthesizers.texture:texture_contamination",
}

# which synthesizers make a kind; the first is the usual one
MAKERS: dict[str, tuple[str, ...]] = {kind: (kind,) for kind in KINDS} | {
    "stain": ("stain", "texture stain"),
    "contamination": ("contamination", "texture contamination"),
    "misplaced part": ("misplaced part", "cut paste"),
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

    `foreground` (H, W) bool is where a defect may lie; `size` is the wished area as a fraction of the image,
    drawn by the synthesizer when None. Raises NothingVisible when no try shows.
    """

    def __call__(
        self, image: np.ndarray, rng: Generator, foreground: np.ndarray | None = None, size: float | None = None
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
) -> Sample:
    """`count` defects that do not overlap, of kinds drawn evenly from `kinds` (default: all of KINDS).

    A kind that does not show on this photo gives way to another, so fewer than `count` defects come back only
    when the photo is full; NothingVisible when there is none at all.
    """
    wanted = tuple(kinds) if kinds is not None else KINDS
    unknown = sorted(set(wanted) - set(KINDS))
    if unknown:
        raise ValueError(f"unknown kinds {unknown}; known: {', '.join(KINDS)}")
    where = find_foreground(image) if foreground is None else foreground
    made: list[tuple[str, np.ndarray]] = []
    taken = np.zeros(image.shape[:2], bool)
    for _ in range(count):
        defect = _one_more(image, rng, wanted, where, taken)
        if defect is None:
            break
        image, taken = defect.image, taken | defect.mask
        made.append((defect.kind, defect.mask))
    if not made:
        raise NothingVisible(f"none of {', '.join(wanted)} shows on this photo")
    return Sample(image, tuple(made))


def _one_more(
    image: np.ndarray, rng: Generator, kinds: tuple[str, ...], where: np.ndarray, taken: np.ndarray
) -> Defect | None:
    """The first defect, over random orders of kinds, that shows and stays clear of `taken`."""
    for _ in range(3):
        for kind in rng.permutation(kinds):
            makers = MAKERS[str(kind)]
            try:
                defect = load_synthesizer(str(rng.choice(makers)))(image, rng, where)
            except NothingVisible:
                continue
            if not (defect.mask & taken).any():
                return defect
    return None
