"""`predictions.jsonl`: a line per answer as soon as it is there, so that after a kill no question is asked twice."""

import hashlib
import json
from array import array
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, overload

from assistant.evaluation import Row
from assistant.evaluation.results import write_file

NAME = "predictions.jsonl"
ADDED = ("prediction", "inspection", "contradictions", "earlier", "choice_scores", "correct", "model")
NEEDED = {"prediction", "inspection", "contradictions", "choice_scores"}  # of an answer that is complete


def row_key(row: Row) -> bytes:
    """What makes two rows the same question: everything but what answering added; 16 bytes."""
    asked = json.dumps({name: value for name, value in row.items() if name not in ADDED}, sort_keys=True)
    return hashlib.blake2b(asked.encode(), digest_size=16).digest()


class Predictions(Sequence[Row]):
    """The answers of one model in a folder; read from the disk one at a time, so that their number costs no memory.

    Where several processes answer, each appends to a file of its own until `collect` brings them together.

    Args:
        folder: of the results.
        model: key of the model's files; answers of another one are dropped by `collect`.
        process: which one this is, 0 for the only one.
    """

    def __init__(self, folder: Path, model: str, process: int = 0) -> None:
        self.path, self.model = folder / NAME, model
        self._own = folder / (f"predictions.{process}.jsonl" if process else NAME)
        self._offsets = array("Q")

    def collect(self) -> None:
        """Everything complete that any process wrote, once each, into one file; what a kill tore off is dropped."""
        others = sorted(self.path.parent.glob("predictions.*.jsonl"))
        write_file(self.path, _as_lines(self._complete([self.path, *others])))
        for path in others:
            path.unlink()

    def _complete(self, paths: Iterable[Path]) -> Iterator[Row]:
        seen = set[bytes]()
        for record in (record for path in paths if path.is_file() for record in _read(path)):
            if record["model"] == self.model and (key := row_key(record)) not in seen:
                seen.add(key)
                yield record

    def answered(self) -> set[bytes]:
        """Keys of the rows that need not be asked."""
        return {row_key(record) for record in _read(self.path)}

    def write(self, answers: Iterable[Row]) -> Iterator[Row]:
        """Append each answer, at once and in full, and pass it on."""
        with self._own.open("a", encoding="utf-8") as file:
            for record in answers:
                file.write(f"{json.dumps(record | {'model': self.model})}\n")
                file.flush()
                yield record

    def rewrite(self, records: Iterable[Row]) -> None:
        """Put these in the place of what is there, finished or not at all."""
        write_file(self.path, _as_lines(records))

    def arrange(self, rows: Iterable[Row]) -> None:
        """Be the sequence of the answers to these rows, in their order; a row without one is passed over."""
        offsets: dict[bytes, int] = {}
        with self.path.open("rb") as file:
            start = 0
            for line in file:
                offsets[row_key(json.loads(line))] = start
                start += len(line)
        keys = map(row_key, rows)
        self._offsets = array("Q", (offsets[key] for key in keys if key in offsets))

    def __len__(self) -> int:
        return len(self._offsets)

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> list[Row]: ...
    def __getitem__(self, index: int | slice) -> Row | list[Row]:
        with self.path.open("rb") as file:
            if isinstance(index, slice):
                return [_record_at(file, offset) for offset in self._offsets[index]]
            return _record_at(file, self._offsets[index])

    def __iter__(self) -> Iterator[Row]:
        with self.path.open("rb") as file:
            yield from (_record_at(file, offset) for offset in self._offsets)


def _record_at(file: Any, offset: int) -> Row:
    file.seek(offset)
    record: Row = json.loads(file.readline())
    return record


def _as_lines(records: Iterable[Row]) -> Iterator[str]:
    return (f"{json.dumps(record)}\n" for record in records)


def _read(path: Path) -> Iterator[Row]:
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            try:
                record = json.loads(line)
            except ValueError:
                continue  # torn off by a kill: it is asked for again
            if isinstance(record, dict) and NEEDED | {"model"} <= record.keys():
                yield record
