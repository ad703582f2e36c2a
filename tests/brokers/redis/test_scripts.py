"""Scripts: Lua in Python, compared with what Redis answered, and those of known libraries."""

from __future__ import annotations

import subprocess
import sys
from functools import partial

import pytest
from redis.lock import Lock

from tests.brokers.redis.client import Client, World, new_world, request
from tests.brokers.redis.recorded_scripts import RECORDED

CHORD = "celery.backends.redis"


@pytest.fixture
def old_client() -> Client:
    """A client of the Redis that the answers were recorded from."""
    return new_world(version=(7, 0, 15)).connect()


def test_scripts_answer_what_redis_answered(old_client: Client) -> None:
    old_client.ask("RPUSH", "lst", "a", "b")
    wrong = []
    for script, expected in RECORDED:
        got = old_client.feed(request("EVAL", script, 1, "key1", "arg1"))
        if got != expected:
            wrong.append((script, got, expected))
    assert wrong == []
    assert len(RECORDED) > 250


def test_a_lock_is_extended_and_given_back_by_its_owner_alone(client: Client) -> None:
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


def test_celerys_chord_counts_its_parts_and_is_claimed_once(client: Client) -> None:
    scripts = pytest.importorskip(CHORD, reason="celery is not installed: pip install celery")
    part = getattr(scripts, "CHORD_PART_RETURN_LUA", None)
    if part is None:
        pytest.skip("this celery counts the parts of a chord without a script")
    keys = ("j", "t", "s", "d", "g", "c")
    client.ask("SET", "s", 2)
    args = ("60", "60", "30", "token")
    first = client.ask("EVAL", part, 6, *keys, "id1", "r1", "1", "0", *args)
    assert first == [1, None, b"2", 0] or first[0] == 1
    again = client.ask("EVAL", part, 6, *keys, "id1", "r1", "1", "0", *args)
    assert again[0] == 1
    done = client.ask("EVAL", part, 6, *keys, "id2", "r2", "1", "1", *args)
    assert (done[0], done[3]) == (2, 1)
    assert client.ask("ZRANGE", "j", 0, -1) == [b"r1", b"r2"]
    assert client.ask("TTL", "j") == 60
    assert client.ask("EVAL", scripts.CHORD_CLEANUP_LUA, 5, "c", "j", "t", "s", "d", "x", 9) == 0
    clean = client.ask("EVAL", scripts.CHORD_CLEANUP_LUA, 5, "c", "j", "t", "s", "d", "token", 9)
    assert clean == 1
    assert client.ask("GET", "c") == b"done"


def test_kombus_bindings_are_refreshed_and_swept(world: World, client: Client) -> None:
    redis = pytest.importorskip("kombu.transport.redis", reason="kombu is not installed")
    refresh = getattr(redis, "REFRESH_BINDING", None)
    if refresh is None:
        pytest.skip("this kombu keeps its bindings without scripts")
    client.ask("EVAL", refresh, 2, "_kombu.binding.ex", "deadlines", "member", "ex", 1000)
    assert client.ask("SMEMBERS", "_kombu.binding.ex") == [b"member"]
    sweep = ("EVAL", redis.SWEEP_BINDINGS, 1, "deadlines", "_kombu.binding.", "permanent.", 10)
    assert client.ask(*sweep) == 0
    world.advance(2)
    assert client.ask(*sweep) == 1
    assert client.ask("EXISTS", "_kombu.binding.ex") == 0


def test_scripts_are_kept_by_their_digest(client: Client) -> None:
    digest = client.ask("SCRIPT", "LOAD", "return ARGV[1]")
    assert client.ask("EVALSHA", digest, 0, "x") == b"x"
    assert client.ask("SCRIPT", "EXISTS", digest, "0" * 40) == [1, 0]
    assert client.ask("SCRIPT", "FLUSH") == "OK"
    assert client.ask("EVALSHA", digest, 0, "x").startswith("NOSCRIPT")
    assert client.ask("EVAL_RO", "return redis.call('set', 'k', 1)", 0).startswith("ERR Write")


def test_a_script_that_would_never_end_is_ended(client: Client) -> None:
    caught = "return pcall(function() while true do end end) and 1"
    for script in ("while true do end", caught):
        assert "does its loop end" in client.ask("EVAL", script, 0)
    assert client.ask("PING") == "PONG"


def test_a_script_that_calls_itself_without_end_is_ended(client: Client) -> None:
    script = "local function f() return f() + 1 end return f()"
    assert "stack overflow" in client.ask("EVAL", script, 0)
    assert client.ask("EVAL", "return " + "(" * 500 + "1" + ")" * 500, 0).startswith("ERR")


def test_a_script_that_would_take_all_memory_is_ended(client: Client) -> None:
    for script in (
        "local s = 'x' while true do s = s .. s end",
        "return string.rep('x', 1e9)",
        "local t = {} for i = 1, 70 do t[i] = string.rep('x', 1e6) end return table.concat(t)",
    ):
        assert "resulting string too large" in client.ask("EVAL", script, 0)


def test_what_a_script_did_before_it_failed_stays(client: Client) -> None:
    assert client.ask("EVAL", "redis.call('set', 'k', 'v') error('x')", 0).startswith("ERR")
    assert client.ask("GET", "k") == b"v"


def test_who_waits_for_what_a_script_pushes_is_served_after_all_of_it(
    world: World, client: Client
) -> None:
    waiter = world.connect()
    waiter.ask("BLPOP", "jobs", 0)
    client.ask("EVAL", "redis.call('rpush', 'jobs', 'a') redis.call('rpush', 'jobs', 'b')", 0)
    assert waiter.next() == [b"jobs", b"a"]
    assert client.ask("LRANGE", "jobs", 0, -1) == [b"b"]


def test_a_script_may_do_what_its_user_may(world: World, client: Client) -> None:
    client.ask("ACL", "SETUSER", "bob", "on", "nopass", "~*", "+eval", "+get")
    bob = world.connect()
    bob.ask("AUTH", "bob", "x")
    assert bob.ask("EVAL", "return redis.call('get', 'k')", 0) is None
    assert bob.ask("EVAL", "return redis.call('set', 'k', 1)", 0).startswith("NOPERM")


def test_the_same_script_draws_the_same_numbers(client: Client) -> None:
    script = "return tostring(math.random())"
    assert client.ask("EVAL", script, 0) == client.ask("EVAL", script, 0)


def test_nothing_native_is_needed() -> None:
    """With lupa hidden, as in a browser, everything can be loaded and scripts run."""
    code = (
        "import sys; sys.modules['lupa'] = None; sys.modules['hiredis'] = None\n"
        "from tests.brokers.redis.client import new_world\n"
        "print(new_world().connect().ask('EVAL', 'return {1, ARGV[1]}', 0, 'x'))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "[1, b'x']\n", done.stderr
