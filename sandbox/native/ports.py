"""Ports of this machine: free ones, taken ones, and who has them.

`holder` asks the operating system, which tells an ordinary user about their own processes only (on
macOS about nobody's); where it does not know, it says nothing.
"""

from __future__ import annotations

import socket
from contextlib import suppress

import psutil

LOCAL = "127.0.0.1"


def free_ports(count: int) -> list[int]:
    """Ask the system for free ports on 127.0.0.1, all different."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind((LOCAL, 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def answers(port: int, host: str = LOCAL, timeout_s: float = 2.0) -> bool:
    """Say whether something accepts connections there."""
    try:
        socket.create_connection((host, port), timeout_s).close()
    except OSError:
        return False
    return True


def taken(port: int) -> bool:
    """Say whether a server of ours could not listen there."""
    if answers(port, timeout_s=0.5):
        return True
    with socket.socket() as probe:
        # Connections that have just ended keep nobody from listening; servers ask for the same.
        if hasattr(socket, "SO_REUSEADDR") and not hasattr(socket, "SO_EXCLUSIVEADDRUSE"):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOCAL, port))
        except OSError:
            return True
    return False


def holder(port: int) -> str:
    """Name the process that listens there, as "redis-server (process 4711)"; "" if unknown."""
    with suppress(psutil.Error, OSError, RuntimeError):
        for connection in psutil.net_connections("tcp"):
            local = connection.laddr
            if connection.status != psutil.CONN_LISTEN or not local or not connection.pid:
                continue
            if local[1] == port:
                name = psutil.Process(connection.pid).name()
                return f"{name} (process {connection.pid})"
    return ""
