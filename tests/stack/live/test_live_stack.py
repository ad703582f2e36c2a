"""The live stack runs exercises as real processes against a real RabbitMQ."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pika.exceptions
import pytest

from sandbox.stack.base import CrashPoint, ExerciseError
from sandbox.stack.live.management import Management
from sandbox.stack.live.settings import Settings
from sandbox.stack.live.stack import LiveStack
from sandbox.stack.live.vhost import PREFIX, delete_forgotten

pytestmark = pytest.mark.live

WORKER = """
    import os, pika, sys, time
    from sandbox import record

    def open_channel(host="localhost"):
        return pika.BlockingConnection(pika.ConnectionParameters(host)).channel()

    def worker(prefetch=0):
        channel = open_channel()
        channel.queue_declare("orders")
        channel.basic_qos(prefetch_count=prefetch)
        channel.basic_consume("orders", on_order)
        channel.start_consuming()

    def on_order(channel, method, properties, body):
        time.sleep(0.03)
        record("shipped", body.decode())
        channel.basic_ack(method.delivery_tag)
"""
CLI = "import sys; from sandbox.cli import main; sys.exit(main())"
Exercise = Callable[[str], Path]


@pytest.fixture
def stack(rabbitmq_server: Settings) -> Iterator[LiveStack]:
    run = LiveStack(settings=rabbitmq_server)
    yield run
    run.close()


@pytest.fixture
def exercise(tmp_path: Path) -> Exercise:
    def write(more: str = "") -> Path:
        file = tmp_path / "shop.py"
        file.write_text(textwrap.dedent(WORKER) + textwrap.dedent(more))
        return file

    return write


def orders(count: int) -> list[bytes]:
    return [f"order-{number}".encode() for number in range(1, count + 1)]


def test_an_exercise_handles_every_message(stack: LiveStack, exercise: Exercise) -> None:
    stack.rabbitmq.publish("orders", orders(5))
    worker = stack.start_function(exercise(""), "worker")
    last_s = stack.run_until_idle(10)
    assert stack.recorded("shipped") == [body.decode() for body in orders(5)]
    assert stack.rabbitmq.published("orders") == orders(5)
    assert stack.rabbitmq.delivered("orders") == orders(5)
    assert stack.rabbitmq.acked("orders") == orders(5)
    assert stack.rabbitmq.ready("orders") == stack.rabbitmq.unacked("orders") == 0
    assert stack.rabbitmq.consumers("orders") == 1
    assert stack.rabbitmq.connections() == ["worker"]
    assert worker.alive
    assert worker.exit is None
    assert 0 < last_s < stack.now_s


def test_a_killed_process_loses_nothing_that_it_recorded(
    stack: LiveStack, exercise: Exercise
) -> None:
    stack.rabbitmq.publish("orders", orders(50))
    worker = stack.start_function(exercise(""), "worker")
    assert stack.run_until(lambda: len(stack.recorded("shipped")) >= 3, 10)
    worker.kill()
    shipped = stack.recorded("shipped")
    assert worker.exit == -signal.SIGKILL
    assert not worker.alive
    assert shipped == [body.decode() for body in orders(len(shipped))]
    assert stack.rabbitmq.connections() == []
    assert stack.rabbitmq.unacked("orders") == 0
    settled = len(stack.rabbitmq.acked("orders"))
    assert settled in (len(shipped), len(shipped) - 1)
    assert stack.run_until(lambda: stack.rabbitmq.ready("orders") == 50 - settled, 5)


def test_a_process_says_how_it_ended(stack: LiveStack, exercise: Exercise) -> None:
    file = exercise("""
        def returns(): return {"sum": 3, "raw": b"\\x00", "list": [1, None]}
        def leaves(): sys.exit(7)
        def complains(): sys.exit("out of paper")
        def raises(): raise ValueError("no such order", 7)
        def raises_own(): raise type("Sold", (Exception,), {})("out")
        def vanishes(): os._exit(3)
    """)
    ended = {
        name: stack.start_function(file, name)
        for name in ("returns", "leaves", "complains", "raises", "raises_own", "vanishes")
    }
    assert all(process.wait(10) for process in ended.values())
    assert {name: process.exit for name, process in ended.items()} == {
        "returns": 0,
        "leaves": 7,
        "complains": 1,
        "raises": 1,
        "raises_own": 1,
        "vanishes": 3,
    }
    assert ended["returns"].result == {"sum": 3, "raw": b"\x00", "list": [1, None]}
    assert ended["complains"].output == "out of paper\n"
    error = ended["raises"].exception
    assert isinstance(error, ValueError)
    assert error.args == ("no such order", 7)
    assert ended["raises"].traceback.splitlines()[0] == "ValueError: ('no such order', 7)"
    assert "shop.py:" in ended["raises"].traceback.splitlines()[1]
    assert isinstance(ended["raises_own"].exception, ExerciseError)
    assert ended["vanishes"].exception is None


def test_arguments_cross_over_however_long(stack: LiveStack, exercise: Exercise) -> None:
    file = exercise("""
        def size(numbers, raw, *, more=()): return [len(numbers), raw]
    """)
    process = stack.start_function(file, "size", [list(range(200_000)), b"\xff"])
    assert process.wait(20)
    assert process.result == [200_000, b"\xff"]


def test_a_function_that_is_not_there_is_an_error_that_names_it(
    stack: LiveStack, exercise: Exercise
) -> None:
    process = stack.start_function(exercise(""), "wroker")
    assert process.wait(10)
    assert isinstance(process.exception, AttributeError)
    assert "shop.py has no function wroker()" in process.output


def test_a_file_runs_as_a_program(stack: LiveStack, exercise: Exercise) -> None:
    file = exercise("""
        if __name__ == "__main__":
            print("started as", os.path.basename(sys.argv[0]))
            record("effect", {"n": 1})
    """)
    process = stack.start_script(file)
    assert process.wait(10)
    assert (process.name, process.exit) == ("shop.py", 0)
    assert process.output == "started as shop.py\n"
    assert stack.recorded("effect") == [{"n": 1}]


def test_signals_end_a_process_as_they_should(stack: LiveStack, exercise: Exercise) -> None:
    file = exercise("")
    interrupted, terminated = (stack.start_function(file, "worker") for _ in range(2))
    stack.run_until_idle(10)
    interrupted.signal(signal.SIGINT)
    terminated.signal(signal.SIGTERM)
    assert interrupted.wait(10)
    assert terminated.wait(10)
    assert (interrupted.exit, terminated.exit) == (-signal.SIGINT, -signal.SIGTERM)


def test_every_name_of_the_broker_leads_to_the_runs_own(
    stack: LiveStack, exercise: Exercise
) -> None:
    file = exercise("""
        import socket
        def connect():
            for host in ("localhost", "127.0.0.1", "rabbitmq"):
                open_channel(host).queue_declare(f"from {host}")
            url = os.environ["AMQP_URL"]
            pika.BlockingConnection(pika.URLParameters(url)).channel().queue_declare("from url")
            with socket.create_connection(("localhost", 5672)) as raw:
                raw.sendall(b"GET / HTTP/1.1\\r\\n\\r\\n")
                return raw.recv(8)
    """)
    process = stack.start_function(file, "connect")
    assert process.wait(10), process.output
    assert process.result == b"AMQP\x00\x00\x09\x01", process.output
    for host in ("localhost", "127.0.0.1", "rabbitmq", "url"):
        assert stack.rabbitmq.exists(f"from {host}"), host


def test_refusals_read_as_if_the_virtual_host_were_the_usual_one(
    stack: LiveStack, exercise: Exercise
) -> None:
    stack.rabbitmq.declare("orders", durable=True)
    process = stack.start_function(exercise(""), "worker")
    assert process.wait(10)
    assert isinstance(process.exception, pika.exceptions.ChannelClosedByBroker)
    assert process.exception.reply_code == 406
    assert "for queue 'orders' in vhost '/'" in process.exception.reply_text


def test_runs_do_not_see_one_another(
    stack: LiveStack, exercise: Exercise, rabbitmq_server: Settings
) -> None:
    other = LiveStack(settings=rabbitmq_server)
    try:
        other.rabbitmq.publish("orders", orders(3))
        stack.start_function(exercise(""), "worker")
        stack.run_until_idle(10)
        assert stack.recorded("shipped") == []
        assert other.rabbitmq.ready("orders") == 3
    finally:
        other.close()


def test_prefetch_leaves_the_rest_in_the_queue(stack: LiveStack, exercise: Exercise) -> None:
    file = exercise("""
        def hoarder():
            channel = open_channel()
            channel.basic_qos(prefetch_count=2)
            channel.basic_consume("orders", lambda *_: None)
            channel.start_consuming()
    """)
    stack.rabbitmq.publish("orders", orders(5))
    stack.start_function(file, "hoarder")
    stack.run_until_idle(10)
    assert (stack.rabbitmq.ready("orders"), stack.rabbitmq.unacked("orders")) == (3, 2)
    assert stack.rabbitmq.acked("orders") == []


def test_a_long_task_is_not_mistaken_for_waiting(stack: LiveStack, exercise: Exercise) -> None:
    file = exercise("""
        def sleeper():
            time.sleep(0.8)
            record("slept")
        def computer():
            until = time.monotonic() + 0.8
            while time.monotonic() < until:
                pass
            record("computed")
    """)
    for name in ("sleeper", "computer"):
        stack.start_function(file, name)
    stack.run_until_idle(10)
    assert (stack.recorded("slept"), stack.recorded("computed")) == ([None], [None])


def test_what_a_process_does_when_nothing_comes_any_more_is_waited_for(
    stack: LiveStack, exercise: Exercise
) -> None:
    file = exercise("""
        def batch():
            channel = open_channel()
            tag = None
            for method, _, body in channel.consume("orders", inactivity_timeout=0.7):
                if method is not None:
                    tag = method.delivery_tag
                elif tag is not None:
                    channel.basic_ack(tag, multiple=True)
                    tag = None
    """)
    stack.rabbitmq.publish("orders", orders(3))
    stack.start_function(file, "batch")
    stack.run_until_idle(10)
    assert stack.rabbitmq.acked("orders") == orders(3)


def test_asking_again_and_again_is_waiting(stack: LiveStack, exercise: Exercise) -> None:
    file = exercise("""
        def poller():
            channel = open_channel()
            channel.queue_declare("orders")
            while True:
                method, _, body = channel.basic_get("orders", auto_ack=True)
                if method is None:
                    time.sleep(0.1)
                else:
                    record("shipped", body.decode())
    """)
    stack.rabbitmq.publish("orders", orders(2))
    stack.start_function(file, "poller")
    stack.run_until_idle(10)
    assert stack.recorded("shipped") == ["order-1", "order-2"]


def test_a_process_that_never_rests_is_named(stack: LiveStack, exercise: Exercise) -> None:
    file = exercise("""
        def spins():
            while True:
                pass
    """)
    stack.start_function(file, "spins")
    with pytest.raises(TimeoutError, match=r"After 1 s .*spins: it computes"):
        stack.run_until_idle(1)


def test_a_process_dies_exactly_where_it_was_meant_to(stack: LiveStack, exercise: Exercise) -> None:
    file = exercise("")
    for point, shipped, acked in (
        (CrashPoint("worker", "record shipped", 2), 1, 1),
        (CrashPoint("worker", "basic.ack", 2), 2, 1),
        (CrashPoint("worker", "sleep", 3), 2, 2),
    ):
        run = stack.fresh(point)
        try:
            run.rabbitmq.publish("orders", orders(4))
            worker = run.start_function(file, "worker")
            assert worker.wait(10)
            assert run.crashed
            assert worker.exit == -signal.SIGKILL
            assert len(run.recorded("shipped")) == shipped, point
            assert len(run.rabbitmq.acked("orders")) == acked, point
            survivor = run.start_function(file, "worker")
            run.run_until_idle(10)
            assert survivor.alive
            assert len(run.rabbitmq.acked("orders")) == 4
        finally:
            run.close()


def test_crash_points_come_from_what_the_first_process_did(
    stack: LiveStack, exercise: Exercise
) -> None:
    file = exercise("")
    assert stack.crash_points("worker") == []
    stack.rabbitmq.publish("orders", orders(2))
    stack.start_function(file, "worker")
    stack.run_until_idle(10)
    points = stack.crash_points("worker")
    assert CrashPoint("worker", "basic.ack", 1) in points
    assert CrashPoint("worker", "record shipped", 2) in points
    assert stack.crash_points("nobody") == []
    assert not stack.crashed


def test_the_administrator_looks_and_acts(stack: LiveStack, exercise: Exercise) -> None:
    rabbitmq = stack.rabbitmq
    assert not rabbitmq.exists("orders")
    assert rabbitmq.ready("orders") == rabbitmq.consumers("orders") == 0
    assert not rabbitmq.durable("orders")
    assert rabbitmq.messages("orders") == []
    rabbitmq.declare("lasting", durable=True)
    assert rabbitmq.exists("lasting")
    assert rabbitmq.durable("lasting")
    rabbitmq.publish("lasting", [b"a", b"b"], {"message_id": "m", "headers": {"n": 1}})
    assert [message.body for message in rabbitmq.messages("lasting")] == [b"a", b"b"]
    properties = rabbitmq.messages("lasting")[0].properties
    assert properties["message_id"] == "m"
    assert properties["headers"] == {"n": 1}
    assert rabbitmq.ready("lasting") == 2
    with pytest.raises(pika.exceptions.ChannelClosedByBroker):
        rabbitmq.declare("lasting")
    rabbitmq.publish("lasting", [b"c"])
    assert rabbitmq.published("lasting") == [b"a", b"b", b"c"]
    with pytest.raises(NotImplementedError, match="keeps no trace"):
        rabbitmq.events("basic.ack")


def test_published_says_where_the_broker_routed_a_message(
    stack: LiveStack, exercise: Exercise
) -> None:
    file = exercise("""
        def publish():
            channel = open_channel()
            channel.exchange_declare("news", "topic")
            for queue, pattern in (("all", "#"), ("errors", "*.error"), ("none", "x")):
                channel.queue_declare(queue)
                channel.queue_bind(queue, "news", pattern)
            for key in ("disk.error", "disk.info"):
                channel.basic_publish("news", key, key.encode())
            channel.basic_publish("", "errors", b"by name")
            channel.connection.close()
    """)
    process = stack.start_function(file, "publish")
    assert process.wait(10)
    assert stack.rabbitmq.published("all") == [b"disk.error", b"disk.info"]
    assert stack.rabbitmq.published("errors") == [b"disk.error", b"by name"]
    assert stack.rabbitmq.published("none") == []


def test_an_exclusive_queue_of_a_process_can_be_observed(
    stack: LiveStack, exercise: Exercise
) -> None:
    file = exercise("""
        def subscriber():
            channel = open_channel()
            channel.queue_declare("mine", exclusive=True)
            channel.basic_qos(prefetch_count=1)
            channel.basic_consume("mine", lambda *_: None)
            for body in (b"1", b"2", b"3"):
                channel.basic_publish("", "mine", body)
            channel.start_consuming()
    """)
    stack.start_function(file, "subscriber")
    stack.run_until_idle(10)
    assert stack.rabbitmq.exists("mine")
    assert stack.rabbitmq.consumers("mine") == 1
    assert (stack.rabbitmq.ready("mine"), stack.rabbitmq.unacked("mine")) == (2, 1)


def test_a_closed_run_leaves_no_process_and_no_virtual_host(
    rabbitmq_server: Settings, exercise: Exercise
) -> None:
    before = _runs(rabbitmq_server)
    run = LiveStack(settings=rabbitmq_server)
    assert len(_runs(rabbitmq_server) - before) == 1
    worker = run.start_function(exercise(""), "worker")
    run.run_until_idle(10)
    run.close()
    run.close()
    assert not worker.alive
    assert _runs(rabbitmq_server) == before


def test_leaving_python_in_the_middle_of_a_run_cleans_up(
    rabbitmq_server: Settings, exercise: Exercise
) -> None:
    before = _runs(rabbitmq_server)
    script = f"""
from pathlib import Path
from sandbox.stack.live.stack import LiveStack
stack = LiveStack()
worker = stack.start_function(Path({str(exercise(""))!r}), "worker")
stack.run_until_idle(10)
print(worker.pid)
"""
    outcome = _python(script, rabbitmq_server)
    assert outcome.returncode == 0, outcome.stderr
    assert not _alive(int(outcome.stdout))
    assert _runs(rabbitmq_server) == before


def test_interrupting_a_check_cleans_up(rabbitmq_server: Settings, tmp_path: Path) -> None:
    before = _runs(rabbitmq_server)
    root = Path(__file__).parents[3]
    checking = subprocess.Popen(
        [
            sys.executable,
            "-c",
            CLI,
            "check",
            "acks/no_loss",
            "--from",
            str(root / "solutions/acks/no_loss.py"),
            "--stack",
            "live",
        ],
        env=_environment(rabbitmq_server),
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    waiting = LiveStack(settings=rabbitmq_server)
    try:
        assert waiting.run_until(lambda: len(_runs(rabbitmq_server) - before) >= 2, 20)
        checking.send_signal(signal.SIGINT)
        _, errors = checking.communicate(timeout=20)
    finally:
        checking.kill()
        waiting.close()
    assert checking.returncode not in (0, None)
    assert b"Traceback" not in errors, errors.decode()
    assert _runs(rabbitmq_server) == before


def test_a_virtual_host_that_was_left_behind_is_deleted_an_hour_later(
    rabbitmq_server: Settings,
) -> None:
    management = Management(rabbitmq_server)
    management.create_vhost(f"{PREFIX}-1700000000-0badcafe", "left behind")
    management.create_vhost(f"{PREFIX}-like-but-not-ours", "somebody else's")
    try:
        assert f"{PREFIX}-1700000000-0badcafe" in delete_forgotten(management)
        names = management.vhosts()
        assert f"{PREFIX}-1700000000-0badcafe" not in names
        assert f"{PREFIX}-like-but-not-ours" in names
    finally:
        management.delete_vhost(f"{PREFIX}-like-but-not-ours")


def _runs(settings: Settings) -> set[str]:
    return {name for name in Management(settings).vhosts() if name.startswith(PREFIX)}


def _environment(settings: Settings) -> dict[str, str]:
    return os.environ | {
        "AMQP_URL": f"amqp://{settings.user}:{settings.password}@{settings.address}/",
        "RABBITMQ_MANAGEMENT_URL": settings.management_url,
        "PYTHONPATH": str(Path(__file__).parents[3]),
    }


def _python(script: str, settings: Settings) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", script],
        env=_environment(settings),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
