"""Policies, permissions and limits: what an administrator says, and what clients notice of it."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pika

from tests.parity.amqp.stage import Stage, scenario

EVERYTHING = {"configure": ".*", "write": ".*", "read": ".*"}


def _policy(stage: Stage, name: str, pattern: str, **definition: Any) -> None:
    options = {key: definition.pop(key) for key in ("priority",) if key in definition}
    body = {
        "pattern": pattern,
        "definition": {key.replace("_", "-"): value for key, value in definition.items()},
        **options,
    }
    stage.see(stage.http("PUT", f"/api/policies/{{vhost}}/{name}", body)[0])


def _parity_user(stage: Stage, **permission: str) -> dict[str, Any]:
    stage.http("PUT", "/api/users/parity", {"password": "parity", "tags": ""})
    path = "/api/permissions/{vhost}/parity"
    stage.http("PUT", path, EVERYTHING | permission)
    return {"credentials": pika.PlainCredentials("parity", "parity")}


@scenario
def a_policy_limits_a_queue_that_is_there(stage: Stage) -> None:
    channel = stage.channel()
    channel.queue_declare("q")
    channel.queue_declare("dead")
    stage.publish(channel, "q", "1", "2", "3")
    stage.quiet(channel)
    dead = {"dead_letter_exchange": "", "dead_letter_routing_key": "dead"}
    _policy(stage, "short", "^q$", max_length=1, **dead)
    stage.wait_for(channel, "dead", 2)
    stage.show(channel, "dead")
    stage.get_all(channel, "q")


@scenario
def the_policy_of_the_highest_priority_holds_alone(stage: Stage) -> None:
    channel = stage.channel()
    _policy(stage, "low", "^q", max_length=1, priority=1)
    _policy(stage, "high", "^q", message_ttl=60_000, priority=2)
    channel.queue_declare("q")
    stage.publish(channel, "q", "1", "2")
    stage.counts(channel, "q")
    stage.http("DELETE", "/api/policies/{vhost}/high")
    stage.quiet(channel)
    stage.counts(channel, "q")


@scenario
def an_argument_and_a_policy_the_smaller_number_counts(stage: Stage) -> None:
    channel = stage.channel()
    _policy(stage, "p", "^q", max_length=2)
    channel.queue_declare("q1", arguments={"x-max-length": 1})
    channel.queue_declare("q3", arguments={"x-max-length": 3})
    for queue in ("q1", "q3"):
        stage.publish(channel, queue, "1", "2", "3", "4")
        stage.quiet(channel)
        stage.get_all(channel, queue)


@scenario
def a_policy_gives_an_exchange_its_alternate(stage: Stage) -> None:
    channel = stage.channel()
    channel.exchange_declare("e", "direct")
    channel.queue_declare("left")
    channel.queue_bind("left", "amq.fanout")
    _policy(stage, "p", "^e$", alternate_exchange="amq.fanout")
    channel.basic_publish("e", "nowhere", b"x")
    stage.quiet(channel)
    stage.counts(channel, "left")


@scenario
def policies_that_are_none(stage: Stage) -> None:
    for body in (
        {"definition": {"max-length": 1}},
        {"pattern": "x"},
        {"pattern": "x", "definition": {}},
    ):
        stage.ask("PUT", "/api/policies/{vhost}/p", body)
    stage.ask("GET", "/api/policies/{vhost}/none")


@scenario
def a_user_may_do_what_the_patterns_say(stage: Stage) -> None:
    stage.channel().queue_declare("other")
    user = _parity_user(stage, configure="^mine", write="^(mine|amq\\.)", read="^mine")
    acts: dict[str, Any] = {
        "declare": lambda c: c.queue_declare("mine"),
        "declare another": lambda c: c.queue_declare("theirs"),
        "look at another": lambda c: c.queue_declare("other", passive=True).method.queue,
        "get": lambda c: c.basic_get("mine")[0],
        "get from another": lambda c: c.basic_get("other"),
        "bind": lambda c: c.queue_bind("mine", "amq.fanout"),
        "consume": lambda c: c.basic_consume("other", print),
        "purge": lambda c: c.queue_purge("other"),
        "delete": lambda c: c.queue_delete("other"),
        "declare an exchange": lambda c: c.exchange_declare("theirs"),
        "dead letters": lambda c: c.queue_declare(
            "mine too", arguments={"x-dead-letter-exchange": "theirs"}
        ),
    }
    for name, act in acts.items():
        stage.see(name)
        channel = stage.connect(**user).channel()
        stage.refused(lambda a=act, c=channel: a(c) and None)
    for exchange in ("", "amq.fanout"):
        channel = stage.connect(**user).channel()
        channel.basic_publish(exchange, "mine", b"x")
        stage.refused(lambda c=channel: c.queue_declare("mine", passive=True) and None)
    stage.http("DELETE", "/api/users/parity")


@scenario
def who_has_no_permission_does_not_come_in(stage: Stage) -> None:
    user = _parity_user(stage)
    stage.http("DELETE", "/api/permissions/{vhost}/parity")
    stage.refused(lambda: stage.connect(**user))
    stage.http("DELETE", "/api/users/parity")


@scenario
def a_user_who_is_deleted_is_cut_off(stage: Stage) -> None:
    user = _parity_user(stage)
    connection = stage.connect(**user)
    stage.http("DELETE", "/api/users/parity")
    stage.refused(lambda: [connection.process_data_events(0.1) for _ in range(20)])
    stage.refused(lambda: stage.connect(**user))


@scenario
def limits_on_connections_channels_and_queues(stage: Stage) -> None:
    user = _parity_user(stage)
    limit = "/api/user-limits/parity"
    stage.http("PUT", f"{limit}/max-connections", {"value": 1})
    connection = stage.connect(**user)
    connection.channel()
    stage.refused(lambda: stage.connect(**user))
    stage.http("DELETE", f"{limit}/max-connections")
    stage.http("PUT", "/api/vhost-limits/{vhost}/max-connections", {"value": 0})
    stage.refused(stage.connect)
    stage.http("DELETE", "/api/vhost-limits/{vhost}/max-connections")
    stage.http("PUT", f"{limit}/max-channels", {"value": 1})
    stage.refused(connection.channel)
    stage.http("PUT", "/api/vhost-limits/{vhost}/max-queues", {"value": 1})
    channel = stage.channel()
    channel.queue_declare("one")
    stage.refused(lambda: channel.queue_declare("two"))
    stage.http("DELETE", "/api/users/parity")


@scenario
def an_administrator_closes_a_connection(stage: Stage) -> None:
    user = _parity_user(stage)
    connection = stage.connect(**user)
    for _ in range(100):
        names = [
            each["name"]
            for each in stage.http("GET", "/api/connections")[1]
            if each.get("user") == "parity"
        ]
        if names:
            break
        connection.sleep(0.1)
    stage.see(stage.http("DELETE", f"/api/connections/{quote(names[0])}")[0])
    stage.refused(lambda: [connection.process_data_events(0.1) for _ in range(20)])
    stage.http("DELETE", "/api/users/parity")
