"""The configuration: CONFIG GET, SET, RESETSTAT and REWRITE, and what settings mean here.

A setting that is listed can be read and set; those that mean something to the sandbox are
properties of `Settings`. What is not listed does not exist, as in Redis.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from fakeredis._helpers import OK, SimpleError, SimpleString, compile_pattern

from sandbox.brokers.redis.commands import command
from sandbox.brokers.redis.durability import as_records, save_now, take
from sandbox.brokers.redis.events import read_flags

if TYPE_CHECKING:
    from sandbox.brokers.redis.session import Session

DEFAULTS: Final = {
    "activedefrag": "no", "active-expire-effort": "1", "appenddirname": "appendonlydir",
    "appendfilename": "appendonly.aof", "appendfsync": "everysec", "appendonly": "no",
    "bind": "* -::*", "client-output-buffer-limit":
    "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60",
    "databases": "16", "dbfilename": "dump.rdb", "dir": "/data", "enable-debug-command": "no",
    "lazyfree-lazy-user-del": "no", "lua-time-limit": "5000", "maxmemory-eviction-tenacity": "10",
    "unixsocket": "", "replicaof": "",
    "tracking-table-max-keys": "1000000", "cluster-enabled": "no", "repl-timeout": "60",
    "hll-sparse-max-bytes": "3000", "set-max-listpack-entries": "128",
    "set-max-listpack-value": "64", "auto-aof-rewrite-percentage": "100",
    "auto-aof-rewrite-min-size": "67108864",
    "hash-max-listpack-entries": "512", "hash-max-listpack-value": "64", "hz": "10",
    "io-threads": "1", "lazyfree-lazy-eviction": "no", "lfu-decay-time": "1",
    "lfu-log-factor": "10", "list-compress-depth": "0", "list-max-listpack-size": "-2",
    "loglevel": "notice", "maxclients": "10000", "maxmemory": "0", "maxmemory-clients": "0",
    "maxmemory-policy": "noeviction", "maxmemory-samples": "5",
    "min-replicas-to-write": "0", "no-appendfsync-on-rewrite": "no",
    "notify-keyspace-events": "", "port": "6379", "proto-max-bulk-len": "536870912",
    "protected-mode": "no", "repl-backlog-size": "1048576", "requirepass": "",
    "save": "3600 1 300 100 60 10000", "set-max-intset-entries": "512",
    "slowlog-log-slower-than": "10000", "slowlog-max-len": "128", "stream-node-max-bytes": "4096",
    "latency-monitor-threshold": "0", "stream-node-max-entries": "100", "tcp-keepalive": "300",
    "timeout": "0", "zset-max-listpack-entries": "128", "zset-max-listpack-value": "64",
}  # fmt: skip
_FIXED: Final = frozenset(
    (
        "enable-debug-command",
        "cluster-enabled",
        "unixsocket",
        "appenddirname",
        "appendfilename",
        "databases",
        "io-threads",
        "dir",
        "dbfilename",
    )
)
_CHOICES: Final = {
    "appendonly": ("yes", "no"),
    "appendfsync": ("everysec", "always", "no"),
    "activedefrag": ("yes", "no"),
    "enable-debug-command": ("yes", "no", "local"),
    "protected-mode": ("yes", "no"),
    "maxmemory-policy": (
        "volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl", "allkeys-lru",
        "allkeys-lfu", "allkeys-random", "noeviction",
    ),
}  # fmt: skip
_UNITS: Final = {"kb": 1024, "mb": 1024**2, "gb": 1024**3, "k": 1000, "m": 1000**2, "g": 1000**3}
_SIZES: Final = frozenset(
    ("maxmemory", "maxmemory-clients", "proto-max-bulk-len", "repl-backlog-size")
)


class Settings:
    """The configuration of one server."""

    def __init__(self, given: dict[str, str]) -> None:
        self.values = dict(DEFAULTS)
        self.notify = ""
        for name, value in given.items():
            self.set(name, value, starting=True)
        self._given = dict(self.values)

    def set(self, name: str, value: str, *, starting: bool = False) -> None:
        """Change a setting.

        Raises:
            SimpleError: there is none of this name, or it cannot have this value.
        """
        if name not in self.values:
            raise SimpleError(
                f"ERR Unknown option or number of arguments for CONFIG SET - '{name}'"
            )
        failed = f"ERR CONFIG SET failed (possibly related to argument '{name}') - "
        if name in _FIXED and not starting:
            raise SimpleError(failed + "can't set immutable config")
        choices = _CHOICES.get(name)
        if choices and value.lower() not in choices:
            what = (
                "'yes' or 'no'"
                if len(choices) == 2
                else f"one of the following: {', '.join(choices)}"
            )
            raise SimpleError(f"{failed}argument must be {what}")
        if name in _SIZES:
            value = _bytes(value, failed)
        elif DEFAULTS[name].lstrip("-").isdigit() and not value.lstrip("-").isdigit():
            raise SimpleError(failed + "argument couldn't be parsed into an integer")
        if name == "notify-keyspace-events":
            self.notify = read_flags(value)
        if name == "client-output-buffer-limit":
            value = _buffers(self.values[name], value, failed)
        if name == "save":
            parts = value.split()
            if len(parts) % 2 or not all(part.isdigit() for part in parts):
                raise SimpleError(failed + "Invalid save parameters")
        self.values[name] = value

    def changed(self) -> list[tuple[str, str]]:
        """What is not as this server was started: names and values."""
        return [(n, v) for n, v in self.values.items() if v != self._given[n]]

    @property
    def save_points(self) -> list[tuple[int, int]]:
        """Pairs of seconds and changes after which a snapshot is taken."""
        parts = [int(part) for part in self.values["save"].split()]
        return list(zip(parts[::2], parts[1::2], strict=True))

    @property
    def appendonly(self) -> bool:
        """Whether every write is kept in a log."""
        return self.values["appendonly"] == "yes"

    def output_limit(self, kind: str) -> int:
        """How many bytes may wait for a client of a class, `normal` or `pubsub`; 0 for any."""
        words = self.values["client-output-buffer-limit"].split()
        return int(words[words.index(kind) + 1])

    @property
    def maxmemory(self) -> int:
        """How many bytes the data may take; 0 for any number."""
        return int(self.values["maxmemory"])

    @property
    def slow_us(self) -> int:
        """From which duration on a command is logged as slow; below 0 none is."""
        return int(self.values["slowlog-log-slower-than"])


def _buffers(before: str, value: str, failed: str) -> str:
    """Read groups of `class hard soft seconds`; classes that are not named stay as they are."""
    words, groups = value.split(), {}
    old = before.split()
    for at in range(0, len(old), 4):
        groups[old[at]] = old[at + 1 : at + 4]
    if len(words) % 4:
        raise SimpleError(failed + "Wrong number of arguments in buffer limit configuration.")
    for at in range(0, len(words), 4):
        name = "slave" if words[at].lower() == "replica" else words[at].lower()
        if name not in groups:
            raise SimpleError(
                failed + "Invalid client class specified in buffer limit configuration."
            )
        limits = [_bytes(word, failed) for word in words[at + 1 : at + 3]]
        if not words[at + 3].isdigit():
            raise SimpleError(
                failed
                + "Error in hard, soft or soft_seconds setting in buffer limit configuration."
            )
        groups[name] = [*limits, words[at + 3]]
    return " ".join(" ".join([name, *limits]) for name, limits in groups.items())


def _bytes(value: str, failed: str) -> str:
    lower = value.lower()
    for unit in sorted(_UNITS, key=len, reverse=True):
        if lower.endswith(unit) and lower[: -len(unit)].isdigit():
            return str(int(lower[: -len(unit)]) * _UNITS[unit])
    if lower.rstrip("b").isdigit():
        return lower.rstrip("b")
    raise SimpleError(failed + "argument must be a memory value")


@command("config get", 1, -1)
def config_get(session: Session, *patterns: bytes) -> dict[bytes, bytes]:
    """CONFIG GET pattern ..."""
    found: dict[bytes, bytes] = {}
    for pattern in patterns:
        regex = compile_pattern(pattern.lower())
        for name, value in session.broker.settings.values.items():
            if regex.match(name.encode()):
                found[name.encode()] = value.encode()
    return found


@command("config set", 2, -1)
def config_set(session: Session, *arguments: bytes) -> SimpleString:
    """CONFIG SET name value ..., all of them or none."""
    if len(arguments) % 2:
        raise SimpleError("ERR wrong number of arguments for 'config|set' command")
    broker = session.broker
    settings = broker.settings
    before = dict(settings.values)
    try:
        for name, value in zip(arguments[::2], arguments[1::2], strict=True):
            settings.set(name.decode("utf-8", "replace").lower(), value.decode("utf-8", "replace"))
    except SimpleError:
        settings.values = before
        settings.notify = read_flags(before["notify-keyspace-events"])
        raise
    new = [
        ["config", name, value] for name, value in settings.values.items() if value != before[name]
    ]
    broker.log.tell(new)
    broker.settings_changed()
    if settings.values["appendonly"] != before["appendonly"]:
        if settings.appendonly:
            broker.log.tell(as_records(take(broker.server)))
        else:
            save_now(broker)
    return OK


@command("config resetstat", 0)
def config_resetstat(session: Session) -> SimpleString:
    """CONFIG RESETSTAT."""
    session.broker.counts.clear()
    return OK


@command("config rewrite", 0)
def config_rewrite(session: Session) -> Any:
    """CONFIG REWRITE: there is no file."""
    raise SimpleError("ERR The server is running without a config file")
