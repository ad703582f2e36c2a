"""Requests with which clients find their way: what is spoken, who is there, who coordinates."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from sandbox.brokers.kafka.cluster import Cluster
from sandbox.brokers.kafka.codec import api_versions_refused, offered
from sandbox.brokers.kafka.connection import Request
from sandbox.brokers.kafka.errors import Code, KafkaError
from sandbox.brokers.kafka.topics import Topic

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
        topics = [_topic(cluster, topic) for topic in cluster.topics.values()]
    else:
        may_create = request.version < 4 or body.allow_auto_topic_creation
        topics = [_lookup(request, each, may_create) for each in wanted]
    request.answer(
        {
            "brokers": [
                {"node_id": node.node_id, "host": node.host, "port": node.port, "rack": None}
                for _, node in sorted(cluster.brokers.items())
            ],
            "cluster_id": cluster.cluster_id,
            "controller_id": min(cluster.brokers),
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
    return _topic(cluster, topic)


def _topic(cluster: Cluster, topic: Topic) -> dict[str, Any]:
    partitions = []
    for partition in topic:
        leader = cluster.leads(partition)
        partitions.append(
            {
                "error_code": Code.NONE if leader else Code.LEADER_NOT_AVAILABLE,
                "partition_index": partition.index,
                "leader_id": leader.node_id if leader else -1,
                "leader_epoch": partition.leader_epoch,
                "replica_nodes": partition.replicas,
                "isr_nodes": partition.isr,
                "offline_replicas": [n for n in partition.replicas if n not in cluster.brokers],
            }
        )
    return {
        "error_code": Code.NONE,
        "name": topic.name,
        "topic_id": topic.topic_id,
        "is_internal": False,
        "partitions": partitions,
    }


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
    node = request.cluster.coordinator(key)
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
            "controller_id": min(cluster.brokers),
            "brokers": [
                {"broker_id": node.node_id, "host": node.host, "port": node.port, "rack": None}
                for _, node in sorted(cluster.brokers.items())
            ],
        }
    )


HANDLERS: Final[Mapping[int, Callable[[Request], None]]] = {
    3: metadata,
    10: find_coordinator,
    18: api_versions,
    60: describe_cluster,
}
