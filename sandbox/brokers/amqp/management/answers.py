"""What is answered: a status, headers and a body, and refusals in RabbitMQ's words."""

from __future__ import annotations

import json
from typing import Any, Final, NamedTuple

from sandbox.brokers.amqp.errors import ACCESS_REFUSED, NOT_FOUND, AmqpError


class Answer(NamedTuple):
    """An answer over HTTP."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


CREATED: Final = Answer(201)
NO_CONTENT: Final = Answer(204)


class HttpError(Exception):
    """A refusal; `reason` is a sentence, or what RabbitMQ says instead."""

    def __init__(self, status: int, error: str, reason: Any) -> None:
        super().__init__(status, error, reason)
        self.status = status
        self.error = error
        self.reason = reason

    @property
    def answer(self) -> Answer:
        """The refusal as it is sent."""
        return json_answer(self.status, {"error": self.error, "reason": self.reason})


def missing() -> HttpError:
    """404: the path leads to nothing."""
    return HttpError(404, "Object Not Found", "Not Found")


def bad_request(reason: Any) -> HttpError:
    """400: it is not understood, or cannot be."""
    return HttpError(400, "bad_request", reason)


def unauthorised(reason: str = "Access refused.") -> HttpError:
    """401: not for this user."""
    return HttpError(401, "not_authorised", reason)


def from_amqp(error: AmqpError) -> HttpError:
    """What AMQP refuses, as the API tells it."""
    if error.code == ACCESS_REFUSED:
        return unauthorised()
    if error.code == NOT_FOUND:
        return HttpError(404, "not_found", error.text)
    return bad_request(error.text)


def json_answer(status: int, value: Any) -> Answer:
    """A value as JSON."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=_plain)
    headers: tuple[tuple[str, str], ...] = (("content-type", "application/json"),)
    if status == 200:
        headers = (("cache-control", "no-cache"), *headers)
    return Answer(status, text.encode(errors="surrogateescape"), headers)


def _plain(value: Any) -> Any:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
