"""The command line, started by `accelerate launch` with FSDP on a machine without a GPU.

accelerate (1.15) takes its FSDP plan for GPUs and their like alone: with `MULTI_CPU` it leaves the plan out without a
word and trains with DDP. PyTorch's own FSDP2 does work over gloo. So here the processes, which stay on the CPU, call
themselves `MULTI_GPU`, and all that follows is the real thing.
"""

import torch
from accelerate.state import PartialState
from accelerate.utils import DistributedType

from assistant import cli


def _backend(self: PartialState, *_: object, **__: object) -> tuple[str, DistributedType]:
    return "gloo", DistributedType.MULTI_GPU


def _device(self: PartialState) -> None:
    self.device = torch.device("cpu")


if __name__ == "__main__":
    PartialState._prepare_backend = _backend
    PartialState.set_device = _device
    cli.main()
