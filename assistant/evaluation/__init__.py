"""Benchmarks and their metrics.

Plug-in point: a question benchmark is a file here with a class like `Benchmark`, and a line in `BENCHMARKS`.
"""

import inspect
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from assistant import UserError
from assistant.evaluation.source import Source, read_source

# A question: image, references, question, answer, type, choices (letter -> text, which are put with the question),
# turns (earlier questions, of which some know the `answer`), and what a benchmark needs for itself. `instruction`,
# where there is one, is text that stands before the photos: the role of the model, knowledge of the product.
Row = dict[str, Any]
# The order of asking: the first that knows the source reads it.
BENCHMARKS = {
    "anomalygpt": "assistant.evaluation.anomalygpt:AnomalyGptAccuracy",
    "mmad": "assistant.evaluation.mmad:Mmad",
    "visa-d&r": "assistant.evaluation.visa_dr:VisaDr",
    "llava-json": "assistant.evaluation.llava_json:LlavaJson",
    "jsonl": "assistant.evaluation.questions:Questions",
}


class Benchmark(Protocol):
    """What every question benchmark can do; it is made as `Class(source, setting=...)`.

    `folder` is what the paths in its rows are relative to unless the user says otherwise.
    """

    folder: Path

    @staticmethod
    def knows(source: Source) -> bool:
        """Is this a source of that kind, by its content?"""
        ...

    def rows(self) -> list[Row]:
        """The questions, in order."""
        ...

    def score(self, record: Row) -> bool | None:
        """Is the answer right? None where the row has nothing to score against.

        `record` is a row with `prediction` (text of the new tokens alone), `inspection` (JSON, or None of a model
        without our parts), `contradictions` (list of text, or None) and, for a row with choices, `choice_scores`
        (letter -> log-probability, or None).
        """
        ...

    def summarize(self, records: Sequence[Row]) -> dict[str, Any]:
        """The metrics of answered rows, each with `correct` as `score` gave it; at least those of `summary.summarize`.

        `overall` is the benchmark's own main figure; accuracies are in [0, 1].
        """
        ...


def open_benchmark(path: Path, settings: Mapping[str, Any] | None = None) -> Benchmark:
    """The benchmark in a file of questions or a folder of labelled photos, recognised by its content.

    Args:
        path: the file or folder.
        settings: `shots`, `template`, `seed`, `knowledge`, ...: what the benchmark's class takes; None is its default.

    Raises:
        UserError: no such file, of no kind that is known, or a setting that this benchmark does not have.
    """
    source = read_source(path)
    given = {name: value for name, value in (settings or {}).items() if value is not None}
    for name, place in BENCHMARKS.items():
        module, attribute = place.split(":")
        kind = getattr(import_module(module), attribute)
        if kind.knows(source):
            known = [parameter for parameter in inspect.signature(kind).parameters if parameter != "source"]
            if unknown := sorted(given.keys() - set(known)):
                takes = ", ".join(f"--{setting}" for setting in known) or "no settings"
                raise UserError(f"--{unknown[0]} does not apply to {path} ({name})", f"it takes {takes}")
            benchmark: Benchmark = kind(source, **given)
            return benchmark
    raise UserError(
        f"{path} holds no questions of a kind that is known", f"name a file or folder of {', '.join(BENCHMARKS)}"
    )
