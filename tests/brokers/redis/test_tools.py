"""What tools ask, pauses, and what this server is not."""

from __future__ import annotations

import pytest

from tests.brokers.redis.client import NOTHING, Client, World, new_world


def test_a_pause_stops_everybody_and_then_lets_them_go_on_in_order(
    world: World, client: Client
) -> None:
    other = world.connect()
    assert client.ask("CLIENT", "PAUSE", 500) == "OK"
    assert client.ask("SET", "k", "1") is NOTHING
    assert other.ask("GET", "k") is NOTHING
    world.advance(0.5)
    assert client.next() == "OK"
    assert other.next() == b"1"


def test_a_pause_of_writes_lets_reads_through(world: World, client: Client) -> None:
    writer = world.connect()
    client.ask("CLIENT", "PAUSE", 10_000, "WRITE")
    assert client.ask("GET", "k") is None
    assert writer.ask("SET", "k", "1") is NOTHING
    assert client.ask("CLIENT", "UNPAUSE") == "OK"
    assert writer.next() == "OK"


def test_commands_are_told_with_arity_flags_and_keys(client: Client) -> None:
    info = client.ask("COMMAND", "INFO", "get", "xgroup|create", "nosuch")
    assert info[0][:2] == [b"get", 2]
    assert info[0][3:6] == [1, 1, 1]
    assert info[1][0] == b"xgroup|create"
    assert info[2] is None
    assert client.ask("COMMAND", "COUNT") == len(client.ask("COMMAND"))
    assert client.ask("COMMAND", "GETKEYS", "MSET", "a", 1, "b", 2) == [b"a", b"b"]
    assert client.ask("COMMAND", "GETKEYS", "XREADGROUP", "GROUP", "g", "c", "STREAMS", "s", ">") == [b"s"]  # fmt: skip  # noqa: E501
    assert client.ask("COMMAND", "GETKEYS", "PING", "x").startswith("ERR The command has no key")


@pytest.mark.parametrize(
    ("words", "start"),
    [
        (("CLUSTER", "INFO"), "ERR This instance has cluster support disabled"),
        (("READONLY",), "ERR This instance has cluster support disabled"),
        (("REPLICAOF", "localhost", "6380"), "ERR the sandbox's Redis is alone"),
        (("FAILOVER",), "ERR FAILOVER requires connected replicas"),
        (("MODULE", "LOAD", "x.so"), "ERR the sandbox's Redis has no modules"),
        (("DEBUG", "SLEEP", "1"), "ERR DEBUG command not allowed"),
        (("WAITAOF", 1, 0, 0), "ERR WAITAOF cannot be used"),
        (("MSETEX", 1), "ERR unknown command"),
    ],
)
def test_what_it_is_not_it_says(client: Client, words: tuple[object, ...], start: str) -> None:
    assert client.ask(*words).startswith(start)


def test_a_single_server_answers_what_a_primary_answers(client: Client) -> None:
    assert client.ask("REPLICAOF", "NO", "ONE") == "OK"
    assert client.ask("ROLE") == [b"master", 0, []]
    assert client.ask("LATENCY", "LATEST") == []
    assert client.ask("LOLWUT") == b"Redis ver. 7.4.2\n"
    assert b"Subcommands are" in client.ask("XGROUP", "HELP")[0].encode()


def test_the_log_is_there_to_be_waited_for() -> None:
    client = new_world(config={"appendonly": "yes"}).connect()
    assert client.ask("WAITAOF", 1, 0, 0) == [1, 0]


def test_a_user_can_be_tried_without_being_it(client: Client) -> None:
    client.ask("ACL", "SETUSER", "bob", "on", "nopass", "~a*", "+get")
    assert client.ask("ACL", "DRYRUN", "bob", "GET", "a1") == "OK"
    assert b"no permissions" in client.ask("ACL", "DRYRUN", "bob", "SET", "a1", "x")
    assert client.ask("ACL", "DRYRUN", "nobody", "GET", "a") == "ERR User 'nobody' not found"


def test_a_library_says_its_name(world: World, client: Client) -> None:
    client.ask("CLIENT", "SETINFO", "LIB-NAME", "redis-py")
    assert b" lib-name=redis-py lib-ver=" in client.ask("CLIENT", "INFO")
    world.advance(100)
    young = world.connect()
    assert young.ask("CLIENT", "KILL", "MAXAGE", 50) == 1
    assert client.side.closing
