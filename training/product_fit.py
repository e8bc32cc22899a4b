"""Teach the detector one product: a memory of good photos, and a line between them and defects.

No weight of the detector changes. What does is the line between good and defective: it lies where this product's own
good photos, each judged by the others, and defects on them say.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from tqdm import tqdm

from assistant.assistant import Assistant
from assistant.calibration import Calibration
from assistant.detectors.drawn_defects import another_view, draw_defect
from assistant.detectors.fused import EVIDENCE, SEVERAL, STATISTICS, FusedDetector, overall_look, settle
from assistant.encoder import PatchFeatures
from assistant.images import Frame
from assistant.product import Product
from data_gen.product_statistics import ProductStatistics
from data_gen.quality import quality
from data_gen.synthesizers import NothingVisible, Sample, synthesize
from data_gen.variation import vary
from training.own_photos import OwnPhotos, Shot

REMEMBERED = (
    16  # good photos in the memory: a fifth of a second more for a photo than with four, and hardly better after
)
DRAWN = 24  # plain defects, in turn on the good photos
HALF_WAY = 0.5  # from good photos to defects: a dozen tell surely what good ones score, so it lies no nearer to them
BROKEN = 100  # synthetic defects that are aimed at
MOST_GOOD = 60  # good photos that are judged: more than a mean of three numbers needs
LEAST_QUALITY = 0.8  # of synthetic defects: what cannot be seen tells nothing
TRIES = 8  # for one that is good enough

Generator = np.random.Generator
Role = Literal["good", "varied", "drawn", "broken", "bad"]


@dataclass(frozen=True)
class Broken:
    """A synthetic defect: photo and sample; `source` is the number of the good photo it was made from."""

    source: int
    sample: Sample

    @property
    def mask(self) -> np.ndarray:
        """(H, W) bool, all defects."""
        return np.any([mask for _, mask in self.sample.defects], axis=0)


def broken_photos(
    good: Sequence[Shot],
    count: int,
    rng: Generator,
    known: Sequence[Shot] | None = None,
    kinds: Sequence[str] | None = None,
) -> Iterator[Broken]:
    """Up to `count` synthetic defects of good quality, evenly over the good photos, of all `kinds` or those named;
    what is usual for the product is learnt from the `known` ones, or the same."""
    statistics = ProductStatistics.from_normals(shot.image for shot in known or good)
    places = [statistics.where(shot.image) for shot in good[:count]]
    for number in range(count):
        source = number % len(good)
        before = good[source].image
        for _ in range(TRIES):
            try:
                sample = synthesize(before, rng, kinds, foreground=places[source])
            except NothingVisible:
                continue
            if quality(before, sample, statistics) >= LEAST_QUALITY:
                yield Broken(source, sample)
                break


@dataclass(frozen=True)
class Judged:
    """A photo, `image` (H, W, 3) uint8, and the evidence (F,) against it, seen by all of the memory but the photo that
    it was made from, by number: `source` (a real defect has one of its own).

    `role` is "good" or "bad" for photos as they were given, "varied" for a good one as if taken again, "drawn" for one
    with a plain defect on it, and "broken" for one with a synthetic defect as real ones are. The line rests on good,
    drawn and bad ones; all but the drawn are like what will be seen, and test it.
    """

    image: np.ndarray
    role: Role
    source: int
    evidence: np.ndarray

    @property
    def defective(self) -> bool:
        return self.role not in ("good", "varied")


def fit_product(assistant: Assistant, photos: OwnPhotos, rng: Generator) -> tuple[Product, list[Judged]]:
    """The product that the photos show, as `assistant`'s detector sees it, and the photos that decide and test it."""
    size, mix = assistant.encoder.image_size, mix_of(assistant)
    good = list(photos.good[:MOST_GOOD])
    squares = [square(shot.image, size) for shot in good]
    seen = PatchFeatures.join([assistant.encode(image) for image in squares])
    chosen = spread_out(overall_look(seen), REMEMBERED)
    place = {number: position for position, number in enumerate(chosen)}
    detector = FusedDetector(assistant.head, PatchFeatures.join([seen.select(slice(i, i + 1)) for i in chosen]))

    def judge(image: np.ndarray, role: Role, source: int) -> Judged:
        evidence = detector.evidence(assistant.encode(square(image, size)), place.get(source))
        return Judged(image, role, source, evidence)

    judged = [judge(shot.image, "good", i) for i, shot in enumerate(good)]
    judged += [judge(vary(shot.image, rng), "varied", i) for i, shot in enumerate(good)]
    judged += [judge(_drawn_on(squares[n % len(good)], rng), "drawn", n % len(good)) for n in range(DRAWN)]
    made = tqdm(broken_photos(good, BROKEN, rng), total=BROKEN, desc="breaking good photos", mininterval=10)
    judged += [judge(vary(each.sample.image, rng), "broken", each.source) for each in made]
    judged += [judge(shot.image, "bad", len(good) + number) for number, shot in enumerate(photos.bad)]
    line, end = fit(judged, mix), SEVERAL + len(EVIDENCE)
    weights = np.zeros(len(STATISTICS))
    weights[SEVERAL : end + 1] = line
    weights[end] += line[:-1] @ detector.line  # the statistics are counted from there on
    calibration = Calibration(tuple(weights.tolist()), unsure=assistant.head.calibration.unsure)
    return Product(photos.name, [squares[i] for i in chosen], calibration), judged


def mix_of(assistant: Assistant) -> np.ndarray:
    """How much each evidence counts where there are several references, (F,)."""
    return np.array(assistant.head.calibration.weights[SEVERAL : SEVERAL + len(EVIDENCE)])


def cross_validated(judged: Sequence[Judged], mix: np.ndarray) -> np.ndarray:
    """The probability of each photo, (N,) in [0, 1], by a line fitted without the photo it was made from."""
    chances = np.empty(len(judged))
    for source in {each.source for each in judged}:
        line = fit([each for each in judged if each.source != source], mix)
        for number, each in enumerate(judged):
            if each.source == source:
                chances[number] = 1 / (1 + np.exp(-(each.evidence @ line[:-1] + line[-1])))
    return chances


def fit(judged: Sequence[Judged], mix: np.ndarray) -> np.ndarray:
    """Weights and offset, (F + 1,), of the log odds of "defective": what counts as evidence stays as it was learnt.

    The line lies half way between good photos and defects, where real ones count as much as all drawn ones.
    """
    good, drawn, bad = (
        np.array([each.evidence for each in judged if each.role == role]).reshape(-1, len(mix))
        for role in ("good", "drawn", "bad")
    )
    defective = np.mean([part.mean(axis=0) for part in (drawn, bad) if len(part)], axis=0)
    weights, line = settle(mix, good.mean(axis=0), defective, HALF_WAY)
    return np.append(weights, -weights @ line)


def _drawn_on(image: np.ndarray, rng: Generator) -> np.ndarray:
    """Another view of a (S, S, 3) uint8 photo with a plain defect."""
    view = another_view(image.astype(np.float32) / np.float32(255), rng)
    return np.rint(draw_defect(view, rng) * 255).astype(np.uint8)


def spread_out(looks: torch.Tensor, count: int) -> list[int]:
    """Up to `count` photos that differ most, by number: greedy k-center as in PatchCore, on unit looks (N, D)."""
    likeness = looks @ looks.T
    chosen = [int(likeness.mean(dim=1).argmax())]  # the most usual one first
    while len(chosen) < min(count, len(looks)):
        nearest = likeness[:, chosen].max(dim=1).values
        nearest[chosen] = torch.inf
        chosen.append(int(nearest.argmin()))
    return chosen


def square(image: np.ndarray, size: int) -> np.ndarray:
    """As the encoder sees it, in the eight bits in which a checkpoint keeps it; (size, size, 3) uint8."""
    return np.rint(Frame(image, size).array * 255).astype(np.uint8)
