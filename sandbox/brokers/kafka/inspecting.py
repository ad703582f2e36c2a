"""Requests of tools that look inside: partitions, producers, transactions, log directories, ACLs.

Nothing here changes anything. There is no authorizer, so what is asked about ACLs is answered as by
a Kafka that has none configured.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from sandbox.brokers.kafka.cluster import NO_ID
from sandbox.brokers.kafka.connection import Request
from sandbox.brokers.kafka.discovering import partition_seen_by
from sandbox.brokers.kafka.errors import Code, KafkaError
from sandbox.brokers.kafka.replica import Replica
from sandbox.brokers.kafka.topics import TRANSACTIONS_TOPIC
from sandbox.brokers.kafka.transactions import TransactionState

#: Where Kafka's container image has its logs.
LOG_DIR: Final = "/var/lib/kafka/data"
_TOPIC, _BROKER = 2, 4
_NO_AUTHORIZER: Final = "No Authorizer is configured."


def describe_topic_partitions(request: Request) -> None:
    """Say who has which partitions, as much as fits one answer."""
    body, cluster = request.body, request.cluster
    names = sorted({wanted.name for wanted in body.topics}) or sorted(cluster.topics)
    room = max(body.response_partition_limit, 1)
    first_name, first_index = "", 0
    if body.cursor is not None:
        first_name, first_index = body.cursor.topic_name, body.cursor.partition_index
    topics: list[dict[str, Any]] = []
    following: dict[str, Any] | None = None
    for name in names:
        if name < first_name:
            continue
        topic = cluster.topics.get(name)
        if topic is None:
            code = Code.UNKNOWN_TOPIC_OR_PARTITION
            topics.append({"error_code": code, "name": name, "topic_id": NO_ID, "partitions": []})
            continue
        begin = first_index if name == first_name else 0
        chosen = topic.partitions[begin : begin + room]
        room -= len(chosen)
        partitions = [
            {
                **partition_seen_by(request.broker, each),
                "eligible_leader_replicas": [],
                "last_known_elr": [],
            }
            for each in chosen
        ]
        topics.append(
            {
                "error_code": Code.NONE,
                "name": name,
                "topic_id": topic.topic_id,
                "is_internal": topic.internal,
                "partitions": partitions,
            }
        )
        if room == 0 and (begin + len(chosen) < len(topic.partitions) or name != names[-1]):
            rest = begin + len(chosen)
            after = names[names.index(name) + 1] if rest == len(topic.partitions) else name
            following = {"topic_name": after, "partition_index": rest if after == name else 0}
            break
    request.answer({"topics": topics, "next_cursor": following})


def describe_producers(request: Request) -> None:
    """Say which producers wrote to partitions that this broker leads."""
    topics = []
    for wanted in request.body.topics:
        results = []
        for index in wanted.partition_indexes:
            result: dict[str, Any] = {"partition_index": index, "active_producers": []}
            try:
                topic = request.cluster.topic(wanted.name)
                copy = request.broker.led(topic.partition(index))
                result |= {"error_code": Code.NONE, "active_producers": _producers(copy)}
            except KafkaError as why:
                result |= {"error_code": why.code, "error_message": why.message}
            results.append(result)
        topics.append({"name": wanted.name, "partitions": results})
    request.answer({"topics": topics})


def _producers(copy: Replica) -> list[dict[str, Any]]:
    found = []
    for producer_id, state in copy.producers.states.items():
        begun = state.transaction_offset
        found.append(
            {
                "producer_id": producer_id,
                "producer_epoch": state.epoch,
                "last_sequence": state.batches[-1].last_sequence if state.batches else -1,
                "last_timestamp": state.last_timestamp_ms,
                "coordinator_epoch": 0 if state.marker_epoch >= 0 else -1,
                "current_txn_start_offset": -1 if begun is None else begun,
            }
        )
    return found


def list_transactions(request: Request) -> None:
    """Say which transactional ids this broker looks after."""
    body, cluster = request.body, request.cluster
    known = {state.value for state in TransactionState}
    states = set(body.state_filters or [])
    producers = set(body.producer_id_filters or [])
    longest = body.duration_filter if request.version >= 1 else -1
    pattern = body.transactional_id_pattern if request.version >= 2 else None
    try:
        fits = re.compile(pattern or "")
    except re.error:
        request.answer({"error_code": Code.INVALID_REGULAR_EXPRESSION, "transaction_states": []})
        return
    now_ms = cluster.now_ms(request.now_ns)
    found = [
        {
            "transactional_id": each.transactional_id,
            "producer_id": each.producer_id,
            "transaction_state": each.state.value,
        }
        for each in cluster.transactions.by_id.values()
        if cluster.coordinator(each.transactional_id, TRANSACTIONS_TOPIC) is request.broker
        and (not states or each.state.value in states)
        and (not producers or each.producer_id in producers)
        and (longest < 0 or (each.started_ms >= 0 and now_ms - each.started_ms > longest))
        and (not pattern or fits.fullmatch(each.transactional_id))
    ]
    unknown = sorted(states - known)
    request.answer(
        {
            "error_code": Code.NONE,
            "unknown_state_filters": unknown,
            "transaction_states": found,
        }
    )


def describe_transactions(request: Request) -> None:
    """Say how transactions stand."""
    found = []
    for transactional_id in request.body.transactional_ids:
        result: dict[str, Any] = {"transactional_id": transactional_id, "topics": []}
        try:
            request.cluster.check_coordinator(request.broker, transactional_id, TRANSACTIONS_TOPIC)
            known = request.cluster.transactions.by_id.get(transactional_id)
            if known is None:
                raise KafkaError(Code.TRANSACTIONAL_ID_NOT_FOUND)
            topics: dict[str, list[int]] = {}
            for name, index in known.partitions:
                topics.setdefault(name, []).append(index)
            result |= {
                "error_code": Code.NONE,
                "transaction_state": known.state.value,
                "transaction_timeout_ms": known.timeout_ms,
                "transaction_start_time_ms": known.started_ms,
                "producer_id": known.producer_id,
                "producer_epoch": known.epoch,
                "topics": [
                    {"topic": name, "partitions": sorted(indexes)}
                    for name, indexes in sorted(topics.items())
                ],
            }
        except KafkaError as why:
            result["error_code"] = why.code
        found.append(result)
    request.answer({"transaction_states": found})


def describe_log_dirs(request: Request) -> None:
    """Say how large this broker's copies are, and how far they lag."""
    wanted = request.body.topics
    chosen = None if wanted is None else {each.topic: set(each.partitions) for each in wanted}
    topics = []
    for topic in request.cluster.topics.values():
        partitions = []
        for partition in topic:
            copy = partition.copies.get(request.broker.node_id)
            if copy is None or (
                chosen is not None and partition.index not in chosen.get(topic.name, ())
            ):
                continue
            lag = max(partition.high_watermark - copy.log.end_offset, 0)
            partitions.append(
                {
                    "partition_index": partition.index,
                    "partition_size": copy.log.size_bytes,
                    "offset_lag": lag,
                    "is_future_key": False,
                }
            )
        if partitions:
            topics.append({"name": topic.name, "partitions": partitions})
    directory = {"error_code": Code.NONE, "log_dir": LOG_DIR, "topics": topics}
    directory |= {"total_bytes": -1, "usable_bytes": -1}
    request.answer({"error_code": Code.NONE, "results": [directory]})


def describe_quorum(request: Request) -> None:
    """Say which controller is active, and that the others follow it [KIP-595]."""
    cluster = request.cluster
    controller = cluster.controller
    code = Code.NONE if controller.decides() else Code.COORDINATOR_NOT_AVAILABLE
    now_ms = cluster.now_ms(request.now_ns)
    # There is no log of decisions; something that grows with them will do.
    end = cluster.nodes[0].activity
    voters = []
    for node in cluster.nodes:
        there = controller.connected(node.node_id)
        voters.append(
            {
                "replica_id": node.node_id,
                "replica_directory_id": NO_ID,
                "log_end_offset": end if there else -1,
                "last_fetch_timestamp": now_ms if there else -1,
                "last_caught_up_timestamp": now_ms if there else -1,
            }
        )
    partition = {
        "partition_index": 0,
        "error_code": code,
        "error_message": None,
        "leader_id": controller.active,
        "leader_epoch": controller.term,
        "high_watermark": end,
        "current_voters": voters,
        "observers": [],
    }
    topic = {"topic_name": "__cluster_metadata", "partitions": [partition]}
    nodes = [
        {
            "node_id": node.node_id,
            "listeners": [{"name": "CONTROLLER", "host": node.host, "port": node.port}],
        }
        for node in cluster.nodes
    ]
    request.answer({"error_code": code, "error_message": None, "topics": [topic], "nodes": nodes})


# -- what is configured to nothing -----------------------------------------------------------------


def describe_acls(request: Request) -> None:
    """There is no authorizer."""
    code = Code.SECURITY_DISABLED
    request.answer({"error_code": code, "error_message": _NO_AUTHORIZER, "resources": []})


def create_acls(request: Request) -> None:
    """There is no authorizer."""
    refused = {"error_code": Code.SECURITY_DISABLED, "error_message": _NO_AUTHORIZER}
    request.answer({"results": [refused for _ in request.body.creations]})


def delete_acls(request: Request) -> None:
    """There is no authorizer."""
    refused = {"error_code": Code.SECURITY_DISABLED, "error_message": _NO_AUTHORIZER}
    results = [{**refused, "matching_acls": []} for _ in request.body.filters]
    request.answer({"filter_results": results})


def describe_client_quotas(request: Request) -> None:
    """Nobody is limited."""
    request.answer({"error_code": Code.NONE, "error_message": None, "entries": []})


def describe_scram_credentials(request: Request) -> None:
    """Nobody logs in by SCRAM."""
    asked = [each.name for each in request.body.users or []]
    missing = Code.RESOURCE_NOT_FOUND
    results = [{"user": name, "error_code": missing, "credential_infos": []} for name in asked]
    request.answer({"error_code": Code.NONE, "error_message": None, "results": results})


def list_config_resources(request: Request) -> None:
    """Say what has settings."""
    kinds = set(request.body.resource_types or []) if request.version >= 1 else {-1}
    rows = [(_TOPIC, name) for name in request.cluster.topics]
    rows += [(_BROKER, str(node.node_id)) for node in request.cluster.nodes]
    request.answer(
        {
            "error_code": Code.NONE,
            "config_resources": [
                {"resource_type": kind, "resource_name": name}
                for kind, name in rows
                if not kinds or kind in kinds
            ],
        }
    )


HANDLERS: Final[Mapping[int, Callable[[Request], None]]] = {
    29: describe_acls,
    30: create_acls,
    31: delete_acls,
    35: describe_log_dirs,
    48: describe_client_quotas,
    50: describe_scram_credentials,
    55: describe_quorum,
    61: describe_producers,
    65: describe_transactions,
    66: list_transactions,
    74: list_config_resources,
    75: describe_topic_partitions,
}
