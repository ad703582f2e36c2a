"""From the text of a script to a tree of tuples: the kind first, then its parts, the line last.

[https://www.lua.org/manual/5.1/manual.html#8]
"""

from __future__ import annotations

import re
from typing import Any, Final

from sandbox.brokers.redis.lua.values import LuaError, number

Node = tuple[Any, ...]

_KEYWORDS: Final = frozenset(
    b"""and break do else elseif end false for function if in local nil not or repeat return then
    true until while""".split()
)
_TOKEN: Final = re.compile(
    rb"""(?P<space>[ \t\r\n\v\f]+)|--\[(?P<ceq>=*)\[(?P<clong>.*?)\](?P=ceq)\]|(?P<comment>--[^\n]*)
    |\[(?P<eq>=*)\[(?P<long>.*?)\](?P=eq)\]
    |(?P<name>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<number>0[xX][0-9a-fA-F]+|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
    |(?P<string>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')
    |(?P<sign>\.\.\.|\.\.|==|~=|<=|>=|[-+*/%^\#<>=(){}\[\];:,.])""",
    re.DOTALL | re.VERBOSE,
)
_ESCAPE: Final = re.compile(rb"\\(?:([0-9]{1,3})|(\r\n|\n\r|.))", re.DOTALL)
_ESCAPES: Final = {
    b"n": b"\n", b"t": b"\t", b"r": b"\r", b"a": b"\a", b"b": b"\b", b"f": b"\f", b"v": b"\v",
}  # fmt: skip
#: How tightly an operator holds what is left and right of it. [manual 2.5.6]
_BINDS: Final = {
    b"or": (1, 1), b"and": (2, 2), b"<": (3, 3), b">": (3, 3), b"<=": (3, 3), b">=": (3, 3),
    b"~=": (3, 3), b"==": (3, 3), b"..": (5, 4), b"+": (6, 6), b"-": (6, 6), b"*": (7, 7),
    b"/": (7, 7), b"%": (7, 7), b"^": (10, 9),
}  # fmt: skip
_UNARY: Final = 8
#: How deep expressions and blocks may nest, as in Lua.
_DEPTH: Final = 150


def _unescaped(quoted: bytes) -> bytes:
    def one(match: re.Match[bytes]) -> bytes:
        if match[1]:
            code = int(match[1])
            if code > 255:
                raise LuaError(b"escape sequence too large near " + match[0])
            return bytes([code])
        return _ESCAPES.get(match[2], match[2])

    return _ESCAPE.sub(one, quoted)


def tokens(source: bytes) -> list[tuple[str, bytes, int]]:
    """Cut a text into tokens: kind, text, line.

    Raises:
        LuaError: something in it is no token.
    """
    found, at, line = [], 0, 1
    while at < len(source):
        match = _TOKEN.match(source, at)
        if match is None:
            raise LuaError(b"unexpected symbol near '" + source[at : at + 1] + b"'", line)
        kind, word = str(match.lastgroup), match[0]
        if kind == "name" and word in _KEYWORDS:
            kind = "keyword"
        if kind == "string":
            found.append((kind, _unescaped(word[1:-1]), line))
        elif match["long"] is not None:
            body = match["long"]
            found.append(("string", body[1:] if body[:1] == b"\n" else body, line))
        elif kind in ("name", "keyword", "number", "sign"):
            found.append((kind, word, line))
        line += word.count(b"\n")
        at = match.end()
    return [*found, ("end", b"<eof>", line)]


class Parser:
    """Reads one script."""

    def __init__(self, source: bytes) -> None:
        self._tokens = tokens(source)
        self._at = 0
        self._depth = 0

    @property
    def _line(self) -> int:
        return self._tokens[self._at][2]

    def _is(self, *words: bytes) -> bool:
        kind, word, _ = self._tokens[self._at]
        return kind in ("keyword", "sign") and word in words

    def _take(self, word: bytes) -> bool:
        if self._is(word):
            self._at += 1
            return True
        return False

    def _fail(self, what: bytes) -> LuaError:
        return LuaError(what + b" near '" + self._tokens[self._at][1] + b"'", self._line)

    def _expect(self, word: bytes) -> None:
        if not self._take(word):
            raise self._fail(b"'" + word + b"' expected")

    def _name(self) -> bytes:
        kind, word, _ = self._tokens[self._at]
        if kind != "name":
            raise self._fail(b"<name> expected")
        self._at += 1
        return word

    def script(self) -> Node:
        """The whole text."""
        body = self._block()
        if self._tokens[self._at][0] != "end":
            raise self._fail(b"'<eof>' expected")
        return body

    # -- statements ----------------------------------------------------------------------------

    def _block(self) -> Node:
        self._depth += 1
        if self._depth > _DEPTH:
            raise self._fail(b"chunk has too many syntax levels")
        statements = []
        while not self._is(b"end", b"else", b"elseif", b"until"):
            if self._tokens[self._at][0] == "end":
                break
            if self._is(b"return"):
                statements.append(self._return())
                break
            statements.append(self._statement())
            self._take(b";")
            if statements[-1][0] == "break":
                break
        self._depth -= 1
        return ("block", statements)

    def _return(self) -> Node:
        line = self._line
        self._expect(b"return")
        values: list[Node] = []
        if not self._is(b"end", b"else", b"elseif", b"until", b";") and (
            self._tokens[self._at][0] != "end"
        ):
            values = self._expressions()
        self._take(b";")
        return ("return", values, line)

    def _statement(self) -> Node:
        line = self._line
        if self._take(b"if"):
            return self._if(line)
        if self._take(b"while"):
            condition = self._expression()
            self._expect(b"do")
            return ("while", condition, self._ended(), line)
        if self._take(b"do"):
            return ("do", self._ended(), line)
        if self._take(b"for"):
            return self._for(line)
        if self._take(b"repeat"):
            body = self._block()
            self._expect(b"until")
            return ("repeat", body, self._expression(), line)
        if self._take(b"function"):
            target: Node = ("name", self._name(), line)
            own = False
            while self._is(b".", b":") and not own:
                own = self._is(b":")
                self._at += 1
                target = ("index", target, ("value", self._name()), line)
            return ("assign", [target], [self._function(own)], line)
        if self._take(b"local"):
            if self._take(b"function"):
                name = self._name()
                return ("localfunction", name, self._function(False), line)
            names = [self._name()]
            while self._take(b","):
                names.append(self._name())
            return ("local", names, self._expressions() if self._take(b"=") else [], line)
        if self._take(b"break"):
            return ("break", line)
        return self._call_or_assignment(line)

    def _ended(self) -> Node:
        body = self._block()
        self._expect(b"end")
        return body

    def _if(self, line: int) -> Node:
        arms = []
        condition = self._expression()
        self._expect(b"then")
        arms.append((condition, self._block()))
        otherwise = None
        while True:
            if self._take(b"elseif"):
                condition = self._expression()
                self._expect(b"then")
                arms.append((condition, self._block()))
            elif self._take(b"else"):
                otherwise = self._block()
            else:
                self._expect(b"end")
                return ("if", arms, otherwise, line)

    def _for(self, line: int) -> Node:
        names = [self._name()]
        if self._take(b"="):
            first = self._expression()
            self._expect(b",")
            last = self._expression()
            step = self._expression() if self._take(b",") else None
            self._expect(b"do")
            return ("fornumber", names[0], first, last, step, self._ended(), line)
        while self._take(b","):
            names.append(self._name())
        self._expect(b"in")
        values = self._expressions()
        self._expect(b"do")
        return ("forin", names, values, self._ended(), line)

    def _call_or_assignment(self, line: int) -> Node:
        target = self._suffixed()
        if not self._is(b"=", b","):
            if target[0] not in ("call", "method"):
                raise self._fail(b"'=' expected")
            return ("do_call", target, line)
        targets = [target]
        while self._take(b","):
            targets.append(self._suffixed())
        self._expect(b"=")
        if any(each[0] not in ("name", "index") for each in targets):
            raise self._fail(b"syntax error")
        return ("assign", targets, self._expressions(), line)

    # -- expressions ---------------------------------------------------------------------------

    def _expressions(self) -> list[Node]:
        values = [self._expression()]
        while self._take(b","):
            values.append(self._expression())
        return values

    def _expression(self, limit: int = 0) -> Node:
        self._depth += 1
        if self._depth > _DEPTH:
            raise self._fail(b"chunk has too many syntax levels")
        line = self._line
        if self._is(b"not", b"-", b"#"):
            sign = self._tokens[self._at][1]
            self._at += 1
            left: Node = ("unary", sign, self._expression(_UNARY), line)
        else:
            left = self._simple()
        while True:
            kind, word, line = self._tokens[self._at]
            binds = _BINDS.get(word) if kind in ("keyword", "sign") else None
            if binds is None or binds[0] <= limit:
                self._depth -= 1
                return left
            self._at += 1
            left = ("binary", word, left, self._expression(binds[1]), line)

    def _simple(self) -> Node:
        kind, word, line = self._tokens[self._at]
        if kind == "string":
            self._at += 1
            return ("value", word)
        if kind == "number":
            self._at += 1
            return ("value", number(word))
        for literal, value in ((b"nil", None), (b"true", True), (b"false", False)):
            if self._take(literal):
                return ("value", value)
        if self._take(b"..."):
            return ("rest", line)
        if self._take(b"function"):
            return self._function(False)
        if self._is(b"{"):
            return self._table()
        return self._suffixed()

    def _suffixed(self) -> Node:
        line = self._line
        if self._take(b"("):
            node: Node = ("one", self._expression(), line)
            self._expect(b")")
        elif self._tokens[self._at][0] == "name":
            node = ("name", self._name(), line)
        else:
            raise self._fail(b"unexpected symbol")
        while True:
            line = self._line
            if self._take(b"."):
                node = ("index", node, ("value", self._name()), line)
            elif self._take(b"["):
                node = ("index", node, self._expression(), line)
                self._expect(b"]")
            elif self._take(b":"):
                node = ("method", node, self._name(), self._arguments(), line)
            elif self._is(b"(", b"{") or self._tokens[self._at][0] == "string":
                node = ("call", node, self._arguments(), line)
            else:
                return node

    def _arguments(self) -> list[Node]:
        kind, word, _ = self._tokens[self._at]
        if kind == "string":
            self._at += 1
            return [("value", word)]
        if self._is(b"{"):
            return [self._table()]
        self._expect(b"(")
        if self._take(b")"):
            return []
        values = self._expressions()
        self._expect(b")")
        return values

    def _table(self) -> Node:
        line = self._line
        self._expect(b"{")
        items: list[tuple[Node | None, Node]] = []
        while not self._take(b"}"):
            if self._take(b"["):
                key: Node | None = self._expression()
                self._expect(b"]")
                self._expect(b"=")
            elif self._tokens[self._at][0] == "name" and self._tokens[self._at + 1][1:2] == (b"=",):
                key = ("value", self._name())
                self._expect(b"=")
            else:
                key = None
            items.append((key, self._expression()))
            if not self._take(b",") and not self._take(b";"):
                self._expect(b"}")
                break
        return ("table", items, line)

    def _function(self, own: bool) -> Node:
        line = self._line
        names = [b"self"] if own else []
        rest = False
        self._expect(b"(")
        while not self._take(b")"):
            if self._take(b"..."):
                rest = True
                self._expect(b")")
                break
            names.append(self._name())
            if not self._take(b","):
                self._expect(b")")
                break
        return ("function", names, rest, self._ended(), line)
