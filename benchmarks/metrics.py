"""The detection metrics: speed beside anomalib's in the same run, agreement with them, and memory.

    python benchmarks/metrics.py [--photos 200] [--size 256]
    python benchmarks/metrics.py --memory [--photos 1000] [--size 1024]

Where anomalib can be imported, its AUROC, AUPR, F1Max and AUPRO run on the same maps, in batches of 8; ours are those
four at pixel level and AUPRO at 5 % and AUPIMO besides. Both on one thread, in processor time, which a busy machine
changes less than the clock. `--memory` gives maps one by one and prints the highest resident set of the process.
"""

import argparse
import resource
import sys
import time
from collections.abc import Callable, Iterator

import numpy as np
from scipy import ndimage

from assistant.evaluation.pixel_histogram import PixelHistogram

METRICS = {"AUROC": ("auroc",), "AP": ("average_precision",), "F1-max": ("f1_max",), "AUPRO": ("pro",),
           "AUPRO 5 %": ("pro", 0.05), "AUPIMO": ("aupimo",)}  # fmt: skip


def photos(count: int, size: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Maps (size, size) float32 in [0, 1] and masks, every second one empty; few scores are alike."""
    rng = np.random.default_rng(0)
    for i in range(count):
        anomaly_map, mask = rng.random((size, size), dtype=np.float32), np.zeros((size, size), dtype=bool)
        if i % 2:
            coarse = ndimage.gaussian_filter(rng.random((64, 64), dtype=np.float32), 2)
            field = ndimage.zoom(coarse, size / 64, order=1)
            mask = field > np.quantile(field, 0.97)
        yield (anomaly_map + np.float32(0.3) * mask) / np.float32(1.3), mask


def measured(work: Callable[[], dict[str, float]]) -> tuple[dict[str, float], float]:
    start = time.process_time()
    return work(), time.process_time() - start


def ours(pairs: Iterator[tuple[np.ndarray, np.ndarray]], *, errors: bool = False) -> dict[str, float]:
    histogram = PixelHistogram()
    for anomaly_map, mask in pairs:
        histogram.add(anomaly_map, mask)
    if errors:
        return {name: histogram.error(*how) for name, how in METRICS.items()}
    counts = histogram.counts()
    return {name: getattr(counts, metric)(*limit) for name, (metric, *limit) in METRICS.items()}


def anomalibs(pairs: list[tuple[np.ndarray, np.ndarray]]) -> dict[str, float]:
    import torch
    from anomalib.metrics.aupr import _AUPR
    from anomalib.metrics.aupro import _AUPRO
    from anomalib.metrics.auroc import _AUROC
    from anomalib.metrics.f1_score import _F1Max

    values = {}
    for name, metric in (("AUROC", _AUROC()), ("AP", _AUPR()), ("F1-max", _F1Max()), ("AUPRO", _AUPRO())):
        for start in range(0, len(pairs), 8):
            maps, masks = (torch.from_numpy(np.stack(each)) for each in zip(*pairs[start : start + 8], strict=True))
            metric.update(maps, masks.long())
        values[name] = float(metric.compute())
    return values


def compare(count: int, size: int) -> None:
    pairs = list(photos(count, size))
    values, seconds = measured(lambda: ours(iter(pairs)))
    errors = ours(iter(pairs), errors=True)
    try:
        import torch

        torch.set_num_threads(1)
        anomalibs(pairs[:8])  # once for the imports
        theirs, their_seconds = measured(lambda: anomalibs(pairs))
    except ImportError as error:
        print(f"anomalib is not at hand ({error})")
        theirs, their_seconds = {}, float("nan")
    print(f"{count} maps of {size} x {size}\n\n| metric | ours | error at most | anomalib |\n| --- | --- | --- | --- |")
    for name, value in values.items():
        print(f"| {name} | {value:.6f} | {errors[name]:.1e} | {theirs.get(name, float('nan')):.6f} |")
    print(f"| processor s | {seconds:.2f} | | {their_seconds:.2f} |\n\n{their_seconds / seconds:.1f} times faster")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--photos", type=int, default=None)
    parser.add_argument("--size", type=int, default=None)
    parser.add_argument("--memory", action="store_true", help="many large maps, one after the other")
    options = parser.parse_args()
    if not options.memory:
        return compare(options.photos or 200, options.size or 256)
    count, size = options.photos or 1000, options.size or 1024
    values, seconds = measured(lambda: ours(photos(count, size)))
    unit = 2**20 if sys.platform == "darwin" else 2**10  # bytes there, KiB elsewhere
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
    print(f"{count} maps of {size} x {size}: {values}\n{seconds:.0f} processor s, peak memory {peak:.0f} MiB")


if __name__ == "__main__":
    main()
