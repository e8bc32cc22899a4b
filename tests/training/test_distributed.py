"""Two processes train what one does, by the files of `configs/accelerate` and the command that a user types."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml
from accelerate.commands.config.config_args import ClusterConfig
from accelerate.commands.launch import launch_command_parser
from safetensors.torch import load_file

from assistant import Assistant
from tests.training.conftest import STEP
from training.assistant_stage import train_assistant
from training.config import AssistantConfig
from training.load_config import load_config

ROOT = Path(__file__).resolve().parents[2]


def logged(output: Path) -> list[float]:
    """Loss and norm of the gradient of both steps."""
    state = json.loads((output / "checkpoints" / "checkpoint-2" / "trainer_state.json").read_text())
    return [entry[key] for entry in state["log_history"] if "loss" in entry for key in ("loss", "grad_norm")]


def written(folder: Path, name: str, **settings: object) -> Path:
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump({"stage": "assistant", "output": str(folder / name), **settings}))
    return path


def launch(plan: str, module: str, config: Path, *words: str) -> None:
    """Two processes on the CPU by one of `configs/accelerate`, which speak of GPUs; without one, that means gloo."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    command = [sys.executable, "-m", "accelerate.commands.launch", "--config_file", f"configs/accelerate/{plan}.yaml"]
    command += ["--num_processes", "2", "--mixed_precision", "no", "--main_process_port", port, "-m", module, "train"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    environment |= {"CUDA_VISIBLE_DEVICES": ""} | ({"ACCELERATE_USE_CPU": "true"} if plan == "ddp" else {})
    done = subprocess.run(
        [*command, str(config), *words], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.fixture(scope="module")
def settings(eyes, base_of) -> dict[str, object]:
    """Adam's first step is a sign, and that of a gradient of about zero is chance: so the learning rate is low."""
    quick = {"init": str(base_of("llava")), "max_steps": 2, "save_steps": 1, "learning_rate": 1e-4}
    return {**STEP, **eyes, **quick}


@pytest.fixture(scope="module")
def one(settings, tmp_path_factory) -> Path:
    """What one process makes of the same rows a step."""
    folder = tmp_path_factory.mktemp("one")
    config = load_config(str(written(folder, "one", **settings, accumulation=2)), [])
    assert isinstance(config, AssistantConfig)
    train_assistant(config)
    assert len(logged(folder / "one")) == 4
    return folder / "one"


def same(found: Path, wanted: Path) -> None:
    assert logged(found) == pytest.approx(logged(wanted), rel=1e-3)
    weights, expected = (load_file(folder / "model.safetensors") for folder in (found, wanted))
    assert weights.keys() == expected.keys()
    for name in expected:
        torch.testing.assert_close(weights[name], expected[name], atol=2e-3, rtol=1e-2)


def test_two_processes_train_as_one_with_the_same_rows_a_step(settings, one, tmp_path):
    launch("ddp", "assistant", written(tmp_path, "two", **settings))
    same(tmp_path / "two", one)
    assert json.loads((tmp_path / "two" / "run.json").read_text())["processes"] == 2


def test_a_model_split_over_two_processes_resumes_trains_as_one_and_opens_alone(settings, one, tmp_path, photos):
    """FSDP2, with its own activation checkpointing; stopped after the first step and started again."""
    config = written(tmp_path, "split", **settings)
    launch("fsdp", "tests.training.fsdp_on_cpu", config, "max_steps=1")
    parts = tmp_path / "split" / "checkpoints" / "checkpoint-1" / "pytorch_model_fsdp_0"
    assert len(list(parts.glob("*.distcp"))) == 2, "each process wrote its part of the weights"
    launch("fsdp", "tests.training.fsdp_on_cpu", config)
    same(tmp_path / "split", one)
    assert json.loads((tmp_path / "split" / "run.json").read_text())["resumed"] == 1
    chat = Assistant.from_pretrained(str(tmp_path / "split")).start_chat(photos / "0.png")
    assert isinstance(chat.ask("Is there a defect?"), str)


@pytest.mark.parametrize("path", sorted((ROOT / "configs" / "accelerate").glob("*.yaml")), ids=lambda path: path.stem)
def test_accelerate_reads_the_plan(path):
    config = ClusterConfig.from_yaml_file(str(path))
    assert config.num_processes == 8 and config.mixed_precision == "bf16"
    assert config.distributed_type in ("MULTI_GPU", "FSDP", "DEEPSPEED")
    known = {action.dest for action in launch_command_parser()._actions}
    plan = {**config.fsdp_config, **config.deepspeed_config}
    assert plan.keys() <= known, "an unknown key would be left out without a word"
