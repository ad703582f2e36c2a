"""Client-side caching: who is told that what it has is old."""

from __future__ import annotations

from tests.brokers.redis.client import NOTHING, Client, World


def _old(*keys: bytes) -> tuple[object, ...]:
    return ("push", b"invalidate", list(keys))


def test_who_read_a_key_is_told_once_that_it_changed(world: World, client: Client) -> None:
    cache = world.connect(resp=3)
    assert cache.ask("CLIENT", "TRACKING", "ON") == "OK"
    cache.ask("GET", "k")
    client.ask("SET", "k", "1")
    assert cache.next() == _old(b"k")
    client.ask("SET", "k", "2")
    assert cache.next() is NOTHING


def test_a_key_that_expires_or_is_flushed_is_old_too(world: World, client: Client) -> None:
    cache = world.connect(resp=3)
    cache.ask("CLIENT", "TRACKING", "ON")
    client.ask("SET", "k", "1", "PX", 100)
    cache.ask("GET", "k")
    world.advance(0.2)
    assert cache.next() == _old(b"k")
    cache.ask("MGET", "a", "b")
    client.ask("FLUSHALL")
    assert cache.next() == ("push", b"invalidate", None)


def test_broadcasting_tells_of_all_keys_with_a_prefix(world: World, client: Client) -> None:
    cache = world.connect(resp=3)
    cache.ask("CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", "user:", "PREFIX", "job:")
    client.ask("SET", "user:1", "x")
    client.ask("SET", "other", "x")
    assert cache.next() == _old(b"user:1")
    assert cache.next() is NOTHING


def test_with_optin_only_what_was_asked_for_is_remembered(world: World, client: Client) -> None:
    cache = world.connect(resp=3)
    cache.ask("CLIENT", "TRACKING", "ON", "OPTIN")
    cache.ask("GET", "a")
    cache.ask("CLIENT", "CACHING", "YES")
    cache.ask("GET", "b")
    cache.ask("GET", "c")
    for key in "abc":
        client.ask("SET", key, "1")
    assert cache.next() == _old(b"b")
    assert cache.next() is NOTHING


def test_noloop_spares_a_client_its_own_changes(world: World) -> None:
    cache, loop = world.connect(resp=3), world.connect(resp=3)
    cache.ask("CLIENT", "TRACKING", "ON", "NOLOOP")
    loop.ask("CLIENT", "TRACKING", "ON")
    for each in (cache, loop):
        each.ask("GET", "k")
    cache.ask("SET", "k", "1")
    assert cache.next() is NOTHING
    assert loop.next() == _old(b"k")


def test_an_old_client_is_told_through_another_connection(world: World, client: Client) -> None:
    listener, cache = world.connect(), world.connect()
    number = listener.ask("CLIENT", "ID")
    listener.ask("SUBSCRIBE", "__redis__:invalidate")
    assert cache.ask("CLIENT", "TRACKING", "ON", "REDIRECT", number) == "OK"
    assert cache.ask("CLIENT", "GETREDIR") == number
    cache.ask("GET", "k")
    client.ask("SET", "k", "1")
    assert listener.next() == [b"message", b"__redis__:invalidate", [b"k"]]


def test_what_contradicts_itself_is_refused(client: Client) -> None:
    assert client.ask("CLIENT", "TRACKING", "ON", "PREFIX", "a").startswith("ERR PREFIX option")
    assert client.ask("CLIENT", "TRACKING", "ON", "OPTIN", "OPTOUT").startswith("ERR You can't")
    assert client.ask("CLIENT", "TRACKING", "ON", "REDIRECT", 99).startswith("ERR The client ID")
    assert client.ask("CLIENT", "CACHING", "YES").startswith("ERR CLIENT CACHING")
    info = client.ask("CLIENT", "TRACKINGINFO")
    assert info == [b"flags", [b"off"], b"redirect", -1, b"prefixes", []]
