"""What tools ask about a server and its keys: INFO, OBJECT, MEMORY, SLOWLOG, WAIT, ROLE and such.

[https://redis.io/docs/latest/commands/info/, .../object-encoding/, .../memory-usage/]
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fakeredis._command_args_parsing import Int
from fakeredis._helpers import OK, SimpleError, SimpleString
from fakeredis.model import Hash, XStream, ZSet

from sandbox.brokers.redis.commands import command
from sandbox.brokers.redis.durability import save_now
from sandbox.brokers.redis.memory import EMPTY_BYTES, size_bytes, used_bytes
from sandbox.brokers.redis.replies import Verbatim

if TYPE_CHECKING:
    from sandbox.brokers.redis.broker import Broker
    from sandbox.brokers.redis.keyspace import Database
    from sandbox.brokers.redis.session import Session

_INT64 = 2**63


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
            "tracking_clients": len(broker.interest.clients),
            "clients_in_timeout_table": sum(
                s.waiting is not None and s.waiting.deadline_ns is not None for s in broker.blocked
            ),
        },
        "Memory": {
            "used_memory": used, "used_memory_human": f"{used / 1024**2:.2f}M",
            "used_memory_rss": used, "used_memory_peak": used,
            "used_memory_dataset": used - EMPTY_BYTES,
            "maxmemory": settings.values["maxmemory"],
            "maxmemory_human": f"{settings.maxmemory / 1024**2:.2f}M",
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
            "expired_keys": server.expired_keys, "evicted_keys": broker.evicted,
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
    item = _item(session, key)
    if item is None:
        return None
    # Redis has the numbers below ten thousand once for all.
    value = item.value if isinstance(item.value, bytes) and len(item.value) <= 4 else b""
    return 2**31 - 1 if value.isdigit() and b"%d" % int(value) == value else 1


@command("object idletime", 1)
def object_idletime(session: Session, key: bytes) -> int | None:
    """OBJECT IDLETIME key: seconds since somebody used it."""
    if _item(session, key) is None:
        return None
    if session.broker.settings.values["maxmemory-policy"].endswith("lfu"):
        raise SimpleError(
            "ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when"
            " switching between policies at runtime LRU and LFU data will take some time to adjust."
        )
    server = session.broker.server
    database: Database = server.dbs[session._db_num]
    return (server.now_ms - database.used.get(key, server.now_ms)) // 1000


@command("object freq", 1)
def object_freq(session: Session, key: bytes) -> int | None:
    """OBJECT FREQ key: nobody counts, so every key is as a new one."""
    if _item(session, key) is None:
        return None
    if session.broker.settings.values["maxmemory-policy"].endswith("lfu"):
        return 5
    raise SimpleError(
        "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note"
        " that when switching between policies at runtime LRU and LFU data will take some time to"
        " adjust."
    )


@command("touch", 1, -1)
def touch(session: Session, *keys: bytes) -> int:
    """TOUCH key ..."""
    return sum(session._db.get(key) is not None for key in keys)


@command("memory usage", 1, 3)
def memory_usage(session: Session, key: bytes, *_: bytes) -> int | None:
    """MEMORY USAGE key [SAMPLES n]: about."""
    item = _item(session, key)
    return None if item is None else size_bytes(key, item.value)


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
        b"peak.allocated": used, b"total.allocated": used, b"startup.allocated": EMPTY_BYTES,
        b"keys.count": keys, b"dataset.bytes": used - EMPTY_BYTES,
    }  # fmt: skip


# -- the server ------------------------------------------------------------------------------------


@command("time", 0)
def time(session: Session) -> list[bytes]:
    """TIME: seconds and microseconds."""
    seconds, rest = divmod(session.broker.now_ns, 1_000_000_000)
    return [b"%d" % seconds, b"%d" % (rest // 1000)]


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
