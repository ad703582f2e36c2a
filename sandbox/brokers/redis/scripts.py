"""Scripts where there is no Lua: in the browser.

Where `lupa` is installed, fakeredis runs scripts in real Lua and this file does nothing. Where
it is not, the scripts that libraries send are recognized by their SHA1, with comments and white
space left out, and done in Python; any other is answered with a sentence that says so.

To make another library's script work, add a function and `known(script)` it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from hashlib import sha1
from typing import TYPE_CHECKING, Any

from fakeredis._command_args_parsing import Int
from fakeredis._helpers import OK, SimpleError, SimpleString

from sandbox.brokers.redis.commands import COMMANDS, command, find

if TYPE_CHECKING:
    from sandbox.brokers.redis.session import Session

Script = Callable[[Any, list[bytes], list[bytes]], Any]

HAS_LUA = "eval" in COMMANDS
NO_LUA = (
    "ERR the sandbox cannot run this Lua script here: Python in the browser has no Lua. It knows"
    " the scripts of redis-py's Lock; for others use MULTI/EXEC with WATCH, or run this on"
    " the command line"
)
_KNOWN: dict[str, Script] = {}


def essence(script: bytes) -> str:
    """The SHA1 of a script without comments and white space."""
    text = re.sub(rb"--\[\[.*?\]\]|--[^\n]*", b"", script, flags=re.DOTALL)
    return sha1(b" ".join(text.split())).hexdigest()


def known(script: bytes) -> Callable[[Script], Script]:
    """Say that a function does what a script does."""

    def register(function: Script) -> Script:
        _KNOWN[essence(script)] = function
        return function

    return register


def call(session: Session, *words: bytes) -> Any:
    """`redis.call`."""
    function, signature = find(session, words[0].decode())
    result = session._run_command(function, signature, list(words[1:]), True)
    if isinstance(result, SimpleError):
        raise result
    return result


_HOLDS = b"""
local token = redis.call('get', KEYS[1])
if not token or token ~= ARGV[1] then return 0 end
"""


@known(_HOLDS + b"redis.call('del', KEYS[1]) return 1")
def lock_release(session: Session, keys: list[bytes], arguments: list[bytes]) -> int:
    """redis-py: give a lock back, if it is still ours."""
    if call(session, b"get", keys[0]) != arguments[0]:
        return 0
    call(session, b"del", keys[0])
    return 1


@known(_HOLDS + b"redis.call('pexpire', KEYS[1], ARGV[2]) return 1")
def lock_reacquire(session: Session, keys: list[bytes], arguments: list[bytes]) -> int:
    """redis-py: begin a lock's time again."""
    if call(session, b"get", keys[0]) != arguments[0]:
        return 0
    call(session, b"pexpire", keys[0], arguments[1])
    return 1


@known(
    _HOLDS
    + b"""
local expiration = redis.call('pttl', KEYS[1])
if not expiration then expiration = 0 end
if expiration < 0 then return 0 end
local newttl = ARGV[2]
if ARGV[3] == "0" then newttl = ARGV[2] + expiration end
redis.call('pexpire', KEYS[1], newttl)
return 1
"""
)
def lock_extend(session: Session, keys: list[bytes], arguments: list[bytes]) -> int:
    """redis-py: give a lock more time."""
    if call(session, b"get", keys[0]) != arguments[0]:
        return 0
    left = call(session, b"pttl", keys[0])
    if left < 0:
        return 0
    more = int(float(arguments[1]))
    call(session, b"pexpire", keys[0], b"%d" % (more + left if arguments[2] == b"0" else more))
    return 1


def _arguments(numkeys: bytes, rest: tuple[bytes, ...]) -> tuple[list[bytes], list[bytes]]:
    count = Int.decode(numkeys)
    if count > len(rest):
        raise SimpleError("ERR Number of keys can't be greater than number of args")
    if count < 0:
        raise SimpleError("ERR Number of keys can't be negative")
    return list(rest[:count]), list(rest[count:])


def emulate_eval(session: Session, script: bytes, numkeys: bytes, *rest: bytes) -> Any:
    """EVAL script numkeys key ... argument ..., for scripts that are known."""
    keys, arguments = _arguments(numkeys, rest)
    function = _KNOWN.get(essence(script))
    if function is None:
        raise SimpleError(NO_LUA)
    session.broker.server.script_cache[sha1(script).hexdigest().encode()] = script
    session._script_resp = 2
    try:
        return function(session, keys, arguments)
    finally:
        session._script_resp = None


def emulate_evalsha(session: Session, digest: bytes, numkeys: bytes, *rest: bytes) -> Any:
    """EVALSHA sha1 numkeys key ... argument ..., for scripts that are known."""
    script = session.broker.server.script_cache.get(digest.lower())
    if script is None:
        raise SimpleError("NOSCRIPT No matching script. Please use EVAL.")
    return emulate_eval(session, script, numkeys, *rest)


def emulate_load(session: Session, script: bytes) -> bytes:
    """SCRIPT LOAD script."""
    digest = sha1(script).hexdigest().encode()
    session.broker.server.script_cache[digest] = script
    return digest


def emulate_exists(session: Session, *digests: bytes) -> list[int]:
    """SCRIPT EXISTS sha1 ..."""
    return [int(each.lower() in session.broker.server.script_cache) for each in digests]


def emulate_flush(session: Session, *how: bytes) -> SimpleString:
    """SCRIPT FLUSH [ASYNC|SYNC]."""
    session.broker.server.script_cache.clear()
    return OK


def do_without_lua() -> None:
    """Take over the commands for scripts."""
    command("eval", 2, -1, flags="s")(emulate_eval)
    command("evalsha", 2, -1, flags="s")(emulate_evalsha)
    command("script load", 1, flags="s")(emulate_load)
    command("script exists", 1, -1, flags="s")(emulate_exists)
    command("script flush", 0, 1, flags="s")(emulate_flush)


if not HAS_LUA:
    do_without_lua()


@command("script kill", 0, flags="s")
def script_kill(session: Session) -> Any:
    """SCRIPT KILL: scripts end at once."""
    raise SimpleError("NOTBUSY No scripts in execution right now.")
