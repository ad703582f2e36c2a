"""A connection: one client's bytes, from the protocol header to the last close-ok.

The states are `lifecycle.CONNECTION`. Whatever goes wrong anywhere below comes up here as an
`AmqpError` and becomes a close of the channel or of the connection; nothing a client sends makes
`receive_data` raise. [amqp-0-9-1 2.2.4 "The Connection Class", 4.2]
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from pamqp import commands

from sandbox.brokers.amqp import opening, settling
from sandbox.brokers.amqp.actor import Actor
from sandbox.brokers.amqp.channel import Channel
from sandbox.brokers.amqp.codec import (
    PUBLISH,
    Method,
    MethodId,
    blank,
    decode_method,
    encode_method,
    method_id,
)
from sandbox.brokers.amqp.errors import (
    CHANNEL_ERROR,
    CONNECTION_FORCED,
    NOT_ALLOWED,
    UNEXPECTED_FRAME,
    AmqpError,
    erlang_binary,
)
from sandbox.brokers.amqp.framing import (
    BODY,
    FRAME_MIN_SIZE,
    HEADER,
    HEARTBEAT,
    METHOD,
    PROTOCOL_HEADER,
    Frame,
    FrameSplitter,
    method_frame,
    unknown_frame,
)
from sandbox.brokers.amqp.heartbeat import Heartbeat
from sandbox.brokers.amqp.lifecycle import (
    CONNECTION,
    SPEAKS_BEFORE_CLOSING,
    ChannelState,
    ConnectionInput,
    ConnectionState,
)
from sandbox.brokers.amqp.limits import check_channels

if TYPE_CHECKING:
    from sandbox.brokers.amqp.broker import Broker
    from sandbox.brokers.amqp.vhost import VirtualHost
    from sandbox.brokers.timers import Timer

_SECOND_NS: Final = 1_000_000_000
#: How long a client may take to shake hands, and to answer a close; RabbitMQ's defaults.
HANDSHAKE_TIMEOUT_NS: Final = 10 * _SECOND_NS
CLOSING_TIMEOUT_NS: Final = 30 * _SECOND_NS

_CLOSE_OK_FRAME: Final = method_frame(0, b"\x00\x0a\x00\x33")
_UPDATE_SECRET: Final = (10, 70)
_INPUTS: Final = {
    (10, 11): ConnectionInput.START_OK,
    (10, 31): ConnectionInput.TUNE_OK,
    (10, 40): ConnectionInput.OPEN,
    (10, 50): ConnectionInput.CLOSE,
    (10, 51): ConnectionInput.CLOSE_OK,
    _UPDATE_SECRET: ConnectionInput.UPDATE_SECRET,
}


class Connection:
    """One client. `peer` is its name for people."""

    vhost: VirtualHost

    def __init__(self, broker: Broker, peer: str, now_ns: int) -> None:
        self.broker = broker
        self.peer = peer
        self.actor = Actor(self, peer)
        self.state = ConnectionState.AWAIT_HEADER
        self.closing = False
        self.user: str | None = None
        self.client_properties: dict[str, Any] = {}
        self.mechanism = ""
        self.connected_ns = now_ns
        self.heartbeat_s = 0
        self.channels: dict[int, Channel] = {}
        self.channel_max = broker.channel_max
        self.frame_max = FRAME_MIN_SIZE
        self.received_bytes = 0
        self.sent_bytes = 0
        #: What came while publishing was blocked, unread.
        self.held: list[bytes] = []
        #: Channels with something to confirm.
        self.confirming: dict[Channel, None] = {}
        #: Its last basic.get found an empty queue: it will probably ask again.
        self.asks_in_vain = False
        self.blocked = False
        self._splitter = FrameSplitter()
        self._unreadable = False
        self._output: list[bytes] = []
        self._announced = False
        #: See `base.Paced`; None in a world, whose clients take everything at once.
        self.window_bytes: int | None = None
        self.withholds = False
        self._unsent_bytes = 0
        self._heartbeat: Heartbeat | None = None
        self._deadline: Timer | None = None
        self._now_ns = now_ns
        self._set_deadline(HANDSHAKE_TIMEOUT_NS, self._handshake_timed_out)

    # -- the carrier's side --------------------------------------------------------------------

    @property
    def opened_vhost(self) -> VirtualHost | None:
        """Its virtual host, once it has said which."""
        return getattr(self, "vhost", None)

    @property
    def subscribed(self) -> bool:
        """True while the client has a consumer, or has asked for a message and got none."""
        return self.asks_in_vain or any(
            channel.consumers or channel.reply_key for channel in self.channels.values()
        )

    def receive_data(self, data: bytes, now_ns: int) -> None:
        """Take bytes from the client, any number of them, cut anywhere."""
        self._now_ns = self.broker.timers.now_ns = now_ns
        self.received_bytes += len(data)
        if self.closing:
            return
        if self.blocked:
            self.held.append(data)
        elif self._unreadable:
            # After a frame that was none, only the client's last word can be made out.
            if _CLOSE_OK_FRAME in data:
                self._end()
        else:
            self._splitter.feed(data)
            self._read()

    def data_to_send(self) -> bytes:
        """Return the bytes that wait for this client, and forget them."""
        data = b"".join(self._output)
        self._output.clear()
        self.sent_bytes += len(data)
        return data

    def connection_lost(self, now_ns: int) -> None:
        """The client's end of the transport is gone. Idempotent."""
        self._now_ns = self.broker.timers.now_ns = now_ns
        self.broker.activity += 1
        self._finish("connection lost: the client closed the socket without a word", 0)
        self.closing = True
        self._output.clear()

    def write(self, data: bytes) -> None:
        """Queue bytes for the client."""
        self._output.append(data)
        self._unsent_bytes += len(data)
        if not self._announced:
            self._announce()

    def has_room(self) -> bool:
        """Whether consumers may be given more before the client has read what they got."""
        if self.window_bytes is not None and self._unsent_bytes >= self.window_bytes:
            self.withholds = True
            self._announce()  # So that the carrier looks, also if there is nothing else.
            return False
        return True

    def keeps_up(self, now_ns: int) -> None:
        """The client has read what it was sent: go on with what was withheld from it."""
        self._now_ns = self.broker.timers.now_ns = now_ns
        self._unsent_bytes = 0
        if self.withholds:
            self.withholds = False
            for channel in list(self.channels.values()):
                for queue in settling.unpark_all(channel):
                    queue.dispatch()

    def _announce(self) -> None:
        if not self._announced:
            self._announced = True
            self.broker.writable.append(self)

    def taken(self) -> None:
        """The carrier was told; tell it again when there is more."""
        self._announced = False

    # -- reading -------------------------------------------------------------------------------

    def _read(self) -> None:
        try:
            if self.state is ConnectionState.AWAIT_HEADER and not self._read_protocol_header():
                return
            next_frame = self._splitter.next_frame
            while not self.closing and (frame := next_frame()) is not None:
                kind, channel, payload = frame
                if kind != HEARTBEAT:
                    self.broker.activity += 1
                if self.broker.alarms and kind == METHOD and payload[:4] == PUBLISH:
                    self._block(frame)
                    return
                self._frame(kind, channel, payload)
        except AmqpError as error:
            self._unreadable = True
            self.fail(error, (0, 0))
        finally:
            if self.confirming:
                self._send_confirms()

    def _send_confirms(self) -> None:
        channels, self.confirming = self.confirming, {}
        for channel in channels:
            channel.send_confirms()

    def _read_protocol_header(self) -> bool:
        header = self._splitter.take_prefix(len(PROTOCOL_HEADER))
        if header is None:
            return False
        if header == PROTOCOL_HEADER:
            self._step(ConnectionInput.PROTOCOL_HEADER, None, (0, 0))
            return True
        # Tell which protocol is spoken here. [amqp-0-9-1 4.2.2]
        self.write(PROTOCOL_HEADER)
        self._finish(f"the client speaks another protocol: {erlang_binary(header)}", 0)
        self._end()
        return False

    def _frame(self, kind: int, number: int, payload: bytes) -> None:
        channel = self.channels.get(number)
        try:
            if channel is not None and self.state is ConnectionState.RUNNING:
                channel.receive(kind, payload)
            else:
                self._other_frame(kind, number, payload)
        except AmqpError as error:
            method = method_id(payload) if kind == METHOD and len(payload) >= 4 else (60, 40)
            method = error.method if error.method is not None else method
            channel = self.channels.get(number)
            if error.closes_connection or channel is None:
                self.fail(error, method)
            else:
                channel.fail(error, method)

    def _other_frame(self, kind: int, number: int, payload: bytes) -> None:
        if kind not in (METHOD, HEADER, BODY, HEARTBEAT) or (kind == HEARTBEAT and payload):
            raise unknown_frame(kind, payload)
        if number == 0 and kind == METHOD:
            name = method_id(payload)
            what = _INPUTS.get(name, ConnectionInput.OTHER_METHOD)
            self._step(what, payload, name)
        elif number == 0 and kind == HEARTBEAT:
            self._step(ConnectionInput.HEARTBEAT, payload, (0, 0))
        elif number == 0 or kind == HEARTBEAT or self.state is not ConnectionState.RUNNING:
            if self.state is not ConnectionState.CLOSING:
                text = f"type {kind}, all octets = {erlang_binary(payload[:256])}"
                raise AmqpError(UNEXPECTED_FRAME, text, (0, 0))
        else:
            self._step_channel(kind, number, payload)

    def _step_channel(self, kind: int, number: int, payload: bytes) -> None:
        if self.channel_max and len(self.channels) >= self.channel_max:
            count = len(self.channels)
            raise AmqpError(
                NOT_ALLOWED,
                f"number of channels opened ({count}) has reached the negotiated channel_max"
                f" ({self.channel_max})",
                (0, 0),
            )
        check_channels(self)
        channel = Channel(self, number)
        channel.receive(kind, payload)
        if channel.state is ChannelState.OPEN:
            self.channels[number] = channel

    def _step(self, what: ConnectionInput, payload: bytes | None, name: MethodId) -> None:
        transition = CONNECTION.get((self.state, what))
        if transition is None:
            text = f"unexpected method in connection state {self.state.value}"
            raise AmqpError(CHANNEL_ERROR, text, name)
        state, action = transition
        if action is None:
            return
        # pamqp cannot decode update-secret; what it says does not matter here.
        unread = payload is None or name == _UPDATE_SECRET
        method = None if unread else decode_method(payload or b"")
        ACTIONS[action](self, method)
        if self.state not in (ConnectionState.CLOSED, ConnectionState.CLOSING):
            self.state = state

    # -- actions of the table (how it opens is in `opening`) ----------------------------------

    def tune(self, channel_max: int, frame_max: int, heartbeat_s: int) -> None:
        """Keep to the limits agreed on from now on."""
        self.channel_max = channel_max
        self.frame_max = frame_max
        self.heartbeat_s = heartbeat_s
        self._splitter.max_size = frame_max
        self._heartbeat = Heartbeat(self, self.broker.timers, heartbeat_s * _SECOND_NS)
        self._heartbeat.start(self._now_ns)

    def on_update_secret(self, _: None) -> None:
        """Renewed credentials mean nothing to passwords; RabbitMQ answers the same."""
        self.send(commands.Connection.UpdateSecretOk())

    def on_close(self, method: commands.Connection.Close) -> None:
        """The client closes."""
        reason = f"client: {method.reply_code} {method.reply_text}"
        self._finish(reason, method.reply_code or 0)
        self.send(commands.Connection.CloseOk())
        self._end()

    def on_close_while_closing(self, _: Method) -> None:
        """Both sides closed at once: answer, and go on waiting for the answer to ours."""
        self.send(commands.Connection.CloseOk())

    def on_close_ok(self, _: Method) -> None:
        """The client heard."""
        self._end()

    # -- blocked publishers --------------------------------------------------------------------

    def _block(self, frame: Frame) -> None:
        """A resource runs out and the client publishes: read nothing until that is over."""
        self._splitter.put_back(frame)
        self.blocked = True
        if self.can("connection.blocked"):
            self.send(commands.Connection.Blocked("low on " + " & ".join(self.broker.alarms)))

    def unblock(self, now_ns: int) -> None:
        """The resources are there again: go on where reading stopped."""
        if not self.blocked:
            return
        self._now_ns = now_ns
        self.blocked = False
        if self.can("connection.blocked"):
            self.send(commands.Connection.Unblocked())
        held, self.held = self.held, []
        if held:
            self._splitter.feed(b"".join(held))
        self._read()

    # -- endings -------------------------------------------------------------------------------

    def can(self, capability: str) -> bool:
        """True if the client said it understands this extension."""
        capabilities = self.client_properties.get("capabilities")
        return isinstance(capabilities, dict) and capabilities.get(capability) is True

    def forget_channel(self, channel: Channel) -> None:
        """The channel's number is free again."""
        self.channels.pop(channel.number, None)

    def shut_down(self, text: str, now_ns: int) -> None:
        """The broker stops: say so where that makes sense, and go at once."""
        self._now_ns = now_ns
        if self.state in (ConnectionState.RUNNING, ConnectionState.AWAIT_OPEN):
            self._send_close(AmqpError(CONNECTION_FORCED, text), (0, 0))
        self._finish(text, CONNECTION_FORCED)
        self._end()

    def close_by_administrator(self, reason: str, now_ns: int) -> None:
        """Close this connection as RabbitMQ's management does."""
        self._now_ns = now_ns
        self.fail(AmqpError(CONNECTION_FORCED, reason), (0, 0))

    def missed_heartbeats(self, now_ns: int) -> None:
        """The client was silent for too long: cut it off without a word."""
        self._now_ns = now_ns
        if self.broker.observe is not None:
            self.emit("heartbeat.missed")
        self._finish("missed heartbeats from client", 0)
        self._end()

    def _handshake_timed_out(self, now_ns: int) -> None:
        self._now_ns = now_ns
        self._finish("the client did not shake hands in time", 0)
        self._end()

    def _closing_timed_out(self, now_ns: int) -> None:
        self._end()

    def fail(self, error: AmqpError, method: MethodId, *, speak: bool | None = None) -> None:
        """Close because of an error in `method`; say so if the client may hear it."""
        if self.state in (ConnectionState.CLOSING, ConnectionState.CLOSED):
            return
        if speak is None:
            speak = self.state in SPEAKS_BEFORE_CLOSING
        if speak:
            self._send_close(error, method)
        self._finish(error.reply_text, error.code)
        if speak:
            self.state = ConnectionState.CLOSING
            self._set_deadline(CLOSING_TIMEOUT_NS, self._closing_timed_out)
        else:
            self._end()

    def fail_channel(self, channel: Channel, error: AmqpError, now_ns: int) -> None:
        """Close a channel because of something that no method of it did."""
        self._now_ns = now_ns
        self.broker.activity += 1
        channel.fail(error, error.method or (0, 0))

    def _send_close(self, error: AmqpError, method: MethodId) -> None:
        close = blank(commands.Connection.Close)
        close.reply_code, close.reply_text = error.code, error.reply_text
        close.class_id, close.method_id = method
        self.send(close)

    def _finish(self, reason: str, code: int) -> None:
        """Give up everything the client had, once."""
        if self.state in (ConnectionState.CLOSING, ConnectionState.CLOSED):
            self.cancel_deadline()
            return
        opened = self.state is ConnectionState.RUNNING
        self.state = ConnectionState.CLOSED
        self.cancel_deadline()
        if self._heartbeat is not None:
            self._heartbeat.stop()
        self.blocked = False
        self.held = []
        if self.broker.observe is not None:
            self.emit("connection.close", code=code, reason=reason, opened=opened)
        self.broker.give_up(self)

    def _end(self) -> None:
        """Nothing more will be said: the carrier may close the transport."""
        self.state = ConnectionState.CLOSED
        self.closing = True
        self.cancel_deadline()
        self._announce()

    def _set_deadline(self, after_ns: int, action: Any) -> None:
        self.cancel_deadline()
        due_ns = self._now_ns + after_ns
        self._deadline = self.broker.timers.at(due_ns, action, housekeeping=True)

    def cancel_deadline(self) -> None:
        """What was waited for has come, or no longer matters."""
        if self._deadline is not None:
            self._deadline.cancel()

    # -- saying things -------------------------------------------------------------------------

    def send(self, method: Method) -> None:
        """Send a method of the connection itself."""
        if self.confirming:
            self._send_confirms()
        self.write(encode_method(0, method))

    def emit(self, kind: str, **fields: Any) -> None:
        """Trace something about this connection. Call only if the broker is observed."""
        assert self.broker.observe is not None
        self.broker.observe(kind, {**fields, "connection": self.peer, "channel": None})


#: What the table's actions mean. Frames for channels are handled before the table is asked.
ACTIONS: Final[Mapping[str, Callable[[Connection, Any], None]]] = {
    **opening.STEPS,
    **{
        action.__name__: action
        for action in (
            Connection.on_update_secret,
            Connection.on_close,
            Connection.on_close_while_closing,
            Connection.on_close_ok,
        )
    },
}
