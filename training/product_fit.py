"""Teach the detector one product: a memory of good photos, and a calibration fitted on them and on broken ones.

No weight of the detector changes. What does is the line between good and defective: it lies where this product's own
good photos, each judged by the others, and synthetic defects on them say.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy.optimize import minimize_scalar
from tqdm import tqdm

from assistant.assistant import Assistant
from assistant.calibration import Calibration
from assistant.detectors.fused import EVIDENCE, SEVERAL, STATISTICS, FusedDetector, overall_look
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
BROKEN = 100  # synthetic defects that are aimed at
MOST_GOOD = 60  # good photos that are judged: more than a line through three numbers needs
LEAST_QUALITY = 0.8  # of synthetic defects; on real photos fits without the rest were right more often
TRIES = 8  # for one that is good enough

Generator = np.random.Generator


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
    """A photo that the fit rests on: `image` (H, W, 3) uint8, what it is, the photo it was made from, by number (one of
    its own for a real defect), and the evidence (F,) against it, seen by all of the memory but that photo."""

    image: np.ndarray
    defective: bool
    real: bool
    source: int
    evidence: np.ndarray


def fit_product(assistant: Assistant, photos: OwnPhotos, rng: Generator) -> tuple[Product, list[Judged]]:
    """The product that the photos show, as `assistant`'s detector sees it, and the photos it was fitted on."""
    size = assistant.encoder.image_size
    good = list(photos.good[:MOST_GOOD])
    seen = PatchFeatures.join([assistant.encode(square(shot.image, size)) for shot in good])
    chosen = spread_out(overall_look(seen), REMEMBERED)
    place = {number: position for position, number in enumerate(chosen)}
    detector = FusedDetector(assistant.head, PatchFeatures.join([seen.select(slice(i, i + 1)) for i in chosen]))

    def judge(image: np.ndarray, defective: bool, source: int, real: bool = True) -> Judged:
        evidence = detector.evidence(assistant.encode(square(image, size)), place.get(source))
        return Judged(image, defective, real, source, evidence)

    judged = [judge(image, False, i) for i, shot in enumerate(good) for image in (shot.image, vary(shot.image, rng))]
    made = tqdm(broken_photos(good, BROKEN, rng), total=BROKEN, desc="breaking good photos", mininterval=10)
    judged += [judge(vary(each.sample.image, rng), True, each.source, real=False) for each in made]
    judged += [judge(shot.image, True, len(good) + number) for number, shot in enumerate(photos.bad)]
    line, count = fit(judged), len(EVIDENCE)
    weights = np.zeros(len(STATISTICS))
    weights[SEVERAL : SEVERAL + count + 1] = line
    weights[SEVERAL + count] += line[:-1] @ detector.line  # the statistics are counted from there on
    calibration = Calibration(tuple(weights.tolist()), unsure=assistant.head.calibration.unsure)
    return Product(photos.name, [square(good[i].image, size) for i in chosen], calibration), judged


def cross_validated(judged: Sequence[Judged]) -> np.ndarray:
    """The probability of each photo, (N,) in [0, 1], by a line fitted without the photo it was made from."""
    chances = np.empty(len(judged))
    for source in {each.source for each in judged}:
        line = fit([each for each in judged if each.source != source])
        for number, each in enumerate(judged):
            if each.source == source:
                chances[number] = 1 / (1 + np.exp(-(each.evidence @ line[:-1] + line[-1])))
    return chances


def fit(judged: Sequence[Judged]) -> np.ndarray:
    """`fit_line` on the evidence of the good, the broken and the really defective photos."""
    sorts = [(False, True), (True, False), (True, True)]
    rows = [[each.evidence for each in judged if (each.defective, each.real) == sort] for sort in sorts]
    return fit_line(*(np.array(part).reshape(-1, len(EVIDENCE)) for part in rows))


def fit_line(fine: np.ndarray, broken: np.ndarray, bad: np.ndarray) -> np.ndarray:
    """Weights and offset, (F + 1,), of the log odds of "defective" from evidence (n, F) of each class.

    Diagonal linear discriminant analysis (Dudoit et al. 2002, sec. 3.2): with as few photos as these, correlations are
    noise. Real defects (`bad`, may be empty) count as much as all synthetic ones. Then the slope alone is fitted (Platt
    1999), so that the line stays half way between the classes' means.
    """
    share = np.concatenate([np.full(len(part), 1 / len(part)) for part in (broken, bad) if len(part)])
    defective, share = np.concatenate([part for part in (broken, bad) if len(part)]), share / share.sum()
    means = fine.mean(axis=0), share @ defective
    spread = (fine.var(axis=0) + share @ (defective - means[1]) ** 2) / 2
    direction = (means[1] - means[0]) / (spread + 1e-6)
    middle = float(direction @ (means[0] + means[1]) / 2)
    far_fine, far_bad = fine @ direction - middle, defective @ direction - middle

    def loss(log_slope: float) -> float:
        slope = np.exp(log_slope)
        return float(np.logaddexp(0, slope * far_fine).mean() + share @ np.logaddexp(0, -slope * far_bad))

    slope = float(np.exp(minimize_scalar(loss, bounds=(-6, 3), method="bounded").x))
    return np.append(slope * direction, -slope * middle)


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
