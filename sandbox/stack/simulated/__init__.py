"""The simulated stack: a world with brokers, every process a fiber, every second virtual.

Files:
    brokers     which brokers a world can hold, and how each is made
    stack       `SimulatedStack`, what checks and `sandbox run` use
    process     a process of the world, as checks see it
    rabbitmq, kafka, redis, mqtt    the checks' administrators of the simulated brokers
    late        a broker that is made when somebody first connects
    imports     libraries are imported before the programs that want them run
    crashes     which crash points are worth a run of their own

To add a broker to worlds, add it to `brokers` and give it an observer beside `rabbitmq`.
"""

from sandbox.stack.simulated.stack import SimulatedStack

__all__ = ["SimulatedStack"]
