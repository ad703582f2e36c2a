"""The embedded server shows its clients what RabbitMQ was seen to show them.

The broker is the one of the simulated world; here its bytes go through real sockets and time is
real, which is why this is for `make test-live` although it needs no RabbitMQ.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.embedded import ServerProcess
from sandbox.stack.live.settings import Settings
from tests.parity.amqp.differences import DIFFERENCES
from tests.parity.amqp.players import on_rabbitmq
from tests.parity.amqp.record import read
from tests.parity.amqp.stage import SCENARIOS

KNOWN = read()


@pytest.fixture(scope="module")
def embedded() -> Iterator[Settings]:
    with ServerProcess(only=("rabbitmq",)) as server:
        host = server.options.host
        yield Settings(
            host=host,
            port=server.ports["rabbitmq"],
            user="guest",
            password="guest",
            management_url=f"http://{host}:{server.ports['management']}",
        )


@pytest.mark.live
@pytest.mark.parametrize("name", sorted(SCENARIOS.keys() - DIFFERENCES.keys()))
def test_the_embedded_server_behaves_as_rabbitmq_was_seen_to(name: str, embedded: Settings) -> None:
    assert on_rabbitmq(name, embedded) == KNOWN[name]
