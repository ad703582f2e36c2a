"""Messages from clients, and the packets that settle them in both directions [mqtt-v5.0 4.3].

QoS 0 and 1 are routed as they come. A QoS 2 message waits in its session until the client releases
it (PUBREL) and is routed then, so that a repeated PUBLISH is one message; Mosquitto does the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.brokers.mqtt import delivering, packets, topics
from sandbox.brokers.mqtt import properties as props
from sandbox.brokers.mqtt.errors import MqttError, Reason, protocol_error
from sandbox.brokers.mqtt.session import State

if TYPE_CHECKING:
    from sandbox.brokers.mqtt.connection import Connection
    from sandbox.brokers.mqtt.message import Message
    from sandbox.brokers.mqtt.packets import Publish


def on_publish(connection: Connection, flags: int, body: bytes, now_ns: int) -> None:
    """A client publishes.

    Raises:
        MqttError: 0x81 or 0x82 a bad packet, 0x93 too many unsettled QoS 2 messages, 0x94 an alias
            that is too large.
    """
    broker = connection.broker
    publish = packets.decode_publish(flags, body, v5=connection.v5)
    topic = _topic(connection, publish)
    broker.statistics.publishes_received += 1
    refusal = _refusal(connection, topic)
    session = connection.session
    if publish.qos == 2:
        _on_qos_2(connection, publish, topic, refusal, now_ns)
        return
    if refusal is not None:
        _refuse(connection, publish, topic, refusal)
        return
    message = broker.new_message(
        topic,
        publish.payload,
        publish.qos,
        publish.retain,
        publish.properties,
        session.client_id,
        now_ns,
    )
    matched = delivering.route(broker, message, now_ns)
    # Routing may have ended this very connection.
    if publish.qos == 1 and connection.connected:
        reason = 0 if matched else Reason.NO_MATCHING_SUBSCRIBERS
        _answer(connection, props.PUBACK, publish.packet_id, reason)


def _topic(connection: Connection, publish: Publish) -> str:
    """The topic, by name or by alias; a name with an alias sets it [mqtt-v5.0 3.3.2.3.4]."""
    topic = publish.topic
    alias = publish.properties.pop("topic_alias", None) if publish.properties else None
    if alias is not None:
        limit = connection.broker.topic_alias_maximum
        if alias > limit:
            raise MqttError(
                Reason.TOPIC_ALIAS_INVALID, f"the topic alias {alias} is above the maximum {limit}"
            )
        if topic:
            connection.aliases_in[alias] = topic
        elif alias not in connection.aliases_in:
            raise protocol_error(f"the topic alias {alias} stands for no topic yet")
        else:
            topic = connection.aliases_in[alias]
    if not topic:
        raise protocol_error("a PUBLISH has neither a topic name nor an alias")
    return topic


def _refusal(connection: Connection, topic: str) -> tuple[Reason, str] | None:
    if topic[0] == "$" and connection.broker.may_not_publish(topic):
        return Reason.NOT_AUTHORIZED, f"clients may not publish to {topic!r}"
    if topic.count("/") >= topics.MAX_LEVELS:
        return Reason.TOPIC_NAME_INVALID, f"a topic has at most {topics.MAX_LEVELS} levels"
    return None


def _refuse(
    connection: Connection, publish: Publish, topic: str, refusal: tuple[Reason, str]
) -> None:
    """Take a message and throw it away; only MQTT 5 can be told."""
    reason, sentence = refusal
    connection.emit("publish.refused", topic=topic, reason=int(reason), text=sentence)
    if publish.qos:
        kind = props.PUBACK if publish.qos == 1 else props.PUBREC
        _answer(connection, kind, publish.packet_id, reason if connection.v5 else 0)


def _on_qos_2(
    connection: Connection,
    publish: Publish,
    topic: str,
    refusal: tuple[Reason, str] | None,
    now_ns: int,
) -> None:
    broker, session = connection.broker, connection.session
    known = session.inbound.get(publish.packet_id)
    if known is not None and not _is_same(known, publish, topic):
        # The client forgot what it sent under this identifier, and Mosquitto forgets it too.
        session.release(publish.packet_id)
        known = None
    if known is None and refusal is not None and connection.v5:
        _refuse(connection, publish, topic, refusal)
        return
    if known is None:
        if connection.v5 and len(session.inbound) >= broker.max_inflight:
            raise MqttError(
                Reason.RECEIVE_MAXIMUM_EXCEEDED,
                f"more than {broker.max_inflight} QoS 2 messages are not released yet",
            )
        message = broker.new_message(
            topic,
            publish.payload,
            2,
            publish.retain,
            publish.properties,
            session.client_id,
            now_ns,
        )
        session.receive(publish.packet_id, message)
        connection.emit("receive", message=message.number, topic=topic, packet_id=publish.packet_id)
    _answer(connection, props.PUBREC, publish.packet_id)


def _is_same(message: Message, publish: Publish, topic: str) -> bool:
    return message.topic == topic and message.payload == publish.payload


def on_pubrel(connection: Connection, flags: int, body: bytes, now_ns: int) -> None:
    """The client releases a QoS 2 message: now it is routed."""
    broker = connection.broker
    packet_id, _ = packets.decode_answer(props.PUBREL, body, v5=connection.v5)
    message = connection.session.release(packet_id)
    if message is None:
        # Not an error: the first PUBCOMP may have been lost. [mqtt-v5.0 3.7.2.1]
        reason = Reason.PACKET_IDENTIFIER_NOT_FOUND if connection.v5 else 0
        _answer(connection, props.PUBCOMP, packet_id, reason)
        return
    if _refusal(connection, message.topic) is None:
        delivering.route(broker, message, now_ns)
    if connection.connected:
        _answer(connection, props.PUBCOMP, packet_id)


def on_puback(connection: Connection, flags: int, body: bytes, now_ns: int) -> None:
    """The client has a QoS 1 message."""
    _settle(connection, props.PUBACK, body, now_ns)


def on_pubcomp(connection: Connection, flags: int, body: bytes, now_ns: int) -> None:
    """The client has a QoS 2 message and knows that we know."""
    _settle(connection, props.PUBCOMP, body, now_ns)


def on_pubrec(connection: Connection, flags: int, body: bytes, now_ns: int) -> None:
    """The client has a QoS 2 message: release it."""
    state, packet_id = _settle(connection, props.PUBREC, body, now_ns)
    if state is State.SETTLED:
        return
    reason = 0
    if state is None and connection.v5:
        reason = Reason.PACKET_IDENTIFIER_NOT_FOUND
    _answer(connection, props.PUBREL, packet_id, reason)


def _settle(
    connection: Connection, kind: int, body: bytes, now_ns: int
) -> tuple[State | None, int]:
    """Move a delivery on; returns its new state, None if it is unknown, and the packet id."""
    packet_id, reason = packets.decode_answer(kind, body, v5=connection.v5)
    delivery = connection.session.answered(packet_id, kind, failed=reason >= 0x80)
    if connection.broker.observe is not None:
        connection.emit(
            "ack",
            packet=props.PACKET_NAMES[kind],
            packet_id=packet_id,
            reason=reason,
            message=None if delivery is None else delivery.message.number,
        )
    if delivery is None:
        return None, packet_id
    if delivery.state is State.SETTLED:
        delivering.send_waiting(connection, now_ns)
    return delivery.state, packet_id


def _answer(connection: Connection, kind: int, packet_id: int, reason: int = 0) -> None:
    connection.write(packets.answer(kind, packet_id, reason if connection.v5 else 0))
    if connection.broker.observe is not None:
        connection.emit(
            "ack.send", packet=props.PACKET_NAMES[kind], packet_id=packet_id, reason=int(reason)
        )
