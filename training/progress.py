"""What one sees of a training run: a bar on a terminal, else a line every half minute; both on stderr."""

import sys
import time
from typing import Any, Protocol

from tqdm import tqdm
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

PAUSE = 30.0  # seconds between two lines


class Clock(Protocol):
    """Minutes of training: those used up, and the limit."""

    minutes: float

    def used(self) -> float: ...


class Progress(TrainerCallback):
    """Steps and minutes of the budget with the last logged loss and learning rate."""

    def __init__(self, clock: Clock) -> None:
        self.clock, self.loss = clock, ""
        self.bar: tqdm | None = None
        self.told = 0.0

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        if not state.is_world_process_zero:
            return
        if state.global_step:
            print(f"going on from step {state.global_step}", file=sys.stderr, flush=True)
        if sys.stderr.isatty():
            self.bar = tqdm(total=state.max_steps, initial=state.global_step, unit="step", file=sys.stderr)
        self.told = time.monotonic()

    def on_log(self, args: TrainingArguments, *_: Any, logs: dict[str, float] | None = None, **__: Any) -> None:
        if logs and "loss" in logs:
            self.loss = f", loss {logs['loss']:.4g}, learning rate {logs['learning_rate']:.2g}"

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        minutes = f"{self.clock.used():.1f} of {self.clock.minutes:g} min"
        if self.bar is not None:
            self.bar.set_postfix_str(minutes + self.loss, refresh=False)
            self.bar.update()
        elif state.is_world_process_zero and time.monotonic() - self.told >= PAUSE:
            self.told = time.monotonic()
            print(f"step {state.global_step} of {state.max_steps}, {minutes}{self.loss}", file=sys.stderr, flush=True)

    def on_train_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        if self.bar is not None:
            self.bar.close()
        elif state.is_world_process_zero:
            print(f"{state.global_step} steps done{self.loss}", file=sys.stderr, flush=True)
