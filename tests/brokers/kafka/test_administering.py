from __future__ import annotations

import re
from pathlib import Path
from random import Random

import pytest

from sandbox.brokers import kafka
from sandbox.brokers.kafka import configs
from sandbox.brokers.kafka.codec import APIS
from sandbox.brokers.kafka.errors import Code
from tests.brokers.kafka.client import Client, World, values

FOLDER = Path(kafka.__file__).parent


def test_the_map_names_every_file() -> None:
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    for file in FOLDER.glob("*.py"):
        assert file.name == "__init__.py" or f"`{file.name}`" in text, file.name


def test_every_event_is_in_the_readme() -> None:
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    source = "".join(file.read_text(encoding="utf-8") for file in FOLDER.glob("*.py"))
    kinds = set(re.findall(r'(?:emit|_trace)\(\s*"([a-z.]+)"', source))
    assert {"produce", "group.join", "topic.create"} <= kinds
    assert not [kind for kind in kinds if f"| `{kind}` |" not in text]


def test_every_request_that_is_offered_has_a_handler() -> None:
    from sandbox.brokers.kafka.broker import HANDLERS

    assert set(HANDLERS) == set(APIS)


def test_a_topic_can_be_created_once(client: Client) -> None:
    assert client.create_topic("orders", 3).error_code == 0
    assert client.create_topic("orders").error_code == Code.TOPIC_ALREADY_EXISTS
    metadata = client.call("Metadata", {"topics": None})
    assert [(t.name, len(t.partitions)) for t in metadata.topics] == [("orders", 3)]
    assert [(b.node_id, b.host, b.port) for b in metadata.brokers] == [(1, "localhost", 9092)]


@pytest.mark.parametrize(
    ("name", "partitions", "code"),
    [
        ("a/b", 1, Code.INVALID_TOPIC),
        ("..", 1, Code.INVALID_TOPIC),
        ("a" * 250, 1, Code.INVALID_TOPIC),
        ("orders", 0, Code.INVALID_PARTITIONS),
        ("orders", 2**31 - 1, Code.POLICY_VIOLATION),
    ],
)
def test_impossible_topics_are_refused(
    client: Client, name: str, partitions: int, code: Code
) -> None:
    assert client.create_topic(name, partitions).error_code == code


def test_settings_that_would_be_ignored_are_refused(client: Client) -> None:
    answer = client.create_topic("orders", compression_type="lz4")
    assert answer.error_code == Code.INVALID_CONFIG
    assert "lz4" in answer.error_message
    assert client.create_topic("orders", cleanup_policy="burn").error_code == Code.INVALID_CONFIG
    assert client.create_topic("orders", no_such_thing="1").error_code == Code.INVALID_CONFIG
    assert client.create_topic("orders", retention_ms="soon").error_code == Code.INVALID_CONFIG


def test_every_setting_is_either_honoured_or_harmless_or_refused() -> None:
    assert set(configs.TOPIC_CONFIGS) >= configs.HONOURED | configs.HARMLESS
    assert not configs.HONOURED & configs.HARMLESS


def test_settings_are_described_and_changed(client: Client) -> None:
    client.create_topic("orders", retention_ms="1000")
    resource = {"resource_type": 2, "resource_name": "orders"}

    def described() -> tuple[str, int]:
        answer = client.call(
            "DescribeConfigs",
            {
                "resources": [{**resource, "configuration_keys": ["retention.ms"]}],
                "include_synonyms": False,
                "include_documentation": False,
            },
        )
        (setting,) = answer.results[0].configs
        return setting.value, setting.config_source

    assert described() == ("1000", 1)
    change = {"name": "retention.ms", "config_operation": 0, "value": "2000"}
    wanted = {"resources": [{**resource, "configs": [change]}], "validate_only": False}
    assert client.call("IncrementalAlterConfigs", wanted).responses[0].error_code == 0
    assert described() == ("2000", 1)
    change["config_operation"] = 1
    client.call("IncrementalAlterConfigs", wanted)
    assert described() == ("604800000", 5)


def test_a_deleted_topic_is_gone_with_its_offsets_and_wakes_readers(world: World) -> None:
    reader, client = world.connect("reader"), world.connect()
    client.create_topic("orders")
    client.commit("g", "orders", 3)
    reader.send_fetch("orders", 0, max_wait_ms=60_000)
    wanted = {"topics": [{"name": "orders"}], "timeout_ms": 1}
    assert client.call("DeleteTopics", wanted).responses[0].error_code == 0
    code = reader.answer().responses[0].partitions[0].error_code
    assert code == Code.UNKNOWN_TOPIC_OR_PARTITION
    assert client.committed("g", "orders") == (-1, 0)
    answer = client.call("DeleteTopics", wanted).responses[0]
    assert answer.error_code == Code.UNKNOWN_TOPIC_OR_PARTITION


def test_partitions_can_be_added_but_not_taken_away(client: Client) -> None:
    client.create_topic("orders", 2)
    topic = {"name": "orders", "count": 3, "assignments": None}
    wanted = {"topics": [topic], "timeout_ms": 1, "validate_only": False}
    assert client.call("CreatePartitions", wanted).results[0].error_code == 0
    assert client.produce("orders", [b"a"], 2).error_code == 0
    topic["count"] = 2
    answer = client.call("CreatePartitions", wanted).results[0]
    assert answer.error_code == Code.INVALID_PARTITIONS


def test_asking_for_a_topic_creates_it_if_the_client_may() -> None:
    client = World().connect()
    wanted = {"topics": [{"name": "orders"}], "allow_auto_topic_creation": False}
    answer = client.call("Metadata", wanted)
    assert answer.topics[0].error_code == Code.UNKNOWN_TOPIC_OR_PARTITION
    wanted["allow_auto_topic_creation"] = True
    assert client.call("Metadata", wanted).topics[0].error_code == 0
    strict = World(configs={"auto.create.topics.enable": "false"}).connect()
    answer = strict.call("Metadata", wanted)
    assert answer.topics[0].error_code == Code.UNKNOWN_TOPIC_OR_PARTITION


def test_the_administrator_needs_no_connection(world: World) -> None:
    world.broker.admin_create_topic("orders", 2)
    assert world.broker.admin_produce("orders", [b"a", b"b"], 0, partition=1, key=b"k") == 0
    assert values(world.connect().fetch("orders", 0, 1)) == [(0, b"a"), (1, b"b")]


# -- what is spoken --------------------------------------------------------------------------------


def test_a_version_nobody_speaks_is_told_what_is_spoken(client: Client) -> None:
    client.feed(b"\0\0\0\x0e" + b"\0\x12" + b"\0\x63" + b"\0\0\0\x07" + b"\0\x01c" + b"\0\0\0")
    assert client.incoming[4:8] == b"\0\0\0\x07"
    assert client.incoming[8:10] == b"\0\x23"
    assert not client.side.closing


@pytest.mark.parametrize("start", [b"\x03\xe7\0\0", b"\0\0\0\x63", b"\0\x03"])
def test_what_is_not_offered_ends_the_connection(client: Client, start: bytes) -> None:
    frame = start + b"\0\0\0\x07\0\0" if len(start) == 4 else start
    client.feed(len(frame).to_bytes(4, "big") + frame)
    assert client.side.closing


def test_random_bytes_never_break_the_broker(world: World) -> None:
    random = Random(7)
    for _ in range(300):
        client = world.connect()
        api = random.choice(list(APIS.values()))
        body = random.randbytes(random.randrange(60))
        version = random.randint(api.lowest, api.highest)
        frame = api.key.to_bytes(2, "big") + version.to_bytes(2, "big") + b"\0\0\0\1\xff\xff" + body
        client.feed(len(frame).to_bytes(4, "big") + frame)
        client.side.connection_lost(world.now_ns)
    survivor = world.connect()
    assert survivor.create_topic("still-serves").error_code == 0


def test_a_frame_beyond_the_limit_ends_the_connection(client: Client) -> None:
    client.feed(b"\x7f\xff\xff\xff")
    assert client.side.closing


def test_requests_cut_anywhere_are_put_together(world: World) -> None:
    client, slow = world.connect(), world.connect()
    sent: list[bytes] = []
    client.side.receive_data = lambda data, now_ns: sent.append(data)  # type: ignore[method-assign]
    client.send("ListGroups", {"states_filter": [], "types_filter": []})
    for byte in sent[0]:
        slow.feed(bytes([byte]))
    assert slow.incoming


# -- logging in ------------------------------------------------------------------------------------


def _log_in(client: Client, password: str) -> int:
    assert client.call("SaslHandshake", {"mechanism": "PLAIN"}).error_code == 0
    secret = {"auth_bytes": f"\0anna\0{password}".encode()}
    code: int = client.call("SaslAuthenticate", secret).error_code
    return code


def test_who_knows_the_password_may_go_on() -> None:
    client = World(users={"anna": "secret"}).connect()
    assert _log_in(client, "secret") == 0
    assert client.create_topic("orders").error_code == 0


def test_a_wrong_password_ends_the_connection() -> None:
    client = World(users={"anna": "secret"}).connect()
    assert _log_in(client, "guess") == 58
    assert client.side.closing


def test_nothing_else_is_answered_before_logging_in() -> None:
    client = World(users={"anna": "secret"}).connect()
    client.send("ListGroups", {"states_filter": [], "types_filter": []})
    assert client.side.closing
    assert not client.incoming
