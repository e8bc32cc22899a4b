"""Opens a model with its processor: a checkpoint folder, a LoRA adapter, or a plain base from the hub."""

from pathlib import Path
from typing import Any

from peft import PeftConfig, PeftModel
from transformers import AutoConfig, AutoModelForImageTextToText
from transformers.utils.peft_utils import find_adapter_config_file

from assistant import UserError
from assistant.lvlm.configuration import AnomalyLvlmConfig
from assistant.lvlm.modeling import AnomalyLvlmForConditionalGeneration
from assistant.lvlm.photo_processor import load_base_processor
from assistant.lvlm.processing import AnomalyLvlmProcessor


def load(
    name_or_path: str | Path, *, merge: bool = True, **loading: Any
) -> tuple[AnomalyLvlmForConditionalGeneration | PeftModel, AnomalyLvlmProcessor]:
    """Opens a folder or hub id, ready for inference.

    Args:
        name_or_path: an anomaly LVLM; a LoRA adapter on one or on a plain base; or a plain base, which gets a
            random prompt learner and so has to be trained before its map means anything.
        merge: fold an adapter into the weights. Give False for a base in 4 bits, or to go on training.
        loading: for `from_pretrained` of transformers: dtype, device_map, quantization_config, revision, ...
    """
    name = str(name_or_path)
    if find_adapter_config_file(name) is not None:
        processor = AnomalyLvlmProcessor.from_pretrained(name)
        base_name = PeftConfig.from_pretrained(name).base_model_name_or_path
        if Path(name).is_dir() and not (Path(name) / "adapter_model.safetensors").exists():
            raise UserError(f"{name} holds no adapter_model.safetensors", "save the adapter as safetensors")
        adapted = PeftModel.from_pretrained(_load_model(base_name, processor, loading), name)
        return (adapted.merge_and_unload() if merge else adapted).eval(), processor
    if isinstance(AutoConfig.from_pretrained(name), AnomalyLvlmConfig):
        processor = AnomalyLvlmProcessor.from_pretrained(name)
    else:
        processor = AnomalyLvlmProcessor.from_base(load_base_processor(name))
    return _load_model(name, processor, loading).eval(), processor


def _load_model(
    name: str, processor: AnomalyLvlmProcessor, loading: dict[str, Any]
) -> AnomalyLvlmForConditionalGeneration:
    if isinstance(AutoConfig.from_pretrained(name), AnomalyLvlmConfig):
        return AnomalyLvlmForConditionalGeneration.from_pretrained(name, use_safetensors=True, **loading)
    return AnomalyLvlmForConditionalGeneration.from_base(
        AutoModelForImageTextToText.from_pretrained(name, use_safetensors=True, **loading),
        anomaly_token_id=processor.anomaly_token_id,
        num_anomaly_tokens=processor.num_anomaly_tokens,
    )
