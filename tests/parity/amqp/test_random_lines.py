"""Queues with limits, priorities, times to live and dead letters: any sequence is answered alike.

As `test_random`, for what makes messages leave a queue by themselves. Time is kept out of it as far
as it can be: a message either lives for as long as the sequence takes, or is given the time to
expire before anything else happens. Every queue has a queue of its own for its dead, because in
RabbitMQ two queues bury theirs in any order.
"""

from __future__ import annotations

from typing import Any

import pika.exceptions
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.stack.live.settings import Settings
from tests.parity.amqp.players import in_the_world, on_rabbitmq
from tests.parity.amqp.stage import Stage

Operation = tuple[Any, ...]

#: How long a brief message lives, and how long it is waited for; enough for any machine, because a
#: message whose time is up is never handed out, however late the queue's own timer is.
BRIEF_MS, WAIT_S = 10, 0.06
#: How long a quorum queue may take to act on what was settled.
AGREE_S = 0.2
#: What was got from a quorum queue comes back in the order of its tags as text: 1, 10, 2.
MOST_TAGS = 9
#: Messages that were taken from a queue of this kind and come back may overflow it.
QUEUES: dict[str, dict[str, Any]] = {
    "plain": {},
    "short": {"x-max-length": 3},
    "small": {"x-max-length-bytes": 8},
    "strict": {"x-max-length": 2, "x-overflow": "reject-publish"},
    "stern": {"x-max-length": 2, "x-overflow": "reject-publish-dlx"},
    "ranked": {"x-max-priority": 3},
    "podium": {"x-max-priority": 2, "x-max-length": 3},
    "fleeting": {"x-message-ttl": BRIEF_MS},
    "quorum": {"x-queue-type": "quorum"},
    "patient": {"x-queue-type": "quorum", "x-delivery-limit": 2},
}

names = st.sampled_from(sorted(QUEUES))
priorities = st.integers(0, 4)
position = st.integers(0, 5)
operations = st.one_of(
    st.tuples(st.just("publish"), priorities),
    st.tuples(st.just("publish"), priorities),
    st.tuples(st.just("publish"), priorities),
    st.tuples(st.just("brief"), priorities),
    st.tuples(st.just("get")),
    st.tuples(st.just("get")),
    st.tuples(st.just("ack"), position, st.booleans()),
    st.tuples(st.just("nack"), position, st.booleans(), st.booleans()),
    st.tuples(st.just("reject"), position, st.booleans()),
    st.tuples(st.just("purge")),
    st.tuples(st.just("reopen")),
)


class Client:
    """Applies operations to one queue, and writes down what came of each."""

    def __init__(self, stage: Stage, queue: str) -> None:
        self.stage = stage
        self.queue = queue
        self.quorum = QUEUES[queue].get("x-queue-type") == "quorum"
        # One channel for everything: between two, RabbitMQ keeps no order.
        self.channel = stage.channel()
        self.channel.confirm_delivery()
        self.channel.queue_declare("dead")
        to_dead = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "dead"}
        arguments = {**QUEUES[queue], **to_dead}
        self.channel.queue_declare(queue, durable=self.quorum, arguments=arguments)
        self.tags: list[int] = []
        self.last_tag = 0
        self.published = 0

    def apply(self, operation: Operation) -> None:
        """Do one thing, and let it have happened before the next."""
        kind, *arguments = operation
        self.stage.see(kind, getattr(self, kind)(*arguments))
        if self.quorum and kind not in ("publish", "get"):
            # It agrees with its members before it acts.
            self.channel.connection.sleep(AGREE_S)

    def publish(self, priority: int, **properties: Any) -> Any:
        self.published += 1
        properties = self.stage.properties(priority=priority, delivery_mode=2, **properties)
        body = f"m{self.published}".encode()
        try:
            self.channel.basic_publish("", self.queue, body, properties)
        except pika.exceptions.NackError:
            return "refused"
        if self.queue == "fleeting":
            self.channel.connection.sleep(WAIT_S)
        return "taken"

    def brief(self, priority: int) -> Any:
        came = self.publish(priority, expiration=str(BRIEF_MS))
        self.channel.connection.sleep(WAIT_S)
        return came

    def get(self) -> list[Any] | None:
        if self.quorum and self.last_tag >= MOST_TAGS:
            return None
        method, properties, body = self.channel.basic_get(self.queue)
        if method is None:
            return None
        self.last_tag = method.delivery_tag
        self.tags.append(method.delivery_tag)
        count = (properties.headers or {}).get("x-delivery-count")
        return [body, method.delivery_tag, method.redelivered, method.message_count, count]

    def ack(self, at: int, multiple: bool) -> int | None:
        tag = self._take(at, multiple)
        if tag is not None:
            self.channel.basic_ack(tag, multiple)
        return tag

    def nack(self, at: int, multiple: bool, requeue: bool) -> int | None:
        tag = self._take(at, multiple)
        if tag is not None:
            self.channel.basic_nack(tag, multiple, requeue)
        return tag

    def reject(self, at: int, requeue: bool) -> int | None:
        tag = self._take(at, multiple=False)
        if tag is not None:
            self.channel.basic_reject(tag, requeue)
        return tag

    def purge(self) -> int:
        return self.channel.queue_purge(self.queue).method.message_count

    def reopen(self) -> None:
        self.channel.close()
        self.channel = self.channel.connection.channel()
        self.channel.confirm_delivery()
        self.tags, self.last_tag = [], 0

    def finish(self) -> None:
        """Take everything there is, then look at the dead."""
        self.apply(("reopen",))
        if not self.quorum:
            while self.channel.basic_get(self.queue)[0] is not None:
                pass
            self.reopen()
        self.stage.quiet(self.channel)
        self.stage.get_all(self.channel, self.queue)
        count = -1
        while count != (count := self._dead()):
            self.channel.connection.sleep(0.2)
        self.stage.show(self.channel, "dead")

    def _dead(self) -> int:
        return self.channel.queue_declare("dead", passive=True).method.message_count

    def _take(self, at: int, multiple: bool) -> int | None:
        """An outstanding tag, which this settles (and with `multiple` the earlier ones)."""
        if not self.tags:
            return None
        tag = self.tags[at % len(self.tags)]
        self.tags = [each for each in self.tags if each != tag and not (multiple and each < tag)]
        return tag


def sequence(queue: str, steps: list[Operation]) -> Any:
    """The scenario that applies these operations to a queue."""

    def play(stage: Stage) -> None:
        client = Client(stage, queue)
        for step in steps:
            client.apply(step)
        client.finish()

    return play


@pytest.mark.live
@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(queue=names, steps=st.lists(operations, min_size=25, max_size=40))
def test_any_sequence_that_makes_messages_leave_is_answered_alike(
    queue: str, steps: list[Operation], rabbitmq_server: Settings
) -> None:
    play = sequence(queue, steps)
    assert in_the_world(play) == on_rabbitmq(play, rabbitmq_server)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(queue=names, steps=st.lists(operations, min_size=25, max_size=40))
def test_any_sequence_that_makes_messages_leave_is_answered_alike_twice(
    queue: str, steps: list[Operation]
) -> None:
    play = sequence(queue, steps)
    assert in_the_world(play) == in_the_world(play, seed=2)
