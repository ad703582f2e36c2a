"""What happened to messages, told from the frames between the exercise and the broker.

One `Ledger` a run; one `ConnectionLedger` for each connection, fed with every frame in both
directions. It follows consumers, deliveries and their settling as the broker does, and knows
whether a connection still waits for an answer. Publishing is the firehose's to tell: only the
broker knows where a message went.

To follow one more method, add a branch to `_sent` (by the client) or `_received` (from the broker).
"""

from __future__ import annotations

import struct
from collections import Counter, defaultdict, deque
from dataclasses import dataclass, field
from typing import Any

from pamqp import commands

from sandbox.stack.live.frames import BODY, HEADER, METHOD, Frame


@dataclass(frozen=True)
class Delivery:
    """A message handed to a process and not settled yet."""

    queue: str
    body: bytes


@dataclass
class _Content:
    """A method with content, while its header and body arrive."""

    method: Any
    size: int | None = None
    body: bytes = b""

    @property
    def complete(self) -> bool:
        return self.size is not None and len(self.body) >= self.size


@dataclass
class _Channel:
    last_queue: str = ""
    consumers: dict[str, tuple[str, bool]] = field(default_factory=dict)  # tag: queue, no_ack
    consumer_prefetch: int = 0
    channel_prefetch: int = 0
    unsettled: dict[int, Delivery] = field(default_factory=dict)
    consumes: deque[Any] = field(default_factory=deque)
    gets: deque[Any] = field(default_factory=deque)
    declares: deque[Any] = field(default_factory=deque)
    unanswered: int = 0
    confirming: bool = False
    published: int = 0
    unconfirmed: set[int] = field(default_factory=set)
    sending: _Content | None = None
    receiving: _Content | None = None

    def has_room(self) -> bool:
        """Whether the broker may deliver one more message to some consumer here."""
        limits = [limit for limit in (self.consumer_prefetch, self.channel_prefetch) if limit]
        return bool(self.consumers) and all(len(self.unsettled) < limit for limit in limits)


class Ledger:
    """The sums over all connections of a run."""

    def __init__(self) -> None:
        self.delivered: defaultdict[str, list[bytes]] = defaultdict(list)
        self.acked: defaultdict[str, list[bytes]] = defaultdict(list)
        self.requeued: Counter[str] = Counter()
        self.purged: Counter[str] = Counter()
        #: Messages sent to exchanges that exist, as far as the broker has not said otherwise.
        self.publishes = 0
        self.connections: list[ConnectionLedger] = []

    def unacked(self, queue: str) -> int:
        """How many deliveries from the queue are not settled."""
        return sum(
            delivery.queue == queue
            for connection in self.connections
            for channel in connection.channels.values()
            for delivery in channel.unsettled.values()
        )

    def consumers(self, queue: str) -> int:
        """How many consumers the exercise's processes have on the queue."""
        return sum(
            consumed == queue
            for connection in self.connections
            for channel in connection.channels.values()
            for consumed, _ in channel.consumers.values()
        )

    def hungry_queues(self) -> set[str]:
        """Queues with a consumer to which the broker may deliver another message."""
        return {
            queue
            for connection in self.connections
            for channel in connection.channels.values()
            if channel.has_room()
            for queue, _ in channel.consumers.values()
        }


class ConnectionLedger:
    """One connection, from the frames that pass."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.opened = False
        self.channels: defaultdict[int, _Channel] = defaultdict(_Channel)
        ledger.connections.append(self)

    @property
    def waiting_for(self) -> str | None:
        """What the client waits for from the broker, in words; None when for nothing but news."""
        if not self.opened:
            return "the broker to open its connection"
        if any(channel.unanswered for channel in self.channels.values()):
            return "an answer from the broker"
        if any(channel.unconfirmed for channel in self.channels.values()):
            return "the broker to confirm what it published"
        return None

    def closed(self) -> None:
        """The connection is gone: what was not settled goes back to its queue."""
        for channel in self.channels.values():
            self._requeue(channel)
        self.channels.clear()
        self.opened = True
        if self in self._ledger.connections:
            self._ledger.connections.remove(self)

    def sent(self, frame: Frame) -> bool:
        """Take note of a client's frame; return whether it only asks if there is anything new."""
        channel = self.channels[frame.channel]
        if frame.kind == METHOD:
            return frame.method is not None and self._sent(channel, frame.method, frame.channel)
        content = channel.sending
        if content is not None and _add(content, frame):
            channel.sending = None
            self._ledger.publishes += 1
        return False

    def received(self, frame: Frame) -> bool:
        """Take note of a broker's frame; return whether it only says that there is nothing new."""
        channel = self.channels[frame.channel]
        if frame.kind == METHOD:
            return frame.method is not None and self._received(channel, frame.method, frame.channel)
        content = channel.receiving
        if content is not None and _add(content, frame):
            channel.receiving = None
            self._take(channel, content)
        return False

    def _sent(self, channel: _Channel, method: Any, number: int) -> bool:
        if method.synchronous and not getattr(method, "nowait", False) and number:
            channel.unanswered += 1
        match method:
            case commands.Basic.Publish():
                channel.sending = _Content(method)
                channel.published += 1
                if channel.confirming:
                    channel.unconfirmed.add(channel.published)
            case commands.Basic.Ack() | commands.Basic.Nack() | commands.Basic.Reject():
                self._settle(channel, method)
            case commands.Basic.Consume():
                method.queue = method.queue or channel.last_queue
                if method.nowait:
                    self._consume(channel, method, method.consumer_tag)
                else:
                    channel.consumes.append(method)
            case commands.Basic.Cancel(nowait=True):
                channel.consumers.pop(method.consumer_tag or "", None)
            case commands.Basic.Get():
                method.queue = method.queue or channel.last_queue
                channel.gets.append(method)
                return True
            case commands.Basic.Qos():
                if method.global_:
                    channel.channel_prefetch = method.prefetch_count
                else:
                    channel.consumer_prefetch = method.prefetch_count
            case commands.Queue.Declare(nowait=False):
                channel.declares.append(method)
                return bool(method.passive)
            case commands.Queue.Declare():
                channel.last_queue = method.queue
            case commands.Queue.Purge():
                channel.last_queue = method.queue or channel.last_queue
            case commands.Confirm.Select():
                channel.confirming, channel.published = True, 0
            case commands.Channel.Close() | commands.Connection.Close():
                self._end(channel, number)
        return False

    def _received(self, channel: _Channel, method: Any, number: int) -> bool:
        name = str(method.name)
        if name.endswith("Ok") or isinstance(method, commands.Basic.GetEmpty):
            channel.unanswered = max(0, channel.unanswered - 1)
        match method:
            case commands.Connection.OpenOk():
                self.opened = True
            case commands.Basic.Deliver() | commands.Basic.GetOk() | commands.Basic.Return():
                channel.receiving = _Content(method)
            case commands.Basic.ConsumeOk() if channel.consumes:
                self._consume(channel, channel.consumes.popleft(), method.consumer_tag or "")
            case commands.Basic.CancelOk() | commands.Basic.Cancel():
                channel.consumers.pop(method.consumer_tag or "", None)
            case commands.Basic.GetEmpty():
                if channel.gets:
                    channel.gets.popleft()
                return True
            case commands.Basic.RecoverOk():
                self._requeue(channel)
            case commands.Basic.Ack() | commands.Basic.Nack():
                tag = method.delivery_tag
                channel.unconfirmed -= (
                    {n for n in channel.unconfirmed if n <= tag} if method.multiple else {tag}
                )
            case commands.Queue.DeclareOk():
                channel.last_queue = method.queue or ""
                declare = channel.declares.popleft() if channel.declares else None
                return bool(declare is not None and declare.passive)
            case commands.Queue.PurgeOk():
                self._ledger.purged[channel.last_queue] += method.message_count or 0
            case commands.Channel.Close() | commands.Connection.Close():
                if (method.class_id, method.method_id) == (60, 40):
                    self._ledger.publishes -= 1
                self._end(channel, number)
        return False

    def _consume(self, channel: _Channel, method: Any, tag: str) -> None:
        channel.consumers[tag] = (method.queue, bool(method.no_ack))

    def _take(self, channel: _Channel, content: _Content) -> None:
        """A delivery is complete."""
        method = content.method
        if isinstance(method, commands.Basic.Return):
            return
        if isinstance(method, commands.Basic.GetOk):
            if not channel.gets:
                return
            get = channel.gets.popleft()
            queue, no_ack = get.queue, bool(get.no_ack)
        else:
            queue, no_ack = channel.consumers.get(method.consumer_tag, ("", False))
        self._ledger.delivered[queue].append(content.body)
        if no_ack:
            self._ledger.acked[queue].append(content.body)
        else:
            channel.unsettled[method.delivery_tag] = Delivery(queue, content.body)

    def _settle(self, channel: _Channel, method: Any) -> None:
        tag = method.delivery_tag
        if getattr(method, "multiple", False):
            tags = [t for t in channel.unsettled if t <= tag or tag == 0]
        else:
            tags = [tag] if tag in channel.unsettled else []
        for each in tags:
            delivery = channel.unsettled.pop(each)
            if isinstance(method, commands.Basic.Ack):
                self._ledger.acked[delivery.queue].append(delivery.body)
            elif method.requeue:
                self._ledger.requeued[delivery.queue] += 1

    def _requeue(self, channel: _Channel) -> None:
        for delivery in channel.unsettled.values():
            self._ledger.requeued[delivery.queue] += 1
        channel.unsettled.clear()

    def _end(self, channel: _Channel, number: int) -> None:
        """A channel closes, or with number 0 all of them."""
        for each in [channel] if number else list(self.channels.values()):
            self._requeue(each)
            each.consumers.clear()
            each.unconfirmed.clear()
            each.unanswered = 0
            each.consumes.clear()
            each.gets.clear()
            each.declares.clear()
            each.sending = each.receiving = None


def _add(content: _Content, frame: Frame) -> bool:
    """Add a header or body frame; return whether the message is complete."""
    if frame.kind == HEADER:
        (content.size,) = struct.unpack_from(">Q", frame.payload, 4)
    elif frame.kind == BODY:
        content.body += frame.payload
    return content.complete
