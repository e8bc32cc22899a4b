"""Two processes train what one does, through the command that a user types."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import load_file

from tests.training.conftest import STEP
from training.assistant_stage import train_assistant
from training.config import AssistantConfig, load_config

ROOT = Path(__file__).resolve().parents[2]


def logged(output: Path) -> list[float]:
    """Loss and norm of the gradient of both steps."""
    state = json.loads((output / "checkpoints" / "checkpoint-2" / "trainer_state.json").read_text())
    return [entry[key] for entry in state["log_history"] if "loss" in entry for key in ("loss", "grad_norm")]


def written(folder: Path, name: str, **settings: object) -> Path:
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump({"stage": "assistant", "output": str(folder / name), **settings}))
    return path


def launch(config: Path, *options: str) -> None:
    """`--cpu` of accelerate starts one process only, unless there is MPI; without a GPU, `--multi_gpu` means gloo."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    command = [sys.executable, "-m", "accelerate.commands.launch", "--num_processes", "2", "--num_machines", "1"]
    command += [
        "--multi_gpu",
        "--mixed_precision",
        "no",
        "--dynamo_backend",
        "no",
        "--main_process_port",
        port,
        *options,
    ]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    environment |= {"ACCELERATE_USE_CPU": "true", "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(
        [*command, "-m", "assistant", "train", str(config)], cwd=ROOT, env=environment, capture_output=True, text=True,
        timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]


def test_two_processes_train_as_one_with_the_same_rows_a_step(eyes, base_of, tmp_path):
    settings = {**STEP, **eyes, "init": str(base_of("llava")), "max_steps": 2, "save_steps": 1}
    settings["learning_rate"] = 1e-4  # Adam's first step is a sign, and that of a gradient of about zero is chance
    launch(written(tmp_path, "two", **settings))
    config = load_config(str(written(tmp_path, "one", **settings, accumulation=2)), [])
    assert isinstance(config, AssistantConfig)
    train_assistant(config)
    assert len(logged(tmp_path / "one")) == 4
    assert logged(tmp_path / "two") == pytest.approx(logged(tmp_path / "one"), rel=1e-3)
    one, two = (load_file(tmp_path / name / "model.safetensors") for name in ("one", "two"))
    for name in one:
        torch.testing.assert_close(two[name], one[name], atol=2e-3, rtol=1e-2)
