"""Ports of this machine: free ones and taken ones. Who has one is `sandbox.holders`' to say."""

from __future__ import annotations

import socket

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
