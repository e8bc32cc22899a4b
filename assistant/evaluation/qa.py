"""Questions about photos: ask each in a fresh conversation, keep every answer, score them by type."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assistant import UserError
from assistant.evaluation import Benchmark, Row, open_benchmark
from assistant.evaluation.answering import Answerer, LeftOut, Model
from assistant.evaluation.leaks import leak_check, warn_of_leaks
from assistant.evaluation.predictions import Predictions, row_key
from assistant.evaluation.processes import Processes
from assistant.evaluation.provenance import provenance
from assistant.evaluation.qa_report import Inspect, write_qa_report
from assistant.evaluation.results import progress, remark, write_file
from assistant.evaluation.summary import subject
from assistant.report import make_folder

if TYPE_CHECKING:
    from assistant.assistant import Assistant


def evaluate_qa(
    questions: str | Path,
    images: str | Path | None,
    model: str,
    out: str | Path,
    assistant: "Assistant | None" = None,
    *,
    plain: bool = False,
    endpoint: str | None = None,
    ray: bool = False,
    settings: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Ask every question of a file and write `predictions.jsonl`, `metrics.json` and `report.html`.

    Each row is asked in a conversation of its own, after its `turns` (earlier questions, not scored); rows about one
    photo and references share what was seen on them. An answer already in `predictions.jsonl`, of the same row and
    the same files of the model, is not asked for again. A row whose photo cannot be read is told and left out.

    Under `accelerate launch` the photos are split over its processes; the result is that of one.

    Args:
        questions: a file or folder of any kind in `BENCHMARKS`.
        images: folder that the paths in it are relative to; None for that of the benchmark, mostly of `questions`.
        model: name, folder or hub id; only a name where `assistant` is given.
        out: folder for the results, made if need be.
        assistant: who answers, if it is loaded already.
        plain: ask `model` without our parts: any image-text-to-text model, as a baseline.
        endpoint: base URL of an OpenAI-compatible server that knows `model`.
        ray: ask on a Ray cluster, whose machines see `images` under the same path.
        settings: of the benchmark, as in `open_benchmark`.

    Returns:
        What `metrics.json` holds: what the benchmark's `summarize` gives; `skipped`, what was left out; "leaks" and
        "provenance" as for detection.

    Raises:
        UserError: no questions, nothing that can be asked, `out` cannot be written.
    """
    questions, out, processes = Path(questions), make_folder(Path(out)), Processes.join()
    chosen = Model.of(model, plain=plain, endpoint=endpoint)
    benchmark = open_benchmark(questions, settings)
    rows, folder = benchmark.rows(), Path(images or benchmark.folder)
    predictions = Predictions(out, chosen.key, processes.index)
    if processes.first:
        predictions.collect()
    processes.gather([])
    waiting = _subjects(rows, predictions, tell=processes.first)
    processes.gather([])  # nobody writes before all have read
    mine = processes.share(waiting)
    if mine:
        answerer = _answerer(chosen, assistant, ray)
        left_out = _ask(mine, folder, answerer, predictions)
    else:
        left_out = []
    skipped = list(dict.fromkeys(processes.gather(left_out)))
    if not processes.first:
        return {}
    report = _score(benchmark, rows, predictions, skipped)
    photos = {row["image"]: folder / row["image"] for row in rows}
    report["leaks"] = leak_check(model, photos.items())
    report["provenance"] = provenance(
        _command(questions, folder, chosen, out, settings or {}), model,
        [*([questions] if questions.is_file() else []), *(path for path in photos.values() if path.is_file())],
        folder, (settings or {}).get("seed"),
    )  # fmt: skip
    inspect = None if chosen.kind != "ours" else _inspector(assistant, model)
    write_qa_report(out, predictions, report, folder, inspect)
    write_file(out / "metrics.json", json.dumps(report, indent=2) + "\n")  # last: it says that all is there
    warn_of_leaks(report["leaks"]["found"])
    return report


def _answerer(chosen: Model, assistant: "Assistant | None", ray: bool) -> Answerer:
    if assistant is not None:
        from assistant.evaluation.answering.ours import Ours

        return Ours(assistant)
    if ray:
        from assistant.evaluation.answering.cluster import Cluster

        return Cluster(chosen)
    return chosen.open()


def _subjects(rows: list[Row], predictions: Predictions, tell: bool) -> list[list[Row]]:
    """The rows that wait for an answer, by photo and references; what shares references stands together."""
    known = predictions.answered()
    waiting = {key: row for row in rows if (key := row_key(row)) not in known}
    if tell and known:
        remark(f"{len(rows) - len(waiting)} of {len(rows)} answers are in {predictions.path} already")
    subjects: dict[tuple[str, ...], list[Row]] = {}
    for row in waiting.values():
        subjects.setdefault(subject(row), []).append(row)
    return sorted(subjects.values(), key=lambda about: about[0]["references"])


def _ask(subjects: Sequence[list[Row]], folder: Path, answerer: Answerer, predictions: Predictions) -> list[str]:
    """Keep every answer as it comes; gives the names of what had to be left out."""
    left_out: list[str] = []
    with progress(sum(map(len, subjects)), "question") as bar:

        def answers() -> Iterator[Row]:
            for outcome in answerer.answers(subjects, folder):
                if not isinstance(outcome, LeftOut):
                    yield outcome
                    continue
                if outcome.name not in left_out:
                    remark(f"left out: {outcome.why}")
                    left_out.append(outcome.name)
                bar.update(outcome.rows)

        for _ in predictions.write(answers()):
            bar.update()
    return left_out


def _inspector(assistant: "Assistant | None", model: str) -> "Inspect":
    """What draws the maps of the report; words are not needed any more."""
    from assistant.assistant import Assistant

    return (assistant or Assistant.from_pretrained(model, language=False)).inspect


def _command(questions: Path, folder: Path, chosen: Model, out: Path, settings: Mapping[str, Any]) -> list[str]:
    """The words that start the run again."""
    command = ["anomaly-assistant", "evaluate", "qa", "--questions", str(questions), "--images", str(folder)]
    command += ["--model", chosen.name, "--out", str(out)]
    command += ["--endpoint", chosen.url] if chosen.url else ["--plain"] if chosen.kind == "plain" else []
    return command + [word for key, value in settings.items() if value is not None for word in (f"--{key}", str(value))]


def _score(benchmark: Benchmark, rows: list[Row], predictions: Predictions, skipped: list[str]) -> dict[str, Any]:
    predictions.collect()
    predictions.arrange(rows)
    if not len(predictions):
        raise UserError(f"none of the {len(rows)} questions could be asked", "see the lines above")
    predictions.rewrite(record | {"correct": benchmark.score(record)} for record in predictions)
    predictions.arrange(rows)
    if skipped:
        remark(f"left out ({len(skipped)}): {', '.join(skipped)}")
    return benchmark.summarize(predictions) | {"skipped": skipped, "model": predictions.model}
