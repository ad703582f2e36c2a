"""Whatever a client does, in whatever order: the sandbox and RabbitMQ answer alike.

Hypothesis makes up sequences of operations; each is applied to both brokers and the transcripts
must be equal. A sequence that differs is shrunk to a short one: make it a scenario. Everything
happens on one channel at a time, where both brokers keep the order of what they are told.
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

queues = st.sampled_from(["a", "b", "gone"])
words = st.sampled_from(["x", "y", "", "#", "*", "x.y", "x.#", "*.y"])
position = st.integers(0, 5)

operations = st.one_of(
    st.tuples(st.just("publish"), queues, st.integers(1, 3)),
    st.tuples(st.just("publish"), queues, st.integers(1, 3)),
    st.tuples(st.just("topic"), words),
    st.tuples(st.just("get"), queues, st.booleans()),
    st.tuples(st.just("get"), queues, st.just(False)),
    st.tuples(st.just("ack"), position, st.booleans()),
    st.tuples(st.just("nack"), position, st.booleans(), st.booleans()),
    st.tuples(st.just("reject"), position, st.booleans()),
    st.tuples(st.just("ack nothing"), st.integers(0, 9), st.booleans()),
    st.tuples(st.just("recover")),
    st.tuples(st.just("declare"), queues, st.booleans(), st.booleans()),
    st.tuples(st.just("bind"), queues, words),
    st.tuples(st.just("unbind"), queues, words),
    st.tuples(st.just("purge"), queues),
    st.tuples(st.just("delete"), queues, st.booleans(), st.booleans()),
    st.tuples(st.just("reopen")),
)


class Client:
    """Applies operations, and writes down what came of each."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.connection = stage.connect()
        self.channel = self.connection.channel()
        self.tags: list[int] = []
        self.published = 0

    def apply(self, operation: Operation) -> None:
        """Do one thing; a channel that it closes is replaced by a new one."""
        kind, *arguments = operation
        try:
            result = getattr(self, kind.replace(" ", "_"))(*arguments)
            # Settling and publishing are not answered. A question that is shows a refusal at once.
            self.channel.exchange_declare("amq.topic", passive=True)
        except pika.exceptions.ChannelClosedByBroker as refusal:
            self.stage.see(kind, "refused", refusal.reply_code, refusal.reply_text)
            self.channel, self.tags = self.connection.channel(), []
        else:
            self.stage.see(kind, result)

    def publish(self, queue: str, count: int) -> None:
        for _ in range(count):
            self.published += 1
            self.channel.basic_publish("", queue, f"m{self.published}".encode())

    def topic(self, key: str) -> None:
        self.published += 1
        self.channel.basic_publish("amq.topic", key, f"m{self.published} to {key}".encode())

    def get(self, queue: str, auto_ack: bool) -> list[Any] | None:
        method, _, body = self.channel.basic_get(queue, auto_ack=auto_ack)
        if method is None:
            return None
        if not auto_ack:
            self.tags.append(method.delivery_tag)
        return [body, method.delivery_tag, method.redelivered, method.message_count]

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

    def ack_nothing(self, beyond: int, multiple: bool) -> None:
        last = max(self.tags, default=0)
        self.channel.basic_ack(last + beyond, multiple)
        self.tags = [] if multiple else [tag for tag in self.tags if tag != last + beyond]

    def recover(self) -> None:
        self.tags = []
        self.channel.basic_recover(requeue=True)

    def declare(self, queue: str, durable: bool, passive: bool) -> str:
        # Counts are not compared: RabbitMQ answers this question out of turn.
        return self.channel.queue_declare(queue, durable=durable, passive=passive).method.queue

    def bind(self, queue: str, pattern: str) -> None:
        self.channel.queue_bind(queue, "amq.topic", pattern)

    def unbind(self, queue: str, pattern: str) -> None:
        self.channel.queue_unbind(queue, "amq.topic", pattern)

    def purge(self, queue: str) -> int:
        return self.channel.queue_purge(queue).method.message_count

    def delete(self, queue: str, if_unused: bool, if_empty: bool) -> int:
        return self.channel.queue_delete(queue, if_unused, if_empty).method.message_count

    def reopen(self) -> None:
        self.channel.close()
        self.channel, self.tags = self.connection.channel(), []

    def _take(self, at: int, multiple: bool) -> int | None:
        """An outstanding tag, which this settles (and with `multiple` the earlier ones)."""
        if not self.tags:
            return None
        tag = self.tags[at % len(self.tags)]
        self.tags = [each for each in self.tags if each != tag and not (multiple and each < tag)]
        return tag


def sequence(steps: list[Operation]) -> Any:
    """The scenario that applies these operations and then empties both queues."""

    def play(stage: Stage) -> None:
        client = Client(stage)
        for queue in ("a", "b"):
            client.apply(("declare", queue, False, False))
        for step in steps:
            client.apply(step)
        client.apply(("reopen",))
        for queue in ("a", "b"):
            for _ in range(60):
                seen = len(stage.transcript)
                client.apply(("get", queue, True))
                if stage.transcript[seen][1] in (None, "refused"):
                    break

    return play


@pytest.mark.live
@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(steps=st.lists(operations, min_size=5, max_size=25))
def test_any_sequence_of_operations_is_answered_alike(
    steps: list[Operation], rabbitmq_server: Settings
) -> None:
    play = sequence(steps)
    assert in_the_world(play) == on_rabbitmq(play, rabbitmq_server)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(steps=st.lists(operations, min_size=5, max_size=25), seed=st.integers(0, 2**32))
def test_any_sequence_of_operations_is_answered_alike_with_every_seed(
    steps: list[Operation], seed: int
) -> None:
    play = sequence(steps)
    assert in_the_world(play, seed=seed) == in_the_world(play, seed=seed + 1)
