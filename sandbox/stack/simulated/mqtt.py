"""The checks' administrator of the simulated MQTT server: acts on the broker, reads the trace.

See `sandbox.stack.base.MQTTObserver` for what each method promises.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.brokers.mqtt import Broker
from sandbox.brokers.mqtt.topics import matches
from sandbox.sim.services import Service
from sandbox.sim.trace import Trace
from sandbox.stack.base import MQTTMessage, MQTTSession
from sandbox.stack.simulated.events import events_of
from sandbox.stack.simulated.late import broker_of


class SimulatedMQTT:
    """See the module."""

    def __init__(self, service: Service, trace: Trace) -> None:
        self._service = service
        self._trace = trace
        broker = broker_of(service)
        assert isinstance(broker, Broker)
        self._broker: Broker = broker

    def publish(
        self,
        topic: str,
        payloads: Sequence[bytes],
        *,
        qos: int = 0,
        retain: bool = False,
        properties: Mapping[str, Any] | None = None,
    ) -> None:
        def publish(now_ns: int) -> None:
            for payload in payloads:
                self._broker.publish(
                    topic, payload, now_ns=now_ns, qos=qos, retain=retain, properties=properties
                )

        self._service.act(publish)

    def published(self, topic_filter: str) -> list[MQTTMessage]:
        return [
            _message(event.fields)
            for event in self._trace.of_kind("publish")
            if event.process == self._service.name
            and not event.fields["topic"].startswith("$")
            and matches(topic_filter, event.fields["topic"])
        ]

    def retained(self, topic_filter: str = "#") -> list[MQTTMessage]:
        found = self._broker.retained(topic_filter)
        return [_message(each) for each in found if not each["topic"].startswith("$SYS")]

    def clients(self) -> list[str]:
        return [
            connection.peer.rpartition(":")[0]
            for connection in self._broker.connections
            if connection.connected
        ]

    def sessions(self) -> list[MQTTSession]:
        return [
            MQTTSession(
                session["client_id"],
                (session["connection"] or "").rpartition(":")[0],
                session["connected"],
                tuple(session["subscriptions"]),
                session["queued"],
            )
            for session in self._broker.sessions()
        ]

    def restart(self) -> None:
        self._service.restart()

    def kill(self) -> None:
        self._service.stop(crash=True)

    def start(self) -> None:
        self._service.start()

    def events(self, kind: str) -> list[Mapping[str, Any]]:
        return events_of(self._trace, kind, {self._service.name})


def _message(fields: Mapping[str, Any]) -> MQTTMessage:
    return MQTTMessage(
        fields["topic"], fields["payload"], fields["qos"], fields["retain"], fields["properties"]
    )
