"""`$SYS`: what the server tells about itself, as retained messages [mosquitto(8) "Broker Status"].

Counting is cheap and always done. The topics are made anew when somebody subscribes to them, and
every ten seconds as long as anybody is subscribed, which is housekeeping: a world in which nothing
else happens is idle.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sandbox.brokers.mqtt import delivering

if TYPE_CHECKING:
    from sandbox.brokers.mqtt.broker import Broker
    from sandbox.brokers.timers import Timer

INTERVAL_NS: Final = 10_000_000_000
VERSION: Final = "mosquitto version 2.0.11"


class Statistics:
    """Counts since the server started."""

    def __init__(self) -> None:
        self.bytes_received = 0
        self.bytes_sent = 0
        #: Packets of every kind.
        self.messages_received = 0
        self.messages_sent = 0
        self.publishes_received = 0
        self.publishes_sent = 0
        self.dropped = 0
        #: Sessions that ended because nobody came back.
        self.expired = 0
        self.most_connected = 0

    def note_connected(self, count: int) -> None:
        """So many clients are connected at once."""
        self.most_connected = max(self.most_connected, count)


class SysTopics:
    """Publishes the statistics of a broker that started at `start_ns`."""

    def __init__(self, broker: Broker, start_ns: int) -> None:
        self._broker = broker
        self._start_ns = start_ns
        self._timer: Timer | None = None

    def values(self, now_ns: int) -> dict[str, str]:
        """Each topic, without `$SYS/broker/`, and what it says."""
        broker, counts = self._broker, self._broker.statistics
        connected = len(broker.connected())
        sessions = len(broker.session_table)
        waiting = sum(
            len(each.waiting) + len(each.in_flight) for each in broker.session_table.values()
        )
        kept = sum(not each.topic.startswith("$SYS/") for each in broker.retained_messages)
        numbers = {
            "clients/total": sessions,
            "clients/connected": connected,
            "clients/active": connected,
            "clients/disconnected": sessions - connected,
            "clients/inactive": sessions - connected,
            "clients/expired": counts.expired,
            "clients/maximum": counts.most_connected,
            "messages/received": counts.messages_received,
            "messages/sent": counts.messages_sent,
            "messages/stored": kept + waiting,
            "store/messages/count": kept + waiting,
            "publish/messages/received": counts.publishes_received,
            "publish/messages/sent": counts.publishes_sent,
            "publish/messages/dropped": counts.dropped,
            "bytes/received": counts.bytes_received,
            "bytes/sent": counts.bytes_sent,
            "retained messages/count": kept,
            "subscriptions/count": broker.tree.count,
            "shared_subscriptions/count": broker.tree.shared_count,
        }
        uptime_s = (now_ns - self._start_ns) // 1_000_000_000
        texts = {"version": VERSION, "uptime": f"{uptime_s} seconds"}
        return texts | {name: str(number) for name, number in numbers.items()}

    def refresh(self, now_ns: int) -> None:
        """Retain what is new, and go on doing so while anybody is subscribed."""
        broker = self._broker
        known = {
            each.topic: each.payload for each in broker.retained_messages.matching("$SYS/#", now_ns)
        }
        for name, text in self.values(now_ns).items():
            topic, payload = f"$SYS/broker/{name}", text.encode()
            if known.get(topic) != payload:
                message = broker.new_message(topic, payload, 2, True, {}, None, now_ns)
                delivering.route(broker, message, now_ns)
        if self._timer is None:
            # On the ticks of the clock, whenever somebody came.
            due_ns = now_ns - (now_ns - self._start_ns) % INTERVAL_NS + INTERVAL_NS
            self._timer = broker.timers.at(due_ns, self._on_timer, housekeeping=True)

    def restart(self, start_ns: int) -> None:
        """The server starts anew."""
        self._start_ns = start_ns
        for message in self._broker.retained_messages.matching("$SYS/#", start_ns):
            self._broker.retained_messages.remove(message.topic)

    def _on_timer(self, now_ns: int) -> None:
        self._timer = None
        if self._broker.tree.any_under("$SYS"):
            self.refresh(now_ns)
