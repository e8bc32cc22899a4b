"""Work split over the processes that `accelerate launch` started; without it there is one, and nothing to wait for."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

Item = TypeVar("Item")
PATIENCE = timedelta(days=7)  # shares take unequal time; a process that fails ends the others, whatever this says


@dataclass(frozen=True)
class Processes:
    """This process, `index` of `count`."""

    index: int = 0
    count: int = 1

    @classmethod
    def join(cls) -> "Processes":
        """Meet the others. To be called before a GPU is used: from then on this process sees its own alone."""
        if int(os.environ.get("WORLD_SIZE", "1")) == 1:
            return cls()
        rank = int(os.environ["LOCAL_RANK"])
        visible = os.environ.get("CUDA_VISIBLE_DEVICES")
        gpus = visible.split(",") if visible is not None else [str(rank)]
        os.environ["CUDA_VISIBLE_DEVICES"] = gpus[rank % len(gpus)]
        from accelerate import PartialState

        state = PartialState(cpu=True, timeout=PATIENCE)  # only words are exchanged, which needs no GPU
        return cls(state.process_index, state.num_processes)

    @property
    def first(self) -> bool:
        """Is this the one that tells, and writes what there is one of?"""
        return self.index == 0

    def share(self, items: Sequence[Item]) -> Sequence[Item]:
        """This process's own part of what all have in the same order; neighbours stay together."""
        return items[self.index * len(items) // self.count : (self.index + 1) * len(items) // self.count]

    def gather(self, items: list[Any]) -> list[Any]:
        """What all have, in their order, to everyone; waits until each of them has come here."""
        if self.count == 1:
            return items
        from accelerate.utils import gather_object

        gathered: list[Any] = gather_object(items)
        return gathered
