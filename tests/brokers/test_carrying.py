"""What every broker tells its carrier: who has news, once, and what is due, in order."""

from __future__ import annotations

from sandbox.brokers.carrying import Carried


class Client:
    """A connection that announces itself once until it is taken."""

    closing = False
    subscribed = False

    def __init__(self, broker: Carried[Client]) -> None:
        self.broker = broker
        self.announced = False

    def speak(self) -> None:
        if not self.announced:
            self.announced = True
            self.broker.writable.append(self)

    def taken(self) -> None:
        self.announced = False

    def receive_data(self, data: bytes, now_ns: int) -> None:
        self.speak()

    def data_to_send(self) -> bytes:
        return b""

    def connection_lost(self, now_ns: int) -> None: ...


def test_who_has_news_is_told_once_and_in_the_order_it_came() -> None:
    broker: Carried[Client] = Carried()
    one, two = Client(broker), Client(broker)
    for client in (two, one, two):
        client.speak()
    assert list(broker.take_writable()) == [two, one]
    assert list(broker.take_writable()) == []
    one.speak()
    assert list(broker.take_writable()) == [one]


def test_what_speaks_while_others_are_taken_is_told_the_next_time() -> None:
    broker: Carried[Client] = Carried()
    one, two = Client(broker), Client(broker)
    one.speak()
    taken = broker.take_writable()
    two.speak()
    assert list(taken) == [one]
    assert list(broker.take_writable()) == [two]


def test_what_is_due_is_done_in_order_and_counts_unless_it_is_housekeeping() -> None:
    broker: Carried[Client] = Carried()
    done: list[tuple[str, int]] = []
    broker.timers.at(30, lambda now_ns: done.append(("late", now_ns)), housekeeping=False)
    broker.timers.at(10, lambda now_ns: done.append(("chore", now_ns)), housekeeping=True)
    early = broker.timers.at(20, lambda now_ns: done.append(("early", now_ns)), housekeeping=False)
    gone = broker.timers.at(5, lambda now_ns: done.append(("never", now_ns)), housekeeping=False)
    gone.cancel()
    assert (broker.next_timer(), broker.next_event_timer()) == (10, 20)
    broker.handle_timer(20)
    assert done == [("chore", 20), ("early", 20)]
    assert (broker.activity, early.action) == (1, None)
    assert (broker.next_timer(), broker.next_event_timer()) == (30, 30)


def test_what_is_made_due_by_what_is_done_is_done_too() -> None:
    broker: Carried[Client] = Carried()
    done: list[int] = []

    def again(now_ns: int) -> None:
        done.append(now_ns)
        if len(done) < 3:
            broker.timers.at(now_ns, again, housekeeping=False)

    broker.timers.at(1, again, housekeeping=False)
    broker.handle_timer(1)
    assert done == [1, 1, 1]
    assert broker.next_timer() is None
