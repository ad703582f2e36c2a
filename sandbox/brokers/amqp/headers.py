"""The headers exchange: whether a message has what a binding asks for.

A binding's arguments are a pattern, `x-match` says whether all of it must be there or any. An entry
without a value asks only that the header is there; otherwise value and wire type must be equal.
Entries that begin with `x-` count only with `all-with-x` and `any-with-x`.
[amqp-0-9-1 3.1.3.4 "The Headers Exchange Type"]
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sandbox.brokers.amqp.arguments import wire_type
from sandbox.brokers.amqp.errors import PRECONDITION_FAILED, AmqpError, erlang_binary

MODES: Final = ("all", "any", "all-with-x", "any-with-x")


def check_pattern(arguments: Mapping[str, Any]) -> None:
    """Refuse a binding whose `x-match` means nothing.

    Raises:
        AmqpError: 406.
    """
    if "x-match" not in arguments:
        return
    mode, kind = arguments["x-match"], wire_type(arguments, "x-match")
    if kind != "longstr":
        value = "undefined" if mode is None else mode
        text = f"Invalid x-match field type {kind} (value {value}); expected longstr"
        raise AmqpError(PRECONDITION_FAILED, text)
    if mode not in MODES:
        raw = mode.encode() if isinstance(mode, str) else mode
        text = f"Invalid x-match field value {erlang_binary(raw)}; expected all, any, all-with-x,"
        raise AmqpError(PRECONDITION_FAILED, f"{text} or any-with-x")


def matches(pattern: Mapping[str, Any], headers: Mapping[str, Any]) -> bool:
    """True if a message with these headers fits the arguments of a binding."""
    mode = pattern.get("x-match", "all")
    with_x = mode.endswith("-with-x")
    fits = (
        name in headers
        and (
            pattern[name] is None
            or (
                wire_type(pattern, name) == wire_type(headers, name)
                and pattern[name] == headers[name]
            )
        )
        for name in pattern
        if name != "x-match" and (with_x or not name.startswith("x-"))
    )
    return any(fits) if mode.startswith("any") else all(fits)
