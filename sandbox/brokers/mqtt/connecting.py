"""CONNECT: who is there, which session is theirs, and what both sides may do [mqtt-v5.0 3.1, 3.2].

In order: the version, the packet itself, authentication, the client id, the session (resumed,
taken over or new), the CONNACK, and then what the session has for its client.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.brokers.mqtt import delivering, packets, wills
from sandbox.brokers.mqtt.errors import V3_RETURN_CODES, MqttError, Reason
from sandbox.brokers.mqtt.session import NEVER, Session
from sandbox.brokers.mqtt.wire import Reader

if TYPE_CHECKING:
    from sandbox.brokers.mqtt.broker import Broker
    from sandbox.brokers.mqtt.connection import Connection
    from sandbox.brokers.mqtt.packets import Connect


def on_connect(connection: Connection, body: bytes, now_ns: int) -> None:
    """A client introduces itself.

    Raises:
        MqttError: 0x81 or 0x82 a bad packet, 0x84 the version, 0x85 the client id, 0x86 the
            password, 0x8C the authentication method, 0x90 the will's topic.
    """
    broker = connection.broker
    reader = Reader(body)
    connection.level = packets.read_version(reader)
    connect = packets.decode_connect(reader, connection.level)
    _authenticate(broker, connect)
    if connect.will is not None and broker.may_not_publish(connect.will.topic):
        raise MqttError(
            Reason.NOT_AUTHORIZED, f"nobody may publish to {connect.will.topic!r}, not even a will"
        )
    client_id, assigned = _client_id(broker, connect)
    expiry_s = connect.properties.get("session_expiry_interval", 0)
    if not connection.v5:
        expiry_s = 0 if connect.clean_start else NEVER

    session = broker.session_table.get(client_id)
    if session is not None:
        session = _meet(broker, session, connect, now_ns)
    present = session is not None
    if session is None:
        session = Session(client_id, connection.level, expiry_s, broker.keeper)
        broker.session_table[client_id] = session
    was_persistent = session.persistent
    session.level, session.expiry_s = connection.level, expiry_s
    session.user, session.disconnected_ns = connect.user, None
    if was_persistent and not session.persistent:
        broker.keeper.ended(session)
    broker.keeper.opened(session)

    answer = _agree(connection, connect)
    if assigned:
        answer["assigned_client_identifier"] = client_id
    silence_ns = connection.keep_alive_s * 1_500_000_000
    connection.accept(session, silence_ns=silence_ns, max_packet_size=broker.max_packet_size)
    broker.statistics.note_connected(len(broker.connected()))
    connection.emit(
        "connect",
        version=packets.VERSIONS["MQIsdp" if connect.level == 3 else "MQTT", connect.level],
        clean_start=connect.clean_start,
        session_present=present,
        session_expiry_s=expiry_s,
        keep_alive_s=connection.keep_alive_s,
        user=connect.user,
        will=None if connect.will is None else connect.will.topic,
    )
    # MQTT 3.1 has no such flag. [mqtt-v3.1.1 3.2.2.2]
    shown = present and connect.level != 3
    connection.write(packets.connack(Reason.SUCCESS, answer, present=shown, v5=connection.v5))
    delivering.resume(connection, now_ns)


def _authenticate(broker: Broker, connect: Connect) -> None:
    method = connect.properties.get("authentication_method")
    if method is not None:
        raise MqttError(
            Reason.BAD_AUTHENTICATION_METHOD,
            f"this server knows no authentication method {method!r}; it takes user names and"
            " passwords",
        )
    if broker.users is None:
        return
    if connect.user is None:
        raise MqttError(Reason.BAD_USER_NAME_OR_PASSWORD, "this server wants a user name")
    password = broker.users.get(connect.user)
    if password is None or connect.password != password.encode():
        raise MqttError(
            Reason.BAD_USER_NAME_OR_PASSWORD, f"wrong user name or password for {connect.user!r}"
        )


def _client_id(broker: Broker, connect: Connect) -> tuple[str, bool]:
    """The client id, and whether the server made it."""
    if connect.client_id:
        return connect.client_id, False
    if connect.level == 3 or (connect.level == 4 and not connect.clean_start):
        raise MqttError(
            Reason.CLIENT_IDENTIFIER_NOT_VALID,
            "a client without a client identifier cannot have a session that is kept",
        )
    return broker.new_client_id(), connect.level == 5


def _meet(broker: Broker, session: Session, connect: Connect, now_ns: int) -> Session | None:
    """A client id comes that has a session: take it over, resume it, or end it.

    Returns: the session to go on with, or None for a new one.
    """
    old = session.connection
    if old is not None:
        broker.emit("session.takeover", session.client_id, connection=old.peer)
        will = old.will
        # A will that would wait is forgotten at once if its client is back.
        back = not connect.clean_start and session.persistent
        wanted = will is not None and not (will.delay_s and back)
        old.disconnect(
            Reason.SESSION_TAKEN_OVER,
            f"another connection came with the client identifier {session.client_id!r}",
            now_ns,
            will=wanted,
        )
    if broker.session_table.get(session.client_id) is not session:
        return None
    if connect.clean_start:
        wills.end_session(broker, session, "its client made a clean start", now_ns)
        return None
    wills.client_returned(broker, session)
    return session


def _agree(connection: Connection, connect: Connect) -> dict[str, Any]:
    """Note what the client allows; returns what the server allows, for the CONNACK."""
    broker = connection.broker
    connection.user = connect.user
    connection.will = connect.will
    connection.keep_alive_s = connect.keep_alive_s
    if not connection.v5:
        return {}
    wishes = connect.properties
    connection.receive_maximum = wishes.get("receive_maximum", connection.receive_maximum)
    connection.max_packet_size = wishes.get("maximum_packet_size", connection.max_packet_size)
    connection.alias_limit = wishes.get("topic_alias_maximum", 0)
    answer: dict[str, Any] = {}
    if broker.topic_alias_maximum:
        answer["topic_alias_maximum"] = broker.topic_alias_maximum
    limit_s = broker.max_keep_alive_s
    if limit_s and not 0 < connect.keep_alive_s <= limit_s:
        connection.keep_alive_s = answer["server_keep_alive"] = limit_s
    answer["receive_maximum"] = broker.max_inflight
    if broker.max_packet_size is not None:
        answer["maximum_packet_size"] = broker.max_packet_size
    return answer


def refuse(connection: Connection, reason: Reason, sentence: str) -> None:
    """Tell a client that is not connected why it cannot be, if there is a way to."""
    broker = connection.broker
    if broker.observe is not None:
        connection.emit("connect.refused", reason=int(reason), text=sentence)
    if connection.v5:
        connection.write(
            packets.connack(reason, {"reason_string": sentence}, present=False, v5=True)
        )
    elif reason in V3_RETURN_CODES and (
        connection.level or reason is Reason.UNSUPPORTED_PROTOCOL_VERSION
    ):
        connection.write(packets.connack(V3_RETURN_CODES[reason], {}, present=False, v5=False))
