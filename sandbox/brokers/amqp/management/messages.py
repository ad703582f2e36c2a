"""Publishing a message and taking some out, for people and small programs."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any, Final

from sandbox.brokers.amqp.codec import MAX_SHORT_STRING_BYTES
from sandbox.brokers.amqp.errors import NOT_FOUND, AmqpError
from sandbox.brokers.amqp.management.answers import HttpError, bad_request, unauthorised
from sandbox.brokers.amqp.management.exchanges import DEFAULT_NAME
from sandbox.brokers.amqp.management.request import Request, integer, table
from sandbox.brokers.amqp.permissions import READ, WRITE
from sandbox.brokers.amqp.properties import PROPERTIES, encode_header
from sandbox.brokers.amqp.publishing import accept, pack_route

if TYPE_CHECKING:
    from sandbox.brokers.amqp.message import Entry
    from sandbox.brokers.amqp.queue import Queue

#: What becomes of the messages: (does it go back, is it refused rather than taken).
ACK_MODES: Final = {
    "ack_requeue_true": (True, False),
    "ack_requeue_false": (False, False),
    "reject_requeue_true": (True, True),
    "reject_requeue_false": (False, True),
}


def publish(request: Request) -> Any:
    """Publish one message; says whether any queue got it."""
    body = request.body("routing_key", "properties", "payload", "payload_encoding")
    vhost, exchange = request.vhost(), request.names["exchange"]
    exchange = "" if exchange == DEFAULT_NAME else exchange
    payload = _payload(str(body["payload"]), body["payload_encoding"])
    if len(str(body["routing_key"]).encode()) > MAX_SHORT_STRING_BYTES:
        raise bad_request(f"routing_key is longer than {MAX_SHORT_STRING_BYTES} bytes")
    properties = _properties(table(body, "properties"))
    actor = request.actor(vhost)
    request.acts()
    try:
        actor.may(WRITE, "exchange", exchange)
        _, queues, _ = accept(
            request.broker,
            vhost,
            pack_route(exchange, str(body["routing_key"])),
            encode_header(properties, len(payload)),
            payload,
            actor=actor,
            user=request.user.name,
            mandatory=True,
        )
    except AmqpError as error:
        raise bad_request(f"{error.code} {error.reply_text}") from error
    except ValueError as problem:
        raise bad_request(str(problem)) from problem
    return {"routed": bool(queues)}


def get(request: Request) -> Any:
    """Take messages out of a queue, and put them back or not."""
    body = request.body("ackmode", "count", "encoding")
    vhost, name = request.vhost(), request.names["queue"]
    mode = ACK_MODES.get(str(body["ackmode"]))
    if mode is None:
        raise bad_request(f"ackmode is one of {', '.join(ACK_MODES)}")
    count, encoding = integer(body, "count"), body["encoding"]
    truncate = integer(body, "truncate") if body.get("truncate") is not None else None
    if encoding not in ("auto", "base64"):
        raise bad_request(["unsupported_encoding", encoding])
    actor = request.actor(vhost)
    request.acts()
    try:
        actor.may(READ, "queue", name)
        queue = vhost.queue(name, actor)
    except AmqpError as error:
        if error.code == NOT_FOUND:
            raise HttpError(404, "not_found", error.reply_text) from error
        raise unauthorised() from error
    taken: list[Entry] = []
    shapes = []
    while len(taken) < count:
        entry, left = queue.get()
        if entry is None:
            break
        taken.append(entry)
        shapes.append(_shape(entry, left, encoding, truncate))
        _tell(request, queue, entry, len(taken), consumed=mode == (False, False))
    _settle(queue, taken, *mode)
    return shapes


def _settle(queue: Queue, taken: list[Entry], goes_back: bool, refused: bool) -> None:
    if goes_back:
        queue.counts.get += len(taken)
        queue.requeue(taken)
        queue.dispatch()
        return
    for entry in taken:
        if refused:
            queue.counts.get += 1
            queue.reject(entry)
        else:
            queue.counts.get_no_ack += 1
            queue.forget(entry)


def _tell(request: Request, queue: Queue, entry: Entry, tag: int, *, consumed: bool) -> None:
    observe = request.broker.observe
    if observe is not None:
        observe(
            "basic.get",
            {
                "vhost": queue.home.name,
                "queue": queue.name,
                "message": entry.message.number,
                "tag": tag,
                "redelivered": entry.redelivered,
                "no_ack": consumed,
                "connection": request.connection.peer,
                "channel": None,
            },
        )


def _shape(entry: Entry, left: int, encoding: str, truncate: int | None) -> dict[str, Any]:
    message = entry.message
    body = message.body if truncate is None else message.body[: max(0, truncate)]
    try:
        text = body.decode() if encoding == "auto" else None
    except UnicodeDecodeError:
        text = None
    return {
        "payload_bytes": len(message.body),
        "redelivered": entry.redelivered,
        "exchange": message.exchange,
        "routing_key": message.routing_key,
        "message_count": left,
        # An empty list, as RabbitMQ writes it.
        "properties": message.properties or [],
        "payload": base64.b64encode(body).decode() if text is None else text,
        "payload_encoding": "base64" if text is None else "string",
    }


def _payload(payload: str, encoding: Any) -> bytes:
    if encoding == "string":
        return payload.encode(errors="surrogatepass")
    if encoding != "base64":
        raise bad_request(["unsupported_encoding", encoding])
    try:
        return base64.b64decode(payload)
    except binascii.Error as problem:
        raise bad_request(f"the payload is no base64: {problem}") from problem


def _properties(given: dict[str, Any]) -> dict[str, Any]:
    """The properties that there are; RabbitMQ ignores other names."""
    properties = {}
    for name, kind in PROPERTIES:
        if name not in given:
            continue
        value = given[name]
        if kind == "table":
            value = table(given, name)
        elif kind == "shortstr":
            if not isinstance(value, str):
                raise bad_request(["not_string", name])
            if len(value.encode(errors="surrogatepass")) > MAX_SHORT_STRING_BYTES:
                raise bad_request(f"{name} is longer than {MAX_SHORT_STRING_BYTES} bytes")
        else:
            most = 255 if kind == "octet" else 2**64 - 1
            if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
                raise bad_request(["not_int", name])
        properties[name] = value
    return properties
