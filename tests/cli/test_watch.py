"""`sandbox watch` as a person meets it: a terminal, keys, a saved file."""

from __future__ import annotations

import os
import select
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import DATA

pty = pytest.importorskip("pty", reason="terminals are POSIX's here")

DEADLINE_S = 30.0


class Session:
    """`sandbox watch` on a terminal of its own."""

    def __init__(self, folder: Path) -> None:
        self.seen = ""
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            os.environ["SANDBOX_LABS"] = str(DATA / "labs")
            os.environ["TERM"] = "xterm"
            os.execv(sys.executable, [sys.executable, "-m", "sandbox", "watch", "tiny"])

    def expect(self, text: str) -> float:
        """Read until `text` was shown; how long it took."""
        began = time.monotonic()
        while text not in self.seen:
            left = DEADLINE_S - (time.monotonic() - began)
            ready, _, _ = select.select([self.terminal], [], [], max(left, 0))
            assert ready, f"{text!r} was never shown, only {self.seen!r}"
            self.seen += os.read(self.terminal, 65536).decode(errors="replace")
        self.seen = self.seen.partition(text)[2]
        return time.monotonic() - began

    def press(self, key: str) -> None:
        os.write(self.terminal, key.encode())

    def ends(self) -> int:
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


@pytest.fixture
def session(home: Path, sandbox: object) -> Iterator[Session]:
    sandbox("start")  # type: ignore[operator]
    session = Session(home)
    yield session
    os.close(session.terminal)


def test_a_session_from_first_look_to_quit(session: Session, home: Path) -> None:
    session.expect("exercise 1 of 2")
    session.expect("still raises NotImplementedError")
    session.press("h")
    session.expect("Hint 1 of 2: What is a total?")
    shutil.copy(DATA / "solutions" / "tiny" / "total.py", home / "tiny" / "total.py")
    assert session.expect("exercise 1 of 2") < 1.5  # a look every 0.2 s, then the check itself
    session.expect("2 of 2")
    session.press("q")
    assert session.ends() == 0
    progress = (home / ".sandbox" / "progress.json").read_text()
    assert '"passed": true' in progress
