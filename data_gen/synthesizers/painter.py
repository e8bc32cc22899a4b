"""What all synthesizers share: where to paint, how strongly, and the mask read off the final pixels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.random import Generator

from data_gen.procedural import foreground as find_foreground
from data_gen.procedural import two_tones
from data_gen.synthesizers import Defect, NothingVisible

VISIBLE = 5.0  # grey levels of 255: about what an eye makes out on an even surface
SMALLEST, LARGEST = 0.0002, 0.2  # area fractions beyond which a result is drawn again


@dataclass
class Canvas:
    """A photo to paint on: float pixels, where the part is, and how strong and large the defect should be."""

    image: np.ndarray  # (H, W, 3) float32 in [0, 255]
    foreground: np.ndarray  # (H, W) bool
    rng: Generator
    fraction: float  # wished area of the defect, fraction of the image
    contrast: float  # wished change, grey levels of 255
    tones: tuple[np.ndarray, np.ndarray] | None  # two colours of artwork, else None
    inside: np.ndarray = field(init=False)  # (n, 2) int, (y, x) of places well inside the part

    def __post_init__(self) -> None:
        core = self.foreground.astype(np.uint8)
        margin = max(int(0.02 * min(self.shape)), 1)
        if not core.all():
            core = cv2.erode(core, np.ones((2 * margin + 1, 2 * margin + 1), np.uint8))
        self.inside = np.argwhere(core if core.any() else self.foreground)

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W)."""
        return self.image.shape[0], self.image.shape[1]

    @property
    def radius(self) -> float:
        """Radius in pixels of a disc of the wished area."""
        return max(float(np.sqrt(self.fraction * self.foreground.size / np.pi)), 1.2)

    @property
    def length(self) -> float:
        """Length in pixels of a line defect: from a 20th of the image to most of it with the area."""
        share = np.clip(np.log(self.fraction / 0.0005) / np.log(60), 0, 1.2)
        return float(max(np.sqrt(self.foreground.size) * 0.07 * 12**share, 4))

    def spot(self) -> tuple[float, float]:
        """A random place (y, x) on the part."""
        y, x = self.inside[int(self.rng.integers(len(self.inside)))]
        return float(y), float(x)

    def around(self, place: tuple[float, float], radius: float) -> np.ndarray:
        """The pixels (h, w, 3) in the square of `radius` around `place` (y, x)."""
        top, left = max(int(place[0] - radius), 0), max(int(place[1] - radius), 0)
        return self.image[top : int(place[0] + radius) + 1, left : int(place[1] + radius) + 1]

    def ink(self, place: tuple[float, float]) -> np.ndarray:
        """On artwork: the other of the two colours than at `place`, (3,) float32."""
        assert self.tones is not None
        here = self.image[int(place[0]), int(place[1])]
        dark, light = (tone.astype(np.float32) for tone in self.tones)
        return light if np.abs(here - dark).sum() < np.abs(here - light).sum() else dark

    def delta(self, place: tuple[float, float], darker: float = 0.8) -> float:
        """Signed change in grey levels at `place`; `darker` is its usual chance to be negative.

        A dark place is made lighter, a bright one darker, and a busy one changed more, or it would not show.
        """
        patch = self.around(place, max(2 * self.radius, 6)).mean(2)
        level, busy = float(patch.mean()), float(patch.std())
        size = self.contrast + min(busy, 30.0)
        if level - size < 5:
            darker = 0.0 if level < 60 else 0.4
        elif level + size > 250:
            darker = 1.0
        return -size if self.rng.random() < darker else size


Paint = Callable[[Canvas], np.ndarray]  # -> (H, W, 3) float32 in [0, 255]


def changed_pixels(before: np.ndarray, after: np.ndarray, smooth: float = 0.7) -> np.ndarray:
    """Pixels that visibly differ, (H, W) bool: smoothed difference over VISIBLE grey levels, closed.

    `smooth` is the sigma in pixels. Moved texture differs everywhere pixel by pixel; a larger sigma keeps
    only what differs in tone.
    """
    raw = cv2.absdiff(before, after).max(2) > VISIBLE
    mask = np.zeros(raw.shape, bool)
    rows, columns = np.flatnonzero(raw.any(1)), np.flatnonzero(raw.any(0))
    if not len(rows):
        return mask
    margin = 4 + int(3 * smooth)  # work on the changed part of the photo only
    top, left = max(rows[0] - margin, 0), max(columns[0] - margin, 0)
    box = slice(top, rows[-1] + margin + 1), slice(left, columns[-1] + margin + 1)
    difference = after[box].astype(np.float32) - before[box]
    visible = np.abs(cv2.GaussianBlur(difference, (0, 0), smooth)).max(2) > VISIBLE
    near = cv2.dilate(raw[box].astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    mask[box] = cv2.morphologyEx((visible & near).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8)) > 0
    return mask


def shifted(field: np.ndarray, down: int, right: int) -> np.ndarray:
    """A field (H, W) moved by whole pixels (>= 0); zeros come in, so nothing shows up at the far border."""
    out = np.zeros_like(field)
    out[down:, right:] = field[: field.shape[0] - down, : field.shape[1] - right]
    return out


def fill_from_outside(image: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """The image with `hole` (H, W) bool filled smoothly from its surroundings: push-pull over a pyramid."""
    rows, columns = np.flatnonzero(hole.any(1)), np.flatnonzero(hole.any(0))
    if not len(rows):
        return image
    margin = 8 + int(0.3 * max(np.ptp(rows), np.ptp(columns)))  # far pixels have no say, so leave them out
    top, left = max(rows[0] - margin, 0), max(columns[0] - margin, 0)
    box = slice(top, rows[-1] + margin + 1), slice(left, columns[-1] + margin + 1)
    known = (~hole[box]).astype(np.float32)
    levels = [(image[box] * known[..., None], known)]
    while min(levels[-1][1].shape) > 2:
        levels.append((cv2.pyrDown(levels[-1][0]), cv2.pyrDown(levels[-1][1])))
    filled = levels[-1][0] / np.maximum(levels[-1][1], 1e-4)[..., None]
    for colour, weight in reversed(levels[:-1]):
        coarse = cv2.resize(filled, (weight.shape[1], weight.shape[0]), interpolation=cv2.INTER_LINEAR)
        trust = np.clip(weight * 1.5, 0, 1)[..., None]
        filled = coarse + trust * (colour / np.maximum(weight, 1e-4)[..., None] - coarse)
    out = image.copy()
    out[box][hole[box]] = filled[hole[box]]
    return out


def fine_grain(image: np.ndarray, rng: Generator) -> np.ndarray:
    """The photo's own noise and fine texture (H, W, 3), moved so that it can cover a filled place."""
    detail = image - cv2.GaussianBlur(image, (0, 0), 2)
    limit = 2.5 * float(np.median(np.abs(detail[::4, ::4]))) + 1  # edges are not grain
    shift = (int(rng.integers(image.shape[0])), int(rng.integers(image.shape[1])))
    return np.roll(np.clip(detail, -limit, limit), shift, (0, 1))


@dataclass(frozen=True)
class Painter:
    """A synthesizer made of one painting function: draws size and contrast, tries again until it shows."""

    kind: str
    paint: Paint
    sizes: tuple[float, float] = (0.0005, 0.15)  # area fractions, log-uniform
    contrasts: tuple[float, float] = (10.0, 110.0)  # grey levels, log-uniform
    smooth: float = 0.7  # sigma for `changed_pixels`
    artwork: bool = True  # whether it makes sense on two-tone artwork

    def __call__(
        self, image: np.ndarray, rng: Generator, foreground: np.ndarray | None = None, size: float | None = None
    ) -> Defect:
        """See `Synthesizer`."""
        tones = two_tones(image)
        if tones is not None and not self.artwork:
            raise NothingVisible(f"{self.kind} makes no sense on two-tone artwork")
        where = find_foreground(image) if foreground is None else foreground
        if not where.any():
            raise NothingVisible("the foreground is empty")
        monochrome = int(np.ptp(image[::4, ::4].astype(np.int16), axis=2).max()) <= 2
        for attempt in range(5):
            fraction = size if size is not None else float(np.exp(rng.uniform(*np.log(self.sizes))))
            contrast = float(np.exp(rng.uniform(*np.log(self.contrasts)))) * 1.5**attempt
            canvas = Canvas(image.astype(np.float32), where, rng, fraction, contrast, tones)
            painted = self.paint(canvas)
            if monochrome:  # a grey camera sees grey defects
                painted = np.repeat(painted.mean(2, keepdims=True), 3, 2)
            after = (np.clip(painted, 0, 255) + 0.5).astype(np.uint8)
            mask = changed_pixels(image, after, self.smooth)
            if mask.sum() >= 4 and SMALLEST <= mask.mean() <= LARGEST:
                return Defect(np.where(mask[..., None], after, image), mask, self.kind)
        raise NothingVisible(f"no visible {self.kind} after 5 tries")
