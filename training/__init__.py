"""Training of the assistant: one file per stage, each read from top to bottom."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from training.config import StageConfig

STAGES = {
    "encoder": "training.encoder_stage:train_encoder",
    "decoder": "training.decoder_stage:train_decoder",
    "assistant": "training.assistant_stage:train_assistant",
}


def run(config: "StageConfig") -> None:
    """Run the stage that the configuration names; the result is written to `config.output`."""
    module, function = STAGES[config.stage].split(":")
    stage = getattr(import_module(module), function)
    with import_module("training.saving").told(config.output):
        stage(config)
