"""MMAD's own file: how it is read, and every figure by hand on a small one."""

import json
from pathlib import Path
from typing import Any

import pytest

from assistant import UserError
from assistant.evaluation import open_benchmark
from assistant.evaluation.mmad import SUBTASKS

OPTIONS = {"A": "In the upper left.", "B": "In the center.", "C": "Nowhere.", "D": "Everywhere."}


def question(kind: str, right: str = "A", text: str = "Where is it?") -> dict[str, Any]:
    return {"Question": text, "Options": OPTIONS, "Answer": right, "type": kind}


def entry(**conversations: Any) -> dict[str, Any]:
    return {
        "random_templates": ["DS-MVTec/nut/image/good/1.png", "DS-MVTec/nut/image/good/2.png"],
        "similar_templates": ["DS-MVTec/nut/image/good/9.png"], "mask_path": "rgb_mask/0.png",
    } | conversations  # fmt: skip


FILE = {
    "DS-MVTec/nut/image/good/000.png": entry(
        conversation=[question("Anomaly Detection"), question("Object Structure")]
    ),
    "DS-MVTec/nut/image/bent/000.png": entry(
        conversation=[question("Anomaly Detection"), question("Defect Localization")],
        conversation_2=[question("Object Details"), question("Poetry")],
    ),
    "DS-MVTec/nut/image/bent/001.png": entry(conversation=[question("Anomaly Detection")]),
    "GoodsAD/box/test/opened/7.jpg": entry(conversation=[question("Anomaly Detection"), question("Defect Analysis")]),
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "mmad.json").write_text(json.dumps(FILE), encoding="utf-8")
    return tmp_path / "mmad.json"


def test_rows(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = open_benchmark(path).rows()
    assert len(rows) == 8 and "question 4 of DS-MVTec/nut/image/bent/000.png" in capsys.readouterr().err
    assert rows[0]["references"] == ["DS-MVTec/nut/image/good/1.png"], "one random template by default"
    assert rows[0]["question"] == "Where is it?" and list(rows[0]["choices"]) == list("ABCD"), "in the file's order"
    assert "inspector" in rows[0]["instruction"] and rows[1]["subtask"] == rows[4]["subtask"] == "Object Analysis"
    assert [row["normal"] for row in rows] == [True, True, *[False] * 6], "GoodsAD is no normal photo by its name"
    assert {row["source"] for row in rows} == {"DS-MVTec", "GoodsAD"}


def test_shots_templates_and_knowledge(path: Path, tmp_path: Path) -> None:
    assert open_benchmark(path, {"shots": 0}).rows()[0]["references"] == []
    assert len(open_benchmark(path, {"shots": 2}).rows()[0]["references"]) == 2
    similar = open_benchmark(path, {"template": "similar", "shots": None}).rows()[0]
    assert similar["references"] == ["DS-MVTec/nut/image/good/9.png"]
    knowledge = tmp_path / "knowledge.json"
    knowledge.write_text(json.dumps({"DS-MVTec": {"nut": "A nut has six sides."}}))
    rows = open_benchmark(path, {"knowledge": knowledge}).rows()
    assert rows[0]["instruction"].endswith("\nA nut has six sides.") and "six sides" not in rows[-1]["instruction"]
    bad: list[tuple[dict[str, Any], str]] = [
        ({"template": "similar", "shots": 2}, "1 similar templates"),
        ({"template": "nearest"}, "no template 'nearest'"),
        ({"knowledge": tmp_path / "none.json"}, "none.json cannot be read"),
        ({"seed": 1}, "--seed does not apply"),
    ]
    for settings, message in bad:
        with pytest.raises(UserError, match=message):
            open_benchmark(path, settings)


def told(path: Path, *texts: str) -> dict[str, Any]:
    benchmark = open_benchmark(path)
    records = [
        row | {"prediction": text, "inspection": None, "contradictions": None, "choice_scores": None}
        for row, text in zip(benchmark.rows(), texts, strict=True)
    ]
    return benchmark.summarize([record | {"correct": benchmark.score(record)} for record in records])


def test_every_figure_by_hand(path: Path) -> None:
    # MVTec: normal right; anomalous one right, one wrong -> detection (1 + 0.5) / 2; Object Analysis 1 of 2;
    # localization wrong for want of a letter. GoodsAD: detection wrong, analysis right.
    found = told(path, "A", "B", "A.", "", "The answer is A", "B", "C", "In the upper left")
    ours = found["mmad"]
    mvtec, goods = ours["sets"]["DS-MVTec"], ours["sets"]["GoodsAD"]
    assert mvtec["Anomaly Detection"] == 0.75 and mvtec["Object Analysis"] == 0.5 and mvtec["Defect Localization"] == 0
    assert mvtec["average"] == pytest.approx((0.75 + 0.5 + 0) / 3) and mvtec["Defect Analysis"] is None
    assert (mvtec["overkill"], mvtec["miss"]) == (0, 0.5) and (goods["overkill"], goods["miss"]) == (None, 1)
    assert goods["average"] == 0.5
    assert ours["macro"] == found["overall"] == pytest.approx((mvtec["average"] + 0.5) / 2)
    assert ours["micro"] == 4 / 8 and ours["unparsable"] == 1 and (ours["shots"], ours["template"]) == (1, "random")
    assert ours["subtasks"]["Anomaly Detection"] == pytest.approx(0.75 / 2) and set(ours["subtasks"]) == set(SUBTASKS)
    assert ours["miss"] == 0.75 and ours["overkill"] == 0
    json.dumps(found, allow_nan=False)
