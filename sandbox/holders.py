"""Who has a port of this machine: asked by real servers and by our own when one is taken.

The operating system tells ordinary users about their own processes only (on macOS about nobody's);
where it does not know, nothing is said.
"""

from __future__ import annotations

from contextlib import suppress


def holder(port: int) -> str:
    """Name the process that listens there, as "redis-server (process 4711)"; "" if unknown."""
    import psutil  # asked when something is wrong only; `sandbox up` must start quickly

    with suppress(psutil.Error, OSError, RuntimeError):
        for connection in psutil.net_connections("tcp"):
            local = connection.laddr
            if connection.status != psutil.CONN_LISTEN or not local or not connection.pid:
                continue
            if local.port == port:
                name = psutil.Process(connection.pid).name()
                return f"{name} (process {connection.pid})"
    return ""
