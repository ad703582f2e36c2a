"""From opening a page to the first output of Run, against bare Pyodide; and a warm Check, and Stop.

Both pages come from the same server, in the same browser, each time in a profile that has seen
nothing. Bare Pyodide is `loadPyodide()` and one `print`, with nothing of ours. Needs the built site
(`make site`) and a Chromium.
"""

from __future__ import annotations

import shutil
import statistics
import tempfile
import threading
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from sandbox.site.bundle.npm import web_folder
from sandbox.site.server import make_server

ROOT = Path(__file__).parent.parent
RUNS = 5
LIMIT = 0.5
AIM = 0.2
CHECK_LIMIT_S = 3.0
STOP_LIMIT_S = 0.5
TIMEOUT_MS = 120_000

LAB, EXERCISE = "acks", "no_loss"

BARE = """<!doctype html><title>bare</title><body><script type="module">
import { loadPyodide } from "./pyodide/pyodide.mjs";
const pyodide = await loadPyodide({ stdout: (text) => {
  window.firstOutput = performance.now();
} });
pyodide.runPython("print(1)");
</script>"""

#: Press the first cell's Run as soon as the page listens to it.
PRESS = """
const press = setInterval(() => {
  const cell = document.querySelector("[data-cell]");
  if (!cell) return;
  if (cell.hasAttribute("data-running")) clearInterval(press);
  else cell.querySelector('[data-testid="run"]')?.click();
}, 5);
"""

FIRST_OUTPUT = "performance.getEntriesByName('sandbox:first-output')[0]?.startTime"

CHROMIUM = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-sync",
    "--disable-component-update",
]


def main() -> None:
    """Measure and print."""
    if not (ROOT / "site" / "labs" / LAB / "index.html").is_file():
        raise FileNotFoundError("There is no site yet. Build it first: make site")
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        shutil.copytree(ROOT / "site", root / "site")
        shutil.copytree(web_folder() / "node_modules" / "pyodide", root / "pyodide")
        (root / "bare.html").write_text(BARE, encoding="utf-8")
        server = make_server(root, port=0, quiet=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            measure(f"http://127.0.0.1:{server.server_address[1]}")
        finally:
            server.shutdown()
            server.server_close()


def measure(address: str) -> None:
    """Measure what `address` serves, in turns, so that a busy moment hits both alike."""
    bare, ours = [], []
    with sync_playwright() as playwright:
        for _ in range(RUNS):
            bare.append(first_output(playwright, f"{address}/bare.html", "window.firstOutput"))
            ours.append(first_output(playwright, f"{address}/site/", FIRST_OUTPUT))
        with_browser(playwright, lambda page: warm(page, f"{address}/site/labs/{LAB}/"))
    ratio = statistics.median(ours) / statistics.median(bare)
    print(f"bare Pyodide to print      {statistics.median(bare):8.0f} ms   {spread(bare)}")
    print(f"our page to first output   {statistics.median(ours):8.0f} ms   {spread(ours)}")
    print(f"ratio {ratio:.2f} (limit {LIMIT}, aim {AIM})  {verdict(ratio, LIMIT)}")


def first_output(playwright: Any, url: str, when: str) -> float:
    """Milliseconds from navigation to the first output, in a browser of its own."""

    def visit(page: Page) -> float:
        if "bare" not in url:
            page.add_init_script(PRESS)
        page.goto(url, wait_until="commit")
        page.wait_for_function(when, timeout=TIMEOUT_MS, polling=20)
        return float(page.evaluate(when))

    return with_browser(playwright, visit)


def with_browser(playwright: Any, visit: Any) -> Any:
    """Call `visit` with a page of a fresh browser."""
    path = shutil.which("chromium") or shutil.which("google-chrome")
    browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM)
    try:
        return visit(browser.new_page())
    finally:
        browser.close()


def warm(page: Page, url: str) -> None:
    """A Check of the right answer, once a page has been used; and Stop on an endless loop."""
    solution = (ROOT / "solutions" / LAB / f"{EXERCISE}.py").read_text(encoding="utf-8")
    page.goto(url)
    card = page.locator(f'[data-exercise="{EXERCISE}"]')
    times = []
    for _ in range(3):
        card.get_by_test_id("editor").evaluate("(node, text) => node.setValue(text)", solution)
        page.evaluate("performance.clearMarks('sandbox:checked')")
        began = page.evaluate("performance.now()")
        card.get_by_test_id("check").click()
        done = "performance.getEntriesByName('sandbox:checked')[0]?.startTime"
        page.wait_for_function(done, timeout=TIMEOUT_MS, polling=20)
        times.append((page.evaluate(done) - began) / 1000)
        page.wait_for_timeout(1500)  # the spare is made meanwhile, as while a person reads
    print(
        f"Check of {LAB}/{EXERCISE}: first {times[0]:.2f} s, then {times[1]:.2f}, {times[2]:.2f} s"
    )
    print(
        f"warm check {times[2]:.2f} s (limit {CHECK_LIMIT_S})  {verdict(times[2], CHECK_LIMIT_S)}"
    )
    endless = "print('on', flush=True)\nwhile True:\n    pass\n"
    card.get_by_test_id("editor").evaluate("(node, text) => node.setValue(text)", endless)
    card.get_by_test_id("run").click()
    card.get_by_test_id("output").get_by_text("on").wait_for(timeout=TIMEOUT_MS)
    began = page.evaluate("performance.now()")
    card.get_by_test_id("stop").click()
    page.wait_for_function(
        f"!document.querySelector('[data-exercise=\"{EXERCISE}\"]').hasAttribute('data-running')",
        polling=10,
    )
    stopped_s = (page.evaluate("performance.now()") - began) / 1000
    print(f"Stop on an endless loop {stopped_s:.2f} s  {verdict(stopped_s, STOP_LIMIT_S)}")


def spread(values: list[float]) -> str:
    """All values, so that a reader sees how quiet the machine was."""
    return " ".join(f"{value:.0f}" for value in sorted(values))


def verdict(value: float, limit: float) -> str:
    """Whether a promise is kept."""
    return "ok" if value <= limit else "MISSED"


if __name__ == "__main__":
    main()
