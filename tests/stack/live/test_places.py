"""Whose server a live run uses, and what is said when there is none."""

from __future__ import annotations

import pytest
import redis

from sandbox.native.errors import ServerUnavailable
from sandbox.native.redis import Redis
from sandbox.stack import open_stack
from sandbox.stack.base import StackUnavailable
from sandbox.stack.live import places

pytestmark = pytest.mark.needs_os


@pytest.mark.live
def test_a_server_that_is_not_the_runs_own_must_be_empty_and_cannot_be_killed(
    redis_server: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = redis.Redis(port=redis_server.port)
    owner.flushall()
    monkeypatch.setenv("REDIS_URL", f"redis://{redis_server.address}/0")
    owner.set("somebody", "else")
    with pytest.raises(StackUnavailable, match="holds 1 keys"):
        open_stack("live", seed=1, brokers=["redis"])
    assert owner.get("somebody") == b"else"
    owner.delete("somebody")
    guest = open_stack("live", seed=1, brokers=["redis"])
    guest.redis.execute("SET", "guest", "1")
    with pytest.raises(NotImplementedError, match="not the run's own"):
        guest.redis.kill()
    guest.close()
    assert owner.dbsize() == 0
    owner.close()


def test_an_address_where_nothing_answers_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MQTT_URL", "mqtt://127.0.0.1:9")
    with pytest.raises(StackUnavailable, match=r"127\.0\.0\.1:9, which MQTT_URL names"):
        open_stack("live", seed=1, brokers=["mqtt"])


def test_a_server_that_cannot_be_started_comes_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:

    def missing() -> places.Place:
        raise ServerUnavailable("Redis is not installed here. Install it.")

    monkeypatch.setitem(places._MAKERS, "redis", missing)
    monkeypatch.setattr(places, "answers", lambda port: False)
    with pytest.raises(StackUnavailable, match=r"localhost:6379.*not installed"):
        open_stack("live", seed=1, brokers=["redis"])
