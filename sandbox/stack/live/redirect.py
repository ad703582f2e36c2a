"""Inside an exercise's process: the brokers' usual addresses lead to the run's proxies.

Only where a connection goes is changed, below the client libraries: they and the exercise see the
addresses they asked for. Which ports lead where is the run's to say; to let a broker be known by
another name, extend `_HOSTS`.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import Any

_HOSTS = {
    *("localhost", "127.0.0.1", "::1", "0.0.0.0"),
    *("rabbitmq", "kafka", "redis", "mqtt", "mosquitto"),
    *(f"kafka-{node}" for node in range(1, 10)),
}
_HERE = "127.0.0.1"


def install(redirects: Mapping[int, int]) -> None:
    """From now on, connections to a key's port on this machine go to its value's."""
    resolve = socket.getaddrinfo

    def leads_to(address: Any) -> Any:
        """The address that a connection really goes to."""
        if isinstance(address, tuple) and len(address) >= 2 and address[0] in _HOSTS:
            port = redirects.get(address[1])
            if port is not None:
                return (_HERE, port)
        return address

    def getaddrinfo(host: Any, port: Any, *rest: Any, **named: Any) -> Any:
        """As the system's, except that the brokers' names have one address, and a real one."""
        name = host.decode() if isinstance(host, bytes) else host
        try:
            ours = name in _HOSTS and int(port) in redirects
        except (TypeError, ValueError):
            ours = False
        if not ours:
            return resolve(host, port, *rest, **named)
        kind = named.get("type", rest[1] if len(rest) > 1 else 0) or socket.SOCK_STREAM
        return [(socket.AF_INET, kind, socket.IPPROTO_TCP, "", (_HERE, int(port)))]

    class Socket(socket.socket):
        """A socket that connects to the run's proxies instead of the usual addresses."""

        def connect(self, address: Any) -> None:
            super().connect(leads_to(address))

        def connect_ex(self, address: Any) -> int:
            return super().connect_ex(leads_to(address))

    Socket.__name__ = Socket.__qualname__ = "socket"
    namespace: dict[str, Any] = socket.__dict__
    namespace["getaddrinfo"] = getaddrinfo
    namespace["socket"] = Socket
