"""What the tests in a real browser share: one server and one headless Chromium for each file of tests."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# A camera that shows a test picture; the last four keep the browser from calling home: the log is the page's own.
FLAGS = [
    "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-default-apps",
]  # fmt: skip
PATIENCE = 240  # seconds: a busy machine takes its time to import everything
SOON = 30_000  # milliseconds for anything the page does


@pytest.fixture(scope="module")
def server_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the server keeps its files; its store is in `data/anomaly-assistant`."""
    return tmp_path_factory.mktemp("server")


@pytest.fixture(scope="module")
def server(server_folder: Path) -> Iterator[str]:
    """`python app.py` on a free port; its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "PYTHONUNBUFFERED": "1", "GRADIO_TEMP_DIR": str(server_folder)}
    environment["XDG_DATA_HOME"] = str(server_folder / "data")
    command = [sys.executable, str(ROOT / "app.py"), "--port", str(port)]
    address = f"http://127.0.0.1:{port}"
    with (server_folder / "log").open("w+") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            deadline = time.monotonic() + PATIENCE
            while not _answers(address):
                waiting = process.poll() is None and time.monotonic() < deadline
                assert waiting, f"the server did not start:\n{(server_folder / 'log').read_text()}"
                time.sleep(0.2)
            yield address
        finally:
            process.terminate()
            process.wait(timeout=20)
    assert "Traceback" not in (server_folder / "log").read_text(), (server_folder / "log").read_text()


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5):
            return True
    except OSError:
        return False


@pytest.fixture(scope="module")
def log() -> dict[str, list[str]]:
    """What the page asked for, and what went wrong in it."""
    return {"fetched": [], "failed": []}


@pytest.fixture(scope="module")
def page(server: str, log: dict[str, list[str]]) -> Iterator[Any]:
    """The page at laptop size; one for all tests of a file, because loading it takes longest."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    binary = next(filter(None, map(shutil.which, BROWSERS)), None)
    if binary is None:
        pytest.skip("no Chromium is installed")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=binary, args=FLAGS)
        page = chromium.new_page(viewport={"width": 1366, "height": 768})
        page.set_default_timeout(SOON)
        page.on("request", lambda request: log["fetched"].append(request.url))
        page.on("pageerror", lambda error: log["failed"].append(str(error)))
        page.goto(server)
        page.locator("#examples").get_by_role("button", name="Broken cap").wait_for()
        yield page
        chromium.close()
