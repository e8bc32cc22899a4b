"""Anomaly map -> embeddings that the language model reads beside the image tokens."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class PromptLearner(nn.Module):
    """Turns an anomaly map into `num_tokens` embeddings, one for each cell of a grid over the photo.

    Learnable base embeddings plus a convolutional reading of the map, after AnomalyGPT's prompt learner
    (Gu et al., AAAI 2024, sec. 3.4). Unlike there, token k sees its own grid cell (row-major), so "where" is
    in the order of the tokens, and a max-pooled copy of the map keeps defects of a few pixels visible.
    """

    def __init__(
        self,
        d_model: int,
        num_tokens: int = 9,
        channels: tuple[int, ...] = (16, 32, 64),
        map_size: int = 48,
    ) -> None:
        super().__init__()
        assert num_tokens > 0 and map_size % 2 ** len(channels) == 0
        self.map_size = map_size
        self.grid = grid_of(num_tokens)
        steps: list[nn.Module] = []
        for inside, outside in zip((2, *channels), channels, strict=False):
            steps += [nn.Conv2d(inside, outside, kernel_size=3, stride=2, padding=1), nn.GELU()]
        self.convs = nn.Sequential(*steps)
        # Each cell is read as 2 x 2 features, so that a token knows where within its cell the peak lies.
        self.project = nn.Conv2d(channels[-1], d_model, kernel_size=2, stride=2)
        self.base_embeddings = nn.Parameter(torch.empty(num_tokens, d_model))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draws the weights; 0.02 is the scale of token embeddings, which these stand beside."""
        for module in self.convs:
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight)
        nn.init.normal_(self.project.weight, std=0.02)
        for name, bias in self.named_parameters():
            if name.endswith("bias"):
                nn.init.zeros_(bias)
        nn.init.normal_(self.base_embeddings, std=0.02)

    def forward(self, anomaly_maps: Tensor) -> Tensor:
        """(B, H, W) in [0, 1], higher is more anomalous, any H and W -> (B, num_tokens, d_model).

        Also takes what `pool` makes of them, which can be stacked where the sizes of the photos differ.
        """
        pooled = self.pool(anomaly_maps) if anomaly_maps.dim() == 3 else anomaly_maps
        features = self.convs(pooled.to(self.base_embeddings.dtype))  # (B, C, 6, 6) at map_size 48
        rows, columns = self.grid
        cells = F.adaptive_max_pool2d(features, (2 * rows, 2 * columns))
        return self.base_embeddings + self.project(cells).flatten(2).transpose(1, 2)

    def pool(self, anomaly_maps: Tensor) -> Tensor:
        """(B, H, W) -> (B, 2, map_size, map_size): mean and maximum of each cell."""
        maps = anomaly_maps[:, None].float()  # (B, 1, H, W)
        pools = (F.adaptive_avg_pool2d(maps, self.map_size), F.adaptive_max_pool2d(maps, self.map_size))
        return torch.cat(pools, dim=1)


def grid_of(num_tokens: int) -> tuple[int, int]:
    """Rows and columns, rows <= columns, that cover the photo with exactly `num_tokens` cells (9 -> 3 x 3)."""
    rows = next(r for r in range(math.isqrt(num_tokens), 0, -1) if num_tokens % r == 0)
    return rows, num_tokens // rows
