"""Which commands there are: fakeredis's, without what Redis 7.4 does not have, and our own.

Our own are functions of a session and of the arguments as bytes, marked with `command`; a file of
them is known once `broker.py` imports it. An own command replaces fakeredis's of the same name.
fakeredis's registry is left as it is, so that fakeredis used for itself notices nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from fakeredis._commands import SUPPORTED_COMMANDS, Key, Signature
from fakeredis._helpers import SimpleError

from sandbox.brokers.redis.known import KNOWN

if TYPE_CHECKING:
    from sandbox.brokers.redis.session import Session

Handler = Callable[..., Any]

#: Commands that came after 7.0, and with which version.
SINCE: Final[dict[str, tuple[int, int]]] = {
    **{f"h{word}": (7, 4) for word in ("expire", "expireat", "expiretime", "persist", "ttl")},
    **{f"hp{word}": (7, 4) for word in ("expire", "expireat", "expiretime", "ttl")},
    "client no-touch": (7, 2),
    "client setinfo": (7, 2),
    "waitaof": (7, 2),
}
#: fakeredis's commands that are younger than Redis 7.4, belong to modules, or touch files.
_NOT_HERE: Final = frozenset(
    """client maint_notifications|delex|digest|hgetdel|hgetex|himport discard|himport discardall
    |himport prepare|himport set|hsetex|increx|lmovem|blmovem|msetex|sdiffcard|sunioncard|xackdel
    |xcfgset|xdelex|xidmprecord|xnack|arcount|ardel|ardelrange|arget|argetrange|argrep|arinfo
    |arinsert|arlastitems|arlen|armget|armset|arnext|arop|arring|arscan|arseek|arset|acl save
    |acl load|function dump|function restore|fcall|fcall_ro|function delete|function flush
    |function kill|function list|function load|function stats|command""".replace(
        "\n    ", ""
    ).split("|")
)


def _belongs(name: str) -> bool:
    signature = SUPPORTED_COMMANDS[name]
    module = signature.func_name.split("_")[0]
    return (
        name not in _NOT_HERE
        and "redis" in signature.server_types
        and "." not in name
        and not name.startswith("script ")
        and not (name.startswith("v") and module.startswith("v"))
    )


#: Signatures by name; a subcommand's name has a blank: "config get".
COMMANDS: Final[dict[str, Signature]] = {
    n: SUPPORTED_COMMANDS[n] for n in SUPPORTED_COMMANDS if _belongs(n)
}


def _with_any_target(name: str) -> None:
    """Let a command write its result over a key of any type, as Redis does."""
    old = COMMANDS[name]
    fixed: Any = (Key(), *old.fixed[1:])
    COMMANDS[name] = Signature(
        name, old.func_name, fixed, old.repeat, old.command_args, "", old.server_types
    )
    COMMANDS[name].flags = set(old.flags)


_with_any_target("zrangestore")
#: What our own commands do.
_HANDLERS: Final[dict[str, Handler]] = {}
#: The first words of names of two words.
CONTAINERS: Final = {n.split()[0] for n in COMMANDS if " " in n}


def command(
    name: str, least: int = 0, most: int | None = None, *, flags: str = ""
) -> Callable[[Handler], Handler]:
    """Make a function a command that takes so many arguments, any number if `most` is -1."""
    most = least if most is None else most

    def register(handler: Handler) -> Handler:
        repeat: Any = (bytes,) if most != least else ()
        fixed: Any = (bytes,) * least
        signature = Signature(name, handler.__name__, fixed, repeat, flags=flags)
        signature.most = most  # type: ignore[attr-defined]
        COMMANDS[name] = signature
        _HANDLERS[name] = handler
        if " " in name:
            CONTAINERS.add(name.split()[0])
        return handler

    return register


def find(session: Session, name: str) -> tuple[Handler, Signature]:
    """Look up a command.

    Raises:
        SimpleError: there is none, in Redis's words.
    """
    signature = COMMANDS.get(name)
    handler: Any = None
    if signature is not None and SINCE.get(name, (0, 0)) <= session.broker.version:
        own = _HANDLERS.get(name)
        handler = partial(own, session) if own else getattr(session, signature.func_name, None)
    if signature is None or handler is None:
        raise unknown(name)
    return handler, signature


def unknown(name: str, arguments: list[bytes] | None = None) -> SimpleError:
    """What Redis says to a command it does not know."""
    first, _, second = name.partition(" ")
    if second and first in CONTAINERS:
        return SimpleError(f"ERR unknown subcommand '{second[:128]}'. Try {first.upper()} HELP.")
    shown = "".join(f"'{a.decode('utf-8', 'replace')[:128]}' " for a in (arguments or [])[:20])
    return SimpleError(f"ERR unknown command '{name[:128]}', with args beginning with: {shown}")


def as_typed(name: str, fields: list[bytes]) -> str:
    """A command's name with the client's own capitals, for messages."""
    first = fields[0].decode("utf-8", "replace")
    if " " in name and len(fields) > 1:
        return f"{name.split()[0]} {fields[1].decode('utf-8', 'replace')}"
    return first


def split(fields: list[bytes]) -> tuple[str, list[bytes]]:
    """The name of the command in a request, lower case, and its arguments."""
    name = fields[0].decode("utf-8", "replace").lower()
    if name in CONTAINERS and len(fields) > 1:
        both = f"{name} {fields[1].decode('utf-8', 'replace').lower()}"
        if both in COMMANDS or name not in COMMANDS:
            return both, fields[2:]
    return name, fields[1:]


def is_write(name: str) -> bool:
    """Whether a command changes data."""
    known = KNOWN.get(name)
    return known is not None and "write" in known.flags


#: Where the number of keys is told, for commands whose keys follow such a number.
_COUNTED: Final = {
    b"eval": 2, b"evalsha": 2, b"eval_ro": 2, b"evalsha_ro": 2, b"fcall": 2, b"fcall_ro": 2,
    b"lmpop": 1, b"zmpop": 1, b"blmpop": 2, b"bzmpop": 2, b"sintercard": 1, b"zunion": 1,
    b"zinter": 1, b"zdiff": 1, b"zintercard": 1, b"zunionstore": 2, b"zinterstore": 2,
    b"zdiffstore": 2,
}  # fmt: skip
_STORES: Final = (b"zunionstore", b"zinterstore", b"zdiffstore")


def keys_of(fields: list[bytes]) -> list[bytes]:
    """The keys a request names."""
    name = fields[0].lower()
    if name in (b"xread", b"xreadgroup"):
        upper = [field.upper() for field in fields]
        rest = fields[upper.index(b"STREAMS") + 1 :] if b"STREAMS" in upper else []
        return rest[: len(rest) // 2]
    at = _COUNTED.get(name)
    if at is not None:
        if len(fields) <= at or not fields[at].isdigit():
            return []
        found = fields[at + 1 : at + 1 + int(fields[at])]
        return [fields[1], *found] if name in _STORES else found
    full, _ = split(fields)
    known = KNOWN.get(full) or KNOWN.get(full.split()[0])
    if known is None or not known.first:
        return []
    end = len(fields) + known.last + 1 if known.last < 0 else known.last + 1
    found = fields[known.first : end : max(known.step, 1)]
    if name in (b"sort", b"georadius", b"georadiusbymember"):
        upper = [field.upper() for field in fields]
        for word in (b"STORE", b"STOREDIST"):
            if word in upper[2:] and upper.index(word, 2) + 1 < len(fields):
                found.append(fields[upper.index(word, 2) + 1])
    return found
