"""Who is there: passwords, users, CLIENT, MONITOR, publish and subscribe."""

from __future__ import annotations

from tests.brokers.redis.client import NOTHING, Client, Failure, World, new_world, request


def test_with_a_password_nothing_works_before_it(world: World) -> None:
    client = new_world(users={"default": "secret"}).connect()
    assert client.ask("GET", "k") == "NOAUTH Authentication required."
    assert client.ask("AUTH", "wrong").startswith("WRONGPASS")
    assert client.ask("AUTH", "secret") == "OK"
    assert client.ask("GET", "k") is None


def test_a_password_set_later_holds_for_those_who_come_later(world: World, client: Client) -> None:
    client.ask("CONFIG", "SET", "requirepass", "secret")
    assert client.ask("PING") == "PONG"
    late = world.connect()
    assert late.ask("PING") == "NOAUTH Authentication required."
    assert late.ask("HELLO", 3, "AUTH", "default", "secret")[b"proto"] == 3


def test_a_user_may_do_what_its_rules_say(world: World, client: Client) -> None:
    client.ask("ACL", "SETUSER", "bob", "on", ">pw", "~jobs:*", "+get", "+lpush")
    bob = world.connect()
    assert bob.ask("AUTH", "bob", "pw") == "OK"
    assert bob.ask("GET", "jobs:1") is None
    assert bob.ask("SET", "jobs:1", "x").startswith("NOPERM")
    assert bob.ask("GET", "other").startswith("NOPERM")
    client.ask("ACL", "DELUSER", "bob")
    assert bob.side.closing


def test_the_last_rule_about_a_command_holds(world: World, client: Client) -> None:
    client.ask("ACL", "SETUSER", "dan", "on", "nopass", "~*", "+@all", "-@dangerous", "-get")
    dan = world.connect()
    assert dan.ask("AUTH", "dan", "any") == "OK"
    assert dan.ask("SET", "k", "v") == "OK"
    assert dan.ask("GET", "k").startswith("NOPERM")
    assert dan.ask("FLUSHALL").startswith("NOPERM")


def test_files_of_the_machine_are_out_of_reach(client: Client) -> None:
    assert isinstance(client.ask("CONFIG", "SET", "aclfile", "/tmp/x"), Failure)
    assert isinstance(client.ask("CONFIG", "SET", "dir", "/tmp"), Failure)
    assert isinstance(client.ask("ACL", "SAVE"), Failure)
    assert isinstance(client.ask("ACL", "LOAD"), Failure)


def test_a_dump_restores_a_value_and_nothing_else_does(client: Client) -> None:
    client.ask("RPUSH", "l", "a", "b")
    ticket = client.ask("DUMP", "l")
    assert client.ask("RESTORE", "copy", 0, ticket) == "OK"
    assert client.ask("LRANGE", "copy", 0, -1) == [b"a", b"b"]
    assert client.ask("RESTORE", "x", 0, b"cos\nsystem\n").startswith("ERR DUMP payload")


def test_kill_ends_a_connection(world: World, client: Client) -> None:
    other = world.connect()
    assert client.ask("CLIENT", "KILL", "ID", other.ask("CLIENT", "ID")) == 1
    assert other.side.closing
    assert not client.side.closing


def test_quit_is_answered_and_ends(client: Client) -> None:
    assert client.ask("QUIT") == "OK"
    assert client.side.closing


def test_client_list_tells_who_waits_and_who_listens(world: World, client: Client) -> None:
    waiter, listener = world.connect(), world.connect()
    waiter.ask("BLPOP", "x", 0)
    listener.ask("SUBSCRIBE", "c")
    lines = client.ask("CLIENT", "LIST").decode().splitlines()
    assert [line.split("flags=")[1].split()[0] for line in lines] == ["N", "b", "P"]


def test_monitor_shows_what_others_do(world: World, client: Client) -> None:
    watcher = world.connect()
    assert watcher.ask("MONITOR") == "OK"
    client.ask("SET", "k", b"a\x00")
    assert watcher.next().endswith(f'[0 {client.peer}] "SET" "k" "a\\x00"')


def test_messages_reach_channels_and_patterns(world: World, client: Client) -> None:
    two, three = world.connect(), world.connect(resp=3)
    assert two.ask("SUBSCRIBE", "news") == [b"subscribe", b"news", 1]
    assert three.ask("PSUBSCRIBE", "n*") == ("push", b"psubscribe", b"n*", 1)
    assert client.ask("PUBLISH", "news", "hi") == 2
    assert two.next() == [b"message", b"news", b"hi"]
    assert three.next() == ("push", b"pmessage", b"n*", b"news", b"hi")
    assert two.ask("GET", "k").startswith("ERR Can't execute 'get'")
    assert three.ask("GET", "k") is None
    two.lose()
    assert client.ask("PUBLISH", "news", "hi") == 1


def test_unsubscribing_from_nothing_is_answered(client: Client) -> None:
    assert client.ask("UNSUBSCRIBE") == [b"unsubscribe", None, 0]


def test_reset_makes_a_client_new(client: Client) -> None:
    client.ask("SUBSCRIBE", "c")
    client.ask("SELECT", 3)
    assert client.feed(request("RESET")).endswith(b"+RESET\r\n")
    assert client.ask("GET", "k") is None
    assert client.next() is NOTHING
