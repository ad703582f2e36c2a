"""Functions: FUNCTION LOAD and FCALL, scripts that the server keeps under a name.

A library is a script that registers functions; it is run again for each call, so that a function
cannot keep anything between calls but the data. Libraries outlive a restart, as in Redis.
[https://redis.io/docs/latest/develop/programmability/functions-intro/]
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from fakeredis._helpers import OK, SimpleError, SimpleString, compile_pattern

from sandbox.brokers.redis import scripts
from sandbox.brokers.redis.commands import command
from sandbox.brokers.redis.lua import LuaError, Table, compile_script
from sandbox.brokers.redis.lua.library import Arguments, function
from sandbox.brokers.redis.values import Library

if TYPE_CHECKING:
    from sandbox.brokers.redis.session import Session

_HEAD: Final = re.compile(rb"#!\s*(\w+)((?:\s+\w+=[^\s]+)*)\s*(?:\n|$)")
_NAME: Final = re.compile(rb"[A-Za-z0-9_]+")
_FLAGS: Final = frozenset(
    (b"no-writes", b"allow-oom", b"allow-stale", b"no-cluster", b"allow-cross-slot-keys")
)


def _registered(arguments: Arguments) -> tuple[bytes, Any, bytes | None, list[bytes]]:
    """Read what `redis.register_function` was given."""
    first = arguments.any(1)
    description, flags = None, []
    if isinstance(first, Table):
        name, body = first.get(b"function_name"), first.get(b"callback")
        description = first.get(b"description")
        if isinstance(first.get(b"flags"), Table):
            flags = first.get(b"flags").array()
    else:
        if len(arguments) != 2:
            raise LuaError(b"wrong number of arguments to redis.register_function")
        name, body = first, arguments.any(2)
    if not isinstance(name, bytes) or not _NAME.fullmatch(name):
        raise LuaError(
            b"Library names can only contain letters, numbers, or underscores(_) and must be at"
            b" least one character long"
        )
    if not callable(body):
        raise LuaError(b"redis.register_function must get a callback argument")
    if any(flag not in _FLAGS for flag in flags):
        raise LuaError(b"unknown flag given")
    return name, body, description, flags


def _run(session: Session, code: bytes, readonly: bool = False) -> dict[bytes, Any]:
    """Run a library's text; what it registered, by name."""
    _, _, rest = code.partition(b"\n")
    found: dict[bytes, Any] = {}

    def register(arguments: Arguments) -> list[Any]:
        name, *about = _registered(arguments)
        if name in found:
            raise LuaError(b"Function already exists in the library")
        found[name] = about
        return []

    globals_ = scripts.globals_for(session, (), (), readonly=readonly)
    redis: Table = globals_.get(b"redis")
    redis.readonly = False
    redis.set(b"register_function", function("register_function", register))
    redis.readonly = True
    compile_script(b"\n" + rest)(globals_)
    return found


@command("function load", 1, 2, flags="s")
def function_load(session: Session, *arguments: bytes) -> bytes:
    """FUNCTION LOAD [REPLACE] code."""
    replace = len(arguments) == 2
    if replace and arguments[0].lower() != b"replace":
        shown = arguments[0].decode("utf-8", "replace")
        raise SimpleError(f"ERR Unknown option given: {shown}")
    code = arguments[-1]
    head = _HEAD.match(code)
    if head is None:
        raise SimpleError("ERR Missing library metadata")
    if head[1].lower() != b"lua":
        raise SimpleError(f"ERR Engine '{head[1].decode()}' not found")
    options = dict(word.split(b"=", 1) for word in head[2].split())
    name = options.pop(b"name", None)
    if options:
        shown = next(iter(options)).decode("utf-8", "replace")
        raise SimpleError(f"ERR Invalid metadata value given: {shown}={options.popitem()[1]!r}")
    if name is None or not _NAME.fullmatch(name):
        raise SimpleError("ERR Library name was not given")
    libraries = session.broker.server.libraries
    if name in libraries and not replace:
        raise SimpleError(f"ERR Library '{name.decode()}' already exists")
    made = Library(name, code)
    try:
        for each, (_, description, flags) in _run(session, code).items():
            made.functions[each] = (description, flags)
    except LuaError as error:
        text = error.value if isinstance(error.value, bytes) else b"error"
        if isinstance(error.value, Table) and isinstance(error.value.get(b"err"), bytes):
            text = error.value.get(b"err")
        where = f"user_function:{error.line}: " if error.line else ""
        shown = where + text.decode("utf-8", "replace")
        raise SimpleError(f"ERR Error registering functions: @{shown}") from None
    if not made.functions:
        raise SimpleError("ERR No functions registered")
    for other in libraries.values():
        if other.name != name:
            for each in made.functions:
                if each in other.functions:
                    raise SimpleError(f"ERR Function {each.decode()} already exists")
    libraries[name] = made
    session.broker.server.dirty += 1
    return name


@command("function delete", 1, flags="s")
def function_delete(session: Session, name: bytes) -> SimpleString:
    """FUNCTION DELETE library."""
    if session.broker.server.libraries.pop(name, None) is None:
        raise SimpleError("ERR Library not found")
    session.broker.server.dirty += 1
    return OK


@command("function flush", 0, 1, flags="s")
def function_flush(session: Session, *how: bytes) -> SimpleString:
    """FUNCTION FLUSH [ASYNC|SYNC]."""
    if how and how[0].lower() not in (b"async", b"sync"):
        raise SimpleError("ERR FUNCTION FLUSH only supports SYNC|ASYNC option")
    if session.broker.server.libraries:
        session.broker.server.dirty += 1
    session.broker.server.libraries.clear()
    return OK


@command("function list", 0, 3)
def function_list(session: Session, *options: bytes) -> list[Any]:
    """FUNCTION LIST [LIBRARYNAME pattern] [WITHCODE]."""
    words, code, pattern = list(options), False, b"*"
    while words:
        word = words.pop(0).lower()
        if word == b"withcode":
            code = True
        elif word == b"libraryname" and words:
            pattern = words.pop(0)
        else:
            raise SimpleError(f"ERR Unknown argument {word.decode('utf-8', 'replace')}")
    regex = compile_pattern(pattern)
    told = []
    for library in session.broker.server.libraries.values():
        if not regex.match(library.name):
            continue
        functions = [
            {b"name": name, b"description": description, b"flags": flags}
            for name, (description, flags) in library.functions.items()
        ]
        one: dict[bytes, Any] = {
            b"library_name": library.name, b"engine": b"LUA", b"functions": functions,
        }  # fmt: skip
        if code:
            one[b"library_code"] = library.code
        told.append(one)
    return told


@command("function stats", 0)
def function_stats(session: Session) -> dict[bytes, Any]:
    """FUNCTION STATS."""
    libraries = session.broker.server.libraries.values()
    counts = {
        b"libraries_count": len(libraries),
        b"functions_count": sum(len(each.functions) for each in libraries),
    }
    return {b"running_script": None, b"engines": {b"LUA": counts}}


@command("function kill", 0)
def function_kill(session: Session) -> Any:
    """FUNCTION KILL: functions end at once."""
    raise SimpleError("NOTBUSY No scripts in execution right now.")


for _name in ("function dump", "function restore"):

    def _refused(session: Session, *_: bytes) -> Any:
        raise SimpleError(
            "ERR the sandbox does not dump functions: FUNCTION LIST WITHCODE has their text, and"
            " FUNCTION LOAD takes it"
        )

    command(_name, 0, -1)(_refused)


def _call(session: Session, name: bytes, numkeys: bytes, rest: Any, readonly: bool) -> Any:
    library = next(
        (each for each in session.broker.server.libraries.values() if name in each.functions), None
    )
    if library is None:
        raise SimpleError("ERR Function not found")
    keys, arguments = scripts.keys_and_arguments(numkeys, rest)
    only_reads = b"no-writes" in library.functions[name][1]
    if readonly and not only_reads:
        raise SimpleError("ERR Can not execute a script with write flag using *_ro command.")
    with scripts.running(session):
        try:
            body = _run(session, library.code, only_reads)[name][0]
            returned = body([Table(keys), Table(arguments)])
        except LuaError as error:
            shown = name.decode("utf-8", "replace")
            return SimpleError(
                scripts.failure(error, shown).replace("user_script", "user_function")
            )
    return scripts.from_lua(returned[0]) if returned else None


@command("fcall", 2, -1, flags="s")
def fcall(session: Session, name: bytes, numkeys: bytes, *rest: bytes) -> Any:
    """FCALL function numkeys key ... argument ..."""
    return _call(session, name, numkeys, rest, False)


@command("fcall_ro", 2, -1, flags="s")
def fcall_ro(session: Session, name: bytes, numkeys: bytes, *rest: bytes) -> Any:
    """FCALL_RO function numkeys key ... argument ..."""
    return _call(session, name, numkeys, rest, True)
