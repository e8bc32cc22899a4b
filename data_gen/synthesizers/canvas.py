"""The part of a photo around one defect: where it lies, how large it is, and how strong it must be to show.

Only the window around a defect is ever turned to float pixels, so a defect costs the same on any photo size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.random import Generator

Place = tuple[float, float]  # (y, x) in pixels
NEIGHBOURS = np.array([(0, 0), (-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1)])
MEAN = np.full((1, 3), 1 / 3, np.float32)


@dataclass(frozen=True)
class Subject:
    """A whole photo and what every try at a defect in it needs to know."""

    photo: np.ndarray  # (H, W, 3) uint8
    foreground: np.ndarray  # (H, W) bool, not empty
    tones: tuple[np.ndarray, np.ndarray] | None  # (3,) uint8 each: the two colours of artwork, else None

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W)."""
        return self.photo.shape[0], self.photo.shape[1]

    @cached_property
    def monochrome(self) -> bool:
        """Whether the photo comes from a grey camera."""
        step = max(min(self.shape) // 64, 1)
        sample = self.photo[::step, ::step].astype(np.int16)
        return bool((sample.max(2) - sample.min(2)).max() <= 2)

    def inside(self, rng: Generator) -> Place:
        """A random place on the part, a little away from its outline where the part allows it."""
        height, width = self.shape
        darts = rng.integers(0, self.shape, (32, 1, 2))
        around = darts + max(int(0.02 * min(self.shape)), 1) * NEIGHBOURS  # (32, 9, 2), the dart itself first
        around = np.minimum(np.maximum(around, 0), (height - 1, width - 1))
        on_part = self.foreground[around[..., 0], around[..., 1]]
        for fits in (on_part.all(1), on_part[:, 0]):
            if fits.any():
                y, x = darts[int(fits.argmax()), 0]
                return float(y), float(x)
        places = np.argwhere(self.foreground)  # a part so small that all darts missed it
        y, x = places[int(rng.integers(len(places)))]
        return float(y), float(x)

    def outline(self, rng: Generator) -> Place:
        """A place on the part's outline, on artwork on the edge of a tone: where a random ray from inside leaves."""
        height, width = self.shape
        for _ in range(4):
            start, angle = self.inside(rng), rng.uniform(0, 2 * np.pi)
            steps = np.arange(int(np.hypot(height, width)))
            ys = (start[0] + steps * np.sin(angle)).astype(int)
            xs = (start[1] + steps * np.cos(angle)).astype(int)
            within = (ys >= 0) & (ys < height) & (xs >= 0) & (xs < width)
            ys, xs = ys[within], xs[within]
            if self.tones is None:
                stays = self.foreground[ys, xs]
            else:
                bright = self.photo[ys, xs].mean(1) > 127
                stays = bright == bright[0]
            last = len(ys) - 1 if stays.all() else int(stays.argmin()) - 1
            if self.tones is None or not stays.all():
                break
        return float(ys[last]), float(xs[last])

    def busiest(self, places: Sequence[Place], radius: float) -> Place:
        """The one of `places` whose square of `radius` pixels varies most."""
        reach, step = max(int(radius), 3), max(int(radius) // 12, 1)

        def variation(place: Place) -> float:
            top, left = max(int(place[0]) - reach, 0), max(int(place[1]) - reach, 0)
            square = self.photo[top : int(place[0]) + reach : step, left : int(place[1]) + reach : step, 1]
            return float(square.std())

        return max(places, key=variation)


@dataclass(frozen=True)
class Canvas:
    """A window of a photo to paint one defect on."""

    subject: Subject
    corner: tuple[int, int]  # (top, left) of the window in the photo
    image: np.ndarray  # (h, w, 3) float32 in [0, 255], the window
    foreground: np.ndarray  # (h, w) bool, where the window shows the part
    place: Place  # (y, x) in the window, the middle of the defect
    rng: Generator
    area: float  # wished area of the defect in pixels
    difficulty: float  # 0 easy ... 1 barely visible
    contrast: float  # wished change in grey levels, already in proportion to the texture around `place`
    sources: Sequence[np.ndarray] = ()  # other normal photos, (h, w, 3) uint8
    lines: Sequence[np.ndarray] = ()  # of a line defect: (n, 2) arrays of (x, y) in the window

    @property
    def shape(self) -> tuple[int, int]:
        """(h, w) of the window."""
        return self.image.shape[0], self.image.shape[1]

    @cached_property
    def grey(self) -> np.ndarray:
        """Mean of the three channels, (h, w) float32."""
        return grey_of(self.image)

    @property
    def ease(self) -> float:
        """1 for a clear defect ... 0 for a barely visible one."""
        return 1.0 - self.difficulty

    @property
    def tones(self) -> tuple[np.ndarray, np.ndarray] | None:
        """The two colours of artwork, else None."""
        return self.subject.tones

    @property
    def radius(self) -> float:
        """Radius in pixels of a disc of the wished area."""
        return disc_radius(self.area)

    @property
    def length(self) -> float:
        """Length in pixels of a line defect of the wished area."""
        return line_length(self.area, self.subject.foreground.size)

    @property
    def width(self) -> float:
        """Width in pixels that gives a line of `length` the wished area, soft edges included."""
        return max(self.area / self.length - 0.8, 0.5)

    def spot(self) -> Place:
        """A random place (y, x) of the window on the part."""
        for _ in range(20):
            y, x = (int(value) for value in self.rng.integers(0, self.shape))
            if self.foreground[y, x]:
                return float(y), float(x)
        return self.place

    def around(self, place: Place, radius: float) -> np.ndarray:
        """The pixels (n, m, 3) in the square of `radius` around `place` (y, x)."""
        return square(self.image, place, radius)

    def colour(self, place: Place, radius: float) -> np.ndarray:
        """Mean colour (3,) float32 of the square of `radius` around `place` (y, x)."""
        return self.around(place, radius).reshape(-1, 3).mean(0)

    def ink(self, place: Place) -> np.ndarray:
        """On artwork: the other of the two colours than at `place`, (3,) float32."""
        assert self.tones is not None
        here = self.image[int(place[0]), int(place[1])]
        dark, light = (tone.astype(np.float32) for tone in self.tones)
        return light if np.abs(here - dark).sum() < np.abs(here - light).sum() else dark

    def delta(self, place: Place, darker: float = 0.8) -> float:
        """Signed change in grey levels at `place`; `darker` is its usual chance to be negative.

        The change goes where there is room: on a black place only lighter shows, on a white one only darker.
        """
        level = float(self.around(place, max(2 * self.radius, 6)).mean())
        room = {-1: 0.9 * level, 1: 0.9 * (255 - level)}
        sign = -1 if self.rng.random() < darker else 1
        if room[sign] < min(self.contrast, 25.0):
            sign = -sign
        return sign * min(self.contrast, room[sign])


def grey_of(image: np.ndarray) -> np.ndarray:
    """Mean of the three channels (h, w) float32 of an image (h, w, 3) float32; ten times faster than `mean(2)`."""
    return cv2.transform(image, MEAN)


def strongest(change: np.ndarray) -> np.ndarray:
    """The largest of three channels (h, w) of a change (h, w, 3), uint8 or float32; ten times faster than `max(2)`."""
    first, second, third = cv2.split(change)
    return cv2.max(cv2.max(first, second), third)


def disc_radius(area: float) -> float:
    """Radius in pixels of a disc of `area` pixels; at least 1.2, or nothing shows."""
    return max(float(np.sqrt(area / np.pi)), 1.2)


def line_length(area: float, photo_area: int) -> float:
    """Length in pixels of a line of `area` pixels: 3 % of the photo's side when tiny, most of it when large."""
    side = np.sqrt(photo_area)
    return float(max(side * min(0.9 * (area / photo_area / 0.015) ** 0.6, 0.9), min(4.0, side / 3)))


def square(image: np.ndarray, place: Place, radius: float) -> np.ndarray:
    """The pixels of `image` in the square of `radius` around `place` (y, x), cut at the border."""
    top, left = max(int(place[0] - radius), 0), max(int(place[1] - radius), 0)
    return image[top : int(place[0] + radius) + 1, left : int(place[1] + radius) + 1]


def visible_contrast(photo: np.ndarray, place: Place, radius: float, hard: float, easy: float, ease: float) -> float:
    """Grey levels by which a defect at `place` should differ: `hard` at ease 0 ... `easy` at ease 1, adapted.

    Both hold for an even surface of medium brightness. Texture and noise mask a defect (a faint scratch on smooth
    metal is invisible on rough concrete), so their strength is added; light multiplies, so a dark surface takes
    less change than a bright one.
    """
    patch = cv2.cvtColor(square(photo, place, float(np.clip(2 * radius, 6, 60))), cv2.COLOR_RGB2GRAY)
    detail = patch.astype(np.float32) - cv2.blur(patch, (9, 9))
    busy = 1.5 * float(np.median(np.abs(detail)))  # the spread of the texture; edges of parts have no say
    bright = float(np.clip((patch.mean() + 20) / 130, 0.4, 1.6)) ** 0.4
    return float(np.exp((1 - ease) * np.log(hard) + ease * np.log(easy))) * bright + 0.9 * min(busy, 40.0)


def open_canvas(
    subject: Subject,
    rng: Generator,
    *,
    place: Place,
    area: float,
    box: tuple[float, float, float, float],
    difficulty: float,
    contrast: float,
    sources: Sequence[np.ndarray],
    lines: Sequence[np.ndarray],
) -> Canvas:
    """The window `box` (top, left, bottom, right) of the photo; `place` and `lines` are in the photo's pixels."""
    top, left = max(int(box[0]), 0), max(int(box[1]), 0)
    window = slice(top, max(int(box[2]), top) + 1), slice(left, max(int(box[3]), left) + 1)
    return Canvas(
        subject=subject, corner=(top, left), image=subject.photo[window].astype(np.float32),
        foreground=subject.foreground[window], place=(place[0] - top, place[1] - left), rng=rng, area=area,
        difficulty=difficulty, contrast=contrast, sources=sources,
        lines=[line - (left, top) for line in lines],
    )  # fmt: skip
