"""Commands that fakeredis gets wrong and this broker puts right, each as Redis 7.0.15 answers."""

from __future__ import annotations

import pytest

from tests.brokers.redis.client import Client, World


def test_a_copy_is_a_value_of_its_own(client: Client) -> None:
    client.ask("RPUSH", "a", "1")
    assert client.ask("COPY", "a", "b") == 1
    client.ask("RPUSH", "b", "2")
    assert client.ask("LRANGE", "a", 0, -1) == [b"1"]


@pytest.mark.parametrize(
    ("fill", "pop"),
    [
        (("RPUSH", "k", "x"), ("LMPOP", 1, "k", "LEFT")),
        (("ZADD", "k", 1, "x"), ("ZMPOP", 1, "k", "MIN")),
    ],
)
def test_a_pop_of_the_last_element_removes_the_key_and_tells_who_watches(
    world: World, client: Client, fill: tuple[object, ...], pop: tuple[object, ...]
) -> None:
    client.ask(*fill)
    watcher = world.connect()
    watcher.ask("WATCH", "k")
    client.ask(*pop)
    assert client.ask("EXISTS", "k") == 0
    watcher.ask("MULTI")
    assert watcher.ask("EXEC") is None


def test_an_expiry_now_or_in_the_past_removes_the_key_at_once(client: Client) -> None:
    for seconds in (0, -1):
        client.ask("SET", "k", "v")
        assert client.ask("EXPIRE", "k", seconds) == 1
        assert client.ask("EXISTS", "k") == 0


def test_autoclaim_goes_on_where_its_cursor_says(client: Client) -> None:
    for n in range(1, 4):
        client.ask("XADD", "s", f"{n}-0", "n", n)
    client.ask("XGROUP", "CREATE", "s", "g", "0")
    client.ask("XREADGROUP", "GROUP", "g", "c", "STREAMS", "s", ">")
    client.ask("XDEL", "s", "3-0")
    reply = client.ask("XAUTOCLAIM", "s", "g", "d", 0, "-", "COUNT", 2, "JUSTID")
    assert reply == [b"3-0", [b"1-0", b"2-0"], []]
    assert client.ask("XAUTOCLAIM", "s", "g", "d", 0, "3-0") == [b"0-0", [], [b"3-0"]]
    assert client.ask("XPENDING", "s", "g") == [2, b"1-0", b"2-0", [[b"d", b"2"]]]


def test_errors_begin_with_their_code(client: Client) -> None:
    client.ask("XGROUP", "CREATE", "s", "g", "0", "MKSTREAM")
    assert client.ask("XGROUP", "CREATE", "s", "g", "0").startswith("BUSYGROUP ")
    assert client.ask("LMPOP", 0, "k", "LEFT") == "ERR numkeys should be greater than 0"
    assert client.ask("SETEX", "k", 0, "v") == "ERR invalid expire time in 'setex' command"


def test_one_command_that_fails_inside_the_engine_costs_no_transaction(
    world: World, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise IndexError("a bug")

    monkeypatch.setattr(type(client.side.session), "append", fail)
    client.ask("MULTI")
    client.ask("APPEND", "n", "x")
    client.ask("SET", "k", "v")
    assert client.ask("EXEC") == ["ERR the sandbox could not do this: IndexError('a bug')", "OK"]
    assert len(world.of_kind("engine.error")) == 1
