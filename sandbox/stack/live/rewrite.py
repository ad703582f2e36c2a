"""The few fields that differ between what a client says and what the broker must hear.

A learner's program says user guest, virtual host "/". The run has a virtual host of its own, and
the server may want another user. Texts that the broker sends back name the run's virtual host;
the learner reads "/" again. Everything else passes unchanged, byte for byte.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pamqp import commands

from sandbox.stack.live.frames import Frame, encode

_GUEST = "\x00guest\x00guest"


@dataclass(frozen=True)
class Rewriter:
    """What "/" and guest stand for in one run."""

    vhost: str
    user: str
    password: str

    def to_broker(self, frame: Frame) -> bytes:
        """The bytes that the broker gets for a client's frame."""
        method = frame.method
        if isinstance(method, commands.Connection.Open) and method.virtual_host == "/":
            return encode(commands.Connection.Open(self.vhost), frame.channel)
        if isinstance(method, commands.Connection.StartOk) and method.response == _GUEST:
            method.response = f"\x00{self.user}\x00{self.password}"
            return encode(method, frame.channel)
        return frame.raw

    def to_client(self, frame: Frame) -> bytes:
        """The bytes that the client gets for a broker's frame."""
        method: Any = frame.method
        texts = (commands.Connection.Close, commands.Channel.Close, commands.Basic.Return)
        if isinstance(method, texts) and self.vhost in (method.reply_text or ""):
            method.reply_text = method.reply_text.replace(self.vhost, "/")
            return encode(method, frame.channel)
        return frame.raw
