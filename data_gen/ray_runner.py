"""The same shards as tasks of a Ray cluster; its machines must see the output folder under the same path."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2

from assistant import UserError
from data_gen.plan import Plan
from data_gen.shards import write_shard
from data_gen.workers import THREADS


def write_shards(plan: Plan, folder: Path, shards: Sequence[int], progress: Callable[[int], None]) -> None:
    """Write shards of a plan, one core a task; `progress` is told the samples of each finished shard.

    Joins the cluster that RAY_ADDRESS names, or starts one on this machine.

    Raises:
        UserError: Ray is not installed.
        OSError: a shard cannot be written.
    """
    try:
        import ray
    except ImportError as error:
        raise UserError("Ray is not installed", "pip install 'anomaly-assistant[ray]', or leave --ray out") from error
    started = not ray.is_initialized()
    if started:
        ray.init(include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    try:
        single = {"env_vars": dict.fromkeys(THREADS, "1")}
        task = ray.remote(num_cpus=1, max_retries=3, runtime_env=single)(_task)
        shared = ray.put(plan)
        running: dict[Any, int] = {task.remote(shared, folder.resolve(), shard): shard for shard in shards}
        while running:
            for done in ray.wait(list(running))[0]:
                shard = running.pop(done)
                try:
                    ray.get(done)
                except ray.exceptions.RayTaskError as error:
                    raise error.cause from error
                progress(len(plan.samples(shard)))
    finally:
        if started:
            ray.shutdown()


def _task(plan: Plan, folder: Path, shard: int) -> None:
    cv2.setNumThreads(1)
    write_shard(plan, folder, shard, lambda: None)
