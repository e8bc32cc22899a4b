"""Does fine-tuning on 20 good photos help? `train custom` for each category, then detection on its test photos.

    python benchmarks/custom.py ROOT --out DIR [--normals 20] [--seed 0] [--minutes 4] [--only NAME ...]

ROOT is in MVTec-AD layout. Training sees a folder of `--normals` photos of train/good and nothing else; before (`tiny`
with 1, and with 4 of them as references) and after (the new model alone) are measured on test/. A category that was
trained in DIR already is measured again, not trained again.
"""

import argparse
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from assistant.evaluation.categories import find_categories
from assistant.evaluation.detection import evaluate_detection
from assistant.evaluation.metrics import mean

REFERENCES = (1, 4)
SHOWN = ("balanced_accuracy", "image_auroc", "pixel_auroc", "ece")


def train(photos: list[Path], folder: Path, options: argparse.Namespace) -> float | None:
    """Run the command as a user would; gives its minutes, None where the model was made before."""
    if (folder / "before_after.json").is_file():
        return None
    good = folder / "photos" / "good"
    good.mkdir(parents=True, exist_ok=True)
    for path in photos:
        shutil.copy(path, good)
    start = time.perf_counter()
    command = [sys.executable, "-m", "assistant", "train", "custom", f"data.root={good.parent}", f"output={folder}"]
    with (folder / "train.log").open("w") as log:
        code = subprocess.run([*command, f"max_minutes={options.minutes}"], stdout=log, stderr=log).returncode
    if not (folder / "before_after.json").is_file():  # a refusal is an outcome, a crash is none
        raise SystemExit(f"training of {folder.name} ended with {code}, see {folder / 'train.log'}")
    return (time.perf_counter() - start) / 60


def measured(root: Path, shots: int, seed: int, model: str, out: Path) -> dict[str, Any]:
    result: dict[str, Any] = evaluate_detection(root, shots, seed, model, out)["mean"]
    return result


def row(name: str, before: list[dict[str, Any]], after: dict[str, Any] | None, minutes: float | None) -> str:
    cells = [name]
    for key in SHOWN:
        values = [result and result[key] for result in (*before, after)]
        cells.append(" / ".join("-" if value is None else f"{value:.3f}" for value in values))
    return f"| {' | '.join([*cells, '-' if minutes is None else f'{minutes:.1f}'])} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("root", type=Path, metavar="ROOT")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--normals", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=4)
    parser.add_argument("--only", nargs="*", default=[])
    options = parser.parse_args()
    rows: list[list[dict[str, Any]]] = []  # a category each: before with 1 reference, with 4, after
    print("| category | balanced accuracy | I-AUROC | P-AUROC | ECE | minutes |\n| --- | --- | --- | --- | --- | --- |")
    for category in find_categories(options.root, shots=options.normals, seed=options.seed):
        if options.only and category.name not in options.only:
            continue
        root, folder = options.root / category.name, options.out / category.name
        minutes = train(list(category.references), folder, options)
        before = [measured(root, shots, options.seed, "tiny", folder / f"test_before_{shots}") for shots in REFERENCES]
        accepted = (folder / "model").is_dir()
        after = measured(root, 0, options.seed, str(folder / "model"), folder / "test_after") if accepted else None
        print(row(category.name + ("" if accepted else " (refused)"), before, after, minutes), flush=True)
        rows.append([*before, after or before[-1]])  # where the new model is refused, the old one goes on
    columns = zip(*rows, strict=True)
    *befores, after = ({key: mean([result[key] for result in results]) for key in SHOWN} for results in columns)
    print(row("**mean**", befores, after, None))
    for i, shots in enumerate(REFERENCES):
        better = sum(found[-1]["balanced_accuracy"] > found[i]["balanced_accuracy"] for found in rows)
        print(f"\nbetter in balanced accuracy than with {shots} on {better} of {len(rows)} categories")
    (options.out / "means.json").write_text(json.dumps([*befores, after], indent=2) + "\n")


if __name__ == "__main__":
    main()
