"""EVAL and its kin: Lua scripts, which run in `lua/` wherever Python runs.

A script is atomic because nothing else runs while it does; what it writes goes to the log as one
record. What a script finds under `redis` is made here.
[https://redis.io/docs/latest/develop/programmability/lua-api/]
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha1
from typing import TYPE_CHECKING, Any, Final

from fakeredis._command_args_parsing import Int
from fakeredis._helpers import OK, SimpleError, SimpleString

from sandbox.brokers.redis.commands import CONTAINERS, command, find, is_write
from sandbox.brokers.redis.lua import LuaError, Table, cjson, cmsgpack, compile_script
from sandbox.brokers.redis.lua.library import Arguments, function, make_globals
from sandbox.brokers.redis.lua.values import number_text
from sandbox.brokers.redis.replies import NullArray, Verbatim, Written

if TYPE_CHECKING:
    from sandbox.brokers.redis.session import Session

#: So many scripts are kept in their compiled form.
_COMPILED_MOST: Final = 500
_COMPILED: Final[dict[str, Callable[[Table], list[Any]]]] = {}
_LOG_LEVELS: Final = {"LOG_DEBUG": 0, "LOG_VERBOSE": 1, "LOG_NOTICE": 2, "LOG_WARNING": 3}
#: What scripts may not do: wait, subscribe, or be about the connection. [noscript, COMMAND INFO]
_NOT_IN_SCRIPTS: Final = frozenset(
    (
        "blpop", "brpop", "blmove", "brpoplpush", "blmpop", "bzpopmin", "bzpopmax", "bzmpop",
        "wait", "waitaof", "reset", "quit", "hello", "auth", "multi", "exec", "discard", "watch",
        "unwatch", "monitor", "subscribe", "unsubscribe", "psubscribe", "punsubscribe",
        "ssubscribe", "sunsubscribe", "eval", "evalsha", "eval_ro", "evalsha_ro", "fcall",
        "fcall_ro", "save", "bgsave", "bgrewriteaof", "shutdown",
    )
)  # fmt: skip
_NOT_IN_SCRIPTS_OF: Final = ("script", "client", "config", "debug", "acl", "function", "module")


# -- between Redis's replies and Lua's values ------------------------------------------------------


def to_lua(reply: Any, resp: int = 2) -> Any:
    """A reply as a script sees it."""
    if isinstance(reply, bool):
        return reply if resp == 3 else float(reply)
    if isinstance(reply, int):
        return float(reply)
    if isinstance(reply, float):
        return _keyed(b"double", reply) if resp == 3 else b"%.17g" % reply
    if isinstance(reply, SimpleError):
        return _keyed(b"err", reply.value.encode("utf-8", "surrogateescape"))
    if isinstance(reply, SimpleString):
        if isinstance(reply, NullArray):
            return None if resp == 3 else False
        return reply.value if isinstance(reply, (Verbatim, Written)) else _keyed(b"ok", reply.value)
    if reply is None:
        return None if resp == 3 else False
    if isinstance(reply, str):
        return reply.encode()
    if isinstance(reply, dict):
        if resp == 3:
            table = Table()
            for key, item in reply.items():
                table.set(to_lua(key, 3), to_lua(item, 3))
            return _keyed(b"map", table)
        reply = [each for pair in reply.items() for each in pair]
    if isinstance(reply, (list, tuple)):
        return Table([to_lua(item, resp) for item in reply])
    return reply


def _keyed(name: bytes, value: Any) -> Table:
    table = Table()
    table.set(name, value)
    return table


def from_lua(value: Any, depth: int = 0) -> Any:
    """What a script returned, as a reply."""
    if value is None or value is False:
        return None
    if value is True:
        return 1
    if isinstance(value, float):
        return int(value) if value == value and abs(value) < 2.0**63 else -(2**63)
    if isinstance(value, bytes):
        return value
    if not isinstance(value, Table) or value is cjson.NULL:
        return None
    if depth > 200:
        return SimpleError("ERR reached lua stack limit")
    if (error := value.get(b"err")) is not None and isinstance(error, bytes):
        return SimpleError(_coded(error).decode("utf-8", "surrogateescape"))
    if (status := value.get(b"ok")) is not None and isinstance(status, bytes):
        return SimpleString(status.replace(b"\r", b" ").replace(b"\n", b" "))
    if isinstance(double := value.get(b"double"), float):
        return double
    if isinstance(pairs := value.get(b"map"), Table):
        return {from_lua(k, depth + 1): from_lua(v, depth + 1) for k, v in pairs.items()}
    items = []
    for at in range(1, value.length + 1):
        item = value.get(float(at))
        if item is None:
            break
        items.append(from_lua(item, depth + 1))
    return items


def _coded(error: bytes) -> bytes:
    """An error's text with a code before it; a minus says that there is one."""
    return error[1:] if error[:1] == b"-" else error


# -- what a script finds under `redis` -------------------------------------------------------------


class Caller:
    """`redis.call` and `redis.pcall` of one run of a script."""

    def __init__(self, session: Session, *, readonly: bool) -> None:
        self._session = session
        self._readonly = readonly
        self.resp = 2

    def call(self, arguments: Arguments) -> Any:
        """`redis.call`: an error ends the script, unless it catches it."""
        try:
            return to_lua(self._do(arguments), self.resp)
        except SimpleError as error:
            raise LuaError(to_lua(error)) from None

    def pcall(self, arguments: Arguments) -> Any:
        """`redis.pcall`: an error is a table."""
        try:
            return to_lua(self._do(arguments), self.resp)
        except SimpleError as error:
            return to_lua(error)

    def _do(self, arguments: Arguments) -> Any:
        if not arguments.values:
            raise SimpleError("ERR Please specify at least one argument for this redis lib call")
        words = []
        for value in arguments.values:
            if isinstance(value, float):
                whole = value == value and abs(value) < 1e17 and value == int(value)
                value = b"%d" % int(value) if whole else b"%.17g" % value
            if not isinstance(value, bytes):
                raise SimpleError("ERR Lua redis lib command arguments must be strings or integers")
            words.append(value)
        name = words[0].decode("utf-8", "replace").lower()
        if name in CONTAINERS and len(words) > 1:
            both = f"{name} {words[1].decode('utf-8', 'replace').lower()}"
        else:
            both = name
        session = self._session
        try:
            handler, signature = find(session, both)
        except SimpleError:
            try:
                handler, signature = find(session, name)
            except SimpleError:
                raise SimpleError("ERR Unknown Redis command called from script") from None
            both = name
        if name in _NOT_IN_SCRIPTS or name in _NOT_IN_SCRIPTS_OF:
            raise SimpleError("ERR This Redis command is not allowed from script")
        if self._readonly and is_write(both):
            raise SimpleError("ERR Write commands are not allowed from read-only scripts.")
        rest = words[2:] if " " in both else words[1:]
        try:
            session._check_arguments(signature, rest)
        except SimpleError as error:
            if "wrong number" not in error.value:
                raise
            raise SimpleError(
                "ERR Wrong number of args calling Redis command from script"
            ) from None
        session._check_script_may(words, both)
        session._script_resp = self.resp
        if session.broker.monitors:
            session.broker.show(session, words, "lua")
        result = session._run_command(handler, signature, rest, True)
        result = session.finish(both, result, rest)
        if isinstance(result, SimpleError):
            raise result
        return result

    def setresp(self, arguments: Arguments) -> list[Any]:
        """`redis.setresp`: which protocol replies are shaped for."""
        if len(arguments) != 1 or arguments.number(1) not in (2.0, 3.0):
            raise LuaError(b"RESP version must be 2 or 3.")
        self.resp = arguments.integer(1)
        return []


def _error_reply(arguments: Arguments) -> Table:
    message = arguments.any(1)
    if len(arguments) != 1 or not isinstance(message, bytes):
        return _keyed(b"err", b"ERR wrong number or type of arguments")
    if message[:1] != b"-":
        # One word with no blank after it is no code.
        message = message if b" " in message else b"ERR " + message
    return _keyed(b"err", message.lstrip(b"-"))


def _status_reply(arguments: Arguments) -> Table:
    message = arguments.any(1)
    if len(arguments) != 1 or not isinstance(message, bytes):
        return _keyed(b"err", b"ERR wrong number or type of arguments")
    return _keyed(b"ok", message)


def _sha1hex(arguments: Arguments) -> bytes:
    if len(arguments) != 1:
        raise LuaError(b"wrong number of arguments")
    return sha1(arguments.text(1)).hexdigest().encode()


def _log(arguments: Arguments) -> list[Any]:
    if len(arguments) < 2:
        raise LuaError(b"redis.log() requires two arguments or more.")
    if not 0 <= arguments.number(1) <= 3:
        raise LuaError(b"Invalid log level.")
    return []


def _redis(session: Session, *, readonly: bool) -> Table:
    caller = Caller(session, readonly=readonly)
    table = Table()
    for name, body in (
        ("call", caller.call),
        ("pcall", caller.pcall),
        ("setresp", caller.setresp),
        ("error_reply", _error_reply),
        ("status_reply", _status_reply),
        ("sha1hex", _sha1hex),
        ("log", _log),
        ("replicate_commands", lambda arguments: True),
        ("set_repl", lambda arguments: []),
        ("breakpoint", lambda arguments: False),
        ("acl_check_cmd", lambda arguments: True),
    ):
        table.set(name.encode(), function(name, body))
    for name, level in _LOG_LEVELS.items():
        table.set(name.encode(), float(level))
    for at, name in enumerate(("REPL_NONE", "REPL_AOF", "REPL_SLAVE", "REPL_ALL")):
        table.set(name.encode(), float(at))
    version = session.broker.version
    table.set(b"REDIS_VERSION", b"%d.%d.%d" % version)
    table.set(b"REDIS_VERSION_NUM", float(version[0] << 16 | version[1] << 8 | version[2]))
    table.readonly = True
    return table


# -- running ---------------------------------------------------------------------------------------


def _compiled(script: bytes) -> Callable[[Table], list[Any]]:
    digest = sha1(script).hexdigest()
    found = _COMPILED.get(digest)
    if found is None:
        source = script
        if source[:2] == b"#!":  # flags: `#!lua flags=no-writes`
            first, _, rest = source.partition(b"\n")
            if first.split()[0] != b"#!lua":
                engine = first[2:].split(b" ")[0].decode("utf-8", "replace")
                raise SimpleError(f"ERR Unexpected engine in script shebang: {engine}")
            source = b"\n" + rest
        try:
            found = compile_script(source)
        except LuaError as error:
            where = b"user_script:%d: " % error.line if error.line else b"user_script: "
            text = (where + error.value).decode("utf-8", "replace")
            raise SimpleError(f"ERR Error compiling script (new function): {text}") from None
        if len(_COMPILED) >= _COMPILED_MOST:
            del _COMPILED[next(iter(_COMPILED))]
        _COMPILED[digest] = found
    return found


def keys_and_arguments(numkeys: bytes, rest: tuple[bytes, ...]) -> tuple[list[Any], list[Any]]:
    """What a script gets: its keys and its arguments."""
    count = Int.decode(numkeys)
    if count > len(rest):
        raise SimpleError("ERR Number of keys can't be greater than number of args")
    if count < 0:
        raise SimpleError("ERR Number of keys can't be negative")
    return list(rest[:count]), list(rest[count:])


def globals_for(session: Session, keys: Any, arguments: Any, *, readonly: bool) -> Table:
    """The globals of one run of a script."""
    made = make_globals(session.broker.script_dice())
    made.set(b"KEYS", Table(list(keys)))
    made.set(b"ARGV", Table(list(arguments)))
    made.set(b"redis", _redis(session, readonly=readonly))
    made.set(b"cjson", cjson.make())
    made.set(b"cmsgpack", cmsgpack.make())
    made.set(b"_G", made)
    made.readonly = True
    return made


@contextmanager
def running(session: Session) -> Iterator[None]:
    """While a script runs: nothing waits, and SELECT is over with it."""
    before = session._script_resp, session._in_transaction
    database = session._db_num
    session._script_resp, session._in_transaction = 2, True
    try:
        yield
    finally:
        session._script_resp, session._in_transaction = before
        session.select(database)


def _run(
    session: Session, script: bytes, numkeys: bytes, rest: tuple[bytes, ...], readonly: bool
) -> Any:
    keys, arguments = keys_and_arguments(numkeys, rest)
    body = _compiled(script)
    digest = sha1(script).hexdigest()
    session.broker.server.script_cache[digest.encode()] = script
    if script[:2] == b"#!" and b"no-writes" in script.partition(b"\n")[0]:
        readonly = True
    with running(session):
        try:
            returned = body(globals_for(session, keys, arguments, readonly=readonly))
        except LuaError as error:
            return SimpleError(failure(error, digest))
        except RecursionError:
            sentence = "ERR user_script: stack overflow"
            return SimpleError(f"{sentence} script: {digest}, on @user_script:1.")
    return from_lua(returned[0]) if returned else None


def failure(error: LuaError, digest: str) -> str:
    """What a client is told of a script that failed."""
    line = error.line or 1
    value = error.value
    if isinstance(value, Table) and isinstance(value.get(b"err"), bytes):
        what = _coded(value.get(b"err"))
    else:
        text = value if isinstance(value, bytes) else b"nil"
        if isinstance(value, float):
            text = number_text(value)
        where = b"user_script:%d: " % line if isinstance(value, bytes) and error.line else b""
        what = b"ERR " + where + text
    return f"{what.decode('utf-8', 'surrogateescape')} script: {digest}, on @user_script:{line}."


def _cached(session: Session, digest: bytes) -> bytes:
    script = session.broker.server.script_cache.get(digest.lower())
    if script is None:
        raise SimpleError("NOSCRIPT No matching script. Please use EVAL.")
    return script


@command("eval", 2, -1, flags="s")
def eval_(session: Session, script: bytes, numkeys: bytes, *rest: bytes) -> Any:
    """EVAL script numkeys key ... argument ..."""
    return _run(session, script, numkeys, rest, False)


@command("eval_ro", 2, -1, flags="s")
def eval_ro(session: Session, script: bytes, numkeys: bytes, *rest: bytes) -> Any:
    """EVAL_RO script numkeys key ... argument ..."""
    return _run(session, script, numkeys, rest, True)


@command("evalsha", 2, -1, flags="s")
def evalsha(session: Session, digest: bytes, numkeys: bytes, *rest: bytes) -> Any:
    """EVALSHA sha1 numkeys key ... argument ..."""
    return _run(session, _cached(session, digest), numkeys, rest, False)


@command("evalsha_ro", 2, -1, flags="s")
def evalsha_ro(session: Session, digest: bytes, numkeys: bytes, *rest: bytes) -> Any:
    """EVALSHA_RO sha1 numkeys key ... argument ..."""
    return _run(session, _cached(session, digest), numkeys, rest, True)


@command("script load", 1, flags="s")
def script_load(session: Session, script: bytes) -> bytes:
    """SCRIPT LOAD script."""
    _compiled(script)
    digest = sha1(script).hexdigest().encode()
    session.broker.server.script_cache[digest] = script
    return digest


@command("script exists", 1, -1, flags="s")
def script_exists(session: Session, *digests: bytes) -> list[int]:
    """SCRIPT EXISTS sha1 ..."""
    return [int(each.lower() in session.broker.server.script_cache) for each in digests]


@command("script flush", 0, 1, flags="s")
def script_flush(session: Session, *how: bytes) -> SimpleString:
    """SCRIPT FLUSH [ASYNC|SYNC]."""
    if how and how[0].lower() not in (b"async", b"sync"):
        raise SimpleError("ERR SCRIPT FLUSH only support SYNC|ASYNC option")
    session.broker.server.script_cache.clear()
    return OK


@command("script kill", 0, flags="s")
def script_kill(session: Session) -> Any:
    """SCRIPT KILL: scripts end at once."""
    raise SimpleError("NOTBUSY No scripts in execution right now.")


@command("script debug", 1, flags="s")
def script_debug(session: Session, mode: bytes) -> SimpleString:
    """SCRIPT DEBUG NO; there is no debugger."""
    if mode.lower() != b"no":
        raise SimpleError("ERR the sandbox has no debugger for scripts: use SCRIPT DEBUG NO")
    return OK
