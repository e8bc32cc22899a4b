"""The embedded size trains, answers and comes back from disk; a SigLIP tower stands in for its own."""

import numpy as np
import pytest
import sentencepiece
import torch
from PIL import Image
from transformers import AutoProcessor, SiglipVisionConfig, Trainer, TrainingArguments

from assistant.lvlm import AnomalyLvlmProcessor
from assistant.lvlm.streaming import answer
from training.tiny import build_tiny_model, build_tiny_processor

SENTENCES = ["Is there a defect?", "Yes, a scratch at the top left.", "No, the part looks good.", "How large is it?"]
SIZES = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}


@pytest.fixture(scope="module")
def processor(tmp_path_factory) -> AnomalyLvlmProcessor:
    prefix = tmp_path_factory.mktemp("words") / "tokenizer"
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(SENTENCES * 20), model_prefix=str(prefix), vocab_size=300, model_type="bpe",
        byte_fallback=True, normalization_rule_name="identity", hard_vocab_limit=False, minloglevel=2,
    )  # fmt: skip
    return build_tiny_processor(f"{prefix}.model")


def row(taught: str | None = None) -> list[dict]:
    items = [{"type": "image"}, {"type": "anomaly"}, {"type": "text", "text": "Is there a defect?"}]
    return [{"role": "user", "content": items}] + ([{"role": "assistant", "content": taught}] if taught else [])


def test_text_comes_back_as_it_was(processor):
    for text in (*SENTENCES, "12.5 µm; 30 % — «très»  a\nb"):
        ids = processor.tokenizer.encode(text, add_special_tokens=False)
        assert processor.decode(ids) == text


def test_sixteen_image_tokens_and_nine_anomaly_tokens(processor, tmp_path):
    processor.save_pretrained(tmp_path)
    for one in (processor, AutoProcessor.from_pretrained(tmp_path)):
        batch = one([row("No.")], [Image.new("RGB", (300, 120))], [np.zeros((120, 300))], labels=True)
        assert batch["pixel_values"].shape == (1, 3, 256, 256)
        assert (batch["input_ids"] == one.base.image_token_id).sum() == 16
        assert (batch["input_ids"] == one.anomaly_token_id).sum() == 9
        assert one.decode(batch["labels"][batch["labels"] >= 0]) == "No."
        assert one.tokenizer.bos_token_id not in batch["input_ids"]  # as the template has none


def test_the_trainer_teaches_it_to_read_the_map(processor, tmp_path):
    torch.manual_seed(0)
    vision = SiglipVisionConfig(**SIZES, image_size=256, patch_size=64, vision_use_head=False)
    model = build_tiny_model(vision, processor, hidden_size=64, num_layers=2, num_heads=2)
    photo, empty, spot = Image.new("RGB", (64, 64)), np.zeros((64, 64)), np.zeros((64, 64))
    spot[5:15, 5:15] = 1
    rows = [(spot, "Yes, a scratch at the top left."), (empty, "No, the part looks good.")] * 160

    def collate(some: list) -> dict:
        maps, answers = zip(*some, strict=True)
        return processor([row(one) for one in answers], [photo] * len(some), maps, labels=True)

    arguments = TrainingArguments(
        str(tmp_path), per_device_train_batch_size=4, max_steps=80, learning_rate=2e-3, use_cpu=True,
        remove_unused_columns=False, report_to=[], save_strategy="no", disable_tqdm=True, logging_strategy="no",
    )  # fmt: skip
    Trainer(model, arguments, data_collator=collate, train_dataset=rows).train()
    model.eval()
    for anomaly_map, expected in rows[:2]:
        assert answer(model, processor, processor([row()], [photo], [anomaly_map])) == expected
