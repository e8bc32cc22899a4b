"""General visual instructions: which rows are used, in which order, and that they share a batch with ours."""

import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from assistant import UserError
from assistant.lvlm.checkpoint import load
from training.dialogues import Collator
from training.general import GeneralRows, Mixture
from training.load_config import load_config


def row(name: str = "a.png", question: str = "<image>\nWhat is this?", answer: str = "A bolt.", **more: Any) -> dict:
    turns = [{"from": "human", "value": question}, {"from": "gpt", "value": answer}]
    return {"id": name, "image": name, "conversations": turns, **more}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for i, name in enumerate(("a.png", "b.png", "c.png")):
        Image.new("RGB", (48, 40), (40 * i, 90, 90)).save(tmp_path / name)
    (tmp_path / "torn.png").write_bytes((tmp_path / "a.png").read_bytes()[:60])
    return tmp_path


def written(folder: Path, rows: list[Any]) -> Path:
    path = folder / "llava.json"
    path.write_text(json.dumps(rows))
    return path


def test_rows_become_messages_with_their_pictures(folder):
    found = GeneralRows(written(folder, [row(question="What is this?\n<image>")]), folder, seed=0).draw(0)
    assert [item["type"] for item in found["messages"][0]["content"]] == ["text", "image"]
    assert found["messages"][1] == {"role": "assistant", "content": [{"type": "text", "text": "A bolt."}]}
    assert found["images"][0].size == (48, 40) and found["anomaly_maps"] == []


def test_bad_rows_are_counted_named_and_skipped(folder, caplog):
    bad = [
        row("nowhere.png"), row(question="no mark"), row(answer=" "), {"id": "x", "image": "a.png"}, "text",
        row(image=None, question="Hello?"), row(question="<image>" + "a" * 7000), row(conversations=[]),
        row(conversations=[{"from": "gpt", "value": "first"}, {"from": "human", "value": "last"}]),
        row(conversations=[{"value": "<image>"}, {}]), row(image=["a.png", "b.png"]),
    ]  # fmt: skip
    with caplog.at_level(logging.WARNING):
        rows = GeneralRows(written(folder, [*bad, row("b.png")]), folder, seed=0)
    assert len(rows.rows) == 1 and sum(map(len, rows.skipped.values())) == len(bad)
    assert rows.skipped["a picture is missing"] == ["nowhere.png"] and len(rows.skipped["no picture"]) == 1
    assert "1 rows skipped, a picture is missing: nowhere.png" in caplog.text


def test_a_picture_that_cannot_be_read_is_named_and_another_row_taken(folder, caplog):
    rows = GeneralRows(written(folder, [row("torn.png"), row("a.png")]), folder, seed=0)
    assert [rows.draw(i)["images"][0].size for i in range(4)] == [(48, 40)] * 4
    assert "torn.png" in caplog.text
    with pytest.raises(UserError, match="cannot be read"):
        GeneralRows(written(folder, [row("torn.png")]), folder, seed=0).draw(0)


@pytest.mark.parametrize("text", ["[", "{}", "[]", '[{"image": "a.png"}]'])
def test_a_file_without_a_usable_row_is_refused(folder, text):
    (folder / "bad.json").write_text(text)
    with pytest.raises(UserError, match="bad.json"):
        GeneralRows(folder / "bad.json", folder, seed=0)
    with pytest.raises(UserError, match="none.json cannot be read"):
        GeneralRows(folder / "none.json", folder, seed=0)


def test_one_object_per_line_and_long_dialogues(folder):
    long = row("a.png", answer="b" * 4000)
    long["conversations"] *= 3
    for turn in long["conversations"][2:]:
        turn["value"] = turn["value"].replace("<image>", "")
    long["conversations"][0] = {"from": "human", "value": "<image> What?"}
    (folder / "rows.jsonl").write_text("\n".join(json.dumps(one) for one in (row(), long)))
    rows = GeneralRows(folder / "rows.jsonl", folder, seed=0)
    assert [len(messages) for _, messages in rows.rows] == [2, 2], "turns beyond the limit are left out"


def test_every_row_comes_once_before_one_comes_again(folder):
    rows = GeneralRows(written(folder, [row(n, answer=n) for n in ("a.png", "b.png", "c.png")]), folder, seed=0)
    said = [rows.draw(i)["messages"][1]["content"][0]["text"] for i in range(6)]
    assert sorted(said[:3]) == sorted(said[3:]) == ["a.png", "b.png", "c.png"]
    assert said == [rows.draw(i)["messages"][1]["content"][0]["text"] for i in range(6)]


@pytest.mark.parametrize(("share", "expected"), [(0.5, 6), (0.25, 3), (0.9, 10)])
def test_the_share_is_kept_and_spread_evenly(folder, share, expected):
    rows = GeneralRows(written(folder, [row()]), folder, seed=0)
    mixture = Mixture(["ours"] * 12, rows, share)
    drawn = [mixture[i] != "ours" for i in range(12)]
    assert sum(drawn) == expected
    if share == 0.5:
        assert drawn == [False, True] * 6


@pytest.mark.parametrize("family", ["llava", "llava_onevision", "qwen2_5_vl", "smolvlm"])
def test_rows_with_and_without_a_map_share_a_batch(family, folder, base_of):
    model, processor = load(base_of(family))
    general = GeneralRows(written(folder, [row()]), folder, seed=0).draw(0)
    items = [{"type": "image"}, {"type": "anomaly"}, {"type": "text", "text": "Where?"}]
    said = {"role": "assistant", "content": [{"type": "text", "text": "Top left."}]}
    ours = {
        "messages": [{"role": "user", "content": items}, said],
        "images": [Image.new("RGB", (40, 40), "red")],
        "anomaly_maps": [np.eye(30, dtype=np.float32)],
    }
    collate = Collator(processor)
    batch = collate([general, ours])
    assert (batch["input_ids"] == processor.anomaly_token_id).sum(dim=1).tolist() == [0, 9]
    taught = [processor.decode(ids[ids >= 0]) for ids in batch["labels"]]
    assert taught == ["A bolt.", "Top left."]
    together = sum_loss(model, batch)
    torch.testing.assert_close(together, sum_loss(model, collate([general])) + sum_loss(model, collate([ours])))
    # A batch without any map: the prompt learner takes part, so that processes stay in step, and learns nothing.
    model.train()
    model(**collate([general])).loss.backward()
    assert all((weight.grad == 0).all() for weight in model.prompt_learner.parameters())


@torch.no_grad()
def sum_loss(model: Any, batch: Any) -> torch.Tensor:
    return model.eval()(**batch, num_items_in_batch=torch.tensor(1)).loss


def test_a_share_that_is_none_is_refused():
    given = ["encoder=e", "detector=d", "output=o"]
    with pytest.raises(UserError, match="general_share=1.0 is no share"):
        load_config("tiny/assistant", [*given, "general_share=1"])
