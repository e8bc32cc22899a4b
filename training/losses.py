"""What a wrong anomaly map costs. A loss is a function here and a line in `LOSSES`.

Each takes logits (B, S, S), 0 as likely anomalous as not, and a target (B, S, S) in {0, 1}, both of photos whose mask
is known, and returns one number that falls as the map becomes right. T-VAD is not among them: what its losses are
could not be established from public sources.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

MapLoss = Callable[[Tensor, Tensor], Tensor]


def focal_loss(logits: Tensor, target: Tensor, gamma: float = 2.0) -> Tensor:
    """Focal loss (Lin et al. 2017, eq. 4, without alpha so that 0.5 stays the neutral score)."""
    bce = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    return ((1 - torch.exp(-bce)) ** gamma * bce).mean()


def dice_loss(logits: Tensor, target: Tensor) -> Tensor:
    """1 - soft Dice over each photo (Milletari et al. 2016, eq. 1), good photos included through the +1."""
    p = logits.sigmoid().flatten(1)
    t = target.flatten(1)
    overlap = 2 * (p * t).sum(dim=1) + 1
    return (1 - overlap / (p.sum(dim=1) + t.sum(dim=1) + 1)).mean()


def squared_dice_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Minus the overlap over the sum of squares, in [-0.5, 0] (Gu et al. 2024, sec. 3.5); 0 for a good photo, whose
    map is the focal loss's business alone."""
    p = logits.sigmoid().flatten(1)
    t = target.flatten(1)
    squares = (p**2).sum(dim=1) + (t**2).sum(dim=1)
    return -((p * t).sum(dim=1) / squares.clamp_min(1e-6)).mean()


def focal_and_dice(logits: Tensor, target: Tensor) -> Tensor:
    """Pixels right and shapes right, the default: focal loss + 1/4 Dice loss."""
    return focal_loss(logits, target) + 0.25 * dice_loss(logits, target)


def anomalygpt(logits: Tensor, target: Tensor) -> Tensor:
    """AnomalyGPT's (Gu et al., AAAI 2024, sec. 3.5): focal loss with gamma 2 and its own Dice loss, weighted alike.

    There the map is a softmax over "normal" and "abnormal": the sigmoid of their difference, which is `logits` here.
    """
    return focal_loss(logits, target) + squared_dice_loss(logits, target)


LOSSES: dict[str, MapLoss] = {"focal-dice": focal_and_dice, "anomalygpt": anomalygpt}
