"""What the API shows and changes is the broker, and its clients notice."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from pamqp.commands import Basic, Confirm, Connection, Queue, Tx

from tests.brokers.amqp.client import Client, World, is_close
from tests.brokers.amqp.management.web import Web, named

EVERYTHING = {"configure": ".*", "write": ".*", "read": ".*"}
TAKE = {"count": 10, "ackmode": "ack_requeue_false", "encoding": "auto"}
PUT_BACK = {**TAKE, "ackmode": "ack_requeue_true"}


def sending(key: str, payload: str = "hello", **options: Any) -> dict[str, Any]:
    return {
        "properties": {},
        "routing_key": key,
        "payload": payload,
        "payload_encoding": "string",
        **options,
    }


# -- queues and messages ---------------------------------------------------------------------------


def test_a_queue_is_declared_shown_and_deleted(web: Web, client: Client) -> None:
    arguments = {"x-max-length": 3}
    assert web.put("/api/queues/%2F/q", {"durable": True, "arguments": arguments}) == 201
    assert web.put("/api/queues/%2F/q", {"durable": True, "arguments": arguments}) == 204
    assert web.refused("PUT", "/api/queues/%2F/q", {"durable": False}) == (
        400,
        "inequivalent arg 'durable' for queue 'q' in vhost '/': received 'false' but current is"
        " 'true'",
    )
    client.declare("q", durable=True, arguments=arguments)
    shown = web.get("/api/queues/%2F/q")
    assert (shown["name"], shown["durable"], shown["arguments"]) == ("q", True, arguments)
    assert web.delete("/api/queues/%2F/q") == 204
    assert web.refused("GET", "/api/queues/%2F/q") == (404, "Not Found")
    assert web.delete("/api/queues/%2F/q") == 404


def test_a_queue_counts_what_is_in_it_and_what_happened(web: Web, client: Client) -> None:
    client.declare("q")
    client.send(Basic.Qos(prefetch_count=1))
    for body in (b"one", b"two", b"three"):
        client.publish(body, queue="q")
    client.consume("q", "tag")
    shown = web.get("/api/queues/%2F/q")
    assert (shown["messages"], shown["messages_ready"], shown["messages_unacknowledged"]) == (
        3,
        2,
        1,
    )
    assert (shown["message_bytes_ready"], shown["message_bytes_unacknowledged"]) == (8, 3)
    assert shown["consumers"] == len(shown["consumer_details"]) == 1
    client.send(Basic.Ack(1))
    stats = web.get("/api/queues/%2F/q")["message_stats"]
    assert (stats["publish"], stats["deliver"], stats["ack"]) == (3, 2, 1)
    assert web.get("/api/overview")["queue_totals"]["messages"] == 2
    assert web.get("/api/vhosts/%2F")["message_stats"]["publish"] == 3


def test_a_consumer_hears_that_its_queue_was_deleted_over_http(web: Web, client: Client) -> None:
    client.declare("q")
    client.consume("q", "tag")
    assert web.refused("DELETE", "/api/queues/%2F/q?if-unused=true") == (
        400,
        "queue 'q' in vhost '/' in use",
    )
    assert web.delete("/api/queues/%2F/q") == 204
    (cancel,) = client.received()
    assert isinstance(cancel, Basic.Cancel)
    assert web.changes == 2


def test_a_published_message_reaches_a_consumer(web: Web, client: Client) -> None:
    client.declare("q")
    client.consume("q")
    properties = {"delivery_mode": 2, "headers": {"n": 1}, "not a property": 1}
    body = sending("q", properties=properties)
    reply = web.ask("POST", "/api/exchanges/%2F/amq.default/publish", body)
    assert reply.body == {"routed": True}
    (delivery,) = client.received()
    assert delivery.body == b"hello"
    assert delivery.properties == {"delivery_mode": 2, "headers": {"n": 1}}
    reply = web.ask("POST", "/api/exchanges/%2F/amq.default/publish", sending("nowhere"))
    assert reply.body == {"routed": False}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"payload_encoding": "x"}, ["unsupported_encoding", "x"]),
        ({"properties": {"priority": "x"}}, ["not_int", "priority"]),
        ({"properties": {"priority": 256}}, ["not_int", "priority"]),
        ({"properties": {"message_id": 1}}, ["not_string", "message_id"]),
        (
            {"properties": {"expiration": "x"}},
            "406 PRECONDITION_FAILED - invalid expiration 'x': no_integer",
        ),
        (
            {"properties": {"user_id": "eve"}},
            "406 PRECONDITION_FAILED - user_id property set to 'eve' but authenticated user was"
            " 'guest'",
        ),
    ],
)
def test_a_message_that_cannot_be_published(web: Web, change: dict[str, Any], reason: Any) -> None:
    body = sending("q", **change)
    assert web.refused("POST", "/api/exchanges/%2F/amq.default/publish", body) == (400, reason)


def test_publishing_to_an_exchange_that_is_not_there(web: Web) -> None:
    assert web.refused("POST", "/api/exchanges/%2F/none/publish", sending("q")) == (
        400,
        "404 NOT_FOUND - no exchange 'none' in vhost '/'",
    )
    assert web.refused("POST", "/api/exchanges/%2F/none/publish", {"payload": ""}) == (
        400,
        "[{key_missing,routing_key},\n {key_missing,properties},\n {key_missing,payload_encoding}]",
    )


def test_messages_that_are_looked_at_go_back_marked(web: Web, client: Client) -> None:
    client.declare("q")
    client.publish(b"text", queue="q", priority=1)
    client.publish(b"\xff\xfe", queue="q")
    first, second = web.ask("POST", "/api/queues/%2F/q/get", {**PUT_BACK, "truncate": 3}).body
    assert first == {
        "payload_bytes": 4,
        "redelivered": False,
        "exchange": "",
        "routing_key": "q",
        "message_count": 1,
        "properties": {"priority": 1},
        "payload": "tex",
        "payload_encoding": "string",
    }
    assert (second["payload"], second["payload_encoding"]) == ("//4=", "base64")
    assert second["properties"] == []
    taken = web.ask("POST", "/api/queues/%2F/q/get", {**TAKE, "count": "1"}).body
    assert [(each["payload"], each["redelivered"]) for each in taken] == [("text", True)]
    assert web.get("/api/queues/%2F/q")["messages"] == 1


def test_messages_that_are_refused_are_dead_letters(web: Web, client: Client) -> None:
    client.declare("dead")
    to_dead = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "dead"}
    client.declare("q", arguments=to_dead)
    client.publish(b"x", queue="q")
    get = {**TAKE, "ackmode": "reject_requeue_false"}
    assert len(web.ask("POST", "/api/queues/%2F/q/get", get).body) == 1
    assert client.get("dead") is not None


def test_an_exclusive_queue_is_not_the_apis_to_take_from(web: Web, client: Client) -> None:
    client.declare("mine", exclusive=True)
    assert web.get("/api/queues/%2F/mine")["owner_pid_details"]["name"].startswith("client-1 -> ")
    assert web.ask("POST", "/api/queues/%2F/mine/get", TAKE).status == 401
    assert web.refused("DELETE", "/api/queues/%2F/mine")[0] == 400


def test_a_queue_is_purged(web: Web, client: Client) -> None:
    client.declare("q")
    client.publish(queue="q")
    assert web.refused("DELETE", "/api/queues/%2F/q?if-empty=true")[0] == 400
    assert web.delete("/api/queues/%2F/q/contents") == 204
    assert web.delete("/api/queues/%2F/q?if-empty=true") == 204


def test_lists_are_cut_sorted_and_paged(web: Web, client: Client) -> None:
    for queue in ("beta", "alpha", "gamma"):
        client.declare(queue)
    client.publish(queue="gamma")
    client.declare("own", exclusive=True)
    assert web.get("/api/queues?columns=name")[:2] == [{"name": "alpha"}, {"name": "beta"}]
    by_size = web.get("/api/queues?columns=name,messages&sort=messages&sort_reverse=true")
    assert by_size[0] == {"name": "gamma", "messages": 1}
    page = web.get("/api/queues?columns=name&page=2&page_size=1&name=A")
    assert page == {
        "filtered_count": 3,
        "item_count": 1,
        "items": [{"name": "beta"}],
        "page": 2,
        "page_count": 3,
        "page_size": 1,
        "total_count": 4,
    }
    regex = web.get("/api/queues?columns=name&page=1&name=^(a|g)&use_regex=true")
    assert regex["items"] == [{"name": "alpha"}, {"name": "gamma"}]
    assert web.refused("GET", "/api/queues?page=9")[0] == 400
    assert web.refused("GET", "/api/queues?page=x")[0] == 400
    assert web.get("/api/queues/%2F/own?columns=owner_pid_details.name") == {
        "owner_pid_details": {"name": "client-1 -> 127.0.0.1:5672"}
    }


# -- exchanges and bindings ------------------------------------------------------------------------


def test_an_exchange_is_declared_shown_and_deleted(web: Web) -> None:
    assert web.put("/api/exchanges/%2F/e", {"type": "topic", "internal": True}) == 201
    assert web.put("/api/exchanges/%2F/e", {"type": "topic", "internal": True}) == 204
    shown = web.get("/api/exchanges/%2F/e")
    assert (shown["type"], shown["internal"], shown["durable"]) == ("topic", True, False)
    assert web.refused("PUT", "/api/exchanges/%2F/f", {"type": "nope"}) == (
        400,
        "unknown exchange type 'nope'",
    )
    assert web.delete("/api/exchanges/%2F/e") == 204
    assert web.delete("/api/exchanges/%2F/e") == 404
    assert web.delete("/api/exchanges/%2F/amq.direct") == 401
    assert web.delete("/api/exchanges/%2F/amq.default") == 401
    assert web.get("/api/exchanges/%2F/amq.default")["name"] == ""


def test_bindings_are_made_found_by_their_key_and_deleted(web: Web, client: Client) -> None:
    client.declare("q/1")
    path = "/api/bindings/%2F/e/amq.topic/q/q%2F1"
    made = web.ask("POST", path, {"routing_key": "a b/#.~", "arguments": {"k": [1]}})
    assert made.status == 201
    where, key = made.headers["location"].split("/")
    assert where == "q%2f1"
    assert web.ask("POST", path, {"routing_key": "plain"}).headers["location"] == "q%2f1/plain"
    assert web.ask("POST", path, {}).headers["location"] == "q%2f1/~"
    found = web.get(path)
    assert [each["routing_key"] for each in found] == ["", "a b/#.~", "plain"]
    for each in found:
        once = each["properties_key"].replace("%", "%25")
        assert web.get(f"{path}/{once}") == each
        assert web.delete(f"{path}/{once}") == 204
        assert web.delete(f"{path}/{once}") == 404
    assert web.get("/api/queues/%2F/q%2F1/bindings") == [
        {
            "source": "",
            "vhost": "/",
            "destination": "q/1",
            "destination_type": "queue",
            "routing_key": "q/1",
            "arguments": {},
            "properties_key": "q%2F1",
        }
    ]
    assert key.startswith("a%2bb%252f%2523.%257e~")


def test_exchanges_are_bound_to_exchanges(web: Web) -> None:
    path = "/api/bindings/%2F/e/amq.topic/e/amq.fanout"
    assert web.ask("POST", path, {"routing_key": "k"}).status == 201
    assert web.get("/api/exchanges/%2F/amq.topic/bindings/source") == web.get(path)
    assert web.get("/api/exchanges/%2F/amq.fanout/bindings/destination") == web.get(path)
    assert web.refused("POST", "/api/bindings/%2F/e/amq.topic/q/none", {}) == (
        404,
        "no queue 'none' in vhost '/'",
    )
    assert web.refused("GET", "/api/bindings/%2F/e/amq.topic/x/none")[0] == 404


# -- clients ---------------------------------------------------------------------------------------


def test_connections_channels_and_consumers_are_shown(
    web: Web, client: Client, world: World
) -> None:
    client.declare("q", arguments={"x-single-active-consumer": True})
    client.send(Basic.Qos(prefetch_count=7))
    client.ask(Confirm.Select())
    client.consume("q", "one")
    client.consume("q", "two")
    client.publish(queue="q")
    (connection,) = web.get("/api/connections")
    assert connection["name"] == "client-1 -> 127.0.0.1:5672"
    assert (connection["user"], connection["vhost"], connection["state"]) == (
        "guest",
        "/",
        "running",
    )
    assert connection["client_properties"]["product"] == "tests"
    (channel,) = web.get("/api/channels")
    assert channel["name"] == "client-1 -> 127.0.0.1:5672 (1)"
    assert (channel["prefetch_count"], channel["confirm"], channel["consumer_count"]) == (
        7,
        True,
        2,
    )
    assert channel["messages_unacknowledged"] == 1
    consumers = web.get("/api/consumers/%2F")
    assert [(c["consumer_tag"], c["active"], c["activity_status"]) for c in consumers] == [
        ("one", True, "single_active"),
        ("two", False, "waiting"),
    ]
    assert web.get(f"/api/connections/{named(world, client)}/channels") == [channel]
    assert len(web.get(f"/api/channels/{named(world, client)}%20(1)")["consumer_details"]) == 2
    world.broker.set_alarm("memory", True, 0)
    client.publish(queue="q")
    assert web.get("/api/connections")[0]["state"] == "blocked"
    assert web.refused("GET", "/api/health/checks/alarms") == (503, "Resource alarm(s) in effect")


def test_what_waits_for_a_commit_is_shown(web: Web, client: Client) -> None:
    client.declare("q")
    client.publish(queue="q")
    client.get("q")
    client.ask(Tx.Select())
    client.publish(queue="q")
    client.send(Basic.Ack(1))
    (channel,) = web.get("/api/channels")
    waiting = (channel["messages_uncommitted"], channel["acks_uncommitted"])
    assert (channel["transactional"], waiting) == (True, (1, 1))


def test_a_connection_is_closed_with_a_reason(web: Web, client: Client, world: World) -> None:
    path = f"/api/connections/{named(world, client)}"
    assert web.ask("DELETE", path, **{"x-reason": "go away"}).status == 204
    (close,) = client.received()
    is_close(close, 320, "CONNECTION_FORCED - go away")
    client.send(Connection.CloseOk(), 0)
    assert web.delete(path) == 404


# -- administration --------------------------------------------------------------------------------


def test_a_virtual_host_of_ones_own(web: Web, world: World) -> None:
    assert web.put("/api/vhosts/v", {"description": "mine", "tags": "a,b"}) == 201
    assert web.put("/api/vhosts/v", {"description": "mine", "tags": "a,b"}) == 204
    shown = web.get("/api/vhosts/v")
    assert (shown["description"], shown["tags"], shown["tracing"]) == ("mine", ["a", "b"], False)
    client = world.connect(vhost="v")
    client.declare("q")
    assert web.delete("/api/vhosts/v") == 204
    (close,) = client.received()
    is_close(close, 320, "CONNECTION_FORCED - vhost 'v' is deleted")
    assert web.refused("PUT", "/api/queues/v/q") == (404, "vhost_not_found")


def test_users_log_in_with_what_they_were_given(web: Web, world: World) -> None:
    assert web.refused("PUT", "/api/users/bob", {"password": "x"}) == (400, "tags_not_present")
    assert web.put("/api/users/bob", {"password": "x", "tags": ""}) == 201
    assert web.put("/api/permissions/%2F/bob", EVERYTHING) == 201
    assert web.put("/api/permissions/%2F/bob", EVERYTHING) == 204
    client = world.connect(user="bob", password="x")
    client.declare("q")
    hashed = web.get("/api/users/bob")["password_hash"]
    assert web.put("/api/users/eve", {"password_hash": hashed, "tags": []}) == 201
    assert world.broker.accounts.authenticate("eve", "x") is not None
    assert web.get("/api/users/without-permissions")[0]["name"] == "eve"
    assert web.delete("/api/permissions/%2F/bob") == 204
    assert web.delete("/api/permissions/%2F/bob") == 404
    assert web.delete("/api/users/bob") == 204
    (close,) = client.received()[-1:]
    is_close(close, 320, "CONNECTION_FORCED - user 'bob' is deleted")
    assert web.ask("POST", "/api/users/bulk-delete", {"users": ["eve"]}).status == 204
    assert [user["name"] for user in web.get("/api/users")] == ["guest"]


def test_a_permission_for_nobody_or_with_no_pattern(web: Web) -> None:
    web.put("/api/users/bob", {"password": "x", "tags": ""})
    assert web.refused("PUT", "/api/permissions/%2F/none", EVERYTHING) == (
        400,
        "vhost_or_user_not_found",
    )
    assert web.refused("PUT", "/api/permissions/%2F/bob", {"read": ""}) == (
        400,
        "[{key_missing,configure},{key_missing,write}]",
    )
    wrong = {**EVERYTHING, "read": "("}
    assert web.refused("PUT", "/api/permissions/%2F/bob", wrong)[1][:2] == ["invalid_regexp", "("]
    assert web.put("/api/permissions/%2F/guest", {**EVERYTHING, "read": "x"}) == 204
    assert web.get("/api/permissions/%2F/guest")["read"] == "x"


def test_limits_are_put_and_taken_away(web: Web, world: World) -> None:
    assert web.put("/api/vhost-limits/%2F/max-queues", {"value": 1}) == 204
    assert web.put("/api/user-limits/guest/max-channels", {"value": 1}) == 204
    assert web.get("/api/vhost-limits") == [{"vhost": "/", "value": {"max-queues": 1}}]
    assert web.get("/api/user-limits/guest") == [{"user": "guest", "value": {"max-channels": 1}}]
    client = world.connect()
    client.declare("one")
    is_close(
        client.ask(Queue.Declare(queue="two")),
        406,
        "PRECONDITION_FAILED - cannot declare queue 'two': queue limit in vhost '/' (1) is reached",
    )
    assert web.delete("/api/vhost-limits/%2F/max-queues") == 204
    assert web.delete("/api/user-limits/guest/max-channels") == 204
    assert web.get("/api/vhost-limits") == web.get("/api/user-limits") == []
    assert web.refused("PUT", "/api/vhost-limits/%2F/x", {"value": 1}) == (
        400,
        'Validation failed\n\nUnrecognised terms [{<<"x">>,1}] in limits\n',
    )


def test_a_policy_holds_as_soon_as_it_is_put(web: Web, client: Client) -> None:
    client.declare("q")
    for _ in range(3):
        client.publish(queue="q")
    policy = {"pattern": "^q", "definition": {"max-length": 1}, "apply-to": "queues"}
    assert web.put("/api/policies/%2F/p", policy) == 201
    shown = web.get("/api/queues/%2F/q")
    assert (shown["messages"], shown["policy"]) == (1, "p")
    assert shown["effective_policy_definition"] == {"max-length": 1}
    assert web.get("/api/policies/%2F/p") == {
        "vhost": "/", "name": "p", "priority": 0, **policy,
    }  # fmt: skip
    assert web.delete("/api/policies/%2F/p") == 204
    assert web.get("/api/queues/%2F/q")["policy"] is None


@pytest.mark.parametrize(
    ("policy", "reason"),
    [
        ({"definition": {"max-length": 1}}, "[{key_missing,pattern}]"),
        ({"pattern": "", "definition": {}}, "Validation failed\n\nno policy provided\n"),
        (
            {"pattern": "", "definition": {"nope": 1}},
            'Validation failed\n\n[{<<"nope">>,1}] are not recognised policy settings\n',
        ),
    ],
)
def test_a_policy_that_is_none(web: Web, policy: dict[str, Any], reason: str) -> None:
    assert web.refused("PUT", "/api/policies/%2F/p", policy) == (400, reason)


def test_definitions_that_are_exported_can_be_imported_elsewhere(
    web: Web, client: Client, world: World
) -> None:
    web.put("/api/vhosts/v")
    web.put("/api/vhost-limits/v/max-queues", {"value": 9})
    web.put("/api/users/bob", {"password": "x", "tags": "monitoring"})
    web.put("/api/permissions/v/bob", EVERYTHING)
    web.put("/api/user-limits/bob/max-channels", {"value": 5})
    web.put("/api/queues/v/q", {"durable": True, "arguments": {"x-max-length": 2}})
    web.put("/api/exchanges/v/e", {"type": "headers"})
    web.ask("POST", "/api/bindings/v/e/e/q/q", {"arguments": {"x-match": "any", "a": 1}})
    web.ask("POST", "/api/bindings/v/e/e/e/amq.topic", {"routing_key": "k"})
    web.put("/api/policies/v/p", {"pattern": "", "definition": {"expires": 5}})
    client.declare("own", exclusive=True)
    exported = web.get("/api/definitions")
    other = Web(type(world)(type(world.broker)(random=Random(1)), []))
    assert other.ask("POST", "/api/definitions", exported).status == 204
    assert other.get("/api/definitions") == exported
    assert "own" not in str(exported)
    part = other.get("/api/definitions/v")
    other.put("/api/vhosts/w")
    assert other.ask("POST", "/api/definitions/w", {**part, "policies": []}).status == 204
    assert other.get("/api/definitions/w")["bindings"] == part["bindings"]
    nowhere = {"queues": [{"name": "q", "vhost": "nope"}]}
    assert web.refused("POST", "/api/definitions", nowhere) == (400, ["no_such_vhost", "nope"])


def test_the_broker_as_a_whole(web: Web, client: Client) -> None:
    client.declare("q")
    overview = web.get("/api/overview")
    assert overview["object_totals"] == {
        "channels": 1, "connections": 1, "consumers": 0, "exchanges": 7, "queues": 1,
    }  # fmt: skip
    assert overview["rabbitmq_version"] == "3.10.8"
    assert web.get("/api/nodes")[0] == web.get("/api/nodes/rabbit@sandbox")
    assert web.get("/api/aliveness-test/%2F") == {"status": "ok"}
    assert web.get("/api/queues/%2F/aliveness-test")["messages"] == 0
    assert web.get("/api/health/checks/port-listener/5672") == {"status": "ok", "port": 5672}
    assert web.refused("GET", "/api/health/checks/port-listener/1")[0] == 503
    assert web.get("/api/health/checks/protocol-listener/amqp091")["protocol"] == "amqp"
    assert web.put("/api/cluster-name", {"name": "mine"}) == 204
    assert web.get("/api/cluster-name") == {"name": "mine"}
