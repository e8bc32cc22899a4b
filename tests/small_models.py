"""The embedded model's parts with a few thousand random weights, for tests that need the whole path."""

import numpy as np
import torch
from torch import nn

from assistant.compact_encoder import CompactEncoderConfig, CompactEncoderModel
from data_gen.procedural import random_product

CHANNELS = (16, 16, 16, 16)  # of the small encoder's levels, at strides 4, 8, 16, 32


def small_encoder(side: int = 64, seed: int = 0) -> CompactEncoderModel:
    """A compact encoder for photos of `side` pixels whose random features are of about unit variance.

    Untrained, each layer shrinks its input until nothing is left; so batch norm is given its statistics.
    Below eight channels in the stem, the CPU library's backward pass through channels-last convolutions crashes.
    """
    torch.manual_seed(seed)
    config = CompactEncoderConfig(
        widths=(16, 16, 16, 16), depths=(1, 1, 1, 1), level_stages=(0, 1, 2, 3), level_channels=CHANNELS,
        image_size=side, token_grid=2,
    )  # fmt: skip
    model = CompactEncoderModel(config)
    for head in model.heads:
        nn.init.normal_(head.weight, std=0.25)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None  # the mean over all that is seen in training mode
    rng = np.random.default_rng(seed)
    photos = torch.from_numpy(np.stack([random_product(rng).photo(rng, side) for _ in range(4)]))
    with torch.no_grad():
        model.train()(photos.permute(0, 3, 1, 2) / 127.5 - 1)
    return model.eval()
