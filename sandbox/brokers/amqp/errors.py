"""Reply codes, and the exception that carries one to the client.

AMQP has two kinds of failure. A *channel exception* ends the channel it happened on; a *connection
exception* ends the whole connection. Which one it is follows from the code alone, so the table
below is the only place that decides. [amqp-0-9-1 1.2 "reply-code constants"]

Anything in the broker may raise `AmqpError`; the connection catches it and says goodbye. To add
a failure, raise it where it is noticed, with RabbitMQ's own text: people search for these texts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

NO_ROUTE: Final = 312
CONNECTION_FORCED: Final = 320
ACCESS_REFUSED: Final = 403
NOT_FOUND: Final = 404
RESOURCE_LOCKED: Final = 405
PRECONDITION_FAILED: Final = 406
FRAME_ERROR: Final = 501
SYNTAX_ERROR: Final = 502
COMMAND_INVALID: Final = 503
CHANNEL_ERROR: Final = 504
UNEXPECTED_FRAME: Final = 505
RESOURCE_ERROR: Final = 506
NOT_ALLOWED: Final = 530
NOT_IMPLEMENTED: Final = 540
INTERNAL_ERROR: Final = 541

#: Code -> (the name in the reply text, whether the connection ends and not just the channel).
REPLY_CODES: Final[Mapping[int, tuple[str, bool]]] = {
    CONNECTION_FORCED: ("CONNECTION_FORCED", True),
    ACCESS_REFUSED: ("ACCESS_REFUSED", False),
    NOT_FOUND: ("NOT_FOUND", False),
    RESOURCE_LOCKED: ("RESOURCE_LOCKED", False),
    PRECONDITION_FAILED: ("PRECONDITION_FAILED", False),
    FRAME_ERROR: ("FRAME_ERROR", True),
    SYNTAX_ERROR: ("SYNTAX_ERROR", True),
    COMMAND_INVALID: ("COMMAND_INVALID", True),
    CHANNEL_ERROR: ("CHANNEL_ERROR", True),
    UNEXPECTED_FRAME: ("UNEXPECTED_FRAME", True),
    RESOURCE_ERROR: ("RESOURCE_ERROR", True),
    NOT_ALLOWED: ("NOT_ALLOWED", True),
    NOT_IMPLEMENTED: ("NOT_IMPLEMENTED", True),
    INTERNAL_ERROR: ("INTERNAL_ERROR", True),
}

#: A reply text is a short string: 255 bytes at most.
MAX_REPLY_TEXT_BYTES: Final = 255


class AmqpError(Exception):
    """A failure the client is told about, with its reply code.

    `method` is `(class id, method id)` of the method at fault where that is not simply the
    method being handled; `(0, 0)` means no method is at fault.
    """

    def __init__(self, code: int, text: str, method: tuple[int, int] | None = None) -> None:
        super().__init__(code, text)
        self.code = code
        self.text = text
        self.method = method

    @property
    def closes_connection(self) -> bool:
        """True for a connection exception, False for a channel exception."""
        return REPLY_CODES[self.code][1]

    @property
    def reply_text(self) -> str:
        """The text on the wire: the code's name, a dash, the sentence; 255 bytes at most."""
        name = REPLY_CODES[self.code][0]
        text = f"{name} - {self.text}" if self.text else name
        raw = text.encode()
        if len(raw) <= MAX_REPLY_TEXT_BYTES:
            return text
        return raw[: MAX_REPLY_TEXT_BYTES - 3].decode(errors="ignore") + "..."


def no_queue(name: str, vhost: str) -> AmqpError:
    """404: the queue a method names is not there."""
    return AmqpError(NOT_FOUND, f"no queue '{name}' in vhost '{vhost}'")


def no_exchange(name: str, vhost: str) -> AmqpError:
    """404: the exchange a method names is not there."""
    return AmqpError(NOT_FOUND, f"no exchange '{name}' in vhost '{vhost}'")


def locked_queue(name: str, vhost: str) -> AmqpError:
    """405: the queue is another connection's exclusive queue, or should have been."""
    return AmqpError(
        RESOURCE_LOCKED,
        f"cannot obtain exclusive access to locked queue '{name}' in vhost '{vhost}'. It could be"
        " originally declared on another connection or the exclusive property value does not"
        " match that of the original declaration.",
    )


def not_yet(what: str) -> AmqpError:
    """540: RabbitMQ has this, the sandbox does not. Never pretend: say so."""
    return AmqpError(NOT_IMPLEMENTED, f"{what} is not supported by the sandbox's broker")


def erlang_binary(data: bytes) -> str:
    """Print bytes as RabbitMQ's reply texts do, such as `<<0,60,0,10>>` or `<<"abc">>`."""
    if data and all(32 <= byte < 127 for byte in data):
        return '<<"' + data.decode("ascii").replace("\\", "\\\\").replace('"', '\\"') + '">>'
    return "<<" + ",".join(map(str, data)) + ">>"
