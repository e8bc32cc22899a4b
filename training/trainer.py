"""What the stages share: one configured `transformers.Trainer` that fits a time budget and resumes."""

import json
import math
import time
from pathlib import Path
from typing import Any

import torch
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
        self.before, self.start = 0.0, time.monotonic()

    def used(self) -> float:
        """Minutes spent so far, earlier runs included."""
        return self.before + (time.monotonic() - self.start) / 60

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
        self.start = time.monotonic()

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        if self.used() >= self.minutes:
            control.should_training_stop = True

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
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
        if isinstance(self.model, PreTrainedModel):
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


def fit(config: StageConfig, model: nn.Module, dataset: Dataset, collate: Any = None) -> None:
    """Train `model` (its forward returns a dict with "loss") under the stage's budget, resuming if it can.

    Checkpoints lie under `config.output/checkpoints`; the two newest are kept.
    """
    folder = Path(config.output) / "checkpoints"
    arguments = TrainingArguments(
        output_dir=str(folder), per_device_train_batch_size=config.batch_size, max_steps=config.max_steps,
        learning_rate=config.learning_rate, warmup_steps=config.warmup_steps, weight_decay=0.01,
        max_grad_norm=1.0, logging_steps=20, save_steps=config.save_steps, save_total_limit=2,
        seed=config.seed, dataloader_num_workers=config.workers, remove_unused_columns=False,
        report_to=[], bf16=torch.cuda.is_available(), dataloader_persistent_workers=config.workers > 0,
        # The streams are random by themselves. In order, what lies at their far end (calibration) is never trained
        # on, and no permutation of ten million indices has to be held.
        train_sampling_strategy="sequential",
    )  # fmt: skip
    budget = Budget(config.max_minutes, folder)
    checkpoint = budget.resume() if config.resume else None
    trainer = BudgetTrainer(model=model, args=arguments, train_dataset=dataset, data_collator=collate, budget=budget)
    trainer.train(resume_from_checkpoint=checkpoint)
