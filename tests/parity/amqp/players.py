"""Plays a scenario on either broker and returns its transcript.

`in_the_world` runs it as a process of a simulated world, with the sandbox's broker at
localhost:5672; `on_rabbitmq` runs it here, in a virtual host of its own on a real server. The
scenario and pika are the same.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

import tests.parity.amqp.scenarios  # noqa: F401  (registers them)
from sandbox.brokers.amqp import Broker
from sandbox.brokers.amqp.management import Server
from sandbox.stack.live.management import Management
from sandbox.stack.live.settings import Settings
from sandbox.stack.live.vhost import VirtualHost
from sandbox.stack.simulated import SimulatedStack
from tests.parity.amqp.stage import SCENARIOS, Scenario, Stage

#: Virtual seconds: a scenario that is not over by then waits for something that never comes.
PATIENCE_S = 300.0


def in_the_world(scenario: str | Scenario, *, seed: int = 1) -> list[Any]:
    """Play a scenario in a simulated world.

    What it raises is raised here.
    """
    play = SCENARIOS[scenario] if isinstance(scenario, str) else scenario
    stack = SimulatedStack(seed=seed, brokers=["rabbitmq"])
    stack.world.add_service("management", 15672, lambda _: Server(_broker(stack)))
    stage = Stage("localhost", 5672, "/")
    raised: list[BaseException] = []

    def client() -> None:
        try:
            play(stage)
        except Exception as error:
            raised.append(error)
        finally:
            stage.close()

    try:
        process = stack.world.start_function(client, name="client")
        ending = stack.world.run(until_s=PATIENCE_S)
        if raised:
            raise raised[0]
        assert process.exit == 0, f"{ending.sentence}\n{process.output}"
    finally:
        stack.close()
    return _plain(stage)


def _broker(stack: SimulatedStack) -> Broker:
    broker = stack.world.kernel.services["rabbitmq"].broker
    assert isinstance(broker, Broker)
    return broker


def on_rabbitmq(scenario: str | Scenario, settings: Settings) -> list[Any]:
    """Play a scenario on a real RabbitMQ."""
    play = SCENARIOS[scenario] if isinstance(scenario, str) else scenario
    vhost = VirtualHost(Management(settings))
    vhost.create()
    port = urlsplit(settings.management_url).port
    assert port is not None
    stage = Stage(settings.host, settings.port, vhost.name, port)
    try:
        play(stage)
    finally:
        stage.close()
        vhost.delete()
    return _plain(stage)


def _plain(stage: Stage) -> list[Any]:
    """The transcript as JSON keeps it."""
    transcript: list[Any] = json.loads(json.dumps(stage.transcript))
    return transcript
