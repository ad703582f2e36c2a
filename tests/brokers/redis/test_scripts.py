"""Scripts: in Lua where it is, and those of redis-py's Lock without it."""

from __future__ import annotations

from functools import partial

import pytest
from redis.lock import Lock

from sandbox.brokers.redis import commands, scripts
from tests.brokers.redis.client import Client, World


@pytest.fixture
def without_lua(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "COMMANDS", dict(commands.COMMANDS))
    monkeypatch.setattr(commands, "_HANDLERS", dict(commands._HANDLERS))
    scripts.do_without_lua()


def test_a_script_runs_in_lua(client: Client) -> None:
    script = "redis.call('set', KEYS[1], ARGV[1]) return {redis.call('get', KEYS[1]), 1.9, false}"
    assert client.ask("EVAL", script, 1, "k", "v") == [b"v", 1, None]


@pytest.mark.parametrize("lua", ["lua", "emulated"])
def test_a_lock_is_extended_and_given_back_by_its_owner_alone(
    lua: str, world: World, client: Client, request: pytest.FixtureRequest
) -> None:
    if lua == "emulated":
        request.getfixturevalue("without_lua")
    run = partial(client.ask, "EVAL")
    client.ask("SET", "lock", "mine", "PX", 1000)
    assert run(Lock.LUA_EXTEND_SCRIPT, 1, "lock", "other", 500, "0") == 0
    assert run(Lock.LUA_EXTEND_SCRIPT, 1, "lock", "mine", 500, "0") == 1
    assert client.ask("PTTL", "lock") == 1500
    assert run(Lock.LUA_REACQUIRE_SCRIPT, 1, "lock", "mine", 700) == 1
    assert client.ask("PTTL", "lock") == 700
    assert run(Lock.LUA_RELEASE_SCRIPT, 1, "lock", "other") == 0
    assert run(Lock.LUA_RELEASE_SCRIPT, 1, "lock", "mine") == 1
    assert client.ask("EXISTS", "lock") == 0


@pytest.mark.usefixtures("without_lua")
def test_without_lua_an_unknown_script_is_refused_in_a_sentence(client: Client) -> None:
    assert "Python in the browser has no Lua" in client.ask("EVAL", "return 1", 0)
    digest = client.ask("SCRIPT", "LOAD", Lock.LUA_RELEASE_SCRIPT)
    assert client.ask("EVALSHA", digest, 1, "lock", "x") == 0
    assert client.ask("EVALSHA", "0" * 40, 0).startswith("NOSCRIPT")
