"""From a message to the bytes of a PUBLISH: who gets it now, who later, who not at all.

QoS 0 is sent at once or never. QoS 1 and 2 wait in the session's line while the client is away or
holds as many as it may (its receive maximum; 20 unless it says, as in Mosquitto); the line is
limited, and what comes when it is full is dropped. [mqtt-v5.0 4.4, 4.6, 4.9; mosquitto.conf(5)
max_inflight_messages, max_queued_messages]
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.brokers.mqtt import packets, wire
from sandbox.brokers.mqtt import properties as props
from sandbox.brokers.mqtt.session import Delivery, Session, State

if TYPE_CHECKING:
    from sandbox.brokers.mqtt.broker import Broker
    from sandbox.brokers.mqtt.connection import Connection
    from sandbox.brokers.mqtt.message import Message
    from sandbox.brokers.mqtt.subscriptions import Subscription


def route(broker: Broker, message: Message, now_ns: int) -> int:
    """Give a message to everybody who subscribed. Returns: how many subscriptions matched.

    Those with No Local match what their client published though they do not get it.
    """
    if message.retain:
        _retain(broker, message)
    matching = broker.tree.find(message.topic)
    found = [each for each in matching if not _is_own(each, message)]
    found = _once_for_older_clients(found)
    if broker.observe is not None:
        broker.emit(
            "publish",
            message.publisher,
            message=message.number,
            topic=message.topic,
            payload=message.payload,
            qos=message.qos,
            retain=message.retain,
            properties=dict(message.properties),
            sessions=[each.session.client_id for each in found],
        )
    if broker.partner is not None and not message.topic.startswith("$SYS/"):
        broker.partner.published(message, now_ns)
    for subscription in found:
        retain = message.retain and subscription.retain_as_published
        offer(broker, subscription, message, now_ns, retain=retain)
    return len(matching)


def _is_own(subscription: Subscription, message: Message) -> bool:
    return subscription.no_local and subscription.session.client_id == message.publisher


def _once_for_older_clients(found: list[Subscription]) -> list[Subscription]:
    """MQTT 3 clients get one copy, with the best QoS they asked for [mqtt-v3.1.1 3.3.5]."""
    if len(found) < 2:
        return found
    kept: list[Subscription] = []
    places: dict[Session, int] = {}
    for subscription in found:
        session = subscription.session
        place = None if session.v5 else places.get(session)
        if place is None:
            places[session] = len(kept)
            kept.append(subscription)
        elif subscription.qos > kept[place].qos:
            kept[place] = subscription
    return kept


def _retain(broker: Broker, message: Message) -> None:
    # `$SYS` is made anew by each run of the server.
    kept = not message.topic.startswith("$SYS/")
    if message.payload:
        broker.retained_messages.set(message)
        if kept:
            broker.keeper.retained(message)
    elif broker.retained_messages.remove(message.topic) and kept:
        broker.keeper.unretained(message.topic)


def offer(
    broker: Broker, subscription: Subscription, message: Message, now_ns: int, *, retain: bool
) -> None:
    """Send a message to one subscriber, or let it wait, or drop it."""
    session = subscription.session
    connection = session.connection
    qos = min(message.qos, subscription.qos)
    if qos == 0:
        if connection is None:
            dropped(broker, session, message, "the client is not connected")
        else:
            delivery = Delivery(0, message, 0, retain, subscription.identifier)
            if not send(connection, delivery, now_ns):
                dropped(broker, session, message, "larger than the client takes")
        return
    if len(session.waiting) >= broker.max_queued:
        dropped(broker, session, message, "too many messages wait for the client")
        return
    session.wait(message, qos, retain, subscription.identifier)
    if connection is not None:
        send_waiting(connection, now_ns)
    if broker.observe is not None and session.waiting:
        broker.emit(
            "queue", session.client_id, message=message.number, waiting=len(session.waiting)
        )


def send_waiting(connection: Connection, now_ns: int) -> None:
    """Send what waits, as far as the client's receive maximum allows; first what is sent again."""
    session = connection.session
    while session.again and session.outstanding < connection.receive_maximum:
        _send_again(connection, session.again.popleft(), now_ns)
    while session.waiting and session.outstanding < connection.receive_maximum:
        delivery = session.take()
        message = delivery.message
        if message.is_expired(now_ns):
            session.give_up(delivery)
            dropped(connection.broker, session, message, "its expiry interval is over")
            continue
        session.start(delivery)
        if not send(connection, delivery, now_ns):
            session.give_up(delivery)
            dropped(connection.broker, session, message, "larger than the client takes")


def resume(connection: Connection, now_ns: int) -> None:
    """A client comes back: send anew, in the old order, what is in flight [mqtt-v5.0 4.4].

    Then what waits.
    """
    session = connection.session
    session.again.clear()
    session.again.extend(session.in_flight.values())
    send_waiting(connection, now_ns)


def _send_again(connection: Connection, delivery: Delivery, now_ns: int) -> None:
    if delivery.state is State.AWAIT_PUBCOMP:
        connection.write(packets.answer(props.PUBREL, delivery.packet_id))
        connection.emit("ack.send", packet="PUBREL", packet_id=delivery.packet_id, reason=0)
    elif not send(connection, delivery, now_ns, dup=True):
        connection.session.give_up(delivery)
        message = delivery.message
        dropped(connection.broker, connection.session, message, "larger than the client takes")


def send(connection: Connection, delivery: Delivery, now_ns: int, *, dup: bool = False) -> bool:
    """Write a PUBLISH. Returns: False if the client takes no packet as large as it."""
    message = delivery.message
    topic, new_alias = message.topic, 0
    properties = b""
    if connection.v5:
        properties = message.wire_properties
        if delivery.identifier is not None:
            properties = b"\x0b" + wire.varint(delivery.identifier) + properties
        if message.expires_ns is not None:
            properties += b"\x02" + message.seconds_left(now_ns).to_bytes(4, "big")
        if connection.alias_limit:
            topic, alias, new_alias = connection.alias_of(topic)
            if alias:
                properties += b"\x23" + alias.to_bytes(2, "big")
        properties = wire.varint(len(properties)) + properties
    first, head = packets.publish_head(
        topic, delivery.qos, retain=delivery.retain, dup=dup, packet_id=delivery.packet_id
    )
    packet = wire.packet(first, head + properties + message.payload)
    if len(packet) > connection.max_packet_size:
        return False
    if new_alias:
        connection.aliases_out[message.topic] = new_alias
    connection.broker.statistics.publishes_sent += 1
    connection.write(packet)
    if connection.broker.observe is not None:
        connection.emit(
            "deliver",
            message=message.number,
            topic=message.topic,
            qos=delivery.qos,
            packet_id=delivery.packet_id,
            retain=delivery.retain,
            dup=dup,
            subscription_identifier=delivery.identifier,
        )
    return True


def dropped(broker: Broker, session: Session, message: Message, reason: str) -> None:
    """A session does not get a message after all."""
    broker.statistics.dropped += 1
    broker.emit("drop", session.client_id, message=message.number, reason=reason)
