"""A queue: messages in line, and consumers taking turns.

This file decides which message stays, goes or dies, and when; who gets it is decided in `turns`,
where it stands in `line`. What goes over the wire is the channel's business.

Time works on the head of the line only, as in RabbitMQ: a message whose time is up is dropped when
it is (or becomes) the next to be handed out, and stays where it is behind one that lives longer.
What comes back to a full queue that refuses new messages is let in; only `drop-head` makes room.
[RabbitMQ: "Time-To-Live and Expiration", "Queue Length Limit"]
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from sandbox.brokers.amqp.counts import Counts
from sandbox.brokers.amqp.death import DELIVERY_LIMIT, EXPIRED, MAX_LENGTH, REJECTED
from sandbox.brokers.amqp.keeping import Keeping
from sandbox.brokers.amqp.line import make_line
from sandbox.brokers.amqp.message import Entry, Message
from sandbox.brokers.amqp.options import (
    DROP_HEAD,
    REJECT_PUBLISH_DLX,
    QueueOptions,
    queue_options,
)
from sandbox.brokers.amqp.turns import Turns

if TYPE_CHECKING:
    from sandbox.brokers.amqp.channel import Channel
    from sandbox.brokers.amqp.consumer import Consumer
    from sandbox.brokers.amqp.policies import Policy
    from sandbox.brokers.amqp.vhost import VirtualHost
    from sandbox.brokers.timers import Timer


class Queue:
    """A queue and its consumers.

    `owner` is the connection of an exclusive queue: nobody else may touch it, and it goes away
    with that connection. `home` is where it lives: it buries the dead, and knows the time.
    """

    what: Final = "queue"

    def __init__(
        self,
        name: str,
        home: VirtualHost,
        *,
        durable: bool = False,
        auto_delete: bool = False,
        owner: object | None = None,
        arguments: Mapping[str, Any] | None = None,
    ) -> None:
        self.name = name
        self.home = home
        self.durable = durable
        self.auto_delete = auto_delete
        self.owner = owner
        self.arguments: Mapping[str, Any] = {} if arguments is None else arguments
        self._keeping = Keeping(self, home.journal) if durable else None
        self.options: QueueOptions = queue_options(self.arguments)
        #: The policy that holds for it.
        self.policy: Policy | None = None
        self.deleted = False
        self.unacked_count = 0
        self.counts = Counts()
        self._line = make_line(quorum=self.options.quorum, max_priority=self.options.max_priority)
        self._turns = Turns(single=self.options.single_active_consumer)
        self._next_position = 0
        #: True once a message came that will not live for ever.
        self._mortal = False
        self._head_timer: Timer | None = None
        self._unused_timer: Timer | None = None

    @property
    def exclusive(self) -> bool:
        """True if the queue belongs to one connection."""
        return self.owner is not None

    @property
    def next_position(self) -> int:
        """The place of the next message that comes; each has one of its own."""
        return self._next_position

    @property
    def ready_count(self) -> int:
        """How many messages wait for a consumer."""
        return len(self._line)

    @property
    def ready_bytes(self) -> int:
        """How many bytes of bodies wait for a consumer."""
        return self._line.size_bytes

    @property
    def ready(self) -> Iterator[Entry]:
        """The waiting messages, in the order in which they would be handed out."""
        return iter(self._line)

    @property
    def consumers(self) -> Mapping[Consumer, None]:
        """All consumers, in order of arrival, whatever they can take."""
        return self._turns.consumers

    @property
    def consumer_count(self) -> int:
        """How many consumers there are."""
        return len(self._turns.consumers)

    @property
    def active_consumer(self) -> Consumer | None:
        """Who gets everything, if this queue has a single active consumer."""
        return self._turns.active

    def configure(self, options: QueueOptions) -> None:
        """Other options hold from now on: a policy changed."""
        self.options = options
        if options.message_ttl_ns is not None:
            self._mortal = True
        self._drop_what_is_too_much()
        self.used()

    # -- messages ------------------------------------------------------------------------------

    def publish(self, message: Message) -> bool:
        """Put a message at the end and hand out what can be handed out.

        Returns: False if the queue is full and set to refuse what comes then.
        """
        self.counts.publish += 1
        entry = Entry(message, self._next_position)
        if self.options.simple and message.ttl_ns is None and not self._mortal:
            self._next_position += 1
            self._line.append(entry)
            if self._keeping is not None:
                self._keeping.entered(entry)
            if self._turns.ring:
                self.dispatch()
            return True
        if self.options.quorum:
            entry.returns = 0
        return self._publish_carefully(entry)

    def _publish_carefully(self, entry: Entry) -> bool:
        options, message = self.options, entry.message
        self._drop_overdue()
        if options.overflow != DROP_HEAD and self._is_over(1, len(message.body)):
            if options.overflow == REJECT_PUBLISH_DLX:
                self.home.bury(self, entry, MAX_LENGTH)
            return False
        times = [ns for ns in (options.message_ttl_ns, message.ttl_ns) if ns is not None]
        if times:
            entry.expires_ns = self.home.timers.now_ns + min(times)
            self._mortal = True
        self._next_position += 1
        self._line.append(entry)
        if self._keeping is not None:
            self._keeping.entered(entry)
        # Who waits gets it, even if it should live for no time at all.
        self._hand_out()
        # RabbitMQ looks at times only where the head must be another one: a message of a higher
        # priority may come to the head of a line and be overdue there, unseen.
        if self._drop_what_is_too_much() or len(self._line) == 1 or options.quorum:
            self._drop_expired()
        return True

    def get(self) -> tuple[Entry | None, int]:
        """Take the next message out of the line; returns it, and how many are left."""
        self.used()
        self._drop_overdue()
        entry = self._line.popleft() if self._line else None
        left = len(self._line)
        self._drop_expired()
        # A quorum queue counts what is overdue until it has answered.
        return entry, left if self.options.quorum else len(self._line)

    def purge(self) -> int:
        """Forget all ready messages; those handed out are not touched. Returns how many."""
        count = len(self._line)
        self.forget(*self._line)
        self._line.clear()
        self._drop_expired()
        return count

    def requeue(self, entries: Sequence[Entry], *, asked: bool = False) -> None:
        """Put handed-out messages back where they were, and mark them as delivered before.

        A quorum queue counts how often, and gives up those that came back too often; without a
        limit, what a client asked to requeue goes to its end. Hands out nothing: the caller decides
        when (`dispatch`).
        """
        returning = []
        limit = self.options.delivery_limit
        for entry in entries:
            entry.redelivered = True
            if entry.returns >= 0:
                entry.returns += 1
                if limit is not None and entry.returns > limit:
                    self._give_up(entry, DELIVERY_LIMIT)
                    continue
                if limit is None and asked:
                    self._move_to_the_end(entry)
                    continue
                if self._keeping is not None:
                    self._keeping.back(entry)
            returning.append(entry)
        if returning:
            self._line.put_back(returning)
        if entries:
            self._drop_what_is_too_much()
            self._drop_expired()

    def _move_to_the_end(self, entry: Entry) -> None:
        gone = entry.position
        entry.position = self._next_position
        self._next_position += 1
        self._line.append(entry)
        if self._keeping is not None:
            self._keeping.moved(entry, gone)

    def handed_out(self, entry: Entry, *, no_ack: bool) -> None:
        """A message is on its way: for good, or until it is settled."""
        if self._keeping is None:
            return
        if no_ack:
            self._keeping.gone(entry)
        else:
            self._keeping.out(entry)

    def settled(self, entry: Entry) -> None:
        """A handed-out message is done with."""
        self.counts.ack += 1
        if self._keeping is not None:
            self._keeping.gone(entry)

    def reject(self, entry: Entry) -> None:
        """A handed-out message was refused for good."""
        if not self.deleted:
            self._give_up(entry, REJECTED)

    def restore(self, entries: Sequence[Entry]) -> None:
        """Make `entries`, in order, all there is: what a restart kept."""
        self._line.replace(entries)
        self._drop_expired()
        self.used()

    def resume(self, entries: Sequence[Entry], next_position: int) -> None:
        """Begin with `entries`, in order, in a broker that has just been made.

        What is expired or too much goes when the carrier asks what is due, and not here, so that
        its going is told and kept as ever.
        """
        if self.options.quorum:
            # What was out comes back, and so goes first.
            self._line.replace(entry for entry in entries if not entry.redelivered)
            self._line.put_back([entry for entry in entries if entry.redelivered])
        else:
            self._line.replace(entries)
        self._next_position = next_position
        self._mortal = self._mortal or any(entry.expires_ns is not None for entry in entries)
        head = self._line.head()
        self._watch(None if head is None else head.expires_ns)
        if self._is_over():
            timers = self.home.timers
            timers.at(timers.now_ns, self._on_resumed, housekeeping=False)
        self.used()

    def _on_resumed(self, now_ns: int) -> None:
        self._drop_what_is_too_much()
        self._drop_expired()

    def forget(self, *entries: Entry) -> None:
        """Messages that were taken out are gone for good, without anybody acknowledging them."""
        if self._keeping is not None:
            self._keeping.gone(*entries)

    def _give_up(self, entry: Entry, reason: str) -> None:
        self.home.bury(self, entry, reason)
        self.forget(entry)

    # -- what does not stay --------------------------------------------------------------------

    def _is_over(self, more: int = 0, more_bytes: int = 0) -> bool:
        length, size = self.options.max_length, self.options.max_length_bytes
        return (length is not None and len(self._line) + more > length) or (
            size is not None and self._line.size_bytes + more_bytes > size
        )

    def _drop_what_is_too_much(self) -> bool:
        """Drop the oldest until there are not too many; True if there were."""
        dropped = False
        if self.options.bounded and self.options.overflow == DROP_HEAD:
            while self._line and self._is_over():
                self._give_up(self._line.popleft(), MAX_LENGTH)
                dropped = True
        return dropped

    def _drop_overdue(self) -> None:
        """Give up what the timer would have given up by now, were it always exact."""
        timer = self._head_timer
        if self.options.quorum or (timer is not None and timer.due_ns <= self.home.timers.now_ns):
            self._drop_expired()

    def _drop_expired(self) -> None:
        """Give up what is expired at the head, and come back when the new head will be."""
        if not self._mortal:
            return
        timers = self.home.timers
        due_ns = None
        while (head := self._line.head()) is not None:
            due_ns = head.expires_ns
            if due_ns is None or due_ns > timers.now_ns:
                break
            self._line.popleft()
            self._give_up(head, EXPIRED)
            due_ns = None
        self._watch(due_ns)

    def _watch(self, due_ns: int | None) -> None:
        """Look at the head of the line again when its time is up."""
        timer = self._head_timer
        if timer is not None and timer.due_ns != due_ns:
            timer.cancel()
            timer = None
        if timer is None and due_ns is not None and not self.deleted:
            timer = self.home.timers.at(due_ns, self._on_head_expired, housekeeping=False)
        self._head_timer = timer

    def _on_head_expired(self, now_ns: int) -> None:
        self._head_timer = None
        self._drop_expired()

    def used(self) -> None:
        """Somebody declared, asked or left: an `x-expires` begins anew."""
        if self._unused_timer is not None:
            self._unused_timer.cancel()
            self._unused_timer = None
        expires_ns = self.options.expires_ns
        if expires_ns is not None and not self.consumers and not self.deleted:
            timers = self.home.timers
            due_ns = timers.now_ns + expires_ns
            self._unused_timer = timers.at(due_ns, self._on_unused, housekeeping=False)

    def _on_unused(self, now_ns: int) -> None:
        self._unused_timer = None
        self.home.expire_queue(self)

    def stop(self) -> None:
        """The queue is gone: nothing of it happens any more."""
        self.deleted = True
        for timer in (self._head_timer, self._unused_timer):
            if timer is not None:
                timer.cancel()
        self._head_timer = self._unused_timer = None

    # -- consumers -----------------------------------------------------------------------------

    @property
    def exclusive_consumer(self) -> bool:
        """True if one consumer asked to be the only one."""
        return any(consumer.exclusive for consumer in self.consumers)

    def add_consumer(self, consumer: Consumer) -> None:
        """Let a consumer take turns."""
        self._turns.add(consumer)
        self.used()

    def remove_consumer(self, consumer: Consumer) -> None:
        """Offer this consumer nothing more. What it holds stays unacknowledged."""
        self._turns.remove(consumer)
        if not self.consumers:
            self.used()

    def unpark(self, consumer: Consumer) -> bool:
        """A limit was lifted: True if the consumer takes turns again."""
        return self._turns.unpark(consumer)

    def unpark_channel(self, channel: Channel) -> None:
        """A channel's own limit was lifted: its consumers return in the order they left."""
        self._turns.unpark_channel(channel)

    def dispatch(self) -> None:
        """Hand out ready messages for as long as somebody can take one."""
        if self._mortal:
            self._drop_overdue()
        self._hand_out()
        if self._mortal:
            self._drop_expired()

    def _hand_out(self) -> None:
        line, turns = self._line, self._turns
        while line and turns.ring:
            consumer = turns.next()
            if consumer is None:
                return
            entry = line.popleft()
            consumer.channel.deliver(consumer, entry)
            if self._mortal:
                self._drop_expired()
