"""`tools/need` and `tools/make-venv`: found, installed where allowed, or one command to run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="make and sh are POSIX's here")


class Machine:
    """A PATH with nothing on it but what a test puts there."""

    def __init__(self, folder: Path) -> None:
        self.bin = folder

    def has(self, name: str, script: str = "exit 0") -> None:
        path = self.bin / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["/bin/sh", *command],
            cwd=ROOT,
            env={"PATH": str(self.bin), "HOME": str(self.bin)},
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.mark.parametrize("name", ["chromium", "chromium-browser", "google-chrome"])
def test_a_browser_that_is_there_is_used_without_a_word(machine: Machine, name: str) -> None:
    machine.has(name)
    ran = machine.run("tools/need", "chromium")
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")


def test_root_on_debian_gets_the_package(machine: Machine) -> None:
    machine.has("id", "echo 0")
    machine.has(
        "apt-get",
        f'echo "$@" >> {machine.bin}/log\n'
        f'[ "$1" = install ] && printf "#!/bin/sh\\n" > {machine.bin}/chromium '
        f"&& /bin/chmod +x {machine.bin}/chromium\nexit 0",
    )
    ran = machine.run("tools/need", "chromium")
    assert ran.returncode == 0, ran.stderr
    assert "Installing chromium" in ran.stdout
    log = (machine.bin / "log").read_text().splitlines()
    assert log[0].startswith("update")
    assert log[1].startswith("install -y")
    assert log[1].endswith("chromium")


@pytest.mark.parametrize("package", ["chromium", "firefox-esr", "rabbitmq-server", "redis-server"])
def test_anyone_else_is_told_the_one_command_to_run(machine: Machine, package: str) -> None:
    machine.has("id", "echo 1000")
    machine.has("apt-get", "exit 100")
    ran = machine.run("tools/need", package)
    if package == "rabbitmq-server" and Path("/usr/lib/rabbitmq/bin/rabbitmq-server").exists():
        assert ran.returncode == 0  # found without PATH, as Debian puts it
        return
    assert ran.returncode == 1
    assert ran.stderr.rstrip().endswith(f"Run: sudo apt-get install {package}")


def test_a_python_that_is_too_old_is_not_used(machine: Machine) -> None:
    machine.has("python3", "exit 1")
    ran = machine.run("tools/make-venv", "unused")
    assert ran.returncode == 1
    assert "no Python 3.11 or newer" in ran.stderr


def test_make_says_what_can_be_made() -> None:
    ran = subprocess.run(
        ["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True, env=os.environ
    )
    for target in ("serve", "test", "test-live", "site", "bench", "lint"):
        assert f"make {target} " in ran.stdout
