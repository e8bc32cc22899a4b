"""The area of a photo that an inspection is restricted to: drawn as a box or with a brush, or named in words.

Coordinates are pixels of the photo as uploaded, `[x0, y0, x1, y1]`, origin top left. Words are read in `steering`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from assistant import UserError
from assistant.spoken import as_sentence, lowered

Box = tuple[int, int, int, int]
ROOM = 16  # around what is named, in parts of the photo's sides: the map fades over a few cells at its edge
THE_BOX, THE_BRUSHED = "the box you drew", "the area you marked"


@dataclass(frozen=True)
class Piece:
    """A piece of a photo with a name ("the upper half", "the box you drew"): boxes in pixels, or brush strokes.

    `strokes` are the bits of a mask (H, W), packed row by row, eight a byte; or nothing.
    """

    name: str
    boxes: tuple[Box, ...] = ()
    strokes: bytes = b""

    @classmethod
    def from_mask(cls, name: str, mask: np.ndarray) -> "Piece":
        """The true pixels of a mask (H, W) of the photo."""
        return cls(name, strokes=np.packbits(mask).tobytes())


@dataclass(frozen=True)
class Area:
    """What of a photo is judged: the pieces in `only` (all of it where there are none) but for those in `without`.

    A small value, equal to another of the same pieces; its pixels come from `mask`. `size` is (width, height).

    Raises:
        UserError: nothing of the photo is left.
    """

    size: tuple[int, int]
    only: tuple[Piece, ...] = ()
    without: tuple[Piece, ...] = ()

    def __post_init__(self) -> None:
        assert self.only or self.without, "all of a photo is no area of it: use None"
        if not self.mask.any():
            raise UserError("nothing of the photo is left to judge", "choose a larger area or leave out less")

    @classmethod
    def from_box(cls, size: tuple[int, int], box: Sequence[float], *, ignored: bool = False) -> "Area":
        """The area inside a drawn box, or outside of it.

        Args:
            size: (width, height) of the photo.
            box: [x0, y0, x1, y1], corners in any order, cut off at the photo's edge; at least a pixel is taken.

        Raises:
            UserError: the box lies beside the photo, or nothing is left outside of it.
        """
        return cls._of(size, Piece(THE_BOX, (clipped(box, size),)), ignored)

    @classmethod
    def from_brush(cls, strokes: np.ndarray, *, ignored: bool = False) -> "Area":
        """The area that was brushed over, (H, W) bool, or all the rest.

        Raises:
            UserError: nothing was marked, or nothing is left.
        """
        height, width = strokes.shape
        if not strokes.any():
            raise UserError("nothing is marked", "brush over a part of the photo")
        return cls._of((width, height), Piece.from_mask(THE_BRUSHED, strokes), ignored)

    @classmethod
    def _of(cls, size: tuple[int, int], piece: Piece, ignored: bool) -> "Area":
        return cls(size, without=(piece,)) if ignored else cls(size, only=(piece,))

    @property
    def mask(self) -> np.ndarray:
        """(H, W) bool: the pixels that are judged."""
        width, height = self.size
        inside = self._union(self.only) if self.only else np.ones((height, width), dtype=bool)
        return inside & ~self._union(self.without) if self.without else inside

    def _union(self, pieces: Sequence[Piece]) -> np.ndarray:
        width, height = self.size
        drawn = np.zeros((height, width), dtype=bool)
        for piece in pieces:
            for x0, y0, x1, y1 in piece.boxes:
                drawn[y0:y1, x0:x1] = True
            if piece.strokes:
                bits = np.unpackbits(np.frombuffer(piece.strokes, dtype=np.uint8), count=width * height)
                drawn |= bits.astype(bool).reshape(height, width)
        return drawn

    def touches(self, box: Box) -> bool:
        """Is any pixel of a box judged?"""
        x0, y0, x1, y1 = (max(0, edge) for edge in box)
        return bool(self.mask[y0:y1, x0:x1].any())

    @property
    def scope(self) -> str:
        """What is judged: "only the upper half", "everything except the left third", "only ... except ..."."""
        left_out = f" except {_row(self.without)}" if self.without else ""
        return f"{f'only {_row(self.only)}' if self.only else 'everything'}{left_out}"

    @property
    def lead(self) -> str:
        """What every answer about the area begins with: "In the upper half: ", "Leaving out the left third: "."""
        parts = [f"in {_row(self.only)}"] if self.only else []
        parts += [f"leaving out {_row(self.without)}"] if self.without else []
        lead = ", ".join(parts)
        return f"{lead[0].upper()}{lead[1:]}: "

    def to_json(self) -> dict[str, Any]:
        """Words, the smallest box around it, and the share in (0, 1] of the photo that is judged."""
        mask = self.mask
        return {"words": self.scope, "box": list(bounds(mask)), "fraction": round(float(mask.mean()), 6)}


def scoped(text: str, area: Area | None) -> str:
    """An answer that says which area of the photo it is about, where that is not all of it."""
    return f"{area.lead}{lowered(text)}" if area else text


def unscoped(text: str, area: Area | None) -> str:
    """The answer inside what `scoped` made of it."""
    if area is None or not text.startswith(area.lead):
        return text
    inside = text[len(area.lead) :]
    return as_sentence(inside)


def clipped(box: Sequence[float], size: tuple[int, int]) -> Box:
    """The pixels of the photo that a drawn box covers.

    Raises:
        UserError: it covers none.
    """
    width, height = size
    (x0, x1), (y0, y1) = sorted((int(box[0]), int(box[2]))), sorted((int(box[1]), int(box[3])))
    inside = max(0, x0), max(0, y0), min(width, max(x1, x0 + 1)), min(height, max(y1, y0 + 1))
    if inside[0] >= inside[2] or inside[1] >= inside[3]:
        raise UserError(f"the box {list(map(int, box))} lies beside the photo", f"it has {width} x {height} pixels")
    return inside


def bounds(mask: np.ndarray) -> Box:
    """The smallest box around the true pixels of an (H, W) mask that has some."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _row(pieces: Sequence[Piece]) -> str:
    return " and ".join(dict.fromkeys(piece.name for piece in pieces))
