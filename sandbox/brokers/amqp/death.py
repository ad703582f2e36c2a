"""Dead letters: what is written on a message that a queue gives up, and where it goes.

A message dies when it is rejected, when its time is up, when its queue is too long, or when it came
back to a quorum queue too often. Its queue's dead-letter exchange gets it, with an entry in the
header `x-death` that says why and where: one entry for each queue and reason, the latest first,
with a count. A message that would go in a circle without anybody rejecting it is dropped.
[RabbitMQ: "Dead Letter Exchanges"]
"""

from __future__ import annotations

from typing import Final

from sandbox.brokers.amqp import edit
from sandbox.brokers.amqp.codec import short_string
from sandbox.brokers.amqp.message import Message

REJECTED: Final = "rejected"
EXPIRED: Final = "expired"
MAX_LENGTH: Final = "maxlen"
DELIVERY_LIMIT: Final = "delivery_limit"

_NO_TABLE: Final = bytes(4)
_ROUTING_KEY_HEADERS: Final = (b"CC", b"BCC")


def dead_letter(
    message: Message,
    *,
    queue: str,
    reason: str,
    exchange: str,
    routing_key: str | None,
    time_s: int,
) -> Message:
    """The message as the dead-letter exchange gets it.

    `routing_key` is the queue's own for dead letters, or None to keep the message's.
    """
    parts = edit.split_properties(message.header)
    headers = edit.split_table(parts.get("headers", _NO_TABLE))
    keys = (message.routing_key, *_header_keys(headers))
    event = {
        b"reason": edit.text(reason),
        b"queue": edit.text(queue),
        b"time": edit.timestamp(time_s),
        b"exchange": edit.text(message.exchange),
        b"routing-keys": edit.array(edit.text(key) for key in keys),
    }
    expiration = parts.pop("expiration", None)
    if expiration is not None:
        event[b"original-expiration"] = edit.text(expiration[1:].decode())
    _record(headers, event)
    more_keys = message.more_keys
    if routing_key is not None:
        headers.pop(b"CC", None)
        more_keys = ()
    parts["headers"] = edit.join_table(dict(sorted(headers.items())))
    key = message.routing_key if routing_key is None else routing_key
    return Message(
        message.number,
        exchange,
        key,
        short_string(exchange) + short_string(key),
        edit.join_properties(parts, len(message.body)),
        message.body,
        message.persistent,
        priority=message.priority,
        more_keys=more_keys,
    )


def goes_in_a_circle(message: Message, queue: str) -> bool:
    """True if this dead letter died in `queue` before and nobody has rejected it since."""
    headers = edit.split_table(edit.split_properties(message.header)["headers"])
    name = edit.text(queue)
    for value in edit.split_array(headers[b"x-death"]):
        if value[:1] != b"F":
            return False
        event = edit.split_table(value[1:])
        if event.get(b"reason") == edit.text(REJECTED):
            return False
        if event.get(b"queue") == name:
            return True
    return False


def _record(headers: dict[bytes, bytes], event: dict[bytes, bytes]) -> None:
    first = {b"count": edit.long(1), **event}
    deaths = headers.get(b"x-death")
    if deaths is None:
        headers[b"x-first-death-reason"] = event[b"reason"]
        headers[b"x-first-death-queue"] = event[b"queue"]
        headers[b"x-first-death-exchange"] = event[b"exchange"]
        headers[b"x-death"] = edit.array([edit.table(first)])
        return
    if deaths[:1] != b"A":
        # Somebody sent something else under this name; it cannot be continued.
        headers[b"x-death"] = edit.array([edit.table(first)])
        return
    others = []
    for value in edit.split_array(deaths):
        known = edit.split_table(value[1:]) if value[:1] == b"F" else {}
        if all(known.get(name) == event[name] for name in (b"queue", b"reason")):
            known[b"count"] = edit.long(edit.long_of(known.get(b"count")) + 1)
            first = known
        else:
            others.append(value)
    latest = edit.table(dict(sorted(first.items())))
    headers[b"x-death"] = edit.array([latest, *others])


def _header_keys(headers: dict[bytes, bytes]) -> list[str]:
    return [
        value[5:].decode(errors="replace")
        for name in _ROUTING_KEY_HEADERS
        for value in edit.split_array(headers.get(name, b"A" + _NO_TABLE))
        if value[:1] == b"S"
    ]
