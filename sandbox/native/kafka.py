"""Apache Kafka of our own, in KRaft mode: one broker, or several that replicate to one another.

It is made of Kafka's own jars from Maven Central (43 MB, fetched once) and a Java that is new
enough. Every node is broker and controller. With three, one may be killed (`kill`) and the others
elect new leaders; with one, nothing is replicated and nobody is waited for.

To move to another version of Kafka, change `VERSION` and run `python -m sandbox.native.relock`.
"""

from __future__ import annotations

import base64
import shutil
import subprocess
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sandbox.native import java, maven
from sandbox.native.child import Child
from sandbox.native.errors import ServerUnavailable
from sandbox.native.ports import answers, free_ports
from sandbox.native.server import Server

VERSION = "4.1.0"
#: The last one binds what Kafka logs (SLF4J) to what writes it down (Log4j).
ROOTS = (
    ("org.apache.kafka", "kafka_2.13", VERSION),
    ("org.apache.logging.log4j", "log4j-slf4j-impl", "2.24.3"),
)
LOCK = Path(__file__).with_name("kafka.lock")
_HEAP = ("-Xms128m", "-Xmx384m")
_JAVA_OPTIONS = (*_HEAP, "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Djava.awt.headless=true")
_FORMAT_TIMEOUT_S = 120.0

_LOG4J = """<Configuration status="WARN">
  <Appenders><Console name="out"><PatternLayout pattern="%d %p %m (%c)%n"/></Console></Appenders>
  <Loggers><Root level="WARN"><AppenderRef ref="out"/></Root>
  <Logger name="kafka.server.KafkaRaftServer" level="INFO"/></Loggers>
</Configuration>
"""


class Kafka(Server):
    """A Kafka cluster; node ids count from 1."""

    name = "kafka"
    title = "Kafka"
    stops_together = True  # the last of a cluster would wait for a majority

    def __init__(
        self,
        folder: Path | None = None,
        ports: Mapping[str, int] | None = None,
        *,
        brokers: int = 1,
        settings: Mapping[str, str] | None = None,
        say: Callable[[str], None] = lambda sentence: None,
    ) -> None:
        super().__init__(folder, ports)
        self.brokers = brokers
        self.port_names: Sequence[str] = [f"kafka-{n}" for n in self.nodes]
        self._settings = dict(settings or {})
        self._say = say
        self._controllers: list[int] = []
        self._processes: dict[int, Child] = {}

    @classmethod
    def version(cls) -> str:
        """The version that is run; it is fetched, so only Java must be here.

        Raises:
            ServerUnavailable: there is no Java, or an old one; says what to do.
        """
        java.find()
        return VERSION

    @property
    def nodes(self) -> range:
        """The ids of the nodes."""
        return range(1, self.brokers + 1)

    @property
    def bootstrap(self) -> str:
        """The address of every broker, for `bootstrap_servers`."""
        return ",".join(f"127.0.0.1:{self.ports[name]}" for name in self.port_names)

    @property
    def address(self) -> str:
        """As `bootstrap`."""
        return self.bootstrap

    @property
    def log(self) -> Path:
        """What the first node writes about itself."""
        return self._log_of(1)

    def kill(self, node: int) -> None:
        """Kill a node as a power failure would."""
        child = self._processes.pop(node)
        self.children.remove(child)
        child.end()

    def start_node(self, node: int) -> None:
        """Start a node again that was killed, and wait until it listens."""
        self.start_nodes([node])

    def start_nodes(self, nodes: Sequence[int]) -> None:
        """As `start_node`, several at once: a majority must run before any of them listens."""
        for node in nodes:
            self._run_node(node)
        children = [self._processes[node] for node in nodes]
        self._wait_until(lambda: all(self._listens(node) for node in nodes), children)

    def _launch(self) -> None:
        lib = maven.jars(f"kafka-{VERSION}", lock(), self._say)
        program, _ = java.find()
        (self.folder / "log4j2.xml").write_text(_LOG4J, encoding="utf-8")
        self._java = [
            *(str(program), *_JAVA_OPTIONS),
            f"-Dlog4j2.configurationFile={(self.folder / 'log4j2.xml').as_uri()}",
            *("-cp", str(lib / "*")),
        ]
        self._controllers = free_ports(self.brokers)
        self._make_room()
        cluster = self._cluster_id()
        for node in self.nodes:
            self._file_of(node).write_text(self._configuration(node), encoding="utf-8")
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda node: self._format(node, cluster), self.nodes))
        for node in self.nodes:
            self._run_node(node)

    def _ready(self) -> bool:
        return all(self._listens(node) for node in self.nodes)

    def _listens(self, node: int) -> bool:
        """A broker opens its port for clients when it has caught up and is unfenced."""
        return answers(self.ports[f"kafka-{node}"], timeout_s=0.5)

    def _run_node(self, node: int) -> None:
        command = [*self._java, "kafka.Kafka", str(self._file_of(node))]
        self._processes[node] = self._spawn(command, log=self._log_of(node))

    def _log_of(self, node: int) -> Path:
        return self.folder / f"server-{node}.log"

    def _file_of(self, node: int) -> Path:
        return self.folder / f"node-{node}.properties"

    def _make_room(self) -> None:
        """Data of a cluster of another size cannot be read by this one."""
        there = brokers_in(self.folder)
        if there and there != self.brokers:
            raise ServerUnavailable(
                f"The data in {self.folder} is of a cluster of {there}, not of {self.brokers}. "
                f"Start it with --kafka-brokers {there}, or forget the data: "
                "sandbox stack down --with kafka --forget"
            )

    def _cluster_id(self) -> str:
        file = self.folder / "cluster-id"
        if not file.is_file():
            made = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
            # Kafka's own tool takes an id that begins with a hyphen for an option.
            file.write_text(f"s{made[1:]}", encoding="utf-8")
        return file.read_text(encoding="utf-8")

    def _format(self, node: int, cluster: str) -> None:
        if (self.folder / f"data-{node}" / "meta.properties").is_file():
            return
        command = [*self._java, "kafka.tools.StorageTool", "format", "-t", cluster]
        ran = subprocess.run(
            [*command, "-c", str(self._file_of(node))],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_FORMAT_TIMEOUT_S,
            check=False,
        )
        if ran.returncode != 0:
            shutil.rmtree(self.folder / f"data-{node}", ignore_errors=True)
            raise ServerUnavailable(
                f"Kafka could not make its storage ready; it says:\n{ran.stdout}{ran.stderr}"
            )

    def _configuration(self, node: int) -> str:
        voters = ",".join(
            f"{n}@127.0.0.1:{port}" for n, port in zip(self.nodes, self._controllers, strict=True)
        )
        copies = min(3, self.brokers)
        in_sync = max(1, copies - 1)
        client, controller = self.ports[f"kafka-{node}"], self._controllers[node - 1]
        settings = {
            "node.id": str(node),
            "process.roles": "broker,controller",
            "controller.quorum.voters": voters,
            "controller.listener.names": "CONTROLLER",
            "listeners": f"PLAINTEXT://127.0.0.1:{client},CONTROLLER://127.0.0.1:{controller}",
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{client}",
            "log.dirs": (self.folder / f"data-{node}").as_posix(),
            "offsets.topic.replication.factor": str(copies),
            # Fifty partitions, the default, take a while to make on a small machine.
            "offsets.topic.num.partitions": "5",
            "transaction.state.log.replication.factor": str(copies),
            "transaction.state.log.min.isr": str(in_sync),
            "transaction.state.log.num.partitions": "5",
            "share.coordinator.state.topic.replication.factor": str(copies),
            "share.coordinator.state.topic.min.isr": str(in_sync),
            "share.coordinator.state.topic.num.partitions": "1",
            "group.initial.rebalance.delay.ms": "0",
            "default.replication.factor": str(copies),
            # Each log otherwise makes sure of 10 MB for its index.
            "log.index.size.max.bytes": "1048576",
            # A dead node is noticed, and its partitions led by others, within these.
            "broker.session.timeout.ms": "3000",
            "broker.heartbeat.interval.ms": "500",
            "controller.quorum.election.timeout.ms": "1000",
            "controller.quorum.fetch.timeout.ms": "2000",
        }
        lines = (f"{key}={value}" for key, value in (settings | self._settings).items())
        return "\n".join(lines) + "\n"


def brokers_in(folder: Path) -> int:
    """Of how many brokers a folder holds the data; 0 for none."""
    return len(list(folder.glob("data-*")))


def lock() -> str:
    """Which jars, each with its checksum."""
    return LOCK.read_text(encoding="utf-8")
