"""A virtual host: a namespace with its queues and policies, and what may be done to them.

Everything a client (or an administrator) can change about the topology is a method here or in
`exchanges`, with the checks RabbitMQ makes in the order it makes them, so that the error a program
sees is the same one. Who asks is an `Actor`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from sandbox.brokers.amqp import arguments as args
from sandbox.brokers.amqp.actor import ADMINISTRATOR, Actor
from sandbox.brokers.amqp.checks import check_same, refuse_reserved
from sandbox.brokers.amqp.counts import Counts
from sandbox.brokers.amqp.errors import PRECONDITION_FAILED, AmqpError, locked_queue
from sandbox.brokers.amqp.exchanges import Exchanges
from sandbox.brokers.amqp.graveyard import Graveyard
from sandbox.brokers.amqp.journal import policy_record, queue_record
from sandbox.brokers.amqp.permissions import CONFIGURE, READ, WRITE
from sandbox.brokers.amqp.policies import Policy, apply_to_exchange, apply_to_queue
from sandbox.brokers.amqp.queue import Queue

if TYPE_CHECKING:
    from sandbox.brokers.amqp.journal import Journal
    from sandbox.brokers.amqp.message import Entry
    from sandbox.brokers.base import Observer
    from sandbox.brokers.timers import Timers


class VirtualHost(Exchanges):
    """One namespace of exchanges and queues.

    `on_queue_deleted` is called for a queue that just went away, so that its consumers can be told.
    `tracing` copies everything that is published and delivered to `amq.rabbitmq.trace`
    (`firehose`). `limits` may have "max-queues" and "max-connections".
    """

    def __init__(
        self,
        name: str,
        *,
        observe: Observer | None,
        on_queue_deleted: Callable[[Queue], None],
        new_name: Callable[[str], str],
        timers: Timers,
        journal: Journal,
        description: str = "",
        tags: Iterable[str] = (),
        tracing: bool = False,
    ) -> None:
        super().__init__(name, observe=observe, journal=journal)
        self.timers = timers
        self.description = description
        self.tags = tuple(tags)
        self.tracing = tracing
        self.limits: dict[str, int] = {}
        #: What happened in queues that are gone, and to messages that reached none.
        self.counts = Counts()
        #: How many messages were published here.
        self.published = 0
        self._on_queue_deleted = on_queue_deleted
        self._new_name = new_name
        emit = None if observe is None else self.emit_own
        self._graveyard = Graveyard(self, epoch_ns=journal.epoch_ns, emit=emit)

    def bury(self, queue: Queue, entry: Entry, reason: str) -> None:
        """A queue gives a message up: `death` has the reasons."""
        self._graveyard.bury(queue, entry.message, reason)

    # -- policies ------------------------------------------------------------------------------

    def set_policy(self, policy: Policy) -> None:
        """Add a policy, or replace the one of that name.

        Raises:
            ValueError: a sentence that says what is wrong with it.
        """
        policy.check()
        self.policies[policy.name] = policy
        self.journal.write(*policy_record(self.name, policy))
        self.apply_policies()

    def clear_policy(self, name: str) -> None:
        """Remove a policy; removing what is not there is fine."""
        if self.policies.pop(name, None) is not None:
            self.journal.write("policy.delete", self.name, name)
        self.apply_policies()

    def apply_policies(self) -> None:
        """Make everything what its policy says."""
        policies = list(self.policies.values())
        for queue in list(self.queues.values()):
            apply_to_queue(queue, policies)
        for exchange in self.exchanges.values():
            apply_to_exchange(exchange, policies)
        self.forget_routes()

    # -- queues --------------------------------------------------------------------------------

    def declare_queue(
        self,
        name: str,
        *,
        durable: bool = False,
        exclusive: bool = False,
        auto_delete: bool = False,
        arguments: Mapping[str, Any] | None = None,
        actor: Actor = ADMINISTRATOR,
    ) -> Queue:
        """Create a queue, or check that the one that is there is the same.

        An empty name asks for one of the server's choosing. An exclusive queue is never durable:
        it could not outlive its connection.

        Raises:
            AmqpError: 403 a reserved name, 405 exclusive and not the actor's, 406 it exists and
                differs or an argument is wrong, 540 an argument the sandbox does not have.
        """
        arguments = {} if arguments is None else arguments
        durable = durable and not exclusive
        if name == "":
            name = self._new_name("amq.gen-")
        else:
            refuse_reserved("queue", name)
        actor.may(CONFIGURE, "queue", name)
        owner = actor.connection if exclusive else None
        existing = self.queues.get(name)
        if existing is not None:
            resource = f"queue '{name}' in vhost '{self.name}'"
            if existing.owner is not owner:
                raise locked_queue(name, self.name)
            check_same(resource, "durable", durable, existing.durable)
            check_same(resource, "auto_delete", auto_delete, existing.auto_delete)
            args.check_queue_arguments(name, self.name, arguments)
            args.check_same_arguments(resource, existing.arguments, arguments)
            existing.used()
            return existing
        self._check_number_of_queues(name)
        args.check_queue_arguments(name, self.name, arguments)
        if "x-dead-letter-exchange" in arguments:
            actor.may(READ, "queue", name)
            actor.may(WRITE, "exchange", arguments["x-dead-letter-exchange"])
        args.check_queue_type(
            name,
            self.name,
            arguments,
            durable=durable,
            exclusive=exclusive,
            auto_delete=auto_delete,
        )
        queue = Queue(
            name, self, durable=durable, auto_delete=auto_delete, owner=owner, arguments=arguments
        )
        self.queues[name] = queue
        apply_to_queue(queue, self.policies.values())
        queue.used()
        self.forget_routes()
        if durable:
            self.journal.write(*queue_record(queue))
        self.emit(
            "queue.declare",
            actor,
            queue=name,
            durable=durable,
            exclusive=exclusive,
            auto_delete=auto_delete,
            arguments=dict(arguments),
        )
        return queue

    def delete_queue(
        self,
        name: str,
        *,
        if_unused: bool = False,
        if_empty: bool = False,
        actor: Actor = ADMINISTRATOR,
    ) -> int:
        """Delete a queue and return how many ready messages went with it.

        Deleting what is not there is fine.

        Raises:
            AmqpError: 405 it is another connection's, 406 in use or not empty.
        """
        actor.may(CONFIGURE, "queue", name)
        if name not in self.queues:
            return 0
        queue = self.queue(name, actor)
        resource = f"queue '{name}' in vhost '{self.name}'"
        if if_unused and queue.consumers:
            raise AmqpError(PRECONDITION_FAILED, f"{resource} in use")
        if if_empty and queue.ready_count:
            raise AmqpError(PRECONDITION_FAILED, f"{resource} not empty")
        return self.drop_queue(queue, actor, "client" if actor.connection else "administrator")

    def drop_queue(self, queue: Queue, actor: Actor, reason: str) -> int:
        """Remove a queue for a `reason`: a client, an administrator, auto-delete or exclusive."""
        count = queue.ready_count
        queue.stop()
        del self.queues[queue.name]
        self.forget_routes()
        self.counts.add(queue.counts)
        if queue.durable:
            self.journal.write("queue.delete", self.name, queue.name)
        self.emit("queue.delete", actor, queue=queue.name, reason=reason, ready=count)
        self._on_queue_deleted(queue)
        self.unbind_everywhere(queue, actor)
        return count

    def expire_queue(self, queue: Queue) -> None:
        """Nobody used a queue for as long as its `x-expires` says."""
        self.drop_queue(queue, ADMINISTRATOR, "expired")

    def purge_queue(self, name: str, *, actor: Actor = ADMINISTRATOR) -> int:
        """Remove the ready messages and return how many there were.

        Raises:
            AmqpError: 404, 405.
        """
        actor.may(READ, "queue", name)
        count = self.queue(name, actor).purge()
        self.emit("queue.purge", actor, queue=name, ready=count)
        return count

    def _check_number_of_queues(self, name: str) -> None:
        limit = self.limits.get("max-queues")
        if limit is not None and len(self.queues) >= limit >= 0:
            text = f"cannot declare queue '{name}': queue limit in vhost '{self.name}' ({limit})"
            raise AmqpError(PRECONDITION_FAILED, f"{text} is reached")
