"""Listening on ports, and saying who has one that is taken.

All ports are taken before anything else happens, so a server either has all of them or none, and
clients that come early wait in the system's queue instead of being refused.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping, Sequence

from sandbox.embedded.errors import EmbeddedError, PortsTaken
from sandbox.holders import holder

#: How many clients may wait to be accepted.
BACKLOG = 1024
_OFFSETS = (1_000, 2_000, 3_000, 4_000, 20_000, 25_000)


def listen_all(
    host: str, wanted: Mapping[str, int], *, offset: int = 0
) -> dict[str, socket.socket]:
    """Listen on every port of `wanted` (what it is for -> number, 0 for any that is free).

    `offset` says by how much they have been moved already, for the advice when one is taken.

    Raises:
        PortsTaken: some are in use; names each, and who has it where that can be seen.
        EmbeddedError: the host is none of this machine's, or a port may not be used.
    """
    sockets: dict[str, socket.socket] = {}
    taken: list[tuple[str, int]] = []
    try:
        for purpose, port in wanted.items():
            try:
                sockets[purpose] = _listen(host, port)
            except OSError as error:
                if not _is_taken(error):
                    raise _unusable(host, purpose, port, error) from error
                taken.append((purpose, port))
        if taken:
            raise PortsTaken(_sentence(host, taken, list(wanted.values()), offset))
    except BaseException:
        for each in sockets.values():
            each.close()
        raise
    return sockets


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        if os.name == "posix":
            # A port whose last connections are still being forgotten is free.
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        elif hasattr(socket, "SO_EXCLUSIVEADDRUSE"):
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        if family == socket.AF_INET6 and hasattr(socket, "IPV6_V6ONLY"):
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listening.bind((host, port))
        listening.listen(BACKLOG)
        listening.setblocking(False)
    except BaseException:
        listening.close()
        raise
    return listening


def _is_taken(error: OSError) -> bool:
    import errno

    return error.errno == errno.EADDRINUSE or getattr(error, "winerror", None) == 10048


def _unusable(host: str, purpose: str, port: int, error: OSError) -> EmbeddedError:
    if isinstance(error, PermissionError):
        return EmbeddedError(
            f"Port {port} for {purpose} may not be used by you ({error.strerror}). "
            "Move all ports with --port-offset."
        )
    return EmbeddedError(
        f"{host} port {port} for {purpose} cannot be listened on ({error.strerror or error}). "
        "--host takes an address of this machine: 127.0.0.1 for it alone, 0.0.0.0 for all."
    )


def _sentence(
    host: str, taken: Sequence[tuple[str, int]], all_ports: Sequence[int], moved: int
) -> str:
    parts = []
    for purpose, port in taken:
        who = holder(port)
        parts.append(f"port {port} for {purpose} is taken{f' by {who}' if who else ''}")
    told = "; ".join(parts)
    offset = _free_offset(host, all_ports)
    advice = (
        f"Stop what uses {'it' if len(taken) == 1 else 'them'}"
        + (f", or move all ports: sandbox up --port-offset {moved + offset}" if offset else "")
        + ". --only starts some of the brokers."
    )
    return f"{told[0].upper()}{told[1:]}. {advice}"


def _free_offset(host: str, all_ports: Sequence[int]) -> int | None:
    """A number that makes every port a free one."""
    for offset in _OFFSETS:
        sockets = []
        try:
            for port in all_ports:
                sockets.append(_listen(host, port + offset))
        except (OSError, OverflowError):
            continue
        else:
            return offset
        finally:
            for each in sockets:
                each.close()
    return None
