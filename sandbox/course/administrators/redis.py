"""`lab.redis`: the checks' administrator of the run's Redis. Keys and values are text.

All of it but `execute` is said in Redis's own commands, so it means the same on every stack.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.course.administrators.values import Values, text
from sandbox.stack.base import RedisObserver


@dataclass(frozen=True)
class Entry:
    """An entry of a stream."""

    id: str
    fields: Mapping[str, str]


@dataclass(frozen=True)
class Pending:
    """An entry that a consumer of a group was given and has not acknowledged."""

    id: str
    consumer: str
    idle_s: float
    deliveries: int


class Redis:
    """See the module."""

    def __init__(self, observer: RedisObserver) -> None:
        self._observer = observer

    def execute(self, *words: str | bytes | int | float, database: int = 0) -> Any:
        """Do any command that does not wait; its reply, as text, numbers, lists and dicts.

        Raises:
            ValueError: Redis answered with an error; has its text.
        """
        return _readable(self._observer.execute(*words, database=database))

    # keys

    def keys(self, pattern: str = "*") -> list[str]:
        """The keys there are, sorted."""
        return sorted(self.execute("KEYS", pattern))

    def exists(self, key: str) -> bool:
        """Whether there is such a key."""
        return bool(self.execute("EXISTS", key))

    def ttl_s(self, key: str) -> float | None:
        """How long until it expires; None when it does not, or there is none."""
        left_ms = self.execute("PTTL", key)
        return left_ms / 1000 if left_ms >= 0 else None

    def get(self, key: str) -> str | None:
        """A string's value."""
        value: str | None = self.execute("GET", key)
        return value

    def elements(self, key: str) -> Values:
        """A list's elements, left to right; empty when there is no such key."""
        return Values(self.execute("LRANGE", key, 0, -1))

    def members(self, key: str) -> Values:
        """A set's members, sorted."""
        return Values(sorted(self.execute("SMEMBERS", key)))

    def scores(self, key: str) -> dict[str, float]:
        """A sorted set's members and scores, lowest first."""
        return dict(self.execute("ZRANGE", key, 0, -1, "WITHSCORES"))

    def fields(self, key: str) -> dict[str, str]:
        """A hash's fields and values."""
        return dict(self.execute("HGETALL", key))

    # streams

    def stream(self, key: str) -> list[Entry]:
        """A stream's entries, oldest first; empty when there is no such key."""
        return [
            Entry(number, dict(zip(flat[::2], flat[1::2], strict=True)))
            for number, flat in self.execute("XRANGE", key, "-", "+")
        ]

    def values(self, key: str, field: str) -> Values:
        """One field of every entry of a stream, where it has it, oldest first."""
        return Values(e.fields[field] for e in self.stream(key) if field in e.fields)

    def groups(self, key: str) -> dict[str, Mapping[str, Any]]:
        """A stream's consumer groups, as XINFO GROUPS tells of them."""
        if not self.exists(key):
            return {}
        return {group["name"]: group for group in self.execute("XINFO", "GROUPS", key)}

    def pending(self, key: str, group: str) -> list[Pending]:
        """What consumers were given and have not acknowledged, oldest first."""
        if group not in self.groups(key):
            return []
        return [
            Pending(number, consumer, idle_ms / 1000, deliveries)
            for number, consumer, idle_ms, deliveries in self.execute(
                "XPENDING", key, group, "-", "+", 1_000_000
            )
        ]

    def lag(self, key: str, group: str) -> int:
        """How many entries the group was not given yet; all of them when there is no group."""
        last = self.groups(key).get(group, {}).get("last-delivered-id", "0-0")
        if last == "0-0":
            return len(self.stream(key))
        return len(self.execute("XRANGE", key, f"({last}", "+"))

    # the server

    def clients(self) -> list[str]:
        """The names of the exercise's processes that are connected, one per connection."""
        return self._observer.clients()

    def blocked(self) -> int:
        """How many clients wait in a command such as BRPOP."""
        for line in self.execute("INFO", "clients").splitlines():
            name, _, value = line.partition(":")
            if name == "blocked_clients":
                return int(value)
        return 0

    def configure(self, **settings: object) -> None:
        """CONFIG SET; settings are written with underscores: `maxmemory_policy="noeviction"`."""
        for name, value in settings.items():
            self.execute("CONFIG", "SET", name.replace("_", "-"), str(value))

    def restart(self, *, crash: bool = False) -> None:
        """Stop and start it, in good order or as if it was killed."""
        self._observer.restart(crash=crash)

    def kill(self) -> None:
        """End it at once and leave it down."""
        self._observer.kill()

    def start(self) -> None:
        """Start it after `kill`."""
        self._observer.start()

    def events(self, kind: str) -> list[Mapping[str, Any]]:
        """Trace events of a kind that Redis reported, where the stack keeps a trace."""
        return self._observer.events(kind)


def _readable(reply: Any) -> Any:
    if isinstance(reply, bytes):
        return text(reply)
    if isinstance(reply, dict):
        return {_readable(key): _readable(value) for key, value in reply.items()}
    if isinstance(reply, (list, tuple)):
        return [_readable(each) for each in reply]
    return reply
