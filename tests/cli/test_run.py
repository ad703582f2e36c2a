"""`sandbox run`: plain programs, as found in any tutorial."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.conftest import Command

SEND = """
import pika

connection = pika.BlockingConnection(pika.ConnectionParameters('localhost'))
channel = connection.channel()
channel.queue_declare(queue='hello')
channel.basic_publish(exchange='', routing_key='hello', body='Hello World!')
print(" [x] Sent 'Hello World!'")
connection.close()
"""

RECEIVE = """
import pika, sys, os

def main():
    connection = pika.BlockingConnection(pika.ConnectionParameters(host='localhost'))
    channel = connection.channel()
    channel.queue_declare(queue='hello')

    def callback(ch, method, properties, body):
        print(f" [x] Received {body}")

    channel.basic_consume(queue='hello', on_message_callback=callback, auto_ack=True)
    print(' [*] Waiting for messages. To exit press CTRL+C')
    channel.start_consuming()

if __name__ == '__main__':
    try:
        main()
    except KeyboardInterrupt:
        print('Interrupted')
        try:
            sys.exit(0)
        except SystemExit:
            os._exit(0)
"""


@pytest.fixture
def tutorial(home: Path) -> Path:
    (home / "send.py").write_text(SEND)
    (home / "receive.py").write_text(RECEIVE)
    return home


def test_the_tutorials_programs_meet_and_the_world_says_why_it_stopped(
    sandbox: Command, tutorial: Path
) -> None:
    ran = sandbox("run", "receive.py", "send.py")
    assert ran.status == 0
    assert [line[9:] for line in ran.out.splitlines()[:-1]] == [
        "receive.py   [*] Waiting for messages. To exit press CTRL+C",
        "send.py      [x] Sent 'Hello World!'",
        "receive.py   [x] Received b'Hello World!'",
    ]
    last = ran.out.splitlines()[-1]
    assert "world" in last
    assert "everything is handled; receive.py waits for more" in last
    assert "--until" in last


def test_a_seed_repeats_a_run_and_its_trace_byte_for_byte(sandbox: Command, tutorial: Path) -> None:
    runs = [
        sandbox("run", "receive.py", "send.py", "--seed", "5", "--trace", f"{n}.jsonl")
        for n in range(2)
    ]
    assert runs[0] == runs[1]
    first, second = (tutorial / f"{n}.jsonl" for n in range(2))
    assert first.read_bytes() == second.read_bytes()
    assert json.loads(first.read_text().splitlines()[0])["seed"] == 5


def test_until_lets_time_pass_beyond_idleness(sandbox: Command, tutorial: Path) -> None:
    (tutorial / "tick.py").write_text(
        "import time\nwhile True:\n    time.sleep(10)\n    print('t')\n"
    )
    ran = sandbox("run", "tick.py", "--until", "35")
    assert ran.status == 0
    assert ran.out.count("  t\n") == 3
    assert ran.out.splitlines()[-1].startswith(" 35.000")


def test_a_program_that_breaks_is_status_1_and_shows_its_own_line_first(
    sandbox: Command, tutorial: Path
) -> None:
    (tutorial / "bad.py").write_text("def f():\n    return missing\n\nf()\n")
    ran = sandbox("run", "bad.py")
    assert ran.status == 1
    assert "bad.py  NameError: name 'missing' is not defined" in ran.out
    assert "bad.py:2  return missing" in ran.out
    assert "Traceback" not in ran.out
    assert "Traceback" in sandbox("run", "bad.py", "--traceback").out


def test_an_exit_status_of_a_program_is_a_failure(sandbox: Command, tutorial: Path) -> None:
    (tutorial / "three.py").write_text("raise SystemExit(3)")
    assert sandbox("run", "three.py").status == 1


def test_a_program_that_is_not_there_is_status_2(sandbox: Command, tutorial: Path) -> None:
    ran = sandbox("run", "receive.py", "absent.py")
    assert ran.status == 2
    assert "absent.py" in ran.err
    assert ran.out == ""


def test_one_program_may_run_several_times(sandbox: Command, tutorial: Path) -> None:
    (tutorial / "one.py").write_text("print('here')")
    ran = sandbox("run", "one.py", "one.py")
    assert "one.py  here" in ran.out
    assert "one.py#2  here" in ran.out


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's here")
def test_ctrl_c_reaches_the_programs_and_is_status_130(tutorial: Path) -> None:
    (tutorial / "busy.py").write_text(
        "import time\n"
        "print('begun', flush=True)\n"
        "try:\n"
        "    while True:\n"
        "        time.sleep(0.001)\n"
        "except KeyboardInterrupt:\n"
        "    print('tidied')\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "sandbox", "run", "busy.py", "--until", "1e9"],
        cwd=tutorial,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert process.stdout is not None
    assert "begun" in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    began = time.monotonic()
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "tidied" in out
    assert time.monotonic() - began < 10


def test_every_broker_is_there_for_programs_that_want_it(sandbox: Command, home: Path) -> None:
    (home / "mixed.py").write_text(
        "import redis\n"
        "from kafka import KafkaConsumer, KafkaProducer\n"
        "producer = KafkaProducer(bootstrap_servers='localhost:9092')\n"
        "producer.send('orders', b'order-1')\n"
        "producer.close()\n"
        "consumer = KafkaConsumer('orders', bootstrap_servers='localhost:9092',\n"
        "                         auto_offset_reset='earliest', consumer_timeout_ms=5000)\n"
        "store = redis.Redis(decode_responses=True)\n"
        "for record in consumer:\n"
        "    store.rpush('seen', record.value)\n"
        "consumer.close()\n"
        "print(store.lrange('seen', 0, -1))\n"
    )
    ran = sandbox("run", "mixed.py", "--trace", "trace.jsonl")
    assert "mixed.py  ['order-1']" in ran.out
    assert "every program has ended" in ran.out
    lines = [json.loads(line) for line in (home / "trace.jsonl").read_text().splitlines()]
    assert {"kafka", "redis"} <= {line.get("process") for line in lines}


def test_three_kafka_brokers_are_there_if_asked_for(sandbox: Command, home: Path) -> None:
    (home / "nodes.py").write_text(
        "from kafka.admin import KafkaAdminClient\n"
        "admin = KafkaAdminClient(bootstrap_servers='localhost:9094')\n"
        "print(sorted(node['broker_id'] for node in admin.describe_cluster()['brokers']))\n"
        "admin.close()\n"
    )
    ran = sandbox("run", "nodes.py", "--kafka-brokers", "3")
    assert "nodes.py  [1, 2, 3]" in ran.out, ran.out + ran.err
    refused = sandbox("run", "nodes.py", "--kafka-brokers", "2")
    assert refused.status == 2
    assert "one Kafka broker, or three" in refused.err
