"""How much faster many questions are answered in batches than one at a time, and what memory they take.

    python benchmarks/qa_batch.py [--photos 40] [--questions 5] [--threads 1] [--memory]

Photos are rendered, so no data is needed: one reference and five questions each, in wordings of the question
benchmark. One at a time is measured twice: as a plain loop over shuffled rows, `start_chat` and `ask` for each, and
over rows sorted by photo that share the Inspection, as in one conversation after the other. Both take half of the
photos before the batches and half after them, each time with nothing remembered. Seconds are those of the CPU, so that
a busy machine does not count. `--memory` instead runs `evaluate qa` with N and with 4 N questions, each in a process
of its own, and prints the peaks.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from dev_questions import load_phrasings
from PIL import Image

from assistant import Assistant
from assistant.conversation import Chat
from assistant.evaluation.answering.ours import Ours
from assistant.evaluation.qa import evaluate_qa
from data_gen.procedural import random_product

TYPES = ("presence", "location", "leading", "description", "unanswerable")
SIDE = 512  # pixels: a common size of inspection crops
Rows = list[dict[str, Any]]
Answers = dict[str, str]


def make(folder: Path, photos: int, questions: int, seed: int = 0) -> list[Rows]:
    """Photos on disk, and the rows about each."""
    rng = np.random.default_rng(seed)
    phrasings = load_phrasings()
    subjects = []
    for i in range(photos):
        product = random_product(rng)
        for name in ("reference", "part"):
            Image.fromarray(product.photo(rng, SIDE)).save(folder / f"{name}{i}.jpg", quality=95)
        types = [TYPES[k % len(TYPES)] for k in range(questions)]
        subjects.append([
            {"image": f"part{i}.jpg", "references": [f"reference{i}.jpg"], "type": kind, "answer": None,
             "question": str(rng.choice(phrasings[kind]))}
            for kind in types
        ])  # fmt: skip
    return subjects


def one_at_a_time(rows: Rows, folder: Path, share: bool) -> tuple[float, Answers]:
    """CPU seconds, and the answers by photo and question; `share`: the Inspection, from one row to the next."""
    assistant, answers = Assistant.from_pretrained("tiny"), {}
    start = time.process_time()
    image, first = None, None
    for row in rows:
        if not (share and image == row["image"]):
            image = row["image"]
            first = assistant.start_chat(folder / image, [folder / path for path in row["references"]])
        assert first is not None
        chat = Chat(assistant, first.photo, first.inspection)
        answers[row["image"] + row["question"]] = chat.ask(row["question"])
    return time.process_time() - start, answers


def in_batches(subjects: list[Rows], folder: Path) -> tuple[float, Answers]:
    """The same in batches."""
    ours = Ours(Assistant.from_pretrained("tiny"))
    start = time.process_time()
    records = [record for record in ours.answers(subjects, folder) if isinstance(record, dict)]
    return time.process_time() - start, {row["image"] + row["question"]: row["prediction"] for row in records}


def peak(folder: Path, subjects: list[Rows]) -> None:
    """Run in a process of its own: evaluate and print the highest memory in MiB."""
    questions = folder / "questions.jsonl"
    questions.write_text("".join(f"{json.dumps(row)}\n" for rows in subjects for row in rows))
    evaluate_qa(questions, folder, "tiny", folder / "out")
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--photos", type=int, default=40)
    parser.add_argument("--questions", type=int, default=5, help="per photo")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--peak", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        if options.memory:
            for photos in (options.photos, 4 * options.photos):
                command = [sys.executable, __file__, "--peak", "--photos", str(photos)]
                command += ["--questions", str(options.questions), "--threads", str(options.threads)]
                done = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ)
                print(f"{photos * options.questions} questions on {photos} photos: {float(done.stdout):.0f} MiB")
            return
        subjects = make(folder, options.photos, options.questions)
        if options.peak:
            peak(folder, subjects)
            return
        compare(subjects, folder)


def compare(subjects: list[Rows], folder: Path) -> None:
    half = len(subjects) // 2
    seconds = dict.fromkeys((True, False), 0.0)
    answers: Answers = {}
    together: Answers = {}
    for part in (subjects[:half], subjects[half:]):
        rows = [row for about in part for row in about]
        shuffled = [rows[i] for i in np.random.default_rng(0).permutation(len(rows))]
        for share, order in ((False, shuffled), (True, rows)):
            taken, said = one_at_a_time(order, folder, share)
            seconds[share] += taken
            answers |= said
        if not together:
            batched, together = in_batches(subjects, folder)
    same = sum(answers[key] == together[key] for key in answers)
    print(
        f"{len(answers)} questions on {len(subjects)} photos, {same} with the same answer; in batches {batched:.1f} s"
    )
    for share, name in ((False, "loop over rows"), (True, "sharing inspections")):
        print(f"{name}: {seconds[share]:.1f} s, {seconds[share] / batched:.2f} times as long")


if __name__ == "__main__":
    main()
