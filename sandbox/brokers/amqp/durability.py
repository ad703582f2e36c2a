"""What a restart keeps: durable queues and exchanges, bindings between them, persistent messages.

A message survives only if *both* it is persistent and its queue durable; the trap of half of that
is a lesson of its own. Messages that were handed out and not acknowledged come back marked as
redelivered, in their old places. Exclusive queues never survive: their connection is gone.
[RabbitMQ: "Queues: Durability", "Persistence"]
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox.brokers.amqp.vhost import VirtualHost


def forget_what_is_transient(vhost: VirtualHost) -> None:
    """Make a virtual host what it is after a restart. All connections must be gone already."""
    for queue in list(vhost.queues.values()):
        if queue.durable:
            queue.restore(
                [entry for entry in queue.ready if queue.options.quorum or entry.message.persistent]
            )
        else:
            queue.stop()
            del vhost.queues[queue.name]
    for exchange in list(vhost.exchanges.values()):
        if not exchange.durable:
            exchange.deleted = True
            del vhost.exchanges[exchange.name]
    for exchange in vhost.exchanges.values():
        for binding in list(exchange.bindings):
            if binding.target.deleted:
                exchange.unbind_target(binding.target)
    vhost.forget_routes()
