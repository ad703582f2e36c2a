"""The page works in Firefox too: one visit, from opening a lab to a verdict."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from sandbox.course.lesson import cells, read_lesson
from sandbox.course.model import Lab
from sandbox.site.bundle.nodejs import find_node
from sandbox.site.bundle.npm import install_npm_packages, web_folder


def firefox() -> str:
    for name in filter(None, [os.environ.get("SANDBOX_FIREFOX"), "firefox-esr", "firefox"]):
        found = shutil.which(name)
        if found:
            return found
    raise RuntimeError("No Firefox was found. Run: tools/need firefox-esr")


def test_a_lab_runs_and_checks_in_firefox(serve: Callable[[str], str], lab: Lab) -> None:
    install_npm_packages(print)
    task = lab.exercises[0]
    done = find_node().run(
        Path(__file__).with_name("firefox.mjs"),
        firefox(),
        serve("/") + f"labs/{lab.slug}/",
        task.id,
        lab.solution(task.id),
        web_folder(),
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout.splitlines()[-1])
    first = cells(read_lesson(lab.lesson_path))[0]
    assert seen["output"] == (first.output or "")
    assert set(seen["outcomes"]) == {"pass"}
