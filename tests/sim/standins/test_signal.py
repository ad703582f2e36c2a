"""Signals, delivered to processes of a world."""

from __future__ import annotations

import os
import signal
import time

import pytest


def test_sigint_raises_keyboard_interrupt_in_the_main_thread(world, script):
    process = script(
        "import time\n"
        "try:\n    time.sleep(100)\n"
        "except KeyboardInterrupt:\n    print('bye at', round(time.monotonic() - 1000))\n"
    )
    world.faults.at(4, lambda: process.signal(signal.SIGINT))
    world.run()
    assert (process.exit, process.output) == (0, "bye at 4\n")


def test_sigint_that_nobody_catches_ends_with_130_and_its_line(world, script):
    process = script("import time\ntime.sleep(100)\n")
    world.faults.at(4, lambda: process.signal(signal.SIGINT))
    world.run()
    assert process.exit == 130
    assert process.reports[0]["type"] == "KeyboardInterrupt"
    assert process.reports[0]["own"][0]["line"] == 2


def test_sigterm_ends_a_process_that_has_no_handler_without_running_its_code(world, script):
    process = script("import time\ntry:\n    time.sleep(100)\nfinally:\n    print('finally')\n")
    world.faults.at(4, lambda: process.signal(signal.SIGTERM))
    world.run()
    assert (process.exit, process.output) == (-signal.SIGTERM, "")


def test_a_handler_runs_and_the_sleep_goes_on(world, script):
    process = script(
        """
import signal, time
def handler(signum, frame):
    print("got", signal.Signals(signum).name, frame.f_code.co_filename.endswith("main.py"))
before = signal.signal(signal.SIGTERM, handler)
print(before is signal.SIG_DFL, signal.getsignal(signal.SIGTERM) is handler)
time.sleep(10)
print(round(time.monotonic() - 1000))
"""
    )
    world.faults.at(4, lambda: process.signal(signal.SIGTERM))
    world.run()
    assert process.output.splitlines() == ["True True", "got SIGTERM False", "10"]
    assert process.exit == 0


def test_a_handler_may_raise_out_of_a_blocking_call(world, script):
    process = script(
        """
import signal, sys, threading
def stop(signum, frame):
    sys.exit(7)
signal.signal(signal.SIGTERM, stop)
try:
    threading.Event().wait()
finally:
    print("cleaned up")
"""
    )
    world.faults.at(4, lambda: process.signal(signal.SIGTERM))
    world.run()
    assert (process.exit, process.output) == (7, "cleaned up\n")


def test_signals_can_be_ignored_and_sigkill_cannot(world, script):
    process = script(
        "import signal, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "time.sleep(100)\n"
    )
    world.faults.at(1, lambda: process.signal(signal.SIGTERM))
    world.faults.at(2, lambda: process.signal(signal.SIGINT))
    world.faults.at(3, lambda: process.signal(9))
    world.run()
    assert process.exit == -9
    assert world.now_s == pytest.approx(3, abs=0.01)


def test_a_process_signals_itself_and_others(world):
    def victim():
        time.sleep(100)

    def killer():
        time.sleep(1)
        os.kill(process.pid, signal.SIGTERM)
        with pytest.raises(ProcessLookupError):
            os.kill(99999, signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        return "survived"

    process = world.start_function(victim)
    second = world.start_function(killer)
    world.run()
    assert process.exit == -signal.SIGTERM
    assert second.result == "survived"


def test_handlers_are_set_in_the_main_thread_alone(inside):
    import threading

    def program():
        errors = []

        def work():
            try:
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
            except ValueError as error:
                errors.append(str(error))

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        with pytest.raises(TypeError):
            signal.signal(signal.SIGTERM, "no handler")
        return errors

    assert inside(program) == ["signal only works in main thread of the main interpreter"]


@pytest.mark.skipif(not hasattr(signal, "pause"), reason="Windows has no signal.pause")
def test_pause_waits_for_a_signal(world, script):
    process = script(
        "import signal\nsignal.signal(signal.SIGTERM, lambda *_: print('woken'))\n"
        "signal.pause()\nprint('on')\n"
    )
    world.faults.at(4, lambda: process.signal(signal.SIGTERM))
    world.run()
    assert (process.exit, process.output) == (0, "woken\non\n")


@pytest.mark.skipif(not hasattr(signal, "alarm"), reason="Windows has no alarm")
def test_alarms_are_refused_in_a_sentence(inside):
    def program():
        with pytest.raises(OSError, match=r"threading\.Timer"):
            signal.alarm(1)
        with pytest.raises(OSError, match=r"signal\.setitimer\(\) does not exist"):
            signal.setitimer(signal.ITIMER_REAL, 1)

    inside(program)


def test_a_signal_while_a_program_ends_is_reported_and_changes_nothing(world, script):
    process = script(
        "import atexit, os, signal\natexit.register(os.kill, os.getpid(), signal.SIGINT)\n"
        "atexit.register(print, 'first')\n"
    )
    world.run()
    assert (process.exit, process.output, process.error) == (0, "first\n", None)
    assert [report["type"] for report in process.reports] == ["KeyboardInterrupt"]


def test_ctrl_c_at_the_end_of_a_program_stops_waiting_for_its_threads(world, script):
    process = script(
        "import threading, time\n"
        "threading.Thread(target=time.sleep, args=(1000,)).start()\n"
        "import atexit\natexit.register(print, 'at exit')\n"
    )
    world.faults.at(4, lambda: process.signal(signal.SIGINT))
    world.run()
    assert (process.exit, process.output) == (0, "at exit\n")
    assert world.now_s == pytest.approx(4, abs=0.01)


def test_outside_a_world_signals_are_real(world):
    got = []
    before = signal.signal(signal.SIGINT, lambda *_: got.append("really"))
    try:
        signal.raise_signal(signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0)
    finally:
        assert signal.signal(signal.SIGINT, before) is not before
    assert got == ["really", "really"]
    assert signal.getsignal(signal.SIGINT) is before
