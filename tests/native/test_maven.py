"""Jars come from a repository, whole or not at all, and from the disk ever after."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from sandbox.native import kafka, maven, programs
from sandbox.native.errors import ServerUnavailable

pytestmark = pytest.mark.needs_os

PATHS = ("org/acme/tool/1.2/tool-1.2.jar", "org/acme/parts/box/3/box-3.jar")


class Repository:
    """A Maven repository on this machine, and what was asked of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for path in PATHS:
            (folder / path).parent.mkdir(parents=True)
            (folder / path).write_bytes(f"the bytes of {path}".encode())
        self.lock = "# a comment\n" + "".join(
            f"{hashlib.sha256((folder / path).read_bytes()).hexdigest()}  {path}\n"
            for path in PATHS
        )
        self.asked: list[str] = []


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Repository]:
    found = Repository(tmp_path / "repository")

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, form: str, *arguments: object) -> None:
            found.asked.append(self.path)

    handler = partial(Handler, directory=str(found.folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv(maven.MIRROR_VARIABLE, f"http://127.0.0.1:{server.server_port}/")
        monkeypatch.setenv("SANDBOX_CACHE", str(tmp_path / "cache"))
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        monkeypatch.setattr(programs, "find", lambda names: None)  # no Maven here
        yield found
        server.shutdown()


def test_jars_are_fetched_once_and_found_ever_after(repository: Repository) -> None:
    said: list[str] = []
    folder = maven.jars("tool", repository.lock, said.append)
    assert sorted(file.name for file in folder.iterdir()) == ["box-3.jar", "tool-1.2.jar"]
    assert said == ["Fetching 2 files for tool from Maven Central, once"]
    asked = list(repository.asked)
    assert len(asked) == 2
    assert maven.jars("tool", repository.lock, said.append) == folder
    assert repository.asked == asked
    assert len(said) == 1


def test_a_jar_with_another_checksum_is_refused_and_nothing_is_kept(repository: Repository) -> None:
    (repository.folder / PATHS[0]).write_bytes(b"something else")
    with pytest.raises(ServerUnavailable, match=r"tool-1\.2\.jar is not the file"):
        maven.jars("tool", repository.lock)
    assert list(maven.cache_folder().iterdir()) == []


def test_a_repository_that_is_not_there_is_named(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(maven.MIRROR_VARIABLE, "http://127.0.0.1:9/maven")
    with pytest.raises(ServerUnavailable, match=r"127\.0\.0\.1:9/maven.*SANDBOX_MAVEN_REPOSITORY"):
        maven.jars("tool", repository.lock)


def test_a_lock_in_another_state_is_another_folder(repository: Repository) -> None:
    first = maven.jars("tool", repository.lock)
    second = maven.jars("tool", repository.lock.splitlines()[1] + "\n")
    assert first != second
    assert len(list(second.iterdir())) == 1


def test_what_mavens_client_says_is_passed_on(
    repository: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    client = tmp_path / "mvn"
    client.write_text("#!/bin/sh\necho '[ERROR] no route to the repository'\nexit 1\n")
    client.chmod(0o755)
    monkeypatch.setattr(programs, "find", lambda names: client)
    with pytest.raises(ServerUnavailable, match="no route to the repository"):
        maven.jars("tool", repository.lock)


def test_the_lock_has_kafka_and_a_checksum_for_each_jar() -> None:
    jars = maven.read_lock(kafka.LOCK.read_text())
    assert ("org.apache.kafka", "kafka_2.13", kafka.VERSION) in [jar.coordinates for jar in jars]
    assert set(kafka.ROOTS) <= {jar.coordinates for jar in jars}
    assert all(len(jar.sha256) == 64 for jar in jars)
    assert len({jar.path.name for jar in jars}) == len(jars)
