"""A teaching sandbox for message queues: real client libraries in a simulated world.

Learners' programs import two names from here, `record` and `start`.
"""

from sandbox.effects import record, start

__all__ = ["record", "start"]
__version__ = "0.1.0"


def load_ipython_extension(shell: object) -> None:
    """`%load_ext sandbox` in a notebook: every following cell runs inside a world."""
    from sandbox.course import ipython

    ipython.load_ipython_extension(shell)


def unload_ipython_extension(shell: object) -> None:
    """`%unload_ext sandbox`: cells are ordinary again."""
    from sandbox.course import ipython

    ipython.unload_ipython_extension(shell)
