"""Kafka's behaviour over its own protocol, sans-IO. The README in this folder is the map."""

from sandbox.brokers.kafka.broker import Broker
from sandbox.brokers.kafka.cluster import Cluster
from sandbox.brokers.kafka.errors import Code, KafkaError

__all__ = ["Broker", "Cluster", "Code", "KafkaError"]
