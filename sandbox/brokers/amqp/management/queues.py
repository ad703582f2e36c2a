"""Queues: what there is to say of them, and what can be done to them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from sandbox.brokers.amqp.handshake import NODE
from sandbox.brokers.amqp.management import clients, figures
from sandbox.brokers.amqp.management.answers import CREATED, NO_CONTENT, Answer, bad_request
from sandbox.brokers.amqp.management.request import Request, boolean, table

if TYPE_CHECKING:
    from sandbox.brokers.amqp.broker import Broker
    from sandbox.brokers.amqp.queue import Queue


def get_queues(request: Request) -> Any:
    """All queues, by virtual host and name."""
    held = _held_bytes(request.broker)
    return [
        queue_shape(queue, held[queue])
        for vhost in request.vhosts()
        for _, queue in sorted(vhost.queues.items())
    ]


def get_queue(request: Request) -> Any:
    """One queue, with its consumers."""
    queue, server = request.queue(), request.server
    shape = queue_shape(queue, _held_bytes(request.broker)[queue])
    details = [clients.consumer_shape(server, consumer) for consumer in queue.consumers]
    shape |= {"consumer_details": details, "deliveries": [], "incoming": []}
    for connection in request.broker.connections:
        if connection is queue.owner:
            shape["owner_pid_details"] = clients.connection_details(server, connection)
    return shape


def put_queue(request: Request) -> Answer:
    """Declare a queue."""
    vhost, name, body = request.vhost(), request.names["queue"], request.body()
    existed = name in vhost.queues
    request.acts()
    vhost.declare_queue(
        name,
        durable=boolean(body, "durable"),
        auto_delete=boolean(body, "auto_delete"),
        arguments=table(body, "arguments"),
        actor=request.actor(vhost),
    )
    return NO_CONTENT if existed else CREATED


def delete_queue(request: Request) -> Answer:
    """Delete a queue, or not if it is used or not empty."""
    vhost, queue = request.vhost(), request.queue()
    request.acts()
    vhost.delete_queue(
        queue.name,
        if_unused=request.flag("if-unused"),
        if_empty=request.flag("if-empty"),
        actor=request.actor(vhost),
    )
    return NO_CONTENT


def purge_queue(request: Request) -> Answer:
    """Remove the ready messages."""
    vhost, queue = request.vhost(), request.queue()
    request.acts()
    vhost.purge_queue(queue.name, actor=request.actor(vhost))
    return NO_CONTENT


def act_on_queue(request: Request) -> Answer:
    """Do what is left to do to mirrors: nothing, there are none."""
    request.queue()
    action = request.body("action")["action"]
    if action not in ("sync", "cancel_sync"):
        raise bad_request(f"unknown action {action}")
    return NO_CONTENT


def queue_shape(queue: Queue, held_bytes: int) -> dict[str, Any]:
    """What there is to say of a queue; `held_bytes` are in the hands of consumers."""
    ready, unacked, ready_bytes = queue.ready_count, queue.unacked_count, queue.ready_bytes
    counts = {
        "messages": ready + unacked,
        "messages_ready": ready,
        "messages_unacknowledged": unacked,
    }
    persistent = [e for e in queue.ready if e.message.persistent] if queue.durable else []
    quorum = queue.options.quorum
    exclusive = [consumer.tag for consumer in queue.consumers if consumer.exclusive]
    active = queue.active_consumer
    shape = {
        "arguments": queue.arguments,
        "auto_delete": queue.auto_delete,
        "consumer_capacity": 0 if not queue.consumers else 1.0,
        "consumer_utilisation": 0 if not queue.consumers else 1.0,
        "consumers": queue.consumer_count,
        "durable": queue.durable,
        "effective_policy_definition": {} if queue.policy is None else queue.policy.definition,
        "exclusive": queue.exclusive,
        "exclusive_consumer_tag": exclusive[0] if exclusive else None,
        "head_message_timestamp": _head_timestamp(queue),
        "memory": 10_000 + ready_bytes + held_bytes,
        "message_bytes": ready_bytes + held_bytes,
        "message_bytes_paged_out": 0,
        "message_bytes_persistent": sum(len(entry.body) for entry in persistent),
        "message_bytes_ram": ready_bytes + held_bytes,
        "message_bytes_ready": ready_bytes,
        "message_bytes_unacknowledged": held_bytes,
        **figures.with_rates(counts),
        "messages_paged_out": 0,
        "messages_persistent": len(persistent),
        "messages_ram": ready + unacked,
        "messages_ready_ram": ready,
        "messages_unacknowledged_ram": unacked,
        "name": queue.name,
        "node": NODE,
        "operator_policy": None,
        "policy": None if queue.policy is None else queue.policy.name,
        "recoverable_slaves": None,
        "single_active_consumer_tag": None if active is None else active.tag,
        "state": "running",
        "type": "quorum" if quorum else "classic",
        "vhost": queue.home.name,
    }
    if quorum:
        shape |= {"leader": NODE, "members": [NODE], "online": [NODE]}
    stats = figures.of_queue(queue.counts)
    if stats:
        shape["message_stats"] = stats
    return shape


def _head_timestamp(queue: Queue) -> int | None:
    head = next(queue.ready, None)
    timestamp: int | None = None if head is None else head.properties.get("timestamp")
    return timestamp


def _held_bytes(broker: Broker) -> Counter[Queue]:
    """Bytes of bodies that are out and not settled, by queue."""
    held: Counter[Queue] = Counter()
    for connection in broker.connections:
        for channel in connection.channels.values():
            for delivery in channel.unacked:
                held[delivery.queue] += len(delivery.entry.message.body)
    return held
