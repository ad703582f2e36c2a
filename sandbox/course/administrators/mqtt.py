"""`lab.mqtt`: the checks' administrator of the run's MQTT server. Payloads are text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox.course.administrators.values import Values, bodies, text, texts
from sandbox.stack.base import MQTTMessage, MQTTObserver, MQTTSession


@dataclass(frozen=True)
class Published:
    """A message, as text; `properties` are MQTT 5's."""

    topic: str
    payload: str
    qos: int = 0
    retain: bool = False
    properties: Mapping[str, Any] = field(default_factory=dict)


class MQTT:
    """See the module."""

    def __init__(self, observer: MQTTObserver) -> None:
        self._observer = observer

    def publish(
        self,
        topic: str,
        payloads: Sequence[str | bytes] | str | bytes,
        *,
        qos: int = 0,
        retain: bool = False,
        **properties: Any,
    ) -> None:
        """Publish one message or several to a topic. `properties` are MQTT 5's, in snake case."""
        self._observer.publish(
            topic, bodies(payloads), qos=qos, retain=retain, properties=properties or None
        )

    def published(self, topic_filter: str = "#") -> Values:
        """The payloads that anybody published to matching topics since the run began, in order."""
        return texts(message.payload for message in self._observer.published(topic_filter))

    def messages(self, topic_filter: str = "#") -> list[Published]:
        """The same messages with all that belongs to them."""
        return [_readable(message) for message in self._observer.published(topic_filter)]

    def retained(self, topic_filter: str = "#") -> dict[str, str]:
        """Topics that hold a retained message, and its payload."""
        return {m.topic: text(m.payload) for m in self._observer.retained(topic_filter)}

    def clients(self) -> list[str]:
        """The names of the exercise's processes that are connected, one per connection."""
        return self._observer.clients()

    def sessions(self) -> dict[str, MQTTSession]:
        """The sessions the server keeps, by client id, where the server tells."""
        return {session.client_id: session for session in self._observer.sessions()}

    def subscriptions(self) -> dict[str, dict[str, int]]:
        """Who subscribed to what with which QoS, by client id, where the server tells."""
        return {
            session.client_id: dict(session.subscriptions) for session in self._observer.sessions()
        }

    def restart(self) -> None:
        """Stop and start it in good order."""
        self._observer.restart()

    def kill(self) -> None:
        """End it at once and leave it down."""
        self._observer.kill()

    def start(self) -> None:
        """Start it after `kill`."""
        self._observer.start()

    def events(self, kind: str) -> list[Mapping[str, Any]]:
        """Trace events of a kind that the MQTT server reported, where the stack keeps a trace."""
        return self._observer.events(kind)


def _readable(message: MQTTMessage) -> Published:
    return Published(
        message.topic, text(message.payload), message.qos, message.retain, message.properties
    )
