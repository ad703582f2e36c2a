"""Questions and answers: direct reply-to."""

from __future__ import annotations

from tests.parity.amqp.stage import Stage, scenario

REPLIES = "amq.rabbitmq.reply-to"


@scenario
def an_answer_comes_straight_to_who_asked(stage: Stage) -> None:
    asking, answering = stage.channel(), stage.channel()
    answering.queue_declare("questions")
    stage.consume(asking, REPLIES, "answers", auto_ack=True)
    properties = stage.properties(reply_to=REPLIES, correlation_id="1")
    asking.basic_publish("", "questions", b"what?", properties)
    stage.wait_for(answering, "questions", 1)
    _, got, body = answering.basic_get("questions", auto_ack=True)
    stage.see(body.decode(), got.reply_to.startswith(REPLIES + "."), got.correlation_id)
    stage.see(answering.queue_declare(got.reply_to, passive=True).method.consumer_count)
    answering.basic_publish("", got.reply_to, b"this", stage.properties(correlation_id="1"))
    stage.tags(asking, 1)
    asking.basic_cancel("answers")
    stage.quiet(asking)
    answering.confirm_delivery()
    stage.refused(lambda: answering.basic_publish("", got.reply_to, b"late", mandatory=True))


@scenario
def asking_without_waiting_for_the_answer(stage: Stage) -> None:
    channel = stage.channel()
    channel.queue_declare("questions")
    channel.basic_publish("", "questions", b"what?", stage.properties(reply_to=REPLIES))
    stage.refused(lambda: channel.queue_declare("questions", passive=True))


@scenario
def an_answer_cannot_be_acknowledged_nor_expected_twice(stage: Stage) -> None:
    channel = stage.channel()
    stage.refused(lambda: stage.consume(channel, REPLIES, "c"))
    channel = stage.channel()
    stage.consume(channel, REPLIES, "c", auto_ack=True)
    stage.refused(lambda: stage.consume(channel, REPLIES, "d", auto_ack=True))
