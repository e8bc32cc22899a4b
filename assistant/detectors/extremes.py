"""The worst of a map: the mean of its highest share, over the whole photo or over an area of it."""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

# A cell of the grid is in the area if this much of it is. Half would let a defect at the rim of an ignored box
# count: its cells reach over the edge of the box.
INSIDE = 0.95


def top_mean(values: Tensor, share: float, area: np.ndarray | None = None) -> Tensor:
    """Mean of the highest `share` of the cells of each map: (B, ..., s, s) -> (B,).

    The share, not the number of cells, stays the same in an area: of good photos the worst hundredth scores alike
    whatever its size, while the worst forty cells of a small area would be nearly all of it.

    Args:
        values: one or more maps a photo, on a grid that covers the photo evenly.
        share: in (0, 1]; at least one cell is taken.
        area: (H, W) bool of the photo; None for all of it.
    """
    flat = values.flatten(1)
    if area is not None:
        flat = flat[:, cells_inside(area, values.shape[-1]).flatten().to(flat.device)]
    return flat.topk(max(1, round(share * flat.shape[1])), dim=1).values.mean(dim=1)


def cells_inside(area: np.ndarray, side: int) -> Tensor:
    """The cells of a grid that lie in an (H, W) area, (side, side) bool: those that hold most of it if none does."""
    share = F.adaptive_avg_pool2d(torch.from_numpy(np.array(area, dtype=np.float32))[None], side)[0]
    return share >= min(INSIDE, float(share.max()))
