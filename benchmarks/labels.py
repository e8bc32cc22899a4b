"""How well labels are found on photos: sticks drawn ones on real photos, looks for them, and prints what came out.

    python benchmarks/labels.py ROOT [--photos 28] [--seed 0] [--sheet FILE.png]

ROOT is in MVTec-AD layout; of each category so many test photos are taken. A label has one to three lines of letters,
three in ten a bar code too, in five colors, turned a little or upright; it may hang over the part's edge. A find counts
where it overlaps the label by half (IoU); every photo is searched without its label as well.
"""

import argparse
import string
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from assistant.evaluation.categories import find_categories
from assistant.images import load_image
from assistant.labels import find_labels

TONES = ((250, 250, 245), (235, 220, 90), (30, 40, 60), (220, 225, 230), (200, 60, 50))
LETTERS = tuple(string.ascii_uppercase + string.digits + "-.")


def draw_label(rng: np.random.Generator, height: int) -> np.ndarray:
    """A label (h, w, 3) uint8 whose writing takes up `height` pixels."""
    tone = TONES[int(rng.integers(len(TONES)))]
    ink = (20, 20, 20) if sum(tone) > 400 else (245, 245, 245)
    lines = ["".join(rng.choice(LETTERS, int(rng.integers(5, 12)))) for _ in range(int(rng.integers(1, 4)))]
    font = ImageFont.load_default(max(9, int(height * 0.6 / len(lines))))
    width = max(int(font.getlength(line)) for line in lines) + int(height * 0.4)
    bars = int(height * 0.6) if rng.random() < 0.3 else 0
    label = Image.new("RGB", (width, height + bars), tone)
    draw = ImageDraw.Draw(label)
    for number, line in enumerate(lines):
        draw.text((height * 0.2, height * (0.15 + 0.7 * number / len(lines))), line, fill=ink, font=font)
    left = int(height * 0.2)
    while bars and left < width - height * 0.2:
        wide = int(rng.integers(1, 4))
        draw.rectangle((left, height + 4, left + wide - 1, height + bars - 5), fill=ink)
        left += wide + int(rng.integers(1, 4))
    return np.asarray(label)


def stick(photo: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The photo (H, W, 3) with a label on it, and where that is, (H, W) bool."""
    height, width = photo.shape[:2]
    label = draw_label(rng, int(min(height, width) * rng.uniform(0.12, 0.25)))
    shrink = min(1, 0.7 * width / label.shape[1], 0.7 * height / label.shape[0])
    label = cv2.resize(label, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
    high, wide = label.shape[:2]
    turn = cv2.getRotationMatrix2D((wide / 2, high / 2), rng.normal(0, 6) if rng.random() < 0.8 else 90.0, 1)
    turn[:, 2] += (rng.uniform(0.3, 0.7) * width - wide / 2, rng.uniform(0.25, 0.75) * height - high / 2)
    placed = cv2.warpAffine(label, turn, (width, height), flags=cv2.INTER_AREA)
    mask = cv2.warpAffine(np.full((high, wide), 255, np.uint8), turn, (width, height))
    share = mask[..., None] / 255
    seen = cv2.GaussianBlur((photo * (1 - share) + placed * share).astype(np.uint8), (0, 0), 0.6)
    seen = seen * rng.uniform(0.8, 1.05) + rng.normal(0, 3, seen.shape)
    return np.clip(seen, 0, 255).astype(np.uint8), mask > 127


def outcome(found: list[np.ndarray], truth: np.ndarray) -> str:
    if not found:
        return "missed"
    return "found" if (found[0] & truth).sum() > 0.5 * (found[0] | truth).sum() else "found elsewhere"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("root", type=Path, metavar="ROOT")
    parser.add_argument("--photos", type=int, default=28)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--sheet", type=Path, help="a picture of the first labelled photos with their finds")
    options = parser.parse_args()
    rng, sheet, total = np.random.default_rng(options.seed), [], Counter[str]()
    for category in find_categories(options.root, shots=1, seed=options.seed):
        tests, tally = category.tests, Counter[str]()
        for test in tests[:: max(1, len(tests) // options.photos)][: options.photos]:
            photo = load_image(test.path)
            labelled, truth = stick(photo, rng)
            found = find_labels(labelled)
            tally[outcome(found, truth)] += 1
            tally["found where none is"] += bool(find_labels(photo))
            if tally.total() <= 8:
                shown = labelled.copy()
                shown[cv2.Canny(np.uint8(255) * (found[0] if found else truth & False), 50, 150) > 0] = (0, 255, 0)
                sheet.append(cv2.resize(shown, (200, 200)))
        print(f"{category.name:16}", dict(tally))
        total += tally
    print(f"{'all':16}", dict(total))
    if options.sheet:
        rows = [np.hstack(sheet[start : start + 8]) for start in range(0, len(sheet) - 7, 8)]
        Image.fromarray(np.vstack(rows)).save(options.sheet)


if __name__ == "__main__":
    main()
