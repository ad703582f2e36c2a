"""What happens when a client leaves: its will, its session's end, and the delays of both.

A will is published when its client leaves without a DISCONNECT of reason 0: after its delay, or
when the session ends if that is sooner; not at all if the client is back before. A session ends its
expiry interval after its connection. [mqtt-v5.0 3.1.2.5, 3.1.2.11.2, 3.1.3.2.2]

A delayed will is something that will happen; a session that merely ends is housekeeping.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.brokers.mqtt import delivering

if TYPE_CHECKING:
    from sandbox.brokers.mqtt.broker import Broker
    from sandbox.brokers.mqtt.packets import Will
    from sandbox.brokers.mqtt.session import Session

_SECOND_NS = 1_000_000_000


def client_left(broker: Broker, session: Session, will: Will | None, now_ns: int) -> None:
    """A session lost its connection. `will` is what is to be published, or None."""
    if will is not None and (not will.delay_s or not session.persistent):
        publish(broker, session, will, now_ns)
        will = None
    if not session.persistent:
        end_session(broker, session, "its connection ended", now_ns)
        return
    session.will = None
    if will is not None:
        session.will = (will, now_ns + will.delay_s * _SECOND_NS)
        broker.emit("will.delay", session.client_id, topic=will.topic, delay_s=will.delay_s)
    broker.keeper.opened(session)
    broker.keeper.will_waits(session)
    start_clocks(broker, session, now_ns)


def client_returned(broker: Broker, session: Session) -> None:
    """The session is resumed: nothing ends, and the will that waited is forgotten."""
    stop_clocks(session)
    if session.will is not None:
        session.will = None
        broker.keeper.will_gone(session)
        broker.emit("will.cancel", session.client_id)


def start_clocks(broker: Broker, session: Session, now_ns: int) -> None:
    """See to it that a session without a connection ends, and its will is published, in time."""
    assert session.disconnected_ns is not None
    expiry_ns = session.expiry_ns(session.disconnected_ns)

    def expire(now_ns: int) -> None:
        broker.statistics.expired += 1
        end_session(broker, session, "its expiry interval is over", now_ns)

    def send_will(now_ns: int) -> None:
        if session.will is not None:
            will, session.will = session.will[0], None
            broker.keeper.will_gone(session)
            publish(broker, session, will, now_ns)

    if session.will is not None:
        due_ns = session.will[1] if expiry_ns is None else min(session.will[1], expiry_ns)
        session.will_timer = broker.timers.at(max(due_ns, now_ns), send_will, housekeeping=False)
    if expiry_ns is not None:
        session.expiry_timer = broker.timers.at(max(expiry_ns, now_ns), expire, housekeeping=True)


def stop_clocks(session: Session) -> None:
    """Forget what `start_clocks` set up."""
    for timer in (session.will_timer, session.expiry_timer):
        if timer is not None:
            timer.cancel()
    session.will_timer = session.expiry_timer = None


def end_session(broker: Broker, session: Session, reason: str, now_ns: int) -> None:
    """A session is over. A will that still waits is published first [MQTT-3.1.3-9]."""
    stop_clocks(session)
    if session.will is not None:
        will, session.will = session.will[0], None
        publish(broker, session, will, now_ns)
    for subscription in list(session.subscriptions.values()):
        broker.tree.remove(subscription)
        broker.unwanted(subscription)
    session.subscriptions.clear()
    if broker.session_table.get(session.client_id) is session:
        del broker.session_table[session.client_id]
        if session.persistent:
            broker.keeper.ended(session)
    broker.emit("session.end", session.client_id, reason=reason, lost=len(session.waiting))


def publish(broker: Broker, session: Session, will: Will, now_ns: int) -> None:
    """Publish a will as if its client did."""
    broker.emit("will", session.client_id, topic=will.topic)
    message = broker.new_message(
        will.topic,
        will.payload,
        will.qos,
        will.retain,
        will.properties,
        session.client_id,
        now_ns,
    )
    delivering.route(broker, message, now_ns)
