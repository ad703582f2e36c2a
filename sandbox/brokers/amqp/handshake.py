"""Who is there, and how shall we talk? Authentication and tuning, without the state around them.

The order of steps is `lifecycle.CONNECTION`. [amqp-0-9-1 1.2.1 "connection", 4.2.2]

To add an authentication mechanism, write a function from a response to a name and a password, and
add it to `MECHANISMS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from sandbox.brokers.amqp.errors import NOT_ALLOWED, SYNTAX_ERROR, AmqpError, erlang_binary
from sandbox.brokers.amqp.framing import FRAME_MIN_SIZE
from sandbox.brokers.amqp.tables import MalformedTableError, decode_table

#: How this RabbitMQ calls itself and its node; what it imitates is `VERSION`.
NODE: Final = "rabbit@sandbox"
VERSION: Final = "3.10.8"

#: What the server tells about itself. Clients look at the capabilities, people at the rest.
SERVER_PROPERTIES: Final[Mapping[str, Any]] = {
    "capabilities": {
        "authentication_failure_close": True,
        "basic.nack": True,
        "connection.blocked": True,
        "consumer_cancel_notify": True,
        "consumer_priorities": True,
        "direct_reply_to": True,
        "exchange_exchange_bindings": True,
        "per_consumer_qos": True,
        "publisher_confirms": True,
    },
    "cluster_name": NODE,
    "information": "A sandbox that behaves as RabbitMQ",
    "platform": "queue-sandbox",
    # Some clients choose their behaviour by these two, so they say what is imitated.
    "product": "RabbitMQ",
    "version": VERSION,
}

Credentials = tuple[str, str]


def _plain(response: bytes) -> Credentials:
    """Name and password, a NUL before each: RFC 4616 with no authorisation identity."""
    parts = response.split(b"\0")
    if len(parts) != 3 or parts[0]:
        raise AmqpError(SYNTAX_ERROR, f"response {erlang_binary(response)} invalid")
    return _text(parts[1]), _text(parts[2])


def _amqplain(response: bytes) -> Credentials:
    """A field table without its length, with LOGIN and PASSWORD."""
    whole = len(response).to_bytes(4, "big") + response
    try:
        table, _ = decode_table(whole, 0, len(whole))
    except MalformedTableError as problem:
        raise AmqpError(SYNTAX_ERROR, "AMQPLAIN auth info is no table") from problem
    name, password = table.get("LOGIN"), table.get("PASSWORD")
    if not isinstance(name, str) or not isinstance(password, str):
        raise AmqpError(SYNTAX_ERROR, "AMQPLAIN auth info is missing LOGIN or PASSWORD field")
    return name, password


def _text(raw: bytes) -> str:
    return raw.decode(errors="replace")


MECHANISMS: Final[Mapping[str, Callable[[bytes], Credentials]]] = {
    "PLAIN": _plain,
    "AMQPLAIN": _amqplain,
}


def credentials(mechanism: str, response: str | bytes) -> Credentials:
    """Read name and password out of a response.

    Raises:
        AmqpError: 530 no such mechanism, 502 the response is malformed.
    """
    read = MECHANISMS.get(mechanism)
    if read is None:
        raise AmqpError(NOT_ALLOWED, f"unknown authentication mechanism '{mechanism}'")
    return read(response.encode() if isinstance(response, str) else response)


def check_limit(name: str, offered: int, wanted: int) -> int:
    """Agree on a limit: the client may lower what the server offers; 0 means none on either side.

    Raises:
        AmqpError: 530, the client asks for more than was offered, or for frames too small.
    """
    if name == "frame_max" and 0 < wanted < FRAME_MIN_SIZE:
        text = f"negotiated frame_max = {wanted} is lower than the minimum allowed value"
        raise AmqpError(NOT_ALLOWED, f"{text} ({FRAME_MIN_SIZE})")
    if offered and (wanted == 0 or wanted > offered):
        asked = "no limit" if wanted == 0 else str(wanted)
        text = f"negotiated {name} = {asked} is higher than the maximum allowed value ({offered})"
        raise AmqpError(NOT_ALLOWED, text)
    return wanted
