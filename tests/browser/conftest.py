"""A real site, a real browser, the real Python in it.

The site is built into a temporary folder (everything expensive comes from the build's cache) and
served from this process. Every test has a browser context of its own, so no progress leaks; every
request a page makes is recorded, and one that leaves the server fails the test.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect, sync_playwright

from sandbox.course.manifest import find_lab
from sandbox.course.model import Lab
from sandbox.site.server import make_server

ROOT = Path(__file__).parents[2]
CHROMIUMS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
#: A slow machine with two browsers on it; nothing here waits this long when all is well.
PATIENCE_MS = 30_000

expect.set_options(timeout=PATIENCE_MS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests run on one worker, so that two browsers do not fight for two cores."""
    for item in items:
        if "tests/browser" in item.path.as_posix():
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.xdist_group("browser"))


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built from the sources as they are."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="session")
def serve(site: Path) -> Iterator[Callable[[str], str]]:
    """Serve the site below a prefix and return its address."""
    servers = {}

    def start(prefix: str) -> str:
        if prefix not in servers:
            server = make_server(site, port=0, prefix=prefix, quiet=True)
            threading.Thread(target=server.serve_forever, daemon=True).start()
            servers[prefix] = server
        return f"http://127.0.0.1:{servers[prefix].server_address[1]}{prefix}"

    yield start
    for server in servers.values():
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=chromium(),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield running
        running.close()


def chromium() -> str:
    """A Chromium or Chrome on this machine."""
    names = [os.environ.get("SANDBOX_CHROMIUM", ""), *CHROMIUMS]
    for name in filter(None, names):
        found = shutil.which(name)
        if found:
            return found
    raise RuntimeError("No Chromium or Chrome was found. Run: tools/need chromium")


@dataclass
class Visit:
    """A page with short words for what a reader does on it."""

    page: Page
    base: str
    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def open(self, path: str) -> None:
        self.page.goto(self.base + path)

    def cell(self, number: int) -> Locator:
        return self.page.locator(f'[data-cell="{number}"]')

    def exercise(self, name: str) -> Locator:
        return self.page.locator(f'[data-exercise="{name}"]')

    @staticmethod
    def press(where: Locator, button: str) -> None:
        where.get_by_test_id(button).click()

    @staticmethod
    def write(where: Locator, text: str) -> None:
        where.get_by_test_id("editor").evaluate("(node, text) => node.setValue(text)", text)

    @staticmethod
    def text(where: Locator) -> str:
        value: str = where.get_by_test_id("editor").evaluate("node => node.getValue()")
        return value

    def run(self, where: Locator) -> None:
        """Press Run and wait for the end."""
        self.press(where, "run")
        self.ended(where)

    def check(self, where: Locator) -> None:
        """Press Check and wait for the verdict."""
        self.press(where, "check")
        self.ended(where)

    @staticmethod
    def ended(where: Locator) -> None:
        expect(where).to_have_attribute("aria-busy", "false")

    def saved(self) -> None:
        """Wait until everything that was changed is in the browser's store."""
        expect(self.page.locator("html")).to_have_attribute("data-work", "saved")

    def marks(self, name: str) -> int:
        script = "name => performance.getEntriesByName(name).length"
        count: int = self.page.evaluate(script, name)
        return count

    @property
    def outside(self) -> list[str]:
        """Requests that left the server this page came from."""
        origin = self.base.split("/", 3)[:3]
        inside = ("/".join(origin) + "/", "data:", "blob:")
        return [url for url in self.requests if not url.startswith(inside)]


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    made = browser.new_context(viewport={"width": 1280, "height": 900})
    made.set_default_timeout(PATIENCE_MS)
    yield made
    made.close()


@pytest.fixture
def visit(context: BrowserContext, serve: Callable[[str], str]) -> Iterator[Visit]:
    """A page; whatever it throws or asks of others fails the test."""
    made = Visit(context.new_page(), serve("/"))
    context.on("request", lambda request: made.requests.append(request.url))
    made.page.on("pageerror", lambda error: made.errors.append(str(error)))
    yield made
    assert made.outside == []
    assert made.errors == []


@pytest.fixture(scope="session")
def lab() -> Lab:
    return find_lab("acks")


@pytest.fixture(scope="session")
def answer(lab: Lab) -> str:
    """The reference answer to the lab's first exercise."""
    return lab.solution(lab.exercises[0].id).read_text(encoding="utf-8")
