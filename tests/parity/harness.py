"""What the parity of Kafka and of Redis have in common: scenarios, where they are played, records.

A scenario is a program for the real client library. It is played in a simulated world, against the
sandbox's own server over TCP, and against the real server. It writes what it sees into a
transcript, and two servers are alike where the transcripts are equal. The real one's is kept in
`recorded.json`, so that the sandbox is held to it with or without a real server at hand.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from sandbox.stack.simulated import SimulatedStack

#: Virtual seconds: a scenario that is not over by then waits for something that never comes.
PATIENCE_S = 600.0
#: How long a scenario waits for what a server does in its own time, seconds of either kind.
PATIENCE_REAL_S = 60.0
_LOOK_EVERY_S = 0.02


class Stage:
    """One server for one scenario; the protocols' stages add their clients."""

    def __init__(self, host: str, port: int, token: str) -> None:
        self.host, self.port, self.token = host, port, token
        self.transcript: list[Any] = []

    def name(self, plain: str) -> str:
        """A name that no other playing of the scenario uses; the transcript has it plain."""
        return f"{plain}.{self.token}"

    def see(self, *what: Any) -> None:
        """Write something into the transcript."""
        self.transcript.append(self.plain(list(what)))

    def refused(self, act: Callable[[], Any]) -> None:
        """Do something that must fail, and write down how."""
        try:
            result = act()
        except Exception as error:
            self.see("refused", type(error).__name__, self.said(error))
        else:
            self.see("not refused", repr(result))

    def said(self, error: Exception) -> str:
        """The part of an error that is the server's."""
        return str(error)

    def until(self, look: Callable[[], Any]) -> Any:
        """Let time pass until something true is found."""
        deadline = time.monotonic() + PATIENCE_REAL_S
        while not (found := look()):
            assert time.monotonic() < deadline, "a scenario waited in vain"
            time.sleep(_LOOK_EVERY_S)
        return found

    def close(self) -> None:
        """Leave the server."""

    def plain(self, value: Any) -> Any:
        """As JSON has it, without what differs from one playing to the next."""
        if isinstance(value, str):
            return re.sub(rf"\.{re.escape(self.token)}\b", "", value)
        if isinstance(value, bytes):
            return self.plain(value.decode("latin-1"))
        if isinstance(value, set | frozenset):
            return sorted((self.plain(item) for item in value), key=repr)
        if isinstance(value, list | tuple):
            return [self.plain(item) for item in value]
        if isinstance(value, dict):
            return {str(self.plain(k)): self.plain(v) for k, v in value.items()}
        if value is None or isinstance(value, bool | int | float):
            return value
        return self.plain(f"{type(value).__name__} {value}")


AnyStage = TypeVar("AnyStage", bound=Stage)


@dataclass
class Protocol(Generic[AnyStage]):
    """The scenarios of one protocol."""

    #: What `needs` calls its broker.
    broker: str
    port: int
    #: The real server, with the version that is recorded.
    real: str
    stage: Callable[[str, int, str], AnyStage]
    folder: Path
    #: Knowingly different: scenario and reason.
    differences: dict[str, str]
    scenarios: dict[str, Callable[[AnyStage], None]] = field(default_factory=dict)

    def scenario(self, play: Callable[[AnyStage], None]) -> Callable[[AnyStage], None]:
        """Register a scenario under its function's name."""
        assert play.__name__ not in self.scenarios
        self.scenarios[play.__name__] = play
        return play

    def alike(self) -> list[str]:
        """The scenarios in which the sandbox is as the real server."""
        return sorted(self.scenarios.keys() - self.differences.keys())

    def in_the_world(self, name: str, *, seed: int = 1) -> list[str]:
        """Play a scenario in a simulated world. What it raises is raised here."""
        stack = SimulatedStack(seed=seed, brokers=[self.broker])
        stage = self.stage("localhost", self.port, "t")
        raised: list[BaseException] = []

        def client() -> None:
            try:
                self.scenarios[name](stage)
            except Exception as error:
                raised.append(error)
            finally:
                stage.close()

        try:
            process = stack.world.start_function(client, name="client")
            stack.world.kernel.condition = lambda: process.exit is not None
            ending = stack.world.run(until_s=PATIENCE_S, to_idle=False)
            if raised:
                raise raised[0]
            assert process.exit == 0, f"{ending.sentence}\n{process.output}"
        finally:
            stack.close()
        return lines(stage.transcript)

    def at(self, host: str, port: int, name: str) -> list[str]:
        """Play a scenario on a server that listens there."""
        stage = self.stage(host, port, f"{time.monotonic_ns():x}")
        try:
            self.scenarios[name](stage)
        finally:
            stage.close()
        return lines(stage.transcript)

    def recorded(self) -> dict[str, list[str]]:
        """What the real server showed, scenario by scenario."""
        text = (self.folder / "recorded.json").read_text(encoding="utf-8")
        return {name: lines(transcript) for name, transcript in json.loads(text).items()}

    def record(self, host: str, port: int, names: list[str]) -> None:
        """Play scenarios, or all, on a real server and keep what it shows."""
        file = self.folder / "recorded.json"
        known = self.recorded() if names and file.exists() else {}
        for name in names or sorted(self.scenarios):
            print(name)
            known[name] = self.at(host, port, name)
        rows = [
            f"{json.dumps(name)}: [\n" + ",\n".join(f"  {line}" for line in known[name]) + "\n]"
            for name in sorted(known)
            if name in self.scenarios
        ]
        file.write_text("{\n" + ",\n".join(rows) + "\n}\n", encoding="utf-8")


def lines(transcript: list[Any]) -> list[str]:
    """One line for each thing seen, so that a difference is one line of a diff."""
    return [json.dumps(item, ensure_ascii=False, sort_keys=True) for item in transcript]
