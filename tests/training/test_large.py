"""Every family of language models through the real stage: adapters train, merge, open again and answer."""

import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from peft import PeftModel
from PIL import Image

from assistant import UserError
from assistant.assistant import Assistant
from assistant.lvlm.checkpoint import load
from tests.assistant.lvlm_families import FAMILIES
from tests.training.conftest import SIDE, STEP
from training import assistant_stage, tuning
from training.assistant_stage import train_assistant
from training.config import AssistantConfig

CASES = [(family, "lora") for family in FAMILIES] + [("llava", "dora"), ("qwen2_5_vl", "rslora"), ("smolvlm", "dora")]


@pytest.fixture
def config(eyes, tmp_path) -> AssistantConfig:
    return AssistantConfig(
        **STEP, **eyes, output=str(tmp_path / "out"), init="llava", tuning="lora", rank=4, learning_rate=0.01,
        gradient_checkpointing=True, accumulation=2,
    )  # fmt: skip


def question(processor: Any) -> Any:
    spot = np.zeros((SIDE, SIDE), np.float32)
    spot[5:15, 5:15] = 1
    items = [{"type": "image"}, {"type": "anomaly"}, {"type": "text", "text": "Where?"}]
    return processor([[{"role": "user", "content": items}]], [Image.new("RGB", (SIDE, SIDE), "red")], [spot])


@torch.no_grad()
def logits(model: Any, processor: Any) -> torch.Tensor:
    return model.eval()(**question(processor)).logits.float()


@pytest.fixture
def seen(monkeypatch) -> dict[str, Any]:
    """The trained model's logits just before and after its adapters were merged."""
    notes: dict[str, Any] = {}

    def note(trainer: Any, config: AssistantConfig, rebuild: Any) -> Any:
        model = trainer.model
        _, processor = load(config.init)
        notes["checkpointing"] = trainer.args.activation_checkpointing and any(
            getattr(module, "gradient_checkpointing", False) for module in model.modules()
        )
        notes["trained"] = [name for name, weight in model.named_parameters() if weight.requires_grad]
        notes["moved"] = max(float(w.detach().abs().max()) for n, w in model.named_parameters() if "lora_B" in n)
        notes["before"] = logits(model, processor)
        assert isinstance(model, PeftModel)
        whole = tuning.gather(trainer, config, rebuild)
        notes["after"] = logits(whole, processor)
        return whole

    monkeypatch.setattr(assistant_stage, "gather", note)
    return notes


@pytest.mark.parametrize(("family", "kind"), CASES)
def test_adapters_train_merge_open_again_and_answer(family, kind, config, base_of, seen):
    config = replace(config, init=str(base_of(family)), tuning=kind)
    train_assistant(config)
    assert seen["checkpointing"] and seen["moved"] > 1e-4
    assert all("lora_" in name or "prompt_learner" in name for name in seen["trained"])
    assert any("prompt_learner" in name for name in seen["trained"])
    torch.testing.assert_close(seen["after"], seen["before"], atol=1e-4, rtol=1e-3)
    model, processor = load(config.output)
    torch.testing.assert_close(logits(model.float(), processor), seen["before"], atol=2e-2, rtol=2e-2)
    chat = Assistant.from_pretrained(config.output).start_chat(np.full((SIDE, SIDE, 3), 90, np.uint8))
    assert isinstance(chat.ask("Is there a defect?"), str)


def test_the_base_of_qlora_is_in_four_bits_and_what_is_written_is_not(config, base_of, seen):
    """bitsandbytes computes 4 bits on a CPU too, if slowly."""
    pytest.importorskip("bitsandbytes")
    config = replace(config, init=str(base_of("llava")), tuning="qlora")
    frozen, _ = tuning.open_base(config)
    kinds = {name: type(module).__name__ for name, module in frozen.named_modules()}
    four = [name for name, kind in kinds.items() if kind == "Linear4bit"]
    assert four and all(".language_model.layers." in name for name in four)
    train_assistant(config)
    # The base is rounded to 4 bits while it trains; afterwards the adapters stand on the exact one.
    torch.testing.assert_close(seen["after"], seen["before"], atol=0.5, rtol=0.5)
    model, processor = load(config.output)
    torch.testing.assert_close(logits(model.float(), processor), seen["after"], atol=2e-2, rtol=2e-2)
    assert not any("Linear4bit" in type(module).__name__ for module in model.modules())


def test_without_support_qlora_says_what_to_do(config, base_of, monkeypatch):
    config = replace(config, init=str(base_of("llava")), tuning="qlora")
    monkeypatch.setattr("bitsandbytes.supported_torch_devices", {"cuda"})
    with pytest.raises(UserError, match="no 4 bits on cpu: use a CUDA GPU, or set tuning=lora"):
        tuning.open_base(config)
    monkeypatch.setitem(sys.modules, "bitsandbytes", None)
    with pytest.raises(UserError, match="bitsandbytes cannot be loaded"):
        tuning.open_base(config)


def test_full_tuning_of_a_given_base_leaves_the_tower(config, base_of):
    config = replace(config, init=str(base_of("smolvlm")), tuning="full")
    train_assistant(config)
    old, new = load(config.init)[0].lvlm.state_dict(), load(config.output)[0].lvlm.float().state_dict()
    changed = {name for name in old if not torch.allclose(old[name], new[name].float(), atol=2e-3)}
    assert any("text_model" in name for name in changed) and not any("vision_model" in name for name in changed)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_layers_that_hold_adapters_are_compiled(family, config, base_of):
    config = replace(config, init=str(base_of(family)))
    model = tuning.adapt(tuning.open_base(config)[0], config)
    tuning.compile_layers(model)
    compiled = [module for module in model.modules() if module._compiled_call_impl is not None]
    inside = {id(part) for layer in compiled for part in layer.modules()}
    adapters = [module for name, module in model.named_modules() if name.endswith("lora_A.default")]
    assert adapters and all(id(module) in inside for module in adapters)


@pytest.mark.skipif(shutil.which("g++") is None, reason="the compiler of torch needs one of C++")
def test_compiled_layers_give_the_same_loss_and_gradients(config, base_of):
    config = replace(config, init=str(base_of("llava")))
    model, processor = tuning.open_base(config)
    model = tuning.adapt(model, config).eval()  # without dropout, which draws other numbers when compiled
    names, found = list(model.state_dict()), []
    for compiled in (False, True):
        if compiled:
            tuning.compile_layers(model)
        batch = question(processor)
        model(**batch, labels=batch["input_ids"]).loss.backward()
        found.append({name: w.grad.clone() for name, w in model.named_parameters() if w.grad is not None})
        model.zero_grad()
    assert any("lora_B" in name and grad.abs().max() > 0 for name, grad in found[0].items())
    torch.testing.assert_close(found[1], found[0], atol=1e-5, rtol=1e-3)
    assert list(model.state_dict()) == names


def test_checkpoints_hold_the_adapter_alone(config, base_of):
    config = replace(config, init=str(base_of("llava")), save_steps=1)
    train_assistant(config)
    folder = Path(config.output) / "checkpoints" / "checkpoint-1"
    assert (folder / "adapter_model.safetensors").is_file() and not (folder / "model.safetensors").exists()
