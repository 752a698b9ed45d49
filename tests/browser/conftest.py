"""The whole product as a user has it: `backend.supervisor` on a fresh home, and a real Chromium in front of it."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.large_pair import make_home

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
PATIENCE_SECONDS = 180
expect.set_options(timeout=30_000)  # two busy cores are slow; five seconds, the default, is no promise of ours
SAMPLES = 150
LARGE = 2000


@dataclass(frozen=True)
class Product:
    """A running product: where it is, and what was evaluated on it (checkpoint name -> evaluation id)."""

    address: str
    home: Path
    evaluations: dict[str, str]

    def get(self, path: str) -> Any:
        response = httpx2.get(f"{self.address}/api/v1{path}", timeout=30)
        response.raise_for_status()
        return response.json()

    @property
    def compare(self) -> str:
        """Address of the comparison of the dense network with the one pruned to 95 %."""
        dense, pruned = self.evaluations["cnn-dense"], self.evaluations["cnn-lwm-95"]
        return f"{self.address}/compare?dense={dense}&pruned={pruned}"


def find_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(question: Any, what: str) -> Any:
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        try:
            found = question()
        except httpx2.TransportError:
            found = None
        if found:
            return found
        time.sleep(0.5)
    raise AssertionError(f"not within {PATIENCE_SECONDS} s: {what}")


@pytest.fixture(scope="package")
def product(stocked_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """Start everything, evaluate three shipped checkpoints through REST, and stop everything with Ctrl-C."""
    home = tmp_path_factory.mktemp("product") / "home"
    shutil.copytree(stocked_template, home)
    port = find_port()
    environment = os.environ | {
        "THINICE_HOME": str(home), "THINICE_PORT": str(port), "THINICE_DEMO": "false", "THINICE_CHUNK_SAMPLES": "50",
    }  # fmt: skip
    command = [sys.executable, "-m", "backend.supervisor"]
    process = subprocess.Popen(command, env=environment, start_new_session=True)
    address = f"http://127.0.0.1:{port}"
    try:
        empty = Product(address, home, {})
        wait_until(lambda: empty.get("/health")["workers"], "a living worker")
        checkpoints = {one["name"]: one for one in empty.get("/checkpoints?limit=200")["items"]}
        evaluations = {}
        for name in ("cnn-dense", "cnn-lwm-95", "cnn-control"):
            wish = {
                "checkpoint_id": checkpoints[name]["id"], "dataset_id": checkpoints[name]["dataset_id"],
                "samples": SAMPLES, "norm": "Linf", "preset": "margin",
            }  # fmt: skip
            response = httpx2.post(f"{address}/api/v1/evaluations", json=wish, timeout=30)
            assert response.status_code == 202, response.text
            evaluations[name] = response.json()["id"]
        for name, made in evaluations.items():
            wait_until(lambda made=made: empty.get(f"/evaluations/{made}")["state"] == "succeeded", name)
        yield Product(address, home, evaluations)
    finally:
        os.killpg(process.pid, signal.SIGINT)
        try:
            code = process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    assert code == 0, "Ctrl-C is the usual end, not a failure"


def find_chromium() -> str | None:
    """The system's Chromium; None leaves the choice to Playwright, which fails where it has none of its own."""
    return next((path for path in map(shutil.which, CHROMIUM_NAMES) if path), None)


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """A real Chromium; a machine without any fails here."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)
        yield browser
        browser.close()


@contextmanager
def serve(code: Path, home: Path) -> Iterator[str]:
    """A server of the given checkout on a home; its address."""
    port = find_port()
    environment = os.environ | {"THINICE_HOME": str(home), "THINICE_PORT": str(port), "THINICE_DEMO": "false"}
    command = [sys.executable, "-m", "backend.server"]
    process = subprocess.Popen(command, cwd=code, env=environment, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(240):
            try:
                httpx2.get(f"{address}/api/v1/health", timeout=5)
                break
            except httpx2.TransportError:
                time.sleep(0.5)
        yield address
    finally:
        process.terminate()
        process.wait(20)


@dataclass(frozen=True)
class LargePair:
    """A server with a made-up pair of many samples."""

    address: str
    query: str

    def get(self, path: str, **more: str) -> Any:
        asked = "&".join([self.query, *(f"{key}={value}" for key, value in more.items())])
        response = httpx2.get(f"{self.address}/api/v1/comparisons{path}?{asked}", timeout=60)
        response.raise_for_status()
        return response.json()


@pytest.fixture(scope="package")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LargePair]:
    folder = tmp_path_factory.mktemp("large")
    query = make_home(folder, LARGE)
    with serve(Path.cwd(), folder / "home") as address:
        yield LargePair(address, query)


@pytest.fixture
def large(chromium: Browser, made: LargePair) -> Iterator[Page]:
    """A page in front of the large pair; nothing may go wrong on it."""
    context = chromium.new_context(viewport={"width": 1440, "height": 1000})
    page = context.new_page()
    troubles: list[str] = []
    page.on("console", lambda message: message.type in ("error", "warning") and troubles.append(message.text))
    page.on("pageerror", lambda error: troubles.append(str(error)))
    yield page
    context.close()
    assert troubles == []


@dataclass
class Watched:
    """A page with what went wrong in it: console errors, failed answers, requests to other hosts."""

    page: Page
    troubles: list[str]


@pytest.fixture
def watched(chromium: Browser, product: Product) -> Iterator[Watched]:
    """A new page; at the end it must have been silent, and must have asked no other host."""
    context = chromium.new_context(viewport={"width": 1440, "height": 1000}, color_scheme="light")
    context.set_default_timeout(30_000)
    page = context.new_page()
    troubles: list[str] = []
    page.on("console", lambda message: message.type == "error" and troubles.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: troubles.append(f"script: {error}"))
    page.on("response", lambda found: found.status >= 400 and troubles.append(f"{found.status} {found.url}"))
    own = (product.address, "data:", "blob:")
    page.on("request", lambda asked: asked.url.startswith(own) or troubles.append(f"another host: {asked.url}"))
    yield Watched(page, troubles)
    context.close()
    assert troubles == []


@pytest.fixture
def page(watched: Watched) -> Page:
    return watched.page
