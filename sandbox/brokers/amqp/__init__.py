"""RabbitMQ's behaviour over AMQP 0-9-1, sans-IO. The README in this folder is the map."""

from sandbox.brokers.amqp.broker import Broker
from sandbox.brokers.amqp.errors import AmqpError

__all__ = ["AmqpError", "Broker"]
