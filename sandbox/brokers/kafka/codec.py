"""Requests from bytes, answers to bytes: kafka-python's generated protocol, and what we offer.

`APIS` is what the broker advertises, with the versions it speaks; every client falls back to the
highest version both sides know. Handlers answer with plain dicts and lists under the names of the
protocol's fields, in all versions alike: fields that a version does not have are left out here.

To offer another request, add it to `APIS` and a handler to one of the `HANDLERS`.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from kafka.protocol import admin, consumer, metadata, producer, sasl

from sandbox.brokers.kafka.errors import Code

_START: Final = struct.Struct(">hhi")
API_VERSIONS: Final = 18


class BadRequest(Exception):
    """A request that cannot be read or that nobody offered; Kafka hangs up on it."""


@dataclass(frozen=True, slots=True)
class Api:
    """One kind of request, and the versions of it that are spoken."""

    key: int
    name: str
    request: Any
    response: Any
    lowest: int
    highest: int


def _api(module: Any, name: str, lowest: int, highest: int) -> Api:
    request = getattr(module, f"{name}Request")
    response = getattr(module, f"{name}Response")
    return Api(request.API_KEY, name, request, response, lowest, highest)


APIS: Final[Mapping[int, Api]] = {
    api.key: api
    for api in (
        _api(producer, "Produce", 3, 13),
        _api(consumer, "Fetch", 4, 18),
        _api(consumer, "ListOffsets", 1, 10),
        _api(metadata, "Metadata", 0, 13),
        _api(consumer, "OffsetCommit", 2, 9),
        _api(consumer, "OffsetFetch", 1, 9),
        _api(metadata, "FindCoordinator", 0, 6),
        _api(consumer, "JoinGroup", 2, 9),
        _api(consumer, "Heartbeat", 0, 4),
        _api(consumer, "LeaveGroup", 0, 5),
        _api(consumer, "SyncGroup", 0, 5),
        _api(admin, "DescribeGroups", 0, 6),
        _api(admin, "ListGroups", 0, 5),
        _api(sasl, "SaslHandshake", 0, 1),
        _api(metadata, "ApiVersions", 0, 4),
        _api(admin, "CreateTopics", 2, 7),
        _api(admin, "DeleteTopics", 1, 6),
        _api(admin, "DeleteRecords", 0, 2),
        _api(producer, "InitProducerId", 0, 5),
        _api(consumer, "OffsetForLeaderEpoch", 2, 4),
        _api(producer, "AddPartitionsToTxn", 0, 3),
        _api(producer, "AddOffsetsToTxn", 0, 4),
        _api(producer, "EndTxn", 0, 4),
        _api(producer, "TxnOffsetCommit", 0, 4),
        _api(admin, "DescribeConfigs", 1, 4),
        _api(admin, "AlterConfigs", 0, 2),
        _api(sasl, "SaslAuthenticate", 0, 2),
        _api(admin, "CreatePartitions", 0, 3),
        _api(admin, "DeleteGroups", 0, 2),
        _api(admin, "IncrementalAlterConfigs", 0, 1),
        _api(consumer, "OffsetDelete", 0, 0),
        _api(admin, "DescribeCluster", 0, 2),
        _api(admin, "DescribeAcls", 1, 3),
        _api(admin, "CreateAcls", 1, 3),
        _api(admin, "DeleteAcls", 1, 3),
        _api(admin, "DescribeLogDirs", 1, 4),
        _api(admin, "ElectLeaders", 0, 2),
        _api(admin, "AlterPartitionReassignments", 0, 1),
        _api(admin, "ListPartitionReassignments", 0, 0),
        _api(admin, "DescribeClientQuotas", 0, 1),
        _api(admin, "DescribeUserScramCredentials", 0, 0),
        _api(admin, "DescribeQuorum", 0, 2),
        _api(admin, "DescribeProducers", 0, 0),
        _api(admin, "DescribeTransactions", 0, 0),
        _api(admin, "ListTransactions", 0, 2),
        _api(admin, "ListConfigResources", 0, 1),
        _api(admin, "DescribeTopicPartitions", 0, 0),
    )
}


@dataclass(frozen=True, slots=True)
class Call:
    """A request as it came: which, in what version, from whom, and its fields."""

    api: Api
    version: int
    correlation_id: int
    client_id: str
    body: Any


def decode(frame: bytes) -> Call:
    """Read a request.

    Raises:
        BadRequest: it is cut short, nonsense, or of a kind or version that is not offered. An
            ApiVersions request of any version can be read.
    """
    if len(frame) < _START.size:
        raise BadRequest("a request without a header")
    key, version, correlation_id = _START.unpack_from(frame)
    api = APIS.get(key)
    if api is None:
        raise BadRequest(f"request {key} is not offered; ApiVersions lists what is")
    if not api.lowest <= version <= api.highest:
        if key == API_VERSIONS:
            return Call(api, version, correlation_id, "", None)
        raise BadRequest(
            f"{api.name} version {version} is not offered, only {api.lowest} to {api.highest}"
        )
    try:
        body = api.request.decode(frame, version=version, header=True)
    except (ValueError, IndexError, struct.error, TypeError, AttributeError, OverflowError) as why:
        raise BadRequest(f"{api.name} version {version} cannot be read: {why}") from why
    _refuse_nulls(api.request, body, version)
    return Call(api, version, correlation_id, body.header.client_id or "", body)


def encode(call: Call, values: Mapping[str, Any]) -> bytes:
    """Write the answer to a request, with its length in front."""
    version = call.version
    if not call.api.lowest <= version <= call.api.highest:
        version = 0
    response = _fill(call.api.response, values, version)
    response.API_VERSION = version
    response.with_header(correlation_id=call.correlation_id)
    encoded: bytes = response.encode(header=True, framed=True)
    return encoded


def api_versions_refused() -> dict[str, Any]:
    """The answer to an ApiVersions request that is newer than we are: what we do speak."""
    return {"error_code": Code.UNSUPPORTED_VERSION, "api_keys": offered()}


def offered() -> list[dict[str, int]]:
    """What ApiVersions lists."""
    return [
        {"api_key": api.key, "min_version": api.lowest, "max_version": api.highest}
        for api in sorted(APIS.values(), key=lambda api: api.key)
    ]


@lru_cache(maxsize=1024)
def _rules(cls: Any, version: int) -> tuple[tuple[str, ...], tuple[tuple[str, Any], ...]]:
    """The fields of a version that must not be null, and those that hold structures."""
    fields = [field for field in cls._struct._fields if field.for_version_q(version)]
    # A null UUID is how the library writes the one that is all zeros, a null structure or tagged
    # field how it writes one that was not sent.
    required = tuple(
        f.name
        for f in fields
        if not (f.nullable_for_version_q(version) or f.type_str == "uuid")
        and not (f.is_struct() or f.tag is not None)
    )
    nested = tuple(
        (f.name, getattr(cls, f.type_str)) for f in fields if f.is_struct() or f.is_struct_array()
    )
    return required, nested


def _refuse_nulls(cls: Any, values: Any, version: int) -> None:
    """The library reads null where the protocol has none; handlers should not have to care."""
    required, nested = _rules(cls, version)
    for name in required:
        if getattr(values, name) is None:
            raise BadRequest(f"{cls.__name__} version {version} has a null {name}")
    for name, inner in nested:
        value = getattr(values, name)
        for each in value if isinstance(value, list) else () if value is None else (value,):
            _refuse_nulls(inner, each, version)


@lru_cache(maxsize=1024)
def _layout(cls: Any, version: int) -> tuple[frozenset[str], dict[str, Any]]:
    """The names a version has, and which of them hold structures."""
    names = frozenset(f.name for f in cls._struct._fields if f.for_version_q(version))
    nested = {
        f.name: getattr(cls, f.type_str)
        for f in cls._struct._fields
        if f.is_struct() or f.is_struct_array()
    }
    return names, nested


def _fill(cls: Any, values: Mapping[str, Any], version: int) -> Any:
    names, nested = _layout(cls, version)
    given: dict[str, Any] = {}
    for name, value in values.items():
        if name not in names:
            if name not in cls._struct.fields:
                raise ValueError(f"{cls.__name__} has no field {name!r}")
            continue
        inner = nested.get(name)
        if inner is None or value is None:
            given[name] = value
        elif isinstance(value, Mapping):
            given[name] = _fill(inner, value, version)
        else:
            given[name] = [_fill(inner, each, version) for each in value]
    return cls(version=version, **given)
