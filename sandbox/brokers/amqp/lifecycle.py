"""The states of connections and channels, as tables: this file is their documentation.

A missing pair is an error, and `connection` and `channel` say which. An action is the name of the
method that does the work; None means the input is ignored, as it must be once a close was sent.
[amqp-0-9-1 1.2.1 and 1.3.1: the grammar of the classes connection and channel]
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto
from typing import Final


class ConnectionState(Enum):
    """Where a connection is. The values are RabbitMQ's words in its errors."""

    AWAIT_HEADER = "handshake"
    AWAIT_START_OK = "starting"
    AWAIT_TUNE_OK = "tuning"
    AWAIT_OPEN = "opening"
    RUNNING = "running"
    CLOSING = "closing"
    CLOSED = "closed"


class ConnectionInput(Enum):
    """What can happen on a connection: its own methods, and frames for channels."""

    PROTOCOL_HEADER = auto()
    START_OK = auto()
    TUNE_OK = auto()
    OPEN = auto()
    CLOSE = auto()
    CLOSE_OK = auto()
    UPDATE_SECRET = auto()
    OTHER_METHOD = auto()
    CHANNEL_FRAME = auto()
    HEARTBEAT = auto()


class ChannelState(Enum):
    """Where a channel is. A closed one is not kept: its number is free."""

    CLOSED = auto()
    OPEN = auto()
    CLOSING = auto()


class ChannelInput(Enum):
    """What can happen on a channel."""

    OPEN = auto()
    CLOSE = auto()
    CLOSE_OK = auto()
    OTHER = auto()


_C, _I = ConnectionState, ConnectionInput

CONNECTION: Final[
    Mapping[tuple[ConnectionState, ConnectionInput], tuple[ConnectionState, str | None]]
] = {
    (_C.AWAIT_HEADER, _I.PROTOCOL_HEADER): (_C.AWAIT_START_OK, "on_protocol_header"),
    (_C.AWAIT_START_OK, _I.START_OK): (_C.AWAIT_TUNE_OK, "on_start_ok"),
    (_C.AWAIT_START_OK, _I.HEARTBEAT): (_C.AWAIT_START_OK, None),
    (_C.AWAIT_TUNE_OK, _I.TUNE_OK): (_C.AWAIT_OPEN, "on_tune_ok"),
    (_C.AWAIT_TUNE_OK, _I.HEARTBEAT): (_C.AWAIT_TUNE_OK, None),
    (_C.AWAIT_OPEN, _I.OPEN): (_C.RUNNING, "on_open"),
    (_C.AWAIT_OPEN, _I.HEARTBEAT): (_C.AWAIT_OPEN, None),
    (_C.RUNNING, _I.CHANNEL_FRAME): (_C.RUNNING, "on_channel_frame"),
    (_C.RUNNING, _I.HEARTBEAT): (_C.RUNNING, None),
    (_C.RUNNING, _I.UPDATE_SECRET): (_C.RUNNING, "on_update_secret"),
    (_C.RUNNING, _I.CLOSE): (_C.CLOSED, "on_close"),
    (_C.CLOSING, _I.CLOSE): (_C.CLOSING, "on_close_while_closing"),
    (_C.CLOSING, _I.CLOSE_OK): (_C.CLOSED, "on_close_ok"),
    **{
        (_C.CLOSING, ignored): (_C.CLOSING, None)
        for ignored in _I
        if ignored not in (_I.CLOSE, _I.CLOSE_OK)
    },
    **{(_C.CLOSED, anything): (_C.CLOSED, None) for anything in _I},
}

_S, _J = ChannelState, ChannelInput

CHANNEL: Final[Mapping[tuple[ChannelState, ChannelInput], tuple[ChannelState, str | None]]] = {
    (_S.CLOSED, _J.OPEN): (_S.OPEN, "on_open"),
    (_S.OPEN, _J.CLOSE): (_S.CLOSED, "on_close"),
    (_S.OPEN, _J.OTHER): (_S.OPEN, "on_method"),
    (_S.CLOSING, _J.CLOSE): (_S.CLOSING, "on_close_while_closing"),
    (_S.CLOSING, _J.CLOSE_OK): (_S.CLOSED, "on_close_ok"),
    (_S.CLOSING, _J.OPEN): (_S.CLOSING, None),
    (_S.CLOSING, _J.OTHER): (_S.CLOSING, None),
}

#: Until a connection is this far, a client that errs is cut off without a word, as RabbitMQ does.
SPEAKS_BEFORE_CLOSING: Final = frozenset({_C.AWAIT_OPEN, _C.RUNNING})


def diagram(table: Mapping[tuple[Enum, Enum], tuple[Enum, str | None]]) -> str:
    """Draw a table as a Mermaid state diagram; what is ignored is left out."""
    arrows = [
        f"    {state.name} --> {after.name}: {what.name.lower()}"
        for (state, what), (after, action) in table.items()
        if action is not None
    ]
    return "\n".join(("stateDiagram-v2", *arrows))
