"""Any image-text-to-text model of transformers, plus a prompt learner that lets it read an anomaly map.

The map's embeddings stand in the prompt as `<anomaly>` placeholders, as images do. The ids stay in `input_ids`
(Qwen-VL computes positions from them) and the embeddings are overwritten where the base looks them up, so that
no family's own `forward`, cache or position code has to be touched.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoModelForImageTextToText, GenerationMixin, PreTrainedModel
from transformers.modeling_outputs import CausalLMOutputWithPast

from assistant.lvlm.backbones import backbone_of
from assistant.lvlm.configuration import AnomalyLvlmConfig
from assistant.prompt_learner import PromptLearner


class AnomalyLvlmForConditionalGeneration(PreTrainedModel, GenerationMixin):
    """`lvlm` (the base, with its own forward and generate) and `prompt_learner`.

    Args:
        config: see `AnomalyLvlmConfig`.
        lvlm: a base that is already loaded; without it one is built from `config.lvlm_config`.
    """

    config_class = AnomalyLvlmConfig
    main_input_name = "input_ids"
    input_modalities = ("image", "text")
    supports_gradient_checkpointing = True
    _supports_sdpa = True
    _supports_flash_attn = True
    _supports_flex_attn = True
    _supports_attention_backend = True

    def __init__(self, config: AnomalyLvlmConfig, lvlm: PreTrainedModel | None = None) -> None:
        super().__init__(config)
        self.lvlm = lvlm or AutoModelForImageTextToText.from_config(config.lvlm_config)
        self.prompt_learner = PromptLearner(
            d_model=config.get_text_config().hidden_size,
            num_tokens=config.num_anomaly_tokens,
            channels=tuple(config.prompt_channels),
            map_size=config.map_size,
        )
        # One object, not two: the base's own holds which attention it runs with and its vocabulary's size.
        config.lvlm_config = self.lvlm.config
        self.generation_config = self.lvlm.generation_config
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        # The base draws its own weights; ours are drawn here so that loading without them works too.
        if isinstance(module, PromptLearner):
            module.reset_parameters()

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        labels: Tensor | None = None,
        anomaly_maps: Tensor | None = None,
        **base_inputs: Any,
    ) -> CausalLMOutputWithPast:
        """The base's forward with the anomaly embeddings in place.

        Args:
            input_ids: (B, T), with `num_anomaly_tokens` placeholders per anomaly map.
            labels: (B, T), -100 where there is no loss.
            anomaly_maps: (M, H, W) in [0, 1], in the order of their placeholders over the batch.
            base_inputs: what the base's processor made: pixel_values, image_grid_thw, ...

        Raises:
            ValueError: the numbers of placeholders and of anomaly embeddings differ.
        """
        if labels is not None:  # in training no one reads the cache, and a layer that is recomputed would fill it twice
            base_inputs.setdefault("use_cache", False)
        with self._anomaly_placed(input_ids, anomaly_maps):
            return self.lvlm(input_ids=input_ids, attention_mask=attention_mask, labels=labels, **base_inputs)

    @torch.no_grad()
    def generate(self, input_ids: Tensor, anomaly_maps: Tensor | None = None, **base_inputs: Any) -> Any:
        """The base's `generate` (greedy, sampling, beams, streamer, ...) with the anomaly embeddings in place."""
        # Loading replaces ours only (`generation_config.json`), and PEFT hands ours around.
        self.lvlm.generation_config = self.generation_config
        with self._anomaly_placed(input_ids, anomaly_maps):
            return self.lvlm.generate(input_ids=input_ids, **base_inputs)

    @contextmanager
    def _anomaly_placed(self, input_ids: Tensor, anomaly_maps: Tensor | None) -> Iterator[None]:
        """While open, this thread's embedding lookups have placeholders overwritten by anomaly embeddings."""
        counts = (input_ids == self.config.anomaly_token_id).sum(dim=1)  # (B,)
        embeddings = self._embed(anomaly_maps)  # (M * n, d_model)
        if anomaly_maps is None and self.training:
            # A batch without maps: processes that train together must run the same modules, so the prompt learner
            # takes part, with a gradient of zero.
            size = self.config.map_size
            unseen = 0.0 * self.prompt_learner(torch.zeros(1, size, size, device=self.device)).sum()
        else:
            unseen = None
        if int(counts.sum()) != len(embeddings):
            raise ValueError(
                f"the prompt holds {int(counts.sum())} anomaly placeholders but the anomaly maps give "
                f"{len(embeddings)} embeddings ({self.config.num_anomaly_tokens} per map)"
            )
        if not len(embeddings) and unseen is None:
            yield
            return
        owner = threading.get_ident()  # the model may serve several threads, each with its own map

        def overwrite(_: nn.Module, args: tuple[Tensor, ...], looked_up: Tensor) -> Tensor:
            here = args[0] == self.config.anomaly_token_id
            if unseen is not None:
                return looked_up + unseen.to(looked_up)
            if threading.get_ident() != owner or not here.any():
                return looked_up  # another conversation, or a decoding step
            # Beams and several returned sequences repeat each row of the batch, one after the other.
            repeats = len(here) // len(counts)
            rows = [row for row in embeddings.split(counts.tolist()) for _ in range(repeats)]
            values = torch.cat(rows).to(looked_up.device, looked_up.dtype)
            return looked_up.masked_scatter(here[..., None].to(looked_up.device), values)

        hook = self.get_input_embeddings().register_forward_hook(overwrite)
        try:
            yield
        finally:
            hook.remove()

    def _embed(self, anomaly_maps: Tensor | None) -> Tensor:
        """(M, H, W) -> (M * n, d_model); none at all is (0, d_model)."""
        if anomaly_maps is None:
            return torch.zeros(0, self.config.get_text_config().hidden_size, device=self.device)
        return self.prompt_learner(anomaly_maps.to(self.device)).flatten(0, 1)

    def train(self, mode: bool = True) -> "AnomalyLvlmForConditionalGeneration":
        """As usual, but a frozen vision tower stays as it is in use: its batch norms must not drift."""
        super().train(mode)
        tower = self.lvlm.get_submodule(backbone_of(self.lvlm.config.model_type).vision_tower)
        if not any(weight.requires_grad for weight in tower.parameters()):
            tower.eval()
        return self

    def get_input_embeddings(self) -> nn.Module:
        return self.lvlm.get_input_embeddings()

    def set_input_embeddings(self, value: nn.Module) -> None:
        self.lvlm.set_input_embeddings(value)

    def get_output_embeddings(self) -> nn.Module:
        return self.lvlm.get_output_embeddings()

    def set_output_embeddings(self, new_embeddings: nn.Module) -> None:
        self.lvlm.set_output_embeddings(new_embeddings)

    @classmethod
    def from_base(
        cls,
        lvlm: PreTrainedModel,
        *,
        anomaly_token_id: int,
        num_anomaly_tokens: int = 9,
    ) -> "AnomalyLvlmForConditionalGeneration":
        """A plain image-text-to-text model with a new, random prompt learner.

        `anomaly_token_id` comes from `AnomalyLvlmProcessor.from_base`. The table of embeddings grows only if
        that id lies outside; most hub models keep spare rows, and the row itself is never read.
        """
        known = lvlm.get_input_embeddings().num_embeddings
        if anomaly_token_id >= known:
            lvlm.resize_token_embeddings(anomaly_token_id + 1, mean_resizing=False)
            # The mean of all tokens is never the likeliest next one, and the same each time a base is opened.
            for table in (lvlm.get_input_embeddings(), lvlm.get_output_embeddings()):
                table.weight.data[known:] = table.weight.data[:known].mean(dim=0)
        config = AnomalyLvlmConfig(
            name_or_path=lvlm.name_or_path,  # an adapter trained on this model names its base by it
            lvlm_config=lvlm.config.to_dict(),
            anomaly_token_id=anomaly_token_id,
            num_anomaly_tokens=num_anomaly_tokens,
        )
        model = cls(config, lvlm)
        for name in ("hf_quantizer", "quantization_method", "is_quantized", "is_loaded_in_4bit", "is_loaded_in_8bit"):
            if hasattr(lvlm, name):  # PEFT and accelerate ask the outermost model
                setattr(model, name, getattr(lvlm, name))
        model.prompt_learner.to(lvlm.device, lvlm.dtype)
        return model
