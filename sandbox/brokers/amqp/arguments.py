"""Arguments of queues, exchanges, bindings and consumers: the `x-...` tables, all read here.

Three answers are possible. An argument the sandbox implements is checked as RabbitMQ checks it. An
argument RabbitMQ gives a meaning that the sandbox does not have is refused with 540, so that nobody
believes in a dead-letter exchange that is not there. Any other name is kept and ignored, as
RabbitMQ does.

To implement an argument, move it from `NOT_YET` to `CHECKS` and give it a check.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from sandbox.brokers.amqp.errors import PRECONDITION_FAILED, AmqpError, not_yet
from sandbox.brokers.amqp.tables import FieldTable

QUEUE_NOT_YET: Final = frozenset(
    {
        "x-dead-letter-exchange",
        "x-dead-letter-routing-key",
        "x-dead-letter-strategy",
        "x-delivery-limit",
        "x-expires",
        "x-max-age",
        "x-max-in-memory-bytes",
        "x-max-in-memory-length",
        "x-max-length",
        "x-max-length-bytes",
        "x-max-priority",
        "x-message-ttl",
        "x-overflow",
        "x-single-active-consumer",
        "x-stream-max-segment-size-bytes",
    }
)
EXCHANGE_NOT_YET: Final = frozenset({"alternate-exchange"})
CONSUMER_NOT_YET: Final = frozenset({"x-priority", "x-stream-offset", "x-credit"})

#: Arguments in which two declarations of one queue must agree. RabbitMQ ignores all others.
QUEUE_COMPARED: Final = ("x-queue-mode", "x-queue-type")


def _queue_type(value: object) -> str | None:
    if value in ("quorum", "stream"):
        raise not_yet(f"queue type '{value}'")
    return None if value == "classic" else f"unsupported queue type '{value}'"


def _queue_mode(value: object) -> str | None:
    return None if value in ("default", "lazy") else f"unsupported queue mode '{value}'"


def _queue_version(value: object) -> str | None:
    return None if value in (1, 2) else f"unsupported queue version '{value}'"


#: Argument -> (the wire types it may have, a check that returns what is wrong or None).
QUEUE_CHECKS: Final[Mapping[str, tuple[str, Callable[[object], str | None]]]] = {
    "x-queue-mode": ("longstr", _queue_mode),
    "x-queue-type": ("longstr", _queue_type),
    "x-queue-version": ("integer", _queue_version),
}
_INTEGERS: Final = frozenset(
    {"byte", "unsignedbyte", "short", "unsignedshort", "signedint", "unsignedint", "long"}
)


def check_queue_arguments(name: str, vhost: str, arguments: Mapping[str, Any]) -> None:
    """Refuse queue arguments with a wrong value or without an implementation.

    Raises:
        AmqpError: 406, a value no queue can have; 540, not implemented.
    """
    for argument, (wanted, check) in QUEUE_CHECKS.items():
        if argument not in arguments:
            continue
        kind = wire_type(arguments, argument)
        if kind != wanted and not (wanted == "integer" and kind in _INTEGERS):
            problem: str | None = f"expected {wanted}, got {kind}"
        else:
            problem = check(arguments[argument])
        if problem is not None:
            raise AmqpError(
                PRECONDITION_FAILED,
                f"invalid arg '{argument}' for queue '{name}' in vhost '{vhost}': \"{problem}\"",
            )
    _refuse(QUEUE_NOT_YET, arguments, "queue")


def check_exchange_arguments(arguments: Mapping[str, Any]) -> None:
    """Refuse exchange arguments without an implementation (540)."""
    _refuse(EXCHANGE_NOT_YET, arguments, "exchange")


def check_consumer_arguments(arguments: Mapping[str, Any]) -> None:
    """Refuse consumer arguments without an implementation (540)."""
    _refuse(CONSUMER_NOT_YET, arguments, "consumer")


def _refuse(refused: frozenset[str], arguments: Mapping[str, Any], what: str) -> None:
    for argument in arguments:
        if argument in refused:
            raise not_yet(f"{what} argument '{argument}'")


def check_same_arguments(
    resource: str, current: Mapping[str, Any], received: Mapping[str, Any]
) -> None:
    """Compare a second declaration's arguments with the first's.

    `resource` is such as "queue 'orders' in vhost '/'".

    Raises:
        AmqpError: 406, they differ.
    """
    for argument in QUEUE_COMPARED:
        old, new = current.get(argument), received.get(argument)
        if old == new or (argument == "x-queue-type" and None in (old, new)):
            continue
        if old is not None and new is not None:
            detail = f"received '{new}' but current is '{old}'"
        elif old is None:
            detail = f"received {_described(received, argument)} but current is none"
        else:
            detail = f"received none but current is {_described(current, argument)}"
        raise AmqpError(
            PRECONDITION_FAILED, f"inequivalent arg '{argument}' for {resource}: {detail}"
        )


def _described(arguments: Mapping[str, Any], name: str) -> str:
    return f"the value '{arguments[name]}' of type '{wire_type(arguments, name)}'"


def wire_type(arguments: Mapping[str, Any], name: str) -> str:
    """RabbitMQ's name of an argument's type; guessed where it never was on a wire."""
    if isinstance(arguments, FieldTable):
        return arguments.types[name]
    value = arguments[name]
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "long"
    return "longstr" if isinstance(value, str) else type(value).__name__
