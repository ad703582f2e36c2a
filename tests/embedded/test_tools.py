"""Command-line tools of the real servers, from Debian's packages."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from sandbox.embedded import ServerProcess

PATIENCE_S = 60

pytestmark = pytest.mark.live


def tool(name: str, package: str) -> str:
    """Where the tool is; without it the test fails and says how to get it."""
    found = shutil.which(name)
    assert found, f"{name} is missing: apt-get install {package}"
    return found


def run(*words: str, given: str = "") -> str:
    done = subprocess.run(
        words, input=given, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
    return done.stdout


def test_redis_cli_asks_and_pipes(server: ServerProcess) -> None:
    cli = (tool("redis-cli", "redis-tools"), "-u", server.url("redis"))
    assert run(*cli, "SET", "tool", "42") == "OK\n"
    assert run(*cli, "INCR", "tool") == "43\n"
    assert "redis_version:" in run(*cli, "INFO", "server")
    assert run(*cli, "XADD", "tool-s", "1-1", "a", "b") == "1-1\n"
    assert run(*cli, "--no-raw", "XRANGE", "tool-s", "-", "+").splitlines()[0] == '1) 1) "1-1"'
    piped = run(*cli, "--pipe", given="".join(f"RPUSH tool-l {n}\r\n" for n in range(1000)))
    assert "errors: 0, replies: 1000" in piped
    assert run(*cli, "LLEN", "tool-l") == "1000\n"
    assert run(*cli, "-3", "HELLO").splitlines()[0].startswith("server")
    assert run(*cli, "DEL", "tool", "tool-s", "tool-l") == "3\n"


def test_redis_benchmark_runs_with_many_clients(server: ServerProcess) -> None:
    benchmark = tool("redis-benchmark", "redis-tools")
    port = str(server.ports["redis"])
    told = run(benchmark, "-p", port, "-n", "2000", "-c", "50", "-t", "set,get,lpush", "--csv")
    assert [line.split(",")[0] for line in told.splitlines()[1:]] == ['"SET"', '"GET"', '"LPUSH"']
    run(tool("redis-cli", "redis-tools"), "-p", port, "FLUSHALL")


@pytest.mark.parametrize("version", ["mqttv311", "mqttv5"])
def test_mosquitto_pub_and_sub_talk_through_it(server: ServerProcess, version: str) -> None:
    port = str(server.ports["mqtt"])
    topic = f"tools/{version}"
    sub = subprocess.Popen(
        [tool("mosquitto_sub", "mosquitto-clients"), "-p", port, "-V", version, "-q", "2",
         "-t", f"{topic}/#", "-C", "3", "-F", "%t %q %p", "-W", str(PATIENCE_S)],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    pub = (tool("mosquitto_pub", "mosquitto-clients"), "-p", port, "-V", version)
    # Retained, so that it is heard whether the subscription comes before it or after.
    for qos in "012":
        run(*pub, "-q", qos, "-t", f"{topic}/{qos}", "-m", f"hello {qos}", "-r")
    heard, _ = sub.communicate(timeout=PATIENCE_S)
    assert sorted(heard.splitlines()) == [f"{topic}/{qos} {qos} hello {qos}" for qos in "012"]


def test_rabbitmqadmin_declares_publishes_and_gets(server: ServerProcess) -> None:
    admin = (tool("rabbitmqadmin", "rabbitmq-server"), "-H", server.options.host,
             "-P", str(server.ports["management"]))  # fmt: skip
    assert run(*admin, "declare", "queue", "name=tools", "durable=true") == "queue declared\n"
    published = run(*admin, "publish", "exchange=amq.default", "routing_key=tools", "payload=hi")
    assert published == "Message published\n"
    assert "| tools | 1        |" in run(*admin, "list", "queues", "name", "messages")
    assert "| hi      |" in run(*admin, "get", "queue=tools", "ackmode=ack_requeue_false")
    assert "rabbit_version" in run(*admin, "export", "/dev/stdout")
    assert run(*admin, "delete", "queue", "name=tools") == "queue deleted\n"
