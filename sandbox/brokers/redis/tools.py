"""What tools and operators ask of a server that is alone: COMMAND, LATENCY, DEBUG, LOLWUT, WAITAOF.

And what this server is not, said clearly: no cluster, no replica, no modules.
[https://redis.io/docs/latest/commands/command/, .../latency-doctor/, .../waitaof/]
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from fakeredis._command_args_parsing import Float, Int
from fakeredis._helpers import OK, SimpleError, SimpleString, compile_pattern

from sandbox.brokers.redis.commands import COMMANDS, SINCE, command, keys_of, split
from sandbox.brokers.redis.known import KNOWN, Known
from sandbox.brokers.redis.replies import NULL_ARRAY, SetReply, Verbatim

if TYPE_CHECKING:
    from sandbox.brokers.redis.broker import Broker
    from sandbox.brokers.redis.session import Session

_NO_CLUSTER: Final = "ERR This instance has cluster support disabled"


def _offered(broker: Broker) -> list[str]:
    """The commands there are, without subcommands, in order."""
    names = {n.split()[0] for n in COMMANDS if SINCE.get(n, (0, 0)) <= broker.version}
    return sorted(names)


# -- COMMAND ---------------------------------------------------------------------------------------


def _told(name: str, known: Known) -> list[Any]:
    """One command as COMMAND INFO tells it; subcommands are named in Redis's way, with a bar."""
    parts = [
        _told(each, about)
        for each, about in KNOWN.items()
        if " " not in name and each.startswith(f"{name} ") and each in COMMANDS
    ]
    return [
        name.replace(" ", "|").encode(),
        known.arity,
        SetReply([SimpleString(flag.encode()) for flag in sorted(known.flags)]),
        known.first,
        known.last,
        known.step,
        SetReply([SimpleString(b"@" + each.encode()) for each in known.categories]),
        SetReply([]),
        SetReply([]),
        parts,
    ]


@command("command", 0)
def command_all(session: Session) -> list[Any]:
    """COMMAND: all of them."""
    return [_told(name, KNOWN[name]) for name in _offered(session.broker) if name in KNOWN]


@command("command info", 0, -1)
def command_info(session: Session, *names: bytes) -> list[Any]:
    """COMMAND INFO [name ...]."""
    if not names:
        return [_told(name, KNOWN[name]) for name in _offered(session.broker) if name in KNOWN]
    found: list[Any] = []
    for word in names:
        name = word.decode("utf-8", "replace").lower().replace("|", " ")
        known = KNOWN.get(name)
        there = name in COMMANDS or name in _offered(session.broker)
        found.append(_told(name, known) if known is not None and there else NULL_ARRAY)
    return found


@command("command count", 0)
def command_count(session: Session) -> int:
    """COMMAND COUNT."""
    return len(_offered(session.broker))


@command("command list", 0, 3)
def command_list(session: Session, *filters: bytes) -> list[bytes]:
    """COMMAND LIST [FILTERBY MODULE name|ACLCAT category|PATTERN pattern]: subcommands too."""
    names = [n for n in COMMANDS if SINCE.get(n, (0, 0)) <= session.broker.version]
    names = sorted({*names, *_offered(session.broker)})
    if filters:
        if len(filters) != 3 or filters[0].lower() != b"filterby":
            raise SimpleError("ERR syntax error")
        what, value = filters[1].lower(), filters[2].decode("utf-8", "replace").lower()
        if what == b"pattern":
            regex = compile_pattern(value.encode())
            names = [name for name in names if regex.match(name.replace(" ", "|").encode())]
        elif what == b"aclcat":
            names = [n for n in names if n in KNOWN and value in KNOWN[n].categories]
        elif what == b"module":
            names = []
        else:
            raise SimpleError("ERR syntax error")
    return [name.replace(" ", "|").encode() for name in names]


def _keys(fields: tuple[bytes, ...]) -> tuple[list[bytes], Known | None]:
    name, _ = split(list(fields))
    known = KNOWN.get(name)
    if known is None and name not in COMMANDS:
        raise SimpleError("ERR Invalid command specified")
    given = len(fields)
    if known is not None and (given < -known.arity or (known.arity > 0 and given != known.arity)):
        raise SimpleError("ERR Invalid number of arguments specified for command")
    keys = keys_of(list(fields))
    if not keys:
        raise SimpleError("ERR The command has no key arguments")
    return keys, known


@command("command getkeys", 1, -1)
def command_getkeys(session: Session, *fields: bytes) -> list[bytes]:
    """COMMAND GETKEYS command [argument ...]."""
    return _keys(fields)[0]


@command("command getkeysandflags", 1, -1)
def command_getkeysandflags(session: Session, *fields: bytes) -> list[Any]:
    """COMMAND GETKEYSANDFLAGS command [argument ...]: how the first key is used, for all."""
    keys, known = _keys(fields)
    use = known.use if known is not None else ()
    return [[key, SetReply([SimpleString(word.encode()) for word in use])] for key in keys]


@command("command docs", 0, -1)
def command_docs(session: Session, *names: bytes) -> dict[bytes, Any]:
    """COMMAND DOCS: the group of each; tools that complete a line bring texts of their own."""
    wanted = [name.decode("utf-8", "replace").lower() for name in names]
    told: dict[bytes, Any] = {}
    for name in wanted or _offered(session.broker):
        known = KNOWN.get(name.replace("|", " "))
        if known is not None:
            group = next((c for c in known.categories if c in _GROUPS), "generic")
            told[name.encode()] = {b"group": group.encode(), b"arity": known.arity}
    return told


_GROUPS: Final = (
    "string", "list", "hash", "set", "sortedset", "stream", "pubsub", "transaction", "scripting",
    "connection", "geo", "hyperloglog", "bitmap",
)  # fmt: skip


# -- LATENCY, DEBUG, MEMORY, LOLWUT ----------------------------------------------------------------


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


@command("latency histogram", 0, -1)
def latency_histogram(session: Session, *names: bytes) -> dict[bytes, Any]:
    """LATENCY HISTOGRAM [command ...]: how often each ran, all of them in no time."""
    wanted = {name.decode("utf-8", "replace").lower().replace("|", " ") for name in names}
    return {
        name.replace(" ", "|").encode(): {b"calls": count, b"histogram_usec": {1: count}}
        for name, count in session.broker.counts.items()
        if not wanted or name in wanted
    }


@command("latency graph", 1)
def latency_graph(session: Session, event: bytes) -> Any:
    """LATENCY GRAPH event."""
    shown = event.decode("utf-8", "replace")
    raise SimpleError(f"ERR No samples available for event '{shown}'")


@command("latency doctor", 0)
def latency_doctor(session: Session) -> Verbatim:
    """LATENCY DOCTOR."""
    return Verbatim(
        b"Dave, no latency spike was observed during the lifetime of this Redis instance, not in"
        b" the slightest bit. I honestly think you ought to sit down calmly, take a stress pill,"
        b" and think things over.\n"
    )


def _may_debug(session: Session) -> None:
    if session.broker.settings.values["enable-debug-command"] == "no":
        raise SimpleError(
            'ERR DEBUG command not allowed. If the enable-debug-command option is set to "local",'
            " you can run it from a local connection, otherwise you need to set this option in the"
            " configuration file, and then restart the server."
        )


@command("debug sleep", 1)
def debug_sleep(session: Session, seconds: bytes) -> Any:
    """DEBUG SLEEP seconds: this client waits; the others, unlike in Redis, do not."""
    _may_debug(session)
    wanted = Float.decode(seconds)
    if wanted <= 0:
        return OK
    return session._blocking(wanted, lambda first: None, lambda result: OK)


@command("debug error", 1)
def debug_error(session: Session, text: bytes) -> Any:
    """DEBUG ERROR text: answer with it, for tests of clients."""
    _may_debug(session)
    return SimpleError(text.decode("utf-8", "replace"))


@command("debug set-active-expire", 1)
def debug_set_active_expire(session: Session, on: bytes) -> SimpleString:
    """DEBUG SET-ACTIVE-EXPIRE 0|1: keys go at their time either way."""
    _may_debug(session)
    return OK


@command("debug jmap", 0)
def debug_jmap(session: Session) -> SimpleString:
    """DEBUG JMAP."""
    _may_debug(session)
    return OK


@command("memory malloc-stats", 0)
def memory_malloc_stats(session: Session) -> Verbatim:
    """MEMORY MALLOC-STATS."""
    return Verbatim(b"Stats not supported for the current allocator")


@command("memory doctor", 0)
def memory_doctor(session: Session) -> Verbatim:
    """MEMORY DOCTOR."""
    return Verbatim(
        b"Hi Sam, this instance is empty or is using very little memory, my issue detector can't be"
        b" used in these conditions. Please, leave for your mission on Earth and fill it with some"
        b" data. The new Sam and I will be back to our programming as soon as I finished"
        b" rebooting.\n"
    )


@command("lolwut", 0, -1)
def lolwut(session: Session, *how: bytes) -> Verbatim:
    """LOLWUT: no picture, but the version that tools look for."""
    return Verbatim(b"Redis ver. %d.%d.%d\n" % session.broker.version)


# -- alone -----------------------------------------------------------------------------------------


@command("wait", 2)
def wait(session: Session, replicas: bytes, timeout: bytes) -> Any:
    """WAIT replicas timeout: there are no replicas, so it waits until the time is over."""
    wanted = Int.decode(replicas)
    limit_ms = _timeout_ms(timeout)
    if wanted <= 0 or session._in_transaction:
        return 0
    return session._blocking(limit_ms / 1000, lambda first: None, lambda result: 0)


def _timeout_ms(word: bytes) -> int:
    limit_ms = Int.decode(word, "ERR timeout is not an integer or out of range")
    if limit_ms < 0:
        raise SimpleError("ERR timeout is negative")
    return limit_ms


@command("waitaof", 3)
def waitaof(session: Session, local: bytes, replicas: bytes, timeout: bytes) -> Any:
    """WAITAOF numlocal numreplicas timeout: the log of this server is written at once."""
    here, there = Int.decode(local), Int.decode(replicas)
    limit_ms = _timeout_ms(timeout)
    if not 0 <= here <= 1:
        raise SimpleError("ERR value is out of range, value must between 0 and 1")
    if there < 0:
        raise SimpleError("ERR value is out of range, must be positive")
    appendonly = session.broker.settings.appendonly
    if here and not appendonly:
        raise SimpleError(
            "ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled."
        )
    reply = [int(appendonly), 0]
    if there == 0 or session._in_transaction:
        return reply
    return session._blocking(limit_ms / 1000, lambda first: None, lambda result: reply)


@command("role", 0)
def role(session: Session) -> list[Any]:
    """ROLE."""
    return [b"master", 0, []]


def _refuse(name: str, sentence: str) -> None:
    def handler(session: Session, *_: bytes) -> Any:
        raise SimpleError(sentence)

    command(name, 0, -1)(handler)


for _name in ("cluster", "asking", "readonly", "readwrite"):
    _refuse(_name, _NO_CLUSTER)
for _name in ("psync", "sync", "replconf", "migrate", "restore-asking"):
    _refuse(_name, "ERR the sandbox's Redis is alone: it has no replicas and no other server")
_refuse("failover", "ERR FAILOVER requires connected replicas.")
for _name in ("module load", "module loadex", "module unload"):
    _refuse(_name, "ERR the sandbox's Redis has no modules")
_refuse("shutdown", "ERR the sandbox's Redis is stopped by whoever started it, not by SHUTDOWN")
for _name in ("acl save", "acl load"):
    _refuse(
        _name,
        "ERR This Redis instance is not configured to use an ACL file. You may want to specify"
        " users via the ACL SETUSER command and then issue a CONFIG REWRITE (assuming you have a"
        " Redis configuration file set) in order to store users in the Redis configuration.",
    )


def _replicaof(session: Session, host: bytes, port: bytes) -> SimpleString:
    """REPLICAOF NO ONE; of anybody else it cannot be."""
    if (host.lower(), port.lower()) != (b"no", b"one"):
        raise SimpleError("ERR the sandbox's Redis is alone: it cannot be a replica")
    return OK


command("replicaof", 2)(_replicaof)
command("slaveof", 2)(_replicaof)


@command("module list", 0)
def module_list(session: Session) -> list[Any]:
    """MODULE LIST."""
    return []


@command("bitfield_ro", 1, -1)
def bitfield_ro(session: Session, key: bytes, *operations: bytes) -> Any:
    """BITFIELD_RO key [GET type offset ...]."""
    if any(word.lower() in (b"set", b"incrby", b"overflow") for word in operations[::3]):
        raise SimpleError("ERR BITFIELD_RO only supports the GET subcommand")
    from fakeredis._core import CommandItem

    item = CommandItem(key, session._db, item=session._db.get(key), default=b"")
    return session.bitfield(item, *operations)


def _help(container: str) -> None:
    def handler(session: Session) -> list[SimpleString]:
        words = sorted(
            name.split()[1].upper() for name in COMMANDS if name.startswith(f"{container} ")
        )
        lines = [
            f"{container.upper()} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
            *(word for word in words if word != "HELP"),
            "HELP",
            "    Print this help.",
        ]
        return [SimpleString(line.encode()) for line in lines]

    command(f"{container} help", 0)(handler)


for _name in (
    "acl", "client", "command", "config", "debug", "function", "latency", "memory", "module",
    "object", "pubsub", "script", "slowlog", "xgroup", "xinfo",
):  # fmt: skip
    _help(_name)
