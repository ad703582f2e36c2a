"""`lab.mqtt` on a real MQTT server: the checks' own administrator, with paho.

It listens to every topic from the beginning, in a session that the server keeps for it over a
restart. To know that all that the server has accepted has arrived, it subscribes to something: the
server answers in order.

See `sandbox.stack.observers.MQTTObserver` for what each method promises.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NoReturn

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from sandbox.stack.base import MQTTMessage, StackUnavailable
from sandbox.stack.live.places import Place
from sandbox.stack.live.process import LiveProcess
from sandbox.stack.live.redis import names_of_connected

#: How long a server may take to answer; used up only when something is wrong.
_PATIENCE_S = 30.0
_PREFIX = "sandbox-observer-"
#: A filter that no message matches: what begins with "$" is the server's own.
_BARRIER = "$sandbox/nothing"
_NAMES = {
    "content_type": "ContentType",
    "response_topic": "ResponseTopic",
    "correlation_data": "CorrelationData",
    "message_expiry_interval": "MessageExpiryInterval",
    "payload_format_indicator": "PayloadFormatIndicator",
    "user_property": "UserProperty",
}


class LiveMQTT:
    """Acts and observes as one more client, of MQTT 5."""

    def __init__(
        self, place: Place, changed: threading.Condition, processes: Sequence[LiveProcess]
    ) -> None:
        self._place = place
        self._changed = changed
        self._processes = processes
        self._published: list[MQTTMessage] = []
        if self.retained():
            host, port = place.addresses[0]
            raise StackUnavailable(
                f"The MQTT server at {host}:{port} holds retained messages, and a live run would "
                "remove them at its end. Name another one in MQTT_URL."
            )
        self._listener = _Client(place, self._published.append, keep_session=True)
        self._listener.subscribe("#")

    def publish(
        self,
        topic: str,
        payloads: Sequence[bytes],
        *,
        qos: int = 0,
        retain: bool = False,
        properties: Mapping[str, Any] | None = None,
    ) -> None:
        """Publish, and wait until the server has it all."""
        sent = [
            self._listener.paho.publish(
                topic, payload, qos, retain, _properties(PacketTypes.PUBLISH, properties)
            )
            for payload in payloads
        ]
        for each in sent:
            each.wait_for_publish(_PATIENCE_S)
        self._listener.barrier()

    def published(self, topic_filter: str) -> list[MQTTMessage]:
        """Messages that anybody published since the run began, in order, wills too."""
        self._listener.barrier()
        return [
            message
            for message in list(self._published)
            if paho.topic_matches_sub(topic_filter, message.topic)
        ]

    def retained(self, topic_filter: str = "#") -> list[MQTTMessage]:
        """The retained messages whose topic matches, by topic."""
        found: list[MQTTMessage] = []
        visitor = _Client(self._place, found.append)
        try:
            visitor.subscribe(topic_filter, retained=True)
            visitor.barrier()
        finally:
            visitor.close()
        kept = (each for each in found if each.retain and not each.topic.startswith("$"))
        return sorted(kept, key=lambda message: message.topic)

    def clients(self) -> list[str]:
        """The names of the exercise's processes that are connected, one per connection."""
        return names_of_connected(self._changed, self._processes, "mqtt")

    def sessions(self) -> NoReturn:
        """Raise: MQTT has no way of asking for them. Raises: NotImplementedError."""
        raise NotImplementedError(
            "A real MQTT server does not tell which sessions it keeps. Mark the check with "
            '@pytest.mark.stack("simulated").'
        )

    def restart(self) -> None:
        """Stop and start it in good order."""
        self._place.halt(crash=False)
        self.start()

    def kill(self) -> None:
        """End it at once and leave it down."""
        self._place.halt(crash=True)

    def start(self) -> None:
        """Start it after `kill`, and listen to it again."""
        self._listener.expect_loss()
        self._place.resume()
        self._listener.await_connection()
        self._listener.subscribe("#")

    def events(self, kind: str) -> NoReturn:
        """Raise: a real server keeps no trace. Raises: NotImplementedError."""
        raise NotImplementedError(
            "A real MQTT server keeps no trace. Ask for what was published instead, or mark the "
            'check with @pytest.mark.stack("simulated").'
        )

    def close(self) -> None:
        """Remove what is retained, and leave."""
        try:
            for message in self.retained():
                self._listener.paho.publish(message.topic, b"", 1, retain=True)
            self._listener.barrier()
        except (OSError, TimeoutError):
            pass  # it was left down
        self._listener.close()


class _Client:
    """A paho client whose calls wait for the server's answers."""

    def __init__(
        self, place: Place, take: Callable[[MQTTMessage], None], *, keep_session: bool = False
    ) -> None:
        self._answered: set[int] = set()
        self._news = threading.Condition()
        self._connected = False
        self.paho = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=_PREFIX + secrets.token_hex(6),
            protocol=paho.MQTTv5,
        )
        self.paho.max_queued_messages_set(0)
        self.paho.reconnect_delay_set(1, 1)
        self.paho.on_connect = self._on_connect
        self.paho.on_disconnect = self._on_disconnect
        self.paho.on_subscribe = self._on_subscribe
        self.paho.on_message = lambda client, data, message: take(_message(message))
        host, port = place.addresses[0]
        settings: dict[str, Any] = {"receive_maximum": 65535}
        if keep_session:
            settings["session_expiry_interval"] = 3600
        clean: Literal[True, False] = not keep_session
        self.paho.connect(
            host,
            port,
            clean_start=clean,
            properties=_properties(PacketTypes.CONNECT, settings),
        )
        self.paho.loop_start()
        self.await_connection()

    def subscribe(self, topic_filter: str, *, retained: bool = False) -> None:
        """Subscribe, and wait until that is so; `retained`: and be sent what is retained now."""
        options = SubscribeOptions(
            qos=2, retainAsPublished=True, retainHandling=0 if retained else 2
        )
        with self._news:
            number = self.paho.subscribe(topic_filter, options=options)[1]
            self._await(lambda: number in self._answered, "the answer to a subscription")

    def barrier(self) -> None:
        """Wait until everything that the server had for us before now has arrived."""
        self.subscribe(_BARRIER)

    def expect_loss(self) -> None:
        """The server is down: what is connected is another connection."""
        with self._news:
            self._await(lambda: not self._connected, "the end of the connection")

    def await_connection(self) -> None:
        """Wait until it is connected."""
        with self._news:
            self._await(lambda: self._connected, "a connection")

    def close(self) -> None:
        """Disconnect, and end the session."""
        ending = _properties(PacketTypes.DISCONNECT, {"session_expiry_interval": 0})
        self.paho.disconnect(properties=ending)
        self.paho.loop_stop()

    def _await(self, condition: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + _PATIENCE_S
        while not condition():
            if not self._news.wait(max(0.0, deadline - time.monotonic())):
                raise TimeoutError(f"The MQTT server did not give {what} in {_PATIENCE_S:g} s.")

    def _on_connect(self, *_: Any) -> None:
        with self._news:
            self._connected = True
            self._news.notify_all()

    def _on_disconnect(self, *_: Any) -> None:
        with self._news:
            self._connected = False
            self._news.notify_all()

    def _on_subscribe(self, client: Any, data: Any, number: int, *_: Any) -> None:
        with self._news:
            self._answered.add(number)
            self._news.notify_all()


def _properties(packet: int, given: Mapping[str, Any] | None) -> Properties | None:
    if not given:
        return None
    make: Any = Properties
    properties: Any = make(packet)
    for name, value in given.items():
        called = _NAMES.get(name, "".join(word.title() for word in name.split("_")))
        for each in value if name == "user_property" else [value]:
            setattr(properties, called, tuple(each) if name == "user_property" else each)
    made: Properties = properties
    return made


def _message(message: Any) -> MQTTMessage:
    found = {}
    for name, called in _NAMES.items():
        value = getattr(message.properties, called, None)
        if value is not None:
            found[name] = [list(pair) for pair in value] if name == "user_property" else value
    return MQTTMessage(message.topic, message.payload, message.qos, message.retain, found)
