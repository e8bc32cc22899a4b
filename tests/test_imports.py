"""Who may import whom, what stays unloaded, and that the public functions say their types."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FLOOR, TORCH, TRANSFORMERS, WHOLE, BESIDE, TRAINING, DOORS = range(7)
# Longest matching prefix wins. An arrow may point down or sideways, never up.
LAYERS = {
    "assistant": TORCH, "assistant.__init__": FLOOR, "assistant.images": FLOOR, "assistant.calibration": FLOOR,
    "assistant.inspection": FLOOR, "assistant.wording": FLOOR, "assistant.claims": FLOOR, "assistant.lexicon": FLOOR,
    "assistant.grounding": FLOOR, "assistant.known": FLOOR, "assistant.form": FLOOR,
    "assistant.checking": FLOOR, "assistant.agreement": FLOOR,
    "assistant.boxes": FLOOR, "assistant.choices": FLOOR,
    "assistant.focus": FLOOR, "assistant.following": FLOOR, "assistant.question_reader": FLOOR,
    "assistant.worked_out": FLOOR, "assistant.spoken": FLOOR, "assistant.area": FLOOR,
    "assistant.places": FLOOR, "assistant.look": FLOOR,
    "assistant.corrections": FLOOR, "assistant.store": FLOOR, "assistant.recheck": WHOLE,
    "assistant.batch": FLOOR, "assistant.batch_report": FLOOR,
    "assistant.report": FLOOR, "assistant.evaluation": FLOOR, "assistant.layouts": BESIDE,
    "assistant.lvlm": TRANSFORMERS, "assistant.conversation": WHOLE, "assistant.assistant": WHOLE,
    "data_gen": BESIDE, "training": TRAINING, "training.before_after": DOORS, "training.custom": DOORS,
    "assistant.evaluation.categories": DOORS, "assistant.evaluation.anomalygpt": DOORS,
    "assistant.evaluation.detection": DOORS, "assistant.evaluation.qa": DOORS, "assistant.evaluation.seeds": DOORS,
    "assistant.evaluation.answering": WHOLE, "assistant.cli_arguments": FLOOR, "assistant.cli": DOORS,
    "assistant.__main__": DOORS, "assistant.web": DOORS, "assistant.serving": DOORS, "app": DOORS,
}  # fmt: skip
HEAVY = {"torch", "transformers", "peft", "accelerate", "gradio", "datasets", "bitsandbytes"}
FORBIDDEN = {FLOOR: HEAVY | {"cv2"}, TORCH: HEAVY - {"torch"}, BESIDE: HEAVY - {"datasets"}}
# Image encoders are transformers models, so that the LVLM's own vision tower can be one; what reads their
# features (detectors, prompt learner) is plain torch.
EXEMPT = {"assistant.encoder": {"transformers"}, "assistant.compact_encoder": {"transformers"}}


def sources() -> dict[str, Path]:
    """Module name -> file, for everything that ships; a package is named with its `__init__`."""
    paths = [*(p for top in ("assistant", "data_gen", "training") for p in (ROOT / top).rglob("*.py"))]
    paths += [ROOT / "app.py"] if (ROOT / "app.py").exists() else []
    return {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in paths}


SOURCES = sources()


def layer(module: str) -> int:
    parts = module.split(".")
    return next(LAYERS[key] for n in range(len(parts), 0, -1) if (key := ".".join(parts[:n])) in LAYERS)


def imports(module: str) -> Iterator[tuple[str, bool]]:
    """(what is imported, whether at import time), without what only the type checker reads."""
    tree = ast.parse(SOURCES[module].read_text(encoding="utf-8"))
    waiting: list[tuple[ast.AST, bool]] = [(tree, True)]
    while waiting:
        node, eager = waiting.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            waiting += [(child, eager) for child in node.orelse]
            continue
        if isinstance(node, ast.Import):
            yield from ((alias.name, eager) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: house style is absolute imports"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                is_module = inner in SOURCES or f"{inner}.__init__" in SOURCES
                yield (inner if is_module else str(node.module)), eager
        eager = eager and not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        waiting += [(child, eager) for child in ast.iter_child_nodes(node)]


def ours(name: str) -> str | None:
    """The module of ours that an imported name means, or None for the libraries'."""
    return next((known for known in (f"{name}.__init__", name) if known in SOURCES), None)


@pytest.mark.parametrize("module", sorted(SOURCES))
def test_arrows_point_down(module: str) -> None:
    forbidden = FORBIDDEN.get(layer(module), set()) - EXEMPT.get(module, set())
    for name, eager in imports(module):
        target = ours(name)
        if target is None:
            if eager:
                assert name.split(".")[0] not in forbidden, f"{module} imports {name}"
        elif eager or layer(module) < DOORS:  # only the doors may reach further, and only inside a handler
            assert layer(target) <= layer(module), f"{module} imports {target}"


def test_the_runtime_never_needs_the_workshop() -> None:
    for module in SOURCES:
        if module.startswith("assistant"):
            for name, eager in imports(module):
                lazy_door = layer(module) == DOORS and not eager
                assert lazy_door or name.split(".")[0] not in ("data_gen", "training", "app"), f"{module} -> {name}"


def test_data_gen_stands_on_the_floor_and_the_layouts() -> None:
    for module in SOURCES:
        if module.startswith("data_gen"):
            for name, _ in imports(module):
                target = ours(name)
                allowed = target is None or target.startswith("data_gen") or layer(target) <= BESIDE
                assert allowed, f"{module} imports {target}"


def light_modules() -> list[str]:
    names = [name for name in SOURCES if layer(name) in (FLOOR, BESIDE)] + ["assistant.cli"]
    return sorted(name.removesuffix(".__init__") for name in names)


def test_light_modules_leave_torch_and_transformers_unloaded() -> None:
    script = f"""
import importlib, sys
for name in {light_modules()!r}:
    importlib.import_module(name)
    loaded = {{"torch", "transformers", "gradio"}} & set(sys.modules)
    assert not loaded, f"{{name}} loads {{loaded}}"
"""
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True)


@pytest.mark.parametrize("name", ["assistant", "assistant.cli", "data_gen"])
def test_import_alone_is_light(name: str) -> None:
    heavy = "{'torch', 'transformers', 'numpy', 'PIL', 'scipy'}"
    script = f"import {name}, sys; loaded = {heavy} & set(sys.modules); assert not loaded, loaded"
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True)


@pytest.mark.parametrize("arguments", [["--help"], ["inspect", "--help"], ["evaluate", "qa", "--help"], ["--version"]])
def test_help_answers(arguments: list[str]) -> None:
    command = [sys.executable, "-m", "assistant", *arguments]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0 and result.stdout.strip() and result.stderr == ""


def test_public_functions_are_annotated() -> None:
    total, missing = 0, []
    for module, path in SOURCES.items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.FunctionDef) or (node.name.startswith("_") and node.name != "__init__"):
                continue
            arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            arguments += [extra for extra in (node.args.vararg, node.args.kwarg) if extra]
            for argument in arguments:
                if argument.arg not in ("self", "cls"):
                    total += 1
                    missing += [] if argument.annotation else [f"{module}.{node.name}({argument.arg})"]
            total += 1
            missing += [] if node.returns else [f"{module}.{node.name} ->"]
    assert len(missing) <= 0.04 * total, missing
