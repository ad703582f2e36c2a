"""Inside an exercise's process: RabbitMQ's usual address leads to the run's proxy.

Only where a connection goes is changed, below the client libraries: they and the exercise see the
addresses they asked for. To redirect another port, extend `_PORTS`.
"""

from __future__ import annotations

import socket
from typing import Any

_HOSTS = {"localhost", "127.0.0.1", "::1", "0.0.0.0", "rabbitmq"}
_PORTS = {5672}


def _is_rabbitmq(address: Any) -> bool:
    if not isinstance(address, tuple) or len(address) < 2:
        return False
    return address[0] in _HOSTS and address[1] in _PORTS


def install(target: tuple[str, int]) -> None:
    """From now on, connections to RabbitMQ's usual address go to `target` (an IPv4 address)."""
    resolve = socket.getaddrinfo

    def getaddrinfo(host: Any, port: Any, *rest: Any, **named: Any) -> Any:
        """As the system's, except that RabbitMQ's names have one address, and a real one."""
        name = host.decode() if isinstance(host, bytes) else host
        try:
            ours = name in _HOSTS and int(port) in _PORTS
        except (TypeError, ValueError):
            ours = False
        if not ours:
            return resolve(host, port, *rest, **named)
        kind = named.get("type", rest[1] if len(rest) > 1 else 0) or socket.SOCK_STREAM
        address = ("127.0.0.1", int(port))
        return [(socket.AF_INET, kind, socket.IPPROTO_TCP, "", address)]

    class Socket(socket.socket):
        """A socket that connects to the run's proxy instead of the usual address."""

        def connect(self, address: Any) -> None:
            super().connect(target if _is_rabbitmq(address) else address)

        def connect_ex(self, address: Any) -> int:
            return super().connect_ex(target if _is_rabbitmq(address) else address)

    Socket.__name__ = Socket.__qualname__ = "socket"
    namespace: dict[str, Any] = socket.__dict__
    namespace["getaddrinfo"] = getaddrinfo
    namespace["socket"] = Socket
