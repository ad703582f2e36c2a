"""A connection: one client's packets, from CONNECT to DISCONNECT.

The first packet is a CONNECT and the only one; after it every packet goes to the handler of its
type (`HANDLERS` in `broker.py`). What a client may not do ends its connection: MQTT 5 clients are
told why in a DISCONNECT with a reason string, older ones see it close. [mqtt-v5.0 4.13]
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.brokers.mqtt import connecting, packets, wills
from sandbox.brokers.mqtt import properties as props
from sandbox.brokers.mqtt.errors import MqttError, Reason, malformed, protocol_error
from sandbox.brokers.mqtt.framing import Frame, Splitter

if TYPE_CHECKING:
    from sandbox.brokers.mqtt.broker import Broker
    from sandbox.brokers.mqtt.packets import Will
    from sandbox.brokers.mqtt.session import Session
    from sandbox.brokers.timers import Timer

#: How long a client may be silent before its CONNECT.
CONNECT_TIMEOUT_NS = 90_000_000_000


class Connection:
    """One client. `peer` is its name for people."""

    def __init__(self, broker: Broker, peer: str, now_ns: int) -> None:
        self.broker = broker
        self.peer = peer
        self.closing = False
        self.lost = False
        #: The protocol level, 0 before it is known.
        self.level = 0
        self.user: str | None = None
        self.will: Will | None = None
        #: What the client allows: unsettled deliveries, bytes of a packet, topic aliases.
        self.receive_maximum = broker.max_inflight
        self.max_packet_size = 1 << 62
        self.alias_limit = 0
        self.aliases_out: dict[str, int] = {}
        #: Topics by the aliases that the client gave them.
        self.aliases_in: dict[int, str] = {}
        self.keep_alive_s = 0
        self._session: Session | None = None
        self._splitter = Splitter()
        self._output: list[bytes] = []
        self._announced = False
        self._last_heard_ns = now_ns
        self._silence_ns = CONNECT_TIMEOUT_NS
        self._timer: Timer | None = None
        self._arm()

    @property
    def v5(self) -> bool:
        """Whether the client speaks MQTT 5."""
        return self.level == 5

    @property
    def connected(self) -> bool:
        """Whether its CONNECT was accepted and it has not left since."""
        return self._session is not None

    @property
    def session(self) -> Session:
        """The session of a connected client."""
        assert self._session is not None
        return self._session

    @property
    def client_id(self) -> str | None:
        """Its client id once it is connected."""
        return None if self._session is None else self._session.client_id

    # -- the carrier's side --------------------------------------------------------------------

    @property
    def subscribed(self) -> bool:
        """True while the client has a subscription."""
        return self._session is not None and bool(self._session.subscriptions)

    def receive_data(self, data: bytes, now_ns: int) -> None:
        """Take bytes from the client, any number of them, cut anywhere."""
        broker = self.broker
        broker.time(now_ns)
        broker.statistics.bytes_received += len(data)
        if self.closing or self.lost:
            return
        self._last_heard_ns = now_ns
        self._splitter.feed(data)
        try:
            while not self.closing:
                frame = self._splitter.next_frame()
                if frame is None:
                    return
                broker.statistics.messages_received += 1
                self._handle(frame, now_ns)
        except MqttError as why:
            self.refuse(why.reason, why.sentence, now_ns)

    def data_to_send(self) -> bytes:
        """Return the bytes that wait for this client, and forget them."""
        data = b"".join(self._output)
        self._output.clear()
        return data

    def connection_lost(self, now_ns: int) -> None:
        """The client's end of the transport is gone."""
        self.broker.time(now_ns)
        if not self.lost:
            self.end(now_ns, by="lost", reason=0, sentence="the connection broke")
            self.lost = True
            self._output.clear()

    # -- the broker's side ---------------------------------------------------------------------

    def taken(self) -> None:
        """The carrier knows of the news; announce the next ones again."""
        self._announced = False

    def write(self, packet: bytes) -> None:
        """Let the carrier send a packet."""
        statistics = self.broker.statistics
        statistics.messages_sent += 1
        statistics.bytes_sent += len(packet)
        if not self.lost:
            self._output.append(packet)
            self._announce()

    def emit(self, kind: str, **fields: Any) -> None:
        """Report an event of this client."""
        if self.broker.observe is not None:
            fields["client_id"] = self.client_id
            fields["connection"] = self.peer
            self.broker.observe(kind, fields)

    def accept(self, session: Session, *, silence_ns: int, max_packet_size: int | None) -> None:
        """The client is connected."""
        self._session = session
        session.connection = self
        self._silence_ns = silence_ns
        self._splitter.max_size = max_packet_size
        self._splitter.only = None
        self._arm()

    def alias_of(self, topic: str) -> tuple[str, int, int]:
        """The topic and the alias to send, and the alias again if it is new; 0 is none."""
        alias = self.aliases_out.get(topic)
        if alias is not None:
            return "", alias, 0
        new = len(self.aliases_out) + 1
        return (topic, new, new) if new <= self.alias_limit else (topic, 0, 0)

    def refuse(self, reason: Reason, sentence: str, now_ns: int) -> None:
        """End the connection because of something the client may not do."""
        if not self.connected:
            connecting.refuse(self, reason, sentence)
            self.hang_up()
            return
        self.disconnect(reason, sentence, now_ns)

    def disconnect(self, reason: Reason, sentence: str, now_ns: int, *, will: bool = True) -> None:
        """End a connected client's connection, telling it why if it can be told."""
        if self.v5:
            explained = packets.disconnect(reason, {"reason_string": sentence})
            if len(explained) > self.max_packet_size:
                explained = packets.disconnect(reason, {})
            self.write(explained)
        self.end(now_ns, by="server", reason=reason, sentence=sentence, will=will)
        self.hang_up()

    def hang_up(self) -> None:
        """Close the transport once everything is sent."""
        self.closing = True
        self._stop_timer()
        self.broker.connections.pop(self, None)
        self._announce()

    def end(self, now_ns: int, *, by: str, reason: int, sentence: str, will: bool = True) -> None:
        """The client is not connected any more; its session may go on without it.

        `will` says whether its will is to be published (now, or after its delay).
        """
        self._stop_timer()
        self.broker.connections.pop(self, None)
        session = self._session
        if session is None:
            return
        self.emit("disconnect", by=by, reason=int(reason), text=sentence)
        self.broker.activity += 1
        self._session = None
        session.connection = None
        session.disconnected_ns = now_ns
        wills.client_left(self.broker, session, self.will if will else None, now_ns)
        self.will = None

    def _announce(self) -> None:
        if not self._announced:
            self._announced = True
            self.broker.writable.append(self)

    def _handle(self, frame: Frame, now_ns: int) -> None:
        kind, flags, body = frame
        name = props.PACKET_NAMES[kind]
        if kind != props.PUBLISH and flags != packets.FLAGS.get(kind, 0):
            raise malformed(f"a {name} with the flags {flags:04b}")
        if kind == props.PINGREQ and self.connected:
            # Proof of life and nothing else: no activity.
            if body:
                raise malformed("a PINGREQ has no body")
            self.write(packets.PINGRESP)
            return
        self.broker.activity += 1
        if not self.connected:
            connecting.on_connect(self, body, now_ns)
            return
        handler = self.broker.HANDLERS.get(kind)
        if handler is None:
            text = "a second CONNECT" if kind == props.CONNECT else f"a {name}"
            raise protocol_error(f"{text} from a client that is connected")
        handler(self, flags, body, now_ns)

    # -- proof of life -------------------------------------------------------------------------

    def _arm(self) -> None:
        """Look at the right time whether the client was silent for too long."""
        self._stop_timer()
        if self._silence_ns:
            due_ns = self._last_heard_ns + self._silence_ns
            self._timer = self.broker.timers.at(due_ns, self._on_timer, housekeeping=True)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _on_timer(self, now_ns: int) -> None:
        if now_ns < self._last_heard_ns + self._silence_ns:
            self._arm()
        elif not self.connected:
            self.hang_up()
        else:
            silence_s = self._silence_ns / 1_000_000_000
            self.disconnect(
                Reason.KEEP_ALIVE_TIMEOUT,
                f"nothing came for {silence_s:g} s, one and a half times the keep alive",
                now_ns,
            )
