"""The HTTP management API: the same words and shapes."""

from __future__ import annotations

from typing import Any

from tests.parity.amqp.stage import Stage, scenario

TAKE = {"count": 5, "ackmode": "ack_requeue_false", "encoding": "auto"}


def _sending(key: str, **options: Any) -> dict[str, Any]:
    body = {"properties": {}, "routing_key": key, "payload": "x", "payload_encoding": "string"}
    return body | options


@scenario
def declaring_over_http(stage: Stage) -> None:
    queue, exchange = "/api/queues/{vhost}/q", "/api/exchanges/{vhost}/e"
    for path, body in (
        (queue, {"durable": True, "arguments": {"x-max-length": 5}}),
        (queue, {"durable": True, "arguments": {"x-max-length": 5}}),
        (queue, {"durable": False}),
        (queue, {"durable": "yes"}),
        ("/api/queues/{vhost}/amq.mine", {}),
        ("/api/queues/{vhost}/bad", {"arguments": {"x-message-ttl": "a"}}),
        ("/api/queues/no such vhost/q", {}),
        (exchange, {"type": "topic"}),
        (exchange, {"type": "topic"}),
        (exchange, {"type": "fanout"}),
        ("/api/exchanges/{vhost}/f", {"type": "nope"}),
    ):
        stage.ask("PUT", path.replace(" ", "%20"), body)
    columns = "columns=name,durable,auto_delete,exclusive,arguments,type,vhost"
    stage.ask("GET", f"{queue}?{columns}")
    stage.ask("GET", f"/api/queues/{{vhost}}?{columns}")
    stage.ask("GET", f"{exchange}?columns=name,durable,auto_delete,internal,arguments,type,vhost")
    stage.ask("GET", "/api/exchanges/{vhost}?columns=name,type,internal,durable")


@scenario
def bindings_over_http(stage: Stage) -> None:
    stage.http("PUT", "/api/queues/{vhost}/q", {})
    path = "/api/bindings/{vhost}/e/amq.topic/q/q"
    for key in ("a.*", "", "with space/and ~"):
        stage.ask("POST", path, {"routing_key": key})
    stage.ask("POST", "/api/bindings/{vhost}/e/amq.topic/q/none", {})
    stage.ask("POST", "/api/bindings/{vhost}/e/amq.topic/e/amq.fanout", {"routing_key": "k"})
    for place in (
        path,
        f"{path}/a.%2A",
        f"{path}/none",
        "/api/bindings/{vhost}",
        "/api/queues/{vhost}/q/bindings",
        "/api/exchanges/{vhost}/amq.topic/bindings/source",
        "/api/exchanges/{vhost}/amq.fanout/bindings/destination",
    ):
        stage.ask("GET", place)
    stage.ask("DELETE", f"{path}/a.%2A")
    stage.ask("DELETE", f"{path}/a.%2A")


@scenario
def messages_over_http(stage: Stage) -> None:
    stage.http("PUT", "/api/queues/{vhost}/q", {})
    publish, get = "/api/exchanges/{vhost}/amq.default/publish", "/api/queues/{vhost}/q/get"
    for body in (
        _sending("q", properties={"delivery_mode": 2, "headers": {"h": 1}, "nope": 1}),
        _sending("q", payload="//4=", payload_encoding="base64"),
        _sending("nowhere"),
        _sending("q", payload_encoding="x"),
        _sending("q", properties={"priority": "x"}),
        _sending("q", properties={"message_id": 1}),
        _sending("q", properties={"user_id": "eve"}),
        {"payload": "x"},
    ):
        stage.ask("POST", publish, body)
    stage.ask("POST", "/api/exchanges/{vhost}/none/publish", _sending("q"))
    stage.ask("POST", get, {**TAKE, "count": 1, "ackmode": "ack_requeue_true", "truncate": 0})
    stage.ask("POST", get, {**TAKE, "count": "2", "ackmode": "reject_requeue_true"})
    stage.ask("POST", get, TAKE)
    stage.ask("POST", get, {"count": 1})
    stage.ask("POST", "/api/queues/{vhost}/none/get", TAKE)


@scenario
def what_is_not_there_over_http(stage: Stage) -> None:
    for method, path in (
        ("GET", "/api/queues/{vhost}/none"),
        ("DELETE", "/api/queues/{vhost}/none"),
        ("DELETE", "/api/queues/{vhost}/none/contents"),
        ("GET", "/api/exchanges/{vhost}/none"),
        ("DELETE", "/api/exchanges/{vhost}/none"),
        ("DELETE", "/api/exchanges/{vhost}/amq.direct"),
        ("GET", "/api/vhosts/none"),
        ("DELETE", "/api/vhosts/none"),
        ("GET", "/api/users/none"),
        ("DELETE", "/api/users/none"),
        ("GET", "/api/permissions/{vhost}/none"),
        ("GET", "/api/connections/none"),
        ("DELETE", "/api/connections/none"),
        ("GET", "/api/nonsense"),
        ("POST", "/api/vhosts"),
        ("DELETE", "/api/overview"),
    ):
        stage.ask(method, path)


@scenario
def deleting_over_http_only_if(stage: Stage) -> None:
    channel = stage.channel()
    channel.queue_declare("q")
    stage.publish(channel, "q", "x")
    stage.quiet(channel)
    stage.ask("DELETE", "/api/queues/{vhost}/q?if-empty=true")
    stage.consume(channel, "q")
    stage.ask("DELETE", "/api/queues/{vhost}/q?if-unused=true")
    channel.queue_bind("q", "amq.topic", "#")
    channel.exchange_declare("e")
    channel.queue_bind("q", "e", "#")
    stage.ask("DELETE", "/api/exchanges/{vhost}/e?if-unused=true")
    stage.ask("DELETE", "/api/queues/{vhost}/q/contents")
    stage.ask("DELETE", "/api/queues/{vhost}/q")


@scenario
def users_and_permissions_over_http(stage: Stage) -> None:
    user, permission = "/api/users/parity", "/api/permissions/{vhost}/parity"
    stage.ask("PUT", user, {"password": "x"})
    stage.ask("PUT", user, {"password": "parity", "tags": "monitoring,management"})
    stage.ask("PUT", user, {"password": "parity", "tags": ["management"]})
    stage.see(stage.http("GET", user)[1]["tags"])
    stage.ask("GET", "/api/whoami", user="parity")
    stage.ask("GET", "/api/users", user="parity")
    stage.ask("GET", "/api/nodes", user="parity")
    stage.ask("GET", "/api/queues/{vhost}", user="parity")
    stage.ask("PUT", permission, {"configure": ".*", "write": ".*"})
    stage.ask("PUT", permission, {"configure": "^x", "write": "", "read": ".*"})
    stage.ask("PUT", permission, {"configure": "^x", "write": "", "read": ".*"})
    stage.ask("GET", permission)
    stage.ask("GET", "/api/queues/{vhost}", user="parity")
    stage.ask("PUT", "/api/queues/{vhost}/q", {}, user="parity")
    stage.ask("PUT", "/api/queues/{vhost}/x", {}, user="parity")
    stage.ask("PUT", user, {"password": "other", "tags": ""})
    stage.ask("GET", "/api/whoami", user="parity")
    stage.ask("DELETE", permission)
    stage.ask("DELETE", permission)
    stage.ask("DELETE", user)


@scenario
def a_virtual_hosts_definitions(stage: Stage) -> None:
    for path, body in (
        ("queues/{vhost}/q", {"durable": True, "arguments": {"x-max-length": 5}}),
        ("exchanges/{vhost}/e", {"type": "headers", "durable": True}),
        ("policies/{vhost}/p", {"pattern": "^q", "definition": {"expires": 60000}}),
    ):
        stage.ask("PUT", f"/api/{path}", body)
    stage.ask("POST", "/api/bindings/{vhost}/e/e/q/q", {"arguments": {"x-match": "any", "a": 1}})
    stage.ask("GET", "/api/definitions/{vhost}")
    more = {"name": "r", "durable": True, "auto_delete": False, "arguments": {}}
    document = {"queues": [more], "exchanges": [], "bindings": []}
    stage.ask("POST", "/api/definitions/{vhost}", document)
    stage.ask("GET", "/api/queues/{vhost}?columns=name,durable")


@scenario
def lists_over_http(stage: Stage) -> None:
    for name in ("beta", "alpha", "gamma"):
        stage.http("PUT", f"/api/queues/{{vhost}}/{name}", {})
    for query in (
        "sort=name&sort_reverse=true",
        "page=2&page_size=2",
        "page=1&page_size=2&name=A&use_regex=false",
        "page=1&name=^(a|b)&use_regex=true",
    ):
        stage.ask("GET", f"/api/queues/{{vhost}}?columns=name&{query}")


@scenario
def copies_of_what_is_published_and_delivered(stage: Stage) -> None:
    stage.http("PUT", "/api/vhosts/{vhost}", {"tracing": True})
    channel = stage.channel()
    channel.queue_declare("copies")
    channel.queue_bind("copies", "amq.rabbitmq.trace", "#")
    channel.exchange_declare("e", "topic")
    channel.queue_declare("q")
    channel.queue_bind("q", "e", "#")
    properties = stage.properties(headers={"CC": ["cc"], "n": 1}, priority=3, timestamp=5)
    channel.basic_publish("e", "k", b"x", properties)
    channel.basic_publish("", "nowhere", b"y")
    stage.quiet(channel)
    method, _, _ = channel.basic_get("q")
    channel.basic_nack(method.delivery_tag)
    stage.quiet(channel)
    channel.basic_get("q", auto_ack=True)
    stage.quiet(channel)
    copies = []
    while True:
        method, properties, body = channel.basic_get("copies", auto_ack=True)
        if method is None:
            break
        headers = {k: v for k, v in properties.headers.items() if k != "connection"}
        copies.append((method.routing_key, body.decode(), headers))
    for copy in sorted(copies, key=lambda each: (each[0], each[1])):
        stage.see(*copy)
    stage.http("PUT", "/api/vhosts/{vhost}", {"tracing": False})


def _once(stage: Stage, path: str, wanted: dict[str, Any]) -> Any:
    """Ask until RabbitMQ, whose figures are some seconds old, says what is wanted."""
    channel = stage.channel()
    for _ in range(120):
        answer = stage.http("GET", path)[1]
        first = answer[0] if isinstance(answer, list) and answer else answer
        if first and _has(first, wanted):
            break
        channel.connection.sleep(0.1)
    channel.connection.close()
    return answer


def _has(answer: dict[str, Any], wanted: dict[str, Any]) -> bool:
    """Whether an answer says all that is wanted, of an object within it also only a part."""
    return all(
        _has(answer.get(key) or {}, value) if isinstance(value, dict) else answer.get(key) == value
        for key, value in wanted.items()
    )


@scenario
def what_a_queue_holds_over_http(stage: Stage) -> None:
    channel = stage.channel()
    channel.queue_declare("q", arguments={"x-max-priority": 3})
    channel.basic_qos(prefetch_count=2)
    stage.publish(channel, "q", "one", "three", "five", "seven")
    stage.consume(channel, "q", "c", arguments={"x-priority": 7})
    tags = stage.tags(channel, 2)
    channel.basic_ack(tags[0])
    stage.tags(channel, 1)
    wanted = {"messages_ready": 1, "messages_unacknowledged": 2, "consumers": 1}
    counted = {"publish": 4, "deliver": 3, "ack": 1}
    shape = _once(stage, "/api/queues/{vhost}/q", wanted | {"message_stats": counted})
    for key in (
        *wanted,
        "messages",
        "message_bytes",
        "message_bytes_ready",
        "message_bytes_unacknowledged",
        "name",
        "type",
        "state",
        "policy",
        "exclusive_consumer_tag",
        "single_active_consumer_tag",
    ):
        stage.see(key, shape.get(key, "not there"))
    stage.see(sorted(shape["messages_details"]))  # a rate: what it is depends on the second
    stats = shape["message_stats"]
    stage.see({name: stats[name] for name in ("publish", "deliver", "ack", "deliver_get", "get")})
    (consumer,) = shape["consumer_details"]
    names = ("arguments", "ack_required", "active", "activity_status", "consumer_tag", "exclusive")
    stage.see({name: consumer[name] for name in (*names, "prefetch_count", "queue")})


@scenario
def who_is_connected_over_http(stage: Stage) -> None:
    connection = stage.connect(client_properties={"connection_name": "parity"})
    channel = connection.channel()
    channel.confirm_delivery()
    channel.basic_qos(prefetch_count=3)
    channel.basic_qos(prefetch_count=9, global_qos=True)
    channel.queue_declare("q")
    stage.consume(channel, "q", "c")
    wanted = {"user_provided_name": "parity", "channels": 1, "state": "running"}
    for each in _once(stage, "/api/vhosts/{vhost}/connections", wanted):
        if each.get("user_provided_name") == "parity":
            stage.see({key: each[key] for key in (*wanted, "user", "vhost", "protocol", "type")})
            names = ("ssl", "auth_mechanism", "channel_max", "frame_max", "timeout")
            stage.see({key: each[key] for key in names})
            stage.see(each["client_properties"]["product"], each["name"].count(" -> "))
    shapes = _once(stage, "/api/vhosts/{vhost}/channels", {"consumer_count": 1})
    for each in shapes:
        if each.get("consumer_count") == 1:
            names = ("confirm", "transactional", "prefetch_count", "global_prefetch_count")
            more = ("number", "state", "user", "vhost", "messages_unacknowledged")
            stage.see({key: each[key] for key in (*names, *more)})
            stage.see(sorted(each["connection_details"]))
