"""A teaching sandbox for message queues: real client libraries in a simulated world."""

__version__ = "0.1.0"
