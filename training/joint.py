"""Language model and detector trained together: the map goes into the prompt with its gradient."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from transformers import PreTrainedModel
from transformers.modeling_outputs import CausalLMOutputWithPast

from assistant.detectors.fused import FusionHead
from assistant.lvlm import AnomalyLvlmForConditionalGeneration
from assistant.lvlm.configuration import AnomalyLvlmConfig
from training.decoder_stage import DecoderTraining


class JointModel(AnomalyLvlmForConditionalGeneration):
    """The assistant's model with the second stage's training as one of its parts, so that checkpoints hold both.

    The prompt learner reads the map that the head draws in this very step, and the head gets the gradient of the
    answers beside that of its own loss, as in AnomalyGPT (Gu et al., AAAI 2024, sec. 3.5). The words of the prompt and
    of the answers stay those of the inspection before training.

    Args:
        config: with `head`, the sizes of the fusion head, beside what the plain model has.
        lvlm: see `AnomalyLvlmForConditionalGeneration`.
    """

    decoder_weight: float

    def __init__(self, config: AnomalyLvlmConfig, lvlm: PreTrainedModel | None = None) -> None:
        super().__init__(config, lvlm)
        self.joint_decoder = DecoderTraining(None, FusionHead(**config.head))

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        labels: Tensor | None = None,
        anomaly_maps: Tensor | None = None,
        scenes: dict[str, Tensor] | None = None,
        inspected: Tensor | None = None,
        **base_inputs: Any,
    ) -> CausalLMOutputWithPast:
        """As the plain model; the loss is that of the answers plus the weighted one of the maps.

        Args:
            scenes: what `decoder_stage.collate` gives, one scene for each of the M anomaly maps, or None for a batch
                without maps.
            inspected: (M,) bool, whose map is replaced by the head's; the others are invented and stay.
        """
        assert labels is not None
        if scenes is None:  # processes that train together must run the same parts
            extra = sum((0.0 * weight.sum() for weight in self.joint_decoder.parameters()), torch.zeros(()))
        else:
            assert anomaly_maps is not None and inspected is not None
            judged = self.joint_decoder(**scenes)
            drawn = F.interpolate(judged["logits"].sigmoid(), size=anomaly_maps.shape[-2:], mode="bilinear")[:, 0]
            anomaly_maps = torch.where(inspected[:, None, None], drawn, anomaly_maps.to(drawn))
            # The Trainer divides the loss by the answers' tokens of all batches of a step; so this is its share.
            tokens = base_inputs.get("num_items_in_batch")
            share = 1.0 if tokens is None else (labels[:, 1:] >= 0).sum() / tokens
            extra = self.decoder_weight * share * judged["loss"]
        out: CausalLMOutputWithPast = super().forward(input_ids, attention_mask, labels, anomaly_maps, **base_inputs)
        out["loss"] = out["loss"] + extra.to(out["loss"])
        return out


def join(model: AnomalyLvlmForConditionalGeneration, decoder: DecoderTraining, weight: float) -> JointModel:
    """`model` itself with `decoder` as a part; `weight` is that of the maps' loss against that of the answers."""
    head = decoder.head
    model.config.head = {"channels": list(head.channels), "dim": head.dim, "width": head.width}
    model.__class__ = JointModel  # a new object would lack what loading left on it: quantisation, devices, memory
    assert isinstance(model, JointModel)
    model.joint_decoder, model.decoder_weight = decoder, weight
    return model


def part(model: JointModel) -> tuple[AnomalyLvlmForConditionalGeneration, DecoderTraining]:
    """The plain model and the trained decoder, what `join` put together."""
    decoder = model.joint_decoder
    del model.joint_decoder, model.decoder_weight, model.config.head
    plain: AnomalyLvlmForConditionalGeneration = model
    plain.__class__ = AnomalyLvlmForConditionalGeneration
    return plain, decoder
