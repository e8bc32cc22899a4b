"""How much of a model is trained: all of it, or adapters on a frozen base, in 4 bits if wanted."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias

import torch
from accelerate.utils import DistributedType
from peft import PeftModel, get_peft_model, get_peft_model_state_dict, set_peft_model_state_dict
from transformers import AutoConfig, BitsAndBytesConfig

from assistant import UserError
from assistant.assistant import locate
from assistant.lvlm import AnomalyLvlmForConditionalGeneration, AnomalyLvlmProcessor
from assistant.lvlm.backbones import backbone_of, lora_config
from assistant.lvlm.checkpoint import load
from training.config import AssistantConfig
from training.joint import JointModel
from training.trainer import BudgetTrainer

Trained: TypeAlias = AnomalyLvlmForConditionalGeneration | PeftModel


def open_base(config: AssistantConfig) -> tuple[AnomalyLvlmForConditionalGeneration, AnomalyLvlmProcessor]:
    """`config.init` as it is to be trained.

    What is trained is kept in full precision; of a frozen base, half will do where a GPU knows it.

    Raises:
        UserError: 4 bits are wanted and cannot be had here.
    """
    assert config.init is not None
    source = locate(config.init)
    half = config.tuning != "full" and torch.cuda.is_available()
    dtype = torch.bfloat16 if half else torch.float32
    loading: dict[str, Any] = {"dtype": dtype}
    if config.tuning == "qlora":
        loading |= {"quantization_config": four_bits(source, dtype), "device_map": {"": _device()}}
    model, processor = load(source, **loading)
    model.prompt_learner.float()
    return model, processor


def four_bits(name: str, dtype: torch.dtype) -> BitsAndBytesConfig:
    """NF4 with double quantisation (Dettmers et al. 2023) for the language decoder alone.

    Vision tower and projector are a few hundred million parameters whose errors every token would inherit.
    """
    try:
        from bitsandbytes import supported_torch_devices
    except (ImportError, RuntimeError, OSError) as error:
        raise UserError(f"bitsandbytes cannot be loaded: {error}", "install it, or set tuning=lora") from error
    device = _device().type
    if device not in supported_torch_devices:
        raise UserError(f"bitsandbytes has no 4 bits on {device}", "use a CUDA GPU, or set tuning=lora")
    settings = AutoConfig.from_pretrained(name)
    family = backbone_of(getattr(settings, "lvlm_config", settings).model_type)
    parts = ["lm_head", family.vision_tower, family.projector]
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
        llm_int8_skip_modules=["prompt_learner", *parts, *(f"lvlm.{part}" for part in parts)],
    )


def _device() -> torch.device:
    return torch.device("cuda", torch.cuda.current_device()) if torch.cuda.is_available() else torch.device("cpu")


def adapt(model: AnomalyLvlmForConditionalGeneration, config: AssistantConfig) -> Trained:
    """With the adapters that `config.tuning` asks for; the prompt learner is trained in full beside them.

    The projector of a base that was trained on images fits already and stays as it is.
    """
    if config.tuning == "full":
        return model
    if config.tuning == "prompt":
        for name, weight in model.named_parameters():  # and the detector, where that learns on with it
            weight.requires_grad_("prompt_learner" in name or "joint_decoder" in name)
        return model
    kind, family = config.tuning, model.lvlm.config.model_type
    adapters = lora_config(family, rank=config.rank, dora=kind == "dora", rslora=kind == "rslora")
    if isinstance(model, JointModel):
        adapters.modules_to_save.append("joint_decoder")
    return get_peft_model(model, adapters)


def compile_layers(model: Trained) -> None:
    """Compile the language decoder's layers in place: one graph serves all of them, whatever the length of the rows.

    Layer by layer, since that takes seconds where the whole model takes minutes, and leaves the names of the weights,
    PEFT's adapters and gradient checkpointing as they are.
    """
    for layer in model.lvlm.get_decoder().layers:
        layer.compile(dynamic=True)


def gather(
    trainer: BudgetTrainer, config: AssistantConfig, rebuild: Callable[[AssistantConfig], Trained]
) -> AnomalyLvlmForConditionalGeneration | None:
    """The trained model in one piece on the main process, adapters merged; None on the other processes.

    A model that is split over processes, or in 4 bits, is built anew from `config.init` by `rebuild` and given what
    was trained: merged into 4 bits, an adapter would be rounded away.
    """
    model: Trained = trainer.model
    split = trainer.accelerator.distributed_type in (DistributedType.FSDP, DistributedType.DEEPSPEED)
    # Every process takes part in collecting the pieces.
    state = trainer.accelerator.get_state_dict(trainer.model_wrapped) if split else None
    if not trainer.is_world_process_zero():
        return None
    if split or config.tuning == "qlora":
        adapters = get_peft_model_state_dict(model, state_dict=state) if isinstance(model, PeftModel) else None
        model = rebuild(replace(config, tuning="lora") if config.tuning == "qlora" else config)
        if isinstance(model, PeftModel):
            set_peft_model_state_dict(model, adapters)
        else:
            model.load_state_dict(state)
    return model.merge_and_unload() if isinstance(model, PeftModel) else model
