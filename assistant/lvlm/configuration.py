"""What an anomaly LVLM is: its base's configuration, the placeholder token and the prompt learner's sizes."""

from typing import Any, ClassVar

from transformers import AutoConfig, PretrainedConfig
from transformers.configuration_utils import SubConfigSpec


class AnomalyLvlmConfig(PretrainedConfig):
    """Nests the configuration of any image-text-to-text model as `lvlm_config`.

    Args (keyword):
        lvlm_config: configuration of the base, or its dictionary (with `model_type`).
        anomaly_token_id: id of the placeholder `<anomaly>` in the base's vocabulary.
        num_anomaly_tokens: placeholders per anomaly map.
        prompt_channels: channels of the prompt learner's stride-2 convolutions.
        map_size: side in pixels that anomaly maps are pooled to before the convolutions.
    """

    model_type = "anomaly_lvlm"
    sub_configs_defaults: ClassVar[dict[str, SubConfigSpec]] = {
        "lvlm_config": SubConfigSpec(config_class=AutoConfig, model_type="llava")
    }

    lvlm_config: dict[str, Any] | PretrainedConfig | None = None
    anomaly_token_id: int = 0
    num_anomaly_tokens: int = 9
    prompt_channels: list[int] | tuple[int, ...] = (16, 32, 64)
    map_size: int = 48

    def get_text_config(self, decoder: bool | None = None, encoder: bool | None = None) -> PretrainedConfig:
        """The base's language part; what generation, resizing and the Trainer read sizes from."""
        assert isinstance(self.lvlm_config, PretrainedConfig)  # a dictionary is turned into one when constructed
        return self.lvlm_config.get_text_config(decoder=decoder, encoder=encoder)
