"""What outlives the interpreter: a broker rebuilt from records is the broker after a crash."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from pamqp.commands import Basic, Channel, Confirm, Exchange, Queue, Tx

from sandbox.brokers.amqp import Broker, administration
from sandbox.brokers.amqp.accounts import hash_password
from sandbox.brokers.amqp.message import Entry
from sandbox.brokers.amqp.permissions import Permission
from sandbox.brokers.amqp.policies import Policy
from tests.brokers.amqp.client import SECOND_NS, Client, World, new_world

EPOCH_NS = 1_700_000_000 * SECOND_NS


class Kept:
    """A world whose broker's records are kept, and brokers rebuilt from them."""

    def __init__(self) -> None:
        self.world = new_world(epoch_ns=EPOCH_NS)
        self.records: list[list[Any]] = []
        self.world.broker.keep = self.records.append

    @property
    def broker(self) -> Broker:
        return self.world.broker

    def rebuilt(self, *, now_ns: int = 0, epoch_ns: int = EPOCH_NS) -> World:
        return rebuild(self.records, now_ns=now_ns, epoch_ns=epoch_ns)

    def from_snapshot(self) -> World:
        return rebuild(list(self.broker.snapshot()), now_ns=self.world.now_ns)


def rebuild(records: list[list[Any]], *, now_ns: int = 0, epoch_ns: int = EPOCH_NS) -> World:
    world = new_world(epoch_ns=epoch_ns)
    made: list[list[Any]] = []
    world.broker.keep = made.append
    world.broker.restore([list(record) for record in records], now_ns)
    assert made == [], "restoring makes no records"
    world.now_ns = now_ns
    return world


def state(broker: Broker) -> dict[str, Any]:
    """Everything that a restart keeps, to be compared."""
    return {
        "vhosts": {
            name: {
                "about": (vhost.description, vhost.tags, vhost.tracing, vhost.limits),
                "policies": vhost.policies,
                "exchanges": {
                    x.name: (x.kind, x.auto_delete, x.internal, dict(x.arguments), x.alternate)
                    for x in vhost.exchanges.values()
                },
                "bindings": sorted(
                    (x.name, b.target.what, b.target.name, b.routing_key, repr(dict(arguments)))
                    for x in vhost.exchanges.values()
                    for b, arguments in x.bindings.items()
                ),
                "queues": {
                    q.name: (
                        q.auto_delete,
                        dict(q.arguments),
                        q.options,
                        sorted(
                            (e.position, e.body, e.redelivered, e.expires_ns, e.returns, _what(e))
                            for e in q.ready
                        ),
                    )
                    for q in vhost.queues.values()
                },
            }
            for name, vhost in broker.vhosts.items()
        },
        "users": broker.accounts.users,
        "permissions": broker.accounts.permissions,
    }


def _what(entry: Entry) -> tuple[Any, ...]:
    message = entry.message
    return message.number, message.route, message.header, message.priority, message.more_keys


def contents(world: World, queue: str) -> list[bytes]:
    return [entry.body for entry in world.broker.vhosts["/"].queues[queue].ready]


# -- what is kept ----------------------------------------------------------------------------------


def test_a_confirm_is_sent_after_the_record_of_its_message() -> None:
    kept = Kept()
    client = kept.world.connect()
    client.declare("q", durable=True)
    client.ask(Confirm.Select())
    told: list[bytes] = []
    kept.broker.keep = lambda record: told.append(client.side.data_to_send())
    client.received()
    client.publish(b"x", queue="q", delivery_mode=2)
    assert told == [b""], "the confirm could be taken before its message was kept"
    (confirm,) = client.received()
    assert isinstance(confirm, Basic.Ack)


def test_a_commit_is_answered_after_the_records_of_what_it_did() -> None:
    kept = Kept()
    client = kept.world.connect()
    client.declare("q", durable=True)
    client.ask(Tx.Select())
    client.publish(b"x", queue="q", delivery_mode=2)
    assert not [record for record in kept.records if record[0] == "message"]
    told: list[bytes] = []
    kept.broker.keep = lambda record: told.append(client.side.data_to_send())
    assert isinstance(client.ask(Tx.Commit()), Tx.CommitOk)
    assert told == [b""]


def test_only_persistent_messages_in_durable_queues_make_records() -> None:
    kept = Kept()
    client = kept.world.connect()
    client.declare("transient")
    client.declare("durable", durable=True)
    before = len(kept.records)
    client.publish(queue="transient", delivery_mode=2)
    client.publish(queue="durable", delivery_mode=1)
    for queue in ("transient", "durable"):
        assert client.get(queue) is not None
    client.send(Basic.Ack(2, True))
    assert kept.records[before:] == []
    assert contents(kept.rebuilt(), "durable") == []


def test_an_acknowledgement_is_a_small_record() -> None:
    kept = Kept()
    client = kept.world.connect()
    client.declare("q", durable=True)
    client.publish(b"x" * 1000, queue="q", delivery_mode=2)
    client.get("q")
    client.send(Basic.Ack(1))
    assert kept.records[-2:] == [["out", "/", "q", 0], ["gone", "/", "q", 0]]


@pytest.mark.parametrize("how", ["records", "snapshot"])
def test_what_was_handed_out_comes_back_marked_and_in_its_place(how: str) -> None:
    kept = Kept()
    client = kept.world.connect()
    client.declare("q", durable=True)
    for body in (b"1", b"2", b"3"):
        client.publish(body, queue="q", delivery_mode=2)
    client.get("q")
    client.get("q", no_ack=True)
    world = kept.rebuilt() if how == "records" else kept.from_snapshot()
    ready = list(world.broker.vhosts["/"].queues["q"].ready)
    assert [(entry.body, entry.redelivered) for entry in ready] == [(b"1", True), (b"3", False)]


def test_what_a_transaction_settled_and_did_not_commit_is_in_a_snapshot() -> None:
    kept = Kept()
    client = kept.world.connect()
    client.declare("q", durable=True)
    client.publish(b"1", queue="q", delivery_mode=2)
    client.ask(Tx.Select())
    client.get("q")
    client.send(Basic.Ack(1))
    assert contents(kept.from_snapshot(), "q") == [b"1"]
    client.ask(Tx.Commit())
    assert contents(kept.from_snapshot(), "q") == contents(kept.rebuilt(), "q") == []


def test_a_message_whose_time_ran_out_meanwhile_dies_once_the_broker_runs() -> None:
    kept = Kept()
    client = kept.world.connect()
    client.declare("dead", durable=True)
    to_dead = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "dead"}
    client.declare("q", durable=True, arguments=to_dead)
    client.publish(b"soon", queue="q", delivery_mode=2, expiration="5000")
    later = 3600 * SECOND_NS
    world = kept.rebuilt(now_ns=later - EPOCH_NS, epoch_ns=EPOCH_NS + EPOCH_NS)
    more: list[list[Any]] = []
    world.broker.keep = more.append
    assert contents(world, "q") == [b"soon"]
    assert world.broker.next_event_timer() is not None
    world.broker.handle_timer(later - EPOCH_NS)
    assert (contents(world, "q"), contents(world, "dead")) == ([], [b"soon"])
    assert [record[0] for record in more] == ["message", "gone"]
    third = rebuild(kept.records + more, now_ns=later - EPOCH_NS, epoch_ns=2 * EPOCH_NS)
    assert (contents(third, "q"), contents(third, "dead")) == ([], [b"soon"])


def test_a_quorum_queue_goes_on_counting_how_often_a_message_came_back() -> None:
    kept = Kept()
    client = kept.world.connect()
    client.declare("q", durable=True, arguments={"x-queue-type": "quorum", "x-delivery-limit": 3})
    client.publish(b"1", queue="q")
    for _ in range(2):
        method = client.get("q")
        assert method is not None
        client.send(Basic.Nack(method.method.delivery_tag))
    client.get("q")
    again = kept.rebuilt()
    reply = again.connect().get("q")
    assert reply is not None
    assert reply.properties["headers"] == {"x-delivery-count": 3}


def test_arguments_keep_their_types() -> None:
    kept = Kept()
    client = kept.world.connect()
    client.declare("q", durable=True, arguments={"x-max-length": 7, "x-expires": 100000})
    again = kept.rebuilt()
    same = {"x-max-length": 7, "x-expires": 100000}
    again.connect().declare("q", durable=True, arguments=same)
    reply = again.connect().ask(
        Queue.Declare(queue="q", durable=True, arguments={"x-expires": 100000})
    )
    assert "received none but current is the value '7' of type 'byte'" in reply.reply_text


def test_numbers_of_messages_and_places_go_on() -> None:
    kept = Kept()
    client = kept.world.connect()
    client.declare("q", durable=True)
    for _ in range(3):
        client.publish(queue="q", delivery_mode=2)
        client.get("q", no_ack=True)
    client.publish(b"last", queue="q", delivery_mode=2)
    for world in (kept.rebuilt(), kept.from_snapshot()):
        world.connect().publish(b"new", queue="q", delivery_mode=2)
        ready = list(world.broker.vhosts["/"].queues["q"].ready)
        assert [entry.position for entry in ready] == [3, 4]
        assert [entry.message.number for entry in ready] == [4, 5]


def test_what_an_administrator_changes_is_kept() -> None:
    kept = Kept()
    broker = kept.broker
    administration.set_vhost(broker, "v", description="mine", tags=["a"], tracing=True)
    administration.set_vhost(broker, "gone")
    administration.delete_vhost(broker, "gone", 0)
    administration.set_limit(broker, broker.vhosts["v"], "max-queues", 3)
    administration.set_user(broker, "bob", hash_password("bob", "b"), ["management"])
    administration.set_user(broker, "eve", hash_password("eve", "e"), [])
    administration.set_limit(broker, broker.accounts.users["bob"], "max-channels", 2)
    administration.set_permission(broker, "bob", "v", Permission("a", "b", "c"))
    administration.set_permission(broker, "guest", "/", None)
    administration.delete_user(broker, "eve", 0)
    broker.vhosts["v"].set_policy(Policy("p", "^q", {"max-length": 1}))
    broker.vhosts["v"].set_policy(Policy("old", "^q", {"max-length": 1}))
    broker.vhosts["v"].clear_policy("old")
    for world in (kept.rebuilt(), kept.from_snapshot()):
        assert state(world.broker) == state(broker)
        assert world.broker.accounts.authenticate("bob", "b") is not None


def test_users_and_virtual_hosts_that_were_given_and_deleted_stay_deleted() -> None:
    kept = Kept()
    administration.delete_user(kept.broker, "guest", 0)
    administration.delete_vhost(kept.broker, "/", 0)
    for world in (kept.rebuilt(), kept.from_snapshot()):
        assert world.broker.accounts.users == {}
        assert world.broker.vhosts == {}


def test_a_password_is_not_in_the_records() -> None:
    kept = Kept()
    administration.set_user(kept.broker, "bob", hash_password("bob", "very secret"), [])
    assert "very secret" not in repr([kept.records, list(kept.broker.snapshot())])


@pytest.mark.parametrize(
    "record",
    [["nonsense", 1], ["gone", "/", "no such queue", 1], ["queue", "nowhere", "q", False, []], []],
)
def test_a_record_that_is_not_known_is_named(record: list[Any]) -> None:
    with pytest.raises(ValueError, match=r"record 2 cannot be restored into RabbitMQ: \["):
        Broker(random=Random(1)).restore([["queue", "/", "fine", False, []], record], 0)


# -- any sequence ----------------------------------------------------------------------------------

TO_DEAD = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "dead"}
QUEUES: dict[str, dict[str, Any]] = {
    "plain": {"durable": True},
    "dead": {"durable": True},
    "short": {"durable": True, "arguments": {"x-max-length": 2, **TO_DEAD}},
    "ranked": {"durable": True, "arguments": {"x-max-priority": 3}},
    "brief": {"durable": True, "arguments": {"x-message-ttl": 2000, **TO_DEAD}},
    "quorum": {"durable": True, "arguments": {"x-queue-type": "quorum"}},
    "transient": {},
}
#: How often each operation comes, and what it is about.
OPERATIONS: dict[str, int] = {
    "publish": 10,
    "fan out": 4,
    "get": 8,
    "settle": 6,
    "bind": 3,
    "unbind": 1,
    "purge": 1,
    "delete": 1,
    "exchange": 1,
    "wait": 2,
    "reopen": 1,
    "policy": 1,
}


class Player:
    """Applies operations to a kept world."""

    def __init__(self) -> None:
        self.kept = Kept()
        self.client: Client = self.kept.world.connect()
        self.count = 0
        self.declare_all()

    def declare_all(self) -> None:
        self.client.ask(Exchange.Declare(exchange="e", exchange_type="topic", durable=True))
        for name, options in QUEUES.items():
            self.client.declare(name, **options)

    def step(self, chance: Random) -> None:
        """Do one thing."""
        kind = chance.choices(list(OPERATIONS), list(OPERATIONS.values()))[0]
        self.count += 1
        getattr(self, kind.replace(" ", "_"))(chance, chance.choice(list(QUEUES)))

    def publish(self, chance: Random, queue: str) -> None:
        mode, priority = chance.choice([1, 2, 2]), chance.randrange(4)
        body = str(self.count).encode()
        self.client.publish(body, queue=queue, delivery_mode=mode, priority=priority)

    def fan_out(self, chance: Random, queue: str) -> None:
        ttl = chance.choice([{}, {"expiration": "1000"}])
        body = str(self.count).encode()
        self.client.publish(body, exchange="e", queue="a", delivery_mode=2, **ttl)

    def get(self, chance: Random, queue: str) -> None:
        self.client.get(queue, no_ack=chance.random() < 0.3)

    def settle(self, chance: Random, queue: str) -> None:
        tags = [delivery.tag for delivery in self.client.side.channels[1].unacked]
        if tags:
            tag = chance.choice(tags)
            how = (Basic.Ack(tag), Basic.Nack(tag, False, True), Basic.Nack(tag, False, False))
            self.client.send(chance.choice(how))

    def bind(self, chance: Random, queue: str) -> None:
        key = chance.choice("ab")
        self.client.ask(Queue.Bind(queue=queue, exchange="e", routing_key=key))

    def unbind(self, chance: Random, queue: str) -> None:
        key = chance.choice("ab")
        self.client.ask(Queue.Unbind(queue=queue, exchange="e", routing_key=key))

    def purge(self, chance: Random, queue: str) -> None:
        self.client.ask(Queue.Purge(queue=queue))

    def delete(self, chance: Random, queue: str) -> None:
        self.client.ask(Queue.Delete(queue=queue))
        self.declare_all()

    def exchange(self, chance: Random, queue: str) -> None:
        self.client.ask(Exchange.Delete(exchange="e"))
        self.declare_all()

    def wait(self, chance: Random, queue: str) -> None:
        self.kept.world.advance(chance.randint(1, 2))

    def reopen(self, chance: Random, queue: str) -> None:
        self.client.ask(Channel.Close(200, "", 0, 0))
        self.client.ask(Channel.Open())

    def policy(self, chance: Random, queue: str) -> None:
        vhost = self.kept.broker.vhosts["/"]
        if chance.random() < 0.5:
            vhost.set_policy(Policy("p", "plain", {"max-length": chance.randint(1, 3)}))
        else:
            vhost.clear_policy("p")


@pytest.mark.parametrize("seed", range(30))
def test_a_broker_rebuilt_from_records_is_the_broker_after_a_crash(seed: int) -> None:
    player, chance = Player(), Random(seed)
    for _ in range(chance.randint(20, 150)):
        player.step(chance)
    kept, now_ns = player.kept, player.kept.world.now_ns
    again = kept.rebuilt(now_ns=now_ns), kept.from_snapshot()
    for world in again:
        # What is too much or expired now, with what was out, goes at the first opportunity.
        world.broker.handle_timer(now_ns)
    rebuilt, from_snapshot = (state(world.broker) for world in again)
    kept.broker.keep = None
    kept.broker.crash(now_ns)
    crashed = state(kept.broker)
    assert rebuilt == crashed
    assert from_snapshot == crashed
