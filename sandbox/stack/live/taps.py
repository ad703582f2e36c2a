"""What can be told from the bytes between an exercise and a Kafka, a Redis or an MQTT server.

A tap cuts what the client sends into requests and names them, so that a process can be killed just
before one; tells requests that do something from those that only ask for news; and knows whether
the process waits for an answer that must come soon. It changes nothing.

To tell another broker's bytes, write a `Tap` and give it to its route in `places`.
"""

from __future__ import annotations

import struct
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class Request:
    """One request whole; `poll` ones only ask whether there is anything new."""

    data: bytes
    name: str
    poll: bool


class Tap(ABC):
    """One connection's traffic."""

    #: The word for the broker, and the beginning of its requests' names.
    kind: str

    def __init__(self) -> None:
        self.waiting_for: str | None = None
        self.opened = False
        self._unfinished = bytearray()

    def sent(self, data: bytes) -> Iterator[Request]:
        """The requests that are whole now; the rest is kept until it is.

        Raises:
            ValueError, IndexError, struct.error: this is not the broker's protocol. `rest` has it.
        """
        self._unfinished += data
        while size := self._size(self._unfinished):
            request = bytes(self._unfinished[:size])
            name, poll = self._told(request)
            del self._unfinished[:size]
            yield Request(request, f"{self.kind} {name}", poll)

    def rest(self) -> bytes:
        """What was kept."""
        kept = bytes(self._unfinished)
        self._unfinished.clear()
        return kept

    @abstractmethod
    def received(self, data: bytes) -> bool:
        """Take note of bytes from the broker; say whether they are but "nothing new"."""

    @abstractmethod
    def _size(self, data: bytearray) -> int:
        """The size of the request that the data begin with; 0 when it is not whole."""

    @abstractmethod
    def _told(self, request: bytes) -> tuple[str, bool]:
        """Take note of a request: its name, and whether it is a poll."""

    def closed(self) -> None:
        """The connection is over."""
        self.waiting_for = None
        self.opened = False

    def knows(self, name: str) -> bool:
        """Whether the broker knows this connection by that name, as far as can be told."""
        return False


class RedisTap(Tap):
    """RESP: the client's requests are arrays of bulk strings, or lines."""

    kind = "redis"
    _NOTHING = (b"*-1\r\n", b"$-1\r\n", b"*0\r\n", b"_\r\n", b"%0\r\n")
    #: These ask, and whatever the answer, nothing has changed.
    _LOOKS = frozenset(
        b"PING ECHO HELLO AUTH SELECT CLIENT COMMAND CONFIG INFO TIME GET MGET EXISTS TTL PTTL "
        b"TYPE "
        b"STRLEN LLEN LRANGE LINDEX HGET HMGET HGETALL HLEN HEXISTS SMEMBERS SISMEMBER SCARD ZCARD "
        b"ZSCORE ZRANGE ZRANGEBYSCORE ZCOUNT XLEN XRANGE XREVRANGE XINFO XPENDING KEYS SCAN DBSIZE "
        b"UNWATCH WATCH".split()
    )
    #: These ask for something to take; they wait, or come back with nothing.
    _TAKES = frozenset(
        b"BLPOP BRPOP BLMOVE BRPOPLPUSH BLMPOP BZPOPMIN BZPOPMAX BZMPOP XREAD XREADGROUP "
        b"XAUTOCLAIM LPOP RPOP RPOPLPUSH LMOVE SPOP ZPOPMIN ZPOPMAX".split()
    )
    _LISTENS = frozenset(b"SUBSCRIBE PSUBSCRIBE SSUBSCRIBE MONITOR".split())

    def __init__(self) -> None:
        super().__init__()
        self._last = b""

    def received(self, data: bytes) -> bool:
        """An answer is news where something was taken or pushed."""
        self.waiting_for = None
        self.opened = True
        if self._last in self._LOOKS:
            return True
        return self._last in self._TAKES and data in self._NOTHING

    def _size(self, data: bytearray) -> int:
        end = data.find(b"\r\n")
        if end < 0:
            return 0
        if data[:1] != b"*":
            return end + 2
        position = end + 2
        for _ in range(int(data[1:end] or b"0")):
            end = data.find(b"\r\n", position)
            if end < 0:
                return 0
            position = end + 2 + int(data[position + 1 : end]) + 2
            if position > len(data):
                return 0
        return position

    def _told(self, request: bytes) -> tuple[str, bool]:
        words = request.split(b"\r\n", 3)
        name = (words[2] if request[:1] == b"*" and len(words) > 2 else request.split()[0]).upper()
        self._last = name
        text = name.decode(errors="replace")
        if name not in self._TAKES | self._LISTENS:
            self.waiting_for = f"Redis's answer to {text}"
        return text, name in self._LOOKS | self._TAKES


class MQTTTap(Tap):
    """MQTT: a type, a length, the rest."""

    kind = "mqtt"
    _NAMES = (
        *("RESERVED", "CONNECT", "CONNACK", "PUBLISH", "PUBACK", "PUBREC", "PUBREL", "PUBCOMP"),
        *("SUBSCRIBE", "SUBACK", "UNSUBSCRIBE", "UNSUBACK", "PINGREQ", "PINGRESP"),
        *("DISCONNECT", "AUTH"),
    )
    _PING = (b"\xc0\x00", b"\xd0\x00")

    def received(self, data: bytes) -> bool:
        """Everything is news but answers to pings."""
        self.waiting_for = None
        self.opened = True
        return data in self._PING

    def _size(self, data: bytearray) -> int:
        length = 0
        for position, byte in enumerate(data[1:5]):
            length |= (byte & 0x7F) << (7 * position)
            if byte < 0x80:
                size = 2 + position + length
                return size if size <= len(data) else 0
        return 0

    def _told(self, request: bytes) -> tuple[str, bool]:
        name = self._NAMES[request[0] >> 4]
        answered = name in ("CONNECT", "SUBSCRIBE", "UNSUBSCRIBE", "PUBREL")
        if answered or (name == "PUBLISH" and request[0] & 0x06):
            self.waiting_for = f"the MQTT server's answer to {name}"
        return name, request in self._PING


class KafkaTap(Tap):
    """Kafka: a length, what is asked, its version, and a number that the answer repeats."""

    kind = "kafka"
    _PRODUCE, _FETCH, _SYNC, _HEARTBEAT = 0, 1, 14, 12
    _NAMES: ClassVar[dict[int, str]] = {
        0: "Produce",
        1: "Fetch",
        2: "ListOffsets",
        3: "Metadata",
        8: "OffsetCommit",
        9: "OffsetFetch",
        10: "FindCoordinator",
        11: "JoinGroup",
        12: "Heartbeat",
        13: "LeaveGroup",
        14: "SyncGroup",
        18: "ApiVersions",
        19: "CreateTopics",
        22: "InitProducerId",
        24: "AddPartitionsToTxn",
        25: "AddOffsetsToTxn",
        26: "EndTxn",
        28: "TxnOffsetCommit",
    }
    _LOOKS = frozenset((1, 2, 3, 9, 10, 12, 18))
    #: Answered at Kafka's leisure: when there are records, or when the group has gathered.
    _LEISURELY = frozenset((1, 3, 11, 12, 14))
    #: An answer to Fetch without records is shorter: it has a few numbers for each partition.
    _LONGEST_NOTHING = 200

    def __init__(self) -> None:
        super().__init__()
        self._asked: dict[int, int] = {}
        self._answers = bytearray()
        self._group_frames = b""

    def knows(self, name: str) -> bool:
        """Whether it told Kafka that it is this member of a group."""
        return name.encode() in self._group_frames

    def received(self, data: bytes) -> bool:
        """Answers are news when they bring records, or answer what does something."""
        self.opened = True
        self._answers += data
        poll = True
        while len(self._answers) >= 8:
            size, number = struct.unpack_from(">ii", self._answers)
            if len(self._answers) < 4 + size:
                break
            del self._answers[: 4 + size]
            asked = self._asked.pop(number, -1)
            if asked not in self._LOOKS or (asked == self._FETCH and size > self._LONGEST_NOTHING):
                poll = False
        late = [api for api in self._asked.values() if api not in self._LEISURELY]
        self.waiting_for = f"Kafka's answer to {self._name(late[0])}" if late else None
        return poll

    def _size(self, data: bytearray) -> int:
        if len(data) < 4:
            return 0
        size: int = 4 + struct.unpack_from(">i", data)[0]
        if size < 12:
            raise ValueError("no request of Kafka's is as short as that")
        return size if size <= len(data) else 0

    def _told(self, request: bytes) -> tuple[str, bool]:
        api, version, number = struct.unpack_from(">hhi", request, 4)
        name = self._name(api)
        if api != self._PRODUCE or _acks(request, version):
            self._asked[number] = api
            if api not in self._LEISURELY:
                self.waiting_for = f"Kafka's answer to {name}"
        if api in (self._SYNC, self._HEARTBEAT):
            self._group_frames = request
        return name, api in self._LOOKS

    def _name(self, api: int) -> str:
        return self._NAMES.get(api, f"request {api}")


def _acks(request: bytes, version: int) -> int:
    """How many acknowledgements a Produce request asks for; 0 is none, and no answer."""
    flexible = version >= 9
    position = 12
    (size,) = struct.unpack_from(">h", request, position)  # the client's id
    position += 2 + max(0, size) + flexible  # and no tagged fields
    if flexible:
        position += max(1, request[position])  # the transactional id's length and one
    elif version >= 3:
        (size,) = struct.unpack_from(">h", request, position)
        position += 2 + max(0, size)
    acks: int = struct.unpack_from(">h", request, position)[0]
    return acks
