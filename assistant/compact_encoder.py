"""The compact image encoder of `tiny`: a small residual network of dense convolutions.

Dense 3x3 convolutions reach several times the throughput of depthwise ones on a CPU, so this network
has more multiplications than MobileNetV2 and still runs in a third of its time. It learns by
distillation (`training/encoder_stage.py`): one 1x1 head per level predicts the teacher's features there.
"""

import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, PretrainedConfig, PreTrainedModel
from transformers.modeling_outputs import BaseModelOutput


class CompactEncoderConfig(PretrainedConfig):
    """Shape of the network.

    `widths` and `depths` are channels and residual blocks of the stages at strides 4, 8, 16, 32;
    `level_stages` and `level_channels` say from which stage (0-based) each distilled level is read and
    how many channels it has; `token_grid` is the side of the grid of tokens for a language model.
    """

    model_type = "compact_encoder"

    def __init__(
        self,
        widths: tuple[int, ...] = (48, 96, 192, 256),
        depths: tuple[int, ...] = (1, 2, 2, 1),
        level_stages: tuple[int, ...] = (0, 1, 2, 2, 3),
        level_channels: tuple[int, ...] = (24, 32, 64, 96, 160),
        image_size: int = 256,
        token_grid: int = 4,
        **kwargs: object,
    ) -> None:
        super().__init__(**kwargs)
        self.widths, self.depths = list(widths), list(depths)
        self.level_stages, self.level_channels = list(level_stages), list(level_channels)
        self.image_size, self.token_grid = image_size, token_grid
        self.hidden_size = widths[-1]  # what a LLaVA projector reads


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions with batch norm and a shortcut (He et al. 2016, basic block)."""

    def __init__(self, channels_in: int, channels: int, stride: int = 1) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels_in, channels, 3, stride, 1, bias=False)
        self.first_norm = nn.BatchNorm2d(channels)
        self.second = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.second_norm = nn.BatchNorm2d(channels)
        same = channels_in == channels and stride == 1
        self.shortcut = nn.Identity() if same else nn.Conv2d(channels_in, channels, 1, stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        y = torch.relu_(self.first_norm(self.first(x)))
        return torch.relu_(self.second_norm(self.second(y)) + self.shortcut(x))


class CompactEncoderModel(PreTrainedModel):
    """Patch features at several strides, and a few tokens for a language model.

    `forward(pixel_values (B, 3, S, S), normalised to [-1, 1])` gives `last_hidden_state`
    (B, token_grid**2, widths[-1]) and, on request, `hidden_states`: the distilled levels, finest first,
    one (B, C_l, S / stride, S / stride) map each, and last the tokens again, where LLaVA looks for them.
    """

    config_class = CompactEncoderConfig
    main_input_name = "pixel_values"
    _no_split_modules = ["ResidualBlock"]

    def __init__(self, config: CompactEncoderConfig) -> None:
        super().__init__(config)
        first = config.widths[0]
        self.stem = nn.Sequential(
            nn.Conv2d(3, first // 2, 3, 2, 1, bias=False), nn.BatchNorm2d(first // 2), nn.ReLU(inplace=True)
        )
        stages, channels = [], first // 2
        for width, depth in zip(config.widths, config.depths, strict=True):
            blocks = [ResidualBlock(channels, width, 2)] + [ResidualBlock(width, width) for _ in range(depth - 1)]
            stages.append(nn.Sequential(*blocks))
            channels = width
        self.stages = nn.ModuleList(stages)
        self.heads = nn.ModuleList(
            nn.Conv2d(config.widths[stage], out, 1)
            for stage, out in zip(config.level_stages, config.level_channels, strict=True)
        )
        self.post_init()

    def forward(self, pixel_values: Tensor, output_hidden_states: bool | None = None, **_: object) -> BaseModelOutput:
        x = self.stem(pixel_values.to(self.dtype).contiguous(memory_format=torch.channels_last))
        trunk = []
        for stage in self.stages:
            x = stage(x)
            trunk.append(x)
        tokens = nn.functional.adaptive_avg_pool2d(x, self.config.token_grid).flatten(2).transpose(1, 2)
        levels = None
        if output_hidden_states:
            levels = tuple(
                head(trunk[stage]) for head, stage in zip(self.heads, self.config.level_stages, strict=True)
            ) + (tokens,)
        return BaseModelOutput(last_hidden_state=tokens, hidden_states=levels)


AutoConfig.register(CompactEncoderConfig.model_type, CompactEncoderConfig, exist_ok=True)
AutoModel.register(CompactEncoderConfig, CompactEncoderModel, exist_ok=True)
