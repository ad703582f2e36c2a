"""Commands that wait: who is served, in which order, and when time is over."""

from __future__ import annotations

from tests.brokers.redis.client import NOTHING, Client, Failure, World, request


def test_a_waiting_pop_is_served_by_the_push_that_comes(world: World, client: Client) -> None:
    waiter = world.connect()
    assert waiter.ask("BLPOP", "jobs", 0) is NOTHING
    assert client.ask("RPUSH", "jobs", b"\x00\r\n") == 1
    assert waiter.next() == [b"jobs", b"\x00\r\n"]
    assert client.ask("LLEN", "jobs") == 0


def test_who_waits_longest_is_served_first(world: World, client: Client) -> None:
    first, second = world.connect(), world.connect()
    first.ask("BRPOP", "jobs", 0)
    second.ask("BRPOP", "jobs", 0)
    client.ask("LPUSH", "jobs", "a")
    assert first.next() == [b"jobs", b"a"]
    assert second.next() is NOTHING
    client.ask("LPUSH", "jobs", "b")
    assert second.next() == [b"jobs", b"b"]


def test_a_wait_ends_at_its_time_and_not_before(world: World) -> None:
    waiter = world.connect()
    waiter.ask("BLPOP", "jobs", 5)
    world.advance(4.999)
    assert waiter.next() is NOTHING
    world.advance(0.001)
    assert waiter.next() is None


def test_requests_after_one_that_waits_stay_unread_until_it_is_over(world: World) -> None:
    waiter, other = world.connect(), world.connect()
    assert waiter.feed(request("BLPOP", "jobs", 0) + request("GET", "k")) == b""
    other.ask("SET", "k", "v")
    other.ask("RPUSH", "jobs", "a")
    assert (waiter.next(), waiter.next()) == ([b"jobs", b"a"], b"v")


def test_blmove_waits_for_a_list_that_is_not_there(world: World, client: Client) -> None:
    waiter = world.connect()
    assert waiter.ask("BLMOVE", "jobs", "doing", "LEFT", "RIGHT", 0) is NOTHING
    client.ask("RPUSH", "jobs", "a")
    assert waiter.next() == b"a"
    assert client.ask("LRANGE", "doing", 0, -1) == [b"a"]


def test_a_move_serves_who_waits_for_its_destination(world: World, client: Client) -> None:
    mover, popper = world.connect(), world.connect()
    popper.ask("BLPOP", "b", 0)
    mover.ask("BLMOVE", "a", "b", "LEFT", "RIGHT", 0)
    client.ask("RPUSH", "a", "x")
    assert mover.next() == b"x"
    assert popper.next() == [b"b", b"x"]


def test_a_dead_client_takes_nothing(world: World, client: Client) -> None:
    dead = world.connect()
    dead.ask("BLPOP", "jobs", 0)
    dead.lose()
    client.ask("RPUSH", "jobs", "a")
    assert client.ask("LLEN", "jobs") == 1


def test_a_blocking_read_of_a_group_gets_what_is_there_and_keeps_it_pending(
    world: World, client: Client
) -> None:
    client.ask("XADD", "s", "1-0", "n", "1")
    client.ask("XGROUP", "CREATE", "s", "g", "0")
    entries = [[b"s", [[b"1-0", [b"n", b"1"]]]]]
    assert client.ask("XREADGROUP", "GROUP", "g", "c", "BLOCK", 0, "STREAMS", "s", ">") == entries
    assert client.ask("XPENDING", "s", "g")[0] == 1
    reader = world.connect()
    reader.ask("XREADGROUP", "GROUP", "g", "d", "BLOCK", 0, "STREAMS", "s", ">")
    assert reader.next() is NOTHING
    client.ask("XADD", "s", "2-0", "n", "2")
    assert reader.next() == [[b"s", [[b"2-0", [b"n", b"2"]]]]]


def test_a_group_that_is_destroyed_wakes_its_readers_with_an_error(
    world: World, client: Client
) -> None:
    client.ask("XGROUP", "CREATE", "s", "g", "0", "MKSTREAM")
    reader = world.connect()
    assert reader.ask("XREADGROUP", "GROUP", "g", "c", "BLOCK", 0, "STREAMS", "s", ">") is NOTHING
    client.ask("DEL", "s")
    assert isinstance(reader.next(), Failure)


def test_inside_multi_nothing_waits(client: Client) -> None:
    client.ask("MULTI")
    assert client.ask("BLPOP", "jobs", 0) == "QUEUED"
    assert client.ask("EXEC") == [None]


def test_who_waits_for_a_transaction_is_served_after_all_of_it(
    world: World, client: Client
) -> None:
    waiter = world.connect()
    waiter.ask("BLPOP", "jobs", 0)
    client.ask("MULTI")
    client.ask("RPUSH", "jobs", "a")
    client.ask("DEL", "jobs")
    assert client.ask("EXEC") == [1, 1]
    assert waiter.next() is NOTHING


def test_client_unblock_ends_a_wait(world: World, client: Client) -> None:
    waiter = world.connect()
    number = waiter.ask("CLIENT", "ID")
    waiter.ask("BLPOP", "jobs", 0)
    assert client.ask("CLIENT", "UNBLOCK", number, "ERROR") == 1
    assert waiter.next() == "UNBLOCKED client unblocked via CLIENT UNBLOCK"


def test_wait_for_replicas_that_do_not_exist_ends_when_time_is_over(world: World) -> None:
    client = world.connect()
    assert client.ask("WAIT", 1, 500) is NOTHING
    world.advance(0.5)
    assert client.next() == 0


def test_a_poll_in_vain_is_no_activity_and_its_repeated_wait_no_event(
    world: World, client: Client
) -> None:
    client.ask("BLPOP", "jobs", 1)
    assert world.broker.next_event_timer() == 1_000_000_000
    world.advance(1)
    assert client.next() is None
    before = world.broker.activity
    assert client.ask("BLPOP", "jobs", 1) is NOTHING
    assert client.side.subscribed
    assert world.broker.next_event_timer() is None
    assert world.broker.activity == before
