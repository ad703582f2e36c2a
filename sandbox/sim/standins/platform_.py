"""Stand-in for the Python version that client libraries tell servers.

pika and others send it when they connect, and a trace must not depend on which Python ran it.
"""

from __future__ import annotations

import platform

from sandbox.sim.standins import context
from sandbox.sim.standins.installation import Replace, is_importing

#: What a world's programs say they run on.
PYTHON_VERSION = "3.13.0"
PYTHON_BUILD = ("main", "")


def install(replace: Replace) -> None:
    """Put the stand-ins in place."""
    version, build = platform.python_version, platform.python_build
    implementation = platform.python_implementation

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

    replace(platform, "python_version", python_version)
    replace(platform, "python_build", python_build)
    replace(platform, "python_implementation", python_implementation)
