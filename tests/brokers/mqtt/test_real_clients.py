"""Client libraries and tools, unmodified, over TCP."""

from __future__ import annotations

import asyncio
import queue
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import aiomqtt
import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from tests.brokers.mqtt.carrier import PATIENCE_S, Carrier, carrying

pytestmark = pytest.mark.needs_os


@pytest.fixture
def carrier() -> Iterator[Carrier]:
    with carrying() as carrier:
        yield carrier


class Paho:
    """A paho client whose callbacks put what happened into queues."""

    def __init__(self, carrier: Carrier, client_id: str, version: int, **options: Any) -> None:
        clean = {} if version == 5 else {"clean_session": options.pop("clean", True)}
        self.client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id, protocol=MQTTProtocolVersion(version), **clean
        )
        self.events: dict[str, queue.Queue[Any]] = {}
        for name in ("connect", "disconnect", "message", "subscribe", "unsubscribe", "publish"):
            self.events[name] = queue.Queue()
            setattr(self.client, f"on_{name}", self._putter(name))
        will = options.pop("will", None)
        if will is not None:
            self.client.will_set(*will)
        user = options.pop("user", None)
        if user is not None:
            self.client.username_pw_set(*user)
        self.client.connect("127.0.0.1", carrier.port, 60, **options)
        self.client.loop_start()

    def _putter(self, name: str) -> Any:
        return lambda _client, _userdata, *rest: self.events[name].put(rest)

    def next(self, name: str) -> Any:
        return self.events[name].get(timeout=PATIENCE_S)

    def stop(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()

    def vanish(self) -> None:
        """Go away without a word."""
        self.client.loop_stop()
        sock = self.client.socket()
        assert sock is not None
        sock.close()


@pytest.mark.parametrize("version", [3, 4, 5])
def test_paho_sends_and_receives_with_every_quality(carrier: Carrier, version: int) -> None:
    client = Paho(carrier, "p", version)
    reason = client.next("connect")[1]
    assert not reason.is_failure
    client.client.subscribe("t/#", 2)
    client.next("subscribe")
    for qos in range(3):
        client.client.publish(f"t/{qos}", b"x%d" % qos, qos)
    got = [client.next("message")[0] for _ in range(3)]
    # A QoS 2 message arrives when its own four packets are done; order is per quality.
    found = {(m.topic, m.payload, m.qos) for m in got}
    assert found == {("t/0", b"x0", 0), ("t/1", b"x1", 1), ("t/2", b"x2", 2)}
    for _ in range(3):
        client.next("publish")
    client.client.unsubscribe("t/#")
    client.next("unsubscribe")
    carrier.wait_until(lambda broker: not broker.sessions()[0]["queued"])
    assert not carrier.broker.subscriptions()
    client.stop()
    carrier.wait_until(lambda broker: not broker.sessions())


def test_paho_passes_properties_and_subscription_options(carrier: Carrier) -> None:
    client = Paho(carrier, "p", 5)
    client.next("connect")
    wanted = Properties(PacketTypes.SUBSCRIBE)
    wanted.SubscriptionIdentifier = 7
    client.client.subscribe("t", options=SubscribeOptions(qos=1), properties=wanted)
    client.next("subscribe")
    sent = Properties(PacketTypes.PUBLISH)
    sent.ResponseTopic, sent.CorrelationData = "answers", b"42"
    sent.UserProperty = [("a", "b")]
    sent.MessageExpiryInterval = 30
    client.client.publish("t", b"question", 1, properties=sent)
    (message,) = client.next("message")
    found = message.properties
    assert (found.ResponseTopic, found.CorrelationData) == ("answers", b"42")
    assert found.UserProperty == [("a", "b")]
    assert found.SubscriptionIdentifier == [7]
    client.stop()


@pytest.mark.parametrize("version", [4, 5])
def test_paho_finds_its_session_again(carrier: Carrier, version: int) -> None:
    options: dict[str, Any] = {"clean": False}
    if version == 5:
        wishes = Properties(PacketTypes.CONNECT)
        wishes.SessionExpiryInterval = 1000
        options = {"clean_start": False, "properties": wishes}
    first = Paho(carrier, "p", version, **options)
    assert not first.next("connect")[0].session_present
    first.client.subscribe("t", 1)
    first.next("subscribe")
    first.vanish()
    carrier.wait_until(lambda broker: not broker.sessions()[0]["connected"])
    carrier.do(lambda broker: broker.publish("t", b"late", qos=1, now_ns=carrier.now_ns()))
    second = Paho(carrier, "p", version, **options)
    assert second.next("connect")[0].session_present
    assert second.next("message")[0].payload == b"late"
    second.stop()


def test_paho_is_told_why_it_is_refused_or_cut_off() -> None:
    with carrying(users={"ann": "secret"}) as carrier:
        wrong = Paho(carrier, "p", 5, user=("ann", "wrong"))
        assert wrong.next("connect")[1] == "Bad user name or password"
        wrong.stop()
        right = Paho(carrier, "p", 5, user=("ann", "secret"))
        assert right.next("connect")[1] == "Success"
        peer = carrier.broker.sessions()[0]["connection"]
        carrier.do(lambda b: b.admin_close_connection(peer, "enough", carrier.now_ns()))
        _, reason, properties = right.next("disconnect")
        assert reason == "Administrative action"
        assert properties.ReasonString == "enough"
        right.stop()


def test_a_will_is_published_when_paho_vanishes(carrier: Carrier) -> None:
    reader = Paho(carrier, "r", 4)
    reader.next("connect")
    reader.client.subscribe("w", 1)
    reader.next("subscribe")
    dying = Paho(carrier, "d", 5, will=("w", b"gone", 1, False))
    dying.next("connect")
    dying.vanish()
    assert reader.next("message")[0].payload == b"gone"
    reader.stop()


def test_aiomqtt_publishes_and_iterates(carrier: Carrier) -> None:
    async def talk() -> list[tuple[str, Any, int, bool]]:
        found = []
        async with aiomqtt.Client("127.0.0.1", carrier.port, identifier="reader") as reader:
            await reader.subscribe("room/+/temperature", qos=2)
            async with aiomqtt.Client("127.0.0.1", carrier.port) as writer:
                for number in range(30):
                    await writer.publish(f"room/{number}/temperature", number, qos=number % 3)
            async for message in reader.messages:
                found.append(
                    (str(message.topic), message.payload, message.qos, bool(message.retain))
                )
                if len(found) == 30:
                    break
        return found

    found = asyncio.run(asyncio.wait_for(talk(), PATIENCE_S))
    assert sorted(found, key=lambda each: int(each[1])) == [
        (f"room/{n}/temperature", b"%d" % n, n % 3, False) for n in range(30)
    ]


# -- Mosquitto's own tools ---------------------------------------------------------------------


def _tool(name: str) -> str:
    program = shutil.which(name)
    if program is None:
        pytest.fail(f"There is no {name} here. On Debian: apt-get install mosquitto-clients")
    return program


@pytest.mark.live
@pytest.mark.parametrize("version", ["31", "311", "5"])
def test_mosquitto_pub_and_sub_talk_to_each_other(carrier: Carrier, version: str) -> None:
    where = ["-h", "127.0.0.1", "-p", str(carrier.port), "-V", version]
    reader = subprocess.Popen(
        [_tool("mosquitto_sub"), *where, "-t", "t/#", "-q", "2", "-C", "3", "-F", "%t %p %q"],
        stdout=subprocess.PIPE,
        text=True,
    )
    carrier.wait_until(lambda broker: broker.subscriptions())
    for qos in "012":
        command = [_tool("mosquitto_pub"), *where, "-t", f"t/{qos}", "-m", "hello", "-q", qos]
        subprocess.run(command, check=True, timeout=PATIENCE_S)
    out, _ = reader.communicate(timeout=PATIENCE_S)
    assert out.splitlines() == ["t/0 hello 0", "t/1 hello 1", "t/2 hello 2"]


@pytest.mark.live
def test_mosquitto_rr_gets_its_answer(carrier: Carrier) -> None:
    where = ["-h", "127.0.0.1", "-p", str(carrier.port), "-V", "5"]
    asker = subprocess.Popen(
        [_tool("mosquitto_rr"), *where, "-t", "ask", "-e", "answer", "-m", "?"],
        stdout=subprocess.PIPE,
        text=True,
    )
    carrier.wait_until(
        lambda broker: (
            broker.subscriptions() and any(kind == "publish" for kind, _ in carrier.events)
        )
    )
    carrier.do(lambda broker: broker.publish("answer", b"42", now_ns=carrier.now_ns()))
    out, _ = asker.communicate(timeout=PATIENCE_S)
    assert out.strip() == "42"
