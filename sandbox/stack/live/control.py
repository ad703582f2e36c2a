"""What a process of an exercise and the stack tell one another, one JSON object a line.

The process speaks first and, for everything that is a moment in its life, waits for the answer
before it goes on. So the stack sees these moments in the order in which they happened, also among
the frames the process sent, and can kill it exactly there.

From the process: `hello`, `record`, `sleep`, `waking`, `wait`, `woken`, `lapsed`, `returned`,
`raised`. To it: `go`.

JSON has no bytes; `pack` and `unpack` add them. To send another type of value, extend both.
"""

from __future__ import annotations

import base64
import json
from typing import Any

_BYTES = "$bytes"


def pack(value: Any) -> Any:
    """Turn plain data (with bytes and tuples) into what JSON can carry.

    Raises:
        TypeError: a value is not plain data; says which.
    """
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, bytes | bytearray):
        return {_BYTES: base64.b64encode(value).decode()}
    if isinstance(value, list | tuple):
        return [pack(item) for item in value]
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {key: pack(item) for key, item in value.items()}
    raise TypeError(
        f"{value!r} cannot leave its process: only numbers, text, bytes, None, and lists and "
        "dicts (with text as keys) of them can."
    )


def unpack(value: Any) -> Any:
    """The reverse of `pack`; tuples have become lists."""
    if isinstance(value, list):
        return [unpack(item) for item in value]
    if isinstance(value, dict):
        if set(value) == {_BYTES}:
            return base64.b64decode(value[_BYTES])
        return {key: unpack(item) for key, item in value.items()}
    return value


def encode(kind: str, **fields: Any) -> bytes:
    """One message as a line."""
    return json.dumps({"kind": kind} | {k: pack(v) for k, v in fields.items()}).encode() + b"\n"


def decode(line: bytes) -> dict[str, Any]:
    """The message in a line, `kind` and its fields.

    Raises:
        ValueError: the line is not a message.
    """
    message = json.loads(line)
    if not isinstance(message, dict) or not isinstance(message.get("kind"), str):
        raise ValueError(f"not a control message: {line[:80]!r}")
    return {key: unpack(value) for key, value in message.items()}
