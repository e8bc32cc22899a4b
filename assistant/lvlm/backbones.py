"""Plug-in point: what differs between families of vision-language models, as data.

A family that is not listed needs one row here, nothing else.
"""

from dataclasses import dataclass

from peft import LoraConfig

from assistant import UserError

# Projections of a Llama- or Qwen-style decoder layer; PEFT matches the whole module path.
_DECODER = r".*\.{decoder}\.layers\.\d+\.(self_attn\.[qkvo]_proj|mlp\.(gate|up|down)_proj)"


@dataclass(frozen=True, kw_only=True)
class Backbone:
    """One family.

    Attributes:
        image_token: placeholder of an image in the rendered prompt.
        vision_tower: path of the vision encoder inside the base model.
        projector: path of the module that maps image features to the language model's width.
        lora_targets: regular expression over module paths; the language decoder only.
    """

    image_token: str
    vision_tower: str
    projector: str
    lora_targets: str


BACKBONES: dict[str, Backbone] = {
    "llava": Backbone(  # LLaVA-1.5, and `tiny`
        image_token="<image>",
        vision_tower="model.vision_tower",
        projector="model.multi_modal_projector",
        lora_targets=_DECODER.format(decoder="language_model"),
    ),
    "llava_onevision": Backbone(
        image_token="<image>",
        vision_tower="model.vision_tower",
        projector="model.multi_modal_projector",
        lora_targets=_DECODER.format(decoder="language_model"),
    ),
    "qwen2_5_vl": Backbone(
        image_token="<|image_pad|>",
        vision_tower="model.visual",
        projector="model.visual.merger",
        lora_targets=_DECODER.format(decoder="language_model"),
    ),
    "smolvlm": Backbone(
        image_token="<image>",
        vision_tower="model.vision_model",
        projector="model.connector",
        lora_targets=_DECODER.format(decoder="text_model"),
    ),
}


def backbone_of(model_type: str) -> Backbone:
    """The row of a family; raises `UserError` listing the known ones."""
    if model_type not in BACKBONES:
        raise UserError(
            f"unknown LVLM family {model_type!r}",
            f"use one of {', '.join(sorted(BACKBONES))}, or add a row for it to BACKBONES "
            "in assistant/lvlm/backbones.py",
        )
    return BACKBONES[model_type]


def lora_config(
    model_type: str, *, rank: int = 16, dropout: float = 0.05, dora: bool = False, rslora: bool = False
) -> LoraConfig:
    """LoRA on the language decoder, with the prompt learner trained in full beside it.

    alpha = 2 x rank, the usual choice, so that changing the rank leaves the step size alone. rsLoRA divides by the
    root of the rank instead (Kalajdzievski 2023), so there alpha is constant; 8 makes rank 16 the same in both.
    """
    return LoraConfig(
        r=rank,
        lora_alpha=8 if rslora else 2 * rank,
        lora_dropout=dropout,
        use_dora=dora,
        use_rslora=rslora,
        target_modules=backbone_of(model_type).lora_targets,
        modules_to_save=["prompt_learner"],
        task_type="CAUSAL_LM",
    )
