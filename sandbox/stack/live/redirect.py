"""Inside an exercise's process: RabbitMQ's usual address leads to the run's proxy.

Only where a connection goes and who hears of sleeps is changed, below the client libraries: they
and the exercise see the addresses they asked for. To redirect another port, extend `_PORTS`; to
count another call as sleeping, wrap it in `report_sleeps`.
"""

from __future__ import annotations

import asyncio
import functools
import socket
import time
from collections.abc import Callable
from typing import Any

_HOSTS = {"localhost", "127.0.0.1", "::1", "0.0.0.0", "rabbitmq"}
_PORTS = {5672}
#: Shorter sleeps are over before anybody could mistake the process for an idle one.
_WORTH_TELLING_S = 0.02


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


def report_sleeps(tell: Callable[[str, float], None]) -> None:
    """Call `tell("sleep", seconds)` before every sleep and `tell("waking", seconds)` after."""
    system_sleep = time.sleep

    @functools.wraps(system_sleep)
    def sleep(seconds: float, /) -> None:
        if not seconds >= _WORTH_TELLING_S:
            system_sleep(seconds)
            return
        tell("sleep", float(seconds))
        system_sleep(seconds)
        tell("waking", float(seconds))

    setattr(time, "sleep", sleep)  # noqa: B010

    async_sleep = asyncio.sleep

    @functools.wraps(async_sleep)
    async def sleep_task(delay: float, result: Any = None) -> Any:
        if not delay >= _WORTH_TELLING_S:
            return await async_sleep(delay, result)
        tell("sleep", float(delay))
        try:
            return await async_sleep(delay, result)
        finally:
            tell("waking", float(delay))

    asyncio.sleep = sleep_task
    asyncio.tasks.sleep = sleep_task
    _report_sleeps_of_pika(tell)


def _report_sleeps_of_pika(tell: Callable[[str, float], None]) -> None:
    """While `connection.sleep` pika serves the connection; it is a sleep all the same."""
    try:
        from pika.adapters.blocking_connection import BlockingConnection
    except ImportError:
        return
    pika_sleep = BlockingConnection.sleep

    @functools.wraps(pika_sleep)
    def sleep(self: Any, duration: float) -> None:
        if not duration >= _WORTH_TELLING_S:
            pika_sleep(self, duration)
            return
        tell("sleep", float(duration))
        pika_sleep(self, duration)
        tell("waking", float(duration))

    setattr(BlockingConnection, "sleep", sleep)  # noqa: B010
