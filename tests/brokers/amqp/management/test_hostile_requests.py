"""Whatever is asked, with whatever body: an answer, never an exception."""

from __future__ import annotations

import re
from random import Random
from typing import Any

import pytest

from sandbox.brokers.amqp import administration
from sandbox.brokers.amqp.accounts import hash_password
from sandbox.brokers.amqp.management.routes import TABLE
from sandbox.brokers.amqp.permissions import Permission
from tests.brokers.amqp.client import new_world
from tests.brokers.amqp.management.web import Web

NAMES = ("%2F", "q", "guest", "e", "amq.default", "~", "%FF%00", "x" * 300, "max-queues", "10")
KEYS = (
    "name", "vhost", "durable", "arguments", "type", "tags", "password", "pattern", "definition",
    "priority", "apply-to", "configure", "write", "read", "value", "count", "ackmode", "encoding",
    "truncate", "properties", "routing_key", "payload", "payload_encoding", "queues", "users",
    "exchanges", "bindings", "policies", "vhosts", "permissions", "source", "destination", "limits",
    "destination_type", "x-max-length", "x-queue-type", "max-length", "headers", "expiration",
    "metadata", "tracing", "user", "parameters", "component", "action",
)  # fmt: skip
NEEDED = (
    "name", "tags", "pattern", "definition", "configure", "write", "read", "value", "count",
    "ackmode", "encoding", "properties", "routing_key", "payload", "payload_encoding", "action",
)  # fmt: skip
WORDS = (
    "", "q", "/", "(", "string", "base64", "auto", "ack_requeue_true", "reject_requeue_false",
    "quorum", "fanout", "queue", "guest", "true", "é" * 200, "administrator", "sync",
)  # fmt: skip
PASSWORD = hash_password("guest", "guest")
NUMBERS = (0, 1, -1, 5, 2**31, 2**62, 1.5, 1e300)


LISTS = ("users", "vhosts", "permissions", "parameters", "policies", "queues", "exchanges")


#: What JSON can say and AMQP cannot.
UNSPEAKABLE = ("\udc80", 10**40)


def name(chance: Random, what: str) -> str:
    """A part of a path; mostly one that there is."""
    likely = {"vhost": "%2F", "user": "guest", "queue": "q", "exchange": "e", "source": "e"}
    if chance.random() < 0.6:
        return {**likely, "kind": chance.choice("qe"), "target": "q"}.get(what, "10")
    return chance.choice(NAMES)


def value(chance: Random, depth: int = 0) -> Any:
    """Something that JSON can be."""
    if chance.random() < 0.01:
        return chance.choice(UNSPEAKABLE)
    kind = chance.randrange(8 if depth < 3 else 5)
    if kind < 2:
        return chance.choice(WORDS)
    if kind < 4:
        return chance.choice(NUMBERS)
    if kind == 4:
        return chance.choice((True, False, None))
    if kind == 5:
        return [value(chance, depth + 1) for _ in range(chance.randrange(3))]
    keys = chance.sample(KEYS, chance.randrange(12))
    return {key: value(chance, depth + 1) for key in keys}


def filled(chance: Random) -> list[dict[str, Any]]:
    """Something that definitions may be made of, with much that it must say."""
    wanted = [*NEEDED, "vhost", "type", "user", "source", "destination", "limits", "component"]
    words = ["/", "q", "e", "guest", "queue", "fanout", "vhost-limits", 3, None, {"a": 1}, [1]]
    return [{key: chance.choice(words) for key in wanted} for _ in range(chance.randrange(3))]


@pytest.mark.parametrize("seed", range(20))
def test_any_request_is_answered(seed: int) -> None:
    chance = Random(seed)
    world = new_world()
    kept: list[Any] = []
    world.broker.keep = kept.append
    web = Web(world)
    client = world.connect()
    for _ in range(200):
        method, _, path, _ = chance.choice(TABLE)
        path = re.sub(r"\{(\w+)\}", lambda match: name(chance, match[1]), path)
        body = value(chance)
        if isinstance(body, dict) and chance.random() < 0.7:
            # Often enough, what a request must say.
            body |= {
                key: chance.choice([*WORDS, *NUMBERS, {}, {"max-length": 1}]) for key in NEEDED
            }
            things = chance.sample([*LISTS, "bindings"], 3)
            broken = [value(chance)] * (chance.random() < 0.1)
            body |= {key: broken + filled(chance) for key in things}
        query = chance.choice(["", "?page=1&page_size=2", "?columns=a.b,name&sort=name", "?page=0"])
        reply = web.ask(method, path + query, body)
        # 503 is a health check's "no".
        assert reply.status < 500 or reply.status == 503, (method, path, body, reply)
        # Who asks must be able to go on asking.
        administration.set_user(world.broker, "guest", PASSWORD, ["administrator"])
        administration.set_vhost(world.broker, "/")
        administration.set_permission(world.broker, "guest", "/", Permission())
    client.received()
    assert all(isinstance(record, list) for record in kept)


@pytest.mark.parametrize("body", ["NaN", "[" * 500 + "]" * 500, '{"a":' * 300 + "1" + "}" * 300])
def test_json_that_nothing_can_hold_is_refused(body: str) -> None:
    web = Web(new_world())
    headers = {"authorization": "Basic Z3Vlc3Q6Z3Vlc3Q="}
    data = b'{"arguments": {"x": ' + body.encode() + b"}}"
    assert web.send("PUT", "/api/queues/%2F/q", data, headers).status == 400
