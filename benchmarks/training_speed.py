"""Steps a second of the assistant stage of `tiny`, with and without remembering what the frozen tower saw.

    python benchmarks/training_speed.py [--rounds 3] [--steps 10]

Both ways take turns in one run, so that their ratio holds on a busy machine too. The rows are made beforehand:
only the model's forward, backward and step are timed.
"""

import argparse
import json
import statistics
import time

import torch

from assistant.assistant import CHECKPOINTS, Assistant
from assistant.lvlm.checkpoint import load
from assistant.lvlm.vision_cache import cache_vision
from training.dialogues import Collator, Dialogues, inspect_scenes
from training.scenes import Scenes

BATCH = 8
SCENES = 16  # few, as after the first hundreds of steps of a real run, when every scene has come before


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=4)
    options = parser.parse_args()
    torch.manual_seed(0)
    inspector = Assistant.from_pretrained("tiny", language=False)
    scenes = Scenes([], [], inspector.encoder.image_size, 4, seed=0)
    model, processor = load(CHECKPOINTS / "tiny", dtype=torch.float32)
    rows = Dialogues(inspect_scenes(inspector, scenes, SCENES), (3, 8), seed=0)
    collate = Collator(processor)
    batches = [collate([rows[step * BATCH + i] for i in range(BATCH)]) for step in range(options.steps)]
    tower = model.lvlm.model.vision_tower.requires_grad_(False)
    plain = tower.forward
    remembering = cache_vision(tower)
    optimizer = torch.optim.AdamW([w for w in model.parameters() if w.requires_grad], lr=1e-5)
    model.train()
    for batch in batches:
        model(**batch)  # every photo has been seen once
    speeds: dict[str, list[float]] = {"plain": [], "remembered": []}
    for _ in range(options.rounds):
        for name, forward in (("plain", plain), ("remembered", remembering)):
            tower.forward = forward
            start = time.perf_counter()
            for batch in batches:
                model(**batch).loss.backward()
                optimizer.step()
                optimizer.zero_grad()
            speeds[name].append(len(batches) / (time.perf_counter() - start))
    ratios = [fast / slow for fast, slow in zip(speeds["remembered"], speeds["plain"], strict=True)]
    print(json.dumps({"steps_per_second": speeds, "ratio": statistics.median(ratios), "ratios": ratios}))


if __name__ == "__main__":
    main()
