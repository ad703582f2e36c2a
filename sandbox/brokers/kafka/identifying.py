"""Logging in: SASL with the mechanism PLAIN [KIP-43, KIP-152, RFC 4616]."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from sandbox.brokers.kafka.connection import Request

UNSUPPORTED_SASL_MECHANISM, ILLEGAL_SASL_STATE, SASL_AUTHENTICATION_FAILED = 33, 34, 58


def sasl_handshake(request: Request) -> None:
    """Agree on a mechanism."""
    connection = request.connection
    mechanisms = [] if request.broker.users is None else ["PLAIN"]
    if request.version == 0:
        # What follows would come without headers; no client of today does that.
        request.answer({"error_code": UNSUPPORTED_SASL_MECHANISM, "mechanisms": mechanisms})
    elif not mechanisms:
        request.answer({"error_code": ILLEGAL_SASL_STATE, "mechanisms": []})
    elif request.body.mechanism not in mechanisms:
        request.answer({"error_code": UNSUPPORTED_SASL_MECHANISM, "mechanisms": mechanisms})
    else:
        connection.sasl_mechanism = request.body.mechanism
        request.answer({"error_code": 0, "mechanisms": mechanisms})


def sasl_authenticate(request: Request) -> None:
    """Compare name and password; a wrong one is answered, then the connection ends."""
    connection, users = request.connection, request.broker.users
    if users is None or connection.sasl_mechanism is None:
        request.answer(
            {
                "error_code": ILLEGAL_SASL_STATE,
                "error_message": "SaslHandshake comes first",
                "auth_bytes": b"",
            }
        )
        return
    parts = bytes(request.body.auth_bytes).split(b"\0")
    name = parts[1].decode(errors="replace") if len(parts) == 3 else ""
    if len(parts) == 3 and name in users and users[name].encode() == parts[2]:
        connection.authenticated = True
        connection.user = name
        request.answer({"error_code": 0, "error_message": None, "auth_bytes": b""})
        return
    request.cluster.emit("connection.refused", user=name, connection=request.peer)
    request.answer(
        {
            "error_code": SASL_AUTHENTICATION_FAILED,
            "error_message": "Authentication failed: Invalid username or password",
            "auth_bytes": b"",
        }
    )
    connection.close("wrong name or password")


HANDLERS: Final[Mapping[int, Callable[[Request], None]]] = {
    17: sasl_handshake,
    36: sasl_authenticate,
}
