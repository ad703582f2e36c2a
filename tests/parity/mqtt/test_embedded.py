"""The embedded server shows its clients what Mosquitto was seen to show them.

The scenarios and the clients are those of `test_parity`; between them are TCP and the clock.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

import tests.parity.mqtt.scenarios  # noqa: F401  (registers them)
from sandbox.embedded import Server
from tests.parity.mqtt.differences import DIFFERENCES
from tests.parity.mqtt.mosquitto import TcpWire
from tests.parity.mqtt.record import read
from tests.parity.mqtt.stage import SCENARIOS, Wire, play

pytestmark = pytest.mark.needs_os

KNOWN = read()


class Embedded:
    """The sandbox's broker behind a real port."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def open(self, version: int) -> Wire:
        return TcpWire(self._server.port("mqtt"), version)

    def restart(self) -> None:
        self._server.act("mqtt", lambda broker, now_ns: broker.restart(now_ns))


@pytest.fixture(scope="module")
def embedded() -> Iterator[Embedded]:
    with Server(only=("mqtt",)) as server:
        yield Embedded(server)


@pytest.mark.parametrize("name", sorted(SCENARIOS.keys() - DIFFERENCES.keys()))
def test_the_embedded_server_behaves_as_mosquitto_was_seen_to(
    name: str, embedded: Embedded
) -> None:
    seen = json.loads(json.dumps(play(embedded, SCENARIOS[name])))
    assert seen == KNOWN[name]
