"""Connections, channels and consumers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sandbox.brokers.amqp.handshake import NODE
from sandbox.brokers.amqp.lifecycle import ConnectionState
from sandbox.brokers.amqp.management.access import is_monitor
from sandbox.brokers.amqp.management.answers import NO_CONTENT, Answer, missing
from sandbox.brokers.amqp.management.request import Request

if TYPE_CHECKING:
    from sandbox.brokers.amqp.channel import Channel
    from sandbox.brokers.amqp.connection import Connection
    from sandbox.brokers.amqp.consumer import Consumer
    from sandbox.brokers.amqp.management.server import Server

CLOSED_HERE = "Closed via management plugin"


def get_connections(request: Request) -> Any:
    """All open connections; who is no monitor sees only their own."""
    return [connection_shape(request.server, each) for each in _visible(request)]


def get_connection(request: Request) -> Any:
    """One connection."""
    return connection_shape(request.server, _named(request))


def get_connection_channels(request: Request) -> Any:
    """The channels of one connection."""
    return [channel_shape(request.server, c) for c in _named(request).channels.values()]


def delete_connection(request: Request) -> Answer:
    """Close a connection, as the administrator; a header may say why."""
    connection = _named(request)
    request.acts()
    connection.close_by_administrator(request.reason or CLOSED_HERE, request.now_ns)
    return NO_CONTENT


def get_channels(request: Request) -> Any:
    """All channels."""
    return [
        channel_shape(request.server, channel)
        for connection in _visible(request)
        for channel in connection.channels.values()
    ]


def get_channel(request: Request) -> Any:
    """One channel, with its consumers."""
    server = request.server
    for connection in _visible(request):
        for channel in connection.channels.values():
            if channel_name(server, channel) == request.names["channel"]:
                details = [consumer_shape(server, c) for c in channel.consumers.values()]
                shape = channel_shape(server, channel)
                return {**shape, "consumer_details": details, "deliveries": []}
    raise missing()


def get_consumers(request: Request) -> Any:
    """All consumers of the virtual hosts that the user may enter."""
    return [
        consumer_shape(request.server, consumer)
        for vhost in request.vhosts()
        for _, queue in sorted(vhost.queues.items())
        for consumer in queue.consumers
    ]


# -- shapes ----------------------------------------------------------------------------------------


def connection_name(server: Server, connection: Connection) -> str:
    """A connection's name: its two ends."""
    return f"{connection.peer} -> {server.host}:{server.amqp_port}"


def channel_name(server: Server, channel: Channel) -> str:
    """A channel's name: its connection's and its number."""
    return f"{connection_name(server, channel.connection)} ({channel.number})"


def connection_shape(server: Server, connection: Connection) -> dict[str, Any]:
    """What there is to say of a connection."""
    host, port = _peer(connection.peer)
    vhost = connection.opened_vhost
    shape = {
        "auth_mechanism": connection.mechanism,
        "channel_max": connection.channel_max,
        "channels": len(connection.channels),
        "client_properties": connection.client_properties,
        "connected_at": (connection.broker.epoch_ns + connection.connected_ns) // 1_000_000,
        "frame_max": connection.frame_max,
        "host": server.host,
        "name": connection_name(server, connection),
        "node": NODE,
        "peer_cert_issuer": None,
        "peer_cert_subject": None,
        "peer_cert_validity": None,
        "peer_host": host,
        "peer_port": port,
        "port": server.amqp_port,
        "protocol": "AMQP 0-9-1",
        "recv_oct": connection.received_bytes,
        "recv_oct_details": {"rate": 0.0},
        "send_oct": connection.sent_bytes,
        "send_oct_details": {"rate": 0.0},
        "send_pend": 0,
        "ssl": False,
        "ssl_cipher": None,
        "ssl_hash": None,
        "ssl_key_exchange": None,
        "ssl_protocol": None,
        "state": "blocked" if connection.blocked else connection.state.value,
        "timeout": connection.heartbeat_s,
        "type": "network",
        "user": connection.user,
        "user_who_performed_action": connection.user,
        "vhost": None if vhost is None else vhost.name,
    }
    given = connection.client_properties.get("connection_name")
    if given is not None:
        shape["user_provided_name"] = given
    return shape


def connection_details(server: Server, connection: Connection) -> dict[str, Any]:
    """A connection, in what is about something else."""
    host, port = _peer(connection.peer)
    name = connection_name(server, connection)
    return {"name": name, "peer_host": host, "peer_port": port}


def channel_shape(server: Server, channel: Channel) -> dict[str, Any]:
    """What there is to say of a channel."""
    waiting = (0, 0) if channel.transaction is None else channel.transaction.waiting
    return {
        "acks_uncommitted": waiting[1],
        "confirm": channel.confirms.selected,
        "connection_details": connection_details(server, channel.connection),
        "consumer_count": len(channel.consumers),
        "global_prefetch_count": channel.unacked.global_prefetch_count,
        "messages_unacknowledged": len(channel.unacked),
        "messages_uncommitted": waiting[0],
        "messages_unconfirmed": 0,
        "name": channel_name(server, channel),
        "node": NODE,
        "number": channel.number,
        "pending_raft_commands": 0,
        "prefetch_count": channel.prefetch_count,
        "state": "running",
        "transactional": channel.transaction is not None,
        "user": channel.connection.user,
        "user_who_performed_action": channel.connection.user,
        "vhost": channel.vhost.name,
    }


def consumer_shape(server: Server, consumer: Consumer) -> dict[str, Any]:
    """What there is to say of a consumer."""
    channel, queue = consumer.channel, consumer.queue
    host, port = _peer(channel.connection.peer)
    single = queue.options.single_active_consumer
    active = not single or queue.active_consumer is consumer
    return {
        "arguments": consumer.arguments,
        "ack_required": not consumer.no_ack,
        "active": active,
        "activity_status": ("single_active" if active else "waiting") if single else "up",
        "channel_details": {
            "connection_name": connection_name(server, channel.connection),
            "name": channel_name(server, channel),
            "node": NODE,
            "number": channel.number,
            "peer_host": host,
            "peer_port": port,
            "user": channel.connection.user,
        },
        "consumer_tag": consumer.tag,
        "exclusive": consumer.exclusive,
        "prefetch_count": consumer.prefetch_count,
        "queue": {"name": queue.name, "vhost": queue.home.name},
    }


def _peer(peer: str) -> tuple[str, int]:
    host, _, port = peer.rpartition(":")
    return (host, int(port)) if port.isdecimal() else (peer, 0)


def _open(request: Request) -> Iterator[Connection]:
    for connection in request.broker.connections:
        if connection.state is ConnectionState.RUNNING:
            yield connection


def _visible(request: Request) -> Iterator[Connection]:
    everything = is_monitor(request.user)
    vhost = request.vhost() if "vhost" in request.names else None
    for connection in _open(request):
        mine = everything or connection.user == request.user.name
        if mine and vhost in (None, connection.opened_vhost):
            yield connection


def _named(request: Request) -> Connection:
    for connection in _visible(request):
        if connection_name(request.server, connection) == request.names["connection"]:
            return connection
    raise missing()
