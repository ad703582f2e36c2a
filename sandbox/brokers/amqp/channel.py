"""A channel: one conversation within a connection.

Here are the states of a channel (`lifecycle.CHANNEL`), the putting together of a method, its header
and its body (`ASSEMBLY` is the table of what may follow what), and handing a message to a consumer.
What the methods do is in `declarations`, `consuming`, `settling` and `publishing`.
[amqp-0-9-1 1.3 "The Channel Class", 4.2.6 "Content Framing"]
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, cast

from pamqp import commands

from sandbox.brokers.amqp import (
    consuming,
    declarations,
    direct_reply,
    firehose,
    settling,
    transactions,
)
from sandbox.brokers.amqp.codec import (
    ACK,
    PUBLISH,
    PUBLISH_ID,
    Method,
    MethodId,
    ack_fields,
    blank,
    decode_method,
    encode_method,
    method_id,
    pack_preamble,
    pack_tag,
    publish_fields,
)
from sandbox.brokers.amqp.confirms import Confirms
from sandbox.brokers.amqp.consumer import header_of
from sandbox.brokers.amqp.errors import (
    CHANNEL_ERROR,
    COMMAND_INVALID,
    NOT_IMPLEMENTED,
    PRECONDITION_FAILED,
    UNEXPECTED_FRAME,
    AmqpError,
)
from sandbox.brokers.amqp.framing import (
    BODY,
    FRAME_END_BYTE,
    HEADER,
    HEARTBEAT,
    METHOD,
    content_frames,
    unknown_frame,
)
from sandbox.brokers.amqp.lifecycle import CHANNEL, ChannelInput, ChannelState
from sandbox.brokers.amqp.overdue import Overdue
from sandbox.brokers.amqp.properties import HEADER_SIZE, header_payload
from sandbox.brokers.amqp.publishing import publish
from sandbox.brokers.amqp.unacked import Unacked

if TYPE_CHECKING:
    from sandbox.brokers.amqp.connection import Connection
    from sandbox.brokers.amqp.consumer import Consumer
    from sandbox.brokers.amqp.message import Entry
    from sandbox.brokers.amqp.queue import Queue

#: RabbitMQ's default `max_message_size`.
MAX_MESSAGE_SIZE_BYTES: Final = 134217728

HANDLERS: Final[Mapping[MethodId, Callable[[Channel, Any], None]]] = {
    **declarations.HANDLERS,
    **consuming.HANDLERS,
    **transactions.HANDLERS,
}

_INPUTS: Final[Mapping[MethodId, ChannelInput]] = {
    (20, 10): ChannelInput.OPEN,
    (20, 40): ChannelInput.CLOSE,
    (20, 41): ChannelInput.CLOSE_OK,
}


class Channel:
    """One channel of a connection."""

    def __init__(self, connection: Connection, number: int) -> None:
        self.connection = connection
        self.number = number
        self.state = ChannelState.CLOSED
        self.vhost = connection.vhost
        self.observe = connection.broker.observe
        self.actor = connection.actor._replace(channel=number)
        self.consumers: dict[str, Consumer] = {}
        self.unacked = Unacked()
        self.timers = connection.broker.timers
        self.overdue = Overdue(self, connection.broker.consumer_timeout_ns)
        self.confirms = Confirms()
        self.transaction: transactions.Transaction | None = None
        #: Its consumer of direct replies, and the name they are sent to; empty if there is none.
        self.reply_tag = self.reply_key = ""
        #: `basic.qos` without `global`: the limit of each consumer to come.
        self.prefetch_count = 0
        self.last_queue_name = ""
        self.expecting = METHOD
        self._route = b""
        self._bits = 0
        self._header = b""
        self._missing_bytes = 0
        self._body: list[bytes] = []
        self._answering = False
        self._after_answer: list[Method] = []

    # -- frames --------------------------------------------------------------------------------

    def receive(self, kind: int, payload: bytes) -> None:
        """Take a frame for this channel.

        Raises:
            AmqpError: whatever is wrong with it; the connection tells the client.
        """
        step = ASSEMBLY.get((self.expecting, kind))
        if step is not None and self.state is ChannelState.OPEN:
            step(self, payload)
        elif kind not in (METHOD, HEADER, BODY):
            if kind == HEARTBEAT and not payload:
                raise AmqpError(UNEXPECTED_FRAME, "type 8, all octets = <<>>", (0, 0))
            raise unknown_frame(kind, payload)
        elif self.state is ChannelState.CLOSING:
            if kind == METHOD:
                self._change_state(payload)
        elif step is None:
            raise self._unexpected(kind, payload)
        else:
            self._change_state(payload)

    def _on_method_frame(self, payload: bytes) -> None:
        name = payload[:4]
        if name == PUBLISH:
            self._route, self._bits = publish_fields(payload)
            self.expecting = HEADER
        elif name == ACK:
            tag, multiple = ack_fields(payload)
            settling.ack(self, tag, multiple=multiple)
        else:
            self._change_state(payload)

    def _on_header_frame(self, payload: bytes) -> None:
        if len(payload) < HEADER_SIZE + 2:
            raise unknown_frame(HEADER, payload)
        if payload[:4] != b"\x00\x3c\x00\x00":
            raise self._unexpected(HEADER, payload)
        size = int.from_bytes(payload[4:HEADER_SIZE], "big")
        if size > MAX_MESSAGE_SIZE_BYTES:
            self.expecting = METHOD
            text = f"message size {size} is larger than configured max size"
            raise AmqpError(PRECONDITION_FAILED, f"{text} {MAX_MESSAGE_SIZE_BYTES}", PUBLISH_ID)
        self._header = payload
        if size:
            self._missing_bytes = size
            self.expecting = BODY
        else:
            self.expecting = METHOD
            publish(self, self._route, self._bits, payload, b"")

    def _on_body_frame(self, payload: bytes) -> None:
        self._missing_bytes -= len(payload)
        if self._missing_bytes > 0:
            self._body.append(payload)
            return
        self.expecting = METHOD
        if self._body:
            payload = b"".join((*self._body, payload))
            self._body = []
        header = self._header
        if self._missing_bytes < 0:
            # More came than was announced. RabbitMQ lets it pass, and announces what there is.
            header = header_payload(header[HEADER_SIZE:], len(payload))
        publish(self, self._route, self._bits, header, payload)

    def _unexpected(self, kind: int, payload: bytes) -> AmqpError:
        if self.expecting == METHOD:
            text = "expected method frame, got non method frame instead"
            return AmqpError(UNEXPECTED_FRAME, text, (0, 0))
        if self.expecting == BODY:
            text = "expected content body, got non content body frame instead"
            return AmqpError(UNEXPECTED_FRAME, text, PUBLISH_ID)
        text = "expected content header for class 60, got non content header frame instead"
        if kind == HEADER and payload[2:4] == b"\0\0" and payload[:2] != b"\x00\x3c":
            class_id = int.from_bytes(payload[:2], "big")
            text = f"expected content header for class 60, got one for class {class_id} instead"
        return AmqpError(UNEXPECTED_FRAME, text, PUBLISH_ID)

    # -- states --------------------------------------------------------------------------------

    def _change_state(self, payload: bytes) -> None:
        name = method_id(payload)
        what = _INPUTS.get(name, ChannelInput.OTHER)
        transition = CHANNEL.get((self.state, what))
        if transition is None:
            raise self._wrong_state(what)
        before, (self.state, action) = self.state, transition
        if action is not None:
            try:
                method = decode_method(payload)
            except AmqpError:
                self.state = before
                raise
            getattr(self, action)(method, name)

    def _wrong_state(self, what: ChannelInput) -> AmqpError:
        if self.state is ChannelState.CLOSED:
            return AmqpError(CHANNEL_ERROR, "expected 'channel.open'")
        if what is ChannelInput.OPEN:
            return AmqpError(CHANNEL_ERROR, "second 'channel.open' seen")
        return AmqpError(COMMAND_INVALID, "unimplemented method")

    def on_open(self, method: commands.Channel.Open, name: MethodId) -> None:
        """The channel begins."""
        if self.observe is not None:
            self.emit("channel.open")
        reply = blank(commands.Channel.OpenOk)
        reply.channel_id = ""
        self.send(reply)

    def on_method(self, method: Method, name: MethodId) -> None:
        """Anything but opening and closing."""
        handler = HANDLERS.get(name)
        if handler is not None:
            self._answering = True
            try:
                handler(self, method)
            finally:
                self._answering = False
            for late in self._after_answer:
                self.send(late)
            self._after_answer.clear()
        elif name == (20, 20):
            self._on_flow(cast(commands.Channel.Flow, method))
        else:
            raise AmqpError(COMMAND_INVALID, "unimplemented method")

    def _on_flow(self, method: commands.Channel.Flow) -> None:
        if not method.active:
            raise AmqpError(NOT_IMPLEMENTED, "active=false")
        self.send(commands.Channel.FlowOk(True))

    def on_close(self, method: commands.Channel.Close, name: MethodId) -> None:
        """The client closes: what it held goes back, then it hears that all is done."""
        self.connection.forget_channel(self)
        self.close(f"client: {method.reply_code} {method.reply_text}", code=method.reply_code or 0)
        self.send(commands.Channel.CloseOk())

    def on_close_while_closing(self, method: Method, name: MethodId) -> None:
        """Both sides closed at once: answer, and go on waiting for the answer to ours."""
        self.send(commands.Channel.CloseOk())

    def on_close_ok(self, method: Method, name: MethodId) -> None:
        """The client heard; the number is free again."""
        self.connection.forget_channel(self)

    def fail(self, error: AmqpError, method: MethodId) -> None:
        """Tell the client what went wrong, and take no more from this channel."""
        close = blank(commands.Channel.Close)
        close.reply_code, close.reply_text = error.code, error.reply_text
        close.class_id, close.method_id = method
        self.state = ChannelState.CLOSING
        self.expecting = METHOD
        self._body = []
        self.send(close)
        self.close(error.reply_text, code=error.code)

    def close(self, reason: str, *, code: int) -> None:
        """Stop the consumers and give back what the channel holds."""
        if self.observe is not None:
            self.emit("channel.close", code=code, reason=reason)
        queues = self.stop_consumers("channel closed")
        self.give_back_all("channel closed")
        for queue in queues:
            self.auto_delete(queue)

    def give_back_all(self, reason: str) -> None:
        """The channel ends: requeue everything it holds."""
        self.vhost.counts.confirm += self.confirms.last_tag
        self.overdue.stop()
        if self.transaction is not None:
            self.transaction.roll_back(self)
        settling.give_back(self, self.unacked.take_all(), reason)

    # -- consumers -----------------------------------------------------------------------------

    def deliver(self, consumer: Consumer, entry: Entry) -> None:
        """Send a message to a consumer of this channel."""
        unacked = self.unacked
        tag = unacked.next_tag()
        message = entry.message
        queue = consumer.queue
        counts = queue.counts
        if consumer.no_ack:
            counts.deliver_no_ack += 1
        else:
            self.hold(tag, entry, queue, consumer)
            consumer.unacked_count += 1
            queue.unacked_count += 1
            counts.deliver += 1
        if entry.redelivered:
            counts.redeliver += 1
        if queue.durable:
            queue.handed_out(entry, no_ack=consumer.no_ack)
        number = self.number
        connection = self.connection
        method = consumer.deliver_prefix + pack_tag(tag, entry.redelivered) + message.route
        connection.write(
            pack_preamble(METHOD, number, len(method))
            + method
            + FRAME_END_BYTE
            + content_frames(number, header_of(entry), message.body, connection.frame_max)
        )
        if self.observe is not None:
            self.emit(
                "basic.deliver",
                queue=queue.name,
                message=message.number,
                tag=tag,
                consumer_tag=consumer.tag,
                redelivered=entry.redelivered,
                no_ack=consumer.no_ack,
            )
        if self.vhost.tracing:
            firehose.copy_delivered(self, queue, entry)

    def hold(self, tag: int, entry: Entry, queue: Queue, consumer: Consumer | None) -> None:
        """A message is out until it is settled, which may not take for ever."""
        self.unacked.add(tag, entry, queue, consumer, self.timers.now_ns)
        if not self.overdue.watching:
            self.overdue.watch()

    def stop_consumer(self, consumer: Consumer, reason: str) -> None:
        """Offer a consumer nothing more."""
        del self.consumers[consumer.tag]
        consumer.queue.remove_consumer(consumer)
        if self.observe is not None:
            self.emit(
                "consumer.cancel",
                queue=consumer.queue.name,
                consumer_tag=consumer.tag,
                reason=reason,
            )

    def stop_consumers(self, reason: str) -> list[Queue]:
        """Stop all of them; returns their queues, each once."""
        direct_reply.stop(self)
        consumers = list(self.consumers.values())
        for consumer in consumers:
            self.stop_consumer(consumer, reason)
        return list(dict.fromkeys(consumer.queue for consumer in consumers))

    def cancel_consumer(self, consumer: Consumer) -> None:
        """The queue is gone: stop, and tell clients that want to know."""
        self.stop_consumer(consumer, "queue deleted")
        if self.connection.can("consumer_cancel_notify"):
            cancel = blank(commands.Basic.Cancel)
            cancel.consumer_tag, cancel.nowait = consumer.tag, True
            # Who deletes a queue hears first that it is deleted, then what that meant.
            if self._answering:
                self._after_answer.append(cancel)
            else:
                self.send(cancel)

    def auto_delete(self, queue: Queue) -> None:
        """Delete an auto-delete queue whose last consumer just left."""
        if queue.auto_delete and not queue.consumers and not queue.deleted:
            self.vhost.drop_queue(queue, self.actor, "auto-delete")

    # -- saying things -------------------------------------------------------------------------

    def send(self, method: Method) -> None:
        """Send a method on this channel."""
        self.send_confirms()
        self.connection.write(encode_method(self.number, method))

    def confirm(self, taken: bool) -> None:
        """Confirm or refuse a message, soon: `send_confirms`."""
        connection = self.connection
        connection.confirming[self] = None
        frames = self.confirms.count(self.number, taken)
        if frames:
            connection.write(frames)

    def send_confirms(self) -> None:
        """Say now what is still to be confirmed."""
        frames = self.confirms.take(self.number)
        if frames:
            self.connection.write(frames)

    def emit(self, kind: str, **fields: Any) -> None:
        """Trace something that happened on this channel. Call only if `observe` is not None."""
        assert self.observe is not None
        fields["vhost"] = self.vhost.name
        fields["connection"] = self.connection.peer
        fields["channel"] = self.number
        self.observe(kind, fields)


#: (what is expected, what came) -> what to do; any other pair is an unexpected frame.
ASSEMBLY: Final[Mapping[tuple[int, int], Callable[[Channel, bytes], None]]] = {
    (METHOD, METHOD): Channel._on_method_frame,
    (HEADER, HEADER): Channel._on_header_frame,
    (BODY, BODY): Channel._on_body_frame,
}
