"""What all synthesizers share: drawing size, place and strength, and the mask read off the final pixels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator

from assistant.foreground import foreground as find_foreground
from assistant.foreground import two_tones
from data_gen.synthesizers import Defect, NothingVisible
from data_gen.synthesizers.canvas import (
    Canvas,
    Place,
    Subject,
    disc_radius,
    grey_of,
    line_length,
    open_canvas,
    strongest,
    visible_contrast,
)

VISIBLE = 5.0  # grey levels of 255: about what an eye makes out on an even surface
SMALLEST, LARGEST = 0.0002, 0.2  # area fractions beyond which a result is drawn again
TRIES = 5

# (generator, middle (y, x), length in pixels) -> lines, (n, 2) arrays of (x, y)
Route = Callable[[Generator, Place, float], list[np.ndarray]]
Paint = Callable[[Canvas], np.ndarray]  # -> (h, w, 3) float32 in [0, 255], the canvas's window with the defect


def changed_pixels(before: np.ndarray, after: np.ndarray, smooth: float = 0.7) -> np.ndarray:
    """Pixels that visibly differ, (H, W) bool: smoothed difference over VISIBLE grey levels, closed.

    `smooth` is the sigma in pixels. Moved texture differs everywhere pixel by pixel; a larger sigma keeps
    only what differs in tone.
    """
    raw = cv2.compare(strongest(cv2.absdiff(before, after)), VISIBLE, cv2.CMP_GT)
    mask = np.zeros(raw.shape, bool)
    x, y, width, height = cv2.boundingRect(raw)
    if not width:
        return mask
    margin = 4 + int(3 * smooth)  # work on the changed part of the photo only
    top, left = max(y - margin, 0), max(x - margin, 0)
    box = slice(top, y + height + margin), slice(left, x + width + margin)
    difference = cv2.subtract(after[box], before[box], dtype=cv2.CV_32F)
    visible = strongest(np.abs(cv2.GaussianBlur(difference, (0, 0), smooth))) > VISIBLE
    near = cv2.dilate(raw[box], np.ones((3, 3), np.uint8)) > 0
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


def fine_grain(image: np.ndarray, rng: Generator, target: np.ndarray | None = None) -> np.ndarray:
    """The photo's own noise and fine texture (H, W, 3), moved so that it can cover a filled place.

    With `target` (H, W) bool, of eight moves the one that brings most from outside the target into it.
    """
    detail = image - cv2.GaussianBlur(image, (0, 0), 2)
    limit = 2.5 * float(np.median(np.abs(detail[::4, ::4]))) + 1  # edges are not grain
    shifts = rng.integers(0, image.shape[:2], (8, 2))
    shift = shifts[0]
    if target is not None:
        coarse = target[::4, ::4]
        shift = min(shifts, key=lambda move: int((np.roll(coarse, move // 4, (0, 1)) & coarse).sum()))
        detail[target] = 0  # what is still taken from inside would show its pattern
    return np.roll(np.clip(detail, -limit, limit), shift, (0, 1))


@dataclass(frozen=True)
class Painter:
    """A synthesizer made of one painting function: draws size, place and contrast, tries again until it shows."""

    kind: str
    paint: Paint
    sizes: tuple[float, float] = (0.0003, 0.15)  # area fractions, (barely visible, easy)
    contrasts: tuple[float, float] = (9.0, 80.0)  # grey levels on an even surface, (barely visible, easy)
    smooth: float = 0.7  # sigma for `changed_pixels`
    artwork: bool = True  # whether it makes sense on two-tone artwork
    reach: float = 2.2  # half the side of the window it needs, in radii
    route: Route | None = None  # of a line defect: where its lines run
    outline: float = 0.0  # chance to lie on the part's outline instead of inside it
    detail: bool = False  # whether it shows only where the part has texture, print or pieces
    beyond: bool = False  # whether it may change the background beside the part

    def __call__(
        self,
        image: np.ndarray,
        rng: Generator,
        *,
        foreground: np.ndarray | None = None,
        difficulty: float | None = None,
        size: float | None = None,
        sources: Sequence[np.ndarray] = (),
    ) -> Defect:
        """See `Synthesizer`."""
        step = max(min(image.shape[:2]) // 64, 1)
        tones = two_tones(image[::step, ::step])
        if tones is not None and not self.artwork:
            raise NothingVisible(f"{self.kind} makes no sense on two-tone artwork")
        where = find_foreground(image) if foreground is None else foreground
        if not where.any():
            raise NothingVisible("the foreground is empty")
        subject = Subject(image, where, tones)
        hardness = float(rng.uniform()) if difficulty is None else difficulty
        for attempt in range(TRIES):
            canvas = self._canvas(subject, rng, hardness, size, 1.5**attempt, sources)
            defect = self._finish(canvas, self.paint(canvas))
            if defect is not None:
                return defect
        raise NothingVisible(f"no visible {self.kind} after {TRIES} tries")

    def _canvas(
        self,
        subject: Subject,
        rng: Generator,
        difficulty: float,
        size: float | None,
        boost: float,
        sources: Sequence[np.ndarray],
    ) -> Canvas:
        """A window at a random place, with the size and contrast that the difficulty asks for."""
        ease, pixels = 1 - difficulty, subject.foreground.size
        low, high = np.log(self.sizes)
        # real defects are mostly small: halfway between easy and hard the median is a third of the log range
        share = 0.65 * ease**1.5 + 0.35 * rng.random()
        area = pixels * (float(np.exp(low + (high - low) * share)) if size is None else size)
        radius = disc_radius(area)
        place = self._place(subject, rng, radius)
        lines = [] if self.route is None else self.route(rng, place, line_length(area, pixels))
        if lines:
            (left, top), (right, bottom) = np.concatenate(lines).min(0), np.concatenate(lines).max(0)
            margin = 0.03 * line_length(area, pixels) + 8  # for its width, its shadow and what counts as around it
        else:
            (top, left), (bottom, right), margin = place, place, self.reach * radius + 8
        box = (top - margin, left - margin, bottom + margin, right + margin)
        hard, easy = self.contrasts
        wished = visible_contrast(subject.photo, place, radius, hard, easy, ease)
        return open_canvas(
            subject, rng, place=place, area=area, box=box, lines=lines, difficulty=difficulty,
            contrast=wished * boost * float(rng.uniform(0.85, 1.15)), sources=sources,
        )  # fmt: skip

    def _place(self, subject: Subject, rng: Generator, radius: float) -> Place:
        """Where the defect goes, (y, x) in the photo."""
        find = subject.outline if rng.random() < self.outline else subject.inside
        if not self.detail:
            return find(rng)
        return subject.busiest([find(rng) for _ in range(5)], radius)

    def _finish(self, canvas: Canvas, painted: np.ndarray) -> Defect | None:
        """The defect with its mask, or None when it does not show or is out of proportion."""
        subject, (top, left), (height, width) = canvas.subject, canvas.corner, canvas.shape
        window = slice(top, top + height), slice(left, left + width)
        before = subject.photo[window]
        if subject.monochrome:  # a grey camera sees grey defects
            painted = cv2.merge([grey_of(painted)] * 3)
        if painted is canvas.image:
            return None  # there was nothing to paint with
        after = cv2.add(painted, 0.0, dtype=cv2.CV_8U)  # rounds and clips
        if not self.beyond and not canvas.foreground.all():
            after[~canvas.foreground] = before[~canvas.foreground]
        changed = changed_pixels(before, after, self.smooth)
        if not self.beyond:
            changed &= canvas.foreground
        count = int(changed.sum())
        if count < 4 or not SMALLEST <= count / subject.foreground.size <= LARGEST:
            return None
        mask = np.zeros(subject.shape, bool)
        mask[window] = changed
        image = subject.photo.copy()
        cv2.copyTo(after, changed.astype(np.uint8), image[window])
        return Defect(image, mask, self.kind)
