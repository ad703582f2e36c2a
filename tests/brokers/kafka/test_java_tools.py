"""Kafka's own command-line tools (Java) against three brokers of the sandbox.

They come from Maven Central, as does the server they are compared with; run by `make test-live`.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.native.kafka import VERSION
from tests.brokers.kafka.tcp import Carrier, carried

pytestmark = [pytest.mark.live, pytest.mark.needs_os]
POM = f"""<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>tools</groupId><artifactId>tools</artifactId><version>1</version>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId>
      <version>{VERSION}</version>
    </dependency>
    <dependency>
      <groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId>
      <version>{VERSION}</version>
    </dependency>
  </dependencies>
</project>
"""
TOOLS = "org.apache.kafka.tools."
GROUPS = "consumer.group.ConsumerGroupCommand"


class Tools:
    """The tools, and brokers for them."""

    def __init__(self, jars: Path, carrier: Carrier) -> None:
        self.jars = jars
        self.carrier = carrier

    def run(self, tool: str, *arguments: str, typed: str = "") -> str:
        name = tool if tool.startswith("kafka.") else TOOLS + tool
        command = ["java", "-XX:TieredStopAtLevel=1", "-cp", f"{self.jars}/*", name]
        servers = ("--bootstrap-server", ",".join(self.carrier.addresses))
        done = subprocess.run(
            [*command, *servers, *arguments],
            input=typed,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="session")
def jars(tmp_path_factory: pytest.TempPathFactory) -> Path:
    maven = shutil.which("mvn")
    if maven is None or shutil.which("java") is None:
        pytest.skip("Kafka's tools need java and mvn")
    folder = tmp_path_factory.mktemp("tools")
    (folder / "pom.xml").write_text(POM, encoding="utf-8")
    subprocess.run(
        [maven, "-q", "dependency:copy-dependencies", f"-DoutputDirectory={folder}/lib"],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    return folder / "lib"


@pytest.fixture
def tools(jars: Path) -> Iterator[Tools]:
    with carried(3) as carrier:
        yield Tools(jars, carrier)


def test_topics(tools: Tools) -> None:
    topic = ("--topic", "orders")
    tools.run("TopicCommand", "--create", *topic, "--partitions", "2", "--replication-factor", "3")
    tools.run("TopicCommand", "--alter", *topic, "--partitions", "3")
    assert tools.run("TopicCommand", "--list").split() == ["orders"]
    described = tools.run("TopicCommand", "--describe", *topic)
    assert "PartitionCount: 3\tReplicationFactor: 3" in described
    assert "Partition: 1\tLeader: 2\tReplicas: 2,3,1\tIsr: 2,3,1" in described
    tools.run("TopicCommand", "--delete", *topic)
    assert tools.run("TopicCommand", "--list").split() == []


def test_producing_consuming_and_groups(tools: Tools) -> None:
    topic = ("--topic", "orders")
    tools.run("TopicCommand", "--create", *topic, "--replication-factor", "3")
    tools.run("ConsoleProducer", *topic, typed="a\nb\nc\n")
    read = tools.run(
        "consumer.ConsoleConsumer",
        *topic,
        "--from-beginning",
        "--group",
        "g",
        "--max-messages",
        "3",
    )
    assert read.split() == ["a", "b", "c"]
    assert tools.run(GROUPS, "--list").split() == ["g"]
    row = tools.run(GROUPS, "--describe", "--group", "g").splitlines()[-1].split()
    assert row[:6] == ["g", "orders", "0", "3", "3", "0"]
    tools.run(GROUPS, "--group", "g", *topic, "--reset-offsets", "--to-earliest", "--execute")
    row = tools.run(GROUPS, "--describe", "--group", "g").splitlines()[-1].split()
    assert row[:6] == ["g", "orders", "0", "0", "3", "3"]
    assert "successful" in tools.run(GROUPS, "--delete", "--group", "g")
    assert tools.run("GetOffsetShell", *topic).split() == ["orders:0:3"]


def test_settings(tools: Tools) -> None:
    tools.run("TopicCommand", "--create", "--topic", "orders")
    entity = ("--entity-type", "topics", "--entity-name", "orders")
    command = "kafka.admin.ConfigCommand"
    tools.run(command, *entity, "--alter", "--add-config", "retention.ms=1000")
    assert "retention.ms=1000" in tools.run(command, *entity, "--describe")
    tools.run(command, *entity, "--alter", "--delete-config", "retention.ms")
    assert "retention.ms" not in tools.run(command, *entity, "--describe")


def test_moving_and_inspecting(tools: Tools, tmp_path: Path) -> None:
    topic = ("--topic", "orders")
    tools.run("TopicCommand", "--create", *topic, "--replication-factor", "2")
    plan = tmp_path / "plan.json"
    plan.write_text(
        '{"version": 1, "partitions": [{"topic": "orders", "partition": 0, "replicas": [3, 1]}]}',
        encoding="utf-8",
    )
    file = ("--reassignment-json-file", str(plan))
    tools.run("reassign.ReassignPartitionsCommand", *file, "--execute")
    verified = tools.run("reassign.ReassignPartitionsCommand", *file, "--verify")
    assert "Reassignment of partition orders-0 is completed." in verified
    tools.run("LeaderElectionCommand", "--election-type", "preferred", "--all-topic-partitions")
    described = tools.run("TopicCommand", "--describe", *topic)
    assert "Leader: 3\tReplicas: 3,1" in described
    assert "orders-0" in tools.run("LogDirsCommand", "--describe", "--topic-list", "orders")
    assert "LeaderId:" in tools.run("MetadataQuorumCommand", "describe", "--status")
    assert "TransactionalId" in tools.run("TransactionsCommand", "list")
    place = (*topic, "--partition", "0")
    assert "ProducerId" in tools.run("TransactionsCommand", "describe-producers", *place)
