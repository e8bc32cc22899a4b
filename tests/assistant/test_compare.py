"""Comparing two results: the values, the paired bootstrap, and what does not fit together."""

import csv
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assistant import UserError, cli
from assistant.evaluation import compare as compare_module
from assistant.evaluation.compare import compare
from assistant.evaluation.detection import COLUMNS
from assistant.evaluation.metrics import auroc, balanced_accuracy


def write_detection(folder: Path, rows: list[tuple[str, str, int, float, str]]) -> Path:
    folder.mkdir(parents=True)
    with (folder / "per_image.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerows([COLUMNS, *rows])
    return folder


def photos(quality: float, seed: int, count: int = 60) -> list[tuple[str, str, int, float, str]]:
    """Two categories, whose defective photos score higher the better the `quality`."""
    rng = np.random.default_rng(seed)
    rows = []
    for category in ("bolt", "nut"):
        for i in range(count):
            label = i % 2
            chance = round(float(np.clip(0.4 + quality * label + rng.normal(0, 0.15), 0, 1)), 2)  # with ties
            verdict = "good" if chance < 0.45 else "defective" if chance > 0.5 else "unsure"
            rows.append((f"{category}/{i}.png", category, label, chance, verdict))
    return rows


def cells(table: str) -> dict[str, list[str]]:
    """Name -> A, B, B - A, low, "to", high, p."""
    named = [re.split(r"\s{2,}", line, maxsplit=1) for line in table.splitlines()[2:]]
    return {name: values.split() for name, values in named}


def test_the_values_are_the_metrics(tmp_path: Path) -> None:
    rows = [photos(0.1, 0), photos(0.3, 1)]
    found = cells(compare(*(write_detection(tmp_path / str(i), run) for i, run in enumerate(rows))))
    decisions = {"good": 0, "defective": 1, "unsure": -1}
    for category in ("bolt", "nut"):
        for column, run in enumerate(rows):
            mine = [row for row in run if row[1] == category]
            labels = [row[2] for row in mine]
            ranking = auroc(labels, [row[3] for row in mine])
            right = balanced_accuracy(labels, [decisions[row[4]] for row in mine])
            assert float(found[f"I-AUROC, {category}"][column]) == pytest.approx(ranking, abs=6e-4)
            assert float(found[f"balanced accuracy, {category}"][column]) == pytest.approx(right, abs=6e-4)
    mean = [float(found[f"I-AUROC, {name}"][1]) for name in ("bolt", "nut")]
    assert float(found["I-AUROC, mean"][1]) == pytest.approx(np.mean(mean), abs=1e-3)


def test_a_real_difference_is_significant_and_none_is_not(tmp_path: Path) -> None:
    a, better = (
        write_detection(tmp_path / name, photos(*made)) for name, made in {"a": (0.05, 0), "b": (0.4, 1)}.items()
    )
    alike = write_detection(tmp_path / "c", photos(0.05, 2))
    *_, low, _, high, p = cells(compare(a, better))["I-AUROC, mean"]
    assert float(low) > 0.1 and float(high) > float(low) and float(p) < 0.01
    *_, low, _, high, p = cells(compare(a, alike))["I-AUROC, mean"]
    assert float(low) < 0 < float(high) and float(p) > 0.05
    *_, low, _, high, p = cells(compare(a, a))["I-AUROC, mean"]
    assert (float(low), float(high), float(p)) == (0, 0, 1)
    assert compare(a, better) == compare(a, better), "the same runs give the same intervals"


def test_p_values_are_uniform_where_nothing_differs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(compare_module, "DRAWS", 300)
    significant = 0
    for trial in range(60):
        runs = [write_detection(tmp_path / f"{trial}_{i}", photos(0.15, 2 * trial + i, 40)) for i in range(2)]
        significant += float(cells(compare(*runs))["I-AUROC, mean"][-1]) < 0.1
    assert 0 <= significant <= 15, "one in ten is expected"


def test_pairing_sees_what_single_intervals_do_not(tmp_path: Path) -> None:
    first = photos(0.15, 0)
    second = [
        (*row[:3], max(row[3] - 0.06 * (1 - row[2]), 0.0), row[4]) for row in first
    ]  # each good photo a bit lower
    runs = [write_detection(tmp_path / str(i), rows) for i, rows in enumerate((first, second))]
    found = cells(compare(*runs))["I-AUROC, mean"]
    alone = cells(compare(runs[0], write_detection(tmp_path / "x", photos(0.15, 7))))["I-AUROC, mean"]
    assert float(found[-1]) < 0.01 and float(found[2]) < float(alone[5]) - float(alone[3])


def write_answers(folder: Path, rows: list[dict[str, Any]]) -> Path:
    folder.mkdir(parents=True)
    (folder / "predictions.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return folder


def answers(share: float, seed: int) -> list[dict[str, Any]]:
    rng = np.random.default_rng(seed)
    return [
        {"image": f"{i}.png", "question": f"{kind}?", "type": kind, "choices": None, "turns": None,
         "references": [str(seed)], "correct": None if kind == "odd" else bool(rng.random() < share)}
        for i in range(80) for kind in ("presence", "count", "count", "odd")
    ]  # fmt: skip


def test_answers_are_matched_by_question_and_counted_by_type(tmp_path: Path) -> None:
    rows = [answers(0.5, 0), answers(0.8, 1)]
    table = compare(*(write_answers(tmp_path / str(i), run) for i, run in enumerate(rows)))
    found = cells(table)
    assert "240 questions in both" in table and set(found) == {"accuracy, all", "accuracy, count", "accuracy, presence"}
    for column, run in enumerate(rows):
        right = [row["correct"] for row in run if row["type"] == "count"]
        assert float(found["accuracy, count"][column]) == pytest.approx(np.mean(right), abs=6e-4)
    assert float(found["accuracy, all"][-1]) < 0.01


def test_what_does_not_fit_is_told(tmp_path: Path) -> None:
    rows = photos(0.1, 0)
    a = write_detection(tmp_path / "a", rows)
    other = write_detection(tmp_path / "b", [(f"x/{row[0]}", *row[1:]) for row in rows])
    turned = write_detection(tmp_path / "c", [(*row[:2], 1 - row[2], *row[3:]) for row in rows])
    single = write_detection(tmp_path / "d", [row for row in rows if row[2]])
    asked = write_answers(tmp_path / "e", answers(0.5, 0))
    running = write_answers(tmp_path / "f", [{"image": "0.png"}])
    write_detection(tmp_path / "g" / "seed_3", rows)
    misfits = [
        (other, "share no photos"), (turned, "different labels"), (asked, "of questions"),
        (single, "good and defective"), (tmp_path / "g", "several seeds"), (tmp_path, "no results"),
    ]  # fmt: skip
    for b, why in misfits:
        with pytest.raises(UserError, match=why):
            compare(a, b)
    with pytest.raises(UserError, match="unfinished run"):
        compare(asked, running)
    moved = write_answers(tmp_path / "h", [row | {"image": "x"} for row in answers(0.5, 1)])
    with pytest.raises(UserError, match="share no scored question"):
        compare(asked, moved)


def test_the_command_writes_a_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a, b = (write_detection(tmp_path / f"<{i}>", photos(0.1 + 0.3 * i, i)) for i in range(2))
    assert cli.run(["compare", str(a), str(b), "--out", str(tmp_path / "page.html")]) == 0
    assert "I-AUROC, mean" in capsys.readouterr().out
    page = (tmp_path / "page.html").read_text()
    assert "B is better" in page and "&lt;1&gt;" in page and "<1>" not in page
