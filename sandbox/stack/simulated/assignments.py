"""Read what a consumer group's leader assigned to a member: version, then topics and partitions.

[kafka.apache.org/protocol "ConsumerProtocolAssignment"]
"""

from __future__ import annotations


def assigned(assignment: bytes) -> tuple[tuple[str, int], ...]:
    """The (topic, partition) pairs of an assignment, sorted; none if it cannot be read."""
    found = []
    try:
        at = 2
        topics, at = _number(assignment, at, 4)
        for _ in range(topics):
            length, at = _number(assignment, at, 2)
            name = assignment[at : at + length].decode()
            at += length
            count, at = _number(assignment, at, 4)
            for _ in range(count):
                partition, at = _number(assignment, at, 4)
                found.append((name, partition))
    except ValueError:
        return ()
    return tuple(sorted(found))


def _number(data: bytes, at: int, size: int) -> tuple[int, int]:
    if at + size > len(data):
        raise ValueError("cut short")
    return int.from_bytes(data[at : at + size], "big"), at + size
