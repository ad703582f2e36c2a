"""Requests with which clients find their way: what is spoken, who is there, who coordinates."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from sandbox.brokers.kafka.cluster import Cluster
from sandbox.brokers.kafka.codec import api_versions_refused, offered
from sandbox.brokers.kafka.connection import Request
from sandbox.brokers.kafka.errors import Code, KafkaError
from sandbox.brokers.kafka.replica import NO_LEADER
from sandbox.brokers.kafka.topics import GROUPS_TOPIC, TRANSACTIONS_TOPIC, Partition, Topic

if TYPE_CHECKING:
    from sandbox.brokers.kafka.broker import Broker

_GROUP, _TRANSACTION = 0, 1


def api_versions(request: Request) -> None:
    """Say what is spoken. The one request that is answered whatever its version [KIP-35]."""
    if request.body is None:
        request.answer(api_versions_refused())
    else:
        request.answer({"error_code": Code.NONE, "api_keys": offered()})


def metadata(request: Request) -> None:
    """Say which brokers there are, and who leads which partition of which topic."""
    cluster, body = request.cluster, request.body
    wanted = body.topics
    if wanted is None or (request.version == 0 and not wanted):
        topics = [_topic(request.broker, topic) for topic in cluster.topics.values()]
    else:
        may_create = request.version < 4 or body.allow_auto_topic_creation
        topics = [_lookup(request, each, may_create) for each in wanted]
    request.answer(
        {
            "brokers": [
                {"node_id": node.node_id, "host": node.host, "port": node.port, "rack": None}
                for node in _nodes(cluster)
            ],
            "cluster_id": cluster.cluster_id,
            "controller_id": cluster.controller.active,
            "topics": topics,
        }
    )


def _lookup(request: Request, wanted: Any, may_create: bool) -> dict[str, Any]:
    cluster = request.cluster
    try:
        try:
            topic = cluster.topic_for(wanted.name, wanted.topic_id)
        except KafkaError as why:
            creates = may_create and cluster.configs["auto.create.topics.enable"] == "true"
            if why.code is not Code.UNKNOWN_TOPIC_OR_PARTITION or not creates:
                raise
            cluster.controller.require(request.broker.node_id)
            topic = cluster.create_topic(wanted.name, connection=request.peer)
            request.broker.happened()
    except KafkaError as why:
        return {
            "error_code": why.code,
            "name": wanted.name,
            "topic_id": wanted.topic_id,
            "is_internal": False,
            "partitions": [],
        }
    return _topic(request.broker, topic)


def _topic(broker: Broker, topic: Topic) -> dict[str, Any]:
    return {
        "error_code": Code.NONE,
        "name": topic.name,
        "topic_id": topic.topic_id,
        "is_internal": topic.internal,
        "partitions": [partition_seen_by(broker, partition) for partition in topic],
    }


def partition_seen_by(broker: Broker, partition: Partition) -> dict[str, Any]:
    """What a broker says about a partition: what it was told last, which may be out of date."""
    known = partition.assignment
    copy = partition.copies.get(broker.node_id)
    if copy is not None and not broker.cluster.controller.connected(broker.node_id):
        known = copy.known
    return {
        "error_code": Code.LEADER_NOT_AVAILABLE if known.leader == NO_LEADER else Code.NONE,
        "partition_index": partition.index,
        "leader_id": known.leader,
        "leader_epoch": known.epoch,
        "replica_nodes": list(known.replicas),
        "isr_nodes": list(known.isr),
        "offline_replicas": [
            node for node in known.replicas if broker.cluster.controller.fenced.get(node, True)
        ],
    }


def _nodes(cluster: Cluster) -> list[Broker]:
    return [node for node in cluster.nodes if not cluster.controller.fenced[node.node_id]]


def find_coordinator(request: Request) -> None:
    """Say which broker looks after a group or a transactional id."""
    body = request.body
    if request.version >= 4:
        found = [{"key": key, **_coordinator(request, key)} for key in body.coordinator_keys]
        request.answer({"coordinators": found})
    else:
        request.answer(_coordinator(request, body.key))


def _coordinator(request: Request, key: str) -> dict[str, Any]:
    kind = request.body.key_type if request.version >= 1 else _GROUP
    if kind not in (_GROUP, _TRANSACTION):
        return {
            "error_code": Code.INVALID_REQUEST,
            "error_message": f"no coordinators of kind {kind}",
            "node_id": -1,
            "host": "",
            "port": -1,
        }
    cluster = request.cluster
    node = cluster.coordinator(key, TRANSACTIONS_TOPIC if kind == _TRANSACTION else GROUPS_TOPIC)
    if node is None or not cluster.controller.connected(request.broker.node_id):
        return {
            "error_code": Code.COORDINATOR_NOT_AVAILABLE,
            "error_message": "no broker can look after it now",
            "node_id": -1,
            "host": "",
            "port": -1,
        }
    return {
        "error_code": Code.NONE,
        "error_message": None,
        "node_id": node.node_id,
        "host": node.host,
        "port": node.port,
    }


def describe_cluster(request: Request) -> None:
    """Say which brokers there are, to tools."""
    cluster = request.cluster
    request.answer(
        {
            "error_code": Code.NONE,
            "error_message": None,
            "endpoint_type": 1,
            "cluster_id": cluster.cluster_id,
            "controller_id": cluster.controller.active,
            "brokers": [
                {"broker_id": node.node_id, "host": node.host, "port": node.port, "rack": None}
                for node in _nodes(cluster)
            ],
        }
    )


HANDLERS: Final[Mapping[int, Callable[[Request], None]]] = {
    3: metadata,
    10: find_coordinator,
    18: api_versions,
    60: describe_cluster,
}
