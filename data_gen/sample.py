"""One sample: a good photo, mostly with defects, its references, mask, facts, true Inspection and dialogue."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator
from PIL import Image

from assistant.inspection import KINDS
from data_gen.facts import DefectFacts, inspection_of, measure
from data_gen.instructions import write_dialogue
from data_gen.normals import Scene, encode
from data_gen.phrasings import TEMPLATES
from data_gen.plan import DIFFICULTIES, Plan
from data_gen.quality import quality
from data_gen.synthesizers import NothingVisible, Sample, synthesize
from data_gen.variation import vary

Row = dict[str, Any]

VARIED = 0.5  # of good and broken parts alike, or harmless variation would give the answer away
STRENGTHS = (0.3, 1.5)  # of the variation
COUNTS = (0.7, 0.2, 0.1)  # one, two and three defects: one is what most real photos show
TRIES = 4  # of breaking one photo, before it is taken for a good one
# Black for what is good, then a colour a defect, as the masks of Pascal VOC are stored.
PALETTE = (0, 0, 0, 255, 60, 220, 0, 220, 255, 255, 225, 0)


@dataclass(frozen=True)
class Broken:
    """A sample whose defects show, with their facts, and how it came about; `quality` where it was asked for.

    Judging the quality can halve the speed (photos of 256 pixels), hence only where a least one is given.
    """

    sample: Sample
    facts: tuple[DefectFacts, ...]
    difficulty: float
    quality: float | None


def make_row(plan: Plan, index: int) -> Row:
    """Sample `index` of a plan as a row of the data set (see `docs/data.md`); depends on nothing else."""
    recipe = plan.recipe
    rng = np.random.default_rng((recipe.seed, index))
    scene = plan.normals.scene(index, rng, recipe.references)
    wanted = rng.random() >= recipe.good_share
    photo, varied = scene.photo, scene.alone or bool(rng.random() < VARIED)
    if varied:
        photo = vary(photo, rng, strength=float(rng.uniform(*STRENGTHS)))
    broken, dropped = _break(plan, index, scene, photo, rng) if wanted else (None, 0)
    sample, facts = (broken.sample, broken.facts) if broken else (None, ())
    name = f"{index:08d}.png"
    inspection = inspection_of(
        facts, sample, photo.shape, image=name, references=len(scene.references), product=scene.product
    )
    dialogue = write_dialogue(inspection, rng, folder=recipe.templates or TEMPLATES)
    final = photo if sample is None else sample.image
    return {
        "id": index,
        "images": [{"bytes": encode(final), "path": name}]
        + [{"bytes": reference.data, "path": reference.name} for reference in scene.references],
        "messages": _messages(dialogue, len(scene.references)),
        "mask": {"bytes": _encode_masks(sample, final.shape), "path": f"{index:08d}_mask.png"},
        "defective": sample is not None,
        "kinds": [fact.kind for fact in facts], "synthesizers": [fact.synthesizer for fact in facts],
        "difficulty": broken and broken.difficulty, "quality": broken and broken.quality,
        "varied": varied, "dropped": dropped,
        "product": scene.product, "group": scene.group, "normal": scene.name,
        "references": [reference.name for reference in scene.references],
        "facts": json.dumps([fact.to_json() for fact in facts]), "inspection": json.dumps(inspection.to_json()),
    }  # fmt: skip


def _break(plan: Plan, index: int, scene: Scene, photo: np.ndarray, rng: Generator) -> tuple[Broken | None, int]:
    """The photo with defects that show and are good enough, or None; and how many tries were dropped."""
    recipe = plan.recipe
    statistics = plan.normals.statistics(index, scene)
    where = statistics.where(photo)
    sources = tuple(reference.pixels() for reference in scene.references[:1])
    for dropped in range(TRIES):
        difficulty = float(rng.uniform(*DIFFICULTIES[recipe.difficulty]))
        count = 1 + int(rng.choice(len(COUNTS), p=COUNTS))
        try:
            sample = synthesize(
                photo, rng, recipe.kinds or KINDS, count, foreground=where, difficulty=difficulty, sources=sources
            )
            facts = measure(photo, sample)
        except NothingVisible:
            continue
        worth = quality(photo, sample, statistics) if recipe.min_quality else None
        if worth is None or worth >= recipe.min_quality:
            return Broken(sample, facts, difficulty, worth), dropped
    return None, TRIES


def _messages(dialogue: list[dict[str, str]], references: int) -> list[dict[str, Any]]:
    """The dialogue as chat messages; the first one carries the photo and after it the references."""
    messages: list[dict[str, Any]] = [{"role": turn["role"], "content": [_text(turn["content"])]} for turn in dialogue]
    opening: list[dict[str, Any]] = [{"type": "image", "text": None}] * (1 + references)
    if references:
        others = "second one shows a good part" if references == 1 else f"other {references} show good parts"
        opening = [*opening, _text(f"The first photo is to be inspected, the {others}.")]
    messages[0]["content"] = opening + messages[0]["content"]
    return messages


def _text(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def _encode_masks(sample: Sample | None, shape: tuple[int, ...]) -> bytes:
    """PNG with a palette, (H, W): 0 where the part is good, k on the k-th defect."""
    numbers = np.zeros(shape[:2], np.uint8)
    for number, (_, mask) in enumerate(sample.defects if sample else (), start=1):
        numbers[mask] = number
    image = Image.fromarray(numbers)
    image.putpalette(PALETTE)
    stream = io.BytesIO()
    image.save(stream, format="PNG")
    return stream.getvalue()
