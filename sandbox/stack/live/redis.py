"""`lab.redis` on a real Redis: the checks' own administrator, with redis-py.

See `sandbox.stack.observers.RedisObserver` for what each method promises.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, NoReturn

import redis

from sandbox.stack.base import StackUnavailable
from sandbox.stack.live.places import Place
from sandbox.stack.live.process import LiveProcess
from sandbox.stack.live.tapped import TappedConnection

#: Settings that say what outlives a restart; Redis forgets those that CONFIG SET changed.
_KEPT_SETTINGS = ("appendonly", "appendfsync", "save")
#: Commands that return before what they begin is done.
_SAVING = ("BGSAVE", "BGREWRITEAOF", "CONFIG SET APPENDONLY")
_SAVES_WITHIN_S = 30.0
_NO_TRACE = (
    "A real {} keeps no trace. Ask for what it holds instead, or mark the check with "
    '@pytest.mark.stack("simulated").'
)


class LiveRedis:
    """Acts and observes as one more client."""

    def __init__(
        self, place: Place, changed: threading.Condition, processes: Sequence[LiveProcess]
    ) -> None:
        self._place = place
        self._changed = changed
        self._processes = processes
        self._databases: dict[int, Any] = {}
        keys = sum(entry["keys"] for entry in self._keyspace().values())
        if keys:
            host, port = place.addresses[0]
            raise StackUnavailable(
                f"The Redis at {host}:{port} holds {keys} keys, and a live run empties it at its "
                "end. Empty it yourself (redis-cli FLUSHALL) or name another one in REDIS_URL."
            )

    def execute(self, *words: str | bytes | int | float, database: int = 0) -> Any:
        """Do a command and return its reply, as RESP3 has it."""
        try:
            reply = _plain(self._client(database).execute_command(*words))
            self._until_saved(words)
        except redis.ResponseError as error:
            text = str(error)
            # redis-py takes Redis's most general word off.
            raise ValueError(text if re.match(r"[A-Z]+ ", text) else f"ERR {text}") from None
        return reply

    def _until_saved(self, words: Sequence[str | bytes | int | float]) -> None:
        """Wait for a file that a command makes Redis write in the background."""
        said = " ".join(str(word) for word in words[:3]).upper()
        deadline = time.monotonic() + _SAVES_WITHIN_S
        while said.startswith(_SAVING) and time.monotonic() < deadline:
            told = _text(_plain(self._client(0).execute_command("INFO", "persistence")))
            if not re.search(r"(in_progress|scheduled):1", told):
                return
            time.sleep(0.01)

    def clients(self) -> list[str]:
        """The names of the exercise's processes that are connected, one per connection."""
        return names_of_connected(self._changed, self._processes, "redis")

    def restart(self, *, crash: bool = False) -> None:
        """Stop and start it, with the settings that say what is kept."""
        self._halt(crash=crash)
        self.start()

    def kill(self) -> None:
        """End it at once and leave it down."""
        self._halt(crash=True)

    def start(self) -> None:
        """Start it after `kill`."""
        self._place.resume()

    def events(self, kind: str) -> NoReturn:
        """Raise: a real Redis keeps no trace. Raises: NotImplementedError."""
        raise NotImplementedError(_NO_TRACE.format("Redis"))

    def close(self) -> None:
        """Empty it and leave."""
        with suppress(redis.RedisError):
            self._client(0).execute_command("FLUSHALL")
        for client in self._databases.values():
            client.close()

    def _halt(self, *, crash: bool) -> None:
        with suppress(redis.RedisError):
            self._place.configure(
                {
                    name: _text(self.execute("CONFIG", "GET", name)[name.encode()])
                    for name in _KEPT_SETTINGS
                }
            )
        self._place.halt(crash=crash)

    def _keyspace(self) -> dict[str, dict[str, int]]:
        found = _text(self.execute("INFO", "keyspace"))
        return {
            name: {"keys": int(keys)} for name, keys in re.findall(r"(db\d+):keys=(\d+)", found)
        }

    def _client(self, database: int) -> Any:
        if database not in self._databases:
            host, port = self._place.addresses[0]
            made: Any = redis.Redis(host=host, port=port, db=database, protocol=3)
            made.response_callbacks.clear()  # replies as they are
            self._databases[database] = made
        return self._databases[database]


def names_of_connected(
    changed: threading.Condition, processes: Sequence[LiveProcess], kind: str
) -> list[str]:
    """The names of processes that are connected to the broker of that kind, one per connection."""
    with changed:
        return [
            process.name
            for process in processes
            for connection in process.connections
            if isinstance(connection, TappedConnection)
            and connection.tap.kind == kind
            and connection.tap.opened
            and not connection.closed
        ]


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, set | frozenset):
        return sorted(map(_plain, value))
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {_plain(key): _plain(item) for key, item in value.items()}
    return value


def _text(value: bytes) -> str:
    return value.decode(errors="replace")
