"""Values as plain data: what a snapshot, a record of the log and DUMP hold of a key.

A value is a word for its type and lists of bytes and numbers, so that it can be written anywhere
and read by a server that has just been started. Nothing in it refers to the value it came from,
except for byte strings, which never change.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any, Final

from fakeredis.model import ExpiringMembersSet, Hash, ZSet

from sandbox.brokers.redis.replies import encode
from sandbox.brokers.redis.stream import Stream

#: What a dump begins with; its end is a checksum.
_DUMP: Final = b"sandbox-dump-1:"
_SUM_BYTES: Final = 8
#: How deep a dump nests, at most.
_DEPTH: Final = 8


def to_plain(value: Any) -> tuple[str, Any]:
    """A value's type and content.

    Raises:
        ValueError: a type that Redis 7 has not.
    """
    if isinstance(value, bytes):
        return "string", value
    if isinstance(value, list):
        return "list", list(value)
    if isinstance(value, Stream):
        return "stream", value.to_plain()
    if isinstance(value, Hash):
        return "hash", [[f, v, value._expirations.get(f)] for f, v in value._values.items()]
    if isinstance(value, ZSet):
        return "zset", [[member, score] for member, score in value.items()]
    if isinstance(value, ExpiringMembersSet):
        return "set", list(value._values)
    raise ValueError(f"a value of type {type(value).__name__} cannot be kept")


def from_plain(kind: str, plain: Any) -> Any:
    """The value that `to_plain` told of, made anew.

    Raises:
        ValueError: there is no such type, or this is none of its contents.
    """
    try:
        return _MAKERS[kind](plain)
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        raise ValueError(f"no value of type {kind!r} can be made of this") from error


def _hash(plain: Any) -> Hash:
    value = Hash()
    for field, content, expires_ms in plain:
        value._values[field] = content
        if expires_ms is not None:
            value._expirations[field] = expires_ms
            value._schedule_expiry(field, expires_ms)
    return value


def _zset(plain: Any) -> ZSet:
    value = ZSet()
    for member, score in plain:
        value.add(member, score)
    return value


_MAKERS: Final[dict[str, Any]] = {
    "string": bytes,
    "list": list,
    "set": lambda plain: ExpiringMembersSet(dict.fromkeys(plain)),
    "hash": _hash,
    "zset": _zset,
    "stream": Stream.from_plain,
}


class Library:
    """A library of functions: its text, and its functions with their descriptions and flags."""

    def __init__(self, name: bytes, code: bytes) -> None:
        self.name = name
        self.code = code
        self.functions: dict[bytes, tuple[bytes | None, list[bytes]]] = {}

    def to_plain(self) -> list[Any]:
        """Everything but the name."""
        return [self.code, [[n, d, list(f)] for n, (d, f) in self.functions.items()]]

    @classmethod
    def from_plain(cls, name: bytes, plain: list[Any]) -> Library:
        """The library that `to_plain` told of."""
        library = cls(name, plain[0])
        library.functions = {n: (d, list(f)) for n, d, f in plain[1]}
        return library


# -- DUMP and RESTORE ------------------------------------------------------------------------------


def dumped(value: Any) -> bytes:
    """A value as DUMP gives it."""
    kind, plain = to_plain(value)
    body = _DUMP + encode([kind.encode(), plain], 3)
    return body + sha256(body).digest()[:_SUM_BYTES]


def restored(dump: bytes) -> Any:
    """The value in a dump.

    Raises:
        ValueError: it is none, or it is damaged.
    """
    body, checksum = dump[:-_SUM_BYTES], dump[-_SUM_BYTES:]
    if not body.startswith(_DUMP) or sha256(body).digest()[:_SUM_BYTES] != checksum:
        raise ValueError("no dump of this server, or a damaged one")
    (kind, plain), end = _decode(body, len(_DUMP), 0)
    if end != len(body):
        raise ValueError("a dump with something after its end")
    return from_plain(bytes(kind).decode("ascii", "replace"), plain)


def _decode(data: bytes, at: int, depth: int) -> tuple[Any, int]:
    """Read what `replies.encode` wrote, as far as dumps have it."""
    end = data.index(b"\r\n", at)
    kind, text, at = data[at : at + 1], data[at + 1 : end], end + 2
    if kind == b"$":
        size = int(text)
        return data[at : at + size], at + size + 2
    if kind == b":":
        return int(text), at
    if kind == b",":
        return float(text), at
    if kind == b"_":
        return None, at
    if kind != b"*" or depth > _DEPTH:
        raise ValueError("a dump with something in it that is no value")
    items = []
    for _ in range(int(text)):
        item, at = _decode(data, at, depth + 1)
        items.append(item)
    return items, at
