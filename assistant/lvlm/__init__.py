"""The language side: any image-text-to-text model of transformers that also reads an anomaly map.

Importing this package registers the model, and the vision tower of `tiny`, with transformers' Auto classes.
"""

from transformers import AutoConfig, AutoModelForImageTextToText, AutoProcessor

import assistant.compact_encoder  # noqa: F401  registers the vision tower of `tiny`
from assistant.lvlm.configuration import AnomalyLvlmConfig
from assistant.lvlm.modeling import AnomalyLvlmForConditionalGeneration
from assistant.lvlm.processing import AnomalyLvlmProcessor

AutoConfig.register(AnomalyLvlmConfig.model_type, AnomalyLvlmConfig, exist_ok=True)
AutoModelForImageTextToText.register(AnomalyLvlmConfig, AnomalyLvlmForConditionalGeneration, exist_ok=True)
AutoProcessor.register(AnomalyLvlmConfig, AnomalyLvlmProcessor, exist_ok=True)

__all__ = ["AnomalyLvlmConfig", "AnomalyLvlmForConditionalGeneration", "AnomalyLvlmProcessor"]
