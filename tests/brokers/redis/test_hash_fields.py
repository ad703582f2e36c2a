"""Fields of hashes that expire, as Redis has them since 7.4."""

from __future__ import annotations

from tests.brokers.redis.client import Client, World, new_world


def test_a_field_goes_at_its_time_and_the_last_one_takes_the_hash_along() -> None:
    world = new_world(config={"save": ""})
    client = world.connect()
    client.ask("HSET", "h", "a", "1", "b", "2")
    assert client.ask("HEXPIRE", "h", 10, "FIELDS", 3, "a", "b", "none") == [1, 1, -2]
    assert client.ask("HPERSIST", "h", "FIELDS", 1, "b") == [1]
    assert client.ask("HTTL", "h", "FIELDS", 2, "a", "b") == [10, -1]
    world.advance(10.5)
    assert client.ask("HGETALL", "h") == [b"b", b"2"]
    client.ask("HPEXPIRE", "h", 500, "FIELDS", 1, "b")
    assert world.broker.next_timer() is not None
    world.advance(1)
    assert client.ask("EXISTS", "h") == 0
    assert world.broker.next_timer() is None


def test_listeners_hear_of_it(world: World, client: Client) -> None:
    client.ask("CONFIG", "SET", "notify-keyspace-events", "Kgh")
    listener = world.connect()
    listener.ask("PSUBSCRIBE", "*")
    client.ask("HSET", "h", "a", "1")
    client.ask("HEXPIRE", "h", 1, "FIELDS", 1, "a")
    world.advance(2)
    events = [listener.next()[-1] for _ in range(4)]
    assert events == [b"hset", b"hexpire", b"hexpired", b"del"]


def test_conditions_compare_with_the_time_there_was(client: Client) -> None:
    client.ask("HSET", "h", "a", "1")
    assert client.ask("HEXPIRE", "h", 10, "XX", "FIELDS", 1, "a") == [0]
    assert client.ask("HEXPIRE", "h", 10, "GT", "FIELDS", 1, "a") == [0]
    assert client.ask("HEXPIRE", "h", 10, "LT", "FIELDS", 1, "a") == [1]
    assert client.ask("HEXPIRE", "h", 20, "NX", "FIELDS", 1, "a") == [0]
    assert client.ask("HEXPIRE", "h", 20, "GT", "FIELDS", 1, "a") == [1]
    assert client.ask("HEXPIRE", "h", 0, "FIELDS", 1, "a") == [2]
    assert client.ask("EXISTS", "h") == 0


def test_a_copy_keeps_the_times_of_its_fields(world: World, client: Client) -> None:
    client.ask("HSET", "h", "a", "1", "b", "2")
    client.ask("HEXPIRE", "h", 5, "FIELDS", 1, "a")
    client.ask("COPY", "h", "copy")
    client.ask("RENAME", "h", "renamed")
    world.advance(6)
    assert client.ask("HKEYS", "copy") == client.ask("HKEYS", "renamed") == [b"b"]


def test_an_older_redis_does_not_know_them() -> None:
    old = new_world(version=(7, 0, 15)).connect()
    assert old.ask("HEXPIRE", "h", 10, "FIELDS", 1, "a").startswith("ERR unknown command")
    assert old.ask("HELLO")[3] == b"7.0.15"
