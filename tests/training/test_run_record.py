"""What a run leaves beside its weights: run.json, TensorBoard's logs; and the options that bound it."""

import json
import re
from pathlib import Path

import pytest
import torch
from tensorboardX.proto.event_pb2 import Event
from tensorboardX.record_writer import masked_crc32c

from assistant import UserError, cli
from training.load_config import load_config
from training.run_record import digest


@pytest.mark.parametrize("word", ["max_steps=0", "max_minutes=-1", "batch_size=0", "learning_rate=nan", "save_steps=0"])
def test_a_setting_that_leaves_nothing_to_do_is_refused(word):
    with pytest.raises(UserError, match=f"{word.split('=')[0]}=.* is not above 0"):
        load_config("tiny/decoder", [word])


def test_the_limits_can_be_given_as_options_anywhere(monkeypatch):
    import training

    monkeypatch.setattr("training.load_config.load_config", lambda name, overrides: (name, overrides))
    calls: list[object] = []
    monkeypatch.setattr(training, "run", calls.append)
    assert cli.run(["train", "a", "seed=1", "--max-minutes", "10", "workers=2", "--max-steps=100", "seed=3"]) == 0
    assert calls == [("a", ["seed=1", "workers=2", "seed=3", "max_minutes=10", "max_steps=100"])]
    with pytest.raises(SystemExit) as left:
        cli.run(["train", "a", "--max-step", "9", "--fast"])
    assert left.value.code == 2


def scalars(logs: Path) -> dict[str, list[int]]:
    """Name -> steps of what TensorBoard shows; its records are length, checksum, event, checksum."""
    found: dict[str, list[int]] = {}
    for path in logs.iterdir():
        data = path.read_bytes()
        while data:
            length = int.from_bytes(data[:8], "little")
            body = data[12 : 12 + length]
            assert int.from_bytes(data[12 + length : 16 + length], "little") == masked_crc32c(body)
            event = Event.FromString(body)
            for value in event.summary.value:
                if value.HasField("simple_value"):
                    found.setdefault(value.tag, []).append(event.step)
            data = data[16 + length :]
    return found


def test_a_run_leaves_its_record_its_logs_and_a_clean_stdout(words, tmp_path, capsys, photos):
    assert cli.run(["train", "tiny/decoder", *words]) == 0
    seen = capsys.readouterr()
    assert seen.out == "" and "2 steps done, loss " in seen.err
    record = json.loads((tmp_path / "out" / "run.json").read_text())
    assert record["config"]["photos"] == [str(photos)] and record["seed"] == 0 and record["steps"] == 2
    assert record["started"] <= record["ended"] and record["resumed"] == 0 and record["processes"] == 1
    assert record["versions"]["torch"] == torch.__version__ and record["device"]
    assert record["inputs"]["photos"][str(photos)]["files"] == 6 and set(record["inputs"]) == {"photos", "encoder"}
    assert [entry["step"] for entry in record["losses"]] == [1, 2]
    assert record["commit"] is None or re.fullmatch(r"[0-9a-f]{40}(-dirty)?", record["commit"])
    assert {"train/loss", "train/grad_norm", "train/learning_rate"} <= scalars(tmp_path / "out" / "logs").keys()
    assert scalars(tmp_path / "out" / "logs")["train/loss"] == [1, 2]


def test_the_digest_tells_a_changed_a_renamed_and_a_missing_file(tmp_path):
    for name in "ab":
        (tmp_path / name).write_text(name)
    seen = [digest(tmp_path)]
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "c").write_text("what training leaves does not count")
    assert digest(tmp_path) == seen[0]
    (tmp_path / "a").write_text("x")
    seen.append(digest(tmp_path))
    (tmp_path / "a").rename(tmp_path / "c")
    seen.append(digest(tmp_path))
    (tmp_path / "b").unlink()
    seen.append(digest(tmp_path))
    assert len({one["sha256"] for one in seen}) == 4 and [one["files"] for one in seen] == [2, 2, 2, 1]
