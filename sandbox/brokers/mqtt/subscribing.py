"""SUBSCRIBE, UNSUBSCRIBE and DISCONNECT [mqtt-v5.0 3.8, 3.10, 3.14]."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.brokers.mqtt import delivering, packets, topics
from sandbox.brokers.mqtt import properties as props
from sandbox.brokers.mqtt.errors import MqttError, Reason, protocol_error
from sandbox.brokers.mqtt.subscriptions import Subscription

if TYPE_CHECKING:
    from sandbox.brokers.mqtt.connection import Connection
    from sandbox.brokers.mqtt.packets import Requested

#: Retain handling: send retained messages always, to new subscriptions, never.
_ALWAYS, _IF_NEW, _NEVER = range(3)


def on_subscribe(connection: Connection, flags: int, body: bytes, now_ns: int) -> None:
    """A client subscribes; it gets retained messages after its SUBACK.

    Raises:
        MqttError: 0x81 or 0x82 a bad packet, 0x8F a filter that is none.
    """
    broker = connection.broker
    subscribe = packets.decode_subscribe(body, v5=connection.v5)
    # All filters are looked at before any is subscribed to: a packet counts whole or not.
    parsed = [_parse(each.topic_filter) for each in subscribe.requested]
    if any(pattern.startswith("$SYS") for _, pattern in parsed):
        broker.sys_topics.refresh(now_ns)
    reasons: list[int] = []
    greetings: list[Subscription] = []
    for requested, (group, pattern) in zip(subscribe.requested, parsed, strict=True):
        if requested.no_local and group is not None:
            raise protocol_error(
                f"{requested.topic_filter!r} is shared, and No Local cannot be asked of those"
            )
        if pattern.count("/") >= topics.MAX_LEVELS:
            reasons.append(Reason.TOPIC_FILTER_INVALID if connection.v5 else 0x80)
            continue
        subscription = Subscription(
            connection.session,
            requested.topic_filter,
            pattern,
            group,
            requested.qos,
            requested.no_local,
            requested.retain_as_published,
            subscribe.identifier,
        )
        new = _add(connection, subscription)
        reasons.append(requested.qos)
        if group is None and _wants_retained(requested, new=new):
            greetings.append(subscription)
    connection.write(packets.suback(props.SUBACK, subscribe.packet_id, reasons, v5=connection.v5))
    for subscription in greetings:
        for message in broker.retained_messages.matching(subscription.pattern, now_ns):
            if subscription.no_local and message.publisher == connection.client_id:
                continue
            delivering.offer(broker, subscription, message, now_ns, retain=True)


def _parse(topic_filter: str) -> topics.Filter:
    try:
        return topics.parse_filter(topic_filter)
    except ValueError as why:
        raise MqttError(Reason.TOPIC_FILTER_INVALID, str(why)) from None


def _add(connection: Connection, subscription: Subscription) -> bool:
    broker = connection.broker
    new = broker.tree.add(subscription)
    connection.session.subscriptions[subscription.topic_filter] = subscription
    broker.keeper.subscribed(subscription)
    if broker.observe is not None:
        connection.emit(
            "subscribe",
            topic_filter=subscription.topic_filter,
            qos=subscription.qos,
            no_local=subscription.no_local,
            retain_as_published=subscription.retain_as_published,
            subscription_identifier=subscription.identifier,
            new=new,
        )
    if new:
        broker.wanted(subscription)
    return new


def _wants_retained(requested: Requested, *, new: bool) -> bool:
    handling = requested.retain_handling
    return handling == _ALWAYS or (handling == _IF_NEW and new)


def on_unsubscribe(connection: Connection, flags: int, body: bytes, now_ns: int) -> None:
    """A client unsubscribes. What is on its way already still comes.

    Raises:
        MqttError: 0x81 or 0x82 a bad packet, 0x8F a filter that is none.
    """
    broker, session = connection.broker, connection.session
    unsubscribe = packets.decode_unsubscribe(body, v5=connection.v5)
    for topic_filter in unsubscribe.filters:
        _parse(topic_filter)
    reasons: list[int] = []
    for topic_filter in unsubscribe.filters:
        subscription = session.subscriptions.pop(topic_filter, None)
        if subscription is None:
            reasons.append(Reason.NO_SUBSCRIPTION_EXISTED)
            continue
        broker.tree.remove(subscription)
        broker.keeper.unsubscribed(subscription)
        connection.emit("unsubscribe", topic_filter=topic_filter)
        broker.unwanted(subscription)
        reasons.append(Reason.SUCCESS)
    connection.write(
        packets.suback(props.UNSUBACK, unsubscribe.packet_id, reasons, v5=connection.v5)
    )


def on_disconnect(connection: Connection, flags: int, body: bytes, now_ns: int) -> None:
    """A client says goodbye: with reason 0 its will is forgotten, with any other published.

    Raises:
        MqttError: 0x81 or 0x82 a bad packet, or a session that was not to be kept is to be now.
    """
    reason, properties = packets.decode_disconnect(body, v5=connection.v5)
    expiry_s = properties.get("session_expiry_interval")
    if expiry_s is not None:
        session = connection.session
        if expiry_s and not session.persistent:
            raise protocol_error("a session that expires at once cannot be kept after all")
        if not expiry_s and session.persistent:
            connection.broker.keeper.ended(session)
        session.expiry_s = expiry_s
    connection.end(
        now_ns, by="client", reason=reason, sentence="the client disconnected", will=reason != 0
    )
    connection.hang_up()


def on_auth(connection: Connection, flags: int, body: bytes, now_ns: int) -> None:
    """Extended authentication, which nobody here can have begun."""
    if not connection.v5:
        raise protocol_error("there is no AUTH before MQTT 5")
    raise protocol_error("an AUTH from a client that connected without an authentication method")
