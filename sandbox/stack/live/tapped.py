"""Carries a connection to a broker that is not RabbitMQ: request by request, and unchanged."""

from __future__ import annotations

import socket
import struct
from typing import Protocol

from sandbox.stack.live.proxy import Carried, Owner, Side
from sandbox.stack.live.taps import Tap


class TappedOwner(Owner, Protocol):
    """The process at the client's end."""

    def looked(self) -> None:
        """It asked for news and there was none."""
        ...


class TappedConnection(Carried):
    """A connection to Kafka, Redis or an MQTT server."""

    def __init__(
        self, client: socket.socket, broker: socket.socket, *, owner: TappedOwner, tap: Tap
    ) -> None:
        super().__init__(client, broker, owner=owner, ledger=tap)
        self.tap = tap
        self._looker = owner

        self._opaque = False  # what passes is not the broker's protocol

    def _forward(self, side: Side, data: bytes) -> None:
        if side is self.client:
            self._to_broker(data)
            self.broker.flush()
        else:
            self._to_client(data)
            self.client.flush()

    def _to_broker(self, data: bytes) -> None:
        if self._opaque:
            self.broker.waiting += data
            return
        try:
            for request in self.tap.sent(data):
                if not request.poll and not self.owner.moment(request.name):
                    return  # the process was killed at this request; it sent nothing later
                self.owner.noticed(poll=request.poll)
                self.broker.waiting += request.data
        except (ValueError, IndexError, struct.error):
            self._opaque = True
            self.broker.waiting += self.tap.rest()

    def _to_client(self, data: bytes) -> None:
        poll = self.tap.received(data)
        if poll:
            self._looker.looked()
        self.owner.noticed(poll=poll)
        self.client.waiting += data
