"""The same answers from the machines of a Ray cluster, each with the model loaded once."""

import json
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

from assistant import UserError
from assistant.evaluation import Row
from assistant.evaluation.answering import Answerer, LeftOut, Model

SUBJECTS = 16  # photos that a worker is handed at once: enough for full batches, few enough to lose


class Cluster:
    """Joins the cluster that RAY_ADDRESS names, or starts one on this machine; a worker for each GPU, else two cores.

    Args:
        model: what each worker opens; a folder must be there on every machine.

    Raises:
        UserError: Ray is not installed.
    """

    def __init__(self, model: Model) -> None:
        try:
            import ray.data
        except ImportError as error:
            how = "pip install 'anomaly-assistant[ray]', or leave --ray out"
            raise UserError("Ray is not installed", how) from error
        self.model, self.ray = model, ray

    def answers(self, subjects: Iterable[list[Row]], folder: Path) -> Iterator[Row | LeftOut]:
        """See `Answerer`."""
        ray = self.ray
        started = not ray.is_initialized()
        if started:
            ray.init(include_dashboard=False, log_to_driver=False, logging_level="ERROR")
        ray.data.DataContext.get_current().enable_progress_bars = False
        try:
            items = [{"rows": json.dumps(rows)} for rows in subjects]
            gpus = int(ray.cluster_resources().get("GPU", 0))
            most = gpus or max(1, int(ray.cluster_resources()["CPU"]) // 2)
            blocks = -(-len(items) // SUBJECTS)
            done = ray.data.from_items(items, override_num_blocks=blocks).map_batches(
                _Worker, fn_constructor_args=(self.model, folder.resolve()), batch_size=None,
                compute=ray.data.ActorPoolStrategy(min_size=1, max_size=min(most, blocks)),
                num_gpus=1 if gpus else None, num_cpus=None if gpus else 1,
            )  # fmt: skip
            for item in done.iter_rows():
                kind, value = json.loads(item["outcome"])
                if kind == "ended":
                    raise UserError(*value)
                yield value if kind == "answer" else LeftOut(value[0], UserError(*value[1]), value[2])
        finally:
            if started:
                ray.shutdown()


class _Worker:
    """Lives in a process of the cluster; JSON goes in and out, which needs no schema."""

    def __init__(self, model: Model, folder: Path) -> None:
        self.model, self.folder = model, folder

    @cached_property
    def answerer(self) -> Answerer:
        """Not opened at the start: Ray would tell its failure as that of the process."""
        return self.model.open()

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[str]]:
        subjects, outcomes = [json.loads(rows) for rows in batch["rows"]], list[str]()
        try:
            outcomes.extend(_packed(outcome) for outcome in self.answerer.answers(subjects, self.folder))
        except UserError as error:
            outcomes.append(json.dumps(["ended", [error.what, error.how]]))
        return {"outcome": outcomes}


def _packed(outcome: Row | LeftOut) -> str:
    if isinstance(outcome, LeftOut):
        return json.dumps(["left out", [outcome.name, [outcome.why.what, outcome.why.how], outcome.rows]])
    return json.dumps(["answer", outcome])
