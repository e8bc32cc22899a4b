"""Single photos worth looking at, kept small while a benchmark goes by: mistakes first, and what was plainly right."""

import base64
import heapq
import io
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from assistant.images import load_image
from assistant.report import describe, overlay

if TYPE_CHECKING:
    from assistant.assistant import Assistant
    from assistant.inspection import Inspection

# What a case shows, with how many are kept of a category and how many come into a report.
GROUPS = {"missed": (3, 12), "false alarm": (3, 12), "unsure": (2, 8), "found": (2, 8), "passed": (1, 4)}
SIDE = 360  # pixels of a thumbnail's longer side
MAX_BYTES = 40_000  # of a thumbnail: with `GROUPS` it bounds a report, whatever the photos
QUESTION = "Is there a defect, and where?"


@dataclass(frozen=True)
class Case:
    """One photo in a report: pictures as data URIs, and lines of (who or what, text); `weight` puts the worst first."""

    group: str
    title: str
    pictures: tuple[str, ...]
    lines: tuple[tuple[str, str], ...]
    weight: float = 0.0
    path: str = ""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "Case":
        return cls(**values | {"pictures": tuple(values["pictures"]), "lines": tuple(map(tuple, values["lines"]))})


@dataclass
class CaseKeeper:
    """The weightiest cases of each group among those offered; a photo is drawn only when it is kept."""

    kept: dict[str, list[tuple[float, int, Case]]] = field(default_factory=lambda: {group: [] for group in GROUPS})
    order: "count[int]" = field(default_factory=count)

    def offer(self, path: Path, title: str, truth: str, defective: bool, inspection: "Inspection") -> None:
        """Take in a photo with its inspection (with its map) if it is among the weightiest of its group.

        Args:
            path: of the photo.
            title: its name in the report.
            truth: what is true of it, in words.
            defective: its label.
        """
        group, weight = judge(defective, inspection)
        heap, most = self.kept[group], GROUPS[group][0]
        if len(heap) == most and weight <= heap[0][0]:
            return
        first = f"{inspection.verdict}, probability of a defect {inspection.probability:.2f}"
        found = (line.strip().partition("  ") for line in describe(inspection).splitlines()[1:])
        lines = (("truth", truth), ("verdict", first), *((f"region {n}", text) for n, _, text in found if text))
        case = Case(group, title, draw(load_image(path), inspection), lines, weight, path=str(path))
        (heapq.heappush if len(heap) < most else heapq.heapreplace)(heap, (weight, -next(self.order), case))

    def cases(self, assistant: "Assistant", references: Sequence[np.ndarray]) -> list[Case]:
        """What was kept, weightiest first; where the assistant can talk, each with what it answers."""
        found = [case for heap in self.kept.values() for _, _, case in sorted(heap, reverse=True, key=lambda x: x[:2])]
        if assistant.language is None:
            return found
        answers = [assistant.start_chat(case.path, references=references).ask(QUESTION) for case in found]
        return [
            replace(case, lines=(*case.lines[:2], ("question", QUESTION), ("answer", answer)))
            for case, answer in zip(found, answers, strict=True)
        ]


def judge(defective: bool, inspection: "Inspection") -> tuple[str, float]:
    """The group of a photo, and how much it stands for it: the surer the verdict was, the more."""
    chance = inspection.probability
    if inspection.verdict == "unsure":
        return "unsure", 1 - abs(chance - 0.5)
    if inspection.verdict == "defective":
        return ("found" if defective else "false alarm"), chance
    return ("missed" if defective else "passed"), 1 - chance


def draw(photo: np.ndarray, inspection: "Inspection") -> tuple[str, str]:
    """Thumbnails of the photo (H, W, 3) and of what was found on it."""
    assert inspection.anomaly_map is not None, "an inspection without its map"
    heated = overlay(photo, inspection.anomaly_map, regions=inspection.regions)
    return thumbnail(Image.fromarray(photo)), thumbnail(heated)


def thumbnail(picture: Image.Image) -> str:
    """A JPEG of at most `SIDE` pixels a side and `MAX_BYTES`, as a data URI."""
    small = picture.convert("RGB")
    small.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    for quality in (85, 70, 50, 30, 10):
        buffer = io.BytesIO()
        small.save(buffer, "JPEG", quality=quality)
        if buffer.tell() <= MAX_BYTES:
            break
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()


def choose(cases: Iterable[Case]) -> dict[str, list[Case]]:
    """Group -> the weightiest of all categories, as many as a report takes."""
    ordered = sorted(cases, key=lambda case: -case.weight)
    return {group: [case for case in ordered if case.group == group][:most] for group, (_, most) in GROUPS.items()}
