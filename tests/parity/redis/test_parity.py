"""The sandbox's broker and Redis show redis-py the same things.

Every scenario's transcript on Redis 7.0.15 is kept in `recorded.json`, and the sandbox must produce
the same one, in a world and over TCP. Where there is a Redis (`make test-live`), the record is
compared with what it says today. After changing a scenario: `python -m tests.parity.redis.record`.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import tests.parity.redis.scenarios  # noqa: F401  (registers them)
from sandbox.embedded import ServerProcess
from sandbox.native.redis import Redis
from tests.parity.redis.stage import PROTOCOL

KNOWN = PROTOCOL.recorded()


@pytest.fixture(scope="module")
def embedded() -> Iterator[ServerProcess]:
    with ServerProcess(only=("redis",)) as server:
        yield server


def test_every_scenario_is_recorded() -> None:
    assert sorted(KNOWN) == sorted(PROTOCOL.scenarios), "run python -m tests.parity.redis.record"


@pytest.mark.parametrize("name", PROTOCOL.alike())
def test_the_sandbox_behaves_as_redis_was_seen_to(name: str) -> None:
    assert PROTOCOL.in_the_world(name) == KNOWN[name]


def test_a_difference_that_is_gone_leaves_the_list() -> None:
    for name, reason in PROTOCOL.differences.items():
        assert PROTOCOL.in_the_world(name) != KNOWN[name], f"take {name} out: {reason}"


@pytest.mark.live
@pytest.mark.parametrize("name", PROTOCOL.alike())
def test_the_embedded_server_behaves_as_redis_was_seen_to(
    name: str, embedded: ServerProcess
) -> None:
    host = embedded.options.host
    assert PROTOCOL.at(host, embedded.ports["redis"], name) == KNOWN[name]


@pytest.mark.live
@pytest.mark.parametrize("name", sorted(PROTOCOL.scenarios))
def test_the_record_is_what_the_redis_that_is_here_does(name: str, redis_server: Redis) -> None:
    theirs = PROTOCOL.at("127.0.0.1", redis_server.port, name)
    assert theirs == KNOWN[name], "the record is out of date, or Redis is another one"
