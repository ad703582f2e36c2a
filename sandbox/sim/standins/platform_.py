"""Stand-in for the Python version and the machine that client libraries tell servers and people.

pika and others send it when they connect, and a trace must not depend on which Python ran it.
"""

from __future__ import annotations

import platform

from sandbox.sim.standins import context
from sandbox.sim.standins.installation import Replace, is_importing

#: What a world's programs say they run on.
PYTHON_VERSION = "3.13.0"
PYTHON_BUILD = ("main", "")
PLATFORM = "Linux-6.12.0-x86_64"
NODE = "localhost"


def install(replace: Replace) -> None:
    """Put the stand-ins in place."""
    version, build = platform.python_version, platform.python_build
    implementation = platform.python_implementation

    whole, node = platform.platform, platform.node

    def inside() -> bool:
        return context.current() is not None or is_importing()

    def python_version() -> str:
        """See `platform.python_version`."""
        return PYTHON_VERSION if inside() else version()

    def python_build() -> tuple[str, str]:
        """See `platform.python_build`."""
        return PYTHON_BUILD if inside() else build()

    def python_implementation() -> str:
        """See `platform.python_implementation`."""
        return "CPython" if inside() else implementation()

    def platform_name(aliased: bool = False, terse: bool = False) -> str:
        """See `platform.platform`."""
        return PLATFORM if inside() else whole(aliased, terse)

    def node_name() -> str:
        """See `platform.node`."""
        return NODE if inside() else node()

    replace(platform, "platform", platform_name)
    replace(platform, "node", node_name)
    replace(platform, "python_version", python_version)
    replace(platform, "python_build", python_build)
    replace(platform, "python_implementation", python_implementation)
