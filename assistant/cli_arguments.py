"""The arguments of the command line: one table, so that an option means the same in every command.

A key is the option as it is written; one that some command knows in another form has a mark behind it, which is not
part of its name: "?" where it may be left out, "," where it takes several, "." where it names a file.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any


def at_least(least: int) -> Callable[[str], int]:
    """A type for argparse: whole numbers from `least` up."""

    def number(text: str) -> int:
        if (value := int(text)) < least:
            raise argparse.ArgumentTypeError(f"{text} is below {least}")
        return value

    return number


def seeds(text: str) -> tuple[int, ...]:
    """Whole numbers between commas, each once."""
    return tuple(dict.fromkeys(map(at_least(0), text.split(","))))


def names(text: str) -> tuple[str, ...]:
    """What stands between commas; a defect kind of two words may be written with a dash or an underscore."""
    return tuple(" ".join(name.replace("_", " ").replace("-", " ").split()) for name in text.split(",") if name.strip())


def part(text: str) -> tuple[int, int]:
    """`i/n` with i from 0 to n - 1."""
    first, slash, of = text.partition("/")
    if not slash or not (first.strip().isdecimal() and of.strip().isdecimal()) or int(first) >= int(of):
        raise argparse.ArgumentTypeError(f"{text!r} is not i/n with i from 0 to n - 1, as 0/4")
    return int(first), int(of)


ARGUMENTS: dict[str, dict[str, Any]] = {
    "images": {"nargs": "+", "metavar": "IMAGE"},
    "image": {"metavar": "IMAGE"},
    "image?": {"nargs": "?", "metavar": "IMAGE"},
    "question": {"metavar": "QUESTION"},
    "config": {"metavar": "CONFIG", "help": "a YAML file, or the name of a preset in configs/"},
    "overrides": {"nargs": "*", "metavar": "key=value", "help": "settings to change"},
    "a": {"type": Path, "metavar": "A", "help": "folder that `evaluate` wrote"},
    "b": {"type": Path, "metavar": "B", "help": "another, of the same photos or questions"},
    "--max-minutes": {"metavar": "M", "help": "as max_minutes=M: training ends after so many minutes"},
    "--max-steps": {"metavar": "N", "help": "as max_steps=N: training ends after so many steps"},
    "--reference": {"action": "extend", "nargs": "+", "default": [], "metavar": "R", "help": "photos of good parts"},
    "--model": {"default": "tiny", "metavar": "M", "help": "tiny (embedded, default), a folder or a hub id"},
    "--out": {"type": Path, "required": True, "metavar": "DIR", "help": "folder for the results"},
    "--out?": {"type": Path, "metavar": "DIR", "help": "write NAME_overlay.png and NAME_map.png (16-bit)"},
    "--out.": {"type": Path, "metavar": "FILE.html", "help": "write the comparison as a page, too"},
    "--json": {"action": "store_true", "help": "one JSON object per line on stdout"},
    "--host": {"default": "127.0.0.1", "help": "default: %(default)s, this machine only"},
    "--port": {"type": int, "default": 7860, "help": "default: %(default)s"},
    "--auth": {
        "action": "store_true",
        "help": "ask who comes: ANOMALY_ASSISTANT_USERS=name:password,... and ANOMALY_ASSISTANT_TOKEN (for programs)",
    },
    "--seed": {"type": at_least(0), "default": 0, "metavar": "S", "help": "default: %(default)s"},
    "--seed,": {"type": seeds, "default": (0,), "metavar": "S,...", "help": "several: mean and interval; default: 0"},
    "--data": {"type": Path, "required": True, "metavar": "ROOT", "help": "categories in MVTec-AD layout, or one"},
    "--shots": {"type": at_least(0), "default": 0, "metavar": "K", "help": "references; default: %(default)s"},
    "--questions": {
        "type": Path, "required": True, "metavar": "FILE",
        "help": "JSONL, the JSON of MMAD, VisA-D&R or LLaVA, or a folder of labelled photos (AnomalyGPT's accuracy)",
    },
    "--shots?": {"type": at_least(0), "metavar": "K", "help": "normal photos shown, of MMAD and folders; default: 1"},
    "--seed?": {"type": at_least(0), "metavar": "S", "help": "of the normal photos drawn from a folder; default: 0"},
    "--template": {"metavar": "T", "help": "MMAD's normal photos: random (default) or similar"},
    "--knowledge": {"type": Path, "metavar": "FILE", "help": "MMAD's class knowledge, put before the photos"},
    "--images": {"type": Path, "metavar": "ROOT", "help": "what the paths in FILE are relative to"},
    "--normals": {"type": Path, "metavar": "DIR", "help": "photos of good parts; without it products are rendered"},
    "--count": {"type": at_least(1), "required": True, "metavar": "N", "help": "samples in the data set"},
    "--workers": {"type": at_least(1), "metavar": "W", "help": "processes; default: one a core"},
    "--size": {"type": int, "default": 256, "metavar": "PX", "help": "longest side; default: %(default)s"},
    "--kinds": {"type": names, "default": (), "metavar": "K,...", "help": "defect kinds; default: all"},
    "--difficulty": {"default": "mixed", "metavar": "D", "help": "easy, medium, hard or mixed (default)"},
    "--min-quality": {"type": float, "default": 0.0, "metavar": "Q", "help": "drop defects of less use, in [0, 1]"},
    "--good-share": {"type": float, "default": 0.4, "metavar": "P", "help": "good samples; default: %(default)s"},
    "--product": {"metavar": "NAME", "help": "what the photos show, for the dialogues"},
    "--references": {"type": int, "default": 1, "metavar": "K", "help": "good photos a sample; default: %(default)s"},
    "--templates": {"type": Path, "metavar": "DIR", "help": "question and answer templates of your own"},
    "--shard": {"type": part, "metavar": "i/n", "help": "make part i of n, i from 0; at last run without it"},
    "--export": {"type": names, "default": (), "metavar": "E,...", "help": "llava, mvtec: the same for other tools"},
    "--plain": {"action": "store_true", "help": "ask M without our parts: any vision-language model, as a baseline"},
    "--endpoint": {"metavar": "URL", "help": "ask M at an OpenAI-compatible server; key in OPENAI_API_KEY"},
    "--ray": {"action": "store_true", "help": "run on a Ray cluster (needs the extra 'ray')"},
}  # fmt: skip
TRAIN = "config overrides --max-minutes --max-steps"
GENERATE = (
    "--normals --out --count --seed --workers --size --kinds --difficulty --min-quality --good-share --product "
    "--references --templates --shard --export --ray"
)
EVALUATE_QA = "--questions --images --shots? --template --seed? --knowledge --model --plain --endpoint --ray --out"
