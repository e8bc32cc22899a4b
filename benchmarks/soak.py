"""Many users at once, and a server that is killed: nothing is mixed, nothing leaks, nothing stored is lost.

    python benchmarks/soak.py [--sessions 20] [--turns 20] [--visits 240] [--writers 4] [--port 7979]

Starts the server with a store of its own. One visitor after the other shows a photo and asks; then all of them do so
at once, while other processes store corrections, and each conversation must be, word for word, what it was alone. Then
come visitors who show one photo each and leave. At last server and writers are killed (SIGKILL) in the middle of talk
and corrections, and what was acknowledged must be in the store.
"""

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import httpx
import numpy as np
import psutil
from page_client import Visitor

from assistant.images import load_image
from assistant.store import Store
from assistant.store.pictures import Picture

ROOT = Path(__file__).resolve().parent.parent
QUESTIONS = (
    "Is it defective?", "Where?", "How large is it?", "How many defects are there?", "Only the upper half.",
    "How sure are you?", "The whole photo again.", "Describe it.", "Is the lower left damaged?", "What should I do?",
)  # fmt: skip
SIDE = 256
Lines = list[tuple[str, str]]


def photo(number: int) -> np.ndarray:
    """(SIDE, SIDE, 3): a part with a scratch or a spot, another one for each number."""
    rng = np.random.default_rng(number)
    y, x = np.mgrid[:SIDE, :SIDE]
    picture = 120 + 40 * np.sin(x / (9 + number)) * np.cos(y / 21) + rng.normal(0, 5, (SIDE, SIDE))
    for _ in range(1 + number % 3):
        left, top = rng.integers(10, SIDE - 60, 2)
        width, height = ((50, 6), (8, 44), (26, 26))[rng.integers(3)]
        picture[top : top + height, left : left + width] += rng.choice((-90, 90))
    return np.repeat(picture.clip(0, 255).astype(np.uint8)[:, :, None], 3, axis=2)


class Served:
    """`python app.py` as its own process, with a data folder of its own."""

    def __init__(self, folder: Path, port: int) -> None:
        self.address, self.store = f"http://127.0.0.1:{port}", folder / "data" / "anomaly-assistant"
        environment = os.environ | {"XDG_DATA_HOME": str(folder / "data"), "GRADIO_TEMP_DIR": str(folder / "uploads")}
        with (folder / "log").open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(ROOT / "app.py"), "--port", str(port)], env=environment, stdout=log, stderr=log
            )
        while not self.healthy():
            if self.process.poll() is not None:
                raise SystemExit((folder / "log").read_text())
            time.sleep(0.5)

    def healthy(self) -> bool:
        try:
            return httpx.get(f"{self.address}/healthz", timeout=10).status_code == 200
        except httpx.TransportError:
            return False

    def memory(self) -> float:
        """Resident megabytes."""
        return float(psutil.Process(self.process.pid).memory_info().rss) / 2**20

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


@dataclass
class Watch:
    """Looks at a server every second: its memory, and how long `/healthz` takes while the model is busy."""

    server: Served
    memory: list[float] = field(default_factory=list)
    health: list[float] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        with httpx.Client(base_url=self.server.address, timeout=60) as web:
            while not self.over.wait(1):
                start = time.perf_counter()
                web.get("/healthz").raise_for_status()
                self.health.append(time.perf_counter() - start)
                self.memory.append(self.server.memory())


def converse(visitor: Visitor, number: int, turns: int, told: Callable[[float], None] = lambda _: None) -> list[Lines]:
    """One conversation: what the page showed after each turn. The visitor's number stands in photo and questions."""
    visitor.show(photo(number), f"part {number}.png")
    seen = [visitor.said]
    for turn in range(turns):
        start = time.perf_counter()
        visitor.ask(f"{QUESTIONS[(turn + number) % len(QUESTIONS)]} (part {number}, turn {turn})")
        told(time.perf_counter() - start)
        seen.append(visitor.said)
    return seen


def write_forever(folder: Path, product: int, acknowledged: Path) -> None:
    """Store corrections until killed; the number of each is noted once the store has confirmed it."""
    store, rng = Store(folder), np.random.default_rng(os.getpid())
    with acknowledged.open("a") as notes:
        while True:
            pixels, mask = rng.integers(0, 255, (64, 64, 3), np.uint8), np.zeros((64, 64), bool)
            mask[rng.integers(60) :, rng.integers(60) :] = True
            number = store.corrections.accept(product, pixels, mask, who="soak")
            notes.write(f"{number} {Picture.of(pixels).digest} {Picture.of(mask).digest}\n")
            notes.flush()
            time.sleep(0.05)


def start_writers(server: Served, folder: Path, product: int, count: int) -> list[subprocess.Popen[bytes]]:
    command = [sys.executable, __file__, "--write", str(server.store), str(product)]
    return [subprocess.Popen([*command, str(folder / f"acknowledged {n}")]) for n in range(count)]


def missing(server: Served, folder: Path, product: int) -> tuple[int, list[str]]:
    """How many corrections were acknowledged, and which of them are not in the store with photo and mask."""
    store = Store(server.store)
    held = {one.id: one for one in store.corrections.list(product)}
    lines = [line.split() for file in folder.glob("acknowledged *") for line in file.read_text().splitlines()]
    whole = [line for line in lines if len(line) == 3 and len(line[2]) == 64]  # the last note may be cut off
    lost = []
    for number, pixels, mask in whole:
        one = held.get(int(number))
        if one is None or (one.photo, one.mask) != (pixels, mask):
            lost.append(number)
        elif Picture.of(load_image(store.pictures.path(pixels))).digest != pixels:
            lost.append(f"{number} (photo)")
        elif not load_image(store.pictures.path(mask)).any():
            lost.append(f"{number} (mask)")
    check = store.database.read("PRAGMA integrity_check")[0][0]
    return len(whole), lost + ([] if check == "ok" else [check])


def load(
    server: Served, sessions: int, turns: int, alone: Sequence[list[Lines]]
) -> tuple[list[str], list[float], Watch]:
    """All sessions at once: what differs from the conversations `alone`, seconds of each answer, memory and health."""
    watch, seconds = Watch(server), list[float]()
    watcher = threading.Thread(target=watch.run)
    watcher.start()
    config = Visitor(server.address).config
    with ThreadPoolExecutor(sessions) as pool:
        visitors = [Visitor(server.address, config) for _ in range(sessions)]
        runs = list(pool.map(lambda n: converse(visitors[n], n, turns, seconds.append), range(sessions)))
    watch.over.set()
    watcher.join()
    mixed = [
        f"session {number}, turn {turn}: {told[-2:]} instead of {right[-2:]}"
        for number, (run, expected) in enumerate(zip(runs, alone, strict=True))
        for turn, (told, right) in enumerate(zip(run, expected, strict=True))
        if told != right
    ]
    return mixed, seconds, watch


def visit(server: Served, count: int) -> list[float]:
    """One visitor after the other shows a photo and does not come back: the server's memory after each tenth."""
    memory, config = [server.memory()], Visitor(server.address).config
    for number in range(count):
        Visitor(server.address, config).show(photo(number), "part.png")
        if (number + 1) % max(1, count // 10) == 0:
            memory.append(server.memory())
    return memory


def kill_in_the_middle(server: Served, folder: Path, sessions: int, writers: list[subprocess.Popen[bytes]]) -> int:
    """Kill server and writers while visitors talk and corrections are stored; how many answers came before."""
    answers = list[float]()
    config = Visitor(server.address).config

    def talk(number: int) -> None:
        with contextlib.suppress(httpx.HTTPError, RuntimeError):  # the server is gone, as it should be
            converse(Visitor(server.address, config), number, 1000, answers.append)

    with ThreadPoolExecutor(sessions) as pool:
        for number in range(sessions):
            pool.submit(talk, number)
        while len(answers) < 2 * sessions:
            time.sleep(0.1)
        server.kill()
        for writer in writers:
            writer.kill()
            writer.wait()
    return len(answers)


def report(seconds: list[float], watch: Watch, turns: int) -> None:
    answers, memory = sorted(seconds), watch.memory
    warm = len(memory) // 4
    late = answers[int(0.95 * len(answers))]
    print(f"answers: {len(answers)}, median {median(answers):.1f} s, 95 % within {late:.1f} s")
    print(f"healthz under load: median {1000 * median(watch.health):.0f} ms, longest {1000 * max(watch.health):.0f} ms")
    marks = [memory[round(share * (len(memory) - 1))] for share in (0, 0.25, 0.5, 0.75, 1)]
    print(f"memory (MB) at 0, 25, 50, 75, 100 % of {turns} turns: {', '.join(f'{mark:.0f}' for mark in marks)}")
    print(f"growth after the first quarter: {memory[-1] - memory[warm]:+.0f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=20)
    parser.add_argument("--turns", type=int, default=20)
    parser.add_argument("--visits", type=int, default=240)
    parser.add_argument("--writers", type=int, default=4)
    parser.add_argument("--port", type=int, default=7979)
    parser.add_argument("--write", nargs=3, metavar=("FOLDER", "PRODUCT", "NOTES"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.write:
        write_forever(Path(options.write[0]), int(options.write[1]), Path(options.write[2]))
    with tempfile.TemporaryDirectory() as name:
        soak(Path(name), options)


def soak(folder: Path, options: argparse.Namespace) -> None:
    sessions, turns = options.sessions, options.turns
    server, writers = Served(folder, options.port), list[subprocess.Popen[bytes]]()
    try:
        product = Store(server.store).products.create("Soaked").id
        alone = [converse(Visitor(server.address), number, turns) for number in range(sessions)]
        different = {tuple(text for role, text in one[-1] if role == "assistant") for one in alone}
        print(f"alone: {sessions} x {turns} turns, the answers of {len(different)} sessions differ", flush=True)
        writers = start_writers(server, folder, product, options.writers)
        mixed, seconds, watch = load(server, sessions, turns, alone)
        print(f"together: {len(mixed)} answers differ from those given alone", *mixed[:5], sep="\n  ")
        report(seconds, watch, turns)
        memory = ", ".join(f"{size:.0f}" for size in visit(server, options.visits))
        print(f"memory (MB) before and after each tenth of {options.visits} visits: {memory}", flush=True)
        answers = kill_in_the_middle(server, folder, sessions, writers)
        server = Served(folder, options.port)  # it comes up again on what is left
        count, lost = missing(server, folder, product)
        print(f"killed after {answers} more answers; {count} corrections acknowledged, {len(lost)} lost", *lost[:5])
    finally:
        server.kill()
        for writer in writers:
            writer.kill()
    if mixed or lost:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
