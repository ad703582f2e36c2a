"""Servers that go on after the command that started them: what `sandbox stack` does.

What runs is written into one file, server by server, as soon as each of them serves: its ports and
its processes, each by number and birth. Whoever reads the file later, after a crash or a restart of
the machine too, can tell what is still there, and ends nothing that is not ours. Data and logs are
in a folder for each server beside that file; they stay until `down(forget=True)`.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import platformdirs

from sandbox.native import catalogue
from sandbox.native.child import Child, end_all
from sandbox.native.errors import ServerUnavailable
from sandbox.native.kafka import Kafka, brokers_in
from sandbox.native.ports import answers
from sandbox.native.server import STOP_TIMEOUT_S, refuse_taken

_VERSION = 1


def state_folder() -> Path:
    """Where it is all kept; SANDBOX_STATE overrides."""
    chosen = os.environ.get("SANDBOX_STATE")
    if chosen:
        return Path(chosen)
    return Path(platformdirs.user_state_dir("queue-sandbox", False)) / "stack"


@dataclass(frozen=True)
class Running:
    """A server that was started and may still run."""

    name: str
    version: str
    offset: int
    address: str
    ports: dict[str, int]
    children: tuple[Child, ...]
    logs: tuple[str, ...]

    @property
    def title(self) -> str:
        """As people write it."""
        return catalogue.SERVERS[self.name].title

    @property
    def missing(self) -> int:
        """How many of its processes have ended."""
        return sum(not child.alive for child in self.children)

    @property
    def serves(self) -> bool:
        """Whether all of it runs and answers."""
        asked = [port for name, port in self.ports.items() if name in catalogue.PORTS[self.name]]
        return not self.missing and all(answers(port, timeout_s=2.0) for port in asked)

    @property
    def memory_bytes(self) -> int:
        """How much memory it holds."""
        return sum(child.memory_bytes for child in self.children)


class Standing:
    """The servers that stand on this machine, for this user."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or state_folder()
        self._file = self.folder / "running.json"

    def running(self) -> list[Running]:
        """What was started and not stopped; a server of which nothing is left is forgotten."""
        known = self._read()
        left = [each for each in known if each.missing < len(each.children)]
        if left != known:
            self._write(left)
        return left

    def logs(self, name: str) -> list[Path]:
        """The log files of a server, running or not."""
        return sorted((self.folder / name).glob("server*.log"))

    def up(
        self,
        names: Sequence[str],
        *,
        offset: int = 0,
        kafka_brokers: int | None = None,
        say: Callable[[str], None] = lambda sentence: None,
    ) -> list[Running]:
        """Start those of the servers that do not run; return all that run, in our order.

        Without `kafka_brokers` there are as many as there were, or one.

        Raises:
            ServerUnavailable: one of them cannot be had; nothing was started if that could be
                known before.
        """
        known = {each.name: each for each in self.running()}
        if kafka_brokers is None:
            kafka_brokers = brokers_in(self.folder / Kafka.name) or 1
        wanted = []
        for name in names:
            there = known.get(name)
            if there is None or there.missing:
                wanted.append(name)
                continue
            self._same(there, offset, kafka_brokers)
            say(f"{there.title} {there.version} runs already, at {there.address}")
        self._possible([name for name in wanted if name not in known], offset, kafka_brokers)
        for name in wanted:
            if name in known:  # part of it has ended
                self._end(known.pop(name))
            server = catalogue.make(
                name, self.folder / name, offset=offset, kafka_brokers=kafka_brokers, say=say
            )
            say(f"Starting {server.title} {server.version()}")
            for log in self.logs(name):
                log.unlink()
            server.start()
            known[name] = Running(
                name=name,
                version=server.version(),
                offset=offset,
                address=server.address,
                ports=server.ports,
                children=tuple(server.children),
                logs=tuple(str(log) for log in self.logs(name)),
            )
            self._write(list(known.values()))
            say(f"{server.title} {server.version()} serves at {server.address}")
        return self.running()

    def down(self, names: Sequence[str] | None = None, *, forget: bool = False) -> list[Running]:
        """Stop them, or all; with `forget` remove their data too. Returns what was stopped."""
        chosen = list(catalogue.SERVERS) if names is None else list(names)
        stopped = [each for each in self.running() if each.name in chosen]
        for each in stopped:
            self._end(each)
        if forget:
            for name in chosen:
                shutil.rmtree(self.folder / name, ignore_errors=True)
        return stopped

    def _same(self, there: Running, offset: int, kafka_brokers: int) -> None:
        if there.offset != offset:
            raise ServerUnavailable(
                f"{there.title} runs already, at {there.address}. To move it: sandbox stack down, "
                f"then sandbox stack up --port-offset {offset}"
            )
        if there.name == Kafka.name and len(there.children) != kafka_brokers:
            raise ServerUnavailable(
                f"Kafka runs already, with {len(there.children)} brokers. For {kafka_brokers}: "
                "sandbox stack down --with kafka --forget, then sandbox stack up --kafka-brokers "
                f"{kafka_brokers}"
            )

    def _possible(self, names: Sequence[str], offset: int, kafka_brokers: int) -> None:
        """Look at everything that can be looked at before anything is started."""
        reasons = []
        for name in names:
            server = catalogue.make(
                name, self.folder / name, offset=offset, kafka_brokers=kafka_brokers
            )
            try:
                server.version()
                for port in server.wanted_ports:
                    refuse_taken(server.title, port)
            except ServerUnavailable as reason:
                reasons.append(str(reason))
        if reasons:
            able = "Nothing was started. To start only some: sandbox stack up --with "
            raise ServerUnavailable("\n".join([*reasons, able + "NAME,NAME"]))

    def _end(self, running: Running) -> None:
        together = catalogue.SERVERS[running.name].stops_together
        end_all(running.children, STOP_TIMEOUT_S, together=together)
        self._write([each for each in self._read() if each.name != running.name])

    def _read(self) -> list[Running]:
        try:
            known = json.loads(self._file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return []
        except (OSError, ValueError) as error:
            raise ServerUnavailable(
                f"{self._file} says what runs, and cannot be read: {error}. If no server of "
                "`sandbox stack` runs any more, delete it."
            ) from None
        if known.get("version") != _VERSION:
            raise ServerUnavailable(
                f"{self._file} was written by another version of the sandbox. Stop its servers "
                "with that version (sandbox stack down), or delete the file if none run."
            )
        return [
            Running(
                **(
                    entry
                    | {
                        "children": tuple(Child(**child) for child in entry["children"]),
                        "logs": tuple(entry["logs"]),
                    }
                )
            )
            for entry in known["servers"]
        ]

    def _write(self, running: Sequence[Running]) -> None:
        order = list(catalogue.SERVERS)
        entries = [asdict(each) for each in sorted(running, key=lambda r: order.index(r.name))]
        self.folder.mkdir(parents=True, exist_ok=True)
        new = self._file.with_suffix(".new")
        text = json.dumps({"version": _VERSION, "servers": entries}, indent=2)
        new.write_text(text + "\n", encoding="utf-8")
        new.replace(self._file)
