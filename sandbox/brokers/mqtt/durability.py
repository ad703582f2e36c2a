"""What a restart keeps, and the records that tell of it.

Retained messages, and of each session that outlives its connection: its subscriptions, what is on
its way to the client and how far, the QoS 2 messages the client has not released, and a will that
waits for its delay. A session that ends with its connection is not told of.

`Keeper` writes a record for each change; `snapshot` writes those that make what there is now;
`restore` reads either. A message stands in a record of its own, before the first that names its
number; `message.record_round` remembers in which round (they begin with a snapshot) it was written.
Times in records are of the calendar: the carrier's clock plus the broker's `epoch_ns`.

To keep something more, add a method here and a reader to `_READERS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from sandbox.brokers.mqtt.message import Message
from sandbox.brokers.mqtt.packets import Will
from sandbox.brokers.mqtt.session import Delivery, Session, State
from sandbox.brokers.mqtt.subscriptions import Subscription
from sandbox.brokers.mqtt.topics import parse_filter

if TYPE_CHECKING:
    from sandbox.brokers.base import Record
    from sandbox.brokers.mqtt.broker import Broker


class Keeper:
    """Tells of every change to whoever keeps the records; costs little while nobody does."""

    def __init__(self, epoch_ns: int) -> None:
        self.keep: Callable[[Record], None] | None = None
        self.epoch_ns = epoch_ns
        self.round = 1

    def _tell(self, *record: Any) -> None:
        if self.keep is not None:
            self.keep(list(record))

    def _message(self, message: Message) -> int:
        if message.record_round != self.round:
            message.record_round = self.round
            self._tell(
                "message",
                message.number,
                message.topic,
                message.payload,
                message.qos,
                message.retain,
                plain_properties(message.properties),
                message.publisher,
                None if message.expires_ns is None else message.expires_ns + self.epoch_ns,
            )
        return message.number

    def retained(self, message: Message) -> None:
        """A message is retained."""
        if self.keep is not None:
            self._tell("retain", self._message(message))

    def unretained(self, topic: str) -> None:
        """A topic's retained message is gone."""
        self._tell("unretain", topic)

    def opened(self, session: Session) -> None:
        """A session began, was resumed, or got another expiry interval."""
        if self.keep is not None and session.persistent:
            disconnected = session.disconnected_ns
            when = None if disconnected is None else disconnected + self.epoch_ns
            self._tell(
                "session", session.client_id, session.level, session.expiry_s, session.user, when
            )

    def ended(self, session: Session) -> None:
        """A session is over, or does not outlive its connection any more."""
        self._tell("end", session.client_id)

    def subscribed(self, subscription: Subscription) -> None:
        """A subscription is new or has other options."""
        if self.keep is not None and subscription.session.persistent:
            self._tell(
                "subscribe",
                subscription.session.client_id,
                subscription.topic_filter,
                subscription.qos,
                subscription.no_local,
                subscription.retain_as_published,
                subscription.identifier,
            )

    def unsubscribed(self, subscription: Subscription) -> None:
        """A subscription is gone."""
        if self.keep is not None and subscription.session.persistent:
            self._tell("unsubscribe", subscription.session.client_id, subscription.topic_filter)

    def queued(self, session: Session, delivery: Delivery) -> None:
        """A message is on its way to a client."""
        if self.keep is not None and session.persistent:
            number = self._message(delivery.message)
            self._tell(
                "queue",
                session.client_id,
                delivery.serial,
                number,
                delivery.qos,
                delivery.retain,
                delivery.identifier,
            )

    def started(self, session: Session, delivery: Delivery) -> None:
        """It is in flight, under a packet identifier."""
        if self.keep is not None and session.persistent:
            self._tell("start", session.client_id, delivery.serial, delivery.packet_id)

    def released(self, session: Session, delivery: Delivery) -> None:
        """The client has a QoS 2 message: the PUBREL is what is in flight now."""
        if self.keep is not None and session.persistent:
            self._tell("release", session.client_id, delivery.packet_id)

    def settled(self, session: Session, delivery: Delivery) -> None:
        """A delivery is over."""
        if self.keep is not None and session.persistent:
            self._tell("settle", session.client_id, delivery.serial)

    def received(self, session: Session, packet_id: int, message: Message) -> None:
        """A client published with QoS 2 and has to release it."""
        if self.keep is not None and session.persistent:
            self._tell("receive", session.client_id, packet_id, self._message(message))

    def forgot(self, session: Session, packet_id: int) -> None:
        """It released it."""
        if self.keep is not None and session.persistent:
            self._tell("forget", session.client_id, packet_id)

    def will_waits(self, session: Session) -> None:
        """A will waits for its delay."""
        if self.keep is not None and session.persistent and session.will is not None:
            will, due_ns = session.will
            self._tell(
                "will",
                session.client_id,
                due_ns + self.epoch_ns,
                will.topic,
                will.payload,
                will.qos,
                will.retain,
                plain_properties(will.properties),
            )

    def will_gone(self, session: Session) -> None:
        """It was published, or its client came back."""
        if session.persistent:
            self._tell("will-gone", session.client_id)

    def whole_session(self, session: Session) -> None:
        """Everything about a session, as if it happened just now."""
        self.opened(session)
        for subscription in session.subscriptions.values():
            self.subscribed(subscription)
        for delivery in (*session.in_flight.values(), *session.waiting):
            self.queued(session, delivery)
            if delivery.state is not State.WAITING:
                self.started(session, delivery)
            if delivery.state is State.AWAIT_PUBCOMP:
                self.released(session, delivery)
        for packet_id, message in session.inbound.items():
            self.received(session, packet_id, message)
        self.will_waits(session)


def plain_properties(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Properties as a record holds them: pairs are lists."""
    return {
        name: [list(pair) for pair in value] if name == "user_property" else value
        for name, value in properties.items()
    }


def _properties(plain: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: [tuple(pair) for pair in value] if name == "user_property" else value
        for name, value in plain.items()
    }


def snapshot(broker: Broker) -> Iterator[Record]:
    """Records that make what there is now."""
    keeper = broker.keeper
    records: list[Record] = []
    usual, keeper.keep = keeper.keep, records.append
    keeper.round += 1
    try:
        keeper._tell("numbers", broker.last_message)
        for message in broker.retained_messages:
            if not message.topic.startswith("$SYS/"):
                keeper.retained(message)
        for session in broker.session_table.values():
            if session.persistent:
                keeper.whole_session(session)
    finally:
        keeper.keep = usual
    return iter(records)


def restore(broker: Broker, records: Iterable[Record], now_ns: int) -> None:
    """Rebuild what records tell, in a broker that is new.

    Raises:
        ValueError: a record that tells nothing this version understands.
    """
    reading = _Reading(broker)
    usual, broker.keeper.keep = broker.keeper.keep, None
    try:
        for record in records:
            try:
                _READERS[record[0]](reading, *record[1:])
            except (KeyError, IndexError, TypeError, ValueError, AttributeError) as why:
                raise ValueError(
                    f"the MQTT broker cannot read the record {record!r}: {why!r}"
                ) from why
        reading.finish(now_ns)
    finally:
        broker.keeper.keep = usual


class _Reading:
    def __init__(self, broker: Broker) -> None:
        self.broker = broker
        self.epoch_ns = broker.keeper.epoch_ns
        self.messages: dict[int, Message] = {}
        self.deliveries: dict[str, dict[int, Delivery]] = {}

    def _session(self, client_id: str) -> Session:
        return self.broker.session_table[client_id]

    def numbers(self, last_message: int) -> None:
        self.broker.last_message = last_message

    def message(
        self,
        number: int,
        topic: str,
        payload: bytes,
        qos: int,
        retain: bool,
        properties: Mapping[str, Any],
        publisher: str | None,
        expires_at_ns: int | None,
    ) -> None:
        expires_ns = None if expires_at_ns is None else expires_at_ns - self.epoch_ns
        self.messages[number] = Message(
            number,
            topic,
            payload,
            qos,
            retain,
            _properties(properties),
            publisher,
            now_ns=0,
            expires_ns=expires_ns,
        )
        self.broker.last_message = max(self.broker.last_message, number)

    def retain(self, number: int) -> None:
        self.broker.retained_messages.set(self.messages[number])

    def unretain(self, topic: str) -> None:
        self.broker.retained_messages.remove(topic)

    def session(
        self, client_id: str, level: int, expiry_s: int, user: str | None, when_ns: int | None
    ) -> None:
        session = self.broker.session_table.get(client_id)
        if session is None:
            session = Session(client_id, level, expiry_s, self.broker.keeper)
            self.broker.session_table[client_id] = session
            self.deliveries[client_id] = {}
        session.level, session.expiry_s, session.user = level, expiry_s, user
        session.disconnected_ns = None if when_ns is None else when_ns - self.epoch_ns

    def end(self, client_id: str) -> None:
        session = self.broker.session_table.pop(client_id, None)
        if session is not None:
            for subscription in session.subscriptions.values():
                self.broker.tree.remove(subscription)

    def subscribe(
        self,
        client_id: str,
        topic_filter: str,
        qos: int,
        no_local: bool,
        retain_as_published: bool,
        identifier: int | None,
    ) -> None:
        group, pattern = parse_filter(topic_filter)
        session = self._session(client_id)
        subscription = Subscription(
            session, topic_filter, pattern, group, qos, no_local, retain_as_published, identifier
        )
        session.subscriptions[topic_filter] = subscription
        self.broker.tree.add(subscription)

    def unsubscribe(self, client_id: str, topic_filter: str) -> None:
        self.broker.tree.remove(self._session(client_id).subscriptions.pop(topic_filter))

    def queue(
        self,
        client_id: str,
        serial: int,
        number: int,
        qos: int,
        retain: bool,
        identifier: int | None,
    ) -> None:
        session = self._session(client_id)
        session.last_serial = serial - 1
        delivery = session.wait(self.messages[number], qos, retain, identifier)
        self.deliveries[client_id][serial] = delivery

    def start(self, client_id: str, serial: int, packet_id: int) -> None:
        session = self._session(client_id)
        delivery = self.deliveries[client_id][serial]
        session.waiting.remove(delivery)
        session.last_id = packet_id - 1
        session.start(delivery)

    def release(self, client_id: str, packet_id: int) -> None:
        self._session(client_id).in_flight[packet_id].state = State.AWAIT_PUBCOMP

    def settle(self, client_id: str, serial: int) -> None:
        session = self._session(client_id)
        delivery = self.deliveries[client_id].pop(serial)
        if delivery.state is State.WAITING:
            session.waiting.remove(delivery)
        session.give_up(delivery)

    def receive(self, client_id: str, packet_id: int, number: int) -> None:
        self._session(client_id).inbound[packet_id] = self.messages[number]

    def forget(self, client_id: str, packet_id: int) -> None:
        self._session(client_id).inbound.pop(packet_id, None)

    def will(
        self,
        client_id: str,
        due_at_ns: int,
        topic: str,
        payload: bytes,
        qos: int,
        retain: bool,
        properties: Mapping[str, Any],
    ) -> None:
        will = Will(topic, payload, qos, retain, _properties(properties), 0)
        self._session(client_id).will = (will, due_at_ns - self.epoch_ns)

    def will_gone(self, client_id: str) -> None:
        self._session(client_id).will = None

    def finish(self, now_ns: int) -> None:
        """Start the clocks. Who was connected when the records end lost its connection now."""
        for session in list(self.broker.session_table.values()):
            if session.disconnected_ns is None:
                session.disconnected_ns = now_ns
            self.broker.start_clocks(session, now_ns)


_READERS: Final[Mapping[str, Callable[..., None]]] = {
    "numbers": _Reading.numbers,
    "message": _Reading.message,
    "retain": _Reading.retain,
    "unretain": _Reading.unretain,
    "session": _Reading.session,
    "end": _Reading.end,
    "subscribe": _Reading.subscribe,
    "unsubscribe": _Reading.unsubscribe,
    "queue": _Reading.queue,
    "start": _Reading.start,
    "release": _Reading.release,
    "settle": _Reading.settle,
    "receive": _Reading.receive,
    "forget": _Reading.forget,
    "will": _Reading.will,
    "will-gone": _Reading.will_gone,
}
