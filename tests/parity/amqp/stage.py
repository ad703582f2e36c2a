"""What a parity scenario acts on: clients of one broker, and a transcript of what they saw.

A scenario is written once, in pika, and played on the sandbox's broker and on a real RabbitMQ. Two
brokers are alike where the transcripts are equal, so everything a client can see goes in with
`see`, and what may differ between two runs of the same broker (generated names, the virtual host)
is made equal by `_plain`.
"""

from __future__ import annotations

import base64
import http.client
import json
import re
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from urllib.parse import quote

import pika
import pika.exceptions
from pika.adapters.blocking_connection import BlockingChannel, BlockingConnection

from tests.parity.amqp.raw import RawClient

#: How long nothing must arrive before a scenario believes that nothing will.
QUIET_S = 0.08
PATIENCE_S = 5.0

Scenario = Callable[["Stage"], None]
SCENARIOS: dict[str, Scenario] = {}


def scenario(play: Scenario) -> Scenario:
    """Register a scenario under its function's name."""
    assert play.__name__ not in SCENARIOS
    SCENARIOS[play.__name__] = play
    return play


class Stage:
    """One broker for one scenario."""

    def __init__(self, host: str, port: int, vhost: str, management_port: int = 15672) -> None:
        self.host, self.port, self.vhost = host, port, vhost
        self.management_port = management_port
        self.transcript: list[Any] = []
        self._connections: list[BlockingConnection] = []
        self._raw: list[RawClient] = []

    # Acting.

    def connect(self, **options: Any) -> BlockingConnection:
        """Open a connection of its own (credentials, virtual host and so on as `options`)."""
        settings: dict[str, Any] = {
            "host": self.host,
            "port": self.port,
            "virtual_host": self.vhost,
            "credentials": pika.PlainCredentials("guest", "guest"),
            "heartbeat": 0,
            "blocked_connection_timeout": PATIENCE_S,
            "socket_timeout": PATIENCE_S,
            "stack_timeout": PATIENCE_S,
        }
        connection = BlockingConnection(pika.ConnectionParameters(**settings | options))
        self._connections.append(connection)
        return connection

    def channel(self) -> BlockingChannel:
        """Open a channel on a connection of its own."""
        return self.connect().channel()

    def raw(self, **options: Any) -> RawClient:
        """A client that sends whatever frames it is told to."""
        client = RawClient(self.host, self.port, self.vhost, **options)
        self._raw.append(client)
        return client

    def publish(self, channel: BlockingChannel, queue: str, *bodies: str, **options: Any) -> None:
        """Publish to a queue through the default exchange."""
        for body in bodies:
            channel.basic_publish("", queue, body.encode(), **options)

    def consume(self, channel: BlockingChannel, queue: str, tag: str = "c", **options: Any) -> None:
        """Consume; deliveries wait on the channel for `arrived`."""
        channel.basic_consume(queue, self._inbox(channel), consumer_tag=tag, **options)

    def tags(self, channel: BlockingChannel, count: int) -> list[int]:
        """Wait for `count` deliveries, write them into the transcript and return their tags."""
        inbox = self._inbox_of(channel)
        for _ in range(int(PATIENCE_S / 0.02)):
            if len(inbox) >= count:
                break
            channel.connection.process_data_events(time_limit=0.02)
        self.quiet(channel)
        seen = list(inbox)
        inbox.clear()
        for method, _properties, body in seen:
            self.see(
                "delivered",
                method.consumer_tag,
                method.delivery_tag,
                body.decode(),
                "redelivered" if method.redelivered else "first time",
            )
        return [method.delivery_tag for method, _, _ in seen]

    def quiet(self, channel: BlockingChannel) -> None:
        """Let everything arrive that is under way."""
        deadline = time.monotonic() + QUIET_S
        with suppress(pika.exceptions.AMQPError):
            # pika returns as soon as something has arrived; more may be under way.
            while (left := deadline - time.monotonic()) > 0:
                channel.connection.process_data_events(time_limit=left)

    def get_all(self, channel: BlockingChannel, queue: str) -> list[int]:
        """Take every message without settling any; write them down and return their tags."""
        taken = []
        while True:
            method, _, body = channel.basic_get(queue)
            if method is None:
                return taken
            taken.append(method.delivery_tag)
            self.see(
                "got",
                method.delivery_tag,
                body.decode(),
                method.message_count,
                "redelivered" if method.redelivered else "first time",
            )

    def wait_for(self, channel: BlockingChannel, queue: str, count: int) -> None:
        """Let messages arrive that no client sends."""
        for _ in range(int(PATIENCE_S / 0.02)):
            if channel.queue_declare(queue, passive=True).method.message_count >= count:
                return
            channel.connection.sleep(0.02)

    def show(self, channel: BlockingChannel, queue: str) -> None:
        """Take every message, and write down where it has been."""
        while True:
            method, properties, body = channel.basic_get(queue, auto_ack=True)
            if method is None:
                return
            headers: dict[str, Any] = dict(properties.headers or {})
            for death in headers.get("x-death", ()):
                death["time"] = type(death["time"]).__name__
            self.see(body.decode(), method.exchange, method.routing_key, headers)
            self.see(properties.expiration, properties.delivery_mode, properties.priority)

    def http(self, method: str, path: str, body: Any = None, *, user: str = "guest") -> Any:
        """Ask the management API; `{vhost}` in the path is the scenario's. Returns status, body."""
        port = self.management_port
        client = http.client.HTTPConnection(self.host, port, timeout=PATIENCE_S)
        token = base64.b64encode(f"{user}:{user}".encode()).decode()
        headers = {"Authorization": f"Basic {token}", "Content-Type": "application/json"}
        text = None if body is None else json.dumps(body)
        path = path.replace("{vhost}", quote(self.vhost, safe=""))
        client.request(method, path, text, headers)
        answer = client.getresponse()
        raw = answer.read()
        client.close()
        return answer.status, json.loads(raw) if raw else None

    def ask(self, method: str, path: str, body: Any = None, *, user: str = "guest") -> None:
        """Ask the management API, and write down what it says."""
        self.see(method, path, *self.http(method, path, body, user=user))

    def counts(self, channel: BlockingChannel, queue: str) -> None:
        """Write down how many messages are ready and how many consumers there are."""
        self.quiet(channel)
        ok = channel.queue_declare(queue, passive=True).method
        self.see("queue", queue, "ready", ok.message_count, "consumers", ok.consumer_count)

    def properties(self, **given: Any) -> pika.BasicProperties:
        """Properties of a message."""
        return pika.BasicProperties(**given)

    # Seeing.

    def see(self, *what: Any) -> None:
        """Write something into the transcript."""
        self.transcript.append(self._plain(list(what)))

    def refused(self, act: Callable[[], Any]) -> None:
        """Do something that must fail, and write down how: channel or connection, code, text."""
        try:
            result = act()
        except pika.exceptions.ChannelClosedByBroker as error:
            self.see("channel closed", error.reply_code, error.reply_text)
        except pika.exceptions.ConnectionClosedByBroker as error:
            self.see("connection closed", error.reply_code, error.reply_text)
        except (pika.exceptions.AMQPError, ValueError) as error:
            self.see("raised", type(error).__name__, str(error))
        else:
            self.see("not refused", repr(result))

    def close(self) -> None:
        """Leave the broker."""
        for client in self._raw:
            client.close()
        for connection in self._connections:
            with suppress(pika.exceptions.AMQPError):
                connection.close()

    def _inbox(self, channel: BlockingChannel) -> Callable[..., None]:
        inbox = self._inbox_of(channel)
        return lambda _channel, method, properties, body: inbox.append((method, properties, body))

    def _inbox_of(self, channel: BlockingChannel) -> list[Any]:
        if not hasattr(channel, "parity_inbox"):
            channel.parity_inbox = []
        inbox: list[Any] = channel.parity_inbox
        return inbox

    def _plain(self, value: Any) -> Any:
        if isinstance(value, str):
            if self.vhost != "/":
                value = value.replace(self.vhost, "/")
            text = value.replace("sandbox@localhost", "rabbit@sandbox")
            text = re.sub(r"amq\.gen-[\w-]{22}", "amq.gen-*", text)
            return re.sub(r"amq\.ctag-[\w-]{22}", "amq.ctag-*", text)
        if isinstance(value, bytes):
            return f"bytes {value!r}"
        if isinstance(value, list | tuple):
            return [self._plain(item) for item in value]
        if isinstance(value, dict):
            return {key: self._plain(item) for key, item in sorted(value.items())}
        if value is None or isinstance(value, bool | int | float):
            return value
        return f"{type(value).__name__} {value}"
