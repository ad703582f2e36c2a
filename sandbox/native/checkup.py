"""What this machine has of what the sandbox can use, and how to get the rest: `sandbox doctor`.

Every finding is one of three: *ok*; *note*, worth knowing and no obstacle; *missing*, something
that the sandbox offers cannot be used until it is mended. A check never raises: where a system does
not tell, the finding says that it does not.

To check something else, write a function that yields findings and add it to `CHECKS`.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psutil

from sandbox.holders import holder
from sandbox.native import catalogue, java, kafka, maven, programs
from sandbox.native.errors import ServerUnavailable
from sandbox.native.ports import taken
from sandbox.native.standing import Running, Standing

State = Literal["ok", "note", "missing"]

_GB = 1 << 30
_LEAST_MEMORY = 300 << 20
_WANTED_MEMORY = 1 << 30
_LEAST_DISK = 500 << 20
_OLDEST_PYTHON = (3, 11)
_LIBRARIES = ("pika", "kafka-python", "redis", "paho-mqtt", "aiomqtt", "celery")
_BROWSERS = {
    "Chromium": ("chromium", "chromium-browser"),
    "Chrome": (
        "google-chrome",
        "google-chrome-stable",
        "chrome",
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
        r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    ),
    "Edge": (
        "microsoft-edge",
        "msedge",
        "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
        r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
    ),
    "Firefox": (
        "firefox",
        "firefox-esr",
        "/Applications/Firefox.app/Contents/MacOS/firefox",
        r"C:\Program Files\Mozilla Firefox\firefox.exe",
    ),
}
_DOCKER_OUT_OF_REACH = "installed, and its service does not answer"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; `fix` says what to do, "" where nothing needs to be."""

    what: str
    state: State
    found: str
    fix: str = ""


def examine() -> list[Finding]:
    """Look at everything."""
    return [finding for check in CHECKS for finding in check()]


def python() -> Iterator[Finding]:
    """The interpreter and the client libraries."""
    version = platform.python_version()
    if sys.version_info >= _OLDEST_PYTHON:
        yield Finding("Python", "ok", f"{version} ({sys.executable})")
    else:
        yield Finding("Python", "missing", version, "Install Python 3.11 or newer.")
    there, absent = [], []
    for name in _LIBRARIES:
        try:
            there.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            absent.append(name)
    yield Finding(
        "client libraries",
        "note" if absent else "ok",
        ", ".join(there) or "none",
        f"For exercises that use them: pip install {' '.join(absent)}" if absent else "",
    )


def machine() -> Iterator[Finding]:
    """Memory and disk."""
    memory = psutil.virtual_memory()
    found = f"{memory.available / _GB:.1f} GB free of {memory.total / _GB:.1f} GB"
    if memory.available < _LEAST_MEMORY:
        yield Finding("memory", "missing", found, "Close other programs; 300 MB are needed.")
    elif memory.available < _WANTED_MEMORY:
        yield Finding("memory", "note", found, "Three Kafka brokers want 1.1 GB; one wants 0.4 GB.")
    else:
        yield Finding("memory", "ok", found)
    folder = _existing(maven.cache_folder())
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        yield Finding("disk", "note", f"{folder}: {error.strerror}")
        return
    found = f"{free / _GB:.1f} GB free at {folder}"
    if free < _LEAST_DISK:
        fix = "Make room, or name another folder in SANDBOX_CACHE and SANDBOX_STATE."
        yield Finding("disk", "missing", found, fix)
    else:
        yield Finding("disk", "ok", found)


def browsers() -> Iterator[Finding]:
    """A browser in which the pages can run Python."""
    found = [name for name, places in _BROWSERS.items() if programs.find(places)]
    if found:
        yield Finding("browser", "ok", ", ".join(found))
    else:
        yield Finding(
            "browser",
            "missing",
            "none that is known here",
            "The course's pages run in a current Chrome, Edge or Firefox. Everything else works "
            "without: sandbox start my-queues",
        )


def docker() -> Iterator[Finding]:
    """Docker, which nothing needs."""
    version = docker_version()
    if version is None:
        fix = "Not needed: sandbox stack up starts the real servers without it."
        yield Finding("Docker", "note", "not installed", fix)
    elif not version:
        fix = "Start Docker, or do without: sandbox stack up"
        yield Finding("Docker", "note", _DOCKER_OUT_OF_REACH, fix)
    else:
        yield Finding("Docker", "ok", version)


def docker_version() -> str | None:
    """The version of Docker's service; "" when it does not answer, None without Docker."""
    program = programs.find(["docker"])
    if program is None:
        return None
    return programs.asked_version(
        [program, "version", "--format", "server={{.Server.Version}}"], r"server=(\d\S*)"
    )


def servers() -> Iterator[Finding]:
    """The real servers that `sandbox stack` can start."""
    has_docker = bool(docker_version())
    for server in catalogue.SERVERS.values():
        try:
            found = server.version()
        except ServerUnavailable as reason:
            said, _, fix = str(reason).partition(". ")
            state: State = "note" if has_docker else "missing"
            yield Finding(server.title, state, said.removeprefix(f"{server.title} is "), fix)
            continue
        if server is kafka.Kafka:
            program, version = java.find()
            found += f" on Java {version} ({program})"
            if not maven.fetched(f"kafka-{kafka.VERSION}", kafka.lock()):
                fix = "43 MB are fetched at the first start, once; sandbox stack up --with kafka"
                yield Finding(server.title, "note", f"{found}, not fetched yet", fix)
                continue
        yield Finding(server.title, "ok", found or "installed")


def ports() -> Iterator[Finding]:
    """The ports on which programs expect the brokers."""
    ours: dict[int, Running] = {}
    with suppress(ServerUnavailable):
        for running in Standing().running():
            ours.update(dict.fromkeys(running.ports.values(), running))
    for name, usual in catalogue.PORTS.items():
        title = catalogue.SERVERS[name].title
        for port in usual.values():
            if port in ours:
                found = f"{ours[port].title}, started by sandbox stack"
                yield Finding(f"port {port}", "ok", found)
            elif taken(port):
                who = holder(port) or "a process that the system does not name to you"
                fix = (
                    f"If that is not the {title} you want there, stop it, or move ours: sandbox up "
                    "--port-offset 100, sandbox stack up --port-offset 100"
                )
                yield Finding(f"port {port}", "note", f"taken by {who}", fix)
            else:
                yield Finding(f"port {port}", "ok", f"free for {title}")


def settings() -> Iterator[Finding]:
    """Variables that point `--stack live` elsewhere."""
    for variable in (
        "AMQP_URL",
        "RABBITMQ_MANAGEMENT_URL",
        "KAFKA_BOOTSTRAP_SERVERS",
        "REDIS_URL",
        "MQTT_URL",
    ):
        if os.environ.get(variable):
            yield Finding(variable, "note", "set", "--stack live uses the server it names.")


CHECKS: tuple[Callable[[], Iterator[Finding]], ...] = (
    python,
    machine,
    browsers,
    docker,
    servers,
    ports,
    settings,
)


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder
