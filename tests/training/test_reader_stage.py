"""The reader's stage: a short training already reads, and its file is what the assistant opens."""

from pathlib import Path

import numpy as np

from assistant.question_reader import NOTHING, SURE_ONE, WEIGHTS, QuestionReader
from training.config import ReaderConfig
from training.reader_stage import Questions, train_reader


def test_a_short_training_reads_most_new_questions(tmp_path: Path) -> None:
    config = ReaderConfig(
        output=str(tmp_path), questions=12000, max_steps=300, batch_size=128, learning_rate=0.03, warmup_steps=5,
        save_steps=300, workers=0,
    )  # fmt: skip
    train_reader(config)
    reader, asked, rng = QuestionReader.load(tmp_path / WEIGHTS.name), Questions(1, seed=5), np.random.default_rng(9)
    right, known = 0, 0
    for _ in range(400):
        text, meant, *_ = asked.draw(rng)
        reading = reader.read(text)
        right += meant in (None, reading.singled_out if reading.chance >= SURE_ONE else NOTHING)
        known += meant not in (None, NOTHING)
    assert known > 100 and right > 300, (known, right)
    assert (tmp_path / "run.json").is_file()
