"""How much of this machine clients may use up.

A client that does not take what it is sent makes its bytes pile up here. As real brokers do, the
server first stops reading from it, so that it cannot ask for more; where that does not help (it is
sent what others publish), it is cut off. What an unread byte costs is bounded per client and for
all of them together.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Final

_MEGABYTE: Final = 1 << 20
#: Above this much unsent in all, the clients with the most of it are cut off.
MOST_UNSENT_BYTES: Final = 512 * _MEGABYTE
#: How many clients at once, unless the system allows fewer.
MOST_CONNECTIONS: Final = 10_000
#: How long a client may take to read the end of what it is sent, and to hang up.
LINGER_S: Final = 5.0
#: After this long without a word, the system asks whether the other end is still there...
KEEPALIVE_IDLE_S: Final = 60
#: ... this often, this far apart.
KEEPALIVE_PROBES: Final = 4
KEEPALIVE_EVERY_S: Final = 15
#: A file of kept data is not written anew while the server runs before it is this large.
LEAST_BYTES: Final = 16 * _MEGABYTE
#: Files that are open for other reasons than clients.
_OTHER_FILES: Final = 64


@dataclass(frozen=True)
class Limits:
    """What one broker allows a client that does not read."""

    #: So much unsent, and it is not read any more (where `stops_reading`).
    high_water_bytes: int = _MEGABYTE
    #: So much unsent, and it is cut off.
    most_unsent_bytes: int = 128 * _MEGABYTE
    #: Redis goes on reading: its clients send whole pipelines before they read the first reply.
    stops_reading: bool = True


def connections_possible(wanted: int = MOST_CONNECTIONS) -> int:
    """How many clients there can be, after asking the system for as many as it gives."""
    try:
        import resource
    except ImportError:  # Windows has no such limit.
        return wanted
    needed = wanted + _OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return wanted
    raised = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (raised, hard))
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(1, min(wanted, soft - _OTHER_FILES))
