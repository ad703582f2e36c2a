"""Requests of administrators: topics made, changed and deleted, settings read and changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from sandbox.brokers.kafka.cluster import NO_ID
from sandbox.brokers.kafka.configs import BROKER_CONFIGS, TOPIC_CONFIGS, check_topic_config
from sandbox.brokers.kafka.connection import Request
from sandbox.brokers.kafka.errors import Code, KafkaError
from sandbox.brokers.kafka.topics import Topic

_TOPIC, _BROKER = 2, 4
#: Where a setting's value comes from, as DescribeConfigs numbers it.
_FROM_TOPIC, _FROM_BROKER_FILE, _FROM_DEFAULT = 1, 4, 5
_SET, _DELETE, _APPEND, _SUBTRACT = 0, 1, 2, 3


def create_topics(request: Request) -> None:
    """Create topics, each for itself."""
    cluster = request.cluster
    names = [wanted.name for wanted in request.body.topics]
    results = []
    for wanted in request.body.topics:
        result: dict[str, Any] = {"name": wanted.name, "topic_id": NO_ID, "error_message": None}
        try:
            if names.count(wanted.name) > 1:
                raise KafkaError(Code.INVALID_REQUEST, "Duplicate topic name.")
            cluster.controller.require(request.broker.node_id)
            topic = cluster.create_topic(
                wanted.name,
                wanted.num_partitions,
                wanted.replication_factor,
                {each.name: each.value for each in wanted.configs},
                assignments={
                    each.partition_index: list(each.broker_ids) for each in wanted.assignments
                },
                validate_only=request.body.validate_only,
                connection=request.peer,
            )
            request.broker.happened()
            result |= {
                "error_code": Code.NONE,
                "topic_id": topic.topic_id,
                "num_partitions": len(topic.partitions),
                "replication_factor": len(topic.partitions[0].replicas),
                "configs": [
                    {
                        "name": name,
                        "value": topic.config(name),
                        "read_only": False,
                        "config_source": _source(topic, name),
                        "is_sensitive": False,
                    }
                    for name in TOPIC_CONFIGS
                ],
            }
        except KafkaError as why:
            result |= {
                "error_code": why.code,
                "error_message": why.message or None,
                "num_partitions": -1,
                "replication_factor": -1,
                "configs": None if request.version < 5 else [],
            }
        results.append(result)
    request.answer({"topics": results})


def delete_topics(request: Request) -> None:
    """Delete topics, by name or by id."""
    body = request.body
    wanted = (
        [(each.name, each.topic_id) for each in body.topics]
        if request.version >= 6
        else [(name, None) for name in body.topic_names]
    )
    responses = []
    for name, topic_id in wanted:
        response: dict[str, Any] = {"name": name, "topic_id": topic_id or NO_ID}
        try:
            request.cluster.controller.require(request.broker.node_id)
            topic = request.cluster.topic_for(name, topic_id)
            response |= {"name": topic.name, "topic_id": topic.topic_id, "error_code": Code.NONE}
            request.cluster.delete_topic(topic, connection=request.peer)
            request.broker.happened()
        except KafkaError as why:
            response |= {"error_code": why.code, "error_message": why.message or None}
        responses.append(response)
    request.answer({"responses": responses})


def create_partitions(request: Request) -> None:
    """Let topics have more partitions. Keys may go elsewhere from then on."""
    body = request.body
    results = []
    for wanted in body.topics:
        result: dict[str, Any] = {"name": wanted.name, "error_message": None}
        try:
            request.cluster.controller.require(request.broker.node_id)
            assignments = wanted.assignments
            request.cluster.add_partitions(
                request.cluster.topic(wanted.name),
                wanted.count,
                None if assignments is None else [list(each.broker_ids) for each in assignments],
                validate_only=body.validate_only,
            )
            request.broker.happened()
            result["error_code"] = Code.NONE
        except KafkaError as why:
            result |= {"error_code": why.code, "error_message": why.message or None}
        results.append(result)
    request.answer({"results": results})


# -- settings --------------------------------------------------------------------------------------


def describe_configs(request: Request) -> None:
    """Say what is set, for topics and brokers."""
    results = []
    for wanted in request.body.resources:
        result: dict[str, Any] = {
            "error_code": Code.NONE,
            "error_message": None,
            "resource_type": wanted.resource_type,
            "resource_name": wanted.resource_name,
            "configs": [],
        }
        try:
            rows = _settings(request, wanted.resource_type, wanted.resource_name)
            keys = wanted.configuration_keys
            result["configs"] = [
                _shown(request, *row) for row in rows if not keys or row[0] in keys
            ]
        except KafkaError as why:
            result |= {"error_code": why.code, "error_message": why.message or None}
        results.append(result)
    request.answer({"results": results})


def _settings(request: Request, kind: int, name: str) -> list[tuple[str, str, int, int, bool]]:
    """Name, value, source, type, read-only of each setting."""
    cluster = request.cluster
    if kind == _TOPIC:
        topic = cluster.topic(name)
        return [
            (key, topic.config(key), _source(topic, key), TOPIC_CONFIGS[key][1], False)
            for key in TOPIC_CONFIGS
        ]
    if kind == _BROKER:
        if name and name != str(request.broker.node_id):
            raise KafkaError(
                Code.INVALID_REQUEST,
                f"Unexpected broker id, expected {request.broker.node_id}, but received {name}",
            )
        return [
            (
                key,
                cluster.configs[key],
                _FROM_DEFAULT if cluster.configs[key] == default else _FROM_BROKER_FILE,
                type_,
                True,
            )
            for key, (default, type_) in BROKER_CONFIGS.items()
        ]
    raise KafkaError(Code.INVALID_REQUEST, f"Unsupported resource type: {kind}")


def _source(topic: Topic, name: str) -> int:
    return _FROM_TOPIC if name in topic.configs else _FROM_DEFAULT


def _shown(
    request: Request, name: str, value: str, source: int, type_: int, read_only: bool
) -> dict[str, Any]:
    synonyms = []
    if request.body.include_synonyms:
        synonyms.append({"name": name, "value": value, "source": source})
    return {
        "name": name,
        "value": value,
        "read_only": read_only,
        "config_source": source,
        "is_sensitive": False,
        "synonyms": synonyms,
        "config_type": type_,
        "documentation": None,
    }


def alter_configs(request: Request) -> None:
    """Replace all settings of topics by these."""

    def replace(topic: Topic, changes: Any) -> dict[str, str]:
        return {each.name: check_topic_config(each.name, each.value) for each in changes}

    _alter(request, replace)


def incremental_alter_configs(request: Request) -> None:
    """Change single settings of topics [KIP-339]."""

    def change(topic: Topic, changes: Any) -> dict[str, str]:
        configs = dict(topic.configs)
        for each in changes:
            if each.config_operation == _DELETE:
                check_topic_config(each.name, TOPIC_CONFIGS.get(each.name, ("",))[0])
                configs.pop(each.name, None)
                continue
            value = each.value
            if each.config_operation in (_APPEND, _SUBTRACT):
                if each.name != "cleanup.policy":
                    raise KafkaError(Code.INVALID_CONFIG, f"{each.name} is not a list")
                old = [part for part in topic.config(each.name).split(",") if part]
                if each.config_operation == _APPEND:
                    parts = old + [part for part in value.split(",") if part not in old]
                else:
                    parts = [part for part in old if part not in value.split(",")]
                value = ",".join(parts)
            elif each.config_operation != _SET:
                raise KafkaError(
                    Code.INVALID_REQUEST, f"no operation has number {each.config_operation}"
                )
            configs[each.name] = check_topic_config(each.name, value)
        return configs

    _alter(request, change)


def _only_unsets(request: Request, changes: Any) -> bool:
    """Whether somebody tidies up: takes away what nobody has set."""
    return request.call.api.name == "IncrementalAlterConfigs" and all(
        each.config_operation == _DELETE for each in changes
    )


def _alter(request: Request, change: Callable[[Topic, Any], dict[str, str]]) -> None:
    responses = []
    for wanted in request.body.resources:
        response: dict[str, Any] = {
            "error_code": Code.NONE,
            "error_message": None,
            "resource_type": wanted.resource_type,
            "resource_name": wanted.resource_name,
        }
        try:
            if wanted.resource_type == _BROKER and _only_unsets(request, wanted.configs):
                responses.append(response)
                continue
            if wanted.resource_type != _TOPIC:
                raise KafkaError(
                    Code.INVALID_REQUEST,
                    "the sandbox changes settings of topics; a broker's are given when it starts",
                )
            request.cluster.controller.require(request.broker.node_id)
            topic = request.cluster.topic(wanted.resource_name)
            configs = change(topic, wanted.configs)
            if not request.body.validate_only:
                request.cluster.configure_topic(topic, configs, connection=request.peer)
                request.broker.happened()
        except KafkaError as why:
            response |= {"error_code": why.code, "error_message": why.message or None}
        responses.append(response)
    request.answer({"responses": responses})


HANDLERS: Final[Mapping[int, Callable[[Request], None]]] = {
    19: create_topics,
    20: delete_topics,
    32: describe_configs,
    33: alter_configs,
    37: create_partitions,
    44: incremental_alter_configs,
}
