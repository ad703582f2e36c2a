"""The broker as a whole: the overview, its one node, and whether it is well."""

from __future__ import annotations

from typing import Any, Final

from sandbox.brokers.amqp.counts import Counts
from sandbox.brokers.amqp.handshake import MECHANISMS, NODE, VERSION
from sandbox.brokers.amqp.management import figures
from sandbox.brokers.amqp.management.answers import NO_CONTENT, Answer, json_answer, missing
from sandbox.brokers.amqp.management.request import Request
from sandbox.brokers.amqp.management.vhosts import all_counts, totals

_EXCHANGE_TYPES: Final = [
    {
        "name": name,
        "description": f"AMQP {name} exchange, as per the AMQP specification",
        "enabled": True,
    }
    for name in ("direct", "fanout", "headers", "topic")
]
_ALIVENESS_QUEUE: Final = "aliveness-test"


def get_overview(request: Request) -> Any:
    """What is here, and how much of it."""
    broker, vhosts = request.broker, request.vhosts()
    counts = Counts()
    messages = dict.fromkeys(("messages", "messages_ready", "messages_unacknowledged"), 0)
    for vhost in vhosts:
        counts.add(all_counts(broker, vhost))
        for name, number in totals(vhost).items():
            messages[name] += number
    open_ones = [c for c in broker.connections if c.opened_vhost in vhosts]
    queues = [queue for vhost in vhosts for queue in vhost.queues.values()]
    return {
        "management_version": VERSION,
        "rates_mode": "none",
        "sample_retention_policies": {"global": [], "basic": [], "detailed": []},
        "exchange_types": _EXCHANGE_TYPES,
        "product_version": VERSION,
        "product_name": "RabbitMQ",
        "rabbitmq_version": VERSION,
        "cluster_name": request.server.cluster_name or NODE,
        "erlang_version": "",
        "erlang_full_version": "not Erlang: a sandbox that behaves as RabbitMQ",
        "release_series_support_status": "supported",
        "disable_stats": False,
        "enable_queue_totals": False,
        "message_stats": figures.of_vhost(counts),
        "churn_rates": {},
        "queue_totals": figures.with_rates(messages),
        "object_totals": {
            "channels": sum(len(connection.channels) for connection in open_ones),
            "connections": len(open_ones),
            "consumers": sum(queue.consumer_count for queue in queues),
            "exchanges": sum(len(vhost.exchanges) for vhost in vhosts),
            "queues": len(queues),
        },
        "statistics_db_event_queue": 0,
        "node": NODE,
        "listeners": _listeners(request),
        "contexts": [
            {
                "ssl_opts": [],
                "node": NODE,
                "description": "RabbitMQ Management",
                "path": "/",
                "ip": request.server.host,
                "port": str(request.server.port),
            }
        ],
    }


def get_nodes(request: Request) -> Any:
    """The one node there is."""
    return [_node(request)]


def get_node(request: Request) -> Any:
    """One node."""
    if request.names["node"] != NODE:
        raise missing()
    return _node(request)


def get_cluster_name(request: Request) -> Any:
    """What the cluster is called."""
    return {"name": request.server.cluster_name or NODE}


def put_cluster_name(request: Request) -> Answer:
    """Call the cluster something else, until the server stops."""
    request.server.cluster_name = str(request.body("name")["name"])
    return NO_CONTENT


def get_auth(request: Request) -> Any:
    """How people log in: with a name and a password."""
    return {"enable_uaa": False, "uaa_client_id": "", "uaa_location": ""}


def nothing(request: Request) -> Any:
    """A list of what there never is here: parameters, operator policies, shovels."""
    return []


# -- health ----------------------------------------------------------------------------------------


def well(request: Request) -> Any:
    """A check that always passes: there is one node, and no certificate."""
    return {"status": "ok"}


def well_alone(request: Request) -> Any:
    """A check about other nodes, of which there are none."""
    return {"status": "ok", "reason": "single node cluster"}


def check_alarms(request: Request) -> Any:
    """Whether memory or disk runs out."""
    if not request.broker.alarms:
        return {"status": "ok"}
    alarms = [{"node": NODE, "resource": name} for name in request.broker.alarms]
    return json_answer(
        503, {"status": "failed", "reason": "Resource alarm(s) in effect", "alarms": alarms}
    )


def check_port(request: Request) -> Any:
    """Whether anybody listens on a port."""
    ports = [listener["port"] for listener in _listeners(request)]
    port = request.names["port"]
    if port in map(str, ports):
        return {"status": "ok", "port": int(port)}
    asked = int(port) if port.isdecimal() else port
    failed = {"status": "failed", "reason": "No active listener"}
    return json_answer(503, {**failed, "missing": asked, "ports": ports})


def check_protocol(request: Request) -> Any:
    """Whether a protocol is spoken."""
    spoken = [listener["protocol"] for listener in _listeners(request)]
    asked = {"amqp091": "amqp", "amqp0.9.1": "amqp"}.get(
        request.names["protocol"], request.names["protocol"]
    )
    if asked in spoken:
        return {"status": "ok", "protocol": asked}
    failed = {"status": "failed", "reason": "No active listener"}
    return json_answer(503, {**failed, "missing": asked, "protocols": spoken})


def check_aliveness(request: Request) -> Any:
    """Declare a queue, publish and consume, as RabbitMQ's own test does; the queue stays."""
    vhost = request.vhost()
    request.acts()
    queue = vhost.declare_queue(_ALIVENESS_QUEUE, actor=request.actor(vhost))
    request.broker.admin_publish(vhost.name, "", queue.name, b"test_message", None, request.now_ns)
    entry, _ = queue.get()
    if entry is not None:
        queue.forget(entry)
    return {"status": "ok"}


def _listeners(request: Request) -> list[dict[str, Any]]:
    server = request.server
    return [
        {"node": NODE, "protocol": name, "ip_address": server.host, "port": port}
        for name, port in (("amqp", server.amqp_port), ("http", server.port))
    ]


def _node(request: Request) -> dict[str, Any]:
    alarms = request.broker.alarms
    return {
        "name": NODE,
        "type": "disc",
        "running": True,
        "being_drained": False,
        "uptime": (request.now_ns - (request.server.started_ns or 0)) // 1_000_000,
        "mem_alarm": "memory" in alarms,
        "disk_free_alarm": "disk" in alarms,
        "partitions": [],
        "rates_mode": "none",
        "exchange_types": _EXCHANGE_TYPES,
        "auth_mechanisms": [
            {"name": name, "description": f"SASL {name}", "enabled": True} for name in MECHANISMS
        ],
        "applications": [
            {"name": "rabbit", "description": "RabbitMQ", "version": VERSION},
            {
                "name": "rabbitmq_management",
                "description": "RabbitMQ Management Console",
                "version": VERSION,
            },
        ],
        "enabled_plugins": ["rabbitmq_management"],
        "contexts": [],
    }
