"""Training of the assistant: one file per stage, each read from top to bottom."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from training.config import RecipeConfig, StageConfig

STAGES = {
    "encoder": "training.encoder_stage:train_encoder",
    "decoder": "training.decoder_stage:train_decoder",
    "assistant": "training.assistant_stage:train_assistant",
    "reader": "training.reader_stage:train_reader",
    "custom": "training.custom:train_custom",
    "recipe": "training.recipe:run_recipe",
}


def run(config: "StageConfig | RecipeConfig") -> None:
    """Run the stage that the configuration names; the result is written to `config.output`, or each stage's own."""
    module, function = STAGES[config.stage].split(":")
    stage = getattr(import_module(module), function)
    with import_module("training.saving").told(config.output):
        stage(config)
