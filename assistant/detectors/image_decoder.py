"""Zero-shot detection: patch features projected into the text space and matched with prompts."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from assistant.detectors.text_prompts import HashedTextEncoder, prompt_features
from assistant.encoder import PatchFeatures
from assistant.inspection import KINDS


class ImageDecoder(nn.Module):
    """AnomalyGPT's zero-shot decoder (Gu et al. 2024, eq. 1): one linear layer per level into the text space.

    Args:
        channels: C_l of the encoder's levels.
        dim: width of the text space.
    """

    prompts: Tensor

    def __init__(self, channels: Sequence[int], dim: int = 64) -> None:
        super().__init__()
        self.adapters = nn.ModuleList(nn.Conv2d(c, dim, 1) for c in channels)
        self.text_encoder = HashedTextEncoder(dim)
        self.log_scale = nn.Parameter(torch.tensor(2.0))
        # Prompts never change after training, so their features are computed once and saved.
        self.register_buffer("prompts", torch.zeros(2 + len(KINDS), dim))

    @torch.no_grad()
    def remember_prompts(self) -> None:
        """Compute the prompt features anew from the text encoder."""
        self.prompts.copy_(prompt_features(self.text_encoder))

    def embed(self, features: PatchFeatures, side: int) -> Tensor:
        """Mean over the levels of the projected patches, (B, dim, side, side)."""
        total: Tensor | None = None
        for adapter, level in zip(self.adapters, features.levels, strict=True):
            if level.shape[-1] > side:  # averaged down, for interpolation would skip every second patch
                level = F.adaptive_avg_pool2d(level, side)
            projected = F.interpolate(adapter(level), size=side, mode="bilinear")
            total = projected if total is None else total + projected
        assert total is not None
        return total / len(self.adapters)

    def match(self, embedding: Tensor, prompts: Tensor | None = None) -> Tensor:
        """Scaled cosine of every patch with every prompt: (B, dim, h, w) -> (B, 2 + K, h, w)."""
        prompts = self.prompts if prompts is None else prompts
        cosine = torch.einsum("bdhw,td->bthw", F.normalize(embedding, dim=1), prompts)
        return cosine * self.log_scale.clamp(max=4.6).exp()

    def score(self, features: PatchFeatures) -> Tensor:
        """Probability of "abnormal" against "normal", (B, h, h) in [0, 1]; `Detector` protocol."""
        side = features.levels[0].shape[-1]
        return self.match(self.embed(features, side))[:, :2].softmax(dim=1)[:, 1]
