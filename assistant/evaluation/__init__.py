"""Benchmarks and their metrics.

Plug-in point: a question benchmark is a file here with a class that has `rows` and `score`, and a line in
`BENCHMARKS`.
"""

from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from assistant import UserError

Row = dict[str, Any]  # a question: image, references, question, answer, type, choices, turns
BENCHMARKS = {".jsonl": "assistant.evaluation.questions:Questions"}  # by the ending of the questions' file


class Benchmark(Protocol):
    """What every question benchmark can do."""

    def rows(self) -> list[Row]:
        """The questions, in order."""
        ...

    def score(self, record: Row) -> bool | None:
        """Is the answer right? None where the row has nothing to score against.

        `record` is a row with `prediction` (text), `inspection` (JSON) and `contradictions` (list of text).
        """
        ...


def open_benchmark(path: Path) -> Benchmark:
    """The benchmark in a questions' file.

    Raises:
        UserError: no such file, or of no kind that is known.
    """
    if path.suffix.lower() not in BENCHMARKS:
        raise UserError(f"{path} is not a file of questions", f"name one that ends in {', '.join(BENCHMARKS)}")
    module, attribute = BENCHMARKS[path.suffix.lower()].split(":")
    benchmark: Benchmark = getattr(import_module(module), attribute)(path)
    return benchmark
