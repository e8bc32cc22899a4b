"""Does dropping synthetic samples of low quality help? A small classifier is fitted with and without the filter.

    python benchmarks/quality_filter.py ROOT [--model tiny] [--normals 20] [--samples 120] [--test 80] [--seed 0]

For each category of ROOT (MVTec-AD layout): samples with `data_gen.synthesizers.synthesize` and hard negatives with
`data_gen.variation.vary` from good photos of train/, the detector's image-level statistics of each (against four
references held apart), a logistic regression on them, and its balanced accuracy and I-AUROC on test/. It is fitted on
all samples, on those of at least a quality, and on as many drawn at random (mean of `DRAWS`), with the same negatives.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from assistant import Assistant
from assistant.detectors.fused import STATISTICS
from assistant.evaluation.categories import Category, find_categories
from assistant.evaluation.metrics import auroc, balanced_accuracy
from assistant.images import load_image
from data_gen.product_statistics import ProductStatistics
from data_gen.quality import quality
from data_gen.synthesizers import NothingVisible, synthesize
from data_gen.variation import vary

REFERENCES = 4
LEVELS = (0.2, 0.4, 0.6, 0.8)
DRAWS = 10
# of the detector's statistics, those that differ between photos with several references
USED = [i for i, name in enumerate(STATISTICS) if name.endswith("several") and not name.startswith("flag")]
LEAST = 8  # samples; fewer fit no classifier

Statistics = Callable[[np.ndarray], np.ndarray]  # (H, W, 3) uint8 -> (3,)
Result = tuple[float, float]  # balanced accuracy, I-AUROC


def made_samples(
    normals: list[np.ndarray], rng: np.random.Generator, count: int, read: Statistics
) -> tuple[np.ndarray, np.ndarray]:
    """Statistics (n, 3) and qualities (n,) of up to `count` synthetic samples."""
    product = ProductStatistics.from_normals(normals)
    rows, qualities = [], []
    for number in range(count):
        before = normals[number % len(normals)]
        try:
            sample = synthesize(before, rng, foreground=product.where(before))
        except NothingVisible:
            continue
        rows.append(read(vary(sample.image, rng)))  # taken under other light than its good photo, as in life
        qualities.append(quality(before, sample, product))
    return np.array(rows), np.array(qualities)


def fit(good: np.ndarray, bad: np.ndarray, ridge: float = 1e-2) -> Callable[[np.ndarray], np.ndarray]:
    """Logistic regression, both classes with equal weight, by Newton's method; returns rows (n, 3) -> (n,) logits."""
    rows = np.concatenate([good, bad])
    mean, scale = rows.mean(0), rows.std(0) + 1e-6

    def prepared(x: np.ndarray) -> np.ndarray:
        return np.column_stack([(x - mean) / scale, np.ones(len(x))])

    x, target = prepared(rows), np.r_[np.zeros(len(good)), np.ones(len(bad))]
    share = np.where(target == 1, 0.5 / len(bad), 0.5 / len(good))
    weights = np.zeros(x.shape[1])
    for _ in range(30):
        guess = 1 / (1 + np.exp(-x @ weights))
        slope = x.T @ (share * (guess - target)) + ridge * weights
        curve = (x * (share * guess * (1 - guess))[:, None]).T @ x + ridge * np.eye(len(weights))
        weights -= np.linalg.solve(curve, slope)
    return lambda asked: prepared(asked) @ weights


def judged(good: np.ndarray, bad: np.ndarray, test: np.ndarray, labels: np.ndarray) -> Result:
    """What a classifier of `good` and `bad` rows gets on `test` rows."""
    logits = fit(good, bad)(test)
    return float(balanced_accuracy(labels, logits > 0) or 0.0), float(auroc(labels, logits) or 0.0)


def compared(
    good: np.ndarray, bad: np.ndarray, qualities: np.ndarray, test: np.ndarray, labels: np.ndarray
) -> dict[str, Result]:
    """Result by name of the selection; a level that leaves too few samples is left out."""
    rng = np.random.default_rng(0)
    results = {"all": judged(good, bad, test, labels)}
    for level in LEVELS:
        kept = bad[qualities >= level]
        if len(kept) < LEAST:
            continue
        results[f"quality >= {level}"] = judged(good, kept, test, labels)
        draws = [judged(good, bad[rng.choice(len(bad), len(kept), replace=False)], test, labels) for _ in range(DRAWS)]
        balanced, area = np.mean(draws, axis=0)
        results[f"random, as many as >= {level}"] = float(balanced), float(area)
    return results


def run_category(category: Category, assistant: Assistant, options: argparse.Namespace) -> dict[str, Result]:
    """Generate, encode, fit and judge for one category; prints the qualities as it goes."""
    photos = [load_image(path) for path in category.references]
    detector = assistant.detector(photos[:REFERENCES])
    normals = photos[REFERENCES:]

    def read(photo: np.ndarray) -> np.ndarray:
        return detector.detect(assistant.encode(photo)).statistics[USED]

    rng = np.random.default_rng(options.seed)
    bad, qualities = made_samples(normals, rng, options.samples, read)
    good = [read(vary(normals[number % len(normals)], rng)) for number in range(options.samples // 2)]
    chosen = list(category.tests)
    if len(chosen) > options.test:
        chosen = [chosen[i] for i in rng.permutation(len(chosen))[: options.test]]
    labels = np.array([int(photo.defective) for photo in chosen])
    test = np.array([read(load_image(photo.path)) for photo in chosen])
    spread = np.quantile(qualities, (0.1, 0.5, 0.9))
    print(f"  {len(bad)} samples, quality {spread[0]:.2f} / {spread[1]:.2f} / {spread[2]:.2f} (10, 50, 90 %)")
    return compared(np.array(good), bad, qualities, test, labels)


def main() -> None:
    parser = argparse.ArgumentParser(description="Does the quality filter help a classifier trained on the samples?")
    parser.add_argument("root", type=Path)
    parser.add_argument("--model", default="tiny")
    parser.add_argument("--normals", type=int, default=20)
    parser.add_argument("--samples", type=int, default=120)
    parser.add_argument("--test", type=int, default=80, help="test photos of a category at most")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    assistant = Assistant.from_pretrained(options.model, language=False)
    everything: dict[str, list[Result]] = {}
    for category in find_categories(options.root, shots=REFERENCES + options.normals, seed=options.seed):
        start = time.perf_counter()
        print(category.name, flush=True)
        for name, result in run_category(category, assistant, options).items():
            everything.setdefault(name, []).append(result)
            print(f"  {name:28} balanced accuracy {result[0]:.3f}  I-AUROC {result[1]:.3f}")
        print(f"  {time.perf_counter() - start:.0f} s", flush=True)
    print("mean over the categories where the selection could be fitted")
    for name, results in everything.items():
        balanced, area = np.mean(results, axis=0)
        print(f"  {name:28} balanced accuracy {balanced:.3f}  I-AUROC {area:.3f}  ({len(results)} categories)")


if __name__ == "__main__":
    main()
