"""A session: what the server keeps of a client whether it is connected or not.

Subscriptions; messages on their way to the client, each in a state of the table below; and the
QoS 2 messages it began to publish and has not released yet. A session outlives its connection for
its expiry interval, and a restart if that is not 0. [mqtt-v5.0 4.1, 4.3]

What is on its way goes through two lines: `waiting` (nothing was sent), then `in_flight` (sent with
a packet identifier, not settled). Both are in order.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from enum import Enum
from typing import TYPE_CHECKING, Final

from sandbox.brokers.mqtt import properties as props
from sandbox.brokers.mqtt.errors import protocol_error

if TYPE_CHECKING:
    from sandbox.brokers.mqtt.connection import Connection
    from sandbox.brokers.mqtt.durability import Keeper
    from sandbox.brokers.mqtt.message import Message
    from sandbox.brokers.mqtt.packets import Will
    from sandbox.brokers.mqtt.subscriptions import Subscription
    from sandbox.brokers.timers import Timer

#: A session expiry interval that means "never".
NEVER: Final = 0xFFFFFFFF
_MAX_ID: Final = 65_535


class State(Enum):
    """How far a delivery to a client has come."""

    WAITING = "waiting"
    AWAIT_PUBACK = "await PUBACK"
    AWAIT_PUBREC = "await PUBREC"
    AWAIT_PUBCOMP = "await PUBCOMP"
    SETTLED = "settled"


#: What is sent first, by QoS, and what each answer leads to. An answer without a row is an error.
SENT: Final[Mapping[int, State]] = {
    0: State.SETTLED,
    1: State.AWAIT_PUBACK,
    2: State.AWAIT_PUBREC,
}
TRANSITIONS: Final[Mapping[tuple[State, int], State]] = {
    (State.AWAIT_PUBACK, props.PUBACK): State.SETTLED,
    (State.AWAIT_PUBREC, props.PUBREC): State.AWAIT_PUBCOMP,
    (State.AWAIT_PUBCOMP, props.PUBREC): State.AWAIT_PUBCOMP,
    (State.AWAIT_PUBCOMP, props.PUBCOMP): State.SETTLED,
}


class Delivery:
    """One message on its way to one client. `serial` numbers a session's deliveries."""

    __slots__ = ("identifier", "message", "packet_id", "qos", "retain", "serial", "state")

    def __init__(
        self, serial: int, message: Message, qos: int, retain: bool, identifier: int | None
    ) -> None:
        self.serial = serial
        self.message = message
        self.qos = qos
        self.retain = retain
        #: The identifier of the subscription it goes to.
        self.identifier = identifier
        self.packet_id = 0
        self.state = State.WAITING


class Session:
    """One client id's session. `level` is the protocol level of its latest connection."""

    def __init__(self, client_id: str, level: int, expiry_s: int, keeper: Keeper) -> None:
        self.client_id = client_id
        self.level = level
        self.expiry_s = expiry_s
        self.user: str | None = None
        self.connection: Connection | None = None
        self.disconnected_ns: int | None = None
        #: By filter as it was asked for.
        self.subscriptions: dict[str, Subscription] = {}
        self.waiting: deque[Delivery] = deque()
        #: By packet identifier, in the order they were sent.
        self.in_flight: dict[int, Delivery] = {}
        #: Those of them that are still to be sent again on this connection.
        self.again: deque[Delivery] = deque()
        #: QoS 2 messages from the client that it has not released, by packet identifier.
        self.inbound: dict[int, Message] = {}
        #: A will that waits for its delay, and the timers of the two things that may end it.
        self.will: tuple[Will, int] | None = None
        self.will_timer: Timer | None = None
        self.expiry_timer: Timer | None = None
        self.last_serial = 0
        self.last_id = 0
        self._keeper = keeper

    @property
    def v5(self) -> bool:
        """Whether its client speaks MQTT 5."""
        return self.level == 5

    @property
    def persistent(self) -> bool:
        """Whether it outlives its connection."""
        return self.expiry_s > 0

    def expiry_ns(self, disconnected_ns: int) -> int | None:
        """When it ends if it is not resumed, or None."""
        if self.expiry_s == NEVER:
            return None
        return disconnected_ns + self.expiry_s * 1_000_000_000

    # -- on the way to the client --------------------------------------------------------------

    def wait(self, message: Message, qos: int, retain: bool, identifier: int | None) -> Delivery:
        """Put a message at the end of the line."""
        self.last_serial += 1
        delivery = Delivery(self.last_serial, message, qos, retain, identifier)
        self.waiting.append(delivery)
        self._keeper.queued(self, delivery)
        return delivery

    @property
    def outstanding(self) -> int:
        """How many deliveries the client was sent on this connection and has not settled."""
        return len(self.in_flight) - len(self.again)

    def take(self) -> Delivery:
        """Take the first of the line; it must be sent or given up."""
        return self.waiting.popleft()

    def start(self, delivery: Delivery) -> None:
        """Give a delivery a packet identifier: it is in flight from now on."""
        packet_id = self.last_id
        while True:
            packet_id = packet_id + 1 if packet_id < _MAX_ID else 1
            if packet_id not in self.in_flight:
                break
        self.last_id = delivery.packet_id = packet_id
        delivery.state = SENT[delivery.qos]
        self.in_flight[packet_id] = delivery
        self._keeper.started(self, delivery)

    def answered(self, packet_id: int, kind: int, *, failed: bool = False) -> Delivery | None:
        """Move a delivery on by the client's answer; `failed`: by one that refuses the message.

        Returns: the delivery in its new state, or None if there is none with this identifier.

        Raises:
            MqttError: 0x82 an answer that its state does not allow.
        """
        delivery = self.in_flight.get(packet_id)
        if delivery is None:
            return None
        following = TRANSITIONS.get((delivery.state, kind))
        if following is None:
            name = props.PACKET_NAMES[kind]
            raise protocol_error(
                f"a {name} for packet {packet_id}, which is in the state {delivery.state.value!r}"
            )
        if failed:
            following = State.SETTLED
        if following is State.SETTLED:
            self.give_up(delivery)
        elif delivery.state is not following:
            delivery.state = following
            self._keeper.released(self, delivery)
        return delivery

    def give_up(self, delivery: Delivery) -> None:
        """A delivery is over, or will never be."""
        self.in_flight.pop(delivery.packet_id, None)
        if delivery in self.again:
            self.again.remove(delivery)
        delivery.state = State.SETTLED
        self._keeper.settled(self, delivery)

    # -- from the client -----------------------------------------------------------------------

    def receive(self, packet_id: int, message: Message) -> None:
        """Keep a QoS 2 message until the client releases it."""
        self.inbound[packet_id] = message
        self._keeper.received(self, packet_id, message)

    def release(self, packet_id: int) -> Message | None:
        """The client releases a QoS 2 message; None if there is none with this identifier."""
        message = self.inbound.pop(packet_id, None)
        if message is not None:
            self._keeper.forgot(self, packet_id)
        return message
