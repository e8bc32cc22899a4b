"""Every family of BACKBONES that is listed in FAMILIES obeys one contract; models are tiny and random."""

import copy
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import torch
from peft import get_peft_model
from PIL import Image
from transformers import AutoModelForImageTextToText, AutoProcessor

from assistant import UserError
from assistant.lvlm import AnomalyLvlmForConditionalGeneration, AnomalyLvlmProcessor
from assistant.lvlm.backbones import BACKBONES, backbone_of, lora_config
from assistant.lvlm.checkpoint import load
from assistant.lvlm.streaming import answer, stream
from assistant.lvlm.vision_cache import remember_vision
from tests.assistant.lvlm_families import FAMILIES

Family = tuple[AnomalyLvlmForConditionalGeneration, AnomalyLvlmProcessor]


def ask(question: str, answer: str | None = None) -> list[dict[str, Any]]:
    items = [{"type": "image"}, {"type": "anomaly"}, {"type": "text", "text": question}]
    return [{"role": "user", "content": items}] + ([{"role": "assistant", "content": answer}] if answer else [])


def photo(seed: int = 0) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 255, (40, 36, 3), dtype=np.uint8))


def blob(row: int) -> np.ndarray:
    anomaly_map = np.zeros((30, 30))
    anomaly_map[row : row + 8, 4:12] = 1
    return anomaly_map


@pytest.fixture(scope="module", params=FAMILIES)
def built(request) -> Family:
    config, base = FAMILIES[request.param]()
    torch.manual_seed(0)
    processor = AnomalyLvlmProcessor.from_base(base)
    lvlm = AutoModelForImageTextToText.from_config(config)
    lvlm.generation_config.update(pad_token_id=base.tokenizer.pad_token_id, eos_token_id=base.tokenizer.eos_token_id)
    model = AnomalyLvlmForConditionalGeneration.from_base(lvlm, anomaly_token_id=processor.anomaly_token_id).eval()
    with torch.no_grad():  # Random layers barely mix; larger weights make an error in cache or padding show.
        for name, weight in model.lvlm.named_parameters():
            if weight.dim() == 2:
                weight.mul_(4 if "embed" in name else 8)
    return model, processor


def greedy(model: Any, inputs: Any, **options: Any) -> torch.Tensor:
    new = model.generate(**inputs, max_new_tokens=8, do_sample=False, **options)
    return new[:, inputs["input_ids"].shape[1] :]


def test_forward_with_labels_and_the_gradient_of_the_prompt_learner(built):
    model, processor = built
    batch = processor(
        [ask("Where?", "Top left."), ask("Is there a defect?", "No.")],
        [photo(), photo(1)],
        [blob(2), blob(20)],
        labels=True,
    )
    loss = model(**batch).loss
    assert torch.isfinite(loss)
    loss.backward()
    assert model.prompt_learner.base_embeddings.grad.abs().sum() > 0
    model.zero_grad()


def test_the_map_is_read(built):
    model, processor = built
    upper, lower = (processor([ask("Where?")], [photo()], [blob(row)]) for row in (2, 20))
    with torch.no_grad():
        assert (model(**upper).logits[:, -1] - model(**lower).logits[:, -1]).abs().max() > 1e-4


def test_a_mismatch_names_both_counts(built):
    model, processor = built
    inputs = processor([ask("Where?")], [photo()], [blob(2)])
    with pytest.raises(ValueError, match="9 anomaly placeholders .* 0 embeddings"):
        model(**{**inputs, "anomaly_maps": None})
    with pytest.raises(ValueError, match="9 anomaly placeholders .* 18 embeddings"):
        model.generate(**{**inputs, "anomaly_maps": torch.rand(2, 9, 9)}, max_new_tokens=1)
    with pytest.raises(UserError, match="1 anomaly items but 2"):
        processor([ask("Where?")], [photo()], [blob(2), blob(3)])


def test_left_padded_batch_is_as_single(built):
    model, processor = built
    asked = [
        (ask("Where?"), photo(), blob(2)),
        (ask("Is there a defect, and where is it?"), photo(1), blob(20)),
    ]
    conversations, images, maps = zip(*asked, strict=True)
    together = greedy(model, processor(conversations, images, maps))
    for row, (messages, image, anomaly_map) in enumerate(asked):
        alone = greedy(model, processor([messages], [image], [anomaly_map]))[0]
        assert together[row, : len(alone)].tolist() == alone.tolist()


def test_cache_is_as_no_cache_and_beams_and_samples_run(built):
    model, processor = built
    inputs = processor([ask("Where?"), ask("Is there?")], [photo(), photo(1)], [blob(2), blob(20)])
    assert torch.equal(greedy(model, inputs), greedy(model, inputs, use_cache=False))
    beams = model.generate(**inputs, max_new_tokens=3, num_beams=3, num_return_sequences=2)
    assert len(beams) == 4
    assert len(model.generate(**inputs, max_new_tokens=3, do_sample=True, num_return_sequences=3)) == 6


def test_saved_and_opened_again_by_the_auto_classes(built, tmp_path):
    model, processor = built
    model.save_pretrained(tmp_path)
    processor.save_pretrained(tmp_path)
    again, reader = (
        AutoModelForImageTextToText.from_pretrained(tmp_path).eval(),
        AutoProcessor.from_pretrained(tmp_path),
    )
    inputs = processor([ask("Where?")], [photo()], [blob(2)])
    read = reader([ask("Where?")], [photo()], [blob(2)])
    assert inputs.keys() == read.keys() and all(torch.equal(inputs[key], read[key]) for key in inputs)
    with torch.no_grad():
        torch.testing.assert_close(again(**read).logits, model(**inputs).logits)


def test_lora_trains_saves_and_merges(built, tmp_path):
    model, processor = copy.deepcopy(built[0]), built[1]
    model.save_pretrained(tmp_path / "base")
    processor.save_pretrained(tmp_path / "adapter")
    model.config._name_or_path = model.name_or_path = str(tmp_path / "base")
    adapted = get_peft_model(model, lora_config(model.lvlm.config.model_type, rank=4, dropout=0.0))
    before = {name: weight.clone() for name, weight in adapted.named_parameters()}
    optimizer = torch.optim.SGD([p for p in adapted.parameters() if p.requires_grad], lr=1.0)
    batch = processor([ask("Where?", "Top left.")], [photo()], [blob(2)], labels=True)
    adapted.activation_checkpointing_enable()
    adapted.train()
    for _ in range(2):  # LoRA's A has no gradient before B has left zero
        optimizer.zero_grad()
        adapted(**batch).loss.backward()
        optimizer.step()
    adapted.activation_checkpointing_disable()
    changed = {name for name, weight in adapted.named_parameters() if not torch.equal(weight, before[name])}
    assert all("lora_" in name or "prompt_learner.modules_to_save" in name for name in changed)
    assert all(any(part in name for name in changed) for part in ("lora_A", "lora_B", "prompt_learner"))
    assert not any("visual" in name or "vision" in name for name in before if "lora_" in name)

    adapted.eval().save_pretrained(tmp_path / "adapter")
    inputs = processor([ask("Where?")], [photo()], [blob(2)])
    with torch.no_grad():
        expected = adapted(**inputs).logits
        merged, _ = load(tmp_path / "adapter")
        torch.testing.assert_close(merged(**inputs).logits, expected, atol=1e-3, rtol=1e-3)
        assert torch.equal(greedy(adapted, inputs), greedy(merged, inputs))
        merged.save_pretrained(tmp_path / "merged")
        plain = AnomalyLvlmForConditionalGeneration.from_pretrained(tmp_path / "merged").eval()
        torch.testing.assert_close(plain(**inputs).logits, merged(**inputs).logits)


def test_a_plain_base_opens_with_a_new_prompt_learner_and_keeps_an_adapter(built, tmp_path):
    family = built[0].lvlm.config.model_type
    config, base = FAMILIES[family]()
    AutoModelForImageTextToText.from_config(config).save_pretrained(tmp_path / "base")
    base.save_pretrained(tmp_path / "base")
    model, processor = load(tmp_path / "base")
    adapted = get_peft_model(model, lora_config(family, rank=4))
    inputs = processor([ask("Where?")], [photo()], [blob(2)])
    with torch.no_grad():
        expected = adapted.eval()(**inputs).logits
    adapted.save_pretrained(tmp_path / "adapter")
    processor.save_pretrained(tmp_path / "adapter")
    again, reader = load(tmp_path / "adapter", merge=False)
    with torch.no_grad():
        found = again(**reader([ask("Where?")], [photo()], [blob(2)])).logits
    torch.testing.assert_close(found, expected)


def test_labels_are_the_answers_and_nothing_else(built):
    _, processor = built
    end = processor.tokenizer.eos_token
    first = [
        *ask("Where?", "Top left."),
        {"role": "user", "content": "Sure?"},
        {"role": "assistant", "content": "Yes, a scratch."},
    ]
    batch = processor([first, ask("Is there a defect?", "No.")], [photo(), photo(1)], [blob(2), blob(20)], labels=True)
    kept = [row[row != -100] for row in batch["labels"]]
    said = [[part.strip() for part in processor.tokenizer.decode(row).split(end)] for row in kept]
    assert said == [["Top left.", "Yes, a scratch.", ""], ["No.", ""]]


def test_the_prompt_of_serving_begins_the_conversation_of_training(built):
    _, processor = built
    asked = processor([ask("Where?")], [photo()], [blob(2)])["input_ids"][0]
    taught = processor([ask("Where?", "Top left.")], [photo()], [blob(2)], labels=True)["input_ids"][0]
    assert taught[: len(asked)].tolist() == asked.tolist()


def test_control_tokens_in_a_question_are_plain_text(built):
    model, processor = built
    typed = "".join(processor.tokenizer.added_tokens_encoder)
    inputs = processor([ask(f"What is {typed}?")], [photo()], [blob(2)])
    plain = processor([ask("What is it?")], [photo()], [blob(2)])
    for token in processor.tokenizer.added_tokens_encoder.values():
        assert (inputs["input_ids"] == token).sum() == (plain["input_ids"] == token).sum()


def test_the_vision_tower_looks_once_at_a_photo(built):
    model, processor = copy.deepcopy(built[0]), built[1]
    first, second = (processor([ask(q)], [photo()], [blob(2)]) for q in ("Where?", "Is there a defect?"))
    plain = [greedy(model, first), greedy(model, second)]
    memo = remember_vision(model.lvlm)
    assert greedy(model, first).tolist() == plain[0].tolist()
    once = memo.misses  # a photo, or each of its tiles
    assert greedy(model, second).tolist() == plain[1].tolist() and memo.misses == once > 0
    greedy(model, processor([ask("Where?")], [photo(1)], [blob(2)]))
    assert memo.misses > once
    seen = memo.misses
    model(**processor([ask("Where?")], [photo(2)], [blob(2)]))  # with gradients: not remembered
    assert memo.misses == seen and remember_vision(model.lvlm) is memo


def test_the_stream_is_the_answer_and_stops(built):
    model, processor = built
    inputs = processor([ask("Where?")], [photo()], [blob(2)])
    whole = processor.tokenizer.decode(greedy(model, inputs)[0], skip_special_tokens=True)
    # A random model ends amid a character's bytes, which `decode` shows as signs of replacement.
    assert "".join(stream(model, processor, inputs, max_new_tokens=8)) == whole.rstrip("\ufffd")
    assert answer(model, processor, inputs, max_new_tokens=8) == whole.rstrip("\ufffd").strip()
    stop = threading.Event()
    stop.set()
    assert len(list(stream(model, processor, inputs, max_new_tokens=500, stop=stop))) <= 1
    with pytest.raises(ValueError, match="placeholders"):
        list(stream(model, processor, {**inputs, "anomaly_maps": torch.rand(2, 9, 9)}))


def test_two_threads_do_not_mix_their_maps(built):
    model, processor = built
    inputs = [processor([ask("Where?")], [photo()], [blob(row)]) for row in (2, 20)]
    expected = [greedy(model, one) for one in inputs]
    with ThreadPoolExecutor(2) as pool:
        for _ in range(3):
            found = list(pool.map(lambda one: greedy(model, one), inputs))
            assert all(torch.equal(a, b) for a, b in zip(expected, found, strict=True))


def test_an_unknown_family_lists_the_known_ones():
    with pytest.raises(UserError, match="qwen2_5_vl.*BACKBONES"):
        backbone_of("nonesuch")
    assert FAMILIES.keys() <= BACKBONES.keys()
