"""Operations that three clients can do, for Hypothesis to make sequences of, and who does them.

What the sandbox and Mosquitto are known to differ in (the README of the broker lists it) is not
done here, and it is said where it is left out.
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.parity.mqtt.stage import Scenario, Stage

Operation = tuple[Any, ...]

clients = st.integers(0, 2)
TOPICS = ("x", "x/y", "x/z", "/x", "$d/x")
topic_names = st.sampled_from(TOPICS)
filters = st.sampled_from(["x", "x/y", "x/+", "x/#", "#", "+", "+/y", "/+", "$d/#", "gone"])
shared = st.sampled_from(["$share/g/x", "$share/g/x/#", "$share/h/x"])
not_local = st.sampled_from(["x/z", "+/z", "/#"])
qualities = st.integers(0, 2)
wills = st.one_of(st.none(), st.tuples(topic_names, st.just(b"will"), qualities, st.booleans()))

operations = st.one_of(
    st.tuples(st.just("connect"), clients, st.booleans(), st.booleans(), wills),
    st.tuples(st.just("connect"), clients, st.just(False), st.just(True), st.none()),
    st.tuples(st.just("connect narrowly"), clients),
    st.tuples(st.just("subscribe"), clients, filters, qualities, st.integers(0, 2)),
    st.tuples(st.just("subscribe"), clients, filters, qualities, st.integers(0, 2)),
    st.tuples(st.just("identify"), clients, filters, qualities, st.integers(1, 300)),
    st.tuples(st.just("not local"), clients, not_local, qualities),
    st.tuples(st.just("unsubscribe"), clients, st.one_of(filters, shared, not_local)),
    st.tuples(st.just("publish"), clients, topic_names, qualities, st.booleans()),
    st.tuples(st.just("publish"), clients, topic_names, qualities, st.just(False)),
    st.tuples(st.just("publish"), clients, topic_names, qualities, st.just(False)),
    st.tuples(st.just("clear"), clients, topic_names),
    st.tuples(st.just("settle"), clients, st.integers(0, 3)),
    st.tuples(st.just("settle"), clients, st.just(0)),
    st.tuples(st.just("settle all"), clients),
    st.tuples(st.just("release"), clients, st.integers(0, 3)),
    st.tuples(st.just("disconnect"), clients, st.booleans()),
    st.tuples(st.just("lose"), clients),
)


class Machine:
    """Applies operations; what is impossible at the moment is left out, on both servers alike."""

    def __init__(self, stage: Stage, *, restarts: bool = False) -> None:
        self.stage = stage
        self.restarts = restarts
        self.published = 0

    def apply(self, operation: Operation) -> None:
        kind, who, *arguments = operation
        actor = self.stage.actors[who]
        self.stage.see(*operation)
        if not kind.startswith(("connect", "restart")) and not actor.connected:
            return
        getattr(self, kind.replace(" ", "_"))(actor, *arguments)

    def connect(self, actor: Any, clean: bool, keep: bool, will: Any) -> None:
        if actor.connected and actor.has_will:
            # What becomes of the will of a connection that is taken over differs.
            actor.disconnect()
        options: dict[str, Any] = {"clean": clean, "will": will}
        # A session that began clean does not survive a restart of Mosquitto 2.0.11.
        if actor.version == 5 and keep and not (clean and self.restarts):
            options["session_expiry_interval"] = 1000
        actor.connect(**options)

    def connect_narrowly(self, actor: Any) -> None:
        """Take one message at a time. (Of two or more Mosquitto sends too many.)"""
        if actor.connected and actor.has_will:
            actor.disconnect()
        options: dict[str, Any] = {"clean": False}
        if actor.version == 5:
            options |= {"session_expiry_interval": 1000, "receive_maximum": 1}
        actor.connect(**options)

    def restart(self, _: Any) -> None:
        for actor in self.stage.actors:
            if actor.connected and actor.has_will:
                # Who else is told of it before the server is down, differs.
                actor.disconnect()
        self.stage.restart()

    def subscribe(self, actor: Any, topic_filter: str, qos: int, handling: int) -> None:
        if actor.version == 5:
            # Subscribing again does not change the other options in Mosquitto.
            options = qos | handling << 4 | self._as_published(actor, topic_filter)
        else:
            # Which QoS a message has that matches two subscriptions of an older client differs.
            options = self.stage.actors.index(actor)
        actor.subscribe(topic_filter, options=options)

    def identify(self, actor: Any, topic_filter: str, qos: int, identifier: int) -> None:
        if actor.version == 5:
            options = qos | self._as_published(actor, topic_filter)
            actor.subscribe(topic_filter, options=options, subscription_identifier=identifier)

    def _as_published(self, actor: Any, topic_filter: str) -> int:
        return (self.stage.actors.index(actor) + len(topic_filter)) % 2 << 3

    def share(self, actor: Any, topic_filter: str, qos: int) -> None:
        # Mosquitto sends retained messages to shared subscriptions unless told not to.
        if actor.version == 5:
            actor.subscribe(topic_filter, options=qos | 0x20)

    def not_local(self, actor: Any, topic_filter: str, qos: int) -> None:
        # Mosquitto sends retained messages to who published them unless told not to.
        if actor.version == 5:
            actor.subscribe(topic_filter, options=qos | 0x24)

    def unsubscribe(self, actor: Any, topic_filter: str) -> None:
        if topic_filter.startswith("$"):
            # Mosquitto says that it removed a subscription to a tree of topics it never heard of.
            if actor.version != 5:
                return
            actor.subscribe(topic_filter, options=0x20)
        actor.unsubscribe(topic_filter)

    def publish(self, actor: Any, topic: str, qos: int, retain: bool) -> None:
        if qos == 2 and len(actor.unreleased) >= 15:
            return
        self.published += 1
        actor.publish(topic, f"m{self.published}", qos, retain=retain)

    def clear(self, actor: Any, topic: str) -> None:
        actor.publish(topic, "", retain=True)

    def settle(self, actor: Any, index: int) -> None:
        if actor.unsettled:
            actor.settle_next(index % len(actor.unsettled))

    def settle_all(self, actor: Any) -> None:
        actor.settle_all()

    def release(self, actor: Any, index: int) -> None:
        if actor.unreleased:
            actor.release(actor.unreleased[index % len(actor.unreleased)])

    def disconnect(self, actor: Any, with_will: bool) -> None:
        actor.disconnect(4 if with_will and actor.version == 5 else 0)

    def lose(self, actor: Any) -> None:
        actor.lose()


def sequence(steps: list[Operation]) -> Scenario:
    """The scenario that applies these operations and then looks at what is left."""

    def scenario(stage: Stage) -> None:
        machine = Machine(stage, restarts=any(step[0] == "restart" for step in steps))
        stage.prime(TOPICS)
        for step in steps:
            machine.apply(step)
        for who in range(3):
            machine.apply(("connect", who, False, True, None))
            machine.apply(("settle all", who))

    return scenario


shares = st.tuples(st.just("share"), clients, shared, qualities)
restarts = st.tuples(st.just("restart"), st.just(0))
sequences = st.lists(st.one_of(*[operations] * 15, shares), min_size=10, max_size=60)
# Without shared subscriptions: Mosquitto 2.0.11 forgets them.
sequences_with_restarts = st.lists(
    st.one_of(*[operations] * 11, restarts), min_size=20, max_size=60
)
versions = st.tuples(*[st.sampled_from([5, 4, 3])] * 3)
