"""Does `generate` take constant memory, however many samples, and what does a further worker bring?

    python benchmarks/generate_scale.py [--counts 1000 20000] [--size 64] [--workers 1 2] [--normals DIR]

Runs the command in a process of its own and watches it and its workers from outside: the highest resident set of the
parent, and of any one worker, sampled ten times a second; images/s over the whole run, its start included; and images
per second of processor time, which a busy machine changes less.
"""

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parent.parent
MEGABYTE = 2**20


@dataclass(frozen=True)
class Run:
    """Seconds on the clock and of processor time, and the highest resident sets in bytes."""

    seconds: float
    busy: float
    parent: int
    worker: int


def watch(command: list[str]) -> Run:
    """Run a command to its end; RuntimeError with what it said if it fails."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    start, before = time.perf_counter(), processor_time()
    with tempfile.TemporaryFile("w+") as said:
        with subprocess.Popen(command, env=environment, stdout=said, stderr=said) as process:
            parent, worker = 0, 0
            top = psutil.Process(process.pid)
            while process.poll() is None:
                try:
                    parent = max(parent, top.memory_info().rss)
                    sizes = [child.memory_info().rss for child in top.children(recursive=True)]
                    worker = max([worker, *sizes])
                except psutil.NoSuchProcess:
                    pass
                time.sleep(0.1)
        said.seek(0)
        if process.returncode:
            raise RuntimeError(said.read())
    return Run(time.perf_counter() - start, processor_time() - before, parent, worker)


def processor_time() -> float:
    """Seconds that ended children, and theirs, have computed."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--counts", type=int, nargs="+", default=[1000, 20_000])
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--normals", type=Path)
    options = parser.parse_args()
    print(f"{options.size} px, {options.normals.name if options.normals else 'rendered products'}, 1 reference")
    print(
        "| samples | workers | seconds | images/s | images per core second | parent MB | largest worker MB "
        "| data MB |\n" + "| ---: " * 8 + "|"
    )
    for count in options.counts:
        for workers in options.workers:
            out = Path(tempfile.mkdtemp(prefix="generate_scale_"))
            command = [sys.executable, "-m", "assistant", "generate", "--out", str(out), "--count", str(count)]
            command += ["--size", str(options.size), "--workers", str(workers)]
            command += ["--normals", str(options.normals)] if options.normals else []
            try:
                run = watch(command)
                data = sum(path.stat().st_size for path in (out / "data").iterdir())
            finally:
                shutil.rmtree(out)
            sizes = " | ".join(f"{size / MEGABYTE:.0f}" for size in (run.parent, run.worker, data))
            rates = f"{run.seconds:.0f} | {count / run.seconds:.1f} | {count / run.busy:.1f}"
            print(f"| {count} | {workers} | {rates} | {sizes} |", flush=True)


if __name__ == "__main__":
    main()
