"""What happened to messages, counted: the numbers behind `message_stats` of the management API."""

from __future__ import annotations


class Counts:
    """How often what happened. The names are RabbitMQ's."""

    __slots__ = (
        "ack",
        "confirm",
        "deliver",
        "deliver_no_ack",
        "drop_unroutable",
        "get",
        "get_empty",
        "get_no_ack",
        "publish",
        "redeliver",
        "return_unroutable",
    )

    def __init__(self) -> None:
        self.publish = 0
        self.confirm = 0
        self.deliver = 0
        self.deliver_no_ack = 0
        self.get = 0
        self.get_no_ack = 0
        self.get_empty = 0
        self.redeliver = 0
        self.ack = 0
        self.return_unroutable = 0
        self.drop_unroutable = 0

    def add(self, other: Counts) -> None:
        """Count what the other counted, too."""
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def as_dict(self) -> dict[str, int]:
        """All numbers by name."""
        return {name: getattr(self, name) for name in self.__slots__}
