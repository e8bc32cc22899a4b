"""How fast: everything in multiples of one forward pass of MobileNetV2, measured in the same process and run.

    python benchmarks/speed.py [--backbone FOLDER_OR_ID] [--model tiny] [--rounds 15] [--cold 5] [--threads N]

The forward (256 x 256, batch 1) stands for the machine, so that the ratios can be compared between machines
and on a busy one: all is measured in turn, round by round, and the medians are divided. Without --backbone it
has the default configuration (that of google/mobilenet_v2_1.0_224) and random weights, which cost the same.
"""

import argparse
import itertools
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from PIL import Image
from transformers import AutoModel, MobileNetV2Config, MobileNetV2Model

from assistant import Assistant, Inspection
from assistant.images import Frame, load_image

COLD_START = Path(__file__).resolve().parent / "cold_start.py"
SIDE = 256
PHOTO = (512, 512)  # the benchmark's own photos: a common size of inspection crops, saved as JPEG
QUESTION = "Is there a defect, and where?"


def forward_pass(backbone: str | None) -> Callable[[], Any]:
    """One forward of the yardstick."""
    model = AutoModel.from_pretrained(backbone) if backbone else MobileNetV2Model(MobileNetV2Config())
    model = model.eval()
    pixels = torch.rand(1, 3, SIDE, SIDE)
    return lambda: model(pixels)


def photos(folder: Path) -> Iterator[Path]:
    """Ever new photos of one part: a photo seen before would be answered from memory."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[: PHOTO[1], : PHOTO[0]]
    part = 110 + 60 * np.sin(x / 23) * np.cos(y / 31)
    for number in itertools.count():
        picture = part + rng.normal(0, 6, part.shape)
        if number:  # the first is the good reference
            left, top = rng.integers(60, 400, 2)
            picture[top : top + 50, left : left + 12] -= 70
        path = folder / f"{number}.jpg"
        Image.fromarray(picture.clip(0, 255).astype(np.uint8)).convert("RGB").save(path, quality=92)
        yield path


class Stopwatch:
    """Seconds by name; `median` of each."""

    def __init__(self) -> None:
        self.seconds: dict[str, list[float]] = defaultdict(list)

    def time(self, name: str, call: Callable[[], Any]) -> Any:
        start = time.perf_counter()
        result = call()
        self.seconds[name].append(time.perf_counter() - start)
        return result

    def median(self, name: str) -> float:
        return median(self.seconds[name])


@torch.inference_mode()
def time_stages(watch: Stopwatch, assistant: Assistant, path: Path, reference: np.ndarray) -> None:
    """The stages of `Assistant.inspect` one by one, on a photo not seen before."""
    head, size = assistant.head, assistant.encoder.image_size
    detector = assistant.detector([reference])
    photo = watch.time("decode", lambda: load_image(path))
    frame = Frame(photo, size)
    pixels = watch.time("resize", lambda: torch.tensor(frame.array).permute(2, 0, 1)[None])
    features = watch.time("encoder", lambda: assistant.encoder(pixels))
    found = watch.time("detector", lambda: detector.detect(features))
    watch.time(
        "inspection",
        lambda: Inspection.from_map(
            frame.to_original(found.scores), probability=head.calibration.probability(found.statistics),
            calibration=head.calibration, photo=photo, kind_map=found.kinds, image="photo",
        ),
    )  # fmt: skip


def time_answer(watch: Stopwatch, assistant: Assistant, path: Path, reference: np.ndarray) -> None:
    """A first answer about a photo not seen before: from the question to words, and token by token."""
    chat = assistant.start_chat(path, references=[reference])
    start = time.perf_counter()
    stream = chat.stream(QUESTION)
    next(stream)
    watch.seconds["first words, checked"].append(time.perf_counter() - start)
    for _ in stream:
        pass
    watch.seconds["whole answer"].append(time.perf_counter() - start)


def time_tokens(watch: Stopwatch, assistant: Assistant, path: Path, reference: np.ndarray) -> None:
    """The language model's own tokens, before they are checked."""
    chat = assistant.start_chat(path, references=[reference])
    assert chat.inspection.anomaly_map is not None
    stamps = [time.perf_counter()]
    for _ in assistant.say(chat.messages(QUESTION), chat.photo, chat.inspection.anomaly_map, threading.Event()):
        stamps.append(time.perf_counter())
    if len(stamps) > 1:
        watch.seconds["first token"].append(stamps[1] - stamps[0])
    if len(stamps) > 2:
        watch.seconds["each further token"].append((stamps[-1] - stamps[1]) / (len(stamps) - 2))


def measure(assistant: Assistant, forward: Callable[[], Any], rounds: int, fresh: Iterator[Path]) -> Stopwatch:
    """Everything in turn, `rounds` times after two to warm up."""
    reference = load_image(next(fresh))
    watch = Stopwatch()
    for number in range(rounds + 2):
        if number == 2:
            watch = Stopwatch()
        for _ in range(3):
            with torch.inference_mode():
                watch.time("forward", forward)
            watch.time("inspect", partial(assistant.inspect, next(fresh), references=[reference]))
            time_stages(watch, assistant, next(fresh), reference)
        time_answer(watch, assistant, next(fresh), reference)
        time_tokens(watch, assistant, next(fresh), reference)
    return watch


def print_warm(watch: Stopwatch) -> None:
    unit = watch.median("forward")
    print(f"One forward of the backbone: {1000 * unit:.1f} ms ({torch.get_num_threads()} threads)\n")
    print("| measure | ms | forwards |\n| --- | --- | --- |")
    names = ("inspect", "first token", "first words, checked", "each further token", "whole answer")
    for name in names:
        if watch.seconds[name]:
            print(f"| {name} | {1000 * watch.median(name):.1f} | {watch.median(name) / unit:.2f} |")
    stages = ("decode", "resize", "encoder", "detector", "inspection")
    total = watch.median("inspect")
    print("\n| stage of inspect | ms | share |\n| --- | --- | --- |")
    rest = total
    for stage in stages:
        rest -= watch.median(stage)
        print(f"| {stage} | {1000 * watch.median(stage):.1f} | {watch.median(stage) / total:.0%} |")
    print(f"| rest (hashing, remarks) | {1000 * rest:.1f} | {rest / total:.0%} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--backbone", metavar="FOLDER_OR_ID")
    parser.add_argument("--model", default="tiny")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--cold", type=int, default=5, help="pairs of cold starts; 0 leaves them out")
    parser.add_argument("--threads", type=int, default=0, help="of torch; default: its own choice")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    with tempfile.TemporaryDirectory() as folder:
        fresh = photos(Path(folder))
        assistant = Assistant.from_pretrained(options.model)
        print_warm(measure(assistant, forward_pass(options.backbone), options.rounds, fresh))
        if options.cold:
            sys.stdout.flush()
            command = [sys.executable, str(COLD_START), str(next(fresh)), str(next(fresh))]
            subprocess.run([*command, "--model", options.model, "--pairs", str(options.cold)], check=True)


if __name__ == "__main__":
    main()
