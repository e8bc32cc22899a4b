"""What one correction does to the other photos of a product, on real defects with masks.

    python benchmarks/corrections.py DATA CATEGORY [CATEGORY ...] [--shots 4] [--photos 10] [--marks 1]

DATA holds categories in the layout of MVTec-AD. For every kind of defect, a mark on `--marks` of its photos is
accepted, then instead marked as a defect; all other photos are inspected without and with it. The table says how often
the verdict is "defective" (P >= 0.5): on the photo itself, on others of the same kind, on other kinds, on good photos.
"""

import argparse
import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from assistant import Assistant
from assistant.detectors.fused import FusedDetector, top_logit
from assistant.detectors.marks import MarkedPatches, Marks, marked_patches
from assistant.detectors.memory_bank import Neighbours
from assistant.encoder import PatchFeatures
from assistant.images import load_image
from assistant.inspection import find_regions
from assistant.layouts import Photo, read_products

COLUMNS = ("marks off", "self", "same before", "same after", "other before", "other after", "good before", "good after")


@dataclass(frozen=True)
class Seen:
    """A photo as the detector saw it before any correction, so that the head runs once per photo."""

    photo: Photo
    mask: np.ndarray | None
    features: PatchFeatures
    logits: Tensor
    kinds: Tensor
    found: Neighbours


@torch.inference_mode()
def look(assistant: Assistant, detector: FusedDetector, photo: Photo) -> Seen:
    pixels = load_image(photo.path)
    features = assistant.encode(pixels)
    assert detector.bank is not None
    found = detector.bank.nearest(features)
    logits, similarity = detector.head(features, [found, None])
    mask = photo.mask(pixels.shape[:2]) if photo.mask else None
    return Seen(photo, mask, features, logits, similarity[0].softmax(dim=0), found)


@torch.inference_mode()
def judge(detector: FusedDetector, seen: Seen, marks: Marks) -> tuple[float, np.ndarray]:
    """Probability and map (s, s), as `FusedDetector.detect` has them."""
    logits, _, found, _ = marks.judge(seen.features, seen.logits, seen.kinds, seen.found)
    probability = detector.calibration.probability(detector._statistics(top_logit(logits), found))
    return probability, logits[0, 0].sigmoid().numpy()


def fired(seen: Seen, scores: np.ndarray) -> np.ndarray | None:
    """The regions that a user would click at, (s, s) bool: those that meet the defect's mask; None where none does."""
    assert seen.mask is not None
    side = scores.shape[0]
    grid = np.asarray(torch.nn.functional.adaptive_max_pool2d(torch.tensor(seen.mask[None].astype("f4")), side))[0] > 0
    mask = np.zeros_like(grid)
    for region in find_regions(scores):
        x0, y0, x1, y1 = region.box
        if grid[y0:y1, x0:x1].any():
            mask[y0:y1, x0:x1] |= scores[y0:y1, x0:x1] > min(0.5, 0.5 * region.peak)
    return mask if mask.any() else None


def share(values: list[float]) -> float:
    return float(np.mean([value >= 0.5 for value in values])) if values else float("nan")


def measure(detector: FusedDetector, seen: list[Seen], what: str, marks: int, rng: random.Random) -> list[float]:
    """One row of `COLUMNS`, the mean over the kinds."""
    before = {id(one): judge(detector, one, Marks()) for one in seen}
    kinds, rows = sorted({one.photo.kind for one in seen if one.photo.kind}), []
    for kind in kinds:
        same = [one for one in seen if one.photo.kind == kind]
        usable: list[tuple[Seen, np.ndarray]] = []
        for one in rng.sample(same, len(same)):
            probability, scores = before[id(one)]
            mask = one.mask if what == "defect" else (fired(one, scores) if probability >= 0.5 else None)
            if mask is not None and mask.any():
                usable.append((one, mask))
        if len(usable) < marks:
            continue
        chosen = usable[:marks]
        cut: list[MarkedPatches] = [marked_patches(one.features, mask, kind) for one, mask in chosen]
        assert detector.references is not None
        learnt = Marks(cut, (), detector.references) if what == "accept" else Marks((), cut, detector.references)
        after = {id(one): judge(detector, one, learnt) for one in seen}
        own = {id(one) for one, _ in chosen}
        quiet = [after[id(o)][1][m].max() <= 0.5 for o, m in chosen] if what == "accept" else [float("nan")]
        groups = (
            [one for one in same if id(one) not in own],
            [one for one in seen if one.photo.defective and one.photo.kind != kind],
            [one for one in seen if not one.photo.defective],
        )
        row = [float(np.mean(quiet)), share([after[key][0] for key in own])]
        row += [share([p[id(one)][0] for one in group]) for group in groups for p in (before, after)]
        rows.append(row)
    return list(np.nanmean(rows, axis=0)) if rows else [float("nan")] * len(COLUMNS)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("categories", nargs="+")
    parser.add_argument("--shots", type=int, default=4)
    parser.add_argument("--photos", type=int, default=10, help="per kind")
    parser.add_argument("--marks", type=int, default=1)
    arguments = parser.parse_args()
    assistant = Assistant.from_pretrained("tiny", language=False)
    print(f"{'':24}" + "".join(f"{column:>14}" for column in COLUMNS))
    for category in arguments.categories:
        product = read_products(arguments.data / category)[1][0]
        normals = list(product.good("train"))
        random.Random(0).shuffle(normals)
        detector = assistant.detector([load_image(photo.path) for photo in normals[: arguments.shots]])
        groups: dict[str | None, list[Photo]] = {}
        for photo in (*product.good("test"), *product.bad("test")):
            groups.setdefault(photo.kind, []).append(photo)
        seen = [look(assistant, detector, photo) for group in groups.values() for photo in group[: arguments.photos]]
        for what in ("accept", "defect"):
            row = measure(detector, seen, what, arguments.marks, random.Random(0))
            print(f"{category:16}{what:8}" + "".join(f"{value:14.2f}" for value in row), flush=True)


if __name__ == "__main__":
    main()
