"""Images per second of one core for each synthesizer, with exact mask and facts, beside anomalib's Perlin generator.

    OMP_NUM_THREADS=1 python benchmarks/generator.py [--sizes 224 256 1024] [--rounds 7] [--only NAME ...]

All generators take turns in every round and the medians are printed, since other work on the machine slows single
rounds. Time is that of the process on its core, waits left out. Where anomalib cannot be imported its row is missing.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from functools import cache
from statistics import median

import cv2
import numpy as np

from assistant.foreground import foreground
from data_gen.facts import measure
from data_gen.procedural import Product
from data_gen.synthesizers import SYNTHESIZERS, NothingVisible, Sample, load_synthesizer

FAMILIES = ("cast metal", "woven cloth", "moulded part", "gear", "circuit board", "bottle cap")
SOURCES = 3  # other photos of the same product that a synthesizer may take patches from
SECONDS = 0.25  # how long one generator runs in one round
PEER = "anomalib PerlinAnomalyGenerator"

Make = Callable[[int], bool]  # makes the sample with this number; False when nothing came out


@cache
def products(size: int) -> tuple[tuple[np.ndarray, np.ndarray, list[np.ndarray]], ...]:
    """Photo, foreground and other photos of one product of each family; the foreground is found once a photo."""
    found = []
    for family in FAMILIES:
        photo, *others = (Product(family, 4).photo(np.random.default_rng(seed), size) for seed in range(SOURCES + 1))
        found.append((photo, foreground(photo), others))
    return tuple(found)


def ours(name: str, size: int) -> Make:
    """A whole sample per call: the photo with a defect, its exact mask, and the facts measured from both."""
    make = load_synthesizer(name)

    def sample(number: int) -> bool:
        photo, where, sources = products(size)[number % len(FAMILIES)]
        try:
            defect = make(photo, np.random.default_rng(number), foreground=where, sources=sources)
        except NothingVisible:
            return False
        return bool(measure(photo, Sample(defect.image, ((defect.kind, defect.mask),), (name,))))

    return sample


def anomalib(size: int) -> Make:
    """A photo and its mask per call, by anomalib's generator as it comes, made to change every photo."""
    import torch
    from anomalib.data.utils.generators.perlin import PerlinAnomalyGenerator

    torch.set_num_threads(1)
    torch.manual_seed(0)
    generator = PerlinAnomalyGenerator(probability=1.0)
    tensors = [torch.from_numpy(photo).permute(2, 0, 1).float() / 255 for photo, _, _ in products(size)]
    return lambda number: bool(generator(tensors[number % len(tensors)])[1].any())


def rate(make: Make, numbers: Iterator[int]) -> float:
    """Samples per second of processor time, over about SECONDS."""
    made, start = 0, time.process_time()
    while (taken := time.process_time() - start) < SECONDS:
        made += make(next(numbers))
    return made / taken


def compare(size: int, names: list[str], rounds: int) -> None:
    """Print the table of one photo size."""
    makers = {name: ours(name, size) for name in names}
    try:
        makers[PEER] = anomalib(size)
    except ImportError as error:
        print(f"\nNo comparison with anomalib: {error}.")
    rates: dict[str, list[float]] = {name: [] for name in makers}
    numbers = {name: iter(range(10**9)) for name in makers}
    for name, make in makers.items():
        rate(make, numbers[name])  # warm: textures rendered, tables filled
    for _ in range(rounds):
        for name, make in makers.items():
            rates[name].append(rate(make, numbers[name]))
    print(f"\n| {size} px, median of {rounds} rounds | images/s per core | times {PEER} |\n| --- | --- | --- |")
    for name in makers:
        ratio = "-"
        if PEER in makers:
            ratio = f"{median(a / b for a, b in zip(rates[name], rates[PEER], strict=True)):.1f}"
        print(f"| {name} | {median(rates[name]):.0f} | {ratio} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[224, 256, 1024], metavar="PIXELS")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", nargs="+", choices=list(SYNTHESIZERS), default=list(SYNTHESIZERS), metavar="NAME")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    for size in options.sizes:
        compare(size, options.only, options.rounds)


if __name__ == "__main__":
    main()
