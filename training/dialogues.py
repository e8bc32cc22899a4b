"""Dialogues about inspected and invented scenes, as rows of training and as padded batches."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from PIL import Image
from torch.utils.data import Dataset
from tqdm import tqdm
from transformers import BatchFeature

from assistant.assistant import Assistant
from assistant.conversation import build_messages
from assistant.inspection import Inspection
from assistant.lvlm import AnomalyLvlmProcessor
from data_gen.false_alarms import false_alarm
from data_gen.instructions import write_dialogue
from data_gen.invented import random_inspection
from training.by_length import text_length
from training.decoder_stage import collate
from training.scenes import Scene, Scenes

FALSE_ALARMS = 0.05  # share of dialogues about a good part whose map fires
MAP_SIDE = 96  # invented maps are painted at this size: twice the prompt learner's grid


@dataclass(frozen=True)
class Example:
    """A photo (S, S, 3) uint8 with its Inspection, whose map is (S, S); the whole scene where the detector is to learn
    from it too."""

    photo: np.ndarray
    inspection: Inspection
    scene: Scene | None = None


def inspect_scenes(assistant: Assistant, scenes: Scenes, count: int, keep: bool = False) -> list[Example]:
    """Inspect `count` scenes with the trained detector: the dialogues speak of what it really sees.

    With `keep` their references and masks stay in memory, at `tiny`'s size about 0.6 MB a scene.
    """
    examples = []
    for i in tqdm(range(count), desc="inspecting scenes", mininterval=10):
        scene = scenes[i]
        inspection = assistant.inspect(scene.photo, list(scene.references))
        examples.append(Example(scene.photo, inspection, scene if keep else None))
    return examples


def painted_map(inspection: Inspection, rng: np.random.Generator) -> np.ndarray:
    """An anomaly map (MAP_SIDE, MAP_SIDE) that fits an invented Inspection: a soft ellipse in every box."""
    width, height = inspection.size
    y, x = np.mgrid[0:MAP_SIDE, 0:MAP_SIDE] + 0.5
    out = rng.uniform(0, 0.15, size=(MAP_SIDE // 8, MAP_SIDE // 8)).repeat(8, 0).repeat(8, 1)
    for region in inspection.regions:
        x0, y0, x1, y1 = region.box
        cx, cy = (x0 + x1) / 2 / width * MAP_SIDE, (y0 + y1) / 2 / height * MAP_SIDE
        rx, ry = max(0.7, (x1 - x0) / width * MAP_SIDE / 2), max(0.7, (y1 - y0) / height * MAP_SIDE / 2)
        distance = ((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2
        out = np.maximum(out, region.peak * np.exp(-0.7 * distance**2))
    return out.astype(np.float32)


class Dialogues(Dataset):
    """Endless dialogues: half about inspected scenes, half about invented Inspections, for their greater variety,
    a few of these about false alarms; each of so many turns as `turns` bounds.

    In steps of 16 as they come, 41 % of all tokens would be padding; `ByLength` makes that 15 %.
    """

    def __init__(self, examples: Sequence[Example], turns: tuple[int, int], seed: int) -> None:
        self.examples, self.turns, self.seed = examples, turns, seed

    def __len__(self) -> int:
        return 10_000_000

    def length(self, index: int) -> int:
        """Characters of row `index`."""
        return text_length(self._written(index)[2])

    def __getitem__(self, index: int) -> dict[str, Any]:
        example, inspection, messages, rng = self._written(index)
        anomaly_map = inspection.anomaly_map
        if anomaly_map is None:
            # Of the same size as the inspected ones, or the maps of a batch would be pooled to one and serving's not.
            anomaly_map = cv2.resize(painted_map(inspection, rng), example.photo.shape[1::-1])
        return {
            "messages": messages,
            "images": [Image.fromarray(example.photo)],
            "anomaly_maps": [anomaly_map],
            "scene": example.scene,
            "inspected": inspection is example.inspection,
        }

    def _written(self, index: int) -> tuple[Example, Inspection, list[dict[str, Any]], np.random.Generator]:
        """What row `index` is about, what is said, and the generator from there on."""
        rng = np.random.default_rng((self.seed, index))
        example = self.examples[int(rng.integers(len(self.examples)))]
        inspection = example.inspection
        source = rng.random()
        if source < FALSE_ALARMS:  # the verdict decides what is said, not a map that fires somewhere
            inspection = false_alarm(example.photo, rng, image="photo", references=int(rng.integers(5)))
        elif source < 0.5:
            inspection = random_inspection(rng)
        dialogue = [m["content"] for m in write_dialogue(inspection, rng, turns=self.turns)]
        return example, inspection, build_messages(inspection, dialogue[0::2], dialogue[1::2]), rng


@dataclass(frozen=True)
class Collator:
    """Dialogues, with or without anomaly maps -> one padded batch with the loss on the answers only.

    Where scenes come along, "scenes" holds them as the second stage collates them, one for each anomaly map, and
    "inspected" (M,) tells whose map is the detector's and not invented.
    """

    processor: AnomalyLvlmProcessor

    def __call__(self, rows: Sequence[dict[str, Any]]) -> BatchFeature:
        batch = self.processor(
            [row["messages"] for row in rows],
            images=[image for row in rows for image in row["images"]],
            anomaly_maps=[anomaly_map for row in rows for anomaly_map in row["anomaly_maps"]],
            labels=True,
        )
        scenes = [row for row in rows if row.get("scene") is not None]
        if scenes:
            batch["scenes"] = collate([row["scene"] for row in scenes])
            batch["inspected"] = torch.tensor([row["inspected"] for row in scenes])
        return batch
