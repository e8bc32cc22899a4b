"""What the stages share: one configured `transformers.Trainer` that fits a time budget and resumes."""

import json
import math
import time
from pathlib import Path
from typing import Any

import torch
from accelerate.utils import broadcast
from torch import nn
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.data import Dataset
from transformers import PreTrainedModel, Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from training.config import StageConfig


class Budget(TrainerCallback):
    """Ends training after `minutes` of work, counted over all runs of the same output folder."""

    FILE = "minutes.json"

    def __init__(self, minutes: float, folder: Path) -> None:
        self.minutes, self.folder = minutes, folder
        self.before, self.start, self.spent = 0.0, time.monotonic(), 0.0

    def used(self) -> float:
        """Minutes spent so far, earlier runs included, by the clock of the main process at the last step's end.

        Processes that train together must agree on it, or they would step at different rates and stop apart.
        """
        return self.before + self.spent

    def resume(self) -> str | None:
        """The newest finished checkpoint, whose minutes are taken over; None where there is none.

        The minutes are the last file of a checkpoint to be written, so one without them was cut off.
        """
        finished = sorted(self.folder.glob(f"checkpoint-*/{self.FILE}"), key=lambda p: int(p.parent.name[11:]))
        if not finished:
            return None
        self.before = float(json.loads(finished[-1].read_text()))
        return str(finished[-1].parent)

    def on_train_begin(self, *_: Any, **__: Any) -> None:
        self.start, self.spent = time.monotonic(), 0.0

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        minutes = torch.tensor((time.monotonic() - self.start) / 60, device=args.device)
        self.spent = float(broadcast(minutes))
        if self.used() >= self.minutes:
            control.should_training_stop = True

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        if not state.is_world_process_zero:
            return
        path = self.folder / f"checkpoint-{state.global_step}" / self.FILE
        beside = path.with_suffix(".part")
        beside.write_text(json.dumps(self.used()))
        beside.rename(path)


class BudgetTrainer(Trainer):
    """A Trainer whose learning rate falls with the share of the budget used, in steps or in minutes."""

    lr_scheduler: LambdaLR | None

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: nn.Module | None = None) -> None:
        """As the base class, but a model's own loading is used: on disk LLaVA's weights have other names, and the
        base class would pass over all of them with a warning."""
        if isinstance(self.model, PreTrainedModel) and not (self.is_fsdp_enabled or self.is_deepspeed_enabled):
            saved = type(self.model).from_pretrained(resume_from_checkpoint, dtype=self.model.dtype)
            self.model.load_state_dict(saved.state_dict())
        else:
            super()._load_from_checkpoint(resume_from_checkpoint, model)

    def __init__(self, *args: Any, budget: Budget, **kwargs: Any) -> None:
        super().__init__(*args, callbacks=[budget], **kwargs)
        self.budget = budget

    def create_scheduler(self, num_training_steps: int, optimizer: torch.optim.Optimizer | None = None) -> LambdaLR:
        if self.lr_scheduler is None:
            warmup = self.args.get_warmup_steps(num_training_steps)

            def factor(step: int) -> float:
                progress = max(step / num_training_steps, self.budget.used() / self.budget.minutes)
                cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))
                return min(1.0, (step + 1) / max(1, warmup)) * max(0.01, cosine)

            self.lr_scheduler = LambdaLR(optimizer or self.optimizer, factor)
        return self.lr_scheduler


def fit(
    config: StageConfig, model: nn.Module, dataset: Dataset, collate: Any = None, gradient_checkpointing: bool = False
) -> BudgetTrainer:
    """Train `model` (its forward returns a dict with "loss") under the stage's budget, resuming if it can.

    Checkpoints lie under `config.output/checkpoints`; the two newest are kept. Under `accelerate launch` the plan of
    its configuration file (DDP, FSDP, DeepSpeed) applies, and each process sees rows of its own.
    """
    folder = Path(config.output) / "checkpoints"
    arguments = TrainingArguments(
        output_dir=str(folder), per_device_train_batch_size=config.batch_size, max_steps=config.max_steps,
        learning_rate=config.learning_rate, warmup_steps=config.warmup_steps, weight_decay=0.01,
        max_grad_norm=1.0, logging_steps=min(20, config.save_steps), save_steps=config.save_steps, save_total_limit=2,
        seed=config.seed, dataloader_num_workers=config.workers, remove_unused_columns=False,
        gradient_accumulation_steps=config.accumulation, activation_checkpointing=gradient_checkpointing,
        report_to=[], bf16=torch.cuda.is_available(), dataloader_persistent_workers=config.workers > 0,
        # The streams are random by themselves. In order, what lies at their far end (calibration) is never trained
        # on, and no permutation of ten million indices has to be held.
        train_sampling_strategy="sequential",
    )  # fmt: skip
    budget = Budget(config.max_minutes, folder)
    checkpoint = budget.resume() if config.resume else None
    trainer = BudgetTrainer(model=model, args=arguments, train_dataset=dataset, data_collator=collate, budget=budget)
    trainer.train(resume_from_checkpoint=checkpoint)
    return trainer
