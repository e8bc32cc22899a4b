"""Cold starts of the command line against the bare imports that any such model needs; time and peak memory.

    python benchmarks/cold_start.py IMAGE REFERENCE [--model tiny] [--pairs 5]

The two are run in turn, so that a busy machine slows both. A process of its own, also when `speed.py` calls it:
Linux counts what the parent holds, at the moment it starts a child, into the child's peak memory.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

IMPORTS = ("-c", "import torch, transformers.models.llava.modeling_llava")


@dataclass(frozen=True)
class Run:
    """One process: wall-clock seconds and peak resident memory in MiB."""

    seconds: float
    mebibytes: float


def run(arguments: Sequence[str]) -> Run:
    """Start this Python with the arguments and wait for its end; a failure is raised."""
    start = time.perf_counter()
    process = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)  # per child; RUSAGE_CHILDREN would be the largest of all so far
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, process.args)
    unit = 2**20 if sys.platform == "darwin" else 2**10  # bytes there, KiB elsewhere
    return Run(seconds, usage.ru_maxrss / unit)


def compare(pairs: int, inspect: Sequence[str]) -> None:
    """Print the table of cold starts; `inspect` are the command line's arguments."""
    command, help_command = ("-m", "assistant", *inspect, "--json"), ("-m", "assistant", "--help")
    for arguments in (command, IMPORTS, help_command):
        run(arguments)  # once for the disk cache and compiled files
    whole, bare, helped = [], [], []
    for _ in range(pairs):
        whole.append(run(command))
        bare.append(run(IMPORTS))
        helped.append(run(help_command))
    ratio = median(a.seconds / b.seconds for a, b in zip(whole, bare, strict=True))
    print(f"\n| cold start (median of {pairs}) | s | peak MiB |\n| --- | --- | --- |")
    for name, runs in (("inspect, one reference", whole), ("imports of torch and LLaVA", bare), ("--help", helped)):
        print(f"| {name} | {median(r.seconds for r in runs):.2f} | {median(r.mebibytes for r in runs):.0f} |")
    print(f"\ninspect from cold takes {ratio:.2f} times the bare imports (median of the pairs).")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("image", metavar="IMAGE")
    parser.add_argument("reference", metavar="REFERENCE")
    parser.add_argument("--model", default="tiny")
    parser.add_argument("--pairs", type=int, default=5)
    options = parser.parse_args()
    compare(options.pairs, ["inspect", options.image, "--reference", options.reference, "--model", options.model])


if __name__ == "__main__":
    main()
