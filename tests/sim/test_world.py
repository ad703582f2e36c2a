"""A world as a whole: its endings, killing, pausing, crash points."""

from __future__ import annotations

import gc
import socket
import threading
import time
import weakref

import pytest

from sandbox.sim.world import World


def sleeper(seconds):
    time.sleep(seconds)


def listener(port=80):
    with socket.create_server(("", port)) as server:
        while True:
            connection, _ = server.accept()
            connection.close()


# the endings


def test_finished_when_every_program_has_ended(world):
    world.start_function(sleeper, 3)
    ending = world.run()
    assert (ending.kind, ending.sentence) == ("finished", "every program has ended (t = 3.000 s)")


def test_an_empty_world_is_finished(world):
    assert world.run().kind == "finished"


def test_idle_when_those_who_are_left_wait_for_more(world):
    world.start_function(listener, name="server")
    world.start_function(listener, 81, name="other")
    ending = world.run()
    assert ending.kind == "idle"
    assert ending.sentence == (
        "everything is handled; server and other wait for more (t = 0.000 s)"
    )
    assert ending.waiting == ("server", "other")


def test_deadlock_says_who_waits_for_what_and_where(world, script):
    script("import threading\nlock = threading.Lock()\nlock.acquire()\nlock.acquire()\n")
    script("import socket\none, other = socket.socketpair()\none.recv(1)\n", "b.py")
    ending = world.run()
    assert ending.kind == "deadlock"
    assert ending.sentence == (
        "Nothing can ever wake this program: `main.py` waits for another thread (main.py:4) and "
        "`b.py` waits for bytes to arrive (b.py:3), and nobody is left who could end the wait "
        "(world stopped at t = 0.000 s)."
    )
    assert ending.waiting == ("main.py", "b.py")


def test_a_virtual_time_limit_ends_a_world_that_goes_on_and_on(world):
    def ticker():
        while True:
            time.sleep(1)
            print("tick")

    world.kernel.limit_ns = 10 * 10**9
    process = world.start_function(ticker)
    ending = world.run()
    assert ending.kind == "virtual-time"
    assert ending.at_s == pytest.approx(10, abs=0.1)
    assert "the limit of this run (10 s): the programs were still at work" in ending.sentence
    assert process.alive


def test_a_step_limit_ends_a_program_that_only_asks(world, script):
    world.kernel.scheduler.step_limit = 5000
    script("import time\nwhile True:\n    time.monotonic()\n")
    ending = world.run()
    assert ending.kind == "steps"
    assert ending.sentence.startswith("Stopped after 5,000 system calls (t = 0.")
    assert "`main.py` keeps asking" in ending.sentence
    assert "A loop around main.py:3 that never waits?" in ending.sentence


def test_until_stops_at_the_time_asked_for_and_the_next_run_goes_on(world):
    process = world.start_function(sleeper, 10)
    ending = world.run(until_s=4)
    assert (ending.kind, ending.at_s, world.now_s) == ("until", 4, 4)
    assert "t = 4.000 s" in ending.sentence
    assert process.alive
    assert world.run(until_s=4).kind == "until"
    assert world.run().kind == "finished"
    assert world.now_s == pytest.approx(10, abs=0.001)


def test_an_idle_world_goes_on_when_asked_to(world):
    world.start_function(listener)
    assert world.run(until_s=500).kind == "idle"
    assert world.run(until_s=500, to_idle=False).kind == "until"
    assert world.now_s == 500
    with pytest.raises(ValueError, match="needs until_s"):
        world.run(to_idle=False)


def test_a_run_can_wait_for_one_process(world):
    short = world.start_function(sleeper, 2)
    long = world.start_function(sleeper, 200)
    assert world.run_until_exit(short) is None
    assert world.now_s == pytest.approx(2, abs=0.001)
    assert long.alive
    assert world.run_until_exit(short) is None
    assert world.run_until_exit(long, until_s=50).kind == "until"


def test_a_program_that_sleeps_does_not_make_a_world_idle(world):
    def polite():
        for _ in range(10):
            time.sleep(40)
        return "woke"

    process = world.start_function(polite)
    world.start_function(listener)
    assert world.run().kind == "idle"
    assert process.result == "woke"


def test_something_that_is_yet_to_be_done_to_a_world_keeps_it_going(world):
    process = world.start_function(listener)
    world.faults.at(100, process.kill)
    assert world.run().kind == "finished"
    assert world.now_s == pytest.approx(100)


def test_a_program_cannot_run_its_world(world):
    errors = []

    def program():
        try:
            world.run()
        except RuntimeError as error:
            errors.append(str(error))

    world.start_function(program)
    world.run()
    assert errors == ["a program of the world cannot run the world"]


def test_a_failure_of_the_world_itself_is_the_drivers(world):
    def broken():
        raise LookupError("a broken fault")

    process = world.start_function(sleeper, 5)
    world.faults.at(1, broken)
    with pytest.raises(LookupError, match="a broken fault"):
        world.run()
    assert process.error is None
    assert world.run().kind == "finished"


def test_a_condition_ends_a_run(world):
    process = world.start_function(listener)
    world.start_function(sleeper, 20)
    world.kernel.condition = lambda: world.now_s > 5
    world.faults.at(7, lambda: None)
    assert world.run().kind == "until"
    assert world.now_s == pytest.approx(7)
    assert process.alive


# killing

CLINGING = """
import atexit, socket, sys, threading, time
class Deleted:
    def __del__(self): print("deleted")
deleted = Deleted()
atexit.register(print, "at exit")
def clinging():
    held = Deleted()
    while True:
        try:
            {wait}
        except BaseException as error:
            print("caught", type(error))
        finally:
            print("finally")
def generator():
    try:
        yield
        yield
    finally:
        print("generator closed")
running = generator()
next(running)
lock = threading.Lock()
lock.acquire()
one, other = socket.socketpair()
server = socket.create_server(("", 0))
for _ in range(2):
    threading.Thread(target=clinging, daemon=True).start()
print("up", end="\\n")
print("half a line", end="")
clinging()
"""

WAITS = [
    "time.sleep(1000)",
    "lock.acquire()",
    "threading.Event().wait()",
    "one.recv(1)",
    "server.accept()",
    "import select; select.select([one], [], [])",
    "import queue; queue.Queue().get()",
    "import asyncio; asyncio.run(asyncio.sleep(1000))",
    "threading.main_thread().join() if threading.current_thread() is not threading.main_thread()"
    " else time.sleep(1000)",
]


@pytest.mark.parametrize("wait", WAITS)
def test_killing_a_process_runs_nothing_more_of_its_code(world, script, wait):
    process = script(CLINGING.format(wait=wait))
    world.start_function(sleeper, 50)
    world.run(until_s=5)
    before = process.output
    assert before.startswith("up\n")
    process.kill()
    process.kill()
    assert (process.exit, process.killed, process.alive) == (-9, True, False)
    gc.collect()
    assert world.run().kind == "finished"
    gc.collect()
    assert process.output == before
    kinds = [event.kind for event in world.trace.events if event.process == "main.py"]
    assert kinds[-1] == "process.kill"


def test_killing_at_every_step_runs_nothing_more_of_its_code(tmp_path, capsys):
    """Wherever it is: computing between calls, in a library, starting, or about to end."""
    file = tmp_path / "main.py"
    file.write_text(
        "import socket, threading, time\n"
        "def work(n):\n"
        "    try:\n"
        "        time.sleep(n / 1000)\n"
        "        print('worked')\n"
        "    finally:\n"
        "        print('left')\n"
        "one, other = socket.socketpair()\n"
        "threads = [threading.Thread(target=work, args=(n,)) for n in range(3)]\n"
        "for thread in threads: thread.start()\n"
        "try:\n"
        "    other.sendall(b'x'); one.recv(1)\n"
        "    for thread in threads: thread.join()\n"
        "finally:\n"
        "    print('end')\n"
    )
    whole = World(1)
    complete = whole.start_script(file)
    whole.run()
    moments = sorted({event.t_ns for event in whole.trace.events})
    kills = 0
    for moment in [m + d for m in moments for d in (0, 500)]:
        world = World(1)
        process = world.start_script(file)
        seen = []

        def kill(world=world, process=process, seen=seen):
            if process.alive:
                seen.append(process.output)
                process.kill()

        world.kernel.appoint(moment, kill)
        assert world.run().kind == "finished"
        if seen:
            kills += 1
            assert process.output == seen[0]
            assert complete.output.startswith(process.output)
    gc.collect()
    assert kills > 20
    assert capsys.readouterr().out == ""


def test_destructors_of_a_process_that_has_ended_do_not_run_in_somebody_elses_time(capsys):
    source = "class Loud:\n    def __del__(self): print('deleted')\nloud = Loud()\n"
    world = World(1)
    process = world.start_source(source + "def run(): pass\n", "loud.py", "run")
    world.run()
    assert process.exit == 0
    del world, process
    gc.collect()
    assert capsys.readouterr().out == ""


def test_a_world_that_nobody_holds_is_forgotten_and_runs_nothing_more(script, capsys):
    def clinging():
        try:
            threading.Event().wait()
        finally:
            print("finally")

    def make():
        world = World(1)
        world.start_function(clinging)
        killed = world.start_function(clinging)
        world.run()
        killed.kill()
        return weakref.ref(world), weakref.ref(world.trace)

    world, trace = make()
    gc.collect()
    assert (world(), trace()) == (None, None)
    assert capsys.readouterr().out == ""


def test_one_process_kills_another_that_is_about_to_run(world):
    order = []

    def victim():
        time.sleep(1)
        order.append("victim")

    def killer():
        time.sleep(1)
        process.kill()
        order.append("killer")

    world.start_function(killer)
    process = world.start_function(victim)
    world.run()
    assert order == ["killer"]


def test_a_process_that_kills_itself_does_not_return(world, script):
    process = script("import os\ntry:\n    os.kill(os.getpid(), 9)\nfinally:\n    print('no')\n")
    world.run()
    assert (process.exit, process.output) == (-9, "")


def test_closing_a_world_kills_what_still_runs(world):
    process = world.start_function(listener)
    world.run()
    world.close()
    world.close()
    assert process.exit == -9
    assert world.trace.events[-1].fields["reason"] == "the world ended"


def test_a_process_is_killed_before_it_ran(world):
    process = world.start_function(lambda: print("never"))
    process.kill()
    assert world.run().kind == "finished"
    assert process.output == ""


# what the other side of a connection sees


def _peer_of(world, victim, *, unread=False):
    """What a client sees when the server `victim` dies: the events of its connection."""
    seen = []

    def server():
        with socket.create_server(("", 80)) as listening:
            connection, _ = listening.accept()
            if not unread:
                connection.recv(100)
            time.sleep(1000)

    def client():
        connection = socket.create_connection(("localhost", 80))
        connection.sendall(b"hello")
        try:
            seen.append(connection.recv(10))
        except OSError as error:
            seen.append(type(error))
        seen.append(round(time.monotonic() - 1000))

    process = world.start_function(server, name="server")
    world.start_function(client, name="client")
    world.faults.at(5, lambda: victim(process))
    world.run()
    return seen, [
        event.fields["how"]
        for event in world.trace.of_kind("net.close")
        if event.process == "server"
    ]


def test_a_killed_process_closes_its_connections_with_an_end(world):
    assert _peer_of(world, lambda process: process.kill()) == ([b"", 5], ["close"])


def test_a_killed_process_that_left_bytes_unread_resets_its_connections(world):
    assert _peer_of(world, lambda process: process.kill(), unread=True) == (
        [ConnectionResetError, 5],
        ["reset"],
    )


def test_a_terminated_process_closes_its_connections_too(world):
    assert _peer_of(world, lambda process: process.signal(15)) == ([b"", 5], ["close"])


def test_a_killed_listener_resets_those_it_had_not_accepted_and_frees_its_port(world):
    seen = []

    def server():
        socket.create_server(("", 80))
        time.sleep(1000)

    def client():
        connection = socket.create_connection(("localhost", 80))
        try:
            connection.recv(1)
        except ConnectionResetError:
            seen.append("reset")
        try:
            socket.create_connection(("localhost", 80))
        except ConnectionRefusedError:
            seen.append("refused")
        socket.create_server(("", 80)).close()
        seen.append("free")

    process = world.start_function(server)
    world.start_function(client)
    world.faults.at(1, process.kill)
    world.run()
    assert seen == ["reset", "refused", "free"]


# pausing


def test_a_paused_process_stands_still_while_time_goes_on(world, script):
    process = script(
        "import time\nwhile True:\n    time.sleep(1)\n    print(round(time.monotonic() - 1000))\n"
    )
    world.faults.at(2.5, process.pause)
    world.faults.at(2.6, process.pause)
    world.faults.at(10.2, process.resume)
    world.run(until_s=12.5)
    assert process.output.split() == ["1", "2", "10", "11", "12"]


def test_a_paused_process_can_be_killed_and_keeps_its_connections_until_then(world):
    seen = []

    def server():
        with socket.create_server(("", 80)) as listening:
            connection, _ = listening.accept()
            while data := connection.recv(10):
                connection.sendall(data)

    def client():
        connection = socket.create_connection(("localhost", 80), timeout=3)
        time.sleep(2)
        connection.sendall(b"x")
        try:
            connection.recv(1)
        except TimeoutError:
            seen.append("silence")
        connection.settimeout(None)
        try:
            seen.append(connection.recv(1))
        except ConnectionResetError:
            seen.append("reset")

    process = world.start_function(server)
    world.start_function(client)
    world.faults.at(1, process.pause)
    world.faults.at(50, process.kill)
    assert world.run().kind == "finished"
    assert seen == ["silence", "reset"]


# crash points


def _recorder():
    from sandbox import record

    one, other = socket.socketpair()
    connection = socket.create_connection(("localhost", 80))
    connection.sendall(b"a")
    record("did", 1)
    time.sleep(1)
    other.sendall(b"internal")
    one.recv(10)
    connection.sendall(b"b")


def _echo():
    with socket.create_server(("", 80)) as listening:
        connection, _ = listening.accept()
        while connection.recv(10):
            pass


def test_crash_points_are_the_moments_others_can_tell_apart():
    world = World(1)
    world.start_function(_echo)
    process = world.start_function(_recorder)
    world.run()
    assert [call for _, call, _ in process.crash_points] == [
        "connect",
        "send",
        "record",
        "sleep",
        "send",
    ]
    assert all(where.startswith("test_world.py:") for _, _, where in process.crash_points)
    times = [t_ns for t_ns, _, _ in process.crash_points]
    assert times == sorted(times)


@pytest.mark.parametrize("point", range(1, 6))
def test_a_process_dies_just_before_its_crash_point(point):
    world = World(1)
    world.start_function(_echo)
    process = world.start_function(_recorder)
    process.crash_at(point)
    world.run()
    assert process.exit == -9
    assert len(process.crash_points) == point
    assert len(world.recorded("did")) == (1 if point > 3 else 0)
    (event,) = world.trace.of_kind("process.kill")
    assert event.fields["reason"] == f"crash point {point}"


# what programs do together


def test_records_are_kept_in_order_with_their_line(world, script):
    script(
        "import sandbox\n"
        "for n in range(3): sandbox.record('n', n)\n"
        "sandbox.record('b', b'bytes')\nsandbox.record('plain', {'a': [1, None]})\n"
    )
    world.run()
    assert world.recorded("n") == [0, 1, 2]
    assert world.recorded("b") == ["bytes"]
    assert world.recorded("plain") == [{"a": [1, None]}]
    assert [event.fields["where"] for event in world.trace.of_kind("record")][-1] == "main.py:4"


def test_hosts_are_apart_and_localhost_is_ones_own(world):
    seen = []

    def server():
        with socket.create_server(("", 80)) as listening:
            connection, peer = listening.accept()
            seen.append(peer[0] == socket.gethostbyname("elsewhere"))
            connection.sendall(b"hi")

    def client():
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("localhost", 80))
        with socket.create_connection(("shop", 80)) as connection:
            seen.append(connection.recv(10))

    world.start_function(server, host="shop")
    process = world.start_function(client, host="elsewhere")
    world.run()
    assert process.error is None
    assert seen == [True, b"hi"]


def test_two_processes_on_two_hosts_listen_on_the_same_port(world):
    world.start_function(listener, 80, host="one")
    world.start_function(listener, 80, host="two")
    third = world.start_function(listener, 80, host="two", name="third")
    world.run()
    assert isinstance(third.error, OSError)


def test_output_is_passed_on_as_it_happens(world):
    heard = []
    world.kernel.on_output = lambda process, stream, text: heard.append(
        (process.name, stream, text, world.now_s > 2)
    )

    def program():
        print("early")
        time.sleep(3)
        print("late")

    world.start_function(program)
    world.run()
    assert heard == [("program", 1, "early\n", False), ("program", 1, "late\n", True)]


def test_fibers_take_turns_although_one_never_waits(world):
    turns = []

    def busy(name):
        for _ in range(3000):
            time.monotonic()
            if not turns or turns[-1] != name:
                turns.append(name)

    world.start_function(busy, "a")
    world.start_function(busy, "b")
    world.run()
    assert len(turns) > 4


def test_a_world_runs_while_another_is_suspended():
    one, other = World(1), World(2)
    slow = one.start_function(sleeper, 10)
    one.run(until_s=5)
    quick = other.start_function(lambda: threading.current_thread().name)
    assert other.run().kind == "finished"
    assert quick.result == "MainThread"
    one.run()
    assert slow.exit == 0
