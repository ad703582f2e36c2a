"""What the course teaches about MQTT, as conversations: played on the sandbox and on Mosquitto."""

from __future__ import annotations

from typing import Any

from tests.brokers.mqtt import packets
from tests.parity.mqtt.stage import Stage, scenario

KEPT: dict[str, Any] = {"clean": False, "session_expiry_interval": 1000}
IF_NEW, NEVER, NO_LOCAL, AS_PUBLISHED = 0x10, 0x20, 4, 8


def everybody(stage: Stage) -> None:
    for actor in stage.actors:
        actor.connect()


@scenario
def every_quality_to_every_quality(stage: Stage) -> None:
    everybody(stage)
    for qos in range(3):
        stage.b.subscribe(f"t/{qos}", options=qos)
    for level in range(3):
        for qos in range(3):
            packet_id = stage.a.publish(f"t/{level}", f"{qos}", qos)
            if qos == 2:
                stage.a.release(packet_id)
    stage.b.settle_all()


@scenario
def a_message_published_twice_under_one_identifier(stage: Stage) -> None:
    everybody(stage)
    stage.b.subscribe("t", options=0)
    packet_id = stage.a.publish("t", "once", 2)
    stage.a.send(packets.publish("t", b"once", 2, packet_id, dup=True))
    stage.a.release(packet_id)
    packet_id = stage.a.publish("t", "first", 2)
    stage.a.send(packets.publish("t", b"second", 2, packet_id))
    stage.a.release(packet_id)


@scenario
def publishing_to_nobody(stage: Stage) -> None:
    everybody(stage)
    stage.a.publish("nobody", "x", 1)
    stage.a.publish("nobody", "x", 1, retain=True)
    stage.a.release(stage.a.publish("nobody", "x", 2))


@scenario
def overlapping_subscriptions(stage: Stage) -> None:
    everybody(stage)
    for number, topic_filter in enumerate(["#", "x/#", "x/+", "+/y", "x/y"], 1):
        stage.b.subscribe(topic_filter, options=number % 3, subscription_identifier=number)
    stage.a.publish("x/y", "1", 1)
    stage.a.publish("x", "2", 1)
    stage.b.settle_all()


@scenario
def wildcards_and_dollar_topics(stage: Stage) -> None:
    everybody(stage)
    stage.b.subscribe("#", "+/x", "$own/+", "/+", "+", options=0)
    for topic in ("$own/x", "a/x", "/x", "x", "a//x"):
        stage.a.publish(topic, topic)


@scenario
def a_session_that_is_kept(stage: Stage) -> None:
    everybody(stage)
    stage.b.connect(**KEPT)
    stage.b.subscribe("t", options=2)
    stage.b.lose()
    for qos in range(3):
        packet_id = stage.a.publish("t", f"{qos}", qos)
        if qos == 2:
            stage.a.release(packet_id)
    stage.b.connect(**KEPT)
    stage.b.settle_all()
    stage.b.disconnect()
    stage.b.connect()


@scenario
def deliveries_that_are_sent_again(stage: Stage) -> None:
    everybody(stage)
    stage.b.connect(**KEPT)
    stage.b.subscribe("t", options=2)
    for number in range(6):
        packet_id = stage.a.publish("t", f"{number}", 1 + number % 2)
        stage.a.answer("PUBREL", packet_id) if number % 2 else None
    stage.b.settle_next(0)
    stage.b.settle_next(0)
    stage.b.settle_next(1)
    stage.b.lose()
    stage.b.connect(**KEPT)
    stage.b.settle_all()


@scenario
def a_release_on_another_connection(stage: Stage) -> None:
    everybody(stage)
    stage.b.subscribe("t", options=0)
    stage.a.connect(**KEPT)
    packet_id = stage.a.publish("t", "late", 2)
    stage.a.lose()
    stage.a.connect(**KEPT)
    stage.a.send(packets.publish("t", b"late", 2, packet_id, dup=True))
    stage.a.release(packet_id)


@scenario
def sessions_of_older_clients(stage: Stage) -> None:
    stage.c.version = 4
    everybody(stage)
    stage.c.connect(clean=False)
    stage.c.subscribe("t", options=1)
    stage.c.disconnect()
    stage.a.publish("t", "late", 1)
    stage.c.connect(clean=False)
    stage.c.lose()
    stage.c.connect(clean=False)
    stage.c.settle_all()
    stage.c.connect(clean=True)
    stage.c.connect(clean=False)


@scenario
def leaving_changes_how_long_a_session_is_kept(stage: Stage) -> None:
    stage.a.connect(**KEPT)
    stage.a.disconnect(session_expiry_interval=0)
    stage.a.connect(**KEPT)
    stage.a.disconnect()
    stage.a.connect(**KEPT)
    stage.b.connect()
    stage.b.disconnect(session_expiry_interval=10)


@scenario
def retained_messages(stage: Stage) -> None:
    everybody(stage)
    for topic in ("r/1", "r/2", "r", "r/1/x", "s/1"):
        stage.a.publish(topic, topic, 1, retain=True)
    stage.a.publish("r/2", "new", 0, retain=True)
    for topic_filter in ("r/#", "r/+", "+/1", "#", "r"):
        stage.b.subscribe(topic_filter, options=1)
        stage.b.settle_all()
    stage.a.publish("r/1", "", retain=True)
    stage.a.publish("r/2", "live", retain=True)
    stage.c.subscribe("r/#", options=1)


@scenario
def retain_handling_and_retain_as_published(stage: Stage) -> None:
    everybody(stage)
    stage.a.publish("r", "x", retain=True)
    for options in (0, IF_NEW, NEVER, IF_NEW):
        stage.b.subscribe("r", options=options)
    stage.b.unsubscribe("r")
    stage.b.subscribe("r", options=AS_PUBLISHED)
    stage.a.publish("r", "live", retain=True)
    stage.c.subscribe("r", options=IF_NEW)
    stage.c.subscribe("r", options=IF_NEW)


@scenario
def wills(stage: Stage) -> None:
    will = ("w", b"gone", 1, False)
    stage.b.connect()
    stage.b.subscribe("w", options=1)
    stage.a.connect(will=will)
    stage.a.lose()
    stage.a.connect(will=will)
    stage.a.disconnect()
    stage.a.connect(will=will)
    stage.a.disconnect(4)
    stage.a.connect(will=will)
    stage.a.send(b"\x00\x00")
    stage.b.settle_all()


@scenario
def a_will_that_is_retained(stage: Stage) -> None:
    stage.a.connect(
        will=("w", b"gone", 0, True),
        will_properties={"content_type": "text/plain", "user_property": [("k", "v")]},
    )
    stage.a.lose()
    stage.b.connect()
    stage.b.subscribe("w")


@scenario
def a_delayed_will_ends_with_its_session(stage: Stage) -> None:
    will: dict[str, Any] = {
        "will": ("w", b"gone", 0, False),
        "will_properties": {"will_delay_interval": 900},
    }
    stage.b.connect()
    stage.b.subscribe("w")
    stage.a.connect(**will)
    stage.a.lose()
    stage.a.connect(**KEPT, **will)
    stage.a.lose()
    stage.a.connect(**KEPT)
    stage.a.connect(**KEPT, **will)
    stage.a.lose()
    stage.a.connect()


@scenario
def a_group_takes_turns(stage: Stage) -> None:
    everybody(stage)
    for actor in (stage.a, stage.b):
        actor.subscribe("$share/g/t/+", options=1 | NEVER)
    stage.c.subscribe("$share/h/t/#", options=1 | NEVER, subscription_identifier=5)
    for number in range(5):
        stage.c.publish("t/x", f"{number}", 1)
    stage.b.unsubscribe("$share/g/t/+")
    stage.c.publish("t/x", "alone", 1)
    for actor in stage.actors:
        actor.settle_all()


@scenario
def a_member_of_a_group_that_is_away(stage: Stage) -> None:
    everybody(stage)
    stage.a.connect(**KEPT)
    for actor in (stage.a, stage.b):
        actor.subscribe("$share/g/t", options=1 | NEVER)
    stage.a.lose()
    for number in range(4):
        stage.c.publish("t", f"{number}", 1)
    stage.a.connect(**KEPT)
    stage.a.settle_all()


@scenario
def no_local(stage: Stage) -> None:
    everybody(stage)
    stage.a.subscribe("t", options=NO_LOCAL)
    stage.a.publish("t", "mine", 1)
    stage.b.publish("t", "theirs", 1)


@scenario
def aliases_from_clients(stage: Stage) -> None:
    everybody(stage)
    stage.b.subscribe("#", options=0)
    stage.a.publish("long/topic", "1", topic_alias=10)
    stage.a.publish("", "2", topic_alias=10)
    stage.a.publish("other", "3", topic_alias=10)
    stage.a.publish("", "4", topic_alias=10)
    stage.a.publish("t", "5", topic_alias=11)
    stage.c.publish("", "6", topic_alias=10)


@scenario
def properties_of_messages(stage: Stage) -> None:
    everybody(stage)
    stage.b.subscribe("t", options=1, subscription_identifier=268435455)
    stage.a.publish(
        "t",
        "x",
        1,
        payload_format_indicator=1,
        content_type="text/plain",
        response_topic="answers",
        correlation_data=b"\x00\x01",
        user_property=[("a", "1"), ("b", ""), ("a", "2")],
    )


@scenario
def only_the_server_publishes_about_itself(stage: Stage) -> None:
    everybody(stage)
    stage.a.publish("$SYS/broker/uptime", "x", 1)
    stage.a.publish("$SYS/broker/uptime", "x", 2)
    stage.a.publish("$share/g/t", "x", 1)
    stage.c.version = 4
    stage.c.connect()
    stage.c.publish("$SYS/x", "x", 1)


@scenario
def unsubscribing(stage: Stage) -> None:
    everybody(stage)
    stage.b.subscribe("t", "u", options=1)
    stage.a.publish("t", "before", 1)
    stage.b.unsubscribe("t", "gone", "u")
    stage.a.publish("t", "after", 1)
    stage.b.settle_all()


@scenario
def more_than_the_server_takes(stage: Stage) -> None:
    everybody(stage)
    for _ in range(21):
        stage.a.publish("t", "x", 2)


@scenario
def twenty_in_flight(stage: Stage) -> None:
    stage.b.version = 4
    everybody(stage)
    stage.b.subscribe("t", options=1)
    for number in range(25):
        stage.a.publish("t", f"{number}", 1)
    stage.b.settle_all()


@scenario
def larger_than_the_client_takes(stage: Stage) -> None:
    everybody(stage)
    stage.b.connect(maximum_packet_size=50)
    stage.b.subscribe("t", options=1)
    for qos in range(2):
        stage.a.publish("t", "x" * 60, qos)
        stage.a.publish("t", "small", qos)


@scenario
def refused_packets(stage: Stage) -> None:
    for data in (
        packets.publish("t", b"", 3, 1),
        packets.publish("a/+"),
        packets.publish(""),
        packets.publish("a\x01"),
        packets.publish("", topic_alias=3),
        packets.publish("t", b"", 1, 0),
        packets.subscribe(1, [("a/#/b", 0)]),
        packets.subscribe(1, []),
        packets.subscribe(1, [("t", 3)]),
        packets.subscribe(1, [("t", 0x40)]),
        packets.unsubscribe(1, ["a/#/b"]),
        packets.connect("a"),
        b"\x20\x02\x00\x00",
    ):
        stage.a.connect()
        stage.a.send(data)
        assert not stage.a.connected


@scenario
def refused_clients(stage: Stage) -> None:
    for version, options in (
        (5, {"authentication_method": "SCRAM-SHA-1"}),
        (6, {}),
    ):
        stage.a.version = version
        stage.a.connect(**options)
    for version in (3, 4):
        stage.a.version, stage.a.name = version, ""
        stage.a.connect(clean=False)
    stage.a.name = "a"


@scenario
def a_restart(stage: Stage) -> None:
    stage.c.version = 4
    everybody(stage)
    stage.b.connect(**KEPT)
    stage.c.connect(clean=False)
    stage.b.subscribe("t", options=2, subscription_identifier=9)
    stage.c.subscribe("t", options=1)
    stage.a.publish("r", "retained", 1, retain=True)
    stage.c.disconnect()
    for number in range(3):
        stage.a.publish("t", f"{number}", 1)
    stage.b.settle_next()
    stage.restart()
    stage.a.connect()
    stage.b.connect(**KEPT)
    stage.c.connect(clean=False)
    stage.a.publish("t", "after", 1)
    stage.b.settle_all()
    stage.c.settle_all()
    stage.a.subscribe("r")


# -- where the two differ (see `differences`) --------------------------------------------------


@scenario
def a_small_receive_maximum(stage: Stage) -> None:
    everybody(stage)
    stage.b.connect(receive_maximum=2)
    stage.b.subscribe("t", options=1)
    for number in range(5):
        stage.a.publish("t", f"{number}", 1)
    stage.b.settle_next()


@scenario
def subscribing_again_with_other_options(stage: Stage) -> None:
    everybody(stage)
    stage.b.subscribe("t", options=0)
    stage.b.subscribe("t", options=AS_PUBLISHED)
    stage.a.publish("t", "x", retain=True)


@scenario
def retained_messages_for_a_group(stage: Stage) -> None:
    everybody(stage)
    stage.a.publish("t", "x", retain=True)
    stage.b.subscribe("$share/g/t")


@scenario
def no_local_and_ones_own_retained_message(stage: Stage) -> None:
    everybody(stage)
    stage.a.publish("t", "x", retain=True)
    stage.a.subscribe("t", options=NO_LOCAL)


@scenario
def overlapping_subscriptions_of_an_older_client(stage: Stage) -> None:
    stage.b.version = 4
    everybody(stage)
    stage.b.subscribe("t/#", options=1)
    stage.b.subscribe("t/x", options=0)
    stage.a.publish("t/x", "x", 1)


@scenario
def a_will_of_a_connection_that_is_taken_over(stage: Stage) -> None:
    stage.b.connect()
    stage.b.subscribe("w")
    stage.a.connect(**KEPT, will=("w", b"gone", 0, False))
    stage.a.connect(**KEPT)


@scenario
def aliases_from_the_server(stage: Stage) -> None:
    stage.a.connect(topic_alias_maximum=5)
    stage.a.subscribe("t", options=0)
    stage.a.publish("t", "1")
    stage.a.publish("t", "2")


@scenario
def packets_that_only_the_specification_refuses(stage: Stage) -> None:
    for data in (
        packets.publish("t", b"x", 1, 1, response_topic="a/+"),
        packets.publish("t", b"x", 1, 1, subscription_identifier=3),
        packets.publish("t", dup=True),
        packets.subscribe(1, [("$share/g", 0)]),
        packets.subscribe(1, [("$share/g/t", NO_LOCAL)]),
        b"\xc0\x01x",
    ):
        stage.a.connect()
        stage.a.send(data)


@scenario
def a_goodbye_with_another_reason(stage: Stage) -> None:
    stage.b.connect()
    stage.b.subscribe("w")
    stage.a.connect(will=("w", b"gone", 0, False))
    stage.a.disconnect(0x80)


@scenario
def a_connect_that_is_wrong(stage: Stage) -> None:
    stage.a.connect(receive_maximum=0)
    stage.a.connect(will=("a/#", b"", 0, False))
