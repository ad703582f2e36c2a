"""The real-time limit stops whatever a program does to go on."""

from __future__ import annotations

import signal
import sys
import threading
import time

import pytest

from sandbox.sim.world import World

LIMIT_S = 0.15


def stopped(world, process):
    """Run a program that makes no system calls until it is stopped."""
    ending = world.run(stall_s=LIMIT_S, real_s=20)
    assert ending.kind == "real-time"
    assert ending.sentence.startswith(f"Stopped after {LIMIT_S:g} s of real time: the program was")
    assert process.exit == -9
    return ending


def test_a_loop_that_swallows_every_exception_is_stopped_and_named(world, script):
    process = script(
        """
while True:
    try:
        while True:
            pass
    except BaseException:
        print("swallowed")
    finally:
        print("finally")
"""
    )
    ending = stopped(world, process)
    assert "An endless loop at main.py:" in ending.sentence
    assert process.output == ""


def test_a_loop_that_only_looks_at_the_clock_is_stopped(world, script):
    process = script("import time\nwhile True:\n    time.time()\n")
    ending = world.run(real_s=LIMIT_S)
    assert ending.kind == "real-time"
    assert "`main.py` was still at work at main.py:3" in ending.sentence
    assert process.exit == -9


def test_a_loop_in_a_thread_is_stopped(world, script):
    process = script(
        "import threading, time\ndef loop():\n    while True: pass\n"
        "threading.Thread(target=loop).start()\ntime.sleep(5)\n"
    )
    assert "main.py:3" in stopped(world, process).sentence


def test_a_loop_in_a_signal_handler_is_stopped(world, script):
    process = script(
        "import signal, time\ndef loop(*_):\n    while True: pass\n"
        "signal.signal(signal.SIGTERM, loop)\ntime.sleep(50)\n"
    )
    world.faults.at(1, lambda: process.signal(signal.SIGTERM))
    assert "main.py:3" in stopped(world, process).sentence


def test_a_loop_at_exit_is_stopped(world, script):
    process = script(
        "import atexit\n@atexit.register\ndef loop():\n    while True: pass\n",
    )
    assert "main.py:4" in stopped(world, process).sentence


@pytest.mark.needs_os  # a browser watches loops alone; its Stop ends the rest
def test_endless_recursion_that_swallows_its_end_is_stopped(world, script):
    process = script(
        "def f():\n    try:\n        f()\n    except BaseException:\n        f()\nf()\n",
    )
    stopped(world, process)


def test_others_go_on_in_the_next_run(world, script):
    process = script("while True: pass\n")
    other = script("import time\ntime.sleep(1)\nprint('fine')\n", "other.py")
    stopped(world, process)
    assert world.run(real_s=20).kind == "finished"
    assert other.output == "fine\n"


@pytest.mark.needs_os
def test_a_world_on_another_thread_is_stopped_at_the_next_system_call():
    def looking():
        while True:
            time.time()

    def own_world():
        world = World(1)
        process = world.start_function(looking)
        endings.append(world.run(real_s=LIMIT_S))
        endings.append(process.exit)

    endings = []
    thread = threading.Thread(target=own_world)
    thread.start()
    thread.join(timeout=10)
    assert endings[0].kind == "real-time"
    assert endings[1] == -9


def test_a_run_in_time_leaves_no_trace_of_the_limit(world, script):
    script("print('quick')\n")
    before = signal.getsignal(signal.SIGALRM) if hasattr(signal, "SIGALRM") else None
    limit = sys.getrecursionlimit()
    assert world.run(real_s=20).kind == "finished"
    if before is not None:
        assert signal.getsignal(signal.SIGALRM) is before
        assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    assert sys.getrecursionlimit() == limit
    assert world.kernel.out_of_time is None


@pytest.mark.parametrize("depth", [600, 900])
def test_a_loop_deep_in_the_stack_is_stopped(world, script, depth):
    process = script(
        f"def f(n):\n    if n == 0:\n        while True: pass\n    f(n - 1)\nf({depth})\n"
    )
    assert "main.py:3" in stopped(world, process).sentence
