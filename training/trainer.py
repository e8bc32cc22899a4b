"""What the stages share: one configured `transformers.Trainer` that fits a time budget and resumes."""

import math
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import torch
from accelerate.utils import broadcast
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.data import Dataset
from transformers import (
    PreTrainedModel,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)
from transformers.integrations import TensorBoardCallback

from assistant import UserError
from training.checkpoints import Checkpoints, minutes_of
from training.config import StageConfig
from training.progress import Progress
from training.run_record import end_record, start_record


class Budget(TrainerCallback):
    """Ends training after `minutes` of work, counted over all runs: `before` are those of earlier ones."""

    def __init__(self, minutes: float, before: float) -> None:
        self.minutes, self.before = minutes, before
        self.start, self.spent = time.monotonic(), 0.0

    def used(self) -> float:
        """Minutes spent so far, earlier runs included, by the clock of the main process at the last step's end.

        Processes that train together must agree on it, or they would step at different rates and stop apart.
        """
        return self.before + self.spent

    def on_train_begin(self, *_: Any, **__: Any) -> None:
        self.start, self.spent = time.monotonic(), 0.0

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        minutes = torch.tensor((time.monotonic() - self.start) / 60, device=args.device)
        self.spent = float(broadcast(minutes))
        if self.used() >= self.minutes:
            control.should_training_stop = True
            control.should_save = True  # what follows training may be cut off, too


class BudgetTrainer(Trainer):
    """A Trainer whose learning rate falls with the share of the budget used, in steps or in minutes.

    It stops where a loss or gradient is no longer a number, before the weights take harm, and a checkpoint of it is
    whole (`Checkpoints`).
    """

    lr_scheduler: LambdaLR | None

    def __init__(self, *args: Any, budget: Budget, checkpoints: Checkpoints, **kwargs: Any) -> None:
        super().__init__(*args, callbacks=[budget, Progress(budget)], **kwargs)
        self.budget, self.checkpoints = budget, checkpoints

    def _run_epoch(self, **kwargs: Any) -> None:
        """As the base class, which would take one step more each time that a finished training is resumed."""
        if self.state.global_step >= self.state.max_steps or self.budget.used() >= self.budget.minutes:
            self.control.should_training_stop = True
        else:
            super()._run_epoch(**kwargs)

    def _get_grad_norm(self, model: nn.Module, grad_norm: Tensor | float | None = None) -> Tensor | float:
        """The last call before a step of the optimizer; the norm is that of all processes together."""
        norm = super()._get_grad_norm(model, grad_norm)
        if not math.isfinite(float(norm)) or not math.isfinite(float(self._tr_loss)):
            steps = self.state.global_step + 1 - self._globalstep_last_logged
            loss = float(self._tr_loss) / steps  # the mean since the last log; no number if one of them was none
            raise self._diverged(self.state.global_step + 1, f"loss {loss:g}, norm of the gradient {float(norm):g}")
        return norm

    def _diverged(self, step: int, what: str) -> UserError:
        newest = self.checkpoints.newest()
        goes_on = f"it goes on from {newest.name}" if newest else "there is no checkpoint yet, it starts anew"
        return UserError(
            f"training diverged at step {step}: {what}, learning rate {self._get_learning_rate():.3g}",
            f"run it again with a lower learning_rate ({goes_on}); resume=false starts from the beginning",
        )

    def _get_output_dir(self, trial: Any) -> str:
        return str(self.checkpoints.unfinished)

    def _save_checkpoint(self, model: nn.Module, trial: Any) -> None:
        """Write the checkpoint beside the finished ones, then let it take its place among them."""
        bad = torch.tensor(float(not _finite(model)), device=self.args.device)
        if float(self.accelerator.reduce(bad)) > 0:
            raise self._diverged(self.state.global_step, "weights that are not finite")
        try:
            super()._save_checkpoint(model, trial)
            self.accelerator.wait_for_everyone()
            if self.is_world_process_zero():
                self.checkpoints.finish(self.state.global_step, self.budget.used())
        except BaseException:
            shutil.rmtree(self.checkpoints.unfinished, ignore_errors=True)  # it may hold the last free space
            raise

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: nn.Module | None = None) -> None:
        """As the base class, but a model's own loading is used: on disk LLaVA's weights have other names, and the
        base class would pass over all of them with a warning."""
        if isinstance(self.model, PreTrainedModel) and not (self.is_fsdp_enabled or self.is_deepspeed_enabled):
            saved = type(self.model).from_pretrained(resume_from_checkpoint, dtype=self.model.dtype)
            self.model.load_state_dict(saved.state_dict())
        else:
            super()._load_from_checkpoint(resume_from_checkpoint, model)

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        """As the base class, but a learning rate or budget that was changed between two runs counts from the next
        step on, not what is on disk."""
        super()._load_optimizer_and_scheduler(checkpoint)
        if checkpoint is None or not isinstance(self.lr_scheduler, LambdaLR):
            return
        wanted, scheduler = self.args.learning_rate, self.lr_scheduler
        scheduler.base_lrs = [wanted] * len(scheduler.base_lrs)
        for group, factor in zip(self.optimizer.param_groups, scheduler.lr_lambdas, strict=True):
            group["initial_lr"], group["lr"] = wanted, wanted * factor(scheduler.last_epoch)
        scheduler._last_lr = [group["lr"] for group in self.optimizer.param_groups]  # what is logged

    def create_scheduler(self, num_training_steps: int, optimizer: torch.optim.Optimizer | None = None) -> LambdaLR:
        if self.lr_scheduler is None:
            warmup = self.args.get_warmup_steps(num_training_steps)

            def factor(step: int) -> float:
                progress = max(step / num_training_steps, self.budget.used() / self.budget.minutes)
                cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))
                return min(1.0, (step + 1) / max(1, warmup)) * max(0.01, cosine)

            self.lr_scheduler = LambdaLR(optimizer or self.optimizer, factor)
        return self.lr_scheduler


def _finite(model: nn.Module) -> bool:
    """Whether what a checkpoint would hold and training changes is made of numbers, on this process."""
    values = [*(p for p in model.parameters() if p.requires_grad), *model.buffers()]
    parts = [value.to_local() if hasattr(value, "to_local") else value for value in values]
    return all(bool(torch.isfinite(part).all()) for part in parts if part.is_floating_point())


def fit(
    config: StageConfig, model: nn.Module, dataset: Dataset, collate: Any = None, gradient_checkpointing: bool = False
) -> BudgetTrainer:
    """Train `model` (its forward returns a dict with "loss") under the stage's budget, resuming if it can.

    Under `config.output` lie `checkpoints` (the two newest), `logs` for TensorBoard and `run.json`. Killed at any
    moment and started again, it ends with the same weights, apart from what depends on the minutes used. Under
    `accelerate launch` the plan of its configuration file (DDP, FSDP, DeepSpeed) applies, and each process sees rows
    of its own.

    Raises:
        UserError: the loss is no longer a number.
    """
    output = Path(config.output)
    checkpoints = Checkpoints(output / "checkpoints")
    newest = checkpoints.newest() if config.resume else None
    layers = getattr(model, "_no_split_modules", None)
    if layers:  # CLIP's vision tower names layers of its text tower too; FSDP ends where it misses one
        model.__dict__["_no_split_modules"] = set(layers) & {type(module).__name__ for module in model.modules()}
    trainer = BudgetTrainer(
        model=model, args=_arguments(config, gradient_checkpointing), train_dataset=dataset, data_collator=collate,
        budget=Budget(config.max_minutes, minutes_of(newest) if newest else 0.0), checkpoints=checkpoints,
    )  # fmt: skip
    trainer.remove_callback(PrinterCallback)  # it writes to stdout
    board = TensorBoardCallback()
    board.logging_dir = str(output / "logs")
    trainer.add_callback(board)
    if trainer.is_world_process_zero():
        checkpoints.clean()
        start_record(config, trainer.args.world_size, resumed=newest is not None)
    trainer.train(resume_from_checkpoint=str(newest) if newest else None)
    if trainer.is_world_process_zero():
        end_record(config.output, trainer.state.global_step, trainer.budget.used(), trainer.state.log_history)
    return trainer


def _arguments(config: StageConfig, gradient_checkpointing: bool) -> TrainingArguments:
    return TrainingArguments(
        output_dir=str(Path(config.output) / "checkpoints"), per_device_train_batch_size=config.batch_size,
        max_steps=config.max_steps, learning_rate=config.learning_rate, warmup_steps=config.warmup_steps,
        weight_decay=0.01, max_grad_norm=1.0, logging_steps=min(20, config.save_steps), save_steps=config.save_steps,
        seed=config.seed, dataloader_num_workers=config.workers, remove_unused_columns=False,
        gradient_accumulation_steps=config.accumulation, activation_checkpointing=gradient_checkpointing,
        report_to=[], bf16=torch.cuda.is_available(), dataloader_persistent_workers=config.workers > 0,
        dataloader_pin_memory=torch.cuda.is_available(),
        # Forked workers end with their parent, even a killed one; those of a fork server outlive it, unseen.
        dataloader_multiprocessing_context="fork" if config.workers and sys.platform == "linux" else None,
        disable_tqdm=True,  # `Progress` shows more
        logging_nan_inf_filter=False,  # it would put the mean of the losses before in the place of a bad one
        # The streams are random by themselves. In order, what lies at their far end (calibration) is never trained
        # on, and no permutation of ten million indices has to be held.
        train_sampling_strategy="sequential",
    )  # fmt: skip
