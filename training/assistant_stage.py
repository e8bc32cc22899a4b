"""Stage 3: projector, prompt learner and language model (or its LoRA) on dialogues about inspected scenes."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from accelerate import PartialState
from accelerate.utils import parse_flag_from_env
from PIL import Image
from torch import nn
from torch.utils.data import Dataset
from tqdm import tqdm
from transformers import BatchFeature

from assistant.assistant import CHECKPOINTS, ENCODER, Assistant
from assistant.conversation import build_messages
from assistant.detectors.fused import FusionHead
from assistant.encoder import ImageEncoder
from assistant.inspection import Inspection
from assistant.lvlm import AnomalyLvlmForConditionalGeneration, AnomalyLvlmProcessor
from assistant.lvlm.backbones import backbone_of
from data_gen.false_alarms import false_alarm
from data_gen.instructions import write_dialogue
from data_gen.invented import random_inspection
from training.config import AssistantConfig
from training.general import GeneralRows, Mixture
from training.saving import finished
from training.scenes import Scenes
from training.tiny import build_tiny_model, build_tiny_processor
from training.tokenizer import train_tokenizer
from training.trainer import fit
from training.tuning import Trained, adapt, gather, open_base
from training.vision_cache import cache_vision

FALSE_ALARMS = 0.05  # share of dialogues about a good part whose map fires
MAP_SIDE = 96  # invented maps are painted at this size: twice the prompt learner's grid


@dataclass(frozen=True)
class Example:
    """A photo (S, S, 3) uint8 with its Inspection, whose map is (S, S)."""

    photo: np.ndarray
    inspection: Inspection


def inspect_scenes(assistant: Assistant, scenes: Scenes, count: int) -> list[Example]:
    """Inspect `count` scenes with the trained detector: the dialogues speak of what it really sees."""
    examples = []
    for i in tqdm(range(count), desc="inspecting scenes", mininterval=10):
        scene = scenes[i]
        inspection = assistant.inspect(scene.photo, list(scene.references))
        examples.append(Example(scene.photo, inspection))
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
    a few of these about false alarms.

    Rows come in order, `batch` of them a step, and the dialogues of one step have the same number of turns
    (within `turns`), or a third of all tokens would be padding.
    """

    def __init__(self, examples: Sequence[Example], turns: tuple[int, int], batch: int, seed: int) -> None:
        self.examples, self.turns, self.batch, self.seed = examples, turns, batch, seed

    def _turns(self, index: int) -> tuple[int, int]:
        count = int(
            np.random.default_rng((self.seed, index // self.batch, 1)).integers(self.turns[0], self.turns[1] + 1)
        )
        return count, count

    def __len__(self) -> int:
        return 10_000_000

    def __getitem__(self, index: int) -> dict[str, Any]:
        rng = np.random.default_rng((self.seed, index))
        example = self.examples[int(rng.integers(len(self.examples)))]
        inspection, anomaly_map = example.inspection, example.inspection.anomaly_map
        source = rng.random()
        if source < FALSE_ALARMS:  # the verdict decides what is said, not a map that fires somewhere
            inspection = false_alarm(example.photo, rng, image="photo", references=int(rng.integers(5)))
            anomaly_map = inspection.anomaly_map
        elif source < 0.5:
            inspection = random_inspection(rng)
            # Of the same size as the inspected ones, or the maps of a batch would be pooled to one and serving's not.
            anomaly_map = cv2.resize(painted_map(inspection, rng), example.photo.shape[1::-1])
        dialogue = [m["content"] for m in write_dialogue(inspection, rng, turns=self._turns(index))]
        return {
            "messages": build_messages(inspection, dialogue[0::2], dialogue[1::2]),
            "images": [Image.fromarray(example.photo)],
            "anomaly_maps": [anomaly_map],
        }


@dataclass(frozen=True)
class Collator:
    """Dialogues, with or without anomaly maps -> one padded batch with the loss on the answers only."""

    processor: AnomalyLvlmProcessor

    def __call__(self, rows: Sequence[dict[str, Any]]) -> BatchFeature:
        return self.processor(
            [row["messages"] for row in rows],
            images=[image for row in rows for image in row["images"]],
            anomaly_maps=[anomaly_map for row in rows for anomaly_map in row["anomaly_maps"]],
            labels=True,
        )


def train_assistant(config: AssistantConfig) -> None:
    """Train and write the whole checkpoint folder to `config.output`: language model, detector, processor."""
    encoder, head = ImageEncoder.from_pretrained(_folder(config.encoder)), FusionHead.load(_folder(config.detector))
    general = _general(config)  # before all that takes long, since a file may be wrong
    inspector = Assistant(encoder, head)
    scenes = Scenes(config.photos, config.products, encoder.image_size, 4, config.seed + 1)
    model, processor = _start(config, encoder)
    examples = inspect_scenes(inspector, scenes, config.scenes)
    dialogues = Dialogues(examples, (3, 8), config.batch_size, config.seed)
    rows = dialogues if general is None else Mixture(dialogues, general, config.general_share)
    if not (parse_flag_from_env("ACCELERATE_USE_FSDP") or parse_flag_from_env("ACCELERATE_USE_DEEPSPEED")):
        cache_vision(_tower(model))  # split over processes, a tower must run on all of them at once
    trainer = fit(config, model, rows, Collator(processor), config.gradient_checkpointing)
    whole = gather(trainer, config, lambda config: _start(config, encoder)[0])
    if whole is not None:
        with finished(config.output) as folder:
            _finish(whole, processor, encoder, head, folder)
    trainer.accelerator.wait_for_everyone()


def _folder(name: str) -> Path:
    """`tiny` -> its embedded checkpoint; else a folder."""
    return CHECKPOINTS / name if name == "tiny" else Path(name)


def _general(config: AssistantConfig) -> GeneralRows | None:
    if config.general is None:
        return None
    path = Path(config.general)
    return GeneralRows(path, Path(config.general_images or path.parent), config.seed)


def _start(config: AssistantConfig, encoder: ImageEncoder) -> tuple[Trained, AnomalyLvlmProcessor]:
    """A given model (with adapters if wanted), or a new `tiny` around the encoder."""
    torch.manual_seed(config.seed)
    if config.init is not None:
        model, processor = open_base(config)
    else:
        vision = encoder.backbone.config
        with PartialState().main_process_first():
            words = train_tokenizer(Path(config.output) / "tokenizer", config.vocabulary, config.seed)
        processor = build_tiny_processor(words, image_size=vision.image_size, num_image_tokens=vision.token_grid**2)
        model = build_tiny_model(vision, processor)
        _tower(model).load_state_dict(encoder.backbone.state_dict())
    _tower(model).requires_grad_(False)
    return adapt(model, config), processor


def _tower(model: Trained) -> nn.Module:
    tower: nn.Module = model.lvlm.get_submodule(backbone_of(model.lvlm.config.model_type).vision_tower)
    return tower


def _finish(
    model: AnomalyLvlmForConditionalGeneration,
    processor: AnomalyLvlmProcessor,
    encoder: ImageEncoder,
    head: FusionHead,
    output: Path,
) -> None:
    """Write everything, in half precision, so that the folder opens alone."""
    kept = torch.bfloat16 if model.lvlm.dtype == torch.bfloat16 else torch.float16
    model.to(kept).save_pretrained(output)
    processor.save_pretrained(output)
    head.save(output)
    if not _same_weights(_tower(model), encoder.backbone):  # the map is not seen with the model's own eyes
        encoder.save(output / ENCODER)


def _same_weights(one: nn.Module, other: nn.Module) -> bool:
    mine, theirs = one.cpu().half().state_dict(), other.state_dict()
    return mine.keys() == theirs.keys() and all(torch.equal(mine[k], v.to(mine[k].dtype)) for k, v in theirs.items())
