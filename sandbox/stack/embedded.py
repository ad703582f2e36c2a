"""`sandbox check --stack embedded`: real processes against the sandbox's own brokers over TCP.

Everything is as on the live stack, except for the server: one embedded server, in a process of its
own on free ports, is started for all the runs of a check and ends with this program.
"""

from __future__ import annotations

import atexit

from sandbox.embedded import EmbeddedError, ServerProcess
from sandbox.stack.base import CrashPoint, StackUnavailable
from sandbox.stack.live.settings import Settings
from sandbox.stack.live.stack import LiveStack

_servers: list[ServerProcess] = []


class EmbeddedStack(LiveStack):
    """A run in a virtual host of its own on the embedded server.

    Raises:
        StackUnavailable: the server cannot be started; says why.
    """

    name = "embedded"

    def __init__(
        self,
        seed: int = 1,
        *,
        settings: Settings | None = None,
        crash_point: CrashPoint | None = None,
    ) -> None:
        super().__init__(seed, settings=settings or _running(), crash_point=crash_point)


def _running() -> Settings:
    """Where the embedded server is; starts it the first time."""
    if not _servers:
        try:
            _servers.append(ServerProcess(only=("rabbitmq",)).start())
        except EmbeddedError as problem:
            raise StackUnavailable(str(problem)) from problem
        atexit.register(_servers[0].kill)
    server = _servers[0]
    host = server.options.host
    return Settings(
        host=host,
        port=server.ports["rabbitmq"],
        user="guest",
        password="guest",
        management_url=f"http://{host}:{server.ports['management']}",
    )
