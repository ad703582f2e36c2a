"""Mosquitto's behaviour over MQTT 3.1, 3.1.1 and 5, sans-IO. The README is the map."""

from sandbox.brokers.mqtt.broker import Broker
from sandbox.brokers.mqtt.errors import MqttError, Reason

__all__ = ["Broker", "MqttError", "Reason"]
