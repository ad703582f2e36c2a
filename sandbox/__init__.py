"""A teaching sandbox for message queues: real client libraries in a simulated world.

Learners' programs import two names from here, `record` and `start`.
"""

from sandbox.effects import record, start

__all__ = ["record", "start"]
__version__ = "0.1.0"
