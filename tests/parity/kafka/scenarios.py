"""What the course teaches about Kafka, as programs: played on the sandbox and on Kafka."""

from __future__ import annotations

from typing import Any

from kafka import OffsetAndMetadata, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, NewPartitions, NewTopic

from tests.parity.kafka.stage import POLL_MS, Stage, scenario


@scenario
def offsets_count_within_a_partition(stage: Stage) -> None:
    topic, producer = stage.topic(partitions=2), stage.producer()
    for partition in (0, 1, 0):
        told = producer.send(topic, b"x", partition=partition).get(60)
        stage.see(told.topic, told.partition, told.offset)
    consumer = stage.consumer(topic)
    stage.see(stage.read(consumer, 3))


@scenario
def a_key_stays_in_its_partition(stage: Stage) -> None:
    topic, producer = stage.topic(partitions=3), stage.producer()
    for key in (b"ann", b"bob", b"cid", b"ann", b"bob", b""):
        stage.see(key, producer.send(topic, b"x", key=key).get(60).partition)


@scenario
def a_late_reader_reads_everything(stage: Stage) -> None:
    topic, producer = stage.topic(), stage.producer()
    for number in range(5):
        producer.send(topic, str(number).encode()).get(60)
    for group in ("first", "second"):
        stage.see(group, stage.read(stage.consumer(topic, group_id=stage.name(group)), 5))


@scenario
def a_reader_of_the_latest_misses_what_was(stage: Stage) -> None:
    topic, producer = stage.topic(), stage.producer()
    producer.send(topic, b"before").get(60)
    consumer = stage.consumer(auto_offset_reset="latest")
    place = TopicPartition(topic, 0)
    consumer.assign([place])
    stage.see(consumer.position(place))
    producer.send(topic, b"after").get(60)
    stage.see(stage.read(consumer, 1))


@scenario
def a_group_goes_on_where_it_committed(stage: Stage) -> None:
    topic, producer = stage.topic(), stage.producer()
    for number in range(4):
        producer.send(topic, str(number).encode()).get(60)
    group, place = stage.name("shop"), TopicPartition(topic, 0)
    first = stage.consumer(topic, group_id=group)
    stage.see(stage.read(first, 4), first.committed(place))
    first.commit({place: OffsetAndMetadata(2, "two are done", -1)})
    stage.see(first.committed(place))
    stage.leave(first)
    second = stage.consumer(topic, group_id=group)
    stage.see(stage.read(second, 2))
    stage.see(stage.admin.list_group_offsets({group: None})[group])


@scenario
def two_members_share_the_partitions(stage: Stage) -> None:
    topic, group = stage.topic(partitions=4), stage.name("shop")
    both = [stage.consumer(topic, group_id=group, client_id=name) for name in ("ann", "bob")]

    def share() -> list[int]:
        for each in both:
            each.poll(timeout_ms=300)
        counts = [len(each.assignment()) for each in both]
        return counts if all(counts) else []

    stage.see(stage.until(share))
    owned = [{place.partition for place in each.assignment()} for each in both]
    stage.see(set.intersection(*owned), set.union(*owned))
    described = stage.admin.describe_groups([group])[group]
    stage.see(described["group_state"], described["protocol_data"], described["protocol_type"])
    stage.see(sorted(member["client_id"] for member in described["members"]))
    stage.leave(both[0])
    stage.until(lambda: both[1].poll(timeout_ms=300) or len(both[1].assignment()) == 4)
    stage.see(sorted(place.partition for place in both[1].assignment()))


@scenario
def a_group_without_members_is_empty(stage: Stage) -> None:
    topic, group = stage.topic(), stage.name("shop")
    stage.see(stage.admin.describe_groups([group])[group]["group_state"])
    consumer = stage.consumer(topic, group_id=group)
    stage.join(consumer)
    consumer.commit()
    stage.see(stage.admin.delete_groups([group]))
    stage.leave(consumer)
    stage.until(lambda: stage.admin.describe_groups([group])[group]["group_state"] == "Empty")
    stage.see(stage.admin.delete_groups([group]), stage.admin.delete_groups([group]))
    stage.see(stage.admin.describe_groups([group])[group]["group_state"])


@scenario
def reading_again_from_anywhere(stage: Stage) -> None:
    topic, producer = stage.topic(), stage.producer()
    for number in range(5):
        producer.send(topic, str(number).encode(), timestamp_ms=1000 * (number + 1)).get(60)
    consumer, place = stage.consumer(), TopicPartition(topic, 0)
    consumer.assign([place])
    consumer.seek(place, 3)
    stage.see(stage.read(consumer, 2), consumer.position(place))
    consumer.seek_to_beginning(place)
    stage.see(len(stage.read(consumer, 5)))
    stage.see(consumer.offsets_for_times({place: 2500}), consumer.offsets_for_times({place: 9999}))
    stage.see(consumer.beginning_offsets([place]), consumer.end_offsets([place]))


@scenario
def an_offset_out_of_range_is_reset(stage: Stage) -> None:
    topic, producer = stage.topic(), stage.producer()
    producer.send(topic, b"only").get(60)
    place = TopicPartition(topic, 0)
    for policy in ("earliest", "none"):
        consumer = stage.consumer(auto_offset_reset=policy)
        consumer.assign([place])
        consumer.seek(place, 100)
        if policy == "none":
            stage.refused(lambda consumer=consumer: stage.read(consumer, 1))
        else:
            stage.see(stage.read(consumer, 1))


@scenario
def records_have_headers_and_may_be_empty(stage: Stage) -> None:
    topic, producer = stage.topic(), stage.producer()
    producer.send(topic, b"v", key=b"k", headers=[("h", b"1"), ("h", b"2"), ("e", b"")]).get(60)
    producer.send(topic, None, key=b"k").get(60)
    producer.send(topic, b"").get(60)
    consumer, found = stage.consumer(topic), []

    def look() -> bool:
        for records in consumer.poll(timeout_ms=POLL_MS).values():
            found.extend([r.key, r.value, list(r.headers or ())] for r in records)
        return len(found) == 3

    stage.until(look)
    stage.see(found)


@scenario
def topics_that_cannot_be_made(stage: Stage) -> None:
    name = stage.topic()

    def make(topic: str, *numbers: int, **configs: str) -> Any:
        settings = {key.replace("_", "."): value for key, value in configs.items()}
        return stage.admin.create_topics([NewTopic(topic, *numbers, topic_configs=settings)])

    stage.refused(lambda: make(name, 1, 1))
    stage.refused(lambda: make(stage.name("few"), 0, 1))
    stage.refused(lambda: make(stage.name("many"), 1, 3))
    stage.refused(lambda: make("no spaces", 1, 1))
    stage.refused(lambda: make(stage.name("config"), 1, 1, no_such="1"))
    stage.refused(lambda: make(stage.name("config"), 1, 1, retention_ms="long"))
    stage.refused(lambda: stage.admin.delete_topics([stage.name("nothing")]))
    stage.see(stage.admin.describe_topics([stage.name("nothing")])[0]["error_code"])


@scenario
def a_topic_can_grow_and_go(stage: Stage) -> None:
    name = stage.topic(partitions=2)
    stage.admin.create_partitions({name: NewPartitions(total_count=4)})
    stage.until(lambda: len(stage.admin.describe_topics([name])[0]["partitions"]) == 4)
    stage.refused(lambda: stage.admin.create_partitions({name: NewPartitions(total_count=3)}))
    stage.see(name in stage.admin.list_topics())
    stage.admin.delete_topics([name])
    stage.until(lambda: name not in stage.admin.list_topics())
    stage.see(stage.admin.describe_topics([name])[0]["error_code"])


@scenario
def a_topics_settings_can_be_read_and_changed(stage: Stage) -> None:
    name = stage.topic(cleanup_policy="compact", retention_ms="60000")

    def own() -> dict[str, str]:
        asked = [ConfigResource(ConfigResourceType.TOPIC, name)]
        found = stage.admin.describe_configs(asked)["topic"][name]
        return {key: each["value"] for key, each in sorted(found.items())}

    stage.see(own())
    change = ConfigResource(ConfigResourceType.TOPIC, name, configs={"retention.ms": "120000"})
    stage.admin.alter_configs([change])
    stage.until(lambda: own()["retention.ms"] == "120000")
    stage.see(own())
    stage.refused(lambda: stage.producer().send(name, b"no key").get(60))


@scenario
def a_record_that_is_too_large_is_refused(stage: Stage) -> None:
    name = stage.topic(max_message_bytes="1000")
    producer = stage.producer()
    stage.see(producer.send(name, b"x" * 500).get(60).offset)
    stage.refused(lambda: producer.send(name, b"x" * 2000).get(60))


@scenario
def a_topic_appears_when_it_is_written_to(stage: Stage) -> None:
    name = stage.name("new")
    told = stage.producer().send(name, b"x").get(60)
    stage.see(told.partition, told.offset)
    stage.see(len(stage.admin.describe_topics([name])[0]["partitions"]))


@scenario
def nobody_waits_for_acknowledgements(stage: Stage) -> None:
    name = stage.topic()
    for acks in (0, 1):
        told = stage.producer(acks=acks, enable_idempotence=False).send(name, b"x").get(60)
        stage.see(acks, told.offset)
    stage.see(stage.read(stage.consumer(name), 2))


@scenario
def records_can_be_deleted_up_to_an_offset(stage: Stage) -> None:
    name, producer = stage.topic(), stage.producer()
    for number in range(4):
        producer.send(name, str(number).encode()).get(60)
    place = TopicPartition(name, 0)
    stage.admin.delete_records({place: 3})
    consumer = stage.consumer(name)
    stage.see(consumer.beginning_offsets([place]), consumer.end_offsets([place]))
    stage.see(stage.read(consumer, 1))
    stage.refused(lambda: stage.admin.delete_records({place: 99}))


@scenario
def a_transaction_is_seen_when_it_is_over(stage: Stage) -> None:
    name = stage.topic()
    place = TopicPartition(name, 0)
    producer = stage.producer(transactional_id=stage.name("till"))
    producer.init_transactions()
    levels = ("read_committed", "read_uncommitted")
    readers = [stage.consumer(isolation_level=level) for level in levels]

    def ends() -> list[int]:
        return [reader.end_offsets([place])[place] for reader in readers]

    producer.begin_transaction()
    producer.send(name, b"aborted").get(60)
    stage.see(ends())
    producer.abort_transaction()
    # The marker is written after the answer.
    stage.until(lambda: ends() == [2, 2])
    producer.begin_transaction()
    producer.send(name, b"committed").get(60)
    stage.see(ends())
    producer.commit_transaction()
    stage.until(lambda: ends() == [4, 4])
    stage.see(ends())
    stage.see(stage.read(stage.consumer(name, isolation_level="read_committed"), 1))
    stage.see(stage.read(stage.consumer(name, isolation_level="read_uncommitted"), 2))


@scenario
def offsets_are_part_of_a_transaction(stage: Stage) -> None:
    source, sink, group = stage.topic("source"), stage.topic("sink"), stage.name("mover")
    stage.producer().send(source, b"1").get(60)
    place = TopicPartition(source, 0)
    consumer = stage.consumer(source, group_id=group)
    producer = stage.producer(transactional_id=stage.name("mover"))
    producer.init_transactions()
    stage.see(stage.read(consumer, 1))
    for commit in (False, True):
        producer.begin_transaction()
        producer.send(sink, b"moved").get(60)
        offsets = {place: OffsetAndMetadata(1, "", -1)}
        producer.send_offsets_to_transaction(offsets, consumer.group_metadata())
        if commit:
            producer.commit_transaction()
            # The marker is written after the answer.
            stage.until(lambda: stage.admin.list_group_offsets({group: None})[group])
        else:
            producer.abort_transaction()
        stage.see(stage.admin.list_group_offsets({group: None})[group])
    stage.see(stage.read(stage.consumer(sink, isolation_level="read_committed"), 1))


@scenario
def an_older_producer_of_the_same_name_is_fenced(stage: Stage) -> None:
    name, till = stage.topic(), stage.name("till")
    older = stage.producer(transactional_id=till)
    older.init_transactions()
    older.begin_transaction()
    older.send(name, b"older").get(60)
    newer = stage.producer(transactional_id=till)
    newer.init_transactions()
    newer.begin_transaction()
    newer.send(name, b"newer").get(60)
    newer.commit_transaction()
    stage.refused(older.commit_transaction)
    stage.see(stage.read(stage.consumer(name, isolation_level="read_committed"), 1))


@scenario
def a_member_that_keeps_its_name_keeps_its_partitions(stage: Stage) -> None:
    topic, group = stage.topic(partitions=2), stage.name("shop")

    def join() -> Any:
        consumer = stage.consumer(topic, group_id=group, group_instance_id="till-1")
        stage.join(consumer)
        return consumer

    first = join()
    stage.see(sorted(place.partition for place in first.assignment()))
    (member,) = stage.admin.describe_groups([group])[group]["members"]
    stage.see(member["group_instance_id"], member["member_assignment"]["assigned_partitions"])
    stage.leave(first)
    second = join()
    stage.see(sorted(place.partition for place in second.assignment()))
    stage.see(len(stage.admin.describe_groups([group])[group]["members"]))


@scenario
def committing_for_a_group_that_others_are_in(stage: Stage) -> None:
    topic, group = stage.topic(), stage.name("shop")
    member = stage.consumer(topic, group_id=group)
    stage.join(member)
    place = TopicPartition(topic, 0)
    stranger = stage.consumer(group_id=group)
    stranger.assign([place])
    stage.refused(lambda: stranger.commit({place: OffsetAndMetadata(1, "", -1)}))
    stage.see(member.committed(place))
