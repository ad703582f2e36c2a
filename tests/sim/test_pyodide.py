"""Everything here that needs no operating system holds in a browser's Python too.

The page's own Pyodide runs this folder's tests under Node, on fibers made of JavaScript promises.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent

#: About other interpreters, and about the other kind of stacks.
ELSEWHERE = {"test_pyodide.py", "test_determinism.py", "test_stacks.py"}

PROGRAM = """
import json, os, pathlib, sys
import pytest
for name, text in json.loads({files!r}).items():
    file = pathlib.Path("/tmp/tests/sim") / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
os.chdir("/tmp/tests")
pathlib.Path("pytest.ini").write_text("[pytest]\\nmarkers = needs_os\\n")
options = ["-q", "-p", "no:cacheprovider", "--import-mode=importlib", "--tb=short"]
sys.exit(pytest.main([*options, "sim"]))
"""


@pytest.mark.xdist_group("pyodide")
def test_worlds_in_a_browsers_python_keep_the_same_promises(tmp_path):
    files = {
        str(file.relative_to(HERE)): file.read_text(encoding="utf-8")
        for file in sorted(HERE.rglob("*.py"))
        if file.name not in ELSEWHERE
    }
    program = tmp_path / "program.py"
    program.write_text(PROGRAM.format(files=json.dumps(files)), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "sandbox.site.node", str(program)],
        capture_output=True,
        text=True,
        cwd=HERE.parents[1],
        timeout=300,
    )
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-5_000:]
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed is not None
    assert int(passed[1]) > 280, done.stdout[-2_000:]
