"""From a script's tree to Python functions.

An expression becomes a function of the scope that returns its value, a statement one that returns
None to go on, `BREAK`, or the list of what the script returns.

Every loop and every call counts as a step, so that a script that would run for ever ends.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from sandbox.brokers.redis.lua.parser import Node, Parser
from sandbox.brokers.redis.lua.values import (
    MOST_BYTES,
    Endless,
    Function,
    LuaError,
    Table,
    number,
    text,
    type_name,
)

#: So many loops and calls are enough for any script.
MOST_STEPS: Final = 2_000_000
#: So deep may calls nest.
_DEPTH: Final = 150
BREAK: Final = object()
_NAMELESS: Final[Node] = ("nameless",)


class Scope:
    """The local variables of a block while it runs, and the block around it."""

    __slots__ = ("outer", "run", "values")

    def __init__(self, outer: Scope | None, run: Run) -> None:
        self.values: dict[bytes, Any] = {}
        self.outer = outer
        self.run = run


class Run:
    """One run of a script: its globals, and how far it came."""

    __slots__ = ("depth", "globals", "steps")

    def __init__(self, globals_: Table) -> None:
        self.globals = globals_
        self.steps = 0
        self.depth = 0

    def step(self) -> None:
        """Count a loop or a call."""
        self.steps += 1
        if self.steps > MOST_STEPS:
            raise Endless(
                b"the script has taken %d steps and is ended here: does its loop end?" % MOST_STEPS
            )


Expression = Callable[[Scope], Any]
#: What the rest of a function's arguments is called among its variables.
_REST: Final = b"..."


def compile_script(source: bytes) -> Callable[[Table], list[Any]]:
    """Make a script a function of its globals that returns what it returns.

    Raises:
        LuaError: it is no script; or, by the function, what went wrong in it.
    """
    body = _Compiler().block(Parser(source).script(), [])

    def run(globals_: Table) -> list[Any]:
        result = body(Scope(None, Run(globals_)))
        return result if isinstance(result, list) else []

    return run


def call(run: Run, function: Any, arguments: list[Any], what: Node, line: int) -> list[Any]:
    """Call a Lua function.

    Raises:
        LuaError: it is none, or it failed.
    """
    if not callable(function):
        raise LuaError(_about(b"attempt to call", what, function), line)
    run.step()
    run.depth += 1
    try:
        if run.depth > _DEPTH:
            raise LuaError(b"stack overflow", line)
        return function(arguments)  # type: ignore[no-any-return]
    except LuaError as error:
        if error.line is None:
            error.line = line
        raise
    finally:
        run.depth -= 1


def _kind(value: Any) -> bytes:
    return type_name(value).encode()


def _about(what: bytes, node: Node, value: Any) -> bytes:
    """What is wrong with a value, and how the script calls it."""
    name = _what(node)
    if name == b"?":
        return b"%b a %b value" % (what, _kind(value))
    return b"%b %b (a %b value)" % (what, name, _kind(value))


def _what(node: Node) -> bytes:
    """How messages call a thing."""
    if node[0] == "name":
        return b"local '%b'" % node[1]  # a global that is nil is an error of its own
    if node[0] == "index" and node[2][0] == "value" and isinstance(node[2][1], bytes):
        return b"field '%b'" % node[2][1]
    if node[0] == "method" and len(node) == 2:
        return b"method '%b'" % node[1]
    return b"?"


class _Compiler:
    """Knows which names are local to which blocks; a scope is a list of sets, innermost last."""

    # -- statements ----------------------------------------------------------------------------

    def block(self, node: Node, scopes: list[set[bytes]], names: Any = ()) -> Expression:
        inner = [*scopes, set(names)]
        steps = [getattr(self, "s_" + each[0])(each, inner) for each in node[1]]

        def run(scope: Scope) -> Any:
            for step in steps:
                result = step(scope)
                if result is not None:
                    return result
            return None

        return run

    def nested(self, node: Node, scopes: list[set[bytes]]) -> Expression:
        body = self.block(node, scopes)
        return lambda scope: body(Scope(scope, scope.run))

    def s_return(self, node: Node, scopes: list[set[bytes]]) -> Expression:
        return self.many(node[1], scopes)

    def s_break(self, node: Node, scopes: list[set[bytes]]) -> Expression:
        return lambda scope: BREAK

    def s_do(self, node: Node, scopes: list[set[bytes]]) -> Expression:
        return self.nested(node[1], scopes)

    def s_do_call(self, node: Node, scopes: list[set[bytes]]) -> Expression:
        called = self.multi(node[1], scopes)

        def run(scope: Scope) -> None:
            called(scope)

        return run

    def s_local(self, node: Node, scopes: list[set[bytes]]) -> Expression:
        names, values = node[1], self.many(node[2], scopes)
        scopes[-1].update(names)

        def run(scope: Scope) -> None:
            found = values(scope)
            found += [None] * (len(names) - len(found))
            for name, value in zip(names, found, strict=False):
                scope.values[name] = value

        return run

    def s_localfunction(self, node: Node, scopes: list[set[bytes]]) -> Expression:
        scopes[-1].add(node[1])
        function = self.value(node[2], scopes)

        def run(scope: Scope) -> None:
            scope.values[node[1]] = function(scope)

        return run

    def s_assign(self, node: Node, scopes: list[set[bytes]]) -> Expression:
        values = self.many(node[2], scopes)
        setters = [self.setter(each, scopes) for each in node[1]]

        def run(scope: Scope) -> None:
            found = values(scope)
            found += [None] * (len(setters) - len(found))
            for put, value in zip(setters, found, strict=False):
                put(scope, value)

        return run

    def setter(self, node: Node, scopes: list[set[bytes]]) -> Callable[[Scope, Any], None]:
        if node[0] == "index":
            table, key, line = self.value(node[1], scopes), self.value(node[2], scopes), node[3]

            def put(scope: Scope, value: Any) -> None:
                found = table(scope)
                if not isinstance(found, Table):
                    raise LuaError(_about(b"attempt to index", node[1], found), line)
                try:
                    found.set(key(scope), value)
                except LuaError as error:
                    error.line = error.line or line
                    raise

            return put
        name, depth, line = node[1], self.depth(node[1], scopes), node[2]

        def assign(scope: Scope, value: Any) -> None:
            if depth is None:
                try:
                    scope.run.globals.set(name, value)
                except LuaError as error:
                    error.line = error.line or line
                    raise
                return
            for _ in range(depth):
                assert scope.outer is not None
                scope = scope.outer
            scope.values[name] = value

        return assign

    def s_if(self, node: Node, scopes: list[set[bytes]]) -> Expression:
        arms = [(self.value(c, scopes), self.nested(b, scopes)) for c, b in node[1]]
        otherwise = self.nested(node[2], scopes) if node[2] is not None else None

        def run(scope: Scope) -> Any:
            for condition, body in arms:
                if _true(condition(scope)):
                    return body(scope)
            return otherwise(scope) if otherwise is not None else None

        return run

    def s_while(self, node: Node, scopes: list[set[bytes]]) -> Expression:
        condition, body = self.value(node[1], scopes), self.nested(node[2], scopes)

        def run(scope: Scope) -> Any:
            while _true(condition(scope)):
                scope.run.step()
                result = body(scope)
                if result is not None:
                    return None if result is BREAK else result
            return None

        return run

    def s_repeat(self, node: Node, scopes: list[set[bytes]]) -> Expression:
        inner: set[bytes] = set()
        # The condition sees what is local to the body.
        steps = [getattr(self, "s_" + each[0])(each, [*scopes, inner]) for each in node[1][1]]
        condition = self.value(node[2], [*scopes, inner])

        def run(scope: Scope) -> Any:
            while True:
                scope.run.step()
                here = Scope(scope, scope.run)
                for step in steps:
                    result = step(here)
                    if result is not None:
                        return None if result is BREAK else result
                if _true(condition(here)):
                    return None

        return run

    def s_fornumber(self, node: Node, scopes: list[set[bytes]]) -> Expression:
        _, name, first, last, step, block, line = node
        parts = [self.value(each, scopes) for each in (first, last, step) if each is not None]
        body = self.block(block, scopes, [name])

        def run(scope: Scope) -> Any:
            limits = [number(part(scope)) for part in parts]
            for found, what in zip(limits, (b"initial value", b"limit", b"step"), strict=False):
                if found is None:
                    raise LuaError(b"'for' %b must be a number" % what, line)
            at, end = limits[0] or 0.0, limits[1] or 0.0
            by = limits[2] if len(limits) > 2 and limits[2] is not None else 1.0
            while (at <= end) if by > 0 else (at >= end):
                scope.run.step()
                here = Scope(scope, scope.run)
                here.values[name] = at
                result = body(here)
                if result is not None:
                    return None if result is BREAK else result
                at += by
            return None

        return run

    def s_forin(self, node: Node, scopes: list[set[bytes]]) -> Expression:
        _, names, sources, block, line = node
        values, body = self.many(sources, scopes), self.block(block, scopes, names)

        def run(scope: Scope) -> Any:
            function, state, at = [*values(scope), None, None, None][:3]
            while True:
                found = call(scope.run, function, [state, at], _NAMELESS, line)
                at = found[0] if found else None
                if at is None:
                    return None
                here = Scope(scope, scope.run)
                for number_, name in enumerate(names):
                    here.values[name] = found[number_] if number_ < len(found) else None
                result = body(here)
                if result is not None:
                    return None if result is BREAK else result

        return run

    # -- expressions ---------------------------------------------------------------------------

    def many(self, nodes: list[Node], scopes: list[set[bytes]]) -> Callable[[Scope], list[Any]]:
        """Several expressions; the last one counts with all its values."""
        if not nodes:
            return lambda scope: []
        first = [self.value(each, scopes) for each in nodes[:-1]]
        last = self.multi(nodes[-1], scopes)
        return lambda scope: [*[each(scope) for each in first], *last(scope)]

    def multi(self, node: Node, scopes: list[set[bytes]]) -> Callable[[Scope], list[Any]]:
        """An expression with all its values."""
        if node[0] == "call":
            return self.calling(node, scopes)
        if node[0] == "method":
            return self.method(node, scopes)
        if node[0] == "rest":
            depth = self.depth(_REST, scopes) or 0

            def rest(scope: Scope) -> list[Any]:
                for _ in range(depth):
                    assert scope.outer is not None
                    scope = scope.outer
                return list(scope.values.get(_REST, ()))

            return rest
        one = self.value(node, scopes)
        return lambda scope: [one(scope)]

    def calling(self, node: Node, scopes: list[set[bytes]]) -> Callable[[Scope], list[Any]]:
        function, arguments = self.value(node[1], scopes), self.many(node[2], scopes)
        what, line = node[1], node[3]
        return lambda scope: call(scope.run, function(scope), arguments(scope), what, line)

    def method(self, node: Node, scopes: list[set[bytes]]) -> Callable[[Scope], list[Any]]:
        target, arguments = self.value(node[1], scopes), self.many(node[3], scopes)
        name, line = node[2], node[4]

        def run(scope: Scope) -> list[Any]:
            own = target(scope)
            function = _index(scope, own, name, node[1], line)
            return call(scope.run, function, [own, *arguments(scope)], ("method", name), line)

        return run

    def value(self, node: Node, scopes: list[set[bytes]]) -> Expression:
        """An expression with its first value."""
        made: Expression = getattr(self, "e_" + node[0])(node, scopes)
        return made

    def e_value(self, node: Node, scopes: list[set[bytes]]) -> Expression:
        constant = node[1]
        return lambda scope: constant

    def e_one(self, node: Node, scopes: list[set[bytes]]) -> Expression:
        return self.value(node[1], scopes)

    def _first(self, node: Node, scopes: list[set[bytes]]) -> Expression:
        found = self.multi(node, scopes)

        def run(scope: Scope) -> Any:
            values = found(scope)
            return values[0] if values else None

        return run

    e_call = e_method = e_rest = _first

    def depth(self, name: bytes, scopes: list[set[bytes]]) -> int | None:
        """How many blocks out a name is local, or None where it is global."""
        for depth, names in enumerate(reversed(scopes)):
            if name in names:
                return depth
        return None

    def e_name(self, node: Node, scopes: list[set[bytes]]) -> Expression:
        name, depth, line = node[1], self.depth(node[1], scopes), node[2]
        if depth is None:

            def from_globals(scope: Scope) -> Any:
                value = scope.run.globals.get(name)
                if value is None:
                    raise LuaError(
                        b"Script attempted to access nonexistent global variable '%b'" % name, line
                    )
                return value

            return from_globals
        if depth == 0:
            return lambda scope: scope.values.get(name)

        def outer(scope: Scope) -> Any:
            for _ in range(depth):
                assert scope.outer is not None
                scope = scope.outer
            return scope.values.get(name)

        return outer

    def e_index(self, node: Node, scopes: list[set[bytes]]) -> Expression:
        table, key = self.value(node[1], scopes), self.value(node[2], scopes)
        what, line = node[1], node[3]
        return lambda scope: _index(scope, table(scope), key(scope), what, line)

    def e_table(self, node: Node, scopes: list[set[bytes]]) -> Expression:
        items = [
            (None if key is None else self.value(key, scopes), self.value(item, scopes))
            for key, item in node[1]
        ]
        tail = None
        if node[1] and node[1][-1][0] is None and node[1][-1][1][0] in ("call", "method", "rest"):
            tail = self.multi(node[1][-1][1], scopes)
            items.pop()

        def run(scope: Scope) -> Table:
            listed = [item(scope) for key, item in items if key is None]
            table = Table([*listed, *(tail(scope) if tail is not None else ())])
            for key, item in items:
                if key is not None:
                    table.set(key(scope), item(scope))
            return table

        return run

    def e_function(self, node: Node, scopes: list[set[bytes]]) -> Expression:
        _, names, rest, block, _ = node
        body = self.block(block, scopes, [*names, _REST] if rest else names)

        def make(scope: Scope) -> Function:
            def function(arguments: list[Any]) -> list[Any]:
                here = Scope(scope, scope.run)
                for at, name in enumerate(names):
                    here.values[name] = arguments[at] if at < len(arguments) else None
                if rest:
                    here.values[_REST] = arguments[len(names) :]
                result = body(here)
                return result if isinstance(result, list) else []

            return function

        return make

    def e_unary(self, node: Node, scopes: list[set[bytes]]) -> Expression:
        _, sign, operand, line = node
        value = self.value(operand, scopes)
        if sign == b"not":
            return lambda scope: not _true(value(scope))

        def run(scope: Scope) -> Any:
            found = value(scope)
            if sign == b"#":
                if isinstance(found, (bytes, Table)):
                    return float(len(found) if isinstance(found, bytes) else found.length)
                raise LuaError(_about(b"attempt to get length of", operand, found), line)
            amount = number(found)
            if amount is None:
                raise _arithmetic(operand, found, line)
            return -amount

        return run

    def e_binary(self, node: Node, scopes: list[set[bytes]]) -> Expression:
        _, sign, left, right, line = node
        one, other = self.value(left, scopes), self.value(right, scopes)
        if sign == b"and":

            def both(scope: Scope) -> Any:
                found = one(scope)
                return found if found is None or found is False else other(scope)

            return both
        if sign == b"or":

            def either(scope: Scope) -> Any:
                found = one(scope)
                return other(scope) if found is None or found is False else found

            return either
        if sign in (b"==", b"~="):
            wanted = sign == b"=="
            return lambda scope: same(one(scope), other(scope)) is wanted
        if sign in _COMPARE:
            compare = _COMPARE[sign]
            return lambda scope: compare(*_comparable(one(scope), other(scope), line))
        if sign == b"..":

            def joined(scope: Scope) -> bytes:
                parts = [one(scope), other(scope)]
                for part, source in zip(parts, (left, right), strict=True):
                    if not isinstance(part, (bytes, float)):
                        raise LuaError(
                            _about(b"attempt to concatenate", source, part),
                            line,
                        )
                made = text(parts[0]) + text(parts[1])
                if len(made) > MOST_BYTES:
                    raise LuaError(b"resulting string too large", line)
                return made

            return joined
        compute = _COMPUTE[sign]

        def computed(scope: Scope) -> float:
            first, second = one(scope), other(scope)
            amounts = number(first), number(second)
            if amounts[0] is None or amounts[1] is None:
                if amounts[0] is None:
                    raise _arithmetic(left, first, line)
                raise _arithmetic(right, second, line)
            try:
                return float(compute(amounts[0], amounts[1]))
            except OverflowError:
                return float("inf")

        return computed


def _true(value: Any) -> bool:
    """Whether a condition holds: only nil and false do not."""
    return value is not None and value is not False


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal; values of two types never are."""
    if isinstance(one, (Table, bool)) or isinstance(other, (Table, bool)) or callable(one):
        return one is other
    return type(one) is type(other) and bool(one == other)


def _arithmetic(node: Node, value: Any, line: int) -> LuaError:
    return LuaError(_about(b"attempt to perform arithmetic on", node, value), line)


def _comparable(one: Any, other: Any, line: int) -> tuple[Any, Any]:
    if type(one) is type(other) and isinstance(one, (float, bytes)):
        return one, other
    kinds = _kind(one), _kind(other)
    if kinds[0] == kinds[1]:
        raise LuaError(b"attempt to compare two %b values" % kinds[0], line)
    raise LuaError(b"attempt to compare %b with %b" % kinds, line)


def _index(scope: Scope, value: Any, key: Any, what: Node, line: int) -> Any:
    if isinstance(value, Table):
        return value.get(key)
    if isinstance(value, bytes):  # methods of text: ("x"):upper()
        library = scope.run.globals.get(b"string")
        return library.get(key) if isinstance(library, Table) else None
    raise LuaError(_about(b"attempt to index", what, value), line)


def _divided(one: float, other: float) -> float:
    if other == 0:
        return float("nan") if one == 0 or one != one else one * float("inf")
    return one / other


def _rest_of(one: float, other: float) -> float:
    return float("nan") if other == 0 else one % other


def _power(one: float, other: float) -> float:
    result = one**other if one or other >= 0 else float("inf")
    return result if isinstance(result, float) else float("nan")


_COMPARE: Final[dict[bytes, Callable[[Any, Any], bool]]] = {
    b"<": lambda one, other: one < other,
    b">": lambda one, other: one > other,
    b"<=": lambda one, other: one <= other,
    b">=": lambda one, other: one >= other,
}
_COMPUTE: Final[dict[bytes, Callable[[float, float], float]]] = {
    b"+": lambda one, other: one + other,
    b"-": lambda one, other: one - other,
    b"*": lambda one, other: one * other,
    b"/": _divided,
    b"%": _rest_of,
    b"^": _power,
}
