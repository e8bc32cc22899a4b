"""How well a model answers free questions about labelled photos: builds the questions, asks, prints a table.

    python benchmarks/qa_dev.py ROOT --out DIR [--model tiny] [--photos 60] [--seed 0] [--shots 1]
        [--phrasings benchmarks/questions/more_phrasings.yaml]

ROOT is in MVTec-AD layout. DIR gets questions.jsonl, predictions.jsonl, metrics.json and failures.txt, every
answer that was scored wrong or contradicts its Inspection, to be read by a person.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dev_questions import PHRASINGS, build, write_rows

from assistant.claims import claims
from assistant.evaluation.metrics import mean
from assistant.evaluation.qa import evaluate_qa
from assistant.evaluation.stated import stated_verdict

Record = dict[str, Any]


def rightly_defective(records: Sequence[Record]) -> list[Record]:
    """Location rows of photos with a mask that are defective and were called so."""
    return [
        record
        for record in records
        if record["type"] == "location" and record["answer"] and record["inspection"]["verdict"] == "defective"
    ]


def first_place_is_right(record: Record) -> bool:
    """Is the place that the answer names first a right one? Stricter than any of those it names."""
    named = [claim.value for claim in claims(record["prediction"]) if claim.kind == "position" and not claim.negated]
    return bool(named) and named[0] in record["answer"]


def main_region_is_right(record: Record) -> bool:
    """Does the map's heaviest region lie in a right cell? What words can be right about at best."""
    return record["inspection"]["regions"][0]["position"] in record["answer"]


def table(records: Sequence[Record], report: Record) -> list[tuple[str, float | None, int]]:
    """(measure, value, number of answers) for printing."""
    located = rightly_defective(records)
    presence = [record for record in records if record["type"] == "presence"]
    verdicts = [record["inspection"]["verdict"] == record["label"] for record in presence]
    said = [
        stated_verdict(record["prediction"], record["question"]) == record["inspection"]["verdict"]
        for record in presence
    ]
    rows = [
        ("presence, against the label", report["by_type"]["presence"], len(presence)),
        ("  the Inspection's verdict, against the label", mean(verdicts), len(presence)),
        ("  the words, against the Inspection's verdict", mean(said), len(presence)),
        (
            "place, any named, of the rightly called defective",
            mean([bool(r["correct"]) for r in located]),
            len(located),
        ),
        ("  the place named first", mean([first_place_is_right(r) for r in located]), len(located)),
        ("  the Inspection's main region", mean([main_region_is_right(r) for r in located]), len(located)),
    ]
    names = {"count": "count", "size": "size", "description": "look"}
    for kind, name in names.items():
        rows.append((f"{name}, against the Inspection", report["by_type"][kind], report["counts"][kind]))
    rows += [
        ("unrelated question declined", report["by_type"]["unanswerable"], report["counts"]["unanswerable"]),
        ("leading question, against the label", report["by_type"]["leading"], report["counts"]["leading"]),
        ("flip rate", report["flip_rate"], report["counts"]["leading"]),
        ("contradiction rate", report["contradiction_rate"], len(records)),
        ("answerable question declined", report["refusal_rate"], len(records) - report["counts"]["unanswerable"]),
    ]
    return rows


def told(record: Record) -> str:
    """One answer for reading."""
    inspection = record["inspection"]
    regions = ", ".join(
        f"{region['position']} {region['area_fraction']:.1%} {region['severity']} {region['shape']} {region['tone']} "
        f"{region['type'] or '-'}"
        for region in inspection["regions"]
    )
    return (
        f"{record['image']} ({record['type']}; truth {record['answer'] or record['label']})\n"
        f"  seen: {inspection['verdict']} {inspection['probability']:.2f} [{regions}]\n"
        f"  Q: {record['question']}\n  A: {record['prediction']}\n"
        f"  contradictions: {record['contradictions'] or 'none'}\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("root", type=Path, metavar="ROOT")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--model", default="tiny")
    parser.add_argument("--photos", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--shots", type=int, default=1)
    parser.add_argument("--phrasings", type=Path, default=PHRASINGS)
    options = parser.parse_args()
    questions = options.out / "questions.jsonl"
    rows = build(options.root, options.photos, options.seed, options.shots, options.phrasings)
    write_rows(questions, rows)
    report = evaluate_qa(questions, options.root, options.model, options.out)
    lines = (options.out / "predictions.jsonl").read_text(encoding="utf-8").splitlines()
    records = [json.loads(line) for line in lines]
    print("| measure | value | answers |\n| --- | --- | --- |")
    for name, value, number in table(records, report):
        print(f"| {name} | {'-' if value is None else f'{value:.3f}'} | {number} |")
    wrong = [record for record in records if record["correct"] is False or record["contradictions"]]
    (options.out / "failures.txt").write_text("\n".join(map(told, wrong)), encoding="utf-8")
    print(f"\n{len(wrong)} answers to read in {options.out / 'failures.txt'}")


if __name__ == "__main__":
    main()
