"""What a finished data set holds, counted from its shards, and the card that says so to people and to `datasets`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import PIL

from assistant import __version__
from assistant.evaluation.results import write_file
from data_gen.photo_folder import PhotoFolder
from data_gen.plan import Plan
from data_gen.shards import DATA, read_rows

COLUMNS = (
    "defective", "kinds", "synthesizers", "difficulty", "quality", "varied", "dropped", "product", "group",
)  # fmt: skip
SIZE_CATEGORIES = ((10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M"))
LISTED = 20  # rows of a table, and skipped photos, that are written out


@dataclass
class Summary:
    """Counts over a data set; `quality` and `difficulty` are sums over the defective samples."""

    samples: int = 0
    defective: int = 0
    varied_good: int = 0
    refused: int = 0
    dropped: int = 0
    difficulty: float = 0.0
    quality: float = 0.0
    kinds: Counter[str] = field(default_factory=Counter)
    synthesizers: Counter[str] = field(default_factory=Counter)
    products: Counter[str] = field(default_factory=Counter)
    groups: Counter[str] = field(default_factory=Counter)

    @property
    def good(self) -> int:
        return self.samples - self.defective

    def describe(self) -> str:
        """One line for the terminal."""
        kinds = ", ".join(f"{kind} {count}" for kind, count in self.kinds.most_common())
        return f"{self.samples} samples, {self.good} good, {self.defective} defective" + (
            f" ({kinds})" if kinds else ""
        )


def summarize(shards: Iterable[Path]) -> Summary:
    """Count the samples of shards, reading no picture."""
    summary = Summary()
    for row in read_rows(shards, COLUMNS):
        summary.samples += 1
        summary.dropped += row["dropped"]
        if row["defective"]:
            summary.defective += 1
            summary.difficulty += row["difficulty"]
            summary.quality += row["quality"] or 0.0
        else:
            summary.varied_good += row["varied"]
            summary.refused += row["dropped"] > 0
        summary.kinds.update(row["kinds"])
        summary.synthesizers.update(row["synthesizers"])
        summary.products[row["product"] or "not named"] += 1
        summary.groups[row["group"]] += 1
    return summary


def write_data_card(path: Path, plan: Plan, summary: Summary, normals: PhotoFolder | None) -> None:
    """README.md: the YAML header that `load_dataset` follows, then words and tables.

    Raises:
        UserError: it cannot be written.
    """
    parts = [_header(summary), _about(plan, summary), _normals(plan, normals), _counts(summary), _settings(plan)]
    write_file(path, "\n".join(parts))


def _header(summary: Summary) -> str:
    size = next((name for limit, name in SIZE_CATEGORIES if summary.samples < limit), "n>1M")
    return f"""---
configs:
- config_name: default
  data_files:
  - split: train
    path: {DATA}/train-*.parquet
task_categories:
- image-text-to-text
- image-segmentation
language:
- en
license: other
size_categories:
- {size}
tags:
- anomaly-detection
- industrial-inspection
- synthetic
---
"""


def _about(plan: Plan, summary: Summary) -> str:
    broken = max(summary.defective, 1)
    quality = f", mean quality {summary.quality / broken:.2f}" if plan.recipe.min_quality else ""
    return f"""# Synthetic defects{f" on {plan.recipe.product}" if plan.recipe.product else ""}

{summary.samples} samples, made by anomaly-assistant {__version__} with seed {plan.recipe.seed}:
{summary.defective} with synthetic defects, {summary.good} good. Each row holds a photo with up to
{plan.recipe.references} reference photos of good parts, an exact mask, the measured facts of each defect, the true
inspection and a dialogue that follows from it.

```python
from datasets import load_dataset

rows = load_dataset("PATH OF THIS FOLDER", split="train")
rows[0]["images"], rows[0]["messages"], rows[0]["mask"]
```

- Of the good samples {summary.varied_good} were taken again under other light, pose and noise (hard negatives).
- {summary.refused} samples were meant to be broken but no defect showed well enough, so they count as good;
  {summary.dropped} tries were dropped in all.
- Mean difficulty of the defective samples {summary.difficulty / broken:.2f} (0 easy, 1 barely visible){quality}.

![contact sheet](contact_sheet.png)
"""


def _normals(plan: Plan, normals: PhotoFolder | None) -> str:
    if normals is None:
        return """## Normals

Rendered by the package; no photo was used. Licence: that of the package (Apache-2.0).
"""
    assert plan.recipe.normals is not None
    licence = normals.licence or "no licence file lies beside them; ask their owner before passing this data set on"
    lines = [
        "## Normals\n",
        f"{len(normals.names)} photos of the folder `{plan.recipe.normals.resolve().name}`, scaled to at most "
        f"{normals.size} pixels a side.\nLicence: {licence}\n",
    ]
    if normals.bad:
        lines.append(f"{len(normals.bad)} files could not be used and were skipped:\n")
        lines += [f"- `{name}`: {problem}" for name, problem in normals.bad[:LISTED]]
        lines += [f"- and {len(normals.bad) - LISTED} more (see `manifest.json`)"] * (len(normals.bad) > LISTED)
        lines.append("")
    return "\n".join(lines)


def _counts(summary: Summary) -> str:
    tables = [
        _table("Defects by kind", summary.kinds), _table("Defects by synthesizer", summary.synthesizers),
        _table("Samples by product", summary.products), _table("Samples by group", summary.groups),
    ]  # fmt: skip
    return "\n".join(tables)


def _table(title: str, counts: Counter[str]) -> str:
    rows: Sequence[tuple[str, int]] = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    lines = [f"| {name} | {count} |" for name, count in rows[:LISTED]]
    lines += [f"| {len(rows) - LISTED} more | {sum(count for _, count in rows[LISTED:])} |"] * (len(rows) > LISTED)
    return "\n".join([f"## {title}\n", "| | count |", "| --- | --- |", *lines, ""])


def _settings(plan: Plan) -> str:
    lines = [f"| {name} | {value} |" for name, value in sorted(plan.settings.items())]
    versions = f"numpy {np.__version__}, opencv {cv2.__version__}, Pillow {PIL.__version__}"
    return "\n".join(
        ["## Settings\n", "| | |", "| --- | --- |", *lines, "", f"Fingerprint {plan.fingerprint}; {versions}.", ""]
    )
