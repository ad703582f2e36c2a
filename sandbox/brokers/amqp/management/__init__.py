"""RabbitMQ's HTTP management API, sans-IO. The README in this folder is the map."""

from sandbox.brokers.amqp.management.server import Server

__all__ = ["Server"]
