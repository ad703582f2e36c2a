"""What tools ask about a server and its keys: INFO, OBJECT, MEMORY, SLOWLOG, WAIT, ROLE and such.

[https://redis.io/docs/latest/commands/info/, .../object-encoding/, .../memory-usage/]
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fakeredis._command_args_parsing import Float, Int
from fakeredis._helpers import OK, SimpleError, SimpleString, compile_pattern
from fakeredis.model import Hash, XStream, ZSet, get_command_info

from sandbox.brokers.redis.commands import COMMANDS, command, keys_of
from sandbox.brokers.redis.durability import save_now
from sandbox.brokers.redis.replies import Verbatim

if TYPE_CHECKING:
    from sandbox.brokers.redis.broker import Broker
    from sandbox.brokers.redis.session import Session

_INT64 = 2**63


def used_bytes(broker: Broker) -> int:
    """About how much the data takes."""
    return 1_000_000 + sum(
        size_bytes(key, item.value)
        for db in broker.server.dbs.values()
        for key, item in db._dict.items()
    )


def size_bytes(key: bytes, value: Any) -> int:
    """About what Redis needs for a key and its value."""
    return 56 + len(key) + _size(value)


def _size(value: Any) -> int:
    if isinstance(value, bytes):
        return 16 + len(value)
    if isinstance(value, list):
        return 32 + sum(11 + len(item) for item in value)
    if isinstance(value, XStream):
        return 400 + sum(32 + sum(map(len, fields)) for fields in value._values_dict.values())
    if isinstance(value, ZSet):
        return 64 + sum(40 + len(member) for member in value)
    if isinstance(value, Hash):
        return 64 + sum(24 + len(field) + len(value.get(field) or b"") for field in value)
    return 64 + sum(24 + len(member) for member in value)


def encoding(broker: Broker, value: Any) -> bytes:
    """How Redis keeps a value of this size, as OBJECT ENCODING says it."""
    values = broker.settings.values
    if isinstance(value, bytes):
        digits = value[1:] if value[:1] == b"-" else value
        if (
            digits.isdigit()
            and str(int(value)).encode() == value
            and -_INT64 <= int(value) < _INT64
        ):
            return b"int"
        return b"embstr" if len(value) <= 44 else b"raw"
    if isinstance(value, list):
        return b"quicklist"
    if isinstance(value, XStream):
        return b"stream"
    if isinstance(value, ZSet):
        small = len(value) <= int(values["zset-max-listpack-entries"])
        short = all(len(member) <= int(values["zset-max-listpack-value"]) for member in value)
        return b"listpack" if small and short else b"skiplist"
    if isinstance(value, Hash):
        limit = int(values["hash-max-listpack-value"])
        small = len(value) <= int(values["hash-max-listpack-entries"])
        short = all(len(f) <= limit and len(value.get(f) or b"") <= limit for f in value)
        return b"listpack" if small and short else b"hashtable"
    numbers = all(m.lstrip(b"-").isdigit() and len(m) < 19 for m in value)
    small = len(value) <= int(values["set-max-intset-entries"])
    return b"intset" if numbers and small else b"hashtable"


# -- INFO ------------------------------------------------------------------------------------------


def _sections(broker: Broker) -> dict[str, dict[str, Any]]:
    server, now_s = broker.server, broker.now_ns // 1_000_000_000
    up_s = (broker.now_ns - broker.started_ns) // 1_000_000_000
    used = used_bytes(broker)
    settings = broker.settings
    sections: dict[str, dict[str, Any]] = {
        "Server": {
            "redis_version": ".".join(map(str, broker.version)),
            "redis_git_sha1": "00000000", "redis_git_dirty": 0,
            "redis_build_id": "0", "redis_mode": "standalone", "os": "sandbox",
            "arch_bits": 64, "monotonic_clock": "virtual", "multiplexing_api": "none",
            "process_id": 1, "run_id": broker.run_id, "tcp_port": 6379,
            "server_time_usec": broker.now_ns // 1000, "uptime_in_seconds": up_s,
            "uptime_in_days": up_s // 86400, "hz": 10, "configured_hz": 10,
            "executable": "/usr/bin/redis-server", "config_file": "",
        },
        "Clients": {
            "connected_clients": len(broker.sessions()), "cluster_connections": 0,
            "maxclients": settings.values["maxclients"], "blocked_clients": len(broker.blocked),
            "tracking_clients": 0,
            "clients_in_timeout_table": sum(
                s.waiting is not None and s.waiting.deadline_ns is not None for s in broker.blocked
            ),
        },
        "Memory": {
            "used_memory": used, "used_memory_human": f"{used / 1024**2:.2f}M",
            "used_memory_rss": used, "used_memory_peak": used,
            "used_memory_dataset": used - 1_000_000,
            "maxmemory": settings.values["maxmemory"], "maxmemory_human": "0B",
            "maxmemory_policy": settings.values["maxmemory-policy"],
            "mem_fragmentation_ratio": "1.00", "mem_allocator": "sandbox",
        },
        "Persistence": {
            "loading": 0, "rdb_changes_since_last_save": server.dirty, "rdb_bgsave_in_progress": 0,
            "rdb_last_save_time": server.lastsave, "rdb_last_bgsave_status": "ok",
            "aof_enabled": int(settings.appendonly), "aof_rewrite_in_progress": 0,
            "aof_last_bgrewrite_status": "ok", "aof_last_write_status": "ok",
        },
        "Stats": {
            "total_connections_received": broker.connections_received,
            "total_commands_processed": sum(broker.counts.values()),
            "instantaneous_ops_per_sec": 0, "rejected_connections": 0,
            "expired_keys": server.expired_keys, "evicted_keys": 0,
            "pubsub_channels": len(server.subscribers), "pubsub_patterns": len(server.psubscribers),
            "total_error_replies": broker.errors,
        },
        "Replication": {
            "role": "master", "connected_slaves": 0, "master_failover_state": "no-failover",
            "master_replid": broker.run_id, "master_repl_offset": 0,
        },
        "CPU": {"used_cpu_sys": "0.000000", "used_cpu_user": "0.000000"},
        "Modules": {},
        "Commandstats": {
            f"cmdstat_{name.replace(' ', '|')}": f"calls={n},usec=0,usec_per_call=0.00,"
            "rejected_calls=0,failed_calls=0"
            for name, n in sorted(broker.counts.items())
        },
        "Errorstats": {},
        "Cluster": {"cluster_enabled": 0},
        "Keyspace": {},
    }  # fmt: skip
    for number, db in sorted(server.dbs.items()):
        if len(db):
            ttls = [i.expireat - now_s for i in db._dict.values() if i.expireat is not None]
            average = int(sum(ttls) / len(ttls) * 1000) if ttls else 0
            line = f"keys={len(db)},expires={len(ttls)},avg_ttl={average}"
            sections["Keyspace"][f"db{number}"] = line
    return sections


@command("info", 0, -1)
def info(session: Session, *wanted: bytes) -> Verbatim:
    """INFO [section ...]."""
    sections = _sections(session.broker)
    names = {word.decode("utf-8", "replace").lower() for word in wanted} or {"default"}
    lines: list[str] = []
    for name, fields in sections.items():
        rare = name == "Commandstats"
        if not (names & {"all", "everything", name.lower()} or ("default" in names and not rare)):
            continue
        lines += [""] * bool(lines) + [f"# {name}"]
        lines += [f"{field}:{value}" for field, value in fields.items()]
    return Verbatim("".join(line + "\r\n" for line in lines).encode())


# -- keys ------------------------------------------------------------------------------------------


def _item(session: Session, key: bytes, missing: str | None = None) -> Any:
    item = session._db.get(key)
    if item is None and missing:
        raise SimpleError(missing)
    return item


@command("object encoding", 1)
def object_encoding(session: Session, key: bytes) -> bytes | None:
    """OBJECT ENCODING key."""
    item = _item(session, key)
    return None if item is None else encoding(session.broker, item.value)


@command("object refcount", 1)
def object_refcount(session: Session, key: bytes) -> int | None:
    """OBJECT REFCOUNT key."""
    return None if _item(session, key) is None else 1


@command("object idletime", 1)
def object_idletime(session: Session, key: bytes) -> int | None:
    """OBJECT IDLETIME key: the sandbox does not keep when a key was used."""
    return None if _item(session, key) is None else 0


@command("object freq", 1)
def object_freq(session: Session, key: bytes) -> Any:
    """OBJECT FREQ key."""
    raise SimpleError(
        "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note"
        " that when switching between policies at runtime LRU and LFU data will take some time to"
        " adjust."
    )


@command("touch", 1, -1)
def touch(session: Session, *keys: bytes) -> int:
    """TOUCH key ..."""
    return sum(key in session._db for key in keys)


@command("memory usage", 1, 3)
def memory_usage(session: Session, key: bytes, *_: bytes) -> int | None:
    """MEMORY USAGE key [SAMPLES n]: about."""
    item = _item(session, key)
    return None if item is None else size_bytes(key, item.value)


@command("memory doctor", 0)
def memory_doctor(session: Session) -> Verbatim:
    """MEMORY DOCTOR."""
    return Verbatim(b"Hi Sam, this instance is empty or is using very little memory.\n")


@command("memory purge", 0)
def memory_purge(session: Session) -> SimpleString:
    """MEMORY PURGE."""
    return OK


@command("memory stats", 0)
def memory_stats(session: Session) -> dict[bytes, Any]:
    """MEMORY STATS, the part that means something here."""
    used = used_bytes(session.broker)
    keys = sum(len(db) for db in session.broker.server.dbs.values())
    return {
        b"peak.allocated": used, b"total.allocated": used, b"startup.allocated": 1_000_000,
        b"keys.count": keys, b"dataset.bytes": used - 1_000_000,
    }  # fmt: skip


# -- the server ------------------------------------------------------------------------------------


@command("time", 0)
def time(session: Session) -> list[bytes]:
    """TIME: seconds and microseconds."""
    seconds, rest = divmod(session.broker.now_ns, 1_000_000_000)
    return [b"%d" % seconds, b"%d" % (rest // 1000)]


@command("role", 0)
def role(session: Session) -> list[Any]:
    """ROLE."""
    return [b"master", 0, []]


@command("wait", 2)
def wait(session: Session, replicas: bytes, timeout: bytes) -> Any:
    """WAIT replicas timeout: there are no replicas, so it waits until the time is over."""
    wanted, limit_ms = (
        Int.decode(replicas),
        Int.decode(timeout, "ERR timeout is not an integer or out of range"),
    )
    if limit_ms < 0:
        raise SimpleError("ERR timeout is negative")
    if wanted <= 0 or session._in_transaction:
        return 0
    return session._blocking(limit_ms / 1000, lambda first: None, lambda result: 0)


@command("monitor", 0, flags="s")
def monitor(session: Session) -> SimpleString:
    """MONITOR: from now on this client sees every command."""
    session.monitoring = True
    session.broker.monitors[session] = None
    return OK


@command("save", 0, flags="s")
def save(session: Session) -> SimpleString:
    """SAVE."""
    save_now(session.broker)
    return OK


@command("bgsave", 0, 1, flags="s")
def bgsave(session: Session, *_: bytes) -> SimpleString:
    """BGSAVE: done before anything else happens."""
    save_now(session.broker)
    return SimpleString(b"Background saving started")


@command("bgrewriteaof", 0, flags="s")
def bgrewriteaof(session: Session) -> SimpleString:
    """BGREWRITEAOF."""
    return SimpleString(b"Background append only file rewriting started")


@command("slowlog get", 0, 1)
def slowlog_get(session: Session, *count: bytes) -> list[Any]:
    """SLOWLOG GET [count]."""
    limit = Int.decode(count[0]) if count else 10
    if limit < -1:
        raise SimpleError("ERR count should be greater than or equal to -1")
    newest = list(reversed(session.broker.slow))
    return newest if limit == -1 else newest[:limit]


@command("slowlog len", 0)
def slowlog_len(session: Session) -> int:
    """SLOWLOG LEN."""
    return len(session.broker.slow)


@command("slowlog reset", 0)
def slowlog_reset(session: Session) -> SimpleString:
    """SLOWLOG RESET."""
    session.broker.slow.clear()
    return OK


@command("latency latest", 0)
def latency_latest(session: Session) -> list[Any]:
    """LATENCY LATEST: commands take no virtual time."""
    return []


@command("latency history", 1)
def latency_history(session: Session, event: bytes) -> list[Any]:
    """LATENCY HISTORY event."""
    return []


@command("latency reset", 0, -1)
def latency_reset(session: Session, *events: bytes) -> int:
    """LATENCY RESET [event ...]."""
    return 0


@command("module list", 0)
def module_list(session: Session) -> list[Any]:
    """MODULE LIST."""
    return []


@command("command count", 0)
def command_count(session: Session) -> int:
    """COMMAND COUNT."""
    return len({name.split()[0] for name in COMMANDS})


@command("command list", 0, 3)
def command_list(session: Session, *filters: bytes) -> list[bytes]:
    """COMMAND LIST [FILTERBY PATTERN pattern]."""
    names = sorted({name.split()[0].encode() for name in COMMANDS})
    if len(filters) == 3 and filters[1].lower() == b"pattern":
        regex = compile_pattern(filters[2].lower())
        names = [name for name in names if regex.match(name)]
    return names


@command("command getkeys", 1, -1)
def command_getkeys(session: Session, *fields: bytes) -> list[bytes]:
    """COMMAND GETKEYS command [argument ...]."""
    if fields[0].decode("utf-8", "replace").lower().split()[0] not in {
        n.split()[0] for n in COMMANDS
    }:
        raise SimpleError("ERR Invalid command specified")
    keys = keys_of(list(fields))
    if not keys:
        raise SimpleError("ERR The command has no key arguments")
    return keys


@command("command docs", 0, -1)
def command_docs(session: Session, *names: bytes) -> dict[bytes, Any]:
    """COMMAND DOCS: none are kept; redis-cli then completes without hints."""
    return {}


@command("command info", 0, -1)
def command_info(session: Session, *names: bytes) -> list[Any]:
    """COMMAND INFO name ..."""
    return [
        get_command_info(name) if name.decode("utf-8", "replace").lower() in COMMANDS else None
        for name in names
    ]


@command("debug sleep", 1)
def debug_sleep(session: Session, seconds: bytes) -> Any:
    """DEBUG SLEEP seconds: this client waits; the others, unlike in Redis, do not."""
    wanted = Float.decode(seconds)
    if wanted <= 0:
        return OK
    return session._blocking(wanted, lambda first: None, lambda result: OK)


@command("shutdown", 0, -1, flags="s")
def shutdown(session: Session, *how: bytes) -> Any:
    """SHUTDOWN: whoever runs the sandbox stops it."""
    raise SimpleError("ERR the sandbox's Redis is stopped by whoever started it, not by SHUTDOWN")
