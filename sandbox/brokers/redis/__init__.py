"""Redis's behaviour over RESP2 and RESP3, sans-IO. The README in this folder is the map."""

from sandbox.brokers.redis.broker import Broker

__all__ = ["Broker"]
