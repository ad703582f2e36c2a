"""Who may ask what."""

from __future__ import annotations

import pytest

from tests.brokers.amqp.client import World
from tests.brokers.amqp.management.web import Web, named

EVERYTHING = {"configure": ".*", "write": ".*", "read": ".*"}


@pytest.fixture
def bob(web: Web) -> Web:
    """A user with a password and nothing else."""
    assert web.put("/api/users/bob", {"password": "x", "tags": ""}) == 201
    return web.as_user("bob", "x")


def tag(web: Web, tags: str) -> None:
    assert web.put("/api/users/bob", {"password": "x", "tags": tags}) == 204


def test_who_says_nothing_is_asked_for_a_password(web: Web) -> None:
    reply = web.send("GET", "/api/overview", b"", {})
    assert (reply.status, reply.body) == (401, "")
    assert reply.headers["www-authenticate"] == 'basic realm="rabbitmq management"'


@pytest.mark.parametrize(
    "header", ["Basic Z3Vlc3Q6YmFk", "Bearer x", "Basic ~", "Basic", "Basic Z3Vlc3Q="]
)
def test_a_wrong_password_is_refused(web: Web, header: str) -> None:
    reply = web.send("GET", "/api/overview", b"", {"authorization": header})
    assert (reply.status, reply.body) == (
        401,
        {"error": "not_authorized", "reason": "Login failed"},
    )


def test_a_user_without_tags_may_ask_nothing(bob: Web) -> None:
    assert bob.refused("GET", "/api/whoami") == (401, "Not management user")


def test_tags_open_what_they_open(web: Web, bob: Web) -> None:
    tag(web, "management")
    assert bob.get("/api/whoami") == {"name": "bob", "tags": ["management"]}
    assert bob.get("/api/queues") == bob.get("/api/vhosts") == []
    assert bob.refused("GET", "/api/users") == (401, "Not administrator user")
    assert bob.refused("GET", "/api/nodes") == (401, "Not monitor user")
    assert bob.refused("PUT", "/api/vhosts/v") == (401, "Not administrator user")
    tag(web, "monitoring")
    assert len(bob.get("/api/nodes")) == 1
    assert [vhost["name"] for vhost in bob.get("/api/vhosts")] == ["/"]
    tag(web, "administrator")
    assert len(bob.get("/api/users")) == 2


def test_a_virtual_host_is_open_to_who_has_a_permission_there(web: Web, bob: Web) -> None:
    tag(web, "management,policymaker")
    no = (401, "User not authorised to access virtual host")
    assert bob.refused("GET", "/api/queues/%2F") == no
    assert bob.refused("PUT", "/api/queues/%2F/q") == no
    assert bob.refused("PUT", "/api/policies/%2F/p", {"pattern": "", "definition": {}}) == no
    assert web.put("/api/permissions/%2F/bob", EVERYTHING) == 201
    assert bob.put("/api/queues/%2F/q") == 201
    assert [queue["name"] for queue in bob.get("/api/queues/%2F")] == ["q"]
    policy = {"pattern": "q", "definition": {"max-length": 1}}
    assert bob.put("/api/policies/%2F/p", policy) == 201


def test_what_a_user_may_not_do_by_amqp_is_refused_here_too(web: Web, bob: Web) -> None:
    tag(web, "management")
    web.put("/api/queues/%2F/theirs")
    mine = {"configure": "^mine", "write": "^mine", "read": "^mine"}
    web.put("/api/permissions/%2F/bob", mine)
    no = (401, "Access refused.")
    assert bob.put("/api/queues/%2F/mine") == 201
    assert bob.refused("PUT", "/api/queues/%2F/yours") == no
    assert bob.refused("DELETE", "/api/queues/%2F/theirs") == no
    assert bob.refused("DELETE", "/api/queues/%2F/theirs/contents") == no
    get = {"count": 1, "ackmode": "ack_requeue_true", "encoding": "auto"}
    assert bob.refused("POST", "/api/queues/%2F/theirs/get", get) == no
    send = {"properties": {}, "routing_key": "x", "payload": "", "payload_encoding": "string"}
    status, reason = bob.refused("POST", "/api/exchanges/%2F/amq.direct/publish", send)
    assert status == 400
    assert reason == (
        "403 ACCESS_REFUSED - access to exchange 'amq.direct' in vhost '/' refused for user 'bob'"
    )


def test_a_user_sees_only_their_own_connections_and_a_monitor_all(
    world: World, web: Web, bob: Web
) -> None:
    tag(web, "management")
    guest = world.connect()
    web.put("/api/permissions/%2F/bob", EVERYTHING)
    mine = world.connect(user="bob", password="x")
    assert [each["user"] for each in bob.get("/api/connections")] == ["bob"]
    assert len(web.get("/api/connections")) == 2
    assert bob.refused("DELETE", f"/api/connections/{named(world, guest)}")[0] == 404
    assert bob.delete(f"/api/connections/{named(world, mine)}") == 204
