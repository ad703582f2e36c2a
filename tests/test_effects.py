"""`record` and `start`: what learners' programs import from `sandbox`."""

from __future__ import annotations

import time

import pytest

import sandbox
from sandbox import effects
from sandbox.sim.world import World


def run(function, *args):
    world = World(1)
    process = world.start_function(function, *args, name="main")
    world.run()
    if process.error is not None:
        raise process.error
    return process, world


def test_a_record_reaches_whoever_observes_the_world():
    _, world = run(lambda: [sandbox.record("shipped", f"order-{n}") for n in range(3)])
    assert world.recorded("shipped") == ["order-0", "order-1", "order-2"]
    assert world.recorded("other") == []


def test_a_record_takes_plain_data_and_says_so():
    def program():
        sandbox.record("ok", [1, 2.5, "x", None, True, {"k": b"\xff"}])
        with pytest.raises(TypeError, match=r"record\(\) takes plain data .* object is not"):
            sandbox.record("bad", object())

    _, world = run(program)
    assert world.recorded("ok") == [[1, 2.5, "x", None, True, {"k": "\\xff"}]]


def test_outside_a_world_a_record_goes_where_it_is_delivered(capsys, monkeypatch):
    sandbox.record("shipped", "order-1")
    assert capsys.readouterr().err == "record shipped: 'order-1'\n"
    got = []
    monkeypatch.setattr(effects, "deliver", lambda name, value: got.append((name, value)))
    sandbox.record("shipped", b"x")
    sandbox.record("nothing")
    assert got == [("shipped", "x"), ("nothing", None)]


def worker(name, seconds):
    time.sleep(seconds)
    print(name, "done")


def test_a_started_process_runs_beside_its_starter():
    def program():
        one = sandbox.start(worker, "one", 3, name="first")
        other = sandbox.start(worker, "other", 1)
        assert repr(one) == f"<process first pid={one.pid}>"
        assert other.name == "worker"
        return one.wait(), other.wait(), round(time.monotonic() - 1000)

    process, world = run(program)
    assert process.result == (0, 0, 3)
    assert [(event.process, event.fields["text"]) for event in world.trace.of_kind("output")] == [
        ("worker", "other done\n"),
        ("first", "one done\n"),
    ]


def test_a_started_process_can_be_killed_signalled_and_waited_for():
    def program():
        process = sandbox.start(worker, "one", 100)
        assert process.wait(timeout_s=2) is None
        process.kill()
        killed = process.wait()
        process = sandbox.start(worker, "two", 100)
        time.sleep(1)
        process.signal(15)
        return killed, process.wait()

    process, world = run(program)
    assert process.result == (-9, -15)
    assert not list(world.trace.of_kind("output"))


def test_a_started_process_may_start_processes_and_threads():
    def child():
        grandchild = sandbox.start(worker, "grandchild", 1)
        assert grandchild.wait() == 0
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda n: worker(f"thread {n}", 1), range(2)))

    _, world = run(lambda: sandbox.start(child).wait())
    assert [event.fields["text"] for event in world.trace.of_kind("output")] == [
        "grandchild done\n",
        "thread 0 done\n",
        "thread 1 done\n",
    ]


def test_start_says_what_to_do_outside_a_world():
    with pytest.raises(RuntimeError, match="works inside the simulated world only"):
        sandbox.start(worker, "x", 1)
