"""What lies between two ends of a connection: latency, bandwidth, partitions.

Every end answers to two names, its process and its host, so a fault can be put between `worker`
and `rabbitmq` although everything runs on one machine. The last fault that names a pair wins.
"""

from __future__ import annotations

from dataclasses import dataclass

#: One way, between any two ends, unless a fault says otherwise.
LATENCY_NS = 200_000


@dataclass(frozen=True)
class Link:
    """One way between two ends. `bytes_per_s` of None means no limit."""

    latency_ns: int = LATENCY_NS
    bytes_per_s: int | None = None
    severed: bool = False


class Links:
    """The faults between pairs of names; everything else is a plain `Link`."""

    def __init__(self) -> None:
        self._plain = Link()
        self._pairs: dict[frozenset[str], Link] = {}
        #: Raised by every change, so that ends may keep the link they looked up.
        self.version = 0

    def between(self, some: tuple[str, str], others: tuple[str, str]) -> Link:
        """The link between two ends, each given by its names."""
        link = self._plain
        if self._pairs:
            for pair, candidate in self._pairs.items():
                if any(pair == frozenset((one, other)) for one in some for other in others):
                    link = candidate
        return link

    def set(self, one: str, other: str, link: Link) -> None:
        """Put `link` between two names, in both directions."""
        key = frozenset((one, other))
        self._pairs.pop(key, None)
        self._pairs[key] = link
        self.version += 1

    def heal(self, one: str, other: str) -> None:
        """Take the fault between two names away."""
        self._pairs.pop(frozenset((one, other)), None)
        self.version += 1
