"""The sandbox's brokers on real TCP ports. The README in this folder is the map."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sandbox.embedded.errors import EmbeddedError as EmbeddedError
    from sandbox.embedded.options import Options as Options
    from sandbox.embedded.process import ServerProcess as ServerProcess
    from sandbox.embedded.server import Server as Server

__all__ = ["EmbeddedError", "Options", "Server", "ServerProcess"]


def __getattr__(name: str) -> Any:
    """Load what is asked for: a command that only needs the options is quick to start."""
    from importlib import import_module

    homes = {
        "EmbeddedError": "errors",
        "Options": "options",
        "Server": "server",
        "ServerProcess": "process",
    }
    if name not in homes:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{homes[name]}"), name)
