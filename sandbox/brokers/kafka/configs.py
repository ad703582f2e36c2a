"""What can be configured: a topic's settings with Kafka's defaults, and a broker's.

Settings of a topic that change nothing here are refused by name when somebody sets them to
something else than the default, never ignored. To make one work, read it where it matters and move
its name to `HONOURED`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sandbox.brokers.kafka.errors import Code, KafkaError

#: Kinds of values as DescribeConfigs numbers them.
BOOLEAN, STRING, INT, SHORT, LONG, DOUBLE, LIST = 1, 2, 3, 4, 5, 6, 7

TOPIC_CONFIGS: Final[Mapping[str, tuple[str, int]]] = {
    "cleanup.policy": ("delete", LIST),
    "compression.type": ("producer", STRING),
    "delete.retention.ms": ("86400000", LONG),
    "file.delete.delay.ms": ("60000", LONG),
    "follower.replication.throttled.replicas": ("", LIST),
    "flush.messages": ("9223372036854775807", LONG),
    "flush.ms": ("9223372036854775807", LONG),
    "index.interval.bytes": ("4096", INT),
    "leader.replication.throttled.replicas": ("", LIST),
    "max.compaction.lag.ms": ("9223372036854775807", LONG),
    "max.message.bytes": ("1048588", INT),
    "message.timestamp.after.max.ms": ("3600000", LONG),
    "message.timestamp.before.max.ms": ("9223372036854775807", LONG),
    "message.timestamp.type": ("CreateTime", STRING),
    "min.cleanable.dirty.ratio": ("0.5", DOUBLE),
    "min.compaction.lag.ms": ("0", LONG),
    "min.insync.replicas": ("1", INT),
    "preallocate": ("false", BOOLEAN),
    "retention.bytes": ("-1", LONG),
    "retention.ms": ("604800000", LONG),
    "segment.bytes": ("1073741824", INT),
    "segment.index.bytes": ("10485760", INT),
    "segment.jitter.ms": ("0", LONG),
    "segment.ms": ("604800000", LONG),
    "unclean.leader.election.enable": ("false", BOOLEAN),
}

#: What this broker acts on.
HONOURED: Final = frozenset(
    {
        "cleanup.policy",
        "delete.retention.ms",
        "max.compaction.lag.ms",
        "min.cleanable.dirty.ratio",
        "min.compaction.lag.ms",
        "max.message.bytes",
        "message.timestamp.type",
        "min.insync.replicas",
        "retention.bytes",
        "retention.ms",
        "segment.bytes",
        "segment.ms",
        "unclean.leader.election.enable",
    }
)
#: What only matters to files and caches: any value is as good as another.
HARMLESS: Final = frozenset(
    {
        "file.delete.delay.ms",
        "flush.messages",
        "follower.replication.throttled.replicas",
        "leader.replication.throttled.replicas",
        "flush.ms",
        "index.interval.bytes",
        "preallocate",
        "segment.index.bytes",
        "segment.jitter.ms",
    }
)

BROKER_CONFIGS: Final[Mapping[str, tuple[str, int]]] = {
    "auto.create.topics.enable": ("true", BOOLEAN),
    "auto.leader.rebalance.enable": ("true", BOOLEAN),
    "broker.session.timeout.ms": ("9000", INT),
    "default.replication.factor": ("1", INT),
    "group.initial.rebalance.delay.ms": ("0", INT),
    "group.max.session.timeout.ms": ("1800000", INT),
    "group.min.session.timeout.ms": ("6000", INT),
    "leader.imbalance.check.interval.seconds": ("300", LONG),
    "log.cleaner.backoff.ms": ("15000", LONG),
    "log.retention.check.interval.ms": ("300000", LONG),
    "num.partitions": ("1", INT),
    "offsets.topic.num.partitions": ("50", INT),
    "offsets.topic.replication.factor": ("3", SHORT),
    "replica.lag.time.max.ms": ("30000", LONG),
    "transaction.max.timeout.ms": ("900000", INT),
    "transaction.state.log.min.isr": ("2", INT),
    "transaction.state.log.num.partitions": ("50", INT),
    "transaction.state.log.replication.factor": ("3", SHORT),
}


def _is_share(value: str) -> bool:
    try:
        return 0 <= float(value) <= 1
    except ValueError:
        return False


def check_topic_config(name: str, value: str | None) -> str:
    """Return the value, if a topic may have it.

    Raises:
        KafkaError: 40, no such setting, not a value for it, or one that would be ignored here.
    """
    if name not in TOPIC_CONFIGS:
        raise KafkaError(Code.INVALID_CONFIG, f"Unknown topic config name: {name}")
    default, kind = TOPIC_CONFIGS[name]
    if value is None:
        raise KafkaError(Code.INVALID_CONFIG, f"Null value not supported for topic configs: {name}")
    if kind in (INT, LONG):
        try:
            number = int(value)
        except ValueError:
            raise KafkaError(
                Code.INVALID_CONFIG,
                f"Invalid value {value} for configuration {name}: Not a number of type"
                f" {'INT' if kind == INT else 'LONG'}",
            ) from None
        if number < -1 or (number < 0 and not name.startswith("retention.")):
            raise KafkaError(Code.INVALID_CONFIG, f"Invalid value {value} for configuration {name}")
    if name == "message.timestamp.type" and value not in ("CreateTime", "LogAppendTime"):
        raise KafkaError(Code.INVALID_CONFIG, f"Invalid value {value} for configuration {name}")
    if kind == DOUBLE and not _is_share(value):
        raise KafkaError(Code.INVALID_CONFIG, f"Invalid value {value} for configuration {name}")
    if name == "cleanup.policy" and not set(value.split(",")) <= {"delete", "compact"}:
        raise KafkaError(Code.INVALID_CONFIG, f"Invalid value {value} for configuration {name}")
    if kind == BOOLEAN and value not in ("true", "false"):
        raise KafkaError(Code.INVALID_CONFIG, f"Invalid value {value} for configuration {name}")
    if value != default and name not in HONOURED and name not in HARMLESS:
        raise KafkaError(
            Code.INVALID_CONFIG,
            f"the sandbox does not support {name}={value}; the only value it has is {default}",
        )
    return value
