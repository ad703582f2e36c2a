"""What the page is made of is locked, and carries nobody's addresses."""

from __future__ import annotations

import json
import re

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from sandbox.site.bundle.npm import web_folder
from sandbox.site.bundle.wheels import LOCKS

LOCKED = re.compile(r"(?P<name>[a-z0-9._-]+)==(?P<version>[^ ]+) --hash=sha256:[0-9a-f]{64}")


def lines(name: str) -> list[str]:
    text = (LOCKS / name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


@pytest.mark.parametrize("name", ["page", "stripped", "tools"])
def test_a_lock_holds_everything_its_list_asks_for(name: str) -> None:
    locked = {}
    for line in lines(f"{name}.txt"):
        found = LOCKED.fullmatch(line)
        assert found, f"{name}.txt: {line!r} has no version or no hash"
        locked[canonicalize_name(found["name"])] = found["version"]
    for line in lines(f"{name}.in"):
        wanted = Requirement(line)
        version = locked.get(canonicalize_name(wanted.name))
        assert version is not None, (
            f"{wanted.name} is not locked: python -m sandbox.site.bundle lock"
        )
        assert wanted.specifier.contains(version)


def test_the_npm_lock_names_no_registry() -> None:
    locked = json.loads((web_folder() / "package-lock.json").read_text(encoding="utf-8"))
    for name, package in locked["packages"].items():
        assert "resolved" not in package, f"{name} names where it came from"


def test_pyodide_is_locked_to_one_version() -> None:
    package = json.loads((web_folder() / "package.json").read_text(encoding="utf-8"))
    assert re.fullmatch(r"\d+\.\d+\.\d+", package["dependencies"]["pyodide"])
