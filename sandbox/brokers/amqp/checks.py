"""May this name be used, and is that the same thing? Refusals that several declarations share."""

from __future__ import annotations

from sandbox.brokers.amqp.errors import ACCESS_REFUSED, PRECONDITION_FAILED, AmqpError


def refuse_default_exchange(name: str) -> None:
    """403: the default exchange can be published to and nothing else."""
    if name == "":
        raise AmqpError(ACCESS_REFUSED, "operation not permitted on the default exchange")


def refuse_reserved(what: str, name: str) -> None:
    """403: names that begin with `amq.` are the server's to give."""
    if name.startswith("amq."):
        raise AmqpError(ACCESS_REFUSED, f"{what} name '{name}' contains reserved prefix 'amq.*'")


def check_same(resource: str, name: str, received: object, current: object) -> None:
    """406: a second declaration must say what the first said, `resource` being what it is about."""
    if received != current:
        raise AmqpError(
            PRECONDITION_FAILED,
            f"inequivalent arg '{name}' for {resource}: received '{_erlang(received)}' but"
            f" current is '{_erlang(current)}'",
        )


def _erlang(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
