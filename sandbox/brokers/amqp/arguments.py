"""Arguments of queues, exchanges, bindings and consumers: the `x-...` tables, all read here.

Three answers are possible. An argument the sandbox implements is checked as RabbitMQ checks it. An
argument RabbitMQ gives a meaning that the sandbox does not have is refused with 540, so that nobody
believes in something that is not there. Any other name is kept and ignored, as RabbitMQ does. What
the values mean is `options`.

To implement an argument, move it from a `..._NOT_YET` to `CHECKS` and give it a check.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from sandbox.brokers.amqp.errors import PRECONDITION_FAILED, AmqpError, not_yet
from sandbox.brokers.amqp.tables import FieldTable

CONSUMER_NOT_YET: Final = frozenset({"x-stream-offset", "x-credit"})
#: No time to live is longer than this many milliseconds: ten years.
MAX_TIME_MS: Final = 315_360_000_000
MAX_PRIORITY: Final = 255

#: Arguments in which two declarations of one queue must agree. RabbitMQ ignores all others.
QUEUE_COMPARED: Final = (
    "x-expires",
    "x-message-ttl",
    "x-dead-letter-exchange",
    "x-dead-letter-routing-key",
    "x-max-length",
    "x-max-length-bytes",
    "x-max-priority",
    "x-overflow",
    "x-queue-mode",
    "x-single-active-consumer",
    "x-queue-type",
    "x-delivery-limit",
)
#: Arguments that queues of a type cannot have.
NOT_FOR: Final[Mapping[str, tuple[str, ...]]] = {
    "classic": (
        "x-delivery-limit",
        "x-dead-letter-strategy",
        "x-max-age",
        "x-max-in-memory-bytes",
        "x-max-in-memory-length",
        "x-quorum-initial-group-size",
        "x-stream-max-segment-size-bytes",
    ),
    "quorum": (
        "x-max-priority",
        "x-queue-mode",
        "x-max-age",
        "x-stream-max-segment-size-bytes",
    ),
}

Arguments = Mapping[str, Any]
Check = Callable[[Arguments, str], str | None]

_INTEGERS: Final = frozenset(
    {"byte", "unsignedbyte", "short", "unsignedshort", "signedint", "unsignedint", "long"}
)


def _number(least: int, most: int | None, too_much: str = "") -> Check:
    def check(arguments: Arguments, name: str) -> str | None:
        kind = wire_type(arguments, name)
        if kind not in _INTEGERS:
            return f'"expected integer, got {kind}"'
        value = arguments[name]
        if value < 0:
            return f"{{value_negative,{value}}}"
        if value < least:
            return f"{{value_zero,{value}}}"
        if most is not None and value > most:
            return f"{{{too_much},{value}}}"
        return None

    return check


def _of_type(wanted: str) -> Check:
    def check(arguments: Arguments, name: str) -> str | None:
        kind = wire_type(arguments, name)
        return None if kind == wanted else f"{{unacceptable_type,{kind}}}"

    return check


def _overflow(arguments: Arguments, name: str) -> str | None:
    wrong = _of_type("longstr")(arguments, name)
    if wrong is not None:
        return wrong
    known = ("drop-head", "reject-publish", "reject-publish-dlx")
    return None if arguments[name] in known else "invalid_overflow"


def _dead_letter_routing_key(arguments: Arguments, name: str) -> str | None:
    wrong = _of_type("longstr")(arguments, name)
    if wrong is not None:
        return wrong
    return None if "x-dead-letter-exchange" in arguments else "routing_key_but_no_dlx_defined"


def _one_of(what: str, *known: object) -> Check:
    wanted = "integer" if isinstance(known[0], int) else "longstr"

    def check(arguments: Arguments, name: str) -> str | None:
        kind, value = wire_type(arguments, name), arguments[name]
        if kind != wanted and not (wanted == "integer" and kind in _INTEGERS):
            return f'"expected {wanted}, got {kind}"'
        return None if value in known else f"\"unsupported queue {what} '{value}'\""

    return check


#: Argument -> a check that returns what is wrong, or None.
QUEUE_CHECKS: Final[Mapping[str, Check]] = {
    "x-expires": _number(1, MAX_TIME_MS, "value_too_large"),
    "x-message-ttl": _number(0, MAX_TIME_MS, "value_too_large"),
    "x-dead-letter-routing-key": _dead_letter_routing_key,
    "x-max-length": _number(0, None),
    "x-max-length-bytes": _number(0, None),
    "x-max-priority": _number(0, MAX_PRIORITY, "max_value_exceeded"),
    "x-overflow": _overflow,
    "x-queue-mode": _one_of("mode", "default", "lazy"),
    "x-queue-version": _one_of("version", 1, 2),
    "x-single-active-consumer": _of_type("bool"),
}


def check_queue_arguments(name: str, vhost: str, arguments: Arguments) -> None:
    """Refuse queue arguments with a wrong value, or that the queue's type cannot have.

    Raises:
        AmqpError: 406, a value no queue can have; 540, a stream.
    """
    where = f"queue '{name}' in vhost '{vhost}'"

    def check(argument: str, problem: str | None) -> None:
        if problem is not None:
            text = f"invalid arg '{argument}' for {where}: {problem}"
            raise AmqpError(PRECONDITION_FAILED, text)

    if "x-queue-type" in arguments:
        known = _one_of("type", "classic", "quorum", "stream")
        check("x-queue-type", known(arguments, "x-queue-type"))
    kind = arguments.get("x-queue-type", "classic")
    if kind == "stream":
        raise not_yet("queue type 'stream'")
    for argument in NOT_FOR[kind]:
        if argument in arguments:
            text = f"invalid arg '{argument}' for {where} of queue type rabbit_{kind}_queue"
            raise AmqpError(PRECONDITION_FAILED, text)
    check_name(arguments, "x-dead-letter-exchange", where)
    for argument, problem_of in QUEUE_CHECKS.items():
        if argument in arguments:
            check(argument, problem_of(arguments, argument))
    if arguments.get("x-dead-letter-strategy") == "at-least-once":
        raise not_yet("dead-letter strategy 'at-least-once'")


def check_queue_type(
    name: str,
    vhost: str,
    arguments: Arguments,
    *,
    durable: bool,
    exclusive: bool,
    auto_delete: bool,
) -> None:
    """A quorum queue is durable, shared and stays.

    Raises:
        AmqpError: 406, it is not.
    """
    if arguments.get("x-queue-type") != "quorum":
        return
    for wrong, what in (
        (not durable and not exclusive, "non-durable"),
        (auto_delete, "auto-delete"),
        (exclusive, "exclusive-owner"),
    ):
        if wrong:
            text = f"invalid property '{what}' for queue '{name}' in vhost '{vhost}'"
            raise AmqpError(PRECONDITION_FAILED, text)


def check_name(arguments: Arguments, argument: str, where: str, *, preposition: str = "in") -> None:
    """An argument that names an exchange must be text.

    Raises:
        AmqpError: 406, it is not.
    """
    if argument in arguments and (kind := wire_type(arguments, argument)) != "longstr":
        text = f"invalid type '{kind}' for arg '{argument}' in {where}"
        raise AmqpError(PRECONDITION_FAILED, text)


def check_exchange_arguments(name: str, vhost: str, arguments: Arguments) -> None:
    """Refuse exchange arguments with a wrong value (406)."""
    check_name(arguments, "alternate-exchange", f"exchange '{name}' in vhost '{vhost}'")


def check_consumer_arguments(queue: str, vhost: str, arguments: Arguments) -> None:
    """Refuse consumer arguments with a wrong value, or without an implementation.

    Raises:
        AmqpError: 406, 540.
    """
    if "x-priority" in arguments:
        kind = wire_type(arguments, "x-priority")
        if kind not in _INTEGERS:
            text = f"invalid arg 'x-priority' for queue '{queue}' in vhost '{vhost}'"
            raise AmqpError(PRECONDITION_FAILED, f'{text}: "expected integer, got {kind}"')
    for argument in arguments:
        if argument in CONSUMER_NOT_YET:
            raise not_yet(f"consumer argument '{argument}'")


def check_same_arguments(
    resource: str,
    current: Arguments,
    received: Arguments,
    names: tuple[str, ...] = QUEUE_COMPARED,
) -> None:
    """Compare a second declaration's arguments with the first's.

    `resource` is such as "queue 'orders' in vhost '/'".

    Raises:
        AmqpError: 406, they differ.
    """
    for argument in names:
        old, new = current.get(argument), received.get(argument)
        if old == new or (argument == "x-queue-type" and {old, new} == {None, "classic"}):
            continue
        if old is not None and new is not None:
            detail = f"received '{_erlang(new)}' but current is '{_erlang(old)}'"
        elif old is None:
            detail = f"received {_described(received, argument)} but current is none"
        else:
            detail = f"received none but current is {_described(current, argument)}"
        raise AmqpError(
            PRECONDITION_FAILED, f"inequivalent arg '{argument}' for {resource}: {detail}"
        )


def _described(arguments: Arguments, name: str) -> str:
    return f"the value '{_erlang(arguments[name])}' of type '{wire_type(arguments, name)}'"


def _erlang(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def wire_type(arguments: Arguments, name: str) -> str:
    """RabbitMQ's name of an argument's type; guessed where it never was on a wire."""
    if isinstance(arguments, FieldTable):
        return arguments.types[name]
    value = arguments[name]
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "long"
    return "longstr" if isinstance(value, str) else type(value).__name__
