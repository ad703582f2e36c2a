"""Finding an installed program, its version, and what to say when it is not there."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from sandbox.native.errors import ServerUnavailable

_ANSWERS_WITHIN_S = 30.0


def find(names: Sequence[str]) -> Path | None:
    """The first of these programs that is here."""
    return next((Path(found) for name in names if (found := shutil.which(name))), None)


def required(title: str, names: Sequence[str], how_to_install: str) -> Path:
    """As `find`.

    Raises:
        ServerUnavailable: none is; says how to install one.
    """
    program = find(names)
    if program is None:
        raise ServerUnavailable(f"{title} is not installed here. {how_to_install}")
    return program


def asked_version(command: Sequence[str | Path], pattern: str) -> str:
    """What a program says its version is, or "" if it does not say so."""
    try:
        ran = subprocess.run(
            [str(word) for word in command],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_ANSWERS_WITHIN_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    found = re.search(pattern, ran.stdout + ran.stderr)
    return found[1] if found else ""
