"""Questions about photos: ask each in a fresh conversation, keep every answer, score them by type."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assistant import UserError
from assistant.conversation import Chat
from assistant.evaluation import Row, open_benchmark
from assistant.evaluation.results import model_key, progress, remark, write_file
from assistant.evaluation.summary import subject
from assistant.grounding import contradictions
from assistant.report import make_folder

if TYPE_CHECKING:
    from assistant.assistant import Assistant

ADDED = ("prediction", "inspection", "contradictions", "earlier", "correct", "model")


def evaluate_qa(
    questions: str | Path,
    images: str | Path | None,
    model: str,
    out: str | Path,
    assistant: "Assistant | None" = None,
    settings: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Ask every question of a file and write `predictions.jsonl` and `metrics.json`.

    Each row is asked in a conversation of its own, after its `turns` (earlier questions, not scored); rows
    about one photo and references share the inspection. An answer already in `predictions.jsonl`, of the
    same row and the same files of the model, is not asked for again. A row whose photo cannot be read is
    told and left out.

    Args:
        questions: a file or folder of any kind in `BENCHMARKS`.
        images: folder that the paths in it are relative to; None for that of the benchmark, mostly of `questions`.
        model: name, folder or hub id; only a name where `assistant` is given.
        out: folder for the results, made if need be.
        settings: of the benchmark, as in `open_benchmark`.

    Returns:
        What `metrics.json` holds: what the benchmark's `summarize` gives, and `skipped` and `model`.

    Raises:
        UserError: no questions, nothing that can be asked, `out` cannot be written.
    """
    questions, out = Path(questions), make_folder(Path(out))
    benchmark = open_benchmark(questions, settings)
    rows, key = benchmark.rows(), model_key(model)
    answers = _Answers(out / "predictions.jsonl", key)
    waiting = [row for row in rows if row_key(row) not in answers.records]
    if waiting and assistant is None:
        from assistant.assistant import Assistant

        assistant = Assistant.from_pretrained(model)
    if len(waiting) < len(rows):
        remark(f"{len(rows) - len(waiting)} of {len(rows)} answers are in {answers.path} already")
    skipped = _ask_all(waiting, Path(images or benchmark.folder), assistant, answers) if assistant else []
    records = [answers.records[row_key(row)] for row in rows if row_key(row) in answers.records]
    if not records:
        raise UserError(f"none of the {len(rows)} questions could be asked", "see the lines above")
    records = [record | {"correct": benchmark.score(record)} for record in records]
    report = benchmark.summarize(records) | {"skipped": skipped, "model": key}
    write_file(answers.path, "".join(f"{json.dumps(record)}\n" for record in records))
    write_file(out / "metrics.json", json.dumps(report, indent=2) + "\n")  # last: it says that all is there
    if skipped:
        remark(f"left out ({len(skipped)}): {', '.join(skipped)}")
    return report


def row_key(row: Row) -> str:
    """What makes two rows the same question: everything but what answering added."""
    return json.dumps({name: value for name, value in row.items() if name not in ADDED}, sort_keys=True)


def _ask_all(rows: list[Row], folder: Path, assistant: "Assistant", answers: "_Answers") -> list[str]:
    """Ask photo by photo; gives the photos, or questions, that had to be left out."""
    subjects: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        subjects.setdefault(subject(row), []).append(row)
    skipped = []
    with progress(len(rows), "question") as bar:
        for (image, *references), about in subjects.items():
            try:
                opened = assistant.start_chat(folder / image, references=[folder / path for path in references])
            except UserError as error:
                remark(f"left out: {error}")
                skipped.append(image)
                bar.update(len(about))
                continue
            for row in about:
                try:
                    answers.add(row | _ask(row, opened))
                except UserError as error:
                    remark(f"left out: {error}")
                    skipped.append(f"{image}: {row['question']}")
                bar.update()
    return skipped


def _ask(row: Row, opened: "Chat") -> Row:
    """The answer to one row, in a new conversation about the photo that is opened."""
    chat = Chat(opened.assistant, opened.photo, opened.inspection, opened.references)
    earlier = [turn if isinstance(turn, str) else turn["question"] for turn in row["turns"] or ()]
    replies = [chat.ask(question) for question in [*earlier, row["question"]]]
    wrong = [
        f"{claim.kind}: {'not ' if claim.negated else ''}{claim.value}"
        for question, reply in zip([*earlier, row["question"]], replies, strict=True)
        for claim in contradictions(reply, chat.inspection, question)
    ]
    return {
        "prediction": replies[-1], "inspection": chat.inspection.to_json(), "contradictions": wrong,
        "earlier": replies[:-1],
    }  # fmt: skip


class _Answers:
    """`predictions.jsonl`, a line per answer as soon as it is there; what a crash tore off is dropped.

    Args:
        path: the file, which may hold answers of an earlier run; those of other files of the model are dropped.
        model: key of the model's files.
    """

    def __init__(self, path: Path, model: str) -> None:
        self.path, self.model = path, model
        self.records = {row_key(record): record for record in self._read() if record.get("model") == model}
        write_file(path, "".join(f"{json.dumps(record)}\n" for record in self.records.values()))

    def _read(self) -> Iterator[Row]:
        if not self.path.is_file():
            return
        for line in self.path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                record = json.loads(line)
            except ValueError:
                continue  # torn off by a crash: it is asked for again
            if isinstance(record, dict) and {"prediction", "inspection", "contradictions"} <= record.keys():
                yield record

    def add(self, record: Row) -> None:
        record = record | {"model": self.model}
        self.records[row_key(record)] = record
        with self.path.open("a", encoding="utf-8") as file:
            file.write(f"{json.dumps(record)}\n")
