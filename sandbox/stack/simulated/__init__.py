"""The simulated stack: a world with brokers, every process a fiber, every second virtual.

Files:
    brokers     which brokers a world can hold, and how each is made
    stack       `SimulatedStack`, what checks and `sandbox run` use
    process     a process of the world, as checks see it
    rabbitmq    the checks' administrator of the simulated RabbitMQ

To add a broker to worlds, add it to `brokers` and give it an observer beside `rabbitmq`.
"""

from sandbox.stack.simulated.stack import SimulatedStack

__all__ = ["SimulatedStack"]
