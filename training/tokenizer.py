"""The SentencePiece vocabulary of `tiny`, learnt from the dialogues it will hold."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import sentencepiece

from assistant.wording import SPOKEN_TOKENS, summarize
from data_gen.instructions import write_dialogue
from data_gen.invented import random_inspection

CORPUS = 12_000  # dialogues


def sentences(seed: int) -> Iterator[str]:
    """Facts lines, questions and answers of random inspections."""
    rng = np.random.default_rng(seed)
    for _ in range(CORPUS):
        inspection = random_inspection(rng)
        yield summarize(inspection)
        for message in write_dialogue(inspection, rng):
            yield message["content"]


def train_tokenizer(folder: Path, vocabulary: int, seed: int) -> Path:
    """Write `tokenizer.model` (BPE with byte fallback) into the folder, unless it is there, and return its path."""
    path = folder / "tokenizer.model"
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=sentences(seed), model_prefix=str(folder / "tokenizer"), model_type="bpe",
            vocab_size=vocabulary, byte_fallback=True, split_digits=True, character_coverage=1.0,
            # each spoken number is one piece, so that copying it is copying one token
            user_defined_symbols=[token for token in SPOKEN_TOKENS if token.endswith("%")],
            minloglevel=2,
        )  # fmt: skip
    return path
