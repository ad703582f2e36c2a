"""What is said when a server cannot be had."""

from __future__ import annotations


class ServerUnavailable(Exception):
    """A server is not installed or did not come up; the text says why and what to do."""
