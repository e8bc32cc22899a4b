"""LoRA and QLoRA of LLaVA-1.5-7B's shapes with random weights on one GPU: speed, model-FLOPs utilisation, memory.

    python benchmarks/large.py [--batch 8] [--steps 12] [--only plain compiled] [--folder FOLDER]
                               [--peak TFLOPS] [--small]

The same rows, real dialogues about rendered parts, go through `training.trainer.fit` with our model and through a plain
`transformers.Trainer` with LoRA on the plain LLaVA, in one run, in turns. Nothing is downloaded: the base is drawn at
random and written to `--folder` (14 GB), from where both open it. `--small` tries the program on a CPU.
"""

import argparse
import gc
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from peft import get_peft_model
from torch import nn
from torch.utils.data import Dataset
from transformers import (
    AutoModelForImageTextToText,
    CLIPVisionConfig,
    LlamaConfig,
    LlavaConfig,
    LlavaProcessor,
    PrinterCallback,
    Trainer,
    TrainingArguments,
)
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

from assistant.assistant import CHECKPOINTS, Assistant
from assistant.lvlm.backbones import lora_config
from assistant.lvlm.checkpoint import load
from assistant.lvlm.vision_cache import cache_vision
from training.config import AssistantConfig
from training.dialogues import Collator, Dialogues, Example, inspect_scenes
from training.scenes import Scenes
from training.trainer import fit
from training.tuning import adapt, compile_layers, open_base

WARM_UP = 5  # steps that are not counted: in them every length of rows comes up once
RANK = 16
LENGTH = 1024  # tokens of the row whose memory is measured in 4 bits
RUNS = ("plain", "ours", "compiled", "qlora")
SMALL_TEXT = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4}
SMALL_EYES = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
EYES = {"hidden_size": 1024, "intermediate_size": 4096, "num_hidden_layers": 24, "num_attention_heads": 16}


class Rows(Dataset):
    """Rows made beforehand, again and again: what is timed is training."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return 1_000_000

    def __getitem__(self, index: int) -> dict[str, Any]:
        return self.rows[index % len(self.rows)]


class Clock:
    """When each forward began, the device idle; so a difference is a whole step with all that belongs to it."""

    def __init__(self, model: nn.Module, pad: int) -> None:
        self.pad = pad
        self.times: list[float] = []
        self.tokens: list[int] = []
        model.register_forward_pre_hook(self._note, with_kwargs=True)

    def _note(self, _: nn.Module, __: Any, inputs: dict[str, Any]) -> None:
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        self.times.append(time.perf_counter())
        self.tokens.append(int((inputs["input_ids"] != self.pad).sum()))

    def result(self) -> dict[str, float]:
        """Seconds a step (median, least, most) and real tokens a second and a step, without the warm-up."""
        steps = [b - a for a, b in zip(self.times, self.times[1:], strict=False)][WARM_UP:]
        tokens = self.tokens[WARM_UP:-1]
        return {
            "seconds_a_step": statistics.median(steps), "least": min(steps), "most": max(steps),
            "tokens_a_second": sum(tokens) / sum(steps), "tokens_a_step": statistics.mean(tokens),
        }  # fmt: skip


def write_base(folder: Path, small: bool) -> None:
    """LLaVA-1.5-7B's shapes with random weights and `tiny`'s vocabulary."""
    words = load(CHECKPOINTS / "tiny", dtype=torch.float32)[1].tokenizer
    pixels = CLIPImageProcessorPil(size={"shortest_edge": 336}, crop_size={"height": 336, "width": 336})
    processor = LlavaProcessor(
        pixels, words, patch_size=14, vision_feature_select_strategy="default", num_additional_image_tokens=1,
        chat_template=words.chat_template,
    )  # fmt: skip
    size = SMALL_TEXT if small else {"intermediate_size": 11008}
    config = LlavaConfig(
        vision_config=CLIPVisionConfig(**(SMALL_EYES if small else EYES), image_size=336, patch_size=14),
        text_config=LlamaConfig(
            **size, vocab_size=32064, pad_token_id=words.pad_token_id, eos_token_id=words.eos_token_id
        ),
        image_token_index=words.convert_tokens_to_ids("<image>"),
    )
    with torch.device(_device()):
        model = AutoModelForImageTextToText.from_config(config, dtype=torch.bfloat16)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)


def settings(folder: Path, output: str, options: argparse.Namespace, **changed: Any) -> AssistantConfig:
    values: dict[str, Any] = {
        "encoder": "tiny", "detector": "tiny", "init": str(folder), "output": output, "tuning": "lora", "rank": RANK,
        "batch_size": options.batch, "max_steps": options.steps + WARM_UP + 1, "save_steps": 10**6, "workers": 4,
        "resume": False, "warmup_steps": 1, "learning_rate": 1e-4,
    }  # fmt: skip
    return AssistantConfig(**(values | changed))


def ours(config: AssistantConfig, rows: list[dict[str, Any]]) -> dict[str, float]:
    """Through the third stage's own parts."""
    model, processor = open_base(config)
    tower = model.lvlm.model.vision_tower.requires_grad_(False)
    trained = adapt(model, config).to(_device()) if config.tuning == "lora" else adapt(model, config)
    if config.compile:
        compile_layers(trained)
    cache_vision(tower)
    clock = Clock(trained, processor.tokenizer.pad_token_id)
    torch.cuda.reset_peak_memory_stats() if torch.cuda.is_available() else None
    fit(config, trained, Rows(rows), Cut(Collator(processor), config.batch_size == 1), config.gradient_checkpointing)
    return clock.result() | _memory()


def plain(config: AssistantConfig, rows: list[dict[str, Any]]) -> dict[str, float]:
    """Through a plain Trainer: the same rows without their maps, the same adapters."""
    assert config.init is not None
    model = AutoModelForImageTextToText.from_pretrained(config.init, dtype=torch.bfloat16).to(_device())
    adapters = lora_config("llava", rank=RANK, dora=False, rslora=False)
    adapters.modules_to_save = None
    trained = get_peft_model(model, adapters)
    processor = load(config.init, dtype=torch.bfloat16)[1]
    pad = processor.tokenizer.pad_token_id
    clock, collate = Clock(trained, pad), Cut(Collator(processor), False)
    torch.cuda.reset_peak_memory_stats() if torch.cuda.is_available() else None

    def without_maps(batch: list[dict[str, Any]]) -> Any:
        made = collate(batch)
        made.pop("anomaly_maps")
        made["attention_mask"] = (made["input_ids"] != pad).long()  # which every usual collator gives
        return made

    arguments = TrainingArguments(
        output_dir=config.output, per_device_train_batch_size=config.batch_size, max_steps=config.max_steps,
        learning_rate=config.learning_rate, max_grad_norm=1.0, save_strategy="no", report_to=[], disable_tqdm=True,
        bf16=torch.cuda.is_available(), remove_unused_columns=False, dataloader_num_workers=config.workers,
        dataloader_pin_memory=torch.cuda.is_available(), logging_steps=20,
    )  # fmt: skip
    trainer = Trainer(model=trained, args=arguments, train_dataset=Rows(rows), data_collator=without_maps)
    trainer.remove_callback(PrinterCallback)
    trainer.train()
    return clock.result() | _memory()


class Cut:
    """A collator whose batches are, if wanted, cut to `LENGTH` tokens; images and maps stand at the beginning."""

    def __init__(self, collate: Collator, cut: bool) -> None:
        self.collate, self.cut = collate, cut

    def __call__(self, rows: list[dict[str, Any]]) -> Any:
        batch = self.collate(rows)
        if self.cut:
            for name in ("input_ids", "labels"):
                batch[name] = batch[name][:, :LENGTH]
        return batch


def _memory() -> dict[str, float]:
    return {"peak_gib": torch.cuda.max_memory_allocated() / 2**30 if torch.cuda.is_available() else 0.0}


def _device() -> str:
    return "cuda" if torch.cuda.is_available() else "cpu"


def _free() -> None:
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def flops_a_token(folder: Path, length: float) -> float:
    """Of a LoRA step on rows of `length` tokens: forward and the gradients that pass through, 4 for each weight of the
    frozen decoder; and attention's products, 4 a channel and earlier token, of which there are `length` / 2 in the
    mean, forward, and twice that backward, as model-FLOPs utilisation counts them (PaLM, Chowdhery et al. 2022, app.
    B), but without the masked half."""
    config = json.loads((folder / "config.json").read_text())["text_config"]
    text = LlamaConfig(**config)
    layer = 4 * text.hidden_size**2 + 3 * text.hidden_size * text.intermediate_size
    weights = text.num_hidden_layers * layer + text.hidden_size * text.vocab_size
    return 4.0 * weights + 6.0 * text.num_hidden_layers * text.hidden_size * length


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--folder", type=Path, default=Path("/dev/shm/llava"))
    parser.add_argument("--only", nargs="+", choices=RUNS, default=[*RUNS, *RUNS[:3]], help="these runs, in this order")
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--peak", type=float, default=989.0, help="TFLOP/s of the card in dense bf16")
    options = parser.parse_args()
    inspector = Assistant.from_pretrained("tiny", language=False)
    examples = inspect_scenes(inspector, Scenes([], [], inspector.encoder.image_size, 4, seed=0), 8)
    rows = make_rows(examples, 4 * options.batch, turns=(10, 12))
    long_rows = make_rows(examples, 4, turns=(36, 40))  # of more than `LENGTH` tokens
    write_base(options.folder, options.small)
    _free()

    def measure(name: str, run: Callable[..., dict[str, float]], rows: list[dict[str, Any]], **changed: Any) -> None:
        with tempfile.TemporaryDirectory() as output:
            found = run(settings(options.folder, output, options, **changed), rows)
        length = found["tokens_a_step"] / changed.get("batch_size", options.batch)
        found["mfu"] = found["tokens_a_second"] * flops_a_token(options.folder, length) / (options.peak * 1e12)
        print(json.dumps({"run": name, **{key: round(value, 4) for key, value in found.items()}}), flush=True)
        _free()

    four = {"tuning": "qlora", "gradient_checkpointing": True, "workers": 0, "batch_size": 1}
    runs: dict[str, Callable[[], None]] = {
        "plain": lambda: measure("plain lora", plain, rows),
        "ours": lambda: measure("our lora", ours, rows),
        "compiled": lambda: measure("our lora, compiled", ours, rows, compile=True),
        "qlora": lambda: measure("our qlora, one row of 1024", ours, long_rows, **four),
    }
    for name in options.only:
        if name == "qlora" and not torch.cuda.is_available():
            continue
        runs[name]()


def make_rows(examples: list[Example], count: int, turns: tuple[int, int]) -> list[dict[str, Any]]:
    """Dialogues about the examples, the shorter ones first."""
    dialogues = Dialogues(examples, turns, seed=0)
    return sorted((dialogues[i] for i in range(count)), key=lambda row: len(str(row["messages"])))


if __name__ == "__main__":
    main()
